"""Judges what is around the keys of one account, from the documents that were given of it or are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from keyrules.live.around.documents import NEEDS, Document, belongs_to_another
from keyrules.live.around.json_items import Member, Started
from keyrules.live.around.making import AS_A_WHOLE, MAKERS
from keyrules.live.around.things import Account, Items, Report, Thing, User
from keyrules.live.credential_report import ROOT_USER, Row, account_of, partition_of
from keyrules.live.fact_readers import SubjectKind
from keyrules.live.facts import ACCOUNT_KINDS
from keyrules.live.instants import ABSENT, CLOCK_TOLERANCE, from_datetime
from keyrules.live.plan import Plan
from keyrules.model import Counts, Input, InputError, Status
from keyrules.records import dataclass, field
from keyrules.reports.text_style import printable

NOT_GIVEN: Final = "was not given"
_PAGE_MARKS: Final = ("NextToken", "IsTruncated")


class NotAsked(InputError):
    """Why something was not asked for that lies with this program and not with the account."""


class Whose(NamedTuple):
    """An account and its users, by their names; not the root user."""

    account: str
    partition: str
    users: Sequence[str]


class Giver(Protocol):
    """Whoever gives the documents of an account. `place` and `items` are for those that it offers."""

    def offers(self, document: Document) -> bool:
        """Whether it was given, or can be asked for."""

    @property
    def read(self) -> Sequence[Input]:
        """The files that were read so far."""

    def place(self, document: Document) -> str:
        """What messages call the document."""

    def items(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        """What it holds. Raises InputError, a sentence that follows its place."""


class ThingVerdict(NamedTuple):
    """One rule on one thing; `rule` is the position in Plan.rules. `contradicted` says that a date of it is later than
    the moment of evaluation."""

    rule: int
    status: Status
    thing: Thing
    contradicted: bool = False

    @property
    def subject(self) -> SubjectKind:
        """The kind of the thing."""
        return SubjectKind(self.thing.kind, None)

    @property
    def row(self) -> Thing:
        """In the place of a row of a report."""
        return self.thing


@dataclass
class Around:
    """What judging came to. `counts` follows Plan.rules. `gaps` are the rules for which nothing was given and that
    nobody asked for by name. `errors` pairs the name of an input with a sentence that follows it; `read` are the files
    that were read."""

    verdicts: list[ThingVerdict] = field(default_factory=list)
    counts: tuple[Counts, ...] = ()
    gaps: tuple[str, ...] = ()
    errors: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    read: Sequence[Input] = ()


class ReportUsers:
    """Takes note of the users of a report, where somebody gives documents that are about them."""

    def __init__(self, giver: Giver | None) -> None:
        self._noting = giver is not None
        self.report = Report({}, None)

    def passing(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows, as they are judged."""
        return self._noted(rows) if self._noting else rows

    def _noted(self, rows: Iterator[Row]) -> Iterator[Row]:
        users, newest = self.report.users, ABSENT
        for row in rows:
            if row.user == ROOT_USER:
                self.report = self.report._replace(root=row)
            else:
                users[row.user] = User(row.arn, bool(row.key_1_active or row.key_2_active))
                newest = max(newest, row.user_created)
            yield row
        self.report = self.report._replace(newest=newest)


def judge_around(
    giver: Giver | None,
    prefixes: Sequence[str],
    report: Report,
    plan: Plan,
    as_of: datetime,
    asked: frozenset[str],
) -> Around:
    """Judges an account; `prefixes` are those of the ARNs in its report, of which there is to be one.

    A rule that needs what was not given is UNKNOWN where it is among `asked`, and a gap otherwise.
    """
    judge = _Judge(plan, as_of, asked)
    for kind in sorted(ACCOUNT_KINDS):
        rules = [rule for group in plan.groups[_of(kind)] for rule, _ in group.members]
        if not rules:
            continue
        lacking = [each for each in NEEDS[kind] if giver is None or not giver.offers(each)]
        for prefix in prefixes:
            if lacking or giver is None:
                judge.lacks(kind, prefix, rules, lacking)
            else:
                judge.kind(kind, prefix, giver, report)
    around = judge.outcome()
    around.read = giver.read if giver is not None else ()
    return around


def _of(kind: str) -> SubjectKind:
    return SubjectKind(kind, None)


