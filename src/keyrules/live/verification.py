"""Asks the account about flagged users only: which keys are still there, what their ids are, and who owns the user.

Key ids and current facts come from ListAccessKeys and GetAccessKeyLastUsed, so the number of calls grows with the
flagged users and not with the account. The report's rows are judged again with the keys as they are now: what passes
then was fixed since the report was made. Nothing new is added; that is for the next report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from keyrules.live.audit import Verdict, judge_rows
from keyrules.live.aws_errors import NOT_REACHED, AccountError
from keyrules.live.conditions import attributes
from keyrules.live.credential_report import ROOT_USER, Row
from keyrules.live.instants import Instant, from_datetime
from keyrules.live.key_history import Key, keys_of
from keyrules.live.limits import Limits, tag_of
from keyrules.live.plan import Plan, make_plan
from keyrules.live.workers import in_parallel
from keyrules.model import InputError, Status
from keyrules.records import dataclass, field
from keyrules.reports.text_style import count_of, printable

_ENOUGH: Final = 16
"""After so many questions that did not reach AWS nobody else is asked about."""

_NAMED: Final = 20


class CurrentKey(Protocol):
    """An access key as the account has it now."""

    @property
    def key_id(self) -> str:
        """As in AKIAIOSFODNN7EXAMPLE; not a secret."""

    @property
    def active(self) -> bool:
        """Whether it can sign requests."""

    @property
    def created(self) -> Instant:
        """When it was created."""

    @property
    def used(self) -> Instant:
        """Its last use, or ABSENT."""

    @property
    def service(self) -> str:
        """The service of the last use."""

    @property
    def region(self) -> str:
        """The region of the last use."""


class KeyKeeper(Protocol):
    """Whoever knows the keys and tags of an account now; both methods may raise InputError."""

    def access_keys(self, user: str) -> Sequence[CurrentKey] | None:
        """The user's keys, oldest first; None when the user is gone."""

    def tags(self, user: str) -> Mapping[str, str]:
        """The user's tags. Denied when that may not be asked."""


class Denied(Exception):
    """A call that verification can do without is not allowed; the text says which permission is missing."""


class SlotOfUser(NamedTuple):
    """A key of a report: the user's ARN and the slot."""

    arn: str
    slot: int


@dataclass(frozen=True)
class Question:
    """What a run verifies with: the rules, the moment to judge the keys of today at, the tag of owners, and how many
    users to ask about at once."""

    limits: Limits
    now: datetime
    owner_tag: str
    parallel: int = 1


