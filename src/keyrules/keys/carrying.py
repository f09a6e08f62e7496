"""Joins the keys of an audit, which keeps no report, with what code and states declare.

Only the keys of users that a declaration names, and those whose ids a state holds, are kept until all reports were
judged: no other key can be joined. Tags are not asked for, so a user that a stack has named is not known by its tag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from keyrules.keys.given import Declaring, newest_keys
from keyrules.keys.join import Join, folded, join
from keyrules.keys.live import LiveReport, live_key
from keyrules.live.carried import Carried, ReportKeys
from keyrules.live.credential_report import Row
from keyrules.live.key_history import keys_of
from keyrules.live.verification import SlotOfUser, Verified
from keyrules.model import DeclaredAt, EvaluationError
from keyrules.records import dataclass, field, replace
from keyrules.records import replace as replaced


class DeclaredKeys:
    """The keys of a run for which something is declared. `tolerance` is how long a declared rotation may be late."""

    def __init__(self, declaring: Declaring, tolerance: timedelta) -> None:
        self._declaring, self._tolerance = declaring, tolerance
        self._secrets = declaring.secrets
        held = [key for state in declaring.states for key in state.keys]
        coded = [key.user for unit in declaring.units for key in unit.keys]
        self.users = frozenset(folded(user) for user in (*(key.user for key in held), *coded) if user)
        self.ids = frozenset(key.key_id for key in held if key.key_id is not None)
        self._reports: list[LiveReport] = []

    def report(self, name: str, as_of: datetime) -> ReportKeys:
        """Begins a report."""
        return _ReportKeys(self, LiveReport(name, as_of))

    def take(self, report: LiveReport) -> None:
        """Takes what is kept of a report that was judged."""
        self._reports.append(report)

    def joined(self, errors: Sequence[EvaluationError]) -> Carried:
        """What declares each key that was kept."""
        live, doubled = newest_keys(self._reports)
        found = [*errors, *self._declaring.errors, *self._declaring.other_accounts(self._reports)]
        everything = not (found or doubled)
        request = self._declaring.joining(live, self._reports, self._tolerance, everything)
        keys = join(request).keys
        return Carried(
            declared={key.live.identity: tuple(map(self._at, key.declared)) for key in keys if key.declared},
            held={key.live.identity: "not_declared" not in key.drift for key in keys},
            complete=request.complete if self._declaring.given.complete else None,
            errors=tuple(replaced(error, message=self._secrets.masked(error.message)) for error in found),
        )

    def _at(self, found: Join) -> DeclaredAt:
        """The place, without a secret that an address is made of."""
        place, masked = found.at, self._secrets.masked
        path, state = (None if text is None else masked(text) for text in (place.path, place.state))
        return replaced(place, path=path, state=state, address=masked(place.address))


@dataclass
class _ReportKeys:
    """Keeps the rows of one report from which keys can be joined, by the ARN of their user."""

    declared: DeclaredKeys
    kept: LiveReport
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.kept.accounts.add(row.account)
            if folded(row.user) in self.declared.users and keys_of(row):
                self.rows[row.arn].append(row)
            yield row

    def finish(self, verified: Verified) -> None:
        ids = verified.key_ids
        for verdict in verified.verdicts:
            row = verdict.row
            known = {ids.get(SlotOfUser(row.arn, key.slot)) for key in keys_of(row)}
            if row.arn not in self.rows and known & self.declared.ids:
                self.rows[row.arn].append(row)
        for row in (row for rows in self.rows.values() for row in rows):
            keys = [live_key(row, key.slot, self.kept.as_of) for key in keys_of(row)]
            self.kept.keys += [replace(key, key_id=ids.get(SlotOfUser(row.arn, key.slot))) for key in keys]
        self.declared.take(self.kept)
