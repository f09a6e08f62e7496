"""Exceptions as a user meets them: `keyrules scan` and `keyrules audit` with an exceptions file beside them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from credential_reports import ACCOUNT, ROOT, audit, key, line, report
from scanning import FIXTURES, write

from keyrules import cli
from keyrules.cli import main
from keyrules.exceptions_file import Entry
from keyrules.exceptions_match import ExceptionUse
from keyrules.model import Counts, Exemption, Plane, Status

AS_OF = "2026-06-01T00:00:00Z"
REPORT = "report.csv"
CODE, LIVE = "code", "live"
UNDECIDED = """\
variable "days" {}

resource "time_rotating" "x" {
  rotation_days = var.days
}

resource "terraform_data" "x" {
  triggers_replace = time_rotating.x.id
}

resource "aws_iam_access_key" "open" {
  user    = "open"
  pgp_key = "keybase:somebody"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.x]
  }
}
"""


def entry(rule: int, subject: str, expires: str = "2026-08-30", **more: str) -> str:
    keys = {"reason": "The appliance is replaced in May", "owner": "storage@example.com", "expires": expires, **more}
    head = f"  - rule: KEY_AWS_{rule:03d}\n    subject: '{subject}'\n"
    return head + "".join(f"    {name}: {value}\n" for name, value in keys.items())


def exceptions(*entries: str) -> str:
    return "exceptions:\n" + "".join(entries) if entries else "exceptions: []\n"


def use_exceptions(*entries: str, name: str = ".keyrules-exceptions.yaml") -> None:
    Path(name).write_text(exceptions(*entries), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the examples of both planes."""
    shutil.copytree(FIXTURES / "example", tmp_path / "infra")
    shutil.copy(FIXTURES / "example_report" / REPORT, tmp_path / REPORT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "current_time", lambda: datetime(2026, 6, 1, tzinfo=timezone.utc))
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], *arguments: str, as_of: str = AS_OF) -> tuple[int, str, str]:
    code = main([arguments[0], "--as-of", as_of, *arguments[1:]])
    out, err = capfd.readouterr()
    return code, out, err


def run_json(capfd: pytest.CaptureFixture[str], *arguments: str, as_of: str = AS_OF) -> tuple[int, Mapping[str, Any]]:
    code, out, _ = run(capfd, *arguments, "--format", "json", as_of=as_of)
    return code, json.loads(out)


def test_a_scan_exempts_warns_and_counts(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(
        entry(1, "aws_iam_access_key.deploy", ticket="OPS-1234"),
        entry(8, "infra/*.tf", "2026-05-31"),
        entry(3, "aws_iam_access_key.gone"),
        entry(3, "123456789012/ci-deploy"),
        entry(1, "../elsewhere/main.tf"),
    )
    code, result = run_json(capfd, "scan", "--strict-exceptions")
    assert code == 2
    found = {finding["rule"]: finding for finding in result["findings"]}
    assert {rule: finding["status"] for rule, finding in found.items()} == {
        "KEY_AWS_001": "EXEMPT",
        "KEY_AWS_008": "FAIL",
        "KEY_AWS_010": "FAIL",
    }
    assert found["KEY_AWS_001"]["exception"] == {
        "rule": "KEY_AWS_001",
        "subject": "aws_iam_access_key.deploy",
        "reason": "The appliance is replaced in May",
        "owner": "storage@example.com",
        "expires": "2026-08-30",
        "ticket": "OPS-1234",
        "place": ".keyrules-exceptions.yaml:2",
    }
    assert "exception" not in found["KEY_AWS_008"]
    assert result["summary"] == {"evaluated": 8, "pass": 5, "fail": 2, "exempt": 1, "unknown": 0}
    prefix = ".keyrules-exceptions.yaml:{}: the exception of storage@example.com for {} on {} "
    assert result["warnings"] == [
        prefix.format(8, "KEY_AWS_008", "infra/*.tf")
        + "has been expired since 2026-06-01, so its finding is no longer exempt.",
        prefix.format(13, "KEY_AWS_003", "aws_iam_access_key.gone")
        + "matches no finding; remove it, or correct its subject.",
    ]


def test_everything_exempt_is_clean_and_every_format_shows_the_exception(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"infra/open/main.tf": UNDECIDED})
    use_exceptions(
        *(entry(rule, "infra/deploy.tf", ticket="OPS-1234") for rule in (1, 8, 10)),
        entry(1, "aws_iam_access_key.open"),
    )
    formats = ("json", "csv", "html", "sarif", "oscal")
    options = [word for name in formats for word in ("--format", f"{name}=out.{name}")]
    code, out, _ = run(capfd, "scan", "infra", "--strict-exceptions", *options)
    assert code == 0
    assert "4 exempt" in out and "Warning" not in out
    statuses = [finding["status"] for finding in json.loads(Path("out.json").read_text())["findings"]]
    assert statuses == ["EXEMPT"] * 4
    for name in formats:
        shown = Path(f"out.{name}").read_text(encoding="utf-8")
        for part in ("The appliance is replaced in May", "storage@example.com", "2026-08-30", "OPS-1234"):
            assert part in shown, (name, part)


