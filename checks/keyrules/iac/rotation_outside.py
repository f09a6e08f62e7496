"""Rotation by AWS Secrets Manager: the secret that holds the key is rotated on a schedule by a Lambda function."""

from __future__ import annotations

import re

from keyrules.iac.hcl_evaluate import UNKNOWN, evaluate, number
from keyrules.iac.rotation_sources import Clock, Kind
from keyrules.iac.terraform_keys import DeclaredKey
from keyrules.iac.terraform_module import Declaration
from keyrules.iac.terraform_references import Reference, references
from keyrules.iac.terraform_scope import Frame, Scope

_RATE = re.compile(r"^\s*rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)\s*$")
_CRON = re.compile(r"^\s*cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)\s*$")
_UNIT_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0}


def outside_rotation(key: DeclaredKey) -> Clock | None:
    """The schedule of the secret that the key is stored in; None when there is none, `days` None when unresolved."""
    scope = key.frame.scope
    stored = {
        target
        for version in _of_type(scope, "aws_secretsmanager_secret_version")
        if any(_names(reference, key.declared.name) for reference in references(version.value("secret_string")))
        for target in (*_secrets(version), version.name)
    }
    for rotation in _of_type(scope, "aws_secretsmanager_secret_rotation"):
        if stored & _secrets(rotation):
            days = _schedule(rotation, scope)
            kind = Kind.UNRESOLVED if days is None else Kind.PERIODIC
            return Clock(kind, rotation.name, rotation.path, rotation.start_line, days, (key.declared.name,))
    return None


def _of_type(scope: Scope, kind: str) -> list[Declaration]:
    return [declared for name, declared in sorted(scope.module.resources.items()) if name.startswith(f"{kind}.")]


def _secrets(declared: Declaration) -> set[str]:
    """What `secret_id` names: the secret, or a version of it."""
    return {f"{r.root}.{r.name}" for r in references(declared.value("secret_id")) if r.name}


def _names(reference: Reference, name: str) -> bool:
    return f"{reference.root}.{reference.name}" == name


def _schedule(rotation: Declaration, scope: Scope) -> float | None:
    periods: list[float | None] = []
    frame = Frame(scope, None, rotation)
    for block in rotation.blocks("rotation_rules"):
        after = block.body.attributes.get("automatically_after_days")
        if after is not None:
            periods.append(number(evaluate(after.value, frame)))
        schedule = block.body.attributes.get("schedule_expression")
        if schedule is not None:
            periods.append(_expression_days(evaluate(schedule.value, frame)))
    return periods[0] if len(periods) == 1 else None


def _expression_days(value: object) -> float | None:
    """Days between two runs of a rate() or cron() expression, the longest gap where it is not even."""
    if value is UNKNOWN or not isinstance(value, str):
        return None
    rate = _RATE.match(value)
    if rate is not None:
        return int(rate[1]) * _UNIT_DAYS[rate[2]]
    cron = _CRON.match(value)
    if cron is None:
        return None
    _, hours, day, month, weekday, year = cron.groups()
    if year != "*" or "#" in weekday or "L" in weekday:
        return None
    if month == "*":
        if day in ("*", "?") and weekday in ("*", "?"):
            return 1.0 if hours.isdigit() else None
        return 7.0 if day in ("*", "?") else 31.0
    step = re.fullmatch(r"(?:\*|1)/(\d+)", month)
    return 31.0 * int(step[1]) if step else 366.0 if month.isdigit() or month.isalpha() else None
