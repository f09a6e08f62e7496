"""What each exception matches today: evaluates code and credential reports with the rules of the entries alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from keyrules.code.named_paths import check_readable
from keyrules.code.scan import ScanRequest, scan
from keyrules.live.account_audit import AuditRequest, combine
from keyrules.live.around.files import Folders
from keyrules.live.collection import audit_files
from keyrules.live.found_reports import Reports, find_reports
from keyrules.live.limits import Limits
from keyrules.model import Evaluation, EvaluationError, Finding, Plane, Rule, Selection, Subject
from keyrules.pack.catalog import Pack
from keyrules.pack.selection import select
from keyrules.records import dataclass
from keyrules.run.exceptions.file import Entry, utc_day
from keyrules.run.exceptions.listing import Listed, Match
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.paths import Ground
from keyrules.run.exceptions.scope import Scope, audit_scope, planes_of, scan_scope, within_reach


@dataclass(frozen=True)
class Where:
    """Where to look, and when (aware); with `own_moment` a report that says when it was made is judged at that time.

    `excluded` says of an absolute path whether it is left out; `ground` is what the exceptions file can speak of.
    """

    paths: Sequence[Path]
    reports: Sequence[str]
    as_of: datetime
    own_moment: bool
    ground: Ground
    excluded: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class _Look:
    """What was evaluated of one plane, and the entries to match it with."""

    evaluation: Evaluation
    use: ExceptionUse
    scope: Scope


def look_for(
    entries: Sequence[Entry], pack: Pack, settings: Sequence[str], where: Where
) -> tuple[list[Listed], list[EvaluationError]]:
    """The entries with what they match, the one that ends first before the others, and what could not be evaluated.

    `settings` change thresholds as `--set` does. Code is read only where an entry can be about code. Raises UsageError
    for a path or a report that is not there.
    """
    rules = {rule.id: rule for rule in pack.rules}
    looks = _looks(entries, pack, settings, where) if entries else []
    day = utc_day(where.as_of)
    matches = _matches(looks)
    listed = [
        _listed(entry, rules[entry.exemption.rule], day, looks, matches.get(entry.number, ())) for entry in entries
    ]
    errors = [error for look in looks for error in look.evaluation.errors]
    return sorted(listed, key=lambda item: item.order), errors


def _looks(entries: Sequence[Entry], pack: Pack, settings: Sequence[str], where: Where) -> list[_Look]:
    for path in where.paths:
        check_readable(path)
    reports = find_reports(where.reports)
    selection = select(pack, only=[entry.exemption.rule for entry in entries], settings=settings)
    rules = {rule.id: rule for rule in selection.rules}
    planes = frozenset(plane for entry in entries for plane in planes_of(entry, rules[entry.exemption.rule]))
    looks = []
    if Plane.CODE in planes:
        request = ScanRequest(
            tuple(where.paths), pack, selection, where.as_of, context=Path.cwd(), excluded=where.excluded
        )
        evaluation = scan(request)
        use = ExceptionUse(entries, Plane.CODE, where.ground)
        looks.append(_Look(evaluation, use, scan_scope(evaluation, where.ground)))
    if reports:
        evaluation = _audit(reports, pack, selection, where)
        looks.append(_Look(evaluation, ExceptionUse(entries, Plane.LIVE), audit_scope(evaluation)))
    return looks


def _audit(reports: Reports, pack: Pack, selection: Selection, where: Where) -> Evaluation:
    """The reports at any age: what an exception matched in an old one is what was asked."""
    as_of = None if where.own_moment else where.as_of
    request = AuditRequest(pack.stamp, Limits(selection), now=where.as_of, as_of=as_of, max_age=None)
    folders = Folders(reports)
    results = audit_files(reports, request, folders.giver)
    return combine(results, request, problems=folders.problems).evaluation


def _matches(looks: Sequence[_Look]) -> dict[int, list[Match]]:
    """By the number of an entry, what it matches."""
    found: dict[int, list[Match]] = {}
    for look in looks:
        for finding in look.evaluation.findings:
            for entry in look.use.matching(finding):
                found.setdefault(entry.number, []).append(_match(finding))
    return found


def _listed(entry: Entry, rule: Rule, day: date, looks: Sequence[_Look], matches: Sequence[Match]) -> Listed:
    planes = planes_of(entry, rule) | {Plane(match.plane) for match in matches}
    seen = {look.use.plane for look in looks if within_reach(entry, rule, look.use.plane, look.scope)}
    broken = {look.use.plane for look in looks if look.use.plane in seen and not look.scope.complete}
    looked_at = seen - broken | {Plane(match.plane) for match in matches}
    return Listed(
        entry=entry,
        days_left=(entry.exemption.expires - day).days,
        planes=tuple(plane for plane in Plane if plane in planes),
        looked_at=tuple(plane for plane in Plane if plane in looked_at),
        broken=tuple(plane for plane in Plane if plane in broken),
        matches=tuple(matches),
    )


def _match(finding: Finding) -> Match:
    if finding.location is not None:
        where = f"{finding.location.path}:{finding.location.start_line}"
        return Match(finding.plane.value, finding.status.value, finding.location.address, where)
    subject = finding.subject or Subject(kind="", name="")
    return Match(finding.plane.value, finding.status.value, subject.name, subject.arn or subject.account or "")
