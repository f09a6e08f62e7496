"""What a cloud platform is told about a live run, before it is put into the platform's own format.

A record stands for each finding, for each finding that the baseline holds or that is gone since, and for whatever could
not be evaluated: an input that could not be read, and a rule for which an account holds nothing to judge. So a platform
that shows the records shows the whole run.
"""

from __future__ import annotations

import enum
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from keyrules.controls.model import Relation
from keyrules.model import (
    DeclaredAt,
    Evaluation,
    EvaluationError,
    Exemption,
    FactValue,
    Finding,
    ResolvedFinding,
    Rule,
    Severity,
    Status,
    Subject,
)
from keyrules.records import dataclass
from keyrules.reports.text_style import count_of, iso_utc, printable

_SHARED = "not_evaluated"


def by_place(findings: Iterable[Finding]) -> list[tuple[Finding, str]]:
    """UNKNOWN findings, in their order, each with the rules that it stands for, as in `KEY_AWS_001, 003`.

    Those in code of one place and message that no rule could evaluate are one; every other one is its own.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        shared = finding.location is not None and finding.reason == _SHARED
        groups.setdefault((finding.location, finding.message) if shared else (number,), []).append(finding)
    return [(group[0], _rules(finding.rule for finding in group)) for group in groups.values()]


def _rules(ids: Iterable[str]) -> str:
    """Ids in their order; one that differs from the one before in its number only is that number."""
    words: list[str] = []
    before = ""
    for rule in sorted(ids):
        family, _, number = rule.rpartition("_")
        words.append(number if family == before else rule)
        before = family
    return ", ".join(words)


_LIVE_ACCOUNT = re.compile(r"account ([0-9]{12})")


class Told(enum.Enum):
    """What is told; the first four are verdicts."""

    PASS = "PASS"
    FAIL = "FAIL"
    EXEMPT = "EXEMPT"
    UNKNOWN = "UNKNOWN"
    RESOLVED = "RESOLVED"
    ERROR = "ERROR"
    NOTHING_TO_JUDGE = "NOTHING_TO_JUDGE"


@dataclass(frozen=True)
class Resource:
    """What a record is about, as AWS Security Hub names types and ids of resources."""

    type: str
    uid: str
    name: str


@dataclass(frozen=True)
class Record:
    """One thing that a platform is told.

    `uid` is stable: the same finding has it in the next run, too. `severity` is None where nothing is wrong.
    `first_seen` is known only to a baseline; `known` says that it holds the finding. `account` is None where nobody
    can tell which account could not be evaluated.
    """

    uid: str
    told: Told
    rule_id: str
    rule: Rule | None
    severity: Severity | None
    title: str
    message: str
    reason: str
    remediation: str
    account: str | None
    partition: str
    subject: Subject | None = None
    facts: tuple[tuple[str, FactValue], ...] = ()
    exemption: str | None = None
    exception: Exemption | None = None
    declared: tuple[DeclaredAt, ...] | None = None
    first_seen: datetime | None = None
    known: bool = False
    input: str = ""
    details: tuple[str, ...] = ()

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The credential and who has it, the more specific one first; the account where the record is about that.

        The id of an access key is its key id, or its user and the moment of its creation where that is not known: a
        report has no key ids, and slots change.
        """
        if self.subject is None or self.subject.arn is None:
            return (Resource("AwsAccount", f"AWS::::Account:{self.account}", self.account),) if self.account else ()
        arn, kind = self.subject.arn, self.subject.kind
        if arn.endswith(":root"):
            name = "the root user" if kind == "root" else self.subject.name
            return (Resource("AwsAccount", f"AWS::::Account:{arn.split(':')[4]}", name),)
        if kind in _OF_THE_ACCOUNT:
            return (Resource("Other", arn, self.subject.name),)
        user = Resource("AwsIamUser", arn, self.subject.user or arn.rpartition("/")[2])
        if kind in _OF_A_USER:
            return Resource("Other", f"{arn}#{kind}/{self.subject.key_id}", self.subject.name), user
        if kind != "access_key":
            return (user,)
        created = iso_utc(self.subject.created_at) if self.subject.created_at else f"slot {self.subject.slot}"
        uid = f"AWS::IAM::AccessKey:{self.subject.key_id}" if self.subject.key_id else f"{arn}#access_key/{created}"
        return Resource("AwsIamAccessKey", uid, self.subject.name), user


