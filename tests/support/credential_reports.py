"""Builds credential reports row by row, and audits them in memory."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from keyrules.live.account_audit import AuditRequest, AuditResult, audit_report, combine, unreadable
from keyrules.live.limits import Limits
from keyrules.live.report_inputs import open_report
from keyrules.model import Evaluation, Finding, InputError, Rule, Selection, Status
from keyrules.pack.catalog import Pack, load_pack

AS_OF = datetime(2026, 6, 1, tzinfo=timezone.utc)
ACCOUNT = "123456789012"
COLUMNS = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
]
ROOT = "<root_account>"


def ago(days: float = 0, **units: float) -> str:
    """A timestamp as the report writes it, so long before AS_OF."""
    moment = AS_OF - timedelta(days=days, **units)
    text = moment.replace(tzinfo=None).isoformat()
    return text + "Z"


def values(user: str, **changes: str) -> dict[str, str]:
    """One row by column: a user of two years without credentials, and `changes`. key_1_x and key_2_x are short for
    access_key_1_x and access_key_2_x."""
    row = dict.fromkeys(COLUMNS, "N/A")
    for column in COLUMNS:
        if column.endswith(("_active", "_enabled")):
            row[column] = "false"
    row["user"] = user
    row["arn"] = f"arn:aws:iam::{ACCOUNT}:" + ("root" if user == ROOT else f"user/{user}")
    row["user_creation_time"] = ago(730)
    for name, value in changes.items():
        column = f"access_{name}" if name.startswith("key_") else name
        assert column in COLUMNS, column
        row[column] = value
    return row


def line(user: str, **changes: str) -> str:
    """The same as a line of CSV, nothing quoted."""
    return ",".join(values(user, **changes).values())


def key(slot: int, age: float, used: float | None = None, active: bool = True) -> dict[str, str]:
    """The changes that give a row an access key, by age and last use in days."""
    return {
        f"key_{slot}_active": "true" if active else "false",
        f"key_{slot}_last_rotated": ago(age),
        f"key_{slot}_last_used_date": "N/A" if used is None else ago(used),
    }


def report(*lines: str, header: str = ",".join(COLUMNS)) -> bytes:
    """A whole report as AWS writes it: LF, no line break at the end."""
    return "\n".join([header, *lines]).encode()


@cache
def pack() -> Pack:
    """The real catalogue."""
    return load_pack()


def rule(number: int) -> Rule:
    """A rule of the real catalogue."""
    return next(rule for rule in pack().rules if rule.id == f"KEY_AWS_{number:03d}")


def selection(*numbers: int, **overrides: Any) -> Selection:
    """These rules, or all that are on by default; overrides as KEY_AWS_001__max_age_days=45."""
    chosen = tuple(rule(n) for n in numbers) or tuple(r for r in pack().rules if r.default_on)
    return Selection(chosen, {(n.split("__")[0], n.split("__")[1]): value for n, value in overrides.items()})


def audit(content: bytes, *numbers: int, request: dict[str, Any] | None = None, **overrides: Any) -> AuditResult:
    """Audits one report at AS_OF with the given rules; `request` changes fields of the AuditRequest."""
    settings: dict[str, Any] = {"now": AS_OF, "as_of": AS_OF, "max_age": None, "keep_passing": True}
    settings["limits"] = Limits(selection(*numbers, **overrides))
    asked = AuditRequest(pack=pack().stamp, **settings | (request or {}))
    try:
        opened = open_report(io.BufferedReader(io.BytesIO(content)))
    except InputError as error:
        return combine([unreadable("report.csv", str(error), asked)], asked)
    return combine([audit_report("report.csv", opened, asked)], asked)


def evaluate(content: bytes, *numbers: int, **overrides: Any) -> Evaluation:
    """The evaluation of audit()."""
    return audit(content, *numbers, **overrides).evaluation


def findings(content: bytes, *numbers: int, **overrides: Any) -> list[Finding]:
    """All verdicts, passing ones included, after making sure that the report was understood."""
    evaluation = evaluate(content, *numbers, **overrides)
    assert evaluation.errors == ()
    return list(evaluation.findings)


def verdicts(row: str, number: int, **overrides: Any) -> dict[tuple[str, int | None], Status]:
    """The verdicts of one rule on a report of one row, by kind and slot."""
    return {
        (found.subject.kind, found.subject.slot): found.status
        for found in findings(report(row), number, **overrides)
        if found.subject is not None
    }