GONE = (
    ".keyrules-exceptions.yaml:2: the exception of storage@example.com for KEY_AWS_001 on aws_iam_access_key.gone "
    "matches no finding; remove it, or correct its subject."
)


def test_a_partial_scan_says_nothing_of_addresses_elsewhere(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(folder, {"other/main.tf": "# nothing\n"})
    use_exceptions(
        *(entry(rule, "aws_iam_access_key.deploy") for rule in (1, 8)),
        entry(10, "aws_lambda_function.worker"),
    )
    for arguments in (("other",), (".", "--exclude", "infra"), (".",), ("other", "infra")):
        code, result = run_json(capfd, "scan", *arguments, "--strict-exceptions")
        assert (code, result["warnings"]) == (0, []), arguments
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    assert run(capfd, "scan", "other", "--strict-exceptions")[0] == 0
    assert run(capfd, "scan", "--exclude", "infra", "--strict-exceptions")[0] == 0
    assert run(capfd, "scan", "--strict-exceptions")[0] == 2


def test_what_no_run_looks_at_needs_no_exception(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(folder, {".keyrules.yaml": "exclude: [infra]\n"})
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    code, result = run_json(capfd, "scan", "--strict-exceptions")
    assert (code, result["warnings"]) == (2, [GONE])


def test_a_scan_below_the_file_uses_its_paths(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {".keyrules.yaml": "strict_exceptions: on\n", "deploy.tf": "# of the same name\n"})
    use_exceptions(entry(1, "infra/deploy.tf"), entry(8, "infra/*.tf:aws_*.deploy"), entry(10, "deploy.tf"))
    monkeypatch.chdir("infra")
    code, result = run_json(capfd, "scan")
    found = {finding["rule"]: (finding["status"], finding["location"]["path"]) for finding in result["findings"]}
    assert found == {
        "KEY_AWS_001": ("EXEMPT", "deploy.tf"),
        "KEY_AWS_008": ("EXEMPT", "deploy.tf"),
        "KEY_AWS_010": ("FAIL", "deploy.tf"),
    }
    assert (code, result["warnings"]) == (1, [])


@pytest.mark.parametrize("option", [("--quiet",), ("--format", "json"), ("--format", "json=out.json")])
def test_strictness_says_why_it_decides(
    folder: Path, capfd: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    shutil.rmtree(folder / "infra")
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    code, _, err = run(capfd, "scan", "--strict-exceptions", *option)
    assert (code, err) == (2, f"keyrules: --strict-exceptions gives exit code 2 for 1 exception; {GONE}\n")
    use_exceptions(entry(1, "aws_iam_access_key.gone"), entry(8, "b.tf"), entry(8, "c.tf"))
    write(folder, {".keyrules.yaml": "strict_exceptions: on\n"})
    code, _, err = run(capfd, "scan", *option)
    sentence = f".keyrules.yaml:1: `strict_exceptions` gives exit code 2 for 3 exceptions; the first: {GONE}"
    assert (code, err) == (2, f"keyrules: {sentence}\n")


def test_strictness_says_nothing_where_it_decides_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, "old-backup", "2026-05-31"))
    assert run(capfd, "audit", REPORT, "--format", "json")[::2] == (1, "")
    code, _, err = run(capfd, "audit", REPORT, "--strict-exceptions", "--quiet", "--counts-only")
    assert code == 2
    assert err.startswith(
        "keyrules: --strict-exceptions gives exit code 2 for 1 exception; .keyrules-exceptions.yaml:2: "
    )
    Path("broken.csv").write_text("not a report")
    assert run(capfd, "audit", REPORT, "broken.csv", "--strict-exceptions")[::2] == (3, "")


@pytest.mark.parametrize("framework", [(), ("--framework", "cis_aws_3.0.0")])
@pytest.mark.parametrize("command", [("scan",), ("audit", REPORT)])
def test_a_quiet_run_explains_findings_that_are_back(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...], framework: tuple[str, ...]
) -> None:
    subject, other = ("aws_iam_access_key.deploy", CODE) if command[0] == "scan" else ("old-backup", LIVE)
    use_exceptions(entry(1, subject, "2026-05-31"), entry(1, "nobody", plane=other))
    code, out, _ = run(capfd, *command, *framework, "--quiet")
    assert code == 1
    shown = " ".join(out.split())
    assert (
        f"Warning: .keyrules-exceptions.yaml:2: the exception of storage@example.com for KEY_AWS_001 on {subject}"
        in shown
    )
    assert shown.count("no longer exempt") == 1
    assert "matches no finding" not in shown
    assert "matches no finding" in " ".join(run(capfd, *command, *framework)[1].split())
    code, out, _ = run(capfd, *command, *framework, "--quiet", "--strict-exceptions")
    assert code == 2
    assert "matches no finding" in " ".join(out.split())


