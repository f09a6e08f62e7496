"""Collects what an audit judges: reports from files, from the live account, and from all accounts of an organisation.

AWS is met when it is first needed, because importing boto3 takes longer than judging a report.
"""

from __future__ import annotations

import io
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from keyrules.live.account_audit import AuditRequest, ReportResult, Verifier, audit_report, unreadable
from keyrules.live.around.asking import LiveGiver
from keyrules.live.around.judging import Giver
from keyrules.live.around.keeping import KeepingGiver, givers_of
from keyrules.live.audit import Verdict
from keyrules.live.plan import Plan
from keyrules.live.report_inputs import HEAD, OpenReport, ReportSource, first_account, from_stream, opened
from keyrules.live.roles import role_arn
from keyrules.live.targets import Target
from keyrules.live.verification import Question, Verified, verify
from keyrules.live.workers import in_parallel
from keyrules.model import AccountState, EvaluationError, InputError
from keyrules.records import dataclass, field, replace
from keyrules.reports.text_style import count_of, human_duration

if TYPE_CHECKING:
    from keyrules.live.account import Account, AccountReport, ReportRequest
    from keyrules.live.aws import Aws, Session
    from keyrules.live.kept_reports import KeptReports
    from keyrules.live.wanted import Wanted


class Address(NamedTuple):
    """Where AWS is, how long to wait for reports and by how many threads to ask; None is what its configuration says.

    `via` are roles to assume before any other, `policy` the session policy of the last role.
    """

    profile: str | None
    region: str | None
    endpoint_url: str | None
    deadline: timedelta
    parallel: int
    via: tuple[str, ...] = ()
    policy: str | None = None


class Reach:
    """Everything that a run can reach in AWS. Each use raises InputError where AWS cannot be reached.

    `targets` are the accounts that the run knows how to reach; others are reached as `role` is, a target without an
    account. To be made when the run begins.
    """

    def __init__(self, address: Address, role: Target) -> None:
        self._began = time.monotonic()
        self._address = address
        self._role = role
        self._lock = threading.RLock()
        self._identity: tuple[str, str] | InputError | None = None
        self._sessions: dict[tuple[str | None, ...], Session] = {}
        self._accounts: dict[str, Account] = {}
        self.targets: dict[str, Target] = {}
        self.parallel = address.parallel

    @cached_property
    def _met(self) -> tuple[Aws, Callable[[str | None], Session]]:
        from keyrules.live.aws import Pacing, connect

        jitter = random.Random()
        address = self._address
        seconds = address.deadline.total_seconds()
        pacing = Pacing(time.monotonic, time.sleep, lambda: jitter.uniform(0.5, 1.0), seconds)
        return connect(address.profile, address.region, address.endpoint_url, pacing, address.parallel)

    @property
    def aws(self) -> Aws:
        """The one way to AWS of this run."""
        with self._lock:
            return self._met[0]

    @property
    def identity(self) -> tuple[str, str]:
        """The account and the partition of the credentials in use, after the roles of --via; asked for once."""
        from keyrules.live.account import Account

        with self._lock:
            if self._identity is None:
                try:
                    self._identity = Account(self.aws, self.own_session()).identity()
                except InputError as error:
                    self._identity = error
        if isinstance(self._identity, InputError):
            raise self._identity
        return self._identity

    @property
    def caller(self) -> str:
        """The ARN of the credentials in use, after the roles of --via."""
        return str(self.aws.ask("sts:GetCallerIdentity", self.own_session())["Arn"])

    def later(self, now: datetime) -> datetime:
        """What a clock that showed `now` when the run began shows now, in whole seconds: none is read again."""
        return now + timedelta(seconds=int(time.monotonic() - self._began))

    def until(self) -> float:
        """When, on the monotonic clock, a wait that begins now has been long enough."""
        return self.aws.pacing.monotonic() + self.aws.pacing.deadline

    def own_session(self) -> Session:
        """The session of the credentials in use, after the roles of --via."""
        return self.session(replace(self._role, account="", roles=()))

    def session(self, target: Target) -> Session:
        """The session that speaks for a target. Targets that begin with the same roles share what assumes them."""
        from keyrules.live.sessions import RoleSession

        via = self._address.via if target.profile is None else ()
        named = any(not role.startswith("arn:") for role in target.roles)
        partition = self.identity[1] if named else ""
        arns = [*via, *(role_arn(role, partition, target.account) for role in target.roles)]
        with self._lock:
            session = self._met[1](target.profile)
            chain: tuple[str | None, ...] = (target.profile, target.external_id)
            for number, arn in enumerate(arns, 1):
                policy = self._address.policy if target.roles and number == len(arns) else None
                chain = (*chain, arn, policy)
                if chain not in self._sessions:
                    self._sessions[chain] = RoleSession(self.aws, session, arn, target.external_id, policy)
                session = self._sessions[chain]
        return session

    def account(self, number: str) -> Account:
        """An account, after making sure that it is that one. Raises InputError."""
        from keyrules.live.account import Account

        if number not in self._accounts:
            target = self.targets.get(number) or replace(self._role, account=number)
            session = self._checked(target)
            with self._lock:
                self._accounts[number] = Account(self.aws, session)
        return self._accounts[number]

    def giver(self, target: Target) -> LiveGiver:
        """What asks an account for its documents."""
        return LiveGiver(lambda: self.account(target.account), target.label, self.parallel)

    def _checked(self, target: Target) -> Session:
        from keyrules.live.account import Account
        from keyrules.live.aws_errors import ROLE_MISSING, AccountError

        own = replace(target, roles=())
        session = self.session(target)
        if target.roles or target.profile is not None:
            try:
                number, _ = Account(self.aws, session).identity()
            except AccountError as error:
                # StackSets roll a role out to the accounts below the one that manages them, which is often who asks.
                if error.state != ROLE_MISSING or target.profile is not None or self.identity[0] != target.account:
                    raise
                session, number = self.session(own), target.account
        else:
            number = self.identity[0]
        if number != target.account:
            advice = "" if target.roles else "; with --role NAME each account is asked through a role of its own"
            raise AccountError(
                f"the AWS credentials for it belong to account {number} and not to {target.account}{advice}",
                "wrong account",
            )
        return session


