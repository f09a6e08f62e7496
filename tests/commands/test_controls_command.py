"""`keyrules controls`: each view in each format."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable

import pytest

from keyrules.commands import controls
from keyrules.commands.controls import TABLE_FORMATS as FORMATS
from keyrules.controls.model import Coverage, coverage
from keyrules.controls.tables import load_frameworks
from keyrules.model import UsageError
from keyrules.pack.catalog import load_pack

Show = Callable[..., str]
VIEWS: dict[str, list[str]] = {
    "list": [],
    "edition": ["cis_aws_7.0.0"],
    "control": ["cis_aws_3.0.0:1.12"],
    "rule": ["--rule", "KEY_AWS_003"],
    "matrix": ["--matrix"],
    "diff": ["--diff", "cis_aws_3.0.0", "cis_aws_5.0.0"],
}


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Show:
    def call(*argv: str) -> str:
        parser = argparse.ArgumentParser()
        controls.add_arguments(parser)
        assert controls.run(parser.parse_args(list(argv))) == 0
        return capsys.readouterr().out

    return call


class TestFormats:
    @pytest.mark.parametrize("view", VIEWS)
    @pytest.mark.parametrize("form", FORMATS)
    def test_each_view_in_each_format(self, show: Show, view: str, form: str) -> None:
        text = show(*VIEWS[view], "--format", form)
        assert text.endswith("\n") and not text.endswith("\n\n")
        assert text == show(*VIEWS[view], "--format", form)
        if form == "csv":
            rows = list(csv.reader(io.StringIO(text)))
            assert len({len(row) for row in rows}) == 1 and len(rows) > 1
        elif form == "json":
            document = json.loads(text)
            assert document["schema"] == "keyrules-controls/1" and document["rows"]
            assert document["pack_sha256"] == load_pack().stamp.sha256
        elif form == "markdown":
            table = [line for line in text.splitlines() if line.startswith("|")]
            assert len({line.count("|") for line in table}) == 1
        else:
            assert all(line == line.rstrip() for line in text.splitlines())


class TestViews:
    def test_the_list_names_every_framework(self, show: Show) -> None:
        text = show()
        for edition in load_frameworks(load_pack()).editions:
            assert f"\n{edition.key} " in text

    def test_an_edition_says_what_it_no_longer_has(self, show: Show) -> None:
        rows = list(csv.DictReader(io.StringIO(show("cis_aws_7.0.0", "--format", "csv"))))
        removed = [row for row in rows if row["relation"] == "removed"]
        assert [(row["rule"], row["control"]) for row in removed] == [("KEY_AWS_004", ""), ("KEY_AWS_003", "")]
        assert removed[1]["why"].startswith("It was 2.12 in cis_aws_6.0.0.")

    def test_an_edition_says_which_controls_stay_open_and_why(self, show: Show) -> None:
        notes = json.loads(show("cis_aws_3.0.0", "--format", "json"))["notes"]
        assert notes[0].startswith("cis_aws_3.0.0 is superseded by cis_aws_4.0.1")
        found = {note.split()[1]: note for note in notes if note.startswith("Open: ")}
        edition = load_frameworks(load_pack()).edition("cis_aws_3.0.0")
        open_ones = {each for each in edition.controls if coverage(edition.rows_of(each)) is not Coverage.FULL}
        assert set(found) == open_ones and {"1.1", "1.7", "1.20"} <= open_ones
        assert found["1.20"].endswith("No rule looks at IAM Access Analyzer.")
        assert "1.7 The root user is not used for everyday work (KEY_AWS_015 is evidence): The report" in found["1.7"]

    def test_an_edition_says_what_it_forbids_and_how_it_stands(self, show: Show) -> None:
        text = " ".join(show("fedramp_r5_low").split())
        assert "KEY_AWS_017 never runs, because IA-5(1) forbids what it demands: FedRAMP forbids" in text
        assert "Open: AC-2 " not in text, "a framework about organizations has nothing but evidence"
        assert "was withdrawn on 2024-05-14" in " ".join(show("nist_800_171_r2:3.5.6").split())
        status = {row["framework"]: row["status"] for row in csv.DictReader(io.StringIO(show("--format", "csv")))}
        assert (status["cis_aws_6.0.0"], status["cis_aws_7.0.0"]) == ("superseded", "current")

    def test_an_alias_shows_the_edition_behind_it(self, show: Show) -> None:
        assert show("cis_aws_latest:2.12") == show("cis_aws_7.0.0:2.12")

    def test_a_control_gives_its_reasons_and_sources(self, show: Show) -> None:
        text = show("cis_aws_3.0.0:1.12")
        assert "Decided by the rules: the whole control." in text
        assert "KEY_AWS_013: Decides the passwords" in text
        assert "https://github.com/prowler-cloud/prowler/tree/3e000faa" in text
        assert "a part of the control" in show("cis_aws_3.0.0:1.11")

    def test_a_rule_across_editions(self, show: Show) -> None:
        rows = list(csv.DictReader(io.StringIO(show("--rule", "KEY_AWS_003", "--format", "csv"))))
        found = {row["framework"]: (row["control"], row["relation"]) for row in rows}
        assert found["cis_aws_5.0.0"] == ("1.12", "implements")
        assert found["cis_aws_7.0.0"] == ("", "removed")
        assert "cis_aws_1.2.0" not in found

    def test_a_rule_without_a_control_says_why(self, show: Show) -> None:
        assert "NIST: No NIST control forbids long-lived keys" in show("--rule", "KEY_AWS_007")

    def test_what_moved(self, show: Show) -> None:
        rows = json.loads(show("--diff", "cis_aws_1.2.0", "cis_aws_4.0.1", "--format", "json"))["rows"]
        by_title = {row["title"]: row for row in rows}
        idle = by_title["Credentials that nobody uses are disabled"]
        assert (idle["cis_aws_1.2.0"], idle["cis_aws_4.0.1"]) == ("1.3", "1.12")
        assert idle["change"] == "moved and changed"
        assert idle["bound"] == "max_idle_days<=90 → max_idle_days<=45"
        assert by_title["A user has at most one active access key"]["change"] == "added"
        assert by_title["The password policy lets passwords expire"]["change"] == "removed"
        same = json.loads(show("--diff", "cis_aws_3.0.0", "cis_aws_3.0.0", "--format", "json"))
        assert {row["change"] for row in same["rows"]} == {"unchanged"}

    def test_the_matrix_holds_ids_where_there_is_room(self, show: Show) -> None:
        rows = {row["framework"]: row for row in csv.DictReader(io.StringIO(show("--matrix", "--format", "csv")))}
        assert rows["cis_aws_3.0.0"]["KEY_AWS_012"] == "1.10"
        assert rows["cis_aws_3.0.0"]["KEY_AWS_014"] == "1.5"
        assert rows["source_pages"]["KEY_AWS_002"] == "CIS 1.14 audit; Disable unused user credentials"
        assert rows["cis_aws_7.0.0"]["KEY_AWS_003"] == ""
        line = next(line for line in show("--matrix").splitlines() if line.startswith("cis_aws_3.0.0"))
        assert line.split()[1:10] == ["I", "P", "I", "P", "I", "I", "P", "I", "s"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("argv", "expected"),
        [
            (["cis_aws_3"], "did you mean cis_aws_3.0.0"),
            (["cis_aws_3.0.0:1.99"], "has no control '1.99'"),
            (["--rule", "key_aws_001"], "did you mean KEY_AWS_001"),
            (["--diff", "cis_aws_3.0.0", "nist_csf_2.0"], "different frameworks"),
            (["cis_aws_3.0.0", "--matrix"], "FRAMEWORK and --matrix are different views"),
            (["--format", "xml"], "use one of text, csv, json, markdown"),
        ],
    )
    def test_one_sentence(self, show: Show, argv: list[str], expected: str) -> None:
        with pytest.raises(UsageError) as caught:
            show(*argv)
        assert expected in str(caught.value) and "\n" not in str(caught.value)