@pytest.mark.parametrize("command", [("scan",), ("audit", REPORT)])
def test_a_finding_of_the_baseline_whose_exception_ended_counts_no_more_than_before(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert run(capfd, *command, "--write-baseline", "baseline.json")[0] == 0
    use_exceptions(entry(1, "aws_iam_access_key.deploy" if command[0] == "scan" else "old-backup", "2026-05-31"))
    code, result = run_json(capfd, *command, "--baseline", "baseline.json")
    assert code == 0
    (warning,) = result["warnings"]
    assert warning.endswith("has been expired since 2026-06-01, so its finding is no longer exempt.")


@pytest.mark.parametrize("command", [("scan",), ("audit", REPORT)])
def test_how_far_away_an_end_may_be_counts_from_today(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    use_exceptions(entry(1, "ci-*", "2027-06-01"))
    # The report was not yet made in 2024, which is another matter.
    for as_of in ("2024-01-01", AS_OF, "2027-06-02"):
        assert "`expires`" not in run(capfd, *command, as_of=as_of)[2]
    use_exceptions(entry(1, "ci-*", "2027-06-02"))
    for as_of in ("2024-01-01", AS_OF, "2027-06-02"):
        code, out, err = run(capfd, *command, as_of=as_of)
        assert (code, out) == (2, "")
        assert "`expires` is 2027-06-02, 366 days away; allowed: at most 365 days, until 2027-06-01" in err


def test_a_single_file_says_nothing_of_other_subjects(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, "aws_iam_access_key.deploy"), entry(3, "aws_iam_access_key.gone"))
    code, result = run_json(capfd, "scan", "infra/deploy.tf", "--strict-exceptions")
    assert (code, result["warnings"], result["summary"]["exempt"]) == (1, [], 1)


def test_what_cannot_be_read_is_never_exempt_and_comes_before_strictness(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"infra/deploy.tf": 'resource "aws_iam_access_key" "deploy" {\n  user = \n'})
    use_exceptions(
        entry(1, "infra/deploy.tf", "2026-05-31"),
        *(entry(rule, "infra/deploy.tf") for rule in (3, 8)),
        entry(3, "aws_iam_access_key.gone"),
    )
    code, result = run_json(capfd, "scan", "infra", "--strict-exceptions")
    assert code == 3
    assert result["errors"]
    assert len(result["warnings"]) == 1 and "has been expired since" in result["warnings"][0]


