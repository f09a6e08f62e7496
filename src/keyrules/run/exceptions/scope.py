"""What a run has to say about its exceptions: which have expired, and which match nothing though they could have.

"Matches nothing" is said only where the run would have met the subject: the rule ran, on the plane that the subject
belongs to, over the folder or the account that it names, not over single files, and with nothing unreadable. An address
names no folder and can lie wherever the exceptions file reaches, so all of that has to be scanned. Where a subject may
belong to either plane, the warning says how to settle it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import timedelta

from keyrules.code.addresses import without_keys
from keyrules.model import Evaluation, Plane, Rule
from keyrules.records import dataclass, field
from keyrules.reports.text_style import count_of
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.match import ExceptionUse, path_in
from keyrules.run.exceptions.paths import Ground

_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?([0-9]{12})(?:[:/].*)?\Z", re.DOTALL)
_CREDENTIAL = re.compile(r"/(?:access_key|signing_certificate)_[12?*]\Z|/console_password\Z")
_ADDRESS = re.compile(r"(?:^|[^\w])(?:aws[a-z]*_\w+|module|output)\.")


@dataclass(frozen=True)
class Scope:
    """What a run looked at. `rules` are those that it evaluated; `complete` is False where a part was not evaluated.

    `folders` are the scanned folders, absolute and without links, None where single files were named; `ground` is what
    the exceptions file can speak of. `accounts` are those of the reports.
    """

    rules: Sequence[Rule]
    complete: bool
    folders: tuple[str, ...] | None = None
    ground: Ground = field(default_factory=Ground)
    accounts: frozenset[str] = frozenset()


def scan_scope(evaluation: Evaluation, ground: Ground) -> Scope:
    """What a scan looked at, for an exceptions file that can speak of `ground`."""
    looked = evaluation.scope
    folders = tuple(map(os.path.realpath, looked.folders)) if looked is not None and not looked.files else None
    return Scope(evaluation.rules, not evaluation.errors, folders=folders, ground=ground)


def audit_scope(evaluation: Evaluation) -> Scope:
    """What an audit looked at."""
    accounts = (account for item in evaluation.inputs for account in (item.account or "").split(","))
    return Scope(evaluation.rules, not evaluation.errors, accounts=frozenset(accounts))


def planes_of(entry: Entry, rule: Rule) -> frozenset[Plane]:
    """The planes on which an entry can mean something, from its `plane`, its rule and the form of its subject."""
    if entry.plane is not None:
        return frozenset({entry.plane})
    if len(rule.planes) == 1:
        return rule.planes
    text = entry.pattern
    if _ACCOUNT.match(text) or text.startswith(("arn:", "<root_account>")):
        return frozenset({Plane.LIVE})
    if _CREDENTIAL.search(text):
        return frozenset({Plane.LIVE})
    # IAM allows letters, digits and _+=,.@- in user names.
    if without_keys(text) != text or _ADDRESS.search(text) or path_in(text) is not None:
        return frozenset({Plane.CODE})
    return rule.planes


def within_reach(entry: Entry, rule: Rule, use_plane: Plane, scope: Scope) -> bool:
    """Whether a run on a plane would have met the subject of an entry, if it were there."""
    if rule.id not in {each.id for each in scope.rules} or use_plane not in planes_of(entry, rule):
        return False
    if use_plane is Plane.LIVE:
        account = _ACCOUNT.match(entry.pattern)
        return account is None or account[1] in scope.accounts
    return scope.folders is not None and scope.ground.seen(path_in(entry.pattern), scope.folders)


def exception_warnings(use: ExceptionUse, scope: Scope) -> tuple[str, ...]:
    """The warnings of a run, in the order of the file."""
    rules = {rule.id: rule for rule in scope.rules}
    return tuple(
        text
        for entry in use.entries
        for rule in (rules.get(entry.exemption.rule),)
        for text in (_expired(entry, use) or (_idle(entry, rule, use, scope) if rule is not None else None),)
        if text is not None
    )


def expiry_warnings(use: ExceptionUse) -> tuple[str, ...]:
    """Those of them that explain a finding: it was exempt until its exception expired."""
    return tuple(text for entry in use.entries for text in (_expired(entry, use),) if text is not None)


def _name(entry: Entry) -> str:
    exemption = entry.exemption
    return f"{exemption.place}: the exception of {exemption.owner} for {exemption.rule} on {exemption.subject}"


def _expired(entry: Entry, use: ExceptionUse) -> str | None:
    """Not that the finding counts: a baseline may hold it."""
    lapsed = use.lapsed.get(entry.number, 0)
    if not lapsed:
        return None
    since = entry.exemption.expires + timedelta(days=1)
    findings = "its finding is" if lapsed == 1 else f"its {count_of(lapsed, 'finding')} are"
    return f"{_name(entry)} has been expired since {since}, so {findings} no longer exempt."


def _idle(entry: Entry, rule: Rule, use: ExceptionUse, scope: Scope) -> str | None:
    if entry.number in use.matched or not scope.complete or not within_reach(entry, rule, use.plane, scope):
        return None
    advice = "remove it, or correct its subject"
    if len(planes_of(entry, rule)) > 1:
        other = Plane.LIVE if use.plane is Plane.CODE else Plane.CODE
        advice += f"; if it is about {_PLACES[other]}, add `plane: {other.value}`"
    return f"{_name(entry)} matches no finding; {advice}."


_PLACES = {Plane.CODE: "code", Plane.LIVE: "live accounts"}
