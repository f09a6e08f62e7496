"""Why a live credential got its verdict: a stable word for machines and one sentence for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from keyrules.live.conditions import attributes
from keyrules.live.credential_report import Row
from keyrules.live.fact_readers import SubjectKind, fact_values
from keyrules.live.instants import to_datetime
from keyrules.live.key_history import Key, age, ago, beyond, is_absent_root, key_of, keys_of, last_use
from keyrules.model import ParameterValue, Rule, Status
from keyrules.reports.text_style import count_of, human_duration


class Case(NamedTuple):
    """One verdict to explain. `limits` are the rule's parameter values in force.

    `idle_days` is from when on a key counts as out of use. Only the advice depends on it. `name` is that of the
    subject, `keys` are those of its user where it is an access key.
    """

    rule: Rule
    subject: SubjectKind
    row: Row
    as_of: datetime
    limits: Mapping[str, ParameterValue]
    idle_days: int
    name: str
    keys: Sequence[Key]

    @property
    def key(self) -> Key:
        """The access key that this is about."""
        return self.keys[-1 if self.subject.slot == 2 else 0]

    def days(self, parameter: str) -> int:
        """The value of a parameter that is one number. TypeError when it is a list."""
        value = self.limits[parameter]
        if not isinstance(value, int):
            raise TypeError(f"{self.rule.id}.{parameter} is not one number")
        return value


class Explanation(NamedTuple):
    """`reason` is a stable word; `message` one sentence."""

    reason: str
    message: str


_ABSENT_ROOT: Final = {
    Status.PASS: Explanation("root_absent", "The report has no root user."),
    Status.UNKNOWN: Explanation("root_row_missing", "The root user could not be judged: the report has no row for it."),
}


def explain(case: Case, status: Status, contradicted: bool) -> Explanation:
    """The explanation of a verdict; `contradicted` says that the row has a date after the moment of evaluation."""
    if is_absent_root(case.subject, case.row):
        return _ABSENT_ROOT[status]
    name = case.name
    if status is Status.PASS:
        return _passing(case, name)
    if status is Status.UNKNOWN:
        return _unknown(case, name, contradicted)
    writer = _FAILURES.get(case.rule.id)
    if writer is None:
        return Explanation("condition_not_met", f"{_capital(name)} does not meet: {case.rule.name}.")
    reason, message = writer(case)
    return Explanation(reason, f"{_capital(message)}.")


def _passing(case: Case, name: str) -> Explanation:
    if case.subject.kind == "root" and fact_values(case.subject, case.row, case.as_of)["has_credentials"] is False:
        return Explanation(
            "root_without_credentials",
            "The root user has no password, active key or certificate, as centralized root access leaves it.",
        )
    return Explanation("compliant", f"{_capital(name)} complies with the rule: {case.rule.name}.")


def _unknown(case: Case, name: str, contradicted: bool) -> Explanation:
    if contradicted:
        return Explanation(
            "later_than_as_of",
            f"{_capital(name)} could not be judged: the row of {case.row.user} has a date later than the moment of "
            "evaluation.",
        )
    asked = attributes(case.rule.runtime or {})
    facts = fact_values(case.subject, case.row, case.as_of)
    missing = [fact for fact, value in facts.items() if value is None and fact in asked]
    return Explanation(
        "not_in_report",
        f"{_capital(name)} could not be judged: the report does not give {' or '.join(missing)}.",
    )


def _capital(text: str) -> str:
    """The text as a sentence begins, but with names as they are: only the words of this module are changed."""
    starts = ("access key", "signing certificate", "the ")
    return text[0].upper() + text[1:] if text.startswith(starts) else text


def _old_key(case: Case) -> tuple[str, str]:
    key = case.key
    limit = case.days("max_age_days")
    age = beyond(key.created, case.as_of, limit)
    return "key_too_old", (f"{case.name} is {age} old, {last_use(key, case.as_of)}; the limit is {_days(limit)}")


def _idle_key(case: Case) -> tuple[str, str]:
    key = case.key
    limit = case.days("max_idle_days")
    name = case.name
    if not key.used:
        return "key_never_used", (
            f"{name} was never used since it was created {ago(key.created, case.as_of)}; the limit is {_days(limit)}"
        )
    return "key_unused", f"{name} is active but was {last_use(key, case.as_of)}; the limit is {_days(limit)}"


def _two_keys(case: Case) -> tuple[str, str]:
    described = " and ".join(
        f"key {key.slot} ({age(key.created, case.as_of)}, {last_use(key, case.as_of)})" for key in case.keys
    )
    overlap = case.days("overlap_days")
    allowed = f"; both may be active for {_days(overlap)}" if overlap else ""
    return "two_active_keys", f"{case.row.user} has two active access keys: {described}{allowed}"


def _setup_key(case: Case) -> tuple[str, str]:
    key = case.key
    apart = to_datetime(key.created) - to_datetime(case.row.user_created)
    when = f"within {human_duration(apart)} of" if apart else "together with"
    return "key_created_at_setup", (
        f"{case.name} was created {when} the user, who has a console password, and was never "
        f"used; a key made within {count_of(case.days('setup_minutes'), 'minute')} counts as made at setup"
    )


def _root_keys(case: Case) -> tuple[str, str]:
    keys = keys_of(case.row)
    described = " and ".join(
        f"key {key.slot} ({'active' if key.active else 'inactive'}, {age(key.created, case.as_of)}, "
        f"{last_use(key, case.as_of)})"
        for key in keys
    )
    reason = "root_key_active" if any(key.active for key in keys) else "root_key_inactive"
    return reason, f"the root user has {count_of(len(keys), 'access key')}: {described}"


def _leftover_key(case: Case) -> tuple[str, str]:
    key = case.key
    created = "" if key.used else f" and was created {ago(key.created, case.as_of)}"
    return "inactive_key_kept", (
        f"{case.name} is inactive, {last_use(key, case.as_of)}{created}; it should be deleted "
        f"after {_days(case.days('grace_days'))}"
    )


def _long_lived_key(case: Case) -> tuple[str, str]:
    key = case.key
    return "long_lived_key", (
        f"{case.name} is an active long-lived key, {age(key.created, case.as_of)} and {last_use(key, case.as_of)}"
    )


def _no_mfa(case: Case) -> tuple[str, str]:
    used = case.row.password_used
    last = f"last signed in {ago(used, case.as_of)}" if used else "no sign-in is recorded"
    return "no_mfa", f"{case.row.user} can sign in to the console with a password alone; {last}"


def _idle_password(case: Case) -> tuple[str, str]:
    row, limit = case.row, _days(case.days("max_idle_days"))
    if row.password_used:
        return "password_unused", (
            f"{row.user} last signed in to the console {ago(row.password_used, case.as_of)}; the limit is {limit}"
        )
    set_at = row.password_changed or row.user_created
    return "password_never_used", (
        f"{row.user} has no recorded sign-in since the console password was set {ago(set_at, case.as_of)}; the "
        f"limit is {limit}"
    )


def _root_no_mfa(case: Case) -> tuple[str, str]:
    return "root_without_mfa", "the root user has credentials and no MFA device"


def _root_used(case: Case) -> tuple[str, str]:
    row = case.row
    # A key that was deleted since still has its last use in the report.
    keys = [key for key in (key_of(row, 1), key_of(row, 2)) if key.used]
    uses = [(key.used, f"access key {key.slot} was {last_use(key, case.as_of)}") for key in keys]
    if row.password_used:
        uses.append((row.password_used, f"its password was last used {ago(row.password_used, case.as_of)}"))
    latest = max(uses)[1]
    return "root_used", f"the root user was used: {latest}; {_days(case.days('quiet_days'))} without use are required"


def _old_certificate(case: Case) -> tuple[str, str]:
    created = case.row.certificate_1_created if case.subject.slot == 1 else case.row.certificate_2_created
    limit = case.days("max_age_days")
    return "certificate_too_old", (
        f"{case.name} is {beyond(created, case.as_of, limit)} old; the limit is {_days(limit)}"
    )


def _old_password(case: Case) -> tuple[str, str]:
    limit = case.days("max_age_days")
    age = beyond(case.row.password_changed, case.as_of, limit)
    return "password_too_old", f"{case.name} is {age} old; the limit is {_days(limit)}"


@lru_cache(maxsize=64)
def _days(number: int) -> str:
    return count_of(number, "day")


_FAILURES: Final[Mapping[str, Callable[[Case], tuple[str, str]]]] = {
    "KEY_AWS_001": _old_key,
    "KEY_AWS_002": _idle_key,
    "KEY_AWS_003": _two_keys,
    "KEY_AWS_004": _setup_key,
    "KEY_AWS_005": _root_keys,
    "KEY_AWS_006": _leftover_key,
    "KEY_AWS_007": _long_lived_key,
    "KEY_AWS_012": _no_mfa,
    "KEY_AWS_013": _idle_password,
    "KEY_AWS_014": _root_no_mfa,
    "KEY_AWS_015": _root_used,
    "KEY_AWS_016": _old_certificate,
    "KEY_AWS_017": _old_password,
}
