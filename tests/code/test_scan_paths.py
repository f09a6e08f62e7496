"""What a scan looks at: folders, files and plans by any path give the same findings, each once, under its path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scanned_sources import KEY, MODULE, ROTATION, TEMPLATE
from scanning import FIXTURES, Scanned, run, scan, write

from keyrules.code.discovery import discover
from keyrules.code.scan_unit import Unit


def call(source: str, days: int) -> str:
    return f'module "m" {{\n  source = "{source}"\n  days   = {days}\n}}\n'


def places(scanned: Scanned, rule: str = ROTATION) -> dict[tuple[str, str], str]:
    """Status by path and address; every finding of the rule must have its own place."""
    found = [(f["location"]["path"], f["location"]["address"], f["status"]) for f in scanned.findings(rule)]
    assert len({(path, address) for path, address, _ in found}) == len(found)
    return {(path, address): status for path, address, status in found}


def paths(scanned: Scanned) -> set[str]:
    return {f["location"]["path"] for f in scanned.findings()}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two environments that call one module with different periods, and a template."""
    return write(
        tmp_path_factory.mktemp("repository"),
        {
            "envs/prod/main.tf": call("../../modules/user", 30) + KEY.replace('"k"', '"own"'),
            "envs/prod/other.tf": KEY.replace('"k"', '"other"'),
            "envs/dev/main.tf": call("../../modules/user", 365),
            "modules/user/main.tf": MODULE,
            "stacks/t.yaml": TEMPLATE,
        },
    )


@pytest.fixture(scope="module")
def whole(repository: Path) -> Scanned:
    return scan(repository)


