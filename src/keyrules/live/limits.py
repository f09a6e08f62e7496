"""Which thresholds hold for which user: those of the run, but for the users that `audit.overrides` names.

Of the entries that set the same threshold for a user the first one holds. A tag is asked of flagged users only, so an
entry with one can loosen what holds otherwise, and never tighten it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from keyrules.controls.bounds import looser
from keyrules.live.conditions import Predicate
from keyrules.live.credential_report import Row
from keyrules.model import ParameterValue, Plane, Selection, UsageError
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import count_of, printable
from keyrules.run.configuration.override_keys import override_text, override_values
from keyrules.run.exceptions.match import Form, form_of, glob
from keyrules.run.settings import Setting


class Named(Protocol):
    """What an entry can name: a row of a report, or something else that a user or an account has."""

    @property
    def user(self) -> str:
        """The user; empty for what belongs to the account."""

    @property
    def arn(self) -> str:
        """As in arn:aws:iam::123456789012:user/alice."""

    @property
    def account(self) -> str:
        """The account number."""


@dataclass(frozen=True)
class Override:
    """An entry: `values` by rule and parameter for the users that `pattern` matches, or for those with the `tag`.

    `text` says whom and what as reports show it, `place` is file, line and number.
    """

    place: str
    text: str
    reason: str
    owner: str
    values: Mapping[tuple[str, str], ParameterValue]
    pattern: str = ""
    tag: tuple[str, str] | None = None

    def names(self, row: Named) -> bool:
        """Whether its pattern matches the user of a row."""
        names = {
            Form.USER: (row.user,),
            Form.ACCOUNT: (row.account, f"{row.account}/{row.user}"),
            Form.ARN: (row.arn,),
        }
        if "*" not in self.pattern and "?" not in self.pattern:
            return any(self.pattern in own for own in names.values())
        matches = re.compile(glob(self.pattern)).match
        return any(map(matches, names[form_of(self.pattern, Plane.LIVE)]))

    def sets(self, rule: str) -> bool:
        """Whether it has a threshold of a rule."""
        return any(own == rule for own, _ in self.values)

    def has_tag(self, tags: Mapping[str, str]) -> bool:
        """Whether a user with these tags is meant."""
        return self.tag is not None and tag_of(tags, self.tag[0]) == self.tag[1]

    @property
    def note(self) -> str:
        """What it says, in one line."""
        return f"{self.text} ({self.place}; {self.owner}: {self.reason})"


def tag_of(tags: Mapping[str, str], name: str) -> str | None:
    """The value of a tag; its name is compared in any casing, as IAM does."""
    return next((value for key, value in tags.items() if key.casefold() == name.casefold()), None)


class Limits:
    """The thresholds of one run, by user."""

    def __init__(self, selection: Selection, overrides: Sequence[Override] = ()) -> None:
        self.selection = selection
        self.overrides = overrides
        self._tags: dict[str, Mapping[str, str]] = {}
        self._variants: dict[tuple[int, ...], Selection] = {(): self.selection}
        self._users: Counter[int] = Counter()
        running = {rule.id for rule in self.selection.rules}
        numbered = enumerate(self.overrides)
        self._in_force = [
            (number, each) for number, each in numbered if any(rule in running for rule, _ in each.values)
        ]
        self.changed = frozenset(rule for _, entry in self._in_force for rule, _ in entry.values)
        """The rules of which a threshold is not the same for all users."""

    def of(self, row: Named) -> Selection:
        """What holds for the user of a row; one value for all users with the same entries."""
        return self._variant(tuple(number for number, _ in self.entries(row))) if self._in_force else self.selection

    def entries(self, row: Named) -> list[tuple[int, Override]]:
        """The entries on the user of a row, with their numbers."""
        tags = self._tags.get(row.arn, {})
        return [
            (number, entry)
            for number, entry in self._in_force
            if (entry.has_tag(tags) if entry.tag is not None else entry.names(row))
        ]

    def _variant(self, numbers: tuple[int, ...]) -> Selection:
        if numbers not in self._variants:
            values = dict(self.selection.overrides)
            own = [self.overrides[number] for number in numbers]
            for entry in reversed([entry for entry in own if entry.tag is None]):
                values.update(entry.values)
            variant = replace(self.selection, overrides=values)
            for entry in own:
                if entry.tag is not None:
                    variant = replace(variant, overrides={**variant.overrides, **_looser(entry, variant)})
            self._variants[numbers] = variant
        return self._variants[numbers]

    def for_each(self, compiled: Callable[[Selection], Predicate], rule: str) -> Predicate:
        """The condition of a rule with the thresholds of each row's user."""
        if rule not in self.changed:
            return compiled(self.selection)
        predicates: dict[int, Predicate] = {}

        def predicate(row: Row) -> bool | None:
            selection = self.of(row)
            if id(selection) not in predicates:
                predicates[id(selection)] = compiled(selection)
            return predicates[id(selection)](row)

        return predicate

    @property
    def by_tag(self) -> bool:
        """Whether there is an entry with a tag."""
        return any(entry.tag is not None for _, entry in self._in_force)

    def learn(self, row: Row, tags: Mapping[str, str]) -> None:
        """Takes the tags of a user."""
        if self.by_tag:
            self._tags[row.arn] = tags
            self._users.update(number for number, entry in self.entries(row) if entry.tag is not None)

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, after counting the users on whom there is an entry."""
        return self._counting(rows) if self._in_force else iter(rows)

    def _counting(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self._users.update(number for number, _ in self.entries(row))
            yield row

    def notes(self, asked_for_tags: bool) -> list[str]:
        """A sentence on each entry: for how many users it held, and who answers for it."""
        notes = []
        for number, entry in self._in_force:
            if users := self._users[number]:
                held = count_of(users, "user")
            elif entry.tag is None:
                held = "nobody, because no user matches"
            elif asked_for_tags:
                held = "nobody, because of no flagged user the account says that tag"
            else:
                held = "nobody, because tags are asked for with --verify only"
            notes.append(f"Override held for {held}: {printable(entry.note)}.")
        return notes


def overrides_of(setting: Setting[tuple[Mapping[str, Any], ...]], selection: Selection) -> tuple[Override, ...]:
    """The entries of a configuration. UsageError where a tag does more than loosen a rule on access keys."""
    entries = tuple(_override(number, each, setting) for number, each in enumerate(setting.value, 1))
    for entry in entries:
        for (rule_id, name), value in entry.values.items() if entry.tag is not None else ():
            rule = selection.rule(rule_id)
            if rule is None:
                continue
            if rule.runtime is None or rule.runtime["subject"] != "access_key":
                raise UsageError(
                    f"{entry.place}: `tag` goes with {rule_id}, which is not on access keys; tags are asked for with "
                    "--verify, which looks at access keys: give a subject"
                )
            if looser(rule, rule.parameters[name], selection.value(rule, name), value):
                raise UsageError(
                    f"{entry.place}: `tag` goes with {rule_id}.{name}, which it makes stricter; tags are asked of "
                    "flagged users only, so they can only loosen a rule: give a subject"
                )
    return entries


def _override(number: int, entry: Mapping[str, Any], setting: Setting[tuple[Mapping[str, Any], ...]]) -> Override:
    name, _, value = entry.get("tag", "").partition("=")
    return Override(
        place=f"{setting.origin.place}, override {number}",
        text=override_text(entry),
        reason=entry["reason"],
        owner=entry["owner"],
        values=override_values(entry),
        pattern=entry.get("subject", ""),
        tag=(name, value) if "tag" in entry else None,
    )


def _looser(entry: Override, selection: Selection) -> dict[tuple[str, str], ParameterValue]:
    """The thresholds of an entry that are looser than those of a selection."""
    rules = {rule.id: rule for rule in selection.rules}
    return {
        (rule_id, name): value
        for (rule_id, name), value in entry.values.items()
        if rule_id in rules
        and looser(rules[rule_id], rules[rule_id].parameters[name], value, selection.value(rules[rule_id], name))
    }
