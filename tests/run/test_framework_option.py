"""`--framework` and `--control` on both planes: selection, every format, refusals, the same bytes again, no secret."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from account_folders import passing_documents, write_account
from canaries import assert_no_leak, make_canary
from credential_reports import ROOT, ago, key, line, report
from evaluations import (
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    live_finding,
    make_evaluation,
)
from scanning import AS_OF, write

from keyrules.cli import main
from keyrules.live.age_buckets import AgeBuckets
from keyrules.live.instants import from_datetime
from keyrules.model import (
    BaselineReport,
    ConfigurationUse,
    ControlResult,
    Counts,
    Evaluation,
    FrameworkReport,
    KnownFinding,
    Outcome,
    Plane,
    RulePart,
)
from keyrules.reports import control_csv, control_text
from keyrules.reports.report_formats import FORMATS
from keyrules.reports.text_style import ReportOptions

FORMULA = "=cmd|' /C calc'!A0"
CANARY = make_canary("framework")
EVERY = ("text", "json", "csv", "html", "oscal", "sarif")
ROOT_ROW = line(ROOT, mfa_active="true")
STALE = report(ROOT_ROW, line("ann", **key(1, 91, used=1)), line("bob", **key(1, 10, used=1)))
LEAKY = f'''\
resource "aws_iam_access_key" "k" {{
  user = "svc"
}}
provider "aws" {{
  access_key = "{CANARY.key_id}"
  secret_key = "{CANARY.secret}"
}}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_account(tmp_path, passing_documents(STALE), STALE)


def run(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capfd.readouterr()
    return code, out, err


def audit(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    documents = sorted(path.name for path in Path().glob("*.json"))
    return run(capfd, "audit", "report.csv", *documents, "--as-of", AS_OF, *argv)


def verdicts(document: str) -> dict[str, str]:
    return {each["control"]: each["verdict"] for each in json.loads(document)["controls"]}


def test_controls_of_an_edition_on_the_live_plane(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = audit(capfd, "--framework", "cis_aws_3.0.0", "--format", "json")
    found = verdicts(out)
    assert code == 1
    assert found["1.14"] == "not satisfied"
    assert found["1.4"] == found["1.12"] == found["1.13"] == "satisfied"
    assert found["1.6"] == found["1.8"] == found["1.15"] == found["1.17"] == "satisfied"
    assert found["1.10"] == found["1.22"] == "not assessed"
    assert found["1.7"] == "evidence only, clean"
    document = json.loads(out)
    assert document["population"]["users"] == 2
    assert document["population"]["active_access_keys"] == 2
    assert list(found).index("1.2") < list(found).index("1.10")


def test_without_a_framework_json_is_as_it_was(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    document = json.loads(audit(capfd, "--format", "json")[1])
    assert not {"framework", "controls", "population"} & set(document)


def test_one_control(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = audit(capfd, "--control", "cis_aws_3.0.0:1.13", "--format", "json")
    assert code == 0
    assert verdicts(out) == {"1.13": "satisfied"}


def test_a_looser_limit_makes_the_control_partly_assessed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ("--control", "cis_aws_3.0.0:1.14", "--set", "KEY_AWS_001.max_age_days=120")
    code, out, _ = audit(capfd, *options)
    assert code == 0
    assert "PARTLY ASSESSED  1.14" in out
    assert "KEY_AWS_001.max_age_days=120 is looser than max_age_days<=90 of 1.14" in out


def test_an_account_without_a_root_row_is_not_satisfied_silently(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = line("eve", arn="arn:aws-cn:iam::999988887777:user/eve")
    (folder / "other.csv").write_bytes(report(other))
    argv = ("audit", "report.csv", "other.csv", "--as-of", AS_OF, "--control", "cis_aws_3.0.0:1.4", "--format", "json")
    out = run(capfd, *argv)[1]
    assert verdicts(out) == {"1.4": "partly assessed"}
    assert "999988887777" in json.loads(out)["controls"][0]["reason"]


def test_an_unreadable_row_leaves_nothing_satisfied(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "report.csv").write_bytes(STALE + b"\nshort,row")
    code, out, _ = audit(capfd, "--framework", "cis_aws_3.0.0", "--format", "json")
    assert code == 3
    assert "satisfied" not in verdicts(out).values()


def test_counts_only_has_verdicts(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = audit(capfd, "--framework", "cis_aws_3.0.0", "--counts-only")[1]
    assert "NOT SATISFIED  1.14" in out
    assert "1 more verdict of KEY_AWS_001 not listed" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--framework", "cis_aws_3.0.1"), "did you mean"),
        (("--control", "cis_aws_3.0.0"), "FRAMEWORK:ID"),
        (("--control", "cis_aws_3.0.0:9.9"), "no control '9.9'"),
        (("--control", "cis_aws_3.0.0:1.22"), "No rule evaluates"),
        (("--framework", "cis_aws_3.0.0", "--control", "cis_aws_3.0.0:1.14"), "not both"),
        (("--framework", "cis_aws_3.0.0", "--rule", "KEY_AWS_001"), "leave --rule out"),
        (("--control", "cis_aws_3.0.0:1.14", "--skip-rule", "KEY_AWS_001"), "leave --skip-rule out"),
    ],
)
def test_refusals(folder: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], words: str) -> None:
    code, out, err = audit(capfd, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1


def test_every_format_has_the_same_bytes_again_and_no_secret(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(folder, {"main.tf": LEAKY})
    outputs: list[tuple[str, bytes]] = []
    for number in "12":
        argv = [f"--format={name}={number}.{name}" for name in EVERY]
        assert run(capfd, "scan", "main.tf", "--as-of", AS_OF, "--framework", "nist_800_53_r5", *argv)[0] == 1
    for name in EVERY:
        first, second = ((folder / f"{number}.{name}").read_bytes() for number in "12")
        assert first == second, name
        outputs.append((name, first))
    assert_no_leak(outputs, [CANARY])
    found = verdicts(outputs[1][1].decode())
    assert found["IA-5(7)"] == "not satisfied"
    assert "satisfied" not in found.values(), "code alone never shows what an account holds"


def test_ids_come_back_from_csv(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = audit(capfd, "--framework", "cis_aws_3.0.0", "--format", "csv")[1]
    rows = list(csv.DictReader(io.StringIO(out)))
    heads = [row["control"] for row in rows if not row["rule"]]
    assert heads == list(verdicts(audit(capfd, "--framework", "cis_aws_3.0.0", "--format", "json")[1]))
    (stale,) = [row for row in rows if row["control"] == "1.14" and row["rule"]]
    assert (stale["verdict"], stale["status"], stale["bound"]) == ("not satisfied", "FAIL", "max_age_days<=90")


def framed(evaluation: Evaluation, title: str = "Rule 1 holds") -> Evaluation:
    from keyrules.records import replace

    part = RulePart("KEY_AWS_001", "implements", "", evaluation.counts)
    result = ControlResult("1.10", title, Outcome.NOT_SATISFIED, FORMULA, (part,), ("\x1b[31mrest",))
    return replace(evaluation, framework=FrameworkReport("f_1", "F 1", "https://f.example", (result,), ()))


def test_csv_runs_no_formula() -> None:
    finding = live_finding(message=FORMULA, exemption="+1")
    text = "".join(control_csv.render(framed(make_evaluation(finding, plane=Plane.LIVE), FORMULA), ReportOptions()))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert any(cell == f"'{FORMULA}" for cell in cells)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)


@pytest.mark.parametrize("case", [every_kind_of_code_result(), every_kind_of_live_result()], ids=["code", "live"])
def test_text_lists_each_status_and_obeys_no_escape(case: Evaluation) -> None:
    text = "".join(control_text.render(framed(case), ReportOptions()))
    assert "\x1b" not in text
    assert "NOT SATISFIED  1.10" in text
    assert "Could not be evaluated" in text
    assert text.splitlines()[-1].startswith("f_1, 1 control: 1 not satisfied; ")
    assert "LOW  KEY_AWS_001" in text
    errors = " ".join(text.split())
    for error in case.errors:
        assert (f"{error.input}: {error.message}" in errors) == (case.plane is Plane.CODE) and error.message in errors
    assert "".join(FORMATS["text"].render(framed(case), ReportOptions())) == text


def test_a_report_by_control_needs_a_framework() -> None:
    for writer in (control_text, control_csv):
        with pytest.raises(ValueError, match="framework"):
            "".join(writer.render(make_evaluation(), ReportOptions()))


def test_key_ages_split_exactly_at_the_limit() -> None:
    from credential_reports import AS_OF as NOW

    ages = AgeBuckets(90, NOW)
    for created in (ago(0), ago(15), ago(15.001), ago(90), ago(90, seconds=1), ago(360), ago(361), ago(-1)):
        ages.add(created.removesuffix("Z"))
    ages.add("")
    result = ages.result()
    assert result.counts[:2] == (2, 1)
    assert result.counts[5:7] == (1, 1)
    assert result.counts[-2:] == (1, 1)
    assert sum(result.counts[:6]) == 4
    assert result.undated == 2
    enormous = AgeBuckets(999_999_999, NOW)
    enormous.add(from_datetime(NOW))
    assert enormous.result().counts[0] == 1


class TestAddingUp:
    def test_controls_of_one_edition(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        asked = [f"--control=cis_aws_3.0.0:{control}" for control in ("1.14", "1.12", "1.14")]
        code, out, _ = audit(capfd, *asked, "--format", "json")
        document = json.loads(out)
        assert code == 1 and document["framework"]["key"] == "cis_aws_3.0.0"
        assert verdicts(out) == {"1.12": "satisfied", "1.14": "not satisfied"}
        assert not any("framework" in control for control in document["controls"])

    def test_a_framework_and_one_of_its_controls_again_is_the_framework(
        self, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        whole = audit(capfd, "--framework", "cis_aws_3.0.0", "--format", "json")
        assert audit(capfd, *("--framework", "cis_aws_3.0.0") * 2, "--format", "json") == whole

    @pytest.mark.parametrize("form", [form for form in FORMATS if FORMATS[form].live])
    def test_editions_in_every_format(self, folder: Path, capfd: pytest.CaptureFixture[str], form: str) -> None:
        asked = ("--framework", "cis_aws_3.0.0", "--framework", "cis_aws_1.5.0")
        code, out, err = audit(capfd, *asked, "--format", form)
        assert (code, err) == (1, "")
        if FORMATS[form].cites or FORMATS[form].controls or form in ("json", "html", "oscal"):
            assert "cis_aws_3.0.0" in out and "cis_aws_1.5.0" in out

    def test_editions_name_each_control_s_own(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        asked = ("--control", "cis_aws_3.0.0:1.14", "--control", "cis_aws_1.5.0:1.14")
        document = json.loads(audit(capfd, *asked, "--format", "json")[1])
        assert document["framework"]["key"] == "cis_aws_3.0.0, cis_aws_1.5.0"
        names = [(control["framework"], control["control"]) for control in document["controls"]]
        assert names == [("cis_aws_3.0.0", "1.14"), ("cis_aws_1.5.0", "1.14")]
        text = audit(capfd, *asked)[1]
        assert "cis_aws_3.0.0 1.14" in text and "listed under cis_aws_3.0.0 1.14" in text
        rows = list(csv.DictReader(io.StringIO(audit(capfd, *asked, "--format", "csv")[1])))
        assert {row["framework"] for row in rows if row["control"]} == {"cis_aws_3.0.0", "cis_aws_1.5.0"}
        findings = json.loads(audit(capfd, *asked, "--format", "oscal")[1])["assessment-results"]["results"][0][
            "findings"
        ]
        assert len({finding["uuid"] for finding in findings}) == len(findings) == 2

    def test_the_rules_and_the_tightest_limits_of_all_are_in_force(
        self, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def rules(*names: str) -> set[str]:
            asked = [word for name in names for word in ("--framework", name)]
            document = json.loads(run(capfd, "config", *asked, "--format", "json")[1])
            return {rule for rule, about in document["commands"]["audit"]["rules"].items() if about["runs"]}

        assert rules("cis_aws_3.0.0", "pci_dss_4.0.1") == rules("cis_aws_3.0.0") | rules("pci_dss_4.0.1")
        for names in (("cis_aws_1.2.0", "cis_aws_3.0.0"), ("cis_aws_3.0.0", "cis_aws_1.2.0")):
            asked = [word for name in names for word in ("--framework", name)]
            document = json.loads(run(capfd, "config", *asked, "--format", "json")[1])
            parameters = document["commands"]["audit"]["rules"]["KEY_AWS_002"]["parameters"]
            assert parameters["max_idle_days"]["value"] == 45
            assert parameters["max_idle_days"]["from"] == "framework cis_aws_3.0.0"
        found = audit(capfd, "--framework", "cis_aws_1.2.0", "--framework", "cis_aws_3.0.0", "--format", "json")[1]
        assert any(
            "KEY_AWS_002.max_idle_days=45 is stricter" in note for note in json.loads(found)["framework"]["notes"]
        )

    def test_each_has_to_exist(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        code, out, err = audit(capfd, "--framework", "cis_aws_3.0.0", "--framework", "nope")
        assert (code, out) == (2, "") and "nope" in err


def test_csv_by_control_leaves_nothing_out() -> None:
    """What the baseline knows, what was only counted, warnings and what a configuration did, as the CSV of findings."""
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    known = KnownFinding(code_finding(), moment)
    use = ConfigurationUse("team.yaml", by_itself=True, rules_off=("KEY_AWS_003",))
    evaluation = make_evaluation(
        baseline=BaselineReport("b.json", moment, (known,), ()),
        counts=Counts(failed=3),
        warnings=("An exception expired.",),
        configuration=use,
    )
    text = "".join(control_csv.render(framed(evaluation), ReportOptions()))
    rows = list(csv.DictReader(io.StringIO(text)))
    (listed,) = [row for row in rows if row["baseline"] == "known"]
    assert (listed["status"], listed["fingerprint"]) == ("FAIL", known.finding.fingerprint)
    assert [row["status"] for row in rows if not row["control"]] == ["NOT_LISTED", "WARNING", "CONFIGURATION"]
