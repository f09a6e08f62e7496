"""Judges the rows of one credential report: verdicts counted per rule, and the findings that the caller keeps.

Decisions:

- A key exists when the report says that it is active or has a creation date for it; likewise a certificate. A console
  password exists when the report says that it is enabled. The root user's row goes to the root rules only.
- A row with a date later than the moment of evaluation, by more than clocks may differ, contradicts it. It is an error,
  and nothing in that row passes: what would have passed is UNKNOWN, what fails without help of that date still fails.
- Of an account without a root row the rule on the root user's MFA passes, because there is no root user to protect.
  What else is asked of the root user is UNKNOWN, except where reports never have that row: there it is not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from keyrules.live.age_buckets import AgeBuckets
from keyrules.live.conditions import attributes
from keyrules.live.credential_report import ROOT_USER, Row, partition_of
from keyrules.live.fact_readers import (
    CERTIFICATE_1,
    CERTIFICATE_2,
    KEY_1,
    KEY_2,
    PASSWORD,
    ROOT,
    SubjectKind,
    fact_values,
)
from keyrules.live.instants import ABSENT, CLOCK_TOLERANCE, Instant, from_datetime
from keyrules.live.plan import Group, Plan
from keyrules.model import Counts, Rule, Status
from keyrules.records import dataclass, field

ABSENT_ROOT_PASSES: Final = "KEY_AWS_014"
"""The one rule that an account without a root user fulfils: there is nobody whose sign-in a second factor protects."""

_PARTITIONS_WITHOUT_ROOT: Final = frozenset({"aws-cn"})
"""Where credential reports have no row for the root user; the IAM guide of the China regions (docs.amazonaws.cn) knows
no such user."""


_NO_DATE: Final = "~"
"""Sorts behind every instant."""


class Verdict(NamedTuple):
    """One rule on one credential. `rule` is the position in Plan.rules.

    `contradicted` says that the row has a date later than the moment of evaluation.
    """

    rule: int
    status: Status
    subject: SubjectKind
    row: Row
    contradicted: bool


@dataclass
class Population:
    """What a report holds, whatever the rules say of it. `root_users` counts rows.

    `oldest_active_key` is when the oldest active key was created, or ABSENT.
    """

    users: int = 0
    access_keys: int = 0
    active_access_keys: int = 0
    console_passwords: int = 0
    signing_certificates: int = 0
    root_users: int = 0
    oldest_active_key: Instant = ABSENT

    def counts(self) -> dict[str, int]:
        """What is counted, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}

    def add(self, other: Population) -> None:
        """Adds what another report holds."""
        for name, number in other.counts().items():
            setattr(self, name, getattr(self, name) + number)
        self.oldest_active_key = min(filter(None, (self.oldest_active_key, other.oldest_active_key)), default=ABSENT)


@dataclass
class Tally:
    """What judging a report comes to.

    `counts` follows Plan.rules. Accounts are ARN prefixes such as `arn:aws:iam::123456789012:`, sorted.
    """

    counts: tuple[Counts, ...]
    population: Population
    accounts: tuple[str, ...]
    accounts_without_root: tuple[str, ...]


@dataclass
class _Marks:
    """How many subjects each group covered, and for each rule how many of those did not pass."""

    covered: list[int]
    failed: list[int]
    unknown: list[int]
    accounts: set[str] = field(default_factory=set)
    accounts_with_root: set[str] = field(default_factory=set)

    def tally(self, plan: Plan, population: Population) -> Tally:
        subjects = [0] * len(plan.rules)
        for groups in plan.groups.values():
            for group in groups:
                for rule, _ in group.members:
                    subjects[rule] += self.covered[group.number]
        without_root = tuple(sorted(self.accounts - self.accounts_with_root))
        unknown = list(self.unknown)
        for prefix in without_root:
            for rule, status in absent_root_verdicts(prefix, plan):
                subjects[rule] += 1
                unknown[rule] += status is Status.UNKNOWN
        counts = tuple(
            Counts(passed=covered - failed - open_, failed=failed, unknown=open_)
            for covered, failed, open_ in zip(subjects, self.failed, unknown, strict=True)
        )
        return Tally(counts, population, tuple(sorted(self.accounts)), without_root)


def asks_of_root(rule: Rule) -> bool:
    """Whether a rule is about the root user, and needs its row."""
    return rule.runtime is not None and rule.runtime["subject"] == "root" and rule.id != ABSENT_ROOT_PASSES


def absent_root_verdicts(account_prefix: str, plan: Plan) -> Iterator[tuple[int, Status]]:
    """What the rules on the root user say of an account whose report has no row for it, by position in Plan.rules."""
    for position, rule in enumerate(plan.rules):
        if rule.id == ABSENT_ROOT_PASSES:
            yield position, Status.PASS
        elif asks_of_root(rule) and not never_has_root(account_prefix):
            yield position, Status.UNKNOWN