def verifier(reach: Reach, question: Question, as_of: datetime | None) -> Verifier:
    """Asks the account of a report about what was flagged in it; raises InputError where that cannot be reached.

    Keys are judged at `as_of`, or where None at the moment when they are asked about, so many minutes into the run.
    """

    def check(number: str, verdicts: Sequence[Verdict], plan: Plan, made: datetime) -> Verified:
        if not verdicts:
            return Verified()
        account = reach.account(number)
        return verify(verdicts, plan, replace(question, now=as_of or reach.later(question.now)), made, account)

    return check


def audit_files(
    sources: Sequence[ReportSource],
    request: AuditRequest,
    giver: Callable[[ReportSource], Giver | None] = lambda _: None,
) -> list[ReportResult]:
    """The result of each report in its order; one that cannot be opened has that as its error. `giver` gives what lies
    beside it."""
    results: list[ReportResult] = []
    for source in sources:
        try:
            with opened(source, piped=True) as report:
                results.append(audit_report(source.name, report, request, giver=giver(source)))
        except InputError as error:
            results.append(unreadable(source.name, str(error), request))
    return results


@dataclass
class Gathered:
    """What became of each account that was asked, by number: its report, kept or not, or why there is none.

    `kept` holds the reports that `reports` does not. `not_kept` says why a report could not be kept. `ended` is the
    moment when nothing was to be waited for any more.
    """

    kept: KeptReports | None
    ended: datetime
    reports: dict[str, AccountReport] = field(default_factory=dict)
    failures: dict[str, InputError] = field(default_factory=dict)
    not_kept: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reused: list[datetime] = field(default_factory=list)

    def add(self, target: Target, report: AccountReport) -> None:
        """Keeps a report where that was asked for, else holds it until it is judged, as one that is not the account's:
        that is to be asked for again."""
        if report.note:
            self.notes.append(f"{target.label}: {report.note}.")
        if report.reused:
            self.reused.append(report.generated_at)
        if self.kept is not None and first_account(report.content[:HEAD]) == target.account:
            try:
                self.kept.keep(target.account, report)
                return
            except OSError as error:
                self.not_kept[target.account] = error.strerror or type(error).__name__
        self.reports[target.account] = report

    def name_of(self, target: Target) -> str:
        """What messages call the report of a target, until it is opened."""
        if self.kept is None or target.account in self.reports:
            return target.label
        return self.kept.name_of(target.account)

    @contextmanager
    def opened(self, target: Target) -> Iterator[OpenReport]:
        """The report of a target while it is read, which it can be once. Raises InputError."""
        report = self.reports.pop(target.account, None)
        if report is not None:
            yield from_stream(io.BytesIO(report.content), report.generated_at)
        elif self.kept is not None:
            with self.kept.read(target.account) as kept:
                yield kept

    def problems(self, target: Target, name: str, documents: str = "") -> list[EvaluationError]:
        """That the report of a target, of that name, could not be kept, or for a reason the documents beside it."""
        reasons = {"report": self.not_kept.get(target.account), "account documents": documents}
        return [
            EvaluationError(name, "not_kept", f"The {what} of {target.label} could not be kept: {why}.")
            for what, why in reasons.items()
            if why
        ]

    def in_time(self, report: OpenReport, request: AuditRequest) -> AuditRequest:
        """The request for a report that AWS made since the run began: such a one is not from the future."""
        made = report.generated_at
        return request if made is None else replace(request, now=max(request.now, min(made, self.ended)))