@dataclass
class Verified:
    """`verdicts` are those that still hold, `dropped` those that do not; `owners` are by user ARN.

    `errors` are sentences, without a full stop, about the users of whom the account did not speak.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    dropped: list[Verdict] = field(default_factory=list)
    key_ids: dict[SlotOfUser, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def verify(verdicts: Sequence[Verdict], plan: Plan, question: Question, made: datetime, account: KeyKeeper) -> Verified:
    """Checks the verdicts of one report that did not pass against the account as it is now.

    `made` is the moment of the report: only what was created after it is new. Verdicts on passwords, certificates and
    the root user are kept as they are, except those of deleted users. A user of whom the account does not speak keeps
    all verdicts, and costs nobody else's.
    """
    result = Verified()
    now_plan = make_plan(question.limits, question.now)
    by_user: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_user.setdefault(verdict.row.arn, []).append(verdict)
    users = {arn: own[0].row.user for arn, own in sorted(by_user.items()) if own[0].row.user != ROOT_USER}
    asked = _Asked(account)
    answers = dict(in_parallel(list(users), lambda arn: asked.about(users[arn]), question.parallel))
    unanswered: dict[str, list[str]] = {}
    for arn, own in sorted(by_user.items()):
        answer = answers.get(arn)
        if answer is None or isinstance(answer, InputError):
            result.verdicts.extend(own)
            if answer is not None:
                unanswered.setdefault(str(answer), []).append(users[arn])
            continue
        if answer.keys is None:
            result.dropped.extend(own)
            result.notes.append(f"Verified: {printable(users[arn])} was deleted since the report was made.")
            continue
        question.limits.learn(own[0].row, answer.tags)
        _verify_user(own, _KeysOfToday(own[0].row, answer.keys, made), now_plan, question.now, result)
        owner = tag_of(answer.tags, question.owner_tag)
        if owner:
            result.owners[arn] = owner
    if asked.denied is not None:
        lost = "Owners are not shown" + (", and overrides by tag do not hold" if question.limits.by_tag else "")
        result.notes.append(f"{lost}: {asked.denied}.")
    result.errors = [f"could not be verified for {_listed(names)}: {why}" for why, names in unanswered.items()]
    return result


class _Answer(NamedTuple):
    """The keys of a user, None where the user is gone, and the tags."""

    keys: Sequence[CurrentKey] | None
    tags: Mapping[str, str]


class _Asked:
    """Asks an account about its users, in several threads; `denied` is why it may not be asked for tags."""

    def __init__(self, account: KeyKeeper) -> None:
        self._account = account
        self._unreached: list[AccountError] = []
        self.denied: Denied | None = None

    def about(self, user: str) -> _Answer | InputError:
        """What the account says of a user, or why it says nothing."""
        if len(self._unreached) >= _ENOUGH:
            return self._unreached[0]
        try:
            keys = self._account.access_keys(user)
            return _Answer(keys, self._tags(user) if keys is not None else {})
        except InputError as error:
            if isinstance(error, AccountError) and error.state == NOT_REACHED:
                self._unreached.append(error)
            return error

    def _tags(self, user: str) -> Mapping[str, str]:
        if self.denied is None:
            try:
                return self._account.tags(user)
            except Denied as error:
                self.denied = error
        return {}


def _listed(names: Sequence[str]) -> str:
    """`ann`, `ann, bob and eve`, `ann, bob … and 7 more users`."""
    shown = [printable(name) for name in names[:_NAMED]]
    if len(names) > _NAMED:
        return f"{', '.join(shown)} and {len(names) - _NAMED:,} more users"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


class _KeysOfToday:
    """The keys of a user now, held against the row of the report.

    `matched` are those in the slots of the report. What matches nothing and was created after the report is new. What
    matches nothing and is older is `doubtful`: it is a key of the report with another date or none, and which one can
    only be guessed, so the slots that nothing matches are `open`. `slots` places them all, to be judged.
    """

    def __init__(self, row: Row, keys: Sequence[CurrentKey], made: datetime) -> None:
        self.row = row
        self.matched = match_keys(row, keys)
        unmatched = [key for key in keys if key not in self.matched.values()]
        self.doubtful = [key for key in unmatched if key.created <= from_datetime(made)]
        self.open = {key.slot for key in keys_of(row) if self.doubtful and key.slot not in self.matched}
        self.slots = dict(self.matched)
        for key in (*self.doubtful, *(key for key in unmatched if key not in self.doubtful)):
            free = [slot for slot in (*sorted(self.open), 1, 2) if slot not in self.slots]
            if free:
                self.slots[free[0]] = key

    def possible(self, slot: int) -> list[CurrentKey]:
        """The keys that the one in a slot of the report can be; none when that is gone."""
        return [self.matched[slot]] if slot in self.matched else self.doubtful

    def known_ids(self) -> dict[SlotOfUser, str]:
        """The ids of the keys of which it is certain which they are."""
        known = {slot: key for slot, key in self.slots.items() if slot not in self.open and key not in self.doubtful}
        return {SlotOfUser(self.row.arn, slot): key.key_id for slot, key in known.items()}

    def slot_of(self, key: CurrentKey) -> int | None:
        """Where a key is judged."""
        return next((slot for slot, placed in self.slots.items() if placed is key), None)


def _verify_user(verdicts: Sequence[Verdict], today: _KeysOfToday, plan: Plan, now: datetime, result: Verified) -> None:
    user = printable(today.row.user)
    result.key_ids.update(today.known_ids())
    judged: list[Verdict] = []
    row = _current_row(today)
    judge_rows([row], plan, now, contradiction=lambda _row: None, record=judged.append, passing=True)
    fixed: list[Verdict] = []
    anew: list[Verdict] = []
    for verdict in verdicts:
        present = _as_it_is_now(verdict, judged, today, plan)
        if present is verdict:
            # The steps to take depend on the user's other key, so they are written for the keys of today.
            result.verdicts.append(verdict._replace(row=_without_gone_keys(today)))
        elif present is not None:
            result.verdicts.append(present)
        elif verdict.status is Status.FAIL and not any(key.active for key in today.possible(verdict.subject.slot or 0)):
            fixed.append(verdict)
        else:
            anew.append(verdict)
    result.dropped += fixed + anew
    for some, singular, plural in (
        (fixed, "was fixed since the report was made", "were fixed since the report was made"),
        (
            anew,
            "no longer holds, judged anew with the keys of today",
            "no longer hold, judged anew with the keys of today",
        ),
    ):
        if some:
            rules = ", ".join(sorted({plan.rules[verdict.rule].id for verdict in some}))
            said = singular if len(some) == 1 else plural
            result.notes.append(
                f"Verified: {count_of(len(some), 'finding')} on the access keys of {user} {said} ({rules})."
            )
    if any(verdict.subject.kind == "access_key" and verdict.subject.slot in today.open for verdict in verdicts):
        result.notes.append(
            f"Verified: {user} has a key that matches none in the report and may be one of them, so what the report "
            "says of them is kept."
        )


def _as_it_is_now(verdict: Verdict, judged: Sequence[Verdict], today: _KeysOfToday, plan: Plan) -> Verdict | None:
    """The verdict if it still holds; None when it does not.

    A rule that counts the keys of a user may hold on another key now, because the one in the report was replaced. What
    was UNKNOWN ends only where each key that it can be about passes, or where that key is gone.
    """
    slot = verdict.subject.slot
    if verdict.subject.kind != "access_key" or slot is None:
        return verdict
    of_rule = [current for current in judged if current.rule == verdict.rule]
    possible = today.possible(slot)
    if possible and verdict.status is Status.UNKNOWN:
        passing = {current.subject.slot for current in of_rule if current.status is Status.PASS}
        if not all(today.slot_of(key) in passing for key in possible):
            return verdict
    still = [current for current in of_rule if current.status is not Status.PASS]
    if slot in today.open and verdict.status is Status.FAIL:
        return verdict
    if slot in today.matched and any(current.subject == verdict.subject for current in still):
        return verdict
    per_user = "active_keys_of_user" in attributes(plan.rules[verdict.rule].runtime or {})
    return still[0] if per_user and still else None


def match_keys(row: Row, keys: Sequence[CurrentKey]) -> dict[int, CurrentKey]:
    """The account's key in each slot of the report that still has one.

    A key is known by its creation time. Of two that were created in the same second, status and last use tell which is
    which; where those agree, too, nothing in the report distinguishes them and either answer is the same.
    """
    left = list(keys)
    matched: dict[int, CurrentKey] = {}
    pairs = [
        (key, current) for key in keys_of(row) for current in keys if _second(key.created) == _second(current.created)
    ]
    for key, current in sorted(pairs, key=lambda pair: (-_likeness(*pair), pair[0].slot, pair[1].key_id)):
        if key.slot not in matched and current in left:
            matched[key.slot] = current
            left.remove(current)
    return matched


def _second(instant: Instant) -> str:
    """IAM gives creation times to the second; a fraction can only come from rounding on the way."""
    return instant[:19]


def _likeness(key: Key, current: CurrentKey) -> int:
    return 2 * (key.active == current.active) + (_second(key.used) == _second(current.used))


def _current_row(today: _KeysOfToday) -> Row:
    """The row with the keys as they are now."""
    row = today.row
    for slot in (1, 2):
        row = row._replace(**_key_values(slot, today.slots.get(slot)))
    return row


def _without_gone_keys(today: _KeysOfToday) -> Row:
    """The row of the report with the status of its keys, and with what took the place of the others, as it is now."""
    row = today.row
    for slot in (1, 2):
        values = _key_values(slot, today.slots.get(slot))
        active = f"key_{slot}_active"
        if slot not in today.open:
            row = row._replace(**({active: values[active]} if slot in today.matched else values))
    return row


def _key_values(slot: int, key: CurrentKey | None) -> dict[str, str]:
    return {
        f"key_{slot}_active": "true" if key is not None and key.active else "",
        f"key_{slot}_created": _second(key.created) if key is not None else "",
        f"key_{slot}_used": key.used if key is not None else "",
        f"key_{slot}_service": key.service if key is not None else "",
        f"key_{slot}_region": key.region if key is not None else "",
    }
