"""Asks the account about flagged users only: which keys are still there, what their ids are, and who owns the user.

Key ids and current facts come from ListAccessKeys and GetAccessKeyLastUsed, so the number of calls grows with the
flagged users and not with the account. The report's rows are judged again with the keys as they are now: what passes
then was fixed since the report was made. Nothing new is added; that is for the next report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from keyrules.live.audit import Verdict, judge_rows
from keyrules.live.conditions import attributes
from keyrules.live.credential_report import ROOT_USER, Row
from keyrules.live.instants import Instant
from keyrules.live.key_history import Key, keys_of
from keyrules.live.plan import Plan, make_plan
from keyrules.model import Selection
from keyrules.reports.text_style import count_of, printable


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

    def owner(self, user: str, tag: str) -> str | None:
        """The value of a tag of the user, if it has one. Denied when that may not be asked."""


class Denied(Exception):
    """A call that verification can do without is not allowed; the text says which permission is missing."""


class SlotOfUser(NamedTuple):
    """A key of a report: the user's ARN and the slot."""

    arn: str
    slot: int


@dataclass
class Verified:
    """`verdicts` are those that still hold, `dropped` those that do not; `owners` are by user ARN."""

    verdicts: list[Verdict] = field(default_factory=list)
    dropped: list[Verdict] = field(default_factory=list)
    key_ids: dict[SlotOfUser, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def verify(
    verdicts: Sequence[Verdict], plan: Plan, selection: Selection, now: datetime, account: KeyKeeper, owner_tag: str
) -> Verified:
    """Checks the verdicts of one report that did not pass against the account as it is `now`.

    Verdicts on passwords, certificates and the root user are kept as they are, except those of deleted users.
    """
    result = Verified()
    now_plan = make_plan(selection, now)
    may_ask_owner = True
    by_user: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_user.setdefault(verdict.row.arn, []).append(verdict)
    for arn, own in sorted(by_user.items()):
        row = own[0].row
        if row.user == ROOT_USER:
            result.verdicts.extend(own)
            continue
        keys = account.access_keys(row.user)
        if keys is None:
            result.dropped.extend(own)
            result.notes.append(f"Verified: {printable(row.user)} was deleted since the report was made.")
            continue
        _verify_user(own, row, keys, now_plan, now, result)
        if may_ask_owner:
            try:
                owner = account.owner(row.user, owner_tag)
            except Denied as error:
                may_ask_owner = False
                result.notes.append(f"Owners are not shown: {error}.")
            else:
                if owner:
                    result.owners[arn] = owner
    return result


def _verify_user(
    verdicts: Sequence[Verdict], row: Row, keys: Sequence[CurrentKey], plan: Plan, now: datetime, result: Verified
) -> None:
    matched = match_keys(row, keys)
    slots = _with_new_keys(matched, keys)
    result.key_ids.update({SlotOfUser(row.arn, slot): key.key_id for slot, key in slots.items()})
    still: list[Verdict] = []
    judge_rows([_current_row(row, slots)], plan, now, contradiction=lambda _row: None, record=still.append)
    fixed: list[Verdict] = []
    for verdict in verdicts:
        present = _as_it_is_now(verdict, still, matched, plan)
        if present is verdict:
            # The steps to take depend on the user's other key, so they are written for the keys of today.
            result.verdicts.append(replace(verdict, row=_without_gone_keys(row, slots, matched)))
        elif present is not None:
            result.verdicts.append(present)
        else:
            fixed.append(verdict)
    result.dropped.extend(fixed)
    if fixed:
        rules = ", ".join(sorted({plan.rules[verdict.rule].id for verdict in fixed}))
        result.notes.append(
            f"Verified: {count_of(len(fixed), 'finding')} on the access keys of {printable(row.user)} "
            f"{'was' if len(fixed) == 1 else 'were'} fixed since the report was made ({rules})."
        )


def _as_it_is_now(
    verdict: Verdict, still: Sequence[Verdict], matched: dict[int, CurrentKey], plan: Plan
) -> Verdict | None:
    """The verdict if it still holds; None when it was fixed.

    A rule that counts the keys of a user may hold on another key now, because the one in the report was replaced.
    """
    if verdict.subject.kind != "access_key":
        return verdict
    same_rule = [current for current in still if current.rule == verdict.rule]
    if verdict.subject.slot in matched and any(current.subject == verdict.subject for current in same_rule):
        return verdict
    per_user = "active_keys_of_user" in attributes(plan.rules[verdict.rule].runtime or {})
    return same_rule[0] if per_user and same_rule else None


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


def _with_new_keys(matched: dict[int, CurrentKey], keys: Sequence[CurrentKey]) -> dict[int, CurrentKey]:
    """The keys by slot as they are now; a key that is newer than the report takes a free slot."""
    slots = dict(matched)
    for key in keys:
        free = [slot for slot in (1, 2) if slot not in slots]
        if free and key not in slots.values():
            slots[free[0]] = key
    return slots


def _current_row(row: Row, slots: dict[int, CurrentKey]) -> Row:
    """The row with the keys as they are now."""
    for slot in (1, 2):
        row = row._replace(**_key_values(slot, slots.get(slot)))
    return row


def _without_gone_keys(row: Row, slots: dict[int, CurrentKey], matched: dict[int, CurrentKey]) -> Row:
    """The row of the report with the status of its keys, and with what took the place of the others, as it is now."""
    for slot in (1, 2):
        values = _key_values(slot, slots.get(slot))
        active = f"key_{slot}_active"
        row = row._replace(**({active: values[active]} if slot in matched else values))
    return row


def _key_values(slot: int, key: CurrentKey | None) -> dict[str, str]:
    return {
        f"key_{slot}_active": "true" if key is not None and key.active else "",
        f"key_{slot}_created": _second(key.created) if key is not None else "",
        f"key_{slot}_used": key.used if key is not None else "",
        f"key_{slot}_service": key.service if key is not None else "",
        f"key_{slot}_region": key.region if key is not None else "",
    }