class _Judge:
    def __init__(self, plan: Plan, as_of: datetime, asked: frozenset[str]) -> None:
        self._plan = plan
        self._asked = asked
        self._latest = from_datetime(as_of + CLOCK_TOLERANCE)
        self._around = Around()
        self._gaps: set[str] = set()

    def outcome(self) -> Around:
        """What it came to."""
        numbers = Counter((each.rule, each.status) for each in self._around.verdicts)
        self._around.counts = tuple(
            Counts(
                passed=numbers[rule, Status.PASS],
                failed=numbers[rule, Status.FAIL],
                unknown=numbers[rule, Status.UNKNOWN],
            )
            for rule in range(len(self._plan.rules))
        )
        self._around.gaps = tuple(sorted(self._gaps))
        return self._around

    def lacks(self, kind: str, prefix: str, rules: Sequence[int], lacking: Sequence[Document]) -> None:
        """Nothing was given to judge a kind from."""
        commands = " and ".join(f"`aws iam {each.command}`" for each in lacking)
        asked = [rule for rule in rules if self._plan.rules[rule].id in self._asked]
        self._gaps.update(self._plan.rules[rule].id for rule in rules if rule not in asked)
        self._unknown(kind, prefix, asked, f"what {commands} prints {NOT_GIVEN}")

    def kind(self, kind: str, prefix: str, giver: Giver, report: Report) -> None:
        """Judges all subjects of a kind."""
        read: list[Document] = []

        def items(document: Document) -> Items:
            read.append(document)
            return _items(
                document, giver.items(document, Whose(account_of(prefix), partition_of(prefix), tuple(report.users)))
            )

        try:
            things = list(MAKERS[kind](Account(prefix, report, items)))
            _check(things)
        except InputError as error:
            place, problem = giver.place(read[-1]), str(error)
            if not isinstance(error, NotAsked):
                self._around.errors.append((place, problem))
                problem = f"{printable(place)} {problem}"
            rules = [rule for group in self._plan.groups[_of(kind)] for rule, _ in group.members]
            self._unknown(kind, prefix, rules, problem)
            return
        for thing in things:
            self._judge(thing)

    def _unknown(self, kind: str, prefix: str, rules: Sequence[int], problem: str) -> None:
        name = AS_A_WHOLE[kind]
        thing = Thing(name, f"{prefix}root", prefix, kind, name, problem=problem)
        self._around.verdicts += [ThingVerdict(rule, Status.UNKNOWN, thing) for rule in rules]

    def _judge(self, thing: Thing) -> None:
        late = thing.created > self._latest
        for _, where, members in self._plan.groups[_of(thing.kind)]:
            # The predicates read things as they read rows: through the readers of the kind.
            applies = where(thing) if not thing.problem else None
            if applies is False:
                why = thing.shown.get("not_applicable")
                ids = [self._plan.rules[rule].id for rule, _ in members]
                self._around.notes += [f"{' and '.join(ids)}: {why}, in account {thing.account}."] if why else []
                continue
            for rule, definition in members:
                verdict = definition(thing) if applies is True else None
                status = Status.UNKNOWN if late or verdict is None else Status.PASS if verdict else Status.FAIL
                self._around.verdicts.append(ThingVerdict(rule, status, thing, late))


def _check(things: Sequence[Thing]) -> None:
    """Raises InputError where a thing is there twice."""
    seen: set[tuple[str, str]] = set()
    for thing in things:
        if (thing.arn, thing.id) in seen:
            raise InputError(f"has {printable(thing.name)} twice: keep the newest answer only")
        seen.add((thing.arn, thing.id))


def _items(document: Document, given: Iterator[Member | Started]) -> Items:
    """What a document holds, after making sure that it is that document, and whole. Only of users there may be none."""
    met: dict[int, set[str]] = {}
    for each in given:
        of_object = met.setdefault(each.number, set())
        if each.name in document.members:
            of_object.add(each.name)
        elif belongs_to_another(each.name, document):
            raise InputError(
                f"holds {each.name} beside {' or '.join(document.members)}: put the answers of different commands into "
                "files of their own"
            )
        if isinstance(each, Started):
            continue
        if each.name in _PAGE_MARKS and each.value:
            raise InputError(
                f"is not the whole answer, as its {each.name} says: run `aws iam {document.command}` without "
                "--max-items and --no-paginate"
            )
        if each.name == document.single:
            if len(met) > 1:
                raise InputError(f"has {document.single} twice: keep the newest answer only")
            if not isinstance(each.value, dict | None):
                raise InputError(f"has no object as {document.single}: get it again")
            yield each.name, each.value
        elif each.name in document.lists and each.value is not None:
            if not isinstance(each.value, dict):
                raise InputError(f"has an item in {each.name} that is no object: get it again")
            yield each.name, each.value
    if not met and not document.per_user:
        raise InputError(f"has no answer in it: run `aws iam {document.command}` again")
    for number, members in sorted(met.items()):
        if not members:
            raise InputError(
                f"has an object, number {number + 1}, without {' or '.join(document.members)}: it is no answer to "
                f"`aws iam {document.command}`"
            )
