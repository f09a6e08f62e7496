"""What a run saw, as OSCAL has it: observations of groups of credentials, the credentials, and the risks of groups.

The credentials that one rule treats alike in one account (they fail, they pass, an exception accepts them) are subjects
of one observation, because that is what Compliance-to-Policy writes, and because FedRAMP's checks take one observation
for each risk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta, timezone
from itertools import chain, islice
from typing import Any, NamedTuple

from keyrules.controls.verdicts import describe
from keyrules.findings import findings_of, tally_of
from keyrules.model import Counts, Evaluation, Exemption, Finding, Input, Plane, Rule, Severity, Status
from keyrules.records import dataclass
from keyrules.reports.evidence import declared_sentences, subject_name
from keyrules.reports.oscal.parts import NAMESPACE, TOOL, derived_uuid, line, prop, props, some, trestle
from keyrules.reports.report_summary import not_listed, worst_first
from keyrules.reports.text_style import count_of, iso_utc

MOST = 5_000
"""Credentials in one document: more than these no reader of OSCAL takes."""

_RESULTS = {Status.PASS: "pass", Status.FAIL: "fail", Status.EXEMPT: "fail", Status.UNKNOWN: "error"}
_IMPACTS = {
    Severity.CRITICAL: "high",
    Severity.HIGH: "high",
    Severity.MEDIUM: "moderate",
    Severity.LOW: "low",
}
_DAYS = {"high": 30, "moderate": 90, "low": 180}
"""How long FedRAMP gives to mend a weakness of an impact
(https://github.com/GSA/fedramp-automation/blob/c784140/src/validations/rules/rev5/poam.sch)."""


class EvidenceFile(NamedTuple):
    """A file in which an input of the run is kept: `href` is relative to the documents, `sha256` that of its bytes."""

    href: str
    sha256: str
    media_type: str


@dataclass(frozen=True)
class Group:
    """The findings of one rule and status in one account, and under one exception where they are EXEMPT.

    `exemption` is the text of an exemption that no exceptions file has.
    """

    rule: Rule
    account: str
    status: Status
    exception: Exemption | None
    exemption: str
    findings: tuple[Finding, ...]

    @property
    def identity(self) -> list[str]:
        """What tells the group from the others of a run; that of an exception is the same wherever its entry stands."""
        accepted = _terms(self.exception) if self.exception is not None else [self.exemption]
        return [self.rule.id, self.account, self.status.value, *accepted]

    @property
    def impact(self) -> str:
        """What FedRAMP calls the severity."""
        return _IMPACTS[self.rule.severity]


class Observed:
    """The observations of an evaluation. `seed` makes UUIDs those of this run and of no other."""

    def __init__(self, evaluation: Evaluation, evidence: Mapping[str, EvidenceFile]) -> None:
        self.evaluation = evaluation
        self._evidence = evidence
        self.moment = iso_utc(evaluation.as_of)
        self._rules = {rule.id: rule for rule in evaluation.rules}
        known = evaluation.baseline.known if evaluation.baseline is not None else ()
        self._first_seen = {each.finding.fingerprint: each.first_seen for each in known}
        self.groups = self._grouped()
        self.seed = derived_uuid(
            [evaluation.pack.sha256, evaluation.plane.value, self.moment],
            [[item.name, item.sha256] for item in evaluation.inputs],
            [[*group.identity, [[each.fingerprint, each.message] for each in group.findings]] for group in self.groups],
            [[item.input, item.kind, item.message] for item in evaluation.errors],
            [[rule, repr(counts)] for rule, counts in sorted(evaluation.rule_counts.items())],
        )

    def _grouped(self) -> list[Group]:
        findings = worst_first(self.evaluation.findings)
        known = self.evaluation.baseline.known if self.evaluation.baseline is not None else ()
        listed = chain(
            findings_of(findings, (Status.FAIL, Status.UNKNOWN, Status.EXEMPT)),
            (each.finding for each in known),
            findings_of(findings, (Status.PASS,)),
        )
        groups: dict[tuple[str, ...], list[Finding]] = {}
        for finding in islice((each for each in listed if each.rule in self._rules), MOST):
            account = finding.subject.account if finding.subject is not None else None
            waived = finding.status is Status.EXEMPT and finding.exception is None
            text = (finding.exemption or "") if waived else ""
            accepted = _terms(finding.exception) if finding.exception is not None else []
            groups.setdefault((finding.rule, account or "", finding.status.value, text, *accepted), []).append(finding)
        return [
            Group(self._rules[rule], account, own[0].status, own[0].exception, text, tuple(own))
            for (rule, account, _, text, *_), own in sorted(groups.items())
        ]

    def left_out(self) -> list[str]:
        """What the documents do not hold, in a sentence; empty where they hold all."""
        known = self.evaluation.baseline.known if self.evaluation.baseline is not None else ()
        of_rules = (number for (rule, *_), number in tally_of(self.evaluation.findings).items() if rule in self._rules)
        number = sum(of_rules) + sum(each.finding.rule in self._rules for each in known) + not_listed(self.evaluation)
        number -= sum(len(group.findings) for group in self.groups)
        if not number:
            return []
        more = count_of(number, "finding is", "findings are")
        if not self.groups:
            return [f"{more} not listed here, because the run only counted."]
        return [f"{more} left out here, because the document has room for the {MOST:,} worst; --format json lists all."]

    def of_group(self, group: Group) -> str:
        """The UUID of the observation of a group."""
        return derived_uuid(self.seed, "group", group.identity)

    def of_rule(self, rule: Rule) -> str:
        """The UUID of the observation of what a rule counted."""
        return derived_uuid(self.seed, "rule", rule.id)

    def risk_of(self, group: Group) -> str | None:
        """The UUID of the risk that a group is; None where it passes. In an account it is that of every run."""
        if group.status is Status.PASS:
            return None
        ours = [group.account] if group.account else [self.seed]
        return derived_uuid("risk", ours, group.identity)

    def observations(self, tasks: bool) -> Iterator[dict[str, Any]]:
        """All of them: what each rule counted, each group, each error. `tasks` says whether a plan holds the tasks."""
        for rule in self.evaluation.rules:
            yield self._counted(rule, tasks)
        for group in self.groups:
            yield self.observation(group, tasks)
        for index, error in enumerate(self.evaluation.errors):
            yield {
                "uuid": derived_uuid(self.seed, "error", index),
                "title": line(f"Could not be evaluated: {error.input}"),
                "description": line(error.message),
                "props": props(status="ERROR", input=error.input, kind=error.kind),
                "methods": ["TEST"],
                "types": ["finding"],
                "origins": [origin()],
                "collected": self.moment,
            }

    def _counted(self, rule: Rule, tasks: bool) -> dict[str, Any]:
        counts = self.evaluation.rule_counts.get(rule.id, Counts())
        return {
            "uuid": self.of_rule(rule),
            "title": line(f"{rule.id}: all verdicts"),
            "description": line(f"{rule.name}: {describe(counts)}."),
            "props": [
                *trestle(assessment_rule_id=rule.id, assessment_check_id=rule.id),
                *props(
                    severity=rule.severity.name,
                    passed=counts.passed,
                    failed=counts.failed,
                    exempt=counts.exempt,
                    unknown=counts.unknown,
                    known=counts.known,
                ),
            ],
            "methods": ["TEST"],
            "types": ["finding", "control-objective"],
            "origins": [origin(rule.id if tasks else "")],
            "collected": self.moment,
        }

    def observation(self, group: Group, tasks: bool = False) -> dict[str, Any]:
        """What a rule found of one kind in one account, with the credentials as subjects."""
        passes = group.status is Status.PASS
        where = f" in {group.account}" if group.account else ""
        accepted = f" Accepted: {group.findings[0].exemption_text}." if group.status is Status.EXEMPT else ""
        number = count_of(len(group.findings), "subject")
        evidence = [
            {"href": f"#{self._input_uuid(each)}", "description": "What was read."} for each in self._read(group)
        ]
        return {
            "uuid": self.of_group(group),
            "title": line(f"{group.rule.id} {group.status.value}{where}"),
            "description": line(f"{group.rule.name}: {group.status.value} for {number}{where}.{accepted}"),
            "props": [
                *trestle(assessment_rule_id=group.rule.id, assessment_check_id=group.rule.id),
                *props(status=group.status.value, severity=group.rule.severity.name, account=group.account),
            ],
            "methods": ["TEST"],
            "types": ["finding", "control-objective"] if passes else ["finding", "discovery", "control-objective"],
            "origins": [origin(group.rule.id if tasks else "")],
            "subjects": [self._subject(each) for each in group.findings],
            **some(relevant_evidence=evidence),
            "collected": self.moment,
        }

    def _subject(self, finding: Finding) -> dict[str, Any]:
        name = subject_name(finding)
        arn = finding.subject.arn if finding.subject is not None else None
        first_seen = self._first_seen.get(finding.fingerprint)
        facts = [prop("fact", f"{each}={value}") for each, value in finding.facts.items() if value is not None]
        return {
            "subject-uuid": self.item_uuid(finding),
            "type": "inventory-item",
            "title": line(name),
            "props": [
                *trestle(
                    resource_id=arn or _place(finding),
                    result=_RESULTS[finding.status],
                    evaluated_on=self.moment,
                    reason=finding.message,
                    **({"waived": "true"} if finding.status is Status.EXEMPT else {}),
                ),
                *props(
                    status=finding.status.value,
                    reason_id=finding.reason,
                    fingerprint=finding.fingerprint,
                    first_seen=iso_utc(first_seen) if first_seen is not None else None,
                ),
                *facts,
            ],
            **(
                {"remarks": line(finding.remediation)}
                if finding.remediation and finding.status is not Status.PASS
                else {}
            ),
        }

    def _read(self, group: Group) -> list[Input]:
        """The inputs that a group rests on: those of its account, or in code the files and folders of its places."""
        inputs = self.evaluation.inputs
        if self.evaluation.plane is Plane.LIVE:
            return [item for item in inputs if group.account and group.account in (item.account or "").split(",")]
        paths = {finding.location.path for finding in group.findings if finding.location is not None}
        return [item for item in inputs if item.name in paths or any(_within(path, item.name) for path in paths)]

    def components(self) -> list[dict[str, Any]]:
        """What was assessed: the IAM service of each account, or the code."""
        accounts = dict.fromkeys(group.account for group in self.groups)
        return [
            {
                "uuid": self._component_uuid(account),
                "type": "service" if account else "software",
                "title": f"AWS IAM of account {line(account)}" if account else "The code that was read",
                "description": "What was assessed.",
                "props": props(account=account) or props(plane=self.evaluation.plane.value),
                "status": {"state": "operational"},
            }
            for account in accounts
        ]

    def items(self, groups: Sequence[Group]) -> list[dict[str, Any]]:
        """The credentials and places of the groups, each once."""
        items: dict[str, dict[str, Any]] = {}
        for group in groups:
            for finding in group.findings:
                item_uuid = self.item_uuid(finding)
                arn = finding.subject.arn if finding.subject is not None else None
                items.setdefault(
                    item_uuid,
                    {
                        "uuid": item_uuid,
                        "description": line(subject_name(finding)),
                        "props": [
                            {"name": "asset-id", "value": line(arn or _place(finding))},
                            *_identity(finding),
                            *(prop("declared", sentence) for sentence in declared_sentences(finding)),
                        ],
                        "implemented-components": [{"component-uuid": self._component_uuid(group.account)}],
                    },
                )
        return list(items.values())

    def _component_uuid(self, account: str) -> str:
        return derived_uuid("account", account) if account else derived_uuid(self.seed, "code")

    def item_uuid(self, finding: Finding) -> str:
        """The UUID of a credential, which is that of every run, or of a place in this run's code."""
        whole = finding.subject is not None and finding.subject.account
        return derived_uuid("item" if whole else self.seed, subject_name(finding), _identity(finding))

    def inputs(self) -> list[dict[str, Any]]:
        """The inputs as resources, with the file and the hash where one is kept."""
        return [self._input(item) for item in dict.fromkeys(self.evaluation.inputs)]

    def _input(self, item: Input) -> dict[str, Any]:
        kept = self._evidence.get(item.name)
        generated = iso_utc(item.generated_at) if item.generated_at is not None else None
        hashes = [{"algorithm": "SHA-256", "value": kept.sha256}] if kept is not None else []
        links = [{"href": kept.href, "media-type": kept.media_type, "hashes": hashes}] if kept is not None else []
        return {
            "uuid": self._input_uuid(item),
            "title": line(item.name),
            "description": "An input of the run.",
            "props": [
                {"name": "type", "value": "evidence"},
                *props(kind=item.kind, sha256=item.sha256, account=item.account, generated_at=generated),
            ],
            **some(rlinks=links),
        }

    def _input_uuid(self, item: Input) -> str:
        return derived_uuid(self.seed, "input", item.name, item.kind, item.sha256, item.account)

    def deadline(self, group: Group) -> datetime:
        """By when a risk is to be gone: the end of its exception, or the time that FedRAMP gives from its first sight.

        One second less than that, because its check asks for less.
        """
        if group.exception is not None:
            return datetime.combine(group.exception.expires, time(23, 59, 59), timezone.utc)
        seen = [self._first_seen.get(each.fingerprint, self.evaluation.as_of) for each in group.findings]
        return min(seen) + timedelta(days=_DAYS[group.impact], seconds=-1)


def origin(task: str = "") -> dict[str, Any]:
    """Who says it: the tool, in the task of a rule of the plan."""
    related = [{"task-uuid": task_uuid(task)}] if task else []
    return {"actors": [{"type": "tool", "actor-uuid": TOOL}], **some(related_tasks=related)}


def task_uuid(rule: str) -> str:
    """The UUID of the plan's task that runs a rule."""
    return derived_uuid("task", rule)


def impact_facets(group: Group) -> list[dict[str, Any]]:
    """How bad a group is, as FedRAMP and as the rule pack have it."""
    return [
        {"name": "impact", "system": "https://fedramp.gov", "value": group.impact},
        {"name": "severity", "system": NAMESPACE, "value": group.rule.severity.name.lower()},
    ]


def _terms(exception: Exemption) -> list[str]:
    """What an entry of an exceptions file says, wherever in the file it stands."""
    ticket, expires = exception.ticket or "", exception.expires.isoformat()
    return [exception.subject, exception.owner, exception.reason, ticket, expires]


def _within(path: str, folder: str) -> bool:
    return folder in (".", "") or path.startswith(f"{folder.rstrip('/')}/")


def _place(finding: Finding) -> str:
    if finding.location is not None:
        return f"{finding.location.path}:{finding.location.start_line} {finding.location.address}"
    return subject_name(finding)


def _identity(finding: Finding) -> list[dict[str, str]]:
    """What tells a subject from every other one."""
    subject, location = finding.subject, finding.location
    if location is not None:
        return props(path=location.path, line=location.start_line, address=location.address)
    if subject is None:
        return props(rule=finding.rule)
    created = iso_utc(subject.created_at) if subject.created_at is not None else None
    return props(
        kind=subject.kind,
        account=subject.account,
        arn=subject.arn,
        user=subject.user,
        slot=subject.slot,
        key_id=subject.key_id,
        owner=subject.owner,
        created_at=created,
    )
