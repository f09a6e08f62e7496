"""Exceptions on live accounts: every name of a subject, counts, expiry, and those that match nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from canaries import assert_no_leak, make_canary
from credential_reports import ACCOUNT, ROOT, audit, key, line, report
from exception_files import REPORT, entry, folder, run, run_json, use_exceptions
from scanning import write

from keyrules.model import Counts, Exemption, Plane, Status
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.match import ExceptionUse

__all__ = ["folder"]

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
    """Jane is the only console user: with her exempt nothing passes, nothing fails, and the control says both."""
    use_exceptions(entry(12, "jane"))
    _, result = run_json(capfd, "audit", REPORT, "--framework", "cis_aws_3.0.0")
    control = next(item for item in result["controls"] if item["control"] == "1.10")
    assert (control["verdict"], control["exceptions"]) == ("satisfied with exceptions", 1)
    assert control["reason"] == "No subject passes: all are exceptions (1)."


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
