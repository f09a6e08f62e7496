"""When a run may say that an exception matches nothing, and what it says."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from evaluations import code_finding, live_finding, make_evaluation, make_rule

from keyrules.model import (
    Counts,
    EvaluationError,
    Exemption,
    Input,
    Plane,
    ScanScope,
    Severity,
    Status,
)
from keyrules.records import replace
from keyrules.run.exceptions.apply import exempted
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.paths import Ground
from keyrules.run.exceptions.scope import (
    Scope,
    audit_scope,
    exception_warnings,
    expiry_warnings,
    planes_of,
    scan_scope,
    within_reach,
)

CODE, LIVE = Plane.CODE, Plane.LIVE
BOTH = make_rule(1, Severity.LOW, planes=frozenset({CODE, LIVE}))
DAY = date(2026, 1, 31)
HERE = str(Path.cwd())
EVERYWHERE = Scope((BOTH,), complete=True, folders=(HERE,), accounts=frozenset({"111122223333"}))


def entry(subject: str, expires: date = DAY, plane: Plane | None = None, number: int = 1) -> Entry:
    exemption = Exemption("KEY_AWS_001", subject, "a reason", "ops@example.com", expires, f"exceptions.yaml:{number}")
    return Entry(exemption, subject, plane, number, number)


def unmatched(subject: str, plane: Plane, scope: Scope = EVERYWHERE, on: Plane | None = None) -> bool:
    """Whether a run in which nothing matches warns about the entry."""
    return bool(exception_warnings(ExceptionUse([entry(subject, plane=on)], plane), scope))


@pytest.mark.parametrize(
    ("subject", "planes"),
    [
        ("aws_iam_access_key.ci", {CODE}),
        ("aws_iam_access_key.*", {CODE}),
        ("*aws_iam_access_key.ci", {CODE}),
        ("awscc_iam_access_key.ci", {CODE}),
        ("module.ci.aws_iam_access_key.x", {CODE}),
        ("module.*", {CODE}),
        ("output.secret", {CODE}),
        ("ci[0]", {CODE}),
        ("main.tf", {CODE}),
        ("template.yaml", {CODE}),
        ("infra/ci", {CODE}),
        ("infra/*", {CODE}),
        ("main.tf:aws_iam_access_key.ci", {CODE}),
        ("app:Key", {CODE}),
        ("111122223333", {LIVE}),
        ("111122223333/alice", {LIVE}),
        ("111122223333/*", {LIVE}),
        ("arn:aws:iam::111122223333:user/alice", {LIVE}),
        ("arn:*:user/alice", {LIVE}),
        ("<root_account>", {LIVE}),
        ("alice/access_key_1", {LIVE}),
        ("alice/access_key_?", {LIVE}),
        ("alice/signing_certificate_2", {LIVE}),
        ("alice/console_password", {LIVE}),
        ("alice", {CODE, LIVE}),
        ("al*", {CODE, LIVE}),
        ("alice@example.com", {CODE, LIVE}),
        ("john.doe", {CODE, LIVE}),
        ("svc_backup.eu", {CODE, LIVE}),
        ("LegacyKey", {CODE, LIVE}),
        ("11112222333", {CODE, LIVE}),
    ],
)
def test_the_form_of_a_subject_says_the_plane(subject: str, planes: set[Plane]) -> None:
    assert planes_of(entry(subject), BOTH) == planes


def test_the_plane_of_the_entry_or_of_its_rule_wins_over_the_form() -> None:
    assert planes_of(entry("111122223333", plane=CODE), BOTH) == {CODE}
    assert planes_of(entry("111122223333"), replace(BOTH, planes=frozenset({CODE}))) == {CODE}
    assert planes_of(entry("main.tf"), replace(BOTH, planes=frozenset({LIVE}))) == {LIVE}


@pytest.mark.parametrize(
    ("subject", "folders", "met"),
    [
        ("aws_iam_access_key.ci", ("infra",), False),
        ("aws_iam_access_key.ci", (".",), True),
        ("aws_iam_access_key.*", ("infra", "other"), False),
        ("LegacyKey", ("infra",), False),
        ("infra/main.tf", ("infra",), True),
        ("infra/main.tf:aws_iam_access_key.ci", ("infra",), True),
        ("other/main.tf", ("infra",), False),
        ("other/main.tf", ("infra", "other"), True),
        ("infrastructure/main.tf", ("infra",), False),
        ("infra*/main.tf", ("infra",), False),
        ("infra*/main.tf", (".",), True),
        ("*/main.tf", ("infra",), False),
        ("*/main.tf", (".",), True),
        ("*:aws_iam_access_key.ci", ("infra",), False),
        ("infra/*", ("infra",), True),
        ("infra/c*/main.tf", ("infra",), True),
        ("infra/*", ("infra/ci",), False),
        ("/srv/infra/*", ("/srv",), True),
        ("/srv/infra/*", ("/srv/infra/ci",), False),
        ("/*", (".",), False),
        ("<stdin>", (".",), False),
        ("<stdin>:aws_iam_access_key.ci", (".",), False),
        ("infra/main.tf", ("infra/ci",), False),
        ("infra/main.tf", (".",), True),
        ("../other/main.tf", (".",), False),
        ("/srv/infra/main.tf", ("/srv/infra",), True),
        ("/srv/infra/main.tf", (".",), False),
        ('module.x["a/b"].aws_iam_access_key.ci', (".",), True),
        ("infra/main.tf", None, False),
        ("aws_iam_access_key.ci", None, False),
    ],
)
def test_a_path_outside_of_the_scanned_folders_is_not_missed(
    subject: str, folders: tuple[str, ...] | None, met: bool
) -> None:
    absolute = tuple(os.path.normpath(Path(HERE, folder)) for folder in folders) if folders is not None else None
    scope = replace(EVERYWHERE, folders=absolute)
    assert within_reach(entry(subject), BOTH, CODE, scope) is met
    assert unmatched(subject, CODE, scope) is met


@pytest.mark.parametrize(
    ("home", "scanned", "address", "path"),
    [
        (".", ".", True, True),
        (".", "..", True, True),
        (".", "infra", False, True),
        ("..", ".", False, False),
        ("..", "..", True, True),
        ("policy", ".", True, True),
        ("policy", "policy", False, True),
        ("policy", "infra", False, False),
        ("../policy", ".", False, False),
        ("../policy", "..", True, True),
        ("../link", ".", True, True),
        (".", "../link", True, True),
    ],
)
def test_an_address_is_missed_where_all_was_scanned_that_the_file_can_speak_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str, scanned: str, address: bool, path: bool
) -> None:
    """The working directory is `work`, `link` is a link to it, and the path is `infra/main.tf` below the file."""
    for folder in ("work/infra", "work/policy", "policy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to("work")
    monkeypatch.chdir(tmp_path / "work")
    scope = scan_scope(make_evaluation(scope=ScanScope((scanned,)), rules=(BOTH,)), Ground(home))
    assert within_reach(entry("aws_iam_access_key.ci"), BOTH, CODE, scope) is address
    assert within_reach(entry("infra/main.tf"), BOTH, CODE, scope) is path


@pytest.mark.parametrize(
    ("subject", "met"),
    [("aws_iam_access_key.ci", False), ("infra/*", False), ("infra/main.tf", True), ("examples/main.tf:x", False)],
)
def test_what_this_run_leaves_out_is_not_missed(subject: str, met: bool) -> None:
    ground = Ground(leaves_out=lambda path: path.startswith(f"{HERE}/examples/"))
    assert unmatched(subject, CODE, replace(EVERYWHERE, ground=ground)) is met


@pytest.mark.parametrize(
    ("subject", "met"),
    [
        ("111122223333", True),
        ("444455556666", False),
        ("444455556666/alice", False),
        ("arn:aws:iam::444455556666:user/alice", False),
        ("arn:aws-us-gov:iam::111122223333:user/alice", True),
        ("arn:aws:iam::*:user/alice", True),
        ("alice/access_key_1", True),
    ],
)
def test_an_account_without_a_report_is_not_missed(subject: str, met: bool) -> None:
    assert unmatched(subject, LIVE) is met


def test_the_other_plane_is_not_missed() -> None:
    assert not unmatched("111122223333", CODE)
    assert not unmatched("aws_iam_access_key.ci", LIVE)
    assert not unmatched("alice", CODE, on=LIVE)
    assert unmatched("alice", LIVE, on=LIVE)


def test_a_rule_that_did_not_run_is_not_missed() -> None:
    assert not unmatched("aws_iam_access_key.ci", CODE, replace(EVERYWHERE, rules=(make_rule(8, Severity.LOW),)))


def test_nothing_is_missed_where_something_could_not_be_evaluated() -> None:
    assert not unmatched("aws_iam_access_key.ci", CODE, replace(EVERYWHERE, complete=False))


def test_the_warning_names_entry_place_subject_and_owner() -> None:
    use = ExceptionUse([entry("aws_iam_access_key.ci", number=7)], CODE)
    assert exception_warnings(use, EVERYWHERE) == (
        "exceptions.yaml:7: the exception of ops@example.com for KEY_AWS_001 on aws_iam_access_key.ci matches no "
        "finding; remove it, or correct its subject.",
    )


@pytest.mark.parametrize(
    ("plane", "hint"),
    [
        (CODE, "; if it is about live accounts, add `plane: live`."),
        (LIVE, "; if it is about code, add `plane: code`."),
    ],
)
def test_an_ambiguous_subject_says_how_to_settle_it(plane: Plane, hint: str) -> None:
    (warning,) = exception_warnings(ExceptionUse([entry("alice")], plane), EVERYWHERE)
    assert warning.endswith(hint)


def test_an_expired_exception_says_since_when_and_how_much_counts_again() -> None:
    use = ExceptionUse([entry("main.tf", expires=date(2026, 1, 30))], CODE)
    use.applied(code_finding(), DAY)
    # Even where something could not be read: this is about what was found.
    assert exception_warnings(use, replace(EVERYWHERE, complete=False, folders=None)) == (
        "exceptions.yaml:1: the exception of ops@example.com for KEY_AWS_001 on main.tf has been expired since "
        "2026-01-31, so its finding is no longer exempt.",
    )
    assert expiry_warnings(use) == exception_warnings(use, EVERYWHERE)
    use.applied(code_finding(), DAY)
    assert "so its 2 findings are no longer exempt" in exception_warnings(use, EVERYWHERE)[0]


def test_warnings_stand_in_the_order_of_the_file() -> None:
    use = ExceptionUse([entry(f"key.{number}", number=number, plane=CODE) for number in range(1, 12)], CODE)
    places = [warning.split(": ")[0] for warning in exception_warnings(use, EVERYWHERE)]
    assert places == [f"exceptions.yaml:{number}" for number in range(1, 12)]


def test_what_an_evaluation_looked_at() -> None:
    scan = make_evaluation(scope=ScanScope(("infra",)))
    ground = Ground()
    assert scan_scope(scan, ground) == Scope(scan.rules, True, folders=(f"{HERE}/infra",), ground=ground)
    assert scan_scope(replace(scan, scope=ScanScope(("infra",), ("main.tf",))), ground).folders is None
    assert not scan_scope(replace(scan, errors=(EvaluationError("x", "unreadable", "x"),)), ground).complete
    inputs = (Input("credential_report", "a", account="1,2"), Input("credential_report", "b"))
    assert audit_scope(make_evaluation(plane=LIVE, inputs=inputs)).accounts >= {"1", "2"}


def test_an_evaluation_with_its_exceptions() -> None:
    failing, unknown = code_finding(), code_finding(status=Status.UNKNOWN)
    skipped = code_finding(status=Status.EXEMPT)
    counts = Counts(passed=4, failed=1, exempt=1, unknown=1)
    evaluation = make_evaluation(
        failing,
        unknown,
        skipped,
        counts=counts,
        rule_counts={"KEY_AWS_001": counts, "KEY_AWS_008": Counts(passed=2)},
        population={"access_keys": 3},
        warnings=("before",),
        scope=ScanScope((".",)),
    )
    found = exempted(evaluation, [entry("main.tf"), entry("gone.tf", number=2)], Ground())
    assert [finding.status for finding in found.findings] == [Status.EXEMPT] * 3
    assert [finding.exception is not None for finding in found.findings] == [True, True, False]
    assert found.counts == Counts(passed=4, exempt=3)
    assert found.rule_counts == {"KEY_AWS_001": Counts(passed=4, exempt=3), "KEY_AWS_008": Counts(passed=2)}
    assert found.population == {"access_keys": 3}
    assert found.warnings[0] == "before"
    assert len(found.warnings) == 2
    assert "gone.tf matches no finding" in found.warnings[1]
    assert found.urgent_warnings == ()
    expired = exempted(evaluation, [entry("main.tf", date(2026, 1, 30)), entry("gone.tf", number=2)], Ground())
    assert expired.urgent_warnings == expired.warnings[1:2]


def test_live_subjects_have_no_place_in_code() -> None:
    use = ExceptionUse([entry("main.tf")], LIVE)
    assert use.applied(live_finding(), DAY).status is Status.FAIL
