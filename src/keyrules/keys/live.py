"""The keys of accounts as their credential reports show them, each with what the rules find on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from keyrules.live.audit import Verdict, judge_rows
from keyrules.live.credential_report import ROOT_USER, Row, read_rows
from keyrules.live.instants import Instant, to_datetime
from keyrules.live.key_history import key_of, keys_of
from keyrules.live.limits import Limits, tag_of
from keyrules.live.live_findings import make_subject
from keyrules.live.plan import make_plan
from keyrules.live.report_errors import ReportErrors
from keyrules.live.report_inputs import OpenReport, check_age
from keyrules.live.verification import Denied, KeyKeeper, match_keys
from keyrules.model import EvaluationError, InputError, Selection, Status, Subject
from keyrules.records import dataclass, field, replace
from keyrules.run.exceptions.file import utc_day
from keyrules.run.exceptions.match import ExceptionUse

STACK_TAG = "aws:cloudformation:stack-name"
CYCLE_TAG = "longest-cycle-days"


@dataclass(frozen=True)
class LiveKey:
    """A key that exists. `slot` says nothing about age; `created` is None where the report has no date of it.

    `console` says that its user has a password. `findings` are the rules that fail on it, `exempt` those that an
    exception covers; `selection` has the thresholds that hold for its user. `key_id` and the `tags` of its user are
    known only where the account was asked.
    """

    account: str
    arn: str
    user: str
    user_created: datetime
    slot: int
    active: bool
    created: datetime | None
    used: datetime | None
    service: str
    region: str
    observed_at: datetime
    findings: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    console: bool = False
    key_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    selection: Selection | None = field(default=None, compare=False, repr=False)

    @property
    def root(self) -> bool:
        """Whether it is one of the root user's."""
        return self.user == ROOT_USER

    @property
    def identity(self) -> tuple[str, datetime | None, int]:
        """What tells it from other keys of the same report."""
        return (self.arn, self.created, self.slot)

    def age(self) -> timedelta | None:
        """How old it was when it was observed; None where that is not known."""
        return None if self.created is None else self.observed_at - self.created