def test_a_folder_with_nothing_to_evaluate_still_has_its_exceptions_checked(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder / "infra")
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    assert run(capfd, "scan")[0] == 0
    assert run(capfd, "scan", "--strict-exceptions")[0] == 2
    use_exceptions(entry(1, "aws_iam_access_key.gone"), entry(99, "x"))
    code, out, err = run(capfd, "scan")
    assert (code, out) == (2, "")
    assert err == (
        "keyrules: .keyrules-exceptions.yaml, line 7, entry 2: `rule`: There is no rule 'KEY_AWS_099'; did you mean "
        "KEY_AWS_009? `keyrules rules` lists them all.\n"
    )


@pytest.mark.parametrize("command", [("scan", "infra"), ("audit", REPORT), ("exceptions",)])
def test_a_wrong_file_writes_nothing(folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    for name, text, sentence in (
        (".keyrules-exceptions.yaml", exceptions(entry(1, "*")), "wildcards only"),
        ("other.yaml", exceptions(entry(1, "x"), entry(1, "x", "2026-07-01")), "contradicts entry 1"),
        ("missing.yaml", "", "missing.yaml does not exist; name a file of exceptions"),
    ):
        if text:
            Path(name).write_text(text)
        option = () if name.startswith(".") else ("--exceptions", name)
        report_file = ("--format", "json=out.json") if command[0] != "exceptions" else ()
        code, out, err = run(capfd, *command, *option, *report_file)
        assert (code, out) == (2, "")
        assert sentence in err and err.count("\n") == 1
        assert not Path("out.json").exists()


def test_a_default_file_that_leads_nowhere_is_not_no_exceptions(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path(".keyrules-exceptions.yaml").symlink_to("gone.yaml")
    code, _, err = run(capfd, "audit", REPORT)
    assert code == 2
    assert ".keyrules-exceptions.yaml cannot be read: No such file or directory" in err


# The example report has six failures: KEY_AWS_001 on ci-deploy and old-backup, 002 on old-backup, 003 on ci-deploy,
# 006 on kim and 012 on jane.
EVERY_FAILURE = [(1, "ci-deploy"), (1, "old-backup"), (2, "old-backup"), (3, "ci-deploy"), (6, "kim"), (12, "jane")]


@pytest.mark.parametrize(
    "subject",
    [
        "old-backup",
        "123456789012/old-backup",
        "old-backup/access_key_1",
        "123456789012/old-backup/access_key_1",
        "arn:aws:iam::123456789012:user/old-backup",
        "old-*",
        "arn:*/old-backup",
        "*backup",
        "123456789012/old-*",
    ],
)
def test_an_audit_exempts_by_every_name(folder: Path, capfd: pytest.CaptureFixture[str], subject: str) -> None:
    use_exceptions(entry(1, subject))
    code, result = run_json(capfd, "audit", REPORT, "--strict-exceptions")
    assert code == 1
    assert result["summary"] == {"evaluated": 21, "pass": 15, "fail": 5, "exempt": 1, "unknown": 0}
    (exempt,) = [finding for finding in result["findings"] if finding["status"] == "EXEMPT"]
    assert (exempt["rule"], exempt["subject"]["user"]) == ("KEY_AWS_001", "old-backup")
    assert exempt["exception"]["subject"] == subject


def test_an_account_is_a_subject(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, ACCOUNT))
    _, result = run_json(capfd, "audit", REPORT)
    assert (result["summary"]["exempt"], result["summary"]["fail"]) == (2, 4)


def test_an_audit_with_every_failure_exempt_is_clean(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(*(entry(rule, user) for rule, user in EVERY_FAILURE))
    code, out, _ = run(capfd, "audit", REPORT, "--strict-exceptions")
    assert code == 0
    assert "21 evaluated: 0 failed, 15 passed, 6 exempt" in out
    assert "The appliance is replaced in May (exception of storage@example.com until 2026-08-30)" in " ".join(
        out.split()
    )


@pytest.mark.parametrize(
    ("as_of", "exempt", "warns"),
    [
        ("2026-08-29T00:00:00Z", True, False),
        ("2026-08-30T00:00:00Z", True, False),
        ("2026-08-30T23:59:59Z", True, False),
        ("2026-08-31T01:59:59+02:00", True, False),
        ("2026-08-31T00:00:00Z", False, True),
        ("2026-08-30T23:30:00-01:00", False, True),
    ],
)
def test_an_exception_holds_through_its_last_day_in_utc(
    folder: Path, capfd: pytest.CaptureFixture[str], as_of: str, exempt: bool, warns: bool
) -> None:
    use_exceptions(entry(1, "old-backup"))
    _, result = run_json(capfd, "audit", REPORT, "--rule", "KEY_AWS_001", as_of=as_of)
    assert (result["summary"]["exempt"] == 1) is exempt
    assert (
        any("has been expired since 2026-08-31, so its finding is no longer exempt" in w for w in result["warnings"])
        is warns
    )


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ((), 1),
        ((entry(1, "old-backup"),), 1),
        ((entry(1, "old-backup", "2026-05-31"),), 2),
        ((entry(1, "nobody", plane="live"),), 2),
        ((entry(1, "nobody", "2026-05-31", plane="live"),), 2),
        ((entry(1, "nobody"),), 2),
        ((entry(1, "nobody", plane="code"),), 1),
        ((entry(1, "aws_iam_access_key.ci"),), 1),
        ((entry(8, "nobody"),), 1),
        ((entry(7, "nobody", plane="live"),), 1),
        ((entry(1, "999999999999/nobody"),), 1),
    ],
)
def test_strict_exceptions(
    folder: Path, capfd: pytest.CaptureFixture[str], entries: tuple[str, ...], code: int
) -> None:
    use_exceptions(*entries)
    assert run(capfd, "audit", REPORT, "--strict-exceptions", "--format", "json=out.json")[0] == code
    written = json.loads(Path("out.json").read_text())
    assert bool(written["warnings"]) is (code == 2)
    assert run(capfd, "audit", REPORT, "--strict-exceptions", "--counts-only")[0] == code
    assert run(capfd, "audit", REPORT)[0] == 1


