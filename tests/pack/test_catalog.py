"""The catalogue as a whole: what a rule becomes, retired ids, the stamp, and where the files are found."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rule_file import RETIRED, RULE

from keyrules.model import Parameter, Plane, Severity, UsageError
from keyrules.pack.catalog import load_pack, read_rule, rules_folder
from keyrules.pack.conditions import SENTINEL
from keyrules.pack.parameters import parse_value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "KEY_AWS_900.yaml").write_text(RULE)
    (tmp_path / "retired.csv").write_text(RETIRED)
    return tmp_path


def test_a_rule_is_read_whole(folder: Path) -> None:
    pack = load_pack(folder)
    (rule,) = pack.rules
    assert (rule.id, rule.name, rule.severity, rule.category) == ("KEY_AWS_900", "Keys are good", Severity.LOW, "IAM")
    assert rule.parameters["max_age_days"] == Parameter("max_age_days", 90, "days", 1, 400)
    assert rule.parameters["slots"] == Parameter("slots", (1, 2), "slot", allowed=(1, 2))
    assert rule.planes == {Plane.CODE, Plane.LIVE}
    assert rule.runtime is not None
    assert rule.runtime["definition"]["value"] == {"parameter": "max_age_days"}
    assert (rule.references, rule.default_on, rule.path) == (
        ("https://example.com/",),
        True,
        folder / "KEY_AWS_900.yaml",
    )


def test_an_opt_in_rule_is_off(folder: Path) -> None:
    path = folder / "KEY_AWS_900.yaml"
    path.write_text(RULE.replace('since: "1.0.0"}', 'since: "1.0.0", default: off}'))
    assert not read_rule(path).default_on


def test_a_rule_without_runtime_has_no_live_limits(folder: Path) -> None:
    start, end = RULE.index("runtime:"), RULE.index("parameters:")
    (folder / "KEY_AWS_900.yaml").write_text(RULE[:start] + RULE[end:])
    with pytest.raises(UsageError, match="`live` exactly where the rule has `runtime`"):
        load_pack(folder)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("KEY_AWS_900,1.1.0,,merged\n", "KEY_AWS_900 is retired in retired.csv and must not be used again."),
        ("KEY_AWS_901,1.1.0,KEY_AWS_902,merged\n", "KEY_AWS_901 is replaced by KEY_AWS_902, which is not in the pack."),
        ("KEY_AWS_901,1.1.0,,a\nKEY_AWS_901,1.1.0,,b\n", "row 3: KEY_AWS_901 stands here a second time"),
        ("KEY_901,1.1.0,,merged\n", "row 2: `id` and `replaced_by` must be rule ids"),
        ("KEY_AWS_901,1.1,,merged\n", "row 2: `retired_in` must be a version"),
        ("KEY_AWS_901,1.1.0,,\n", "`why` must not be empty."),
        ("KEY_AWS_901,1.1.0\n", "row 2: found 2 fields; allowed: 4."),
        ('"KEY_AWS_901"x,1.1.0,,y\n', "is not a CSV file in UTF-8."),
    ],
)
def test_retired_ids(folder: Path, rows: str, message: str) -> None:
    (folder / "retired.csv").write_text(RETIRED + rows)
    with pytest.raises(UsageError, match=re.escape(message)):
        load_pack(folder)


def test_retired_header_and_file_are_required(folder: Path) -> None:
    (folder / "retired.csv").write_text("id,why\n")
    with pytest.raises(UsageError, match="line 1: the header must be id,retired_in,replaced_by,why"):
        load_pack(folder)
    (folder / "retired.csv").unlink()
    with pytest.raises(UsageError, match="cannot be read: No such file or directory"):
        load_pack(folder)


@pytest.mark.parametrize("name", ["KEY_AWS_901.yml", "controls/KEY_AWS_901.json"])
def test_a_file_that_only_checkov_would_load_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("{}")
    with pytest.raises(UsageError, match="would be a rule to Checkov and none to keyrules"):
        load_pack(folder)


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no rule files"):
        load_pack(tmp_path)
    with pytest.raises(UsageError, match="is not a folder of rule files"):
        load_pack(tmp_path / "nowhere")


def test_unreadable_bytes(folder: Path) -> None:
    path = folder / "KEY_AWS_900.yaml"
    path.write_bytes(RULE.encode().replace(b"Because", b"Bec\xe4use"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        load_pack(folder)
    path.write_bytes(RULE.encode().replace(b"Because", b"Bec\x07use"))
    with pytest.raises(UsageError, match="a character that YAML does not allow"):
        load_pack(folder)
    path.write_text("a: " + "[" * 5000)
    with pytest.raises(UsageError, match="more than 40 levels"):
        load_pack(folder)
    path.write_text("# nothing\n")
    with pytest.raises(UsageError, match="is empty"):
        load_pack(folder)


class TestStamp:
    def test_every_shipped_file_counts(self, folder: Path) -> None:
        seen = {load_pack(folder).stamp.sha256}
        controls = folder / "controls"
        controls.mkdir()
        for path, content in [
            (folder / "KEY_AWS_900.yaml", RULE + "# a comment\n"),
            (folder / "retired.csv", RETIRED + "KEY_AWS_899,1.1.0,,gone\n"),
            (controls / "frameworks.csv", "a\n"),
            (controls / "frameworks.csv", "b\n"),
            (controls / "other.csv", "b\n"),
        ]:
            path.write_text(content)
            seen.add(load_pack(folder).stamp.sha256)
        assert len(seen) == 6

    def test_place_and_leftovers_do_not_count(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        copy = tmp_path_factory.mktemp("elsewhere") / "rules"
        shutil.copytree(folder, copy)
        (copy / "KEY_AWS_900.yaml~").write_text("an editor's backup")
        assert load_pack(copy).stamp == load_pack(folder).stamp

    def test_moving_bytes_between_files_counts(self, folder: Path) -> None:
        (folder / "a.csv").write_text("xy")
        (folder / "b.csv").write_text("z")
        before = load_pack(folder).stamp.sha256
        (folder / "a.csv").write_text("x")
        (folder / "b.csv").write_text("yz")
        assert load_pack(folder).stamp.sha256 != before

    def test_a_checkout_states_its_own_version_and_an_installed_package_that_of_its_metadata(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        root = tmp_path_factory.mktemp("checkout")
        (root / "src").mkdir()
        monkeypatch.setattr("keyrules.pack.stamp.__file__", str(root / "src/keyrules/pack/stamp.py"))
        monkeypatch.setattr("importlib.metadata.version", lambda name: f"7.7.7 of {name}")
        assert load_pack(folder).stamp.version == "7.7.7 of keyrules"
        (root / "src/keyrules-4.5.6.dist-info").mkdir()
        assert load_pack(folder).stamp.version == "4.5.6"
        # Two records of installations: only the package manager knows which one holds.
        (root / "src/keyrules-4.5.7.dist-info").mkdir()
        assert load_pack(folder).stamp.version == "7.7.7 of keyrules"
        (root / "setup.cfg").write_text("[metadata]\nname = another\nversion = 1.1.1\n")
        assert load_pack(folder).stamp.version == "7.7.7 of keyrules"
        (root / "setup.cfg").write_text("[metadata]\nname = keyrules\nversion = 3.2.1\n")
        assert load_pack(folder).stamp.version == "3.2.1"


def test_the_rules_are_found_in_a_checkout_and_in_an_installed_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert rules_folder() == Path(__file__).resolve().parents[2] / "rules"
    package = tmp_path / "site-packages" / "keyrules"
    (package / "rules").mkdir(parents=True)
    monkeypatch.setattr("keyrules.pack.stamp.__file__", str(package / "pack/stamp.py"))
    assert rules_folder() == (package / "rules").resolve()
    (package / "rules").rmdir()
    with pytest.raises(UsageError, match="The rule files are missing"):
        rules_folder()


@given(st.integers(-5, 500), st.integers(0, 400), st.one_of(st.none(), st.integers(0, 400)))
def test_a_setting_is_taken_exactly_within_its_bounds(value: int, minimum: int, maximum: int | None) -> None:
    parameter = Parameter("days", minimum, "days", minimum, maximum)
    expected = value >= minimum and (maximum is None or value <= maximum)
    assert (parse_value(parameter, str(value)) == value) == expected


def test_the_sentinel_needs_no_code_plane(folder: Path) -> None:
    path = folder / "KEY_AWS_900.yaml"
    start, end = RULE.index("definition:"), RULE.index("runtime:")
    path.write_text(
        (RULE[:start] + f"definition: {yaml.safe_dump(dict(SENTINEL), default_flow_style=True)}" + RULE[end:]).replace(
            "  code: Little.\n", ""
        )
    )
    assert read_rule(path).planes == {Plane.LIVE}
