"""What each rule ran with stands in every report that has a place for it, whether or not the rule found anything."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from credential_reports import ROOT, key, line, report
from evaluations import PARAMETERS, every_kind_of_code_result, every_kind_of_live_result, json_document, make_evaluation
from scanning import AS_OF, write

from keyrules.cli import main
from keyrules.model import Plane
from keyrules.records import replace
from keyrules.reports.parameters import looser_than, parameter_line, provenance
from keyrules.reports.report_formats import FORMATS, formats_of
from keyrules.reports.text_style import ReportOptions

RESULTS = {
    Plane.CODE: replace(every_kind_of_code_result(), parameters=PARAMETERS),
    Plane.LIVE: replace(every_kind_of_live_result(), parameters=PARAMETERS),
}
PASSING = report(line(ROOT, mfa_active="true"), line("ann", **key(1, 91, used=1)))
ELSEWHERE = {"oscal", "patch"}
"""OSCAL has tests of its own, and a patch is no report."""
NO_PLACE_WITHOUT_FINDINGS = {"gitlab-codequality", "asff", "ocsf", "oscal"}


@pytest.mark.parametrize(
    ("plane", "form"), [(plane, form) for plane in Plane for form in formats_of(plane) if form not in ELSEWHERE]
)
def test_every_format_names_the_value_and_who_set_it(plane: Plane, form: str) -> None:
    text = "".join(FORMATS[form].render(RESULTS[plane], ReportOptions()))
    flat = " ".join(text.split())
    assert "3650" in flat and "command line" in flat
    assert "180" in flat and "The partner takes new keys twice a year" in flat
    assert "\x1b" not in text
    without = replace(RESULTS[plane], parameters=())
    assert "3650" not in "".join(FORMATS[form].render(without, ReportOptions()))


@pytest.mark.parametrize("form", [form for form in formats_of(Plane.LIVE) if form not in NO_PLACE_WITHOUT_FINDINGS])
@pytest.mark.parametrize("framework", [(), ("--control", "cis_aws_3.0.0:1.14")])
def test_a_threshold_of_the_command_line_leaves_a_trace_where_everything_passes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    form: str,
    framework: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.csv").write_bytes(PASSING)
    asked = ("--set", "KEY_AWS_001.max_age_days=3650", *framework)
    assert main(["audit", "report.csv", "--as-of", AS_OF, "--format", form, *asked]) == 0
    out = " ".join(capfd.readouterr().out.split())
    assert "3650" in out and "command line" in out
    if framework:
        assert "max_age_days<=90" in out or "max_age_days&lt;=90" in out or '"bound": "max_age_days<=90"' in out


def test_the_code_plane_says_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'})
    main(["scan", ".", "--rule", "KEY_AWS_003", "--set", "KEY_AWS_003.overlap_days=7"])
    assert "KEY_AWS_003.overlap_days=7 (command line, default 0)" in " ".join(capfd.readouterr().out.split())


def test_the_words() -> None:
    loose, override, default = PARAMETERS
    assert provenance(loose) == "command line, default 90, looser than max_age_days<=90 of f_1 1.10"
    assert provenance(default) == "default"
    assert provenance(override).startswith(".keyrules.yaml:4, override 1, default 90, for svc-*")
    assert parameter_line(PARAMETERS).endswith("; at their defaults KEY_AWS_001.slots=1,2")
    assert parameter_line(()) == ""
    many = replace(loose, looser_than=loose.looser_than * 5)
    assert looser_than(many).endswith(" and of 2 more controls")
    framework = replace(default, origin="framework", place="cis_aws_3.0.0")
    assert provenance(framework) == "framework cis_aws_3.0.0"


def test_json_has_them_for_machines() -> None:
    loose, override, default = json_document(RESULTS[Plane.LIVE])["parameters"]
    assert loose["looser_than"] == [{"framework": "f_1", "control": "1.10", "bound": "max_age_days<=90"}]
    assert (loose["value"], loose["unit"], loose["default"], loose["origin"]) == (3650, "days", 90, "command line")
    assert loose["override"] is None and override["override"]["owner"] == "=owner@example.com"
    assert default["value"] == [1, 2]


def test_csv_has_a_row_for_each_that_no_spreadsheet_runs() -> None:
    text = "".join(FORMATS["csv"].render(RESULTS[Plane.LIVE], ReportOptions()))
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["status"] == "PARAMETER"]
    assert [row["rule"] for row in rows] == ["KEY_AWS_001"] * 3
    assert rows[0]["message"].startswith("max_age_days=3650 (command line, default 90")


def test_sarif_and_ocsf_have_those_of_the_rule_only() -> None:
    sarif = json.loads("".join(FORMATS["sarif"].render(RESULTS[Plane.LIVE], ReportOptions())))
    rules = {rule["id"]: rule["properties"]["parameters"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]}
    assert [len(own) for own in rules.values()] == [3, 0, 0, 0]
    events = json.loads("".join(FORMATS["ocsf"].render(RESULTS[Plane.LIVE], ReportOptions())))
    assert [len(event["unmapped"].get("parameters", ())) for event in events if event["status_code"] == "FAIL"] == [3]


def test_text_says_nothing_where_no_rule_has_any() -> None:
    text = "".join(FORMATS["text"].render(make_evaluation(plane=Plane.LIVE), ReportOptions()))
    assert "Parameters" not in text and "\n\n\n" not in text