def test_an_audit_that_is_not_complete_says_so_and_not_that_nothing_matches(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    use_exceptions(entry(1, "nobody", plane="live"))
    Path("broken.csv").write_text("not a report")
    code, result = run_json(capfd, "audit", REPORT, "broken.csv", "--strict-exceptions")
    assert (code, result["warnings"]) == (3, [])


ROWS = [
    line(ROOT, mfa_active="true"),
    line("ann", **key(1, 500, used=1), **key(2, 400, used=200)),
    line("bob", **key(1, 500, used=1)),
    line("cid", password_enabled="true"),
]


@pytest.mark.parametrize("subject", ["ann", "a*", "ann/access_key_2", "*/access_key_1", ACCOUNT, "arn:*", "nobody"])
@pytest.mark.parametrize("expires", [date(2026, 6, 1), date(2026, 5, 31)])
def test_counts_are_the_same_with_and_without_findings(subject: str, expires: date) -> None:
    def evaluate(keep: bool) -> tuple[Mapping[str, Counts], tuple[str, ...], Counts]:
        entries = [
            Entry(Exemption(f"KEY_AWS_{n:03d}", subject, "r", "o", expires, "f:1"), subject, None, n, 1)
            for n in (1, 2, 3, 12)
        ]
        request = {"exceptions": ExceptionUse(entries, Plane.LIVE), "keep_findings": keep, "keep_passing": False}
        result = audit(report(*ROWS), request=request)
        if keep:
            by_status = Counter(finding.status for finding in result.evaluation.findings)
            counts = result.evaluation.counts
            assert by_status == +Counter(
                {Status.FAIL: counts.failed, Status.EXEMPT: counts.exempt, Status.UNKNOWN: counts.unknown}
            )
        return result.counts_by_rule, result.evaluation.warnings, result.evaluation.counts

    assert evaluate(keep=True) == evaluate(keep=False)


def test_counting_exempts_at_all() -> None:
    entries = [Entry(Exemption("KEY_AWS_001", "a*", "r", "o", date(2026, 6, 1), "f:1"), "a*", None, 1, 1)]
    request = {"exceptions": ExceptionUse(entries, Plane.LIVE), "keep_findings": False}
    counted = audit(report(*ROWS), 1, request=request).evaluation
    assert counted.counts == Counts(failed=1, exempt=2)
    assert counted.population["access_keys"] == 3


def test_controls_count_exceptions(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Jane is the only console user: with her exempt nothing shows that the control is met, and nothing fails it."""
    use_exceptions(entry(12, "jane"))
    _, result = run_json(capfd, "audit", REPORT, "--framework", "cis_aws_3.0.0")
    control = next(item for item in result["controls"] if item["control"] == "1.10")
    assert (control["verdict"], control["exceptions"]) == ("partly assessed", 1)


def test_the_configuration_names_the_file_and_its_strictness(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, "old-backup", "2026-06-11"), entry(1, "nobody", plane="live"), name="agreed.yaml")
    write(folder, {".keyrules.yaml": "exceptions: agreed.yaml\nstrict_exceptions: true\n"})
    code, result = run_json(capfd, "audit", REPORT)
    assert (code, result["summary"]["exempt"]) == (2, 1)
    write(folder, {".keyrules.yaml": "exceptions: agreed.yaml\nmax_exception_days: 9\n"})
    code, _, err = run(capfd, "audit", REPORT)
    assert code == 2
    assert "`expires` is 2026-06-11, 10 days away; allowed: at most 9 days, until 2026-06-10" in err


def test_a_secret_in_an_entry_goes_nowhere(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    canaries = [make_canary(f"entry {name}") for name in ("reason", "owner", "ticket", "subject")]
    reason, owner, ticket, subject = (canary.secret for canary in canaries)
    use_exceptions(
        entry(1, "old-backup", reason=f"secret is {reason}", owner=owner, ticket=ticket),
        entry(2, f"old-*{subject}", plane="live"),
        entry(3, "ci-deploy", "2026-05-31", owner=owner),
    )
    formats = ("json", "csv", "html", "sarif", "oscal")
    options = [word for name in formats for word in ("--format", f"{name}=out.{name}")]
    outputs = list(run(capfd, "audit", REPORT, *options)[1:])
    outputs += run(capfd, "exceptions", "--report", REPORT)[1:]
    outputs += run(capfd, "exceptions", "--format", "json")[1:]
    outputs += [Path(f"out.{name}").read_text(encoding="utf-8") for name in formats]
    assert "[redacted]" in outputs[0]
    assert_no_leak([(str(number), text) for number, text in enumerate(outputs)], canaries)


def test_the_same_bytes_again(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, "old-*"), entry(1, "*-backup"), entry(3, "nobody", plane="live"))
    first, second = (run(capfd, "audit", REPORT, "--format", "json") for _ in range(2))
    assert first == second
