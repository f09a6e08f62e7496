"""Verdicts that are kept: used only while everything that they rest on is as it was, and then the same to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanning import FIXTURES, PROJECT, run, scan, write

from keyrules.code.cache.cache_folder import VARIABLE, CacheFolder
from keyrules.code.cache.influence import ASKED, LISTED, READ, Look
from keyrules.code.cache.scan_cache import open_cache
from keyrules.code.cache.verdict_cache import VerdictCache
from keyrules.code.host.checkov_host import run_units
from keyrules.code.host.worker_protocol import Request
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.unit_results import UnitOutcome
from keyrules.pack.catalog import load_pack

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
ROOT = {
    "root/main.tf": KEY + 'module "m" {\n  source = "../module"\n  name = var.n\n}\nvariable "n" {}\n',
    "root/more.tf.json": '{"resource": {"aws_iam_access_key": {"j": {"user": "j"}}}}',
    "root/terraform.tfvars": 'n = "a"\n',
    "root/z.auto.tfvars": 'n = "b"\n',
    "root/notes.txt": "nothing",
    "module/main.tf": KEY + 'variable "name" {}\n',
    "module/inner/main.tf": 'output "o" { value = 1 }\n',
    "t.yaml": "Resources:\n  Key:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc\n",
}
RULES = ("KEY_AWS_001", "KEY_AWS_006")
PACK = load_pack().stamp.sha256


def opened(folder: Path, **other: Any) -> VerdictCache:
    given = {"pack": PACK, "rules": RULES, "overrides": (("KEY_AWS_001", "max_age_days", 90),), "limits": Limits()}
    cache = open_cache(str(folder))
    assert cache is not None
    return cache.verdicts(**{**given, **other})


def evaluated(units: list[Unit]) -> list[UnitOutcome]:
    request = Request(RULES, (), datetime(2026, 6, 1, tzinfo=timezone.utc), (), 0, record=True)
    return list(run_units(units, request, Limits(unit_seconds=20)))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[UnitOutcome]]]:
    """A root module and a template with what was said about them."""
    folder = write(tmp_path_factory.mktemp("kept"), ROOT)
    (folder / "link.tf").write_text(KEY.replace('"k"', '"l"'))
    (folder / "root/linked.tf").symlink_to("../link.tf")
    outcomes = evaluated([Unit("terraform", str(folder / "root")), Unit("cloudformation", str(folder / "t.yaml"))])
    assert all(outcome.looks and not outcome.problem for outcome in outcomes)
    yield folder, outcomes


@pytest.fixture
def held(kept: tuple[Path, list[UnitOutcome]], tmp_path: Path) -> tuple[Path, VerdictCache, list[UnitOutcome]]:
    """A copy of nothing: the same folder with a cache of its own, in which both outcomes are kept."""
    folder, outcomes = kept
    cache = opened(tmp_path / "cache")
    for outcome in outcomes:
        cache.keep(outcome)
        assert cache.find(outcome.unit) == outcome
    return folder, cache, outcomes


def rewritten(path: Path, content: bytes) -> Callable[[], None]:
    before = path.read_bytes()
    path.write_bytes(content)

    def undo() -> None:
        path.write_bytes(before)

    return undo


def test_every_byte_of_every_file_counts(held: tuple[Path, VerdictCache, list[UnitOutcome]]) -> None:
    folder, cache, (root, template) = held
    seen = ["root/main.tf", "root/more.tf.json", "root/terraform.tfvars", "root/z.auto.tfvars", "module/main.tf"]
    for name, outcome in [*((name, root) for name in [*seen, "link.tf"]), ("t.yaml", template)]:
        path = folder / name
        content = path.read_bytes()
        for position in range(0, len(content), max(1, len(content) // 12)):
            undo = rewritten(path, content[:position] + bytes([content[position] ^ 2]) + content[position + 1 :])
            assert cache.find(outcome.unit) is None, (name, position)
            undo()
        for other in (content + b"\n", content[:-1], b""):
            undo = rewritten(path, other)
            assert cache.find(outcome.unit) is None, name
            undo()
        assert cache.find(outcome.unit) == outcome


NEW = """
root/a.tf root/a.tofu root/a.tf.json root/a.auto.tfvars root/terraform.tfvars.json root/main_override.tf root/anything
root/sub/x.tf module/a.tf module/a.auto.tfvars
"""


@pytest.mark.parametrize("name", NEW.split())
def test_new_names_count(held: tuple[Path, VerdictCache, list[UnitOutcome]], name: str) -> None:
    folder, cache, (root, _) = held
    path = folder / name
    had_folder = path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n")
    assert cache.find(root.unit) is None
    path.unlink()
    if not had_folder:
        path.parent.rmdir()
    assert cache.find(root.unit) == root


@pytest.mark.parametrize("name", ["root/main.tf", "root/z.auto.tfvars", "module/main.tf", "link.tf", "root/linked.tf"])
def test_names_that_go_count(held: tuple[Path, VerdictCache, list[UnitOutcome]], name: str) -> None:
    folder, cache, (root, _) = held
    path, away = folder / name, folder / "away"
    path.rename(away)
    assert cache.find(root.unit) is None
    path.mkdir()
    assert cache.find(root.unit) is None
    path.rmdir()
    away.rename(path)
    assert cache.find(root.unit) == root


def test_where_a_link_leads_counts(held: tuple[Path, VerdictCache, list[UnitOutcome]]) -> None:
    folder, cache, (root, _) = held
    link = folder / "root/linked.tf"
    link.unlink()
    link.symlink_to(folder / "link.tf")
    assert cache.find(root.unit) is None
    link.unlink()
    link.symlink_to("../link.tf")
    assert cache.find(root.unit) == root


def test_times_and_strangers_do_not_count(held: tuple[Path, VerdictCache, list[UnitOutcome]]) -> None:
    folder, cache, (root, template) = held
    os.utime(folder / "root/main.tf", (1, 1))
    (folder / "stranger").mkdir()
    (folder / "stranger/main.tf").write_text(KEY)
    assert cache.find(root.unit) == root and cache.find(template.unit) == template
    shutil.rmtree(folder / "stranger")


@pytest.mark.parametrize(
    "other",
    [
        {"pack": "another"},
        {"rules": RULES[:1]},
        {"rules": (*RULES, "KEY_AWS_003")},
        {"overrides": ()},
        {"overrides": (("KEY_AWS_001", "max_age_days", 91),)},
        {"limits": Limits(memory_bytes=2**32)},
    ],
)
def test_every_setting_counts(
    held: tuple[Path, VerdictCache, list[UnitOutcome]], tmp_path: Path, other: dict[str, Any]
) -> None:
    _, _, (root, _) = held
    assert opened(tmp_path / "cache").find(root.unit) == root
    assert opened(tmp_path / "cache", **other).find(root.unit) is None
    assert opened(tmp_path / "cache", limits=Limits(unit_seconds=1, processes=1)).find(root.unit) == root


def test_the_unit_and_the_working_directory_count(
    held: tuple[Path, VerdictCache, list[UnitOutcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cache, (root, template) = held
    assert cache.find(root.unit._replace(path=str(folder / "module"))) is None
    assert cache.find(template.unit._replace(readable=False)) is None
    assert cache.find(template.unit._replace(kind="plan")) is None
    monkeypatch.chdir(folder)
    assert cache.find(root.unit) is None


def test_the_code_counts(tmp_path: Path) -> None:
    code = "import sys; from keyrules.code.cache.code_version import code_version; print(code_version(sys.path))"
    copy = tmp_path / "checks"
    shutil.copytree(PROJECT / "checks", copy, ignore=shutil.ignore_patterns("__pycache__"))

    def version(extra: str = "") -> str:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy), *filter(None, [extra])])}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    first = version()
    assert first == version() != "None\n"
    (copy / "keyrules/iac/rotation/rotation.py").open("a").write("\n")
    second = version()
    (copy / "terraform/new.py").write_text("")
    third = version()
    # Another version of one of Checkov's parsers.
    (tmp_path / "site/bc_python_hcl2-9.9.dist-info").mkdir(parents=True)
    assert len({first, second, third, version(str(tmp_path / "site"))}) == 4


def test_no_checkov_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert open_cache(str(tmp_path)) is None
    assert open_cache(None) is None


def test_looks(kept: tuple[Path, list[UnitOutcome]]) -> None:
    folder, (root, template) = kept
    assert root.looks is not None and template.looks is not None
    assert {
        Look(READ, f"{folder}/root/main.tf"),
        Look(READ, f"{folder}/root/linked.tf"),
        Look(READ, f"{folder}/module/main.tf"),
        Look(LISTED, f"{folder}/root"),
        Look(LISTED, f"{folder}/module"),
        Look(ASKED, f"{folder}/root/notes.txt"),
    } <= set(root.looks)
    assert Look(READ, f"{folder}/t.yaml") in template.looks
    assert not any(look.path.startswith(str(PROJECT / "checks")) for look in template.looks)


def test_what_changes_meanwhile_is_not_kept(kept: tuple[Path, list[UnitOutcome]], tmp_path: Path) -> None:
    folder, (root, _) = kept
    cache = opened(tmp_path)
    undo = rewritten(folder / "module/main.tf", b"# another\n")
    cache.keep(root)
    undo()
    assert cache.find(root.unit) is None


def test_what_is_not_complete_is_not_kept(kept: tuple[Path, list[UnitOutcome]], tmp_path: Path) -> None:
    _, (root, _) = kept
    assert root.declared is not None and root.checked is not None
    for other in (
        replace(root, problem="Checkov failed on it"),
        replace(root, looks=None),
        replace(root, declared=None),
        replace(root, checked=None),
        replace(root, checked=replace(root.checked, failures=["KEY_AWS_001"])),
        replace(root, checked=replace(root.checked, unparsed=["main.tf"])),
        replace(root, unit=root.unit._replace(kind="plan")),
    ):
        cache = opened(tmp_path)
        cache.keep(other)
        assert cache.find(other.unit) is None


def test_bad_units_are_evaluated_each_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "broken/main.tf": KEY + "resource {\n",
            "clock/main.tf": KEY + 'locals {\n  c = timestamp()\n}\nresource "x" "y" {\n  a = local.c\n}\n',
            "hangs/main.tf": KEY + "locals {\n  x = pow(10, 1000000000)\n}\n",
        },
    )
    units = [Unit("terraform", str(tmp_path / name)) for name in ("broken", "clock", "hangs")]
    request = Request(RULES, (), datetime(2026, 6, 1, tzinfo=timezone.utc), (), 0, record=True)
    cache = opened(tmp_path / "cache")
    for outcome in run_units(units, request, Limits(unit_seconds=5)):
        cache.keep(outcome)
    assert [cache.find(unit) for unit in units] == [None] * 3


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(key=st.sampled_from(["name", "looks", "digest", "declared", "checked", ""]), value=json_values)
def test_an_entry_of_another_shape_is_a_miss(
    kept: tuple[Path, list[UnitOutcome]], tmp_path_factory: pytest.TempPathFactory, key: str, value: Any
) -> None:
    _, (root, _) = kept
    folder = CacheFolder(str(tmp_path_factory.mktemp("shape") / "cache"))
    cache = VerdictCache(folder, {})
    cache.keep(root)
    (path,) = Path(folder.path).iterdir()
    name = path.name.removesuffix(".entry")
    entry = json.loads(folder.read(name) or b"")
    changed = {**entry, key: value} if key else value
    folder.write(name, json.dumps(changed).encode())
    assert cache.find(root.unit) is None or changed == entry or key == ""
    for part in ("declared", "checked"):
        folder.write(name, json.dumps({**entry, part: {**entry[part], next(iter(entry[part])): value}}).encode())
        cache.find(root.unit)


def test_an_entry_of_another_unit_is_a_miss(held: tuple[Path, VerdictCache, list[UnitOutcome]], tmp_path: Path) -> None:
    _, cache, (root, template) = held
    first, second = sorted((tmp_path / "cache").iterdir())
    shutil.copy(first, second)
    assert [cache.find(root.unit), cache.find(template.unit)].count(None) == 1


@pytest.mark.parametrize("rule", ["KEY_AWS_001", "KEY_AWS_010"])
def test_hits_are_the_fresh_run_to_the_byte(rule: str, tmp_path: Path) -> None:
    folder = FIXTURES / rule
    environment = {VARIABLE: str(tmp_path / "cache")}
    fresh = scan(folder, "--no-cache", env=environment)
    assert not (tmp_path / "cache").exists()
    runs = [scan(folder, env=environment) for _ in range(2)]
    assert CacheFolder(str(tmp_path / "cache")).usage().files > 3
    assert [(run.code, run.stdout, run.stderr) for run in runs] == [(fresh.code, fresh.stdout, fresh.stderr)] * 2


def verdicts(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache").iterdir() if not path.name.startswith("pack-"))


def test_one_change_costs_one_unit(tmp_path: Path) -> None:
    environment = {VARIABLE: str(tmp_path / "cache")}
    folder = write(tmp_path / "src", {f"{name}/main.tf": KEY for name in "abc"})
    first = scan(folder, env=environment)
    before = {path: path.stat().st_ino for path in verdicts(tmp_path)}
    (folder / "b/main.tf").write_text("# moved down\n" + KEY)
    second = scan(folder, env=environment)
    after = {path: path.stat().st_ino for path in verdicts(tmp_path)}
    assert len(before) == len(after) == 3
    assert len(set(before.items()) & set(after.items())) == 2
    assert [f["location"]["start_line"] for f in first.findings("KEY_AWS_001")] == [1, 1, 1]
    assert [f["location"]["start_line"] for f in second.findings("KEY_AWS_001")] == [1, 2, 1]
    assert second.findings() == scan(folder, "--no-cache").findings()


def test_the_moment_is_that_of_the_run(tmp_path: Path) -> None:
    environment = {VARIABLE: str(tmp_path / "cache")}
    folder = write(tmp_path / "src", {"main.tf": KEY})
    arguments = ("scan", "--format", "json", ".")
    reports = [
        run(*arguments, "--as-of", moment, cwd=folder, env=environment).report
        for moment in ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    ]
    assert [report["as_of"][:4] for report in reports] == ["2026", "2027"]
    assert reports[0]["findings"] == reports[1]["findings"]


class TestCommand:
    def test_shows_and_clears(self, tmp_path: Path) -> None:
        environment = {VARIABLE: str(tmp_path / "cache")}
        scan(write(tmp_path / "src", {"main.tf": KEY}), env=environment)
        assert run("cache", cwd=tmp_path, env=environment).stdout.startswith(f"{tmp_path}/cache: 2 entries, 0.0 MiB")
        cleared = run("cache", "--clear", cwd=tmp_path, env=environment)
        assert (cleared.code, cleared.stdout) == (0, f"{tmp_path}/cache: removed 2 entries, 0.0 MiB\n")
        assert run("cache", cwd=tmp_path, env=environment).stdout.startswith(f"{tmp_path}/cache: 0 entries, 0.0 MiB")

    def test_without_a_home(self, tmp_path: Path) -> None:
        homeless = {VARIABLE: "", "HOME": "", "XDG_CACHE_HOME": ""}
        done = run("cache", cwd=tmp_path, env=homeless)
        assert done.code == 2 and VARIABLE in done.stderr
        assert scan(write(tmp_path, {"main.tf": KEY}), env=homeless).code == 1

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        folder = write(tmp_path / "src", {"main.tf": KEY})
        done = scan(folder, env={VARIABLE: str(tmp_path / "file/cache")})
        assert done.code == 1 and done.stderr == ""