_OF_THE_ACCOUNT: Final = frozenset({"server_certificate"})
_OF_A_USER: Final = frozenset({"service_specific_credential", "ssh_public_key"})
"""Of which Security Hub knows no type."""


class Records:
    """The records of one evaluation. Of what is told of one identity twice, the first and worst is told.

    An identity comes twice where the run has several reports of an account: the platform has one place for it.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._rules = {rule.id: rule for rule in evaluation.rules}
        reports = [item for item in evaluation.inputs if item.kind != "account_document"]
        named = Counter(account for item in reports for account in (item.account or "").split(",") if account)
        self._accounts = set(named)
        self._repeated = {account for account, number in named.items() if number > 1}
        self._partitions: dict[str | None, str] = {}

    def all(self) -> Iterator[Record]:
        """Everything that is told: findings, what the baseline says, errors, rules without a subject."""
        told: set[str] = set()
        for record in self._all():
            if record.account in self._repeated:
                if record.uid in told:
                    continue
                told.add(record.uid)
            yield record

    def accounts(self) -> list[str]:
        """The accounts that the run evaluated anything of, as far as it was told, sorted."""
        return sorted(self._accounts)

    def _all(self) -> Iterator[Record]:
        evaluation = self._evaluation
        yield from (self._finding(finding) for finding in evaluation.findings)
        if evaluation.baseline is not None:
            for known in evaluation.baseline.known:
                yield self._finding(known.finding, known.first_seen)
            yield from (self._resolved(gone) for gone in evaluation.baseline.resolved)
        yield from self._errors()
        yield from (self._gap(rule, account) for rule, accounts in evaluation.gaps.items() for account in accounts)

    def _finding(self, finding: Finding, first_seen: datetime | None = None) -> Record:
        subject = finding.subject
        if subject is not None and subject.account:
            self._accounts.add(subject.account)
            self._partitions.setdefault(subject.account, _partition(subject))
        return Record(
            uid=finding.fingerprint,
            told=Told(finding.status.value),
            rule_id=finding.rule,
            rule=self._rules.get(finding.rule),
            severity=None if finding.status is Status.PASS else finding.severity,
            title=self._title(finding.rule),
            message=finding.message,
            reason=finding.reason,
            remediation=finding.remediation,
            account=subject.account if subject is not None else None,
            partition=_partition(subject),
            subject=subject,
            facts=tuple(sorted(finding.facts.items())),
            exemption=finding.exemption_text if finding.status is Status.EXEMPT else None,
            exception=finding.exception,
            declared=finding.declared,
            first_seen=first_seen,
            known=first_seen is not None,
        )

    def _resolved(self, gone: ResolvedFinding) -> Record:
        account = gone.subject.account if gone.subject is not None else None
        return Record(
            uid=gone.fingerprint,
            told=Told.RESOLVED,
            rule_id=gone.rule,
            rule=self._rules.get(gone.rule),
            severity=None,
            title=self._title(gone.rule),
            message=f"Gone since the baseline: {gone.name}.",
            reason="resolved",
            remediation="",
            account=account or self._only_account(),
            partition=_partition(gone.subject) if gone.subject is not None else self._partition_of(account),
            subject=gone.subject,
            first_seen=gone.first_seen,
            known=True,
        )

    def _errors(self) -> Iterator[Record]:
        """One record for each input and kind of error, so that the next run's record has the same identity."""
        groups: dict[tuple[str, str], list[EvaluationError]] = {}
        for error in self._evaluation.errors:
            groups.setdefault((error.input, error.kind), []).append(error)
        worst = max((rule.severity for rule in self._evaluation.rules), default=Severity.CRITICAL)
        for (name, kind), errors in groups.items():
            more = f" And {count_of(len(errors) - 1, 'more problem')} of this kind." if len(errors) > 1 else ""
            for account in self._accounts_of_input(name):
                yield Record(
                    uid=_digest("error", account or "", name, kind),
                    told=Told.ERROR,
                    rule_id="",
                    rule=None,
                    # Whatever the rules look for may be there, unseen.
                    severity=worst,
                    title=f"{name} could not be evaluated in full",
                    message=f"{errors[0].message}{more}",
                    reason=kind,
                    remediation="Repair what the message names, and run keyrules audit again.",
                    account=account,
                    partition=self._partition_of(account),
                    input=name,
                    details=tuple(error.message for error in errors),
                )

    def _gap(self, rule_id: str, account: str) -> Record:
        message = f"The report of account {account} holds nothing from which {rule_id} could judge."
        return Record(
            uid=_digest("gap", account, rule_id),
            told=Told.NOTHING_TO_JUDGE,
            rule_id=rule_id,
            rule=self._rules.get(rule_id),
            severity=None,
            title=self._title(rule_id),
            message=message,
            reason="nothing_to_judge",
            remediation="",
            account=account,
            partition=self._partition_of(account),
        )

    def _title(self, rule_id: str) -> str:
        rule = self._rules.get(rule_id)
        return f"{rule_id} {rule.name}" if rule is not None else rule_id

    def _accounts_of_input(self, name: str) -> Sequence[str | None]:
        """The accounts of an input that is named in an error; None for one that nobody can tell."""
        named = {
            account
            for item in self._evaluation.inputs
            if item.name == name and item.account
            for account in item.account.split(",")
        }
        live = _LIVE_ACCOUNT.fullmatch(name)
        return sorted(named) or ([live[1]] if live else [None])

    def _only_account(self) -> str | None:
        return next(iter(self._accounts)) if len(self._accounts) == 1 else None

    def _partition_of(self, account: str | None) -> str:
        """The partition of an account; of any account of the run where that one has no finding."""
        return self._partitions.get(account) or next(iter(self._partitions.values()), "aws")