class TestFoldersAndFiles:
    def test_a_module_is_judged_by_each_of_its_callers(self, whole: Scanned) -> None:
        assert places(whole) == {
            ("envs/prod/main.tf", "aws_iam_access_key.own"): "FAIL",
            ("envs/prod/other.tf", "aws_iam_access_key.other"): "FAIL",
            ("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL",
            ("stacks/t.yaml", "K"): "FAIL",
        }
        assert [i["name"] for i in whole.report["inputs"]] == ["envs/dev", "envs/prod", "stacks/t.yaml"]

    def test_a_folder_alone_follows_its_calls_out_of_it(self, repository: Path) -> None:
        prod = scan(repository, paths=["envs/prod"])
        assert places(prod)["modules/user/main.tf", "module.m.aws_iam_access_key.k"] == "PASS"
        dev = scan(repository, paths=["envs/dev"])
        assert places(dev) == {("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL"}

    def test_a_file_is_judged_in_its_module_and_reported_alone(self, repository: Path) -> None:
        done = scan(repository, paths=["envs/prod/other.tf"])
        assert set(places(done)) == {("envs/prod/other.tf", "aws_iam_access_key.other")}
        # The user has a second and a third key elsewhere, which fail because of this one, too.
        assert set(places(done, "KEY_AWS_003").values()) == {"FAIL"}
        assert {path for path, _ in places(done, "KEY_AWS_003")} > {"envs/prod/other.tf"}

    def test_a_modules_file_is_judged_as_its_callers_call_it(self, repository: Path) -> None:
        done = scan(repository, paths=["modules/user/main.tf"])
        assert places(done) == {("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL"}
        assert {f["location"]["path"] for f in done.findings() if f["rule"] != "KEY_AWS_003"} == {
            "modules/user/main.tf"
        }

    def test_callers_outside_of_the_working_directory_are_not_asked(self, repository: Path) -> None:
        done = scan(repository / "modules", paths=["user/main.tf"])
        assert places(done) == {("user/main.tf", "aws_iam_access_key.k"): "UNKNOWN"}

    @pytest.mark.parametrize(
        "names",
        [
            [".", "."],
            [".", "envs", "envs/prod", "envs/prod/main.tf", "stacks/t.yaml"],
            ["stacks/t.yaml", "envs/../stacks/t.yaml", "./stacks", "modules", "envs", "{here}/envs/prod"],
        ],
    )
    def test_paths_that_overlap_count_once(self, repository: Path, whole: Scanned, names: list[str]) -> None:
        done = scan(repository, paths=[name.format(here=repository) for name in names])
        assert done.findings() == whole.findings()
        assert done.report["inputs"] == whole.report["inputs"]
        assert done.report["summary"] == whole.report["summary"]

    def test_a_folder_beside_a_file_is_reported_whole(self, repository: Path) -> None:
        """The modules outside of the folder, too, as they are when the folder is scanned alone."""
        done = scan(repository, paths=["envs/dev", "stacks/t.yaml"])
        assert paths(done) == {"modules/user/main.tf", "stacks/t.yaml"}

    def test_absolute_paths_are_shown_relative_to_the_working_directory(self, repository: Path, whole: Scanned) -> None:
        assert scan(repository, paths=[str(repository)]).report == whole.report

    def test_from_a_subfolder(self, repository: Path) -> None:
        done = scan(repository / "envs/prod")
        outside = (repository / "modules/user/main.tf").as_posix()
        assert places(done) == {
            ("main.tf", "aws_iam_access_key.own"): "FAIL",
            ("other.tf", "aws_iam_access_key.other"): "FAIL",
            (outside, "module.m.aws_iam_access_key.k"): "PASS",
        }


class TestModules:
    """A module that nobody evaluates is the worst kind of clean."""

    @pytest.mark.parametrize(
        "mention",
        [
            '# source = "../user"\n',
            '/*\nmodule "x" {\n  source = "../user"\n}\n*/\n',
            'resource "aws_s3_object" "o" {\n  source = "../user"\n}\n',
            'locals {\n  text = <<-EOT\n    source = "../user"\n  EOT\n}\n',
            'module "x" {\n  # source = "../user"\n  source = "git::https://example.com/user.git"\n}\n',
        ],
    )
    def test_only_a_real_call_makes_a_module(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mention: str
    ) -> None:
        write(tmp_path, {"user/main.tf": KEY, "other/main.tf": mention})
        monkeypatch.chdir(tmp_path)
        assert discover([Path()], tmp_path).units == [Unit("terraform", f"{tmp_path}/user")]

    def test_a_caller_that_cannot_be_parsed_does_not_hide_its_module(self, tmp_path: Path) -> None:
        write(tmp_path, {"user/main.tf": KEY, "app/main.tf": call("../user", 30) + "resource {{{\n"})
        done = scan(tmp_path)
        assert done.code == 3 and "app/main.tf" in done.errors()
        assert places(done) == {("user/main.tf", "aws_iam_access_key.k"): "FAIL"}

    def test_modules_in_a_ring(self, tmp_path: Path) -> None:
        write(tmp_path, {"a/main.tf": call("../b", 1) + KEY, "b/main.tf": call("../a", 1) + KEY})
        assert {path for path, _ in places(scan(tmp_path))} == {"a/main.tf", "b/main.tf"}

    def test_a_module_that_calls_itself(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": call("./", 1) + KEY})
        assert ("main.tf", "aws_iam_access_key.k") in places(scan(tmp_path))

    def test_a_module_behind_a_link(self, tmp_path: Path) -> None:
        write(tmp_path / "elsewhere", {"user/main.tf": KEY})
        write(tmp_path / "repo", {"main.tf": call("./modules/user", 30)})
        (tmp_path / "repo/modules").symlink_to(tmp_path / "elsewhere")
        done = scan(tmp_path / "repo")
        assert places(done) == {("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL"}

    def test_unrelated_root_modules_share_no_users(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{name}/main.tf": KEY for name in ("a", "b", "a/examples", "a/b/c")})
        write(tmp_path, {"t1.yaml": TEMPLATE, "t2.yaml": TEMPLATE})
        done = scan(tmp_path, "--rule", "KEY_AWS_003")
        assert len(done.findings()) == 6
        assert {f["status"] for f in done.findings()} == {"PASS"}

    def test_a_module_that_is_called_twice_has_two_keys_of_one_user(self, tmp_path: Path) -> None:
        write(tmp_path, {"m/main.tf": KEY, "main.tf": call("./m", 1) + call("./m", 1).replace('"m"', '"n"', 1)})
        found = places(scan(tmp_path, "--rule", "KEY_AWS_003"), "KEY_AWS_003")
        assert found == {("m/main.tf", f"module.{name}.aws_iam_access_key.k"): "FAIL" for name in ("m", "n")}


PLAN = FIXTURES / "KEY_AWS_001/terraform_plan/existing_keys.json"


def relocated(findings: list[Mapping[str, Any]], path: str) -> list[Mapping[str, Any]]:
    """The findings as they are when the plan has another name."""
    moved: list[Mapping[str, Any]] = json.loads(json.dumps(findings).replace(path, "PLAN"))
    return [{name: value for name, value in f.items() if name != "fingerprint"} for f in moved]


class TestPlans:
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        (tmp_path / "tmp").mkdir()
        (tmp_path / "work").mkdir()

    def test_standard_input_is_the_file(self, tmp_path: Path) -> None:
        work, data = tmp_path / "work", PLAN.read_bytes()
        by_name = scan(write(work, {"plan.json": data}), paths=["plan.json"])
        piped = scan(work, paths=["-"], stdin=data, env={"TMPDIR": str(tmp_path / "tmp")})
        assert by_name.findings() and piped.code == by_name.code
        assert relocated(piped.findings(), "<stdin>") == relocated(by_name.findings(), "plan.json")
        assert paths(piped) == {"<stdin>"}
        assert [(i["kind"], i["name"]) for i in piped.report["inputs"]] == [("plan", "<stdin>")]
        assert piped.report["inputs"][0]["sha256"] == by_name.report["inputs"][0]["sha256"]
        assert list((tmp_path / "tmp").iterdir()) == []

    @pytest.mark.parametrize("cwd", ["/", "{tmp}", "{tmp}/work"])
    def test_no_temporary_name_is_ever_shown(self, tmp_path: Path, cwd: str) -> None:
        """Wherever the working directory lies, above the temporary folder, too; and the same bytes in each run."""
        folder = Path(cwd.format(tmp=tmp_path))
        leaks = FIXTURES / "KEY_AWS_010/terraform_plan/new_keys.json"
        runs = [
            scan(folder, paths=["-"], stdin=leaks.read_bytes(), env={"TMPDIR": str(tmp_path / "tmp")}) for _ in range(2)
        ]
        assert "<stdin>" in runs[0].stdout and "keyrules-" not in runs[0].stdout
        assert runs[0].stdout == runs[1].stdout

    def test_a_refused_plan_is_standard_input_too(self, tmp_path: Path) -> None:
        done = scan(tmp_path, paths=["-"], stdin=b'{"format_version": "1.2", "planned_values": {}, "resource_changes"')
        assert done.code == 3 and list(done.errors()) == ["<stdin>"]

    @pytest.mark.parametrize("name", ["plan.json", "tfplan", "plan.out", "plan.txt"])
    def test_a_plan_has_any_name(self, tmp_path: Path, name: str) -> None:
        done = scan(write(tmp_path / "work", {name: PLAN.read_bytes()}), paths=[name])
        assert paths(done) == {name} and done.report["inputs"][0]["kind"] == "plan"
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}

    def test_a_folder_with_a_plan_and_its_source(self, tmp_path: Path) -> None:
        write(tmp_path / "work", {"main.tf": KEY, "tfplan": PLAN.read_bytes(), "plan.json": PLAN.read_bytes()})
        assert paths(scan(tmp_path / "work", "--rule", ROTATION)) == {"main.tf", "tfplan", "plan.json"}


NAMES = {
    "with space.tf": "with space.tf",
    "-x.tf": "-x.tf",
    "--fail-on.tf": "--fail-on.tf",
    "new\nline.tf": "new\nline.tf",
    "b\udcff.tf": "b\\xff.tf",
    "\u202eexe.tf": "\u202eexe.tf",
    "größe.tf": "größe.tf",
    "a'b\"c`d$e.tf": "a'b\"c`d$e.tf",
    "=1+1.tf": "=1+1.tf",
    "x.yaml.tf": "x.yaml.tf",
    "[0].tf": "[0].tf",
}


class TestNames:
    @pytest.fixture(scope="class")
    @classmethod
    def odd(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Each file in a folder of the same name, and a template of that name beside it."""
        folder = tmp_path_factory.mktemp("names")
        for name in NAMES:
            write(folder, {f"{name}/{name}": KEY, f"{name.removesuffix('.tf')}.yaml": TEMPLATE})
        return folder

    def expected(self) -> set[str]:
        shown = {f"{name}/{name}" for name in NAMES.values()}
        return shown | {f"{name.removesuffix('.tf')}.yaml" for name in NAMES.values()}

    def test_in_a_folder(self, odd: Path) -> None:
        done = scan(odd)
        assert paths(done) == self.expected() and done.errors() == {} and done.code == 1
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}

    def test_one_by_one_behind_two_dashes(self, odd: Path) -> None:
        names = [str(path.relative_to(odd)) for path in sorted(odd.rglob("*")) if path.is_file()]
        assert paths(scan(odd, paths=["--", *names])) == self.expected()

    @pytest.mark.parametrize("form", ["text", "sarif", "csv"])
    def test_in_every_format(self, odd: Path, form: str) -> None:
        done = run("scan", "--format", form, "--rule", ROTATION, cwd=odd)
        assert done.code == 1 and done.stderr == ""
        assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
        done.stdout.encode()