def never_has_root(account_prefix: str) -> bool:
    """Whether reports of the account's partition have no row for the root user."""
    return partition_of(account_prefix) in _PARTITIONS_WITHOUT_ROOT


def _rests_on_a_later_date(rule: Rule, subject: SubjectKind, row: Row, as_of: datetime) -> bool:
    """Whether a fact that the rule asks for is counted from a date after the moment of evaluation."""
    values = fact_values(subject, row, as_of)
    return any(values[name] is None for name in attributes(rule.runtime or {}) if name in values)


def judge_rows(
    rows: Iterable[Row],
    plan: Plan,
    as_of: datetime,
    contradiction: Callable[[Row], None],
    record: Callable[[Verdict], None] | None = None,
    passing: bool = False,
    ages: AgeBuckets | None = None,
) -> Tally:
    """Judges every row in one pass, in memory that does not grow with their number.

    `record` gets each verdict that is not PASS, and with `passing` those too; without it verdicts are only counted.
    `contradiction` gets each row with a date that is too late for `as_of` (aware), `ages` the creation date of
    each active key.
    """
    marks = _Marks([0] * plan.size, [0] * len(plan.rules), [0] * len(plan.rules))
    population = Population()
    latest = from_datetime(as_of + CLOCK_TOLERANCE)
    covered, failed, unknown = marks.covered, marks.failed, marks.unknown
    contradicted = False
    record_passing = record if passing else None

    key_1, key_2 = (KEY_1, plan.groups[KEY_1]), (KEY_2, plan.groups[KEY_2])
    certificate_1, certificate_2 = (
        (CERTIFICATE_1, plan.groups[CERTIFICATE_1]),
        (CERTIFICATE_2, plan.groups[CERTIFICATE_2]),
    )
    console, root = (PASSWORD, plan.groups[PASSWORD]), (ROOT, plan.groups[ROOT])

    def judge(asked: tuple[SubjectKind, tuple[Group, ...]], row: Row) -> None:
        subject, groups = asked
        for number, where, members in groups:
            applies = where(row)
            if applies is False:
                continue
            covered[number] += 1
            for rule, definition in members:
                verdict = definition(row) if applies is True else None
                if contradicted and (verdict or _rests_on_a_later_date(plan.rules[rule], subject, row, as_of)):
                    verdict = None
                if verdict is False:
                    failed[rule] += 1
                    if record is not None:
                        record(Verdict(rule, Status.FAIL, subject, row, contradicted))
                elif verdict is None:
                    unknown[rule] += 1
                    if record is not None:
                        record(Verdict(rule, Status.UNKNOWN, subject, row, contradicted))
                elif record_passing is not None:
                    record_passing(Verdict(rule, Status.PASS, subject, row, contradicted))

    prefix, oldest = "", _NO_DATE
    users = keys = active_keys = passwords = 0
    for row in rows:
        # fmt: off
        (user, _, account, created, password, signed_in, changed, _,
         active_1, made_1, used_1, _, _, active_2, made_2, used_2, _, _,
         certified_1, issued_1, certified_2, issued_2) = row
        # fmt: on
        contradicted = (
            created > latest
            or made_1 > latest
            or used_1 > latest
            or made_2 > latest
            or used_2 > latest
            or signed_in > latest
            or changed > latest
            or issued_1 > latest
            or issued_2 > latest
        )
        if contradicted:
            contradiction(row)
        if account != prefix:
            prefix = account
            marks.accounts.add(prefix)
        if user == ROOT_USER:
            population.root_users += 1
            marks.accounts_with_root.add(prefix)
            judge(root, row)
            continue
        users += 1
        if made_1 or active_1:
            keys += 1
            if active_1:
                active_keys += 1
                if made_1 < oldest and made_1:
                    oldest = made_1
                if ages is not None:
                    ages.add(made_1)
            judge(key_1, row)
        if made_2 or active_2:
            keys += 1
            if active_2:
                active_keys += 1
                if made_2 < oldest and made_2:
                    oldest = made_2
                if ages is not None:
                    ages.add(made_2)
            judge(key_2, row)
        if password:
            passwords += 1
            judge(console, row)
        if issued_1 or certified_1:
            population.signing_certificates += 1
            judge(certificate_1, row)
        if issued_2 or certified_2:
            population.signing_certificates += 1
            judge(certificate_2, row)
    population.users, population.console_passwords = users, passwords
    population.access_keys, population.active_access_keys = keys, active_keys
    population.oldest_active_key = oldest if oldest != _NO_DATE else ABSENT
    return marks.tally(plan, population)