def gather(targets: Sequence[Target], reach: Reach, kept: KeptReports | None, request: AuditRequest) -> Gathered:
    """The reports of all targets but those that are kept already. AWS is to make reports everywhere before the first is
    waited for.
    """
    gathered = Gathered(kept, request.now)
    waiting: dict[Target, ReportRequest] = {}
    asked = [target for target in targets if kept is None or target.account not in kept]

    def start(target: Target) -> AccountReport | ReportRequest | InputError:
        try:
            on_its_way = reach.account(target.account).request(request.now, request.max_age)
            return on_its_way.advance() or on_its_way
        except InputError as error:
            return error

    def finish(target: Target) -> AccountReport | InputError:
        try:
            return waiting[target].finish(until)
        except InputError as error:
            return error

    def take(target: Target, outcome: AccountReport | ReportRequest | InputError) -> None:
        if isinstance(outcome, InputError):
            gathered.failures[target.account] = outcome
        elif isinstance(outcome, tuple):
            gathered.add(target, outcome)
        else:
            waiting[target] = outcome

    for target, begun in in_parallel(asked, start, reach.parallel):
        take(target, begun)
    until = reach.until() if waiting else 0.0
    for target, ended in in_parallel(sorted(waiting, key=lambda each: each.account), finish, reach.parallel):
        take(target, ended)
    gathered.ended = reach.later(request.now)
    gathered.notes.sort()
    if gathered.reused:
        age = human_duration(max(request.now - min(gathered.reused), timedelta(0)))
        number = count_of(len(gathered.reused), "account")
        gathered.notes.append(
            f"For {number} the report that AWS had already, up to {age} old, was used: AWS makes none anew within "
            "4 hours."
        )
    return gathered


class Audited(NamedTuple):
    """What a run over accounts came to, and the accounts that it was not to ask."""

    results: Sequence[ReportResult]
    notes: tuple[str, ...] = ()
    skipped: tuple[AccountState, ...] = ()


def audit_accounts(
    accounts: Wanted, reach: Reach, kept: KeptReports | None, request: AuditRequest, max_failed: int
) -> Audited:
    """The result of each account, sorted by number. What cannot be asked has that as its error. `max_failed` is as in
    judged_accounts."""
    try:
        targets = accounts.find(reach)
    except InputError as error:
        name = "the list of accounts" if accounts.several else "the live account"
        return Audited([unreadable(name, f"could not be evaluated: {error}", request)])
    reach.targets = {target.account: target for target in targets.accounts}
    results = [unreadable(place, sentence, request) for place, sentence in targets.problems]
    if not targets.accounts:
        results.append(
            unreadable("the list of accounts", "holds none that is active, so nothing was evaluated", request)
        )
    gathered = gather(targets.accounts, reach, kept, request)
    reached = [target for target in targets.accounts if target.account not in gathered.failures]
    givers = givers_of(reached, reach, kept, request.limits.selection.rules)
    results += judged_accounts(targets.accounts, gathered, request, givers, max_failed)
    return Audited(results, (*targets.notes, *gathered.notes), targets.skipped)


def judged_accounts(
    targets: Sequence[Target],
    gathered: Gathered,
    request: AuditRequest,
    giver: Callable[[Target], Giver | None],
    max_failed: int = 0,
) -> Iterator[ReportResult]:
    """The result of each account that was asked, as its report is judged. `giver` gives what is asked for beside it.

    Up to `max_failed` accounts without a report are notes and no errors, as long as there is a report at all.
    """
    allowed = len(gathered.failures) <= max_failed and len(gathered.failures) < len(targets)
    for target in targets:
        failure = gathered.failures.get(target.account)
        if failure is not None:
            state = getattr(failure, "state", "failed")
            result = unreadable(target.label, f"could not be evaluated: {failure}", request)
            if allowed:
                result.notes += [error.message for error in result.errors]
                result.errors.clear()
            yield _with_state(result, target, state, str(failure))
            continue
        result = _judged(target, gathered, request, giver(target))
        stale = next((error for error in result.errors if error.kind == "stale"), None)
        if not result.counts:
            yield _with_state(result, target, "report not read", result.errors[0].message)
        elif stale is not None:
            yield _with_state(result, target, "stale", stale.message)
        else:
            yield _with_state(result, target, "evaluated")


def _judged(target: Target, gathered: Gathered, request: AuditRequest, giver: Giver | None) -> ReportResult:
    name = gathered.name_of(target)
    try:
        with gathered.opened(target) as report:
            result = audit_report(name, report, gathered.in_time(report, request), target.account, giver)
    except InputError as error:
        return unreadable(name, str(error), request)
    result.errors += gathered.problems(target, name, giver.not_kept if isinstance(giver, KeepingGiver) else "")
    return result


def _with_state(result: ReportResult, target: Target, state: str, cause: str = "") -> ReportResult:
    known = result.account or AccountState(target.account, state)
    return replace(result, account=replace(known, account=target.account, state=state, cause=cause, name=target.name))
