"""Which reports are judged where a folder has several of an account, as buckets with a folder per day do: the newest.

Which is the newest is said by AWS (GeneratedTime) where every report of the account has that, else by the date in every
path. Times of files say when they were copied, and decide nothing: where neither is there, all are judged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypeVar

from keyrules.live.report_inputs import ReportSource, opened
from keyrules.model import InputError
from keyrules.records import dataclass, field
from keyrules.reports.text_style import count_of, first_of

_DATE: Final = re.compile(
    r"(?<![0-9])(?P<year>20[0-9]{2})"
    r"(?:(?P<between>[-_.])(?P<m1>[0-9]{1,2})(?P=between)(?P<d1>[0-9]{1,2})"
    r"|/(?:[a-z]+=)?(?P<m2>[0-9]{1,2})/(?:[a-z]+=)?(?P<d2>[0-9]{1,2})"
    r"|(?P<m3>[0-9]{2})(?P<d3>[0-9]{2}))"
    r"(?:[T_ -](?P<hour>[01][0-9]|2[0-3])[-:_.]?(?P<minute>[0-5][0-9])(?:[-:_.]?(?P<second>[0-5][0-9]))?Z?)?(?![0-9])"
)
"""Year, month and day in this order, the only one that is never ambiguous, and a time after it. A separator between
date and time keeps the digits of an account from being one."""
_BLOCK: Final = 1 << 20
_Moment = TypeVar("_Moment", datetime, date, "_When")


class _When(NamedTuple):
    """A date in a path; `time` is the empty text where there is none."""

    day: date
    time: str


class _Read(NamedTuple):
    """What is known of a report. `alone` says whether it holds one account and no other."""

    source: ReportSource
    made: datetime | None
    dated: _When | None
    digest: str
    alone: bool


@dataclass
class Newest:
    """The reports that are judged, those that are not because their account has a newer one, and notes on both."""

    judged: list[ReportSource]
    left_out: list[ReportSource] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def newest_of_each_account(sources: Sequence[ReportSource]) -> Newest:
    """Leaves out, of those that folders hold, what is older than another report of the same account.

    What somebody names is judged, and so is what cannot be read, or holds more than that account.
    """
    by_account: dict[str, list[ReportSource]] = defaultdict(list)
    for source in sources:
        if source.account:
            by_account[source.account].append(source)
    old: set[str] = set()
    superseded, undecided = [], []
    for account, own in sorted(by_account.items()):
        if len(own) == 1:
            continue
        reports = [_read(source, account) for source in own]
        newest = _newest(reports)
        older = {each.source.name for each in reports if each.alone} - newest
        if older:
            superseded.append(account)
            old |= older
        if len({each.digest for each in reports if each.source.name in newest}) > 1:
            undecided.append(account)
    result = Newest([source for source in sources if source.name not in old])
    result.left_out = [source for source in sources if source.name in old]
    if old:
        names = first_of([source.name for source in result.left_out])
        older_ones = "1 older report is" if len(old) == 1 else f"{len(old):,} older reports are"
        result.notes.append(
            f"Of {count_of(len(superseded), 'account')} the newest report in the folder is judged and {older_ones} not "
            f"({names}); --all-reports judges all."
        )
    if undecided:
        result.notes.append(
            f"For {count_of(len(undecided), 'account')} ({first_of(undecided)}) nothing says which of its reports is "
            "the newest, neither a GeneratedTime nor a date as in 2026-05-31 in the path of each, so all that may be "
            "are judged."
        )
    return result


def _read(source: ReportSource, account: str) -> _Read:
    """Reads a report once. One that cannot be read is on its own, and judged."""
    dated = _date_in(source.name)
    try:
        with opened(source) as report:
            here = everywhere = 0
            mark = f":iam::{account}:".encode()
            for lines in iter(lambda: report.stream.readlines(_BLOCK), []):
                block = b"".join(lines)
                here += block.count(mark)
                everywhere += block.count(b":iam::")
            return _Read(source, report.generated_at, dated, report.digest(), 0 < here == everywhere)
    except InputError:
        return _Read(source, None, dated, source.name, alone=False)


def _date_in(name: str) -> _When | None:
    """The last date in a path, that of the file before that of its folder."""
    found = None
    for match in _DATE.finditer(name):
        month, day = (match[f"{part}1"] or match[f"{part}2"] or match[f"{part}3"] for part in "md")
        try:
            when = date(int(match["year"]), int(month), int(day))
        except ValueError:
            continue
        time = f"{match['hour']}{match['minute']}{match['second'] or '00'}" if match["hour"] else ""
        found = _When(when, time)
    return found


def _newest(reports: Sequence[_Read]) -> set[str]:
    """The names of the newest reports: one, unless nothing tells several apart.

    Reports with the same content are one report, as old as the youngest of them.
    """
    made = _latest(reports, lambda each: each.made)
    dated = _latest(reports, lambda each: each.dated)
    contents = {each.digest for each in reports}
    if made.keys() == contents:
        chosen = _top(made)
    elif dated.keys() == contents:
        days = {digest: when.day for digest, when in dated.items()}
        chosen = _top(days)
        if all(dated[digest].time for digest in chosen):
            chosen = _top({digest: dated[digest] for digest in chosen})
    else:
        chosen = contents
    names = set()
    for digest in chosen:
        same = [each for each in reports if each.digest == digest]
        best = [each for each in same if digest in made and each.made == made[digest]]
        best = best or [each for each in same if digest in dated and each.dated == dated[digest]]
        names.add((best or same)[0].source.name)
    return names


def _latest(reports: Iterable[_Read], of: Callable[[_Read], _Moment | None]) -> dict[str, _Moment]:
    """The latest moment of each content, of those that have one."""
    latest: dict[str, _Moment] = {}
    for each in reports:
        moment = of(each)
        if moment is not None:
            latest[each.digest] = max(moment, latest.get(each.digest, moment))
    return latest


def _top(moments: dict[str, _Moment]) -> set[str]:
    last = max(moments.values())
    return {digest for digest, moment in moments.items() if moment == last}