def _partition(subject: Subject | None) -> str:
    parts = (subject.arn or "").split(":") if subject is not None else []
    return parts[1] if len(parts) > 1 else "aws"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(["keyrules/1", "live", *parts]).encode("utf-8", "surrogatepass")).hexdigest()


def requirements(evaluation: Evaluation) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """By rule id, the (framework key, control) pairs to cite: of the framework that the run was asked for, if any.

    The rule's part of such a control stands behind it where that is not the whole: `1.12 (partial)`.
    """
    if evaluation.framework is None:
        return evaluation.controls
    cited: dict[str, list[tuple[str, str]]] = {}
    for result in evaluation.framework.controls:
        for part in result.parts:
            relation = "" if part.relation == Relation.IMPLEMENTS.value else f" ({part.relation})"
            cited.setdefault(part.rule, []).append(
                (result.framework or evaluation.framework.key, f"{result.control}{relation}")
            )
    return {rule: tuple(pairs) for rule, pairs in cited.items()}


HOME_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
}
"""Where IAM, which is global in its partition, is at home: the region that its CloudTrail events carry."""


def home_region(partition: str) -> str:
    """The home region of IAM in a partition; that of the standard partition for one that is not known."""
    return HOME_REGIONS.get(partition, HOME_REGIONS["aws"])


def clipped(text: str, limit: int) -> str:
    """Text on one line, of at most `limit` characters; what was cut ends with an ellipsis, after a whole character.

    A character and the marks that combine with it stay together or go together.
    """
    line = printable(text).strip() or "-"
    if len(line) <= limit:
        return line
    end = limit - 1
    while end > 0 and unicodedata.combining(line[end]):
        end -= 1
    return line[:end].rstrip() + "…"