@dataclass
class LiveReport:
    """What one report holds of keys. `accounts` are those that it is about, those without keys included."""

    name: str
    as_of: datetime
    accounts: set[str] = field(default_factory=set)
    keys: list[LiveKey] = field(default_factory=list)
    errors: list[EvaluationError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Looking:
    """How reports are looked at: by which rules and thresholds, at which moment (None for each report's own), and how
    old they may be."""

    limits: Limits
    now: datetime
    as_of: datetime | None
    max_age: timedelta | None
    exceptions: ExceptionUse | None = None


def unread(name: str, sentence: str, looking: Looking) -> LiveReport:
    """A report that could not be had; the sentence follows its name."""
    errors = ReportErrors(name)
    errors.add("input", sentence)
    return LiveReport(name, looking.as_of or looking.now, errors=list(errors))


def read_report(name: str, opened: OpenReport, looking: Looking) -> LiveReport:
    """The keys of one report; whatever cannot be read is an error of the result."""
    as_of = looking.as_of or opened.generated_at or looking.now
    report, errors = LiveReport(name, as_of), ReportErrors(name)
    stale = check_age(opened.generated_at, looking.as_of or looking.now, looking.max_age) if looking.max_age else None
    if stale is not None:
        errors.add("stale", stale)
    plan = make_plan(looking.limits, as_of)
    failed: dict[tuple[str, int], list[str]] = defaultdict(list)
    exempt: dict[tuple[str, int], list[str]] = defaultdict(list)

    def record(verdict: Verdict) -> None:
        if verdict.subject.kind != "access_key" or verdict.status is not Status.FAIL:
            return
        rule = plan.rules[verdict.rule].id
        subject, where = make_subject(verdict.subject, verdict.row), (verdict.row.arn, verdict.subject.slot or 0)
        (exempt if _covered(looking, rule, subject, as_of) else failed)[where].append(rule)

    rows: list[Row] = []

    def kept(found: Iterable[Row]) -> Iterable[Row]:
        for row in found:
            report.accounts.add(row.account)
            if keys_of(row):
                rows.append(row)
            yield row

    try:
        stream = kept(read_rows(opened.stream, errors.row))
        judge_rows(stream, plan, as_of, lambda row: errors.contradiction(row, as_of), record)
    except InputError as error:
        errors.add("input", str(error))
    report.errors = list(errors)
    report.keys = [
        replace(
            live_key(row, slot, as_of),
            findings=tuple(sorted(failed[row.arn, slot])),
            exempt=tuple(sorted(exempt[row.arn, slot])),
            selection=selection,
        )
        for row in rows
        for selection in (looking.limits.of(row),)
        for slot in (key.slot for key in keys_of(row))
    ]
    return report


def _covered(looking: Looking, rule: str, subject: Subject, as_of: datetime) -> bool:
    exceptions = looking.exceptions
    if exceptions is None or not exceptions.concerns(rule):
        return False
    return exceptions.covering(rule, subject, utc_day(as_of)) is not None


def live_key(row: Row, slot: int, as_of: datetime) -> LiveKey:
    """A key as a row has it at that moment."""
    key = key_of(row, slot)
    return LiveKey(
        row.account,
        row.arn,
        row.user,
        to_datetime(row.user_created),
        slot,
        key.active,
        _moment(key.created),
        _moment(key.used),
        key.service,
        key.region,
        as_of,
        console=bool(row.password_enabled),
    )


def _moment(instant: Instant) -> datetime | None:
    return to_datetime(instant) if instant else None


class Asked(KeyKeeper, Protocol):
    """An account that can be asked about its users, and says which one it is."""

    def identity(self) -> tuple[str, str]:
        """The account's number and its partition."""


def verified(report: LiveReport, account: Asked, now: datetime, owner_tag: str) -> LiveReport:
    """The report with what the account says of its keys now: ids, status and last use, and some tags of their users.

    A key that is gone is left out, one that is new is added. InputError for a report of another account.
    """
    own, _ = account.identity()
    if report.accounts - {own}:
        others = ", ".join(sorted(report.accounts - {own}))
        raise InputError(f"the AWS credentials in use belong to account {own} and the report to account {others}")
    by_user: dict[str, list[LiveKey]] = defaultdict(list)
    for key in report.keys:
        by_user[key.arn].append(key)
    found, notes, tags_allowed = [], list(report.notes), True
    for _, keys in sorted(by_user.items()):
        if keys[0].root:
            found += keys
            continue
        current = account.access_keys(keys[0].user)
        if current is None:
            notes.append(f"Verified: {keys[0].user} was deleted since the report was made.")
            continue
        tags: dict[str, str] = {}
        if tags_allowed:
            try:
                given = account.tags(keys[0].user)
                told = ((name, tag_of(given, name)) for name in (owner_tag, CYCLE_TAG, STACK_TAG))
                tags = {name: value for name, value in told if value}
            except Denied as error:
                tags_allowed = False
                notes.append(f"Tags of users are not known: {error}.")
        matched = match_keys(_row_of(keys), current)
        slots = {now_there.key_id: slot for slot, now_there in matched.items()}
        free = [slot for slot in (1, 2) if slot not in matched]
        reported = {key.slot: key for key in keys}
        for now_there in current:
            slot = slots[now_there.key_id] if now_there.key_id in slots else free.pop(0)
            # What the rules found is of the key that the report has in that slot, and of no other.
            known = reported[slot] if slot in matched else replace(keys[0], findings=(), exempt=())
            found.append(
                replace(
                    known,
                    slot=slot,
                    active=now_there.active,
                    created=to_datetime(now_there.created).replace(microsecond=0),
                    used=_moment(now_there.used),
                    service=now_there.service if now_there.used else "",
                    region=now_there.region if now_there.used else "",
                    observed_at=now,
                    key_id=now_there.key_id,
                    tags=tags,
                )
            )
    return replace(report, as_of=now, keys=found, notes=notes)


def _row_of(keys: Sequence[LiveKey]) -> Row:
    """The row that the keys came from, as far as matching needs it."""
    values = dict.fromkeys(Row._fields, "")
    for key in keys:
        values[f"key_{key.slot}_active"] = "true" if key.active else ""
        values[f"key_{key.slot}_created"] = _instant(key.created)
        values[f"key_{key.slot}_used"] = _instant(key.used)
    return Row(**values)


def _instant(moment: datetime | None) -> Instant:
    return moment.replace(tzinfo=None).isoformat() if moment is not None else ""
