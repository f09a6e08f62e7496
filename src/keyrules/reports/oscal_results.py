"""OSCAL assessment results of one run: an observation per finding and per rule, a finding per control.

OSCAL knows two states of an objective, satisfied and not-satisfied. Only the verdict `satisfied` becomes the first one;
`partly assessed` and `not assessed` are not-satisfied with the reason `other`, and the property `verdict` and the
remarks say what they are. A run without a framework has its rules as controls.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from keyrules.controls.verdicts import describe
from keyrules.model import ControlResult, Counts, Evaluation, EvaluationError, Finding, Input, Outcome, Rule, Status
from keyrules.reports.evidence import MAPPING_NOTE, PROJECT, declared_sentences, population, results, subject_name
from keyrules.reports.json import Members, laid_out
from keyrules.reports.oscal_component import control_token, derived_uuid, line, metadata, prop, props
from keyrules.reports.report_summary import worst_first
from keyrules.reports.text_style import ReportOptions, count_of, iso_utc

_STATES = {
    Outcome.SATISFIED: ("satisfied", "pass"),
    Outcome.WITH_EXCEPTIONS: ("not-satisfied", "other"),
    Outcome.NOT_SATISFIED: ("not-satisfied", "fail"),
    Outcome.PARTLY_ASSESSED: ("not-satisfied", "other"),
    Outcome.ADVERSE_EVIDENCE: ("not-satisfied", "other"),
    Outcome.CLEAN_EVIDENCE: ("not-satisfied", "other"),
    Outcome.NOT_ASSESSED: ("not-satisfied", "other"),
}


MOST = 5_000
"""Findings in one document: more than these no reader of OSCAL takes."""


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The evaluation as OSCAL JSON; `options` change nothing. All times are the evaluation's `as_of`.

    Of too many findings the worst have observations of their own, and the remarks say how many are left out.
    """
    del options
    return laid_out(Members([("assessment-results", Members(_Document(evaluation).build().items()))]))


class _Document:
    """Builds one document; `_seed` makes its UUIDs those of this evaluation and of no other."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        all_of_them = evaluation.findings if len(evaluation.findings) <= MOST else worst_first(evaluation.findings)
        self._findings = list(islice(all_of_them, MOST))
        self._moment = iso_utc(evaluation.as_of)
        self._key = evaluation.framework.key if evaluation.framework is not None else ""
        self._several = evaluation.framework is not None and evaluation.framework.several
        self._controls = results(evaluation)
        self._seed = derived_uuid(
            [evaluation.pack.sha256, evaluation.plane.value, self._moment, self._key],
            [[item.name, item.sha256] for item in evaluation.inputs],
            [[item.fingerprint, item.status.value, item.message] for item in self._findings],
            [[item.input, item.kind, item.message] for item in evaluation.errors],
            [[each.control, each.outcome.value, each.reason] for each in self._controls],
        )
        self._plan = self._uuid("plan")

    def build(self) -> dict[str, Any]:
        """The assessment results."""
        plane = self._evaluation.plane.value
        return {
            "uuid": self._uuid("document"),
            "metadata": metadata(f"keyrules evidence, {plane} plane", self._moment, self._evaluation.pack),
            "import-ap": {"href": f"#{self._plan}"},
            "results": iter([Members(self._result().items())]),
            "back-matter": {
                "resources": [
                    self._plan_resource(),
                    *(self._input(*each) for each in enumerate(self._evaluation.inputs)),
                ]
            },
        }

    def _result(self) -> dict[str, Any]:
        evaluation, framework = self._evaluation, self._evaluation.framework
        observations = [self._of_rule(rule) for rule in evaluation.rules]
        observations += [self._of_finding(index, finding) for index, finding in enumerate(self._findings)]
        observations += [self._of_error(index, error) for index, error in enumerate(evaluation.errors)]
        items = self._items()
        counted = {noun.replace(" ", "-"): number for number, noun in population(evaluation)}
        notes = [
            *(framework.notes if framework is not None else ()),
            *evaluation.warnings,
            *evaluation.notes,
            *self._left_out(),
            MAPPING_NOTE,
        ]
        return {
            "uuid": self._uuid("result"),
            "title": line(framework.name if framework is not None else "The rules of keyrules"),
            "description": f"Evaluated on the {evaluation.plane.value} plane: {describe(evaluation.counts)}.",
            "start": self._moment,
            "end": self._moment,
            "props": [prop(name, str(number)) for name, number in counted.items()],
            **({"local-definitions": {"inventory-items": items}} if items else {}),
            "reviewed-controls": {"control-selections": [self._selection()]},
            **({"observations": iter(observations)} if observations else {}),
            **({"findings": map(self._finding, self._controls)} if self._controls else {}),
            "remarks": "\n\n".join(line(note) for note in notes),
        }

    def _left_out(self) -> list[str]:
        number = len(self._evaluation.findings) - len(self._findings)
        if not number:
            return []
        more = count_of(number, "finding has no observation", "findings have no observation")
        return [f"{more} here, because the document has room for the {MOST:,} worst; --format json lists all."]

    def _selection(self) -> dict[str, Any]:
        tokens = [control_token(control.framework or self._key, control.control) for control in self._controls]
        if not tokens:
            return {"description": "No rule ran.", "include-all": {}}
        return {"include-controls": [{"control-id": token} for token in dict.fromkeys(tokens)]}

    def _finding(self, control: ControlResult) -> dict[str, Any]:
        state, reason = _STATES[control.outcome]
        rules = {part.rule for part in control.parts}
        related = [self._uuid("rule", rule.id) for rule in self._evaluation.rules if rule.id in rules]
        related += [self._uuid("finding", index) for index, item in enumerate(self._findings) if item.rule in rules]
        related += [self._uuid("error", index) for index in range(len(self._evaluation.errors))]
        relations = [prop("relation", f"{part.rule} {part.relation} {part.bound}") for part in control.parts]
        return {
            "uuid": self._uuid("control", *([control.framework] if self._several else []), control.control),
            "title": line(f"{control.control} {control.title}"),
            "description": line(control.reason),
            "props": [
                *props(
                    framework=control.framework or self._key, control=control.control, verdict=control.outcome.value
                ),
                *props(exceptions=control.exceptions),
                *relations,
            ],
            "target": {
                "type": "objective-id",
                "target-id": control_token(control.framework or self._key, control.control),
                "status": {"state": state, "reason": reason, "remarks": line(control.outcome.value)},
            },
            **({"related-observations": [{"observation-uuid": each} for each in related]} if related else {}),
            **({"remarks": "\n\n".join(map(line, control.rest))} if control.rest else {}),
        }

    def _of_rule(self, rule: Rule) -> dict[str, Any]:
        counts = self._evaluation.rule_counts.get(rule.id, Counts())
        return {
            "uuid": self._uuid("rule", rule.id),
            "title": line(f"{rule.id} {rule.name}"),
            "description": f"{rule.id}: {describe(counts)}.",
            "props": props(
                Rule_Id=rule.id,
                severity=rule.severity.name,
                passed=counts.passed,
                failed=counts.failed,
                exempt=counts.exempt,
                unknown=counts.unknown,
            ),
            "methods": ["TEST"],
            "types": ["finding"],
            "collected": self._moment,
        }

    def _of_finding(self, index: int, finding: Finding) -> dict[str, Any]:
        return {
            "uuid": self._uuid("finding", index),
            "title": line(f"{finding.rule} {finding.status.value}: {subject_name(finding)}"),
            "description": line(finding.message),
            "props": props(
                Rule_Id=finding.rule,
                status=finding.status.value,
                severity=finding.severity.name,
                reason=finding.reason,
                fingerprint=finding.fingerprint,
                exemption=finding.exemption_text if finding.status is Status.EXEMPT else None,
            ),
            "methods": ["TEST"],
            "types": ["finding"],
            "subjects": [{"subject-uuid": self._item_uuid(finding), "type": "inventory-item"}],
            "collected": self._moment,
            **({"remarks": line(finding.remediation)} if finding.remediation else {}),
        }

    def _of_error(self, index: int, error: EvaluationError) -> dict[str, Any]:
        return {
            "uuid": self._uuid("error", index),
            "title": line(f"Could not be evaluated: {error.input}"),
            "description": line(error.message),
            "props": props(status="ERROR", input=error.input, kind=error.kind),
            "methods": ["TEST"],
            "collected": self._moment,
        }

    def _items(self) -> list[dict[str, Any]]:
        """Each subject of the findings once, as an inventory item."""
        items: dict[str, dict[str, Any]] = {}
        for finding in self._findings:
            item_uuid = self._item_uuid(finding)
            about = [*_identity(finding), *_declared(finding)]
            items.setdefault(item_uuid, {"uuid": item_uuid, "description": line(subject_name(finding)), "props": about})
        return list(items.values())

    def _item_uuid(self, finding: Finding) -> str:
        return self._uuid("item", subject_name(finding), _identity(finding))

    def _input(self, index: int, item: Input) -> dict[str, Any]:
        generated = iso_utc(item.generated_at) if item.generated_at is not None else None
        return {
            "uuid": self._uuid("input", index),
            "title": line(item.name),
            "description": "An input of the run.",
            "props": props(kind=item.kind, sha256=item.sha256, account=item.account, generated_at=generated),
        }

    def _plan_resource(self) -> dict[str, Any]:
        """What stands for an assessment plan: the rule pack, which says what is looked at and when it holds."""
        rules = " ".join(rule.id for rule in self._evaluation.rules)
        return {
            "uuid": self._plan,
            "title": "The keyrules rule pack",
            "description": f"Rules that were run: {rules or 'none'}.",
            "props": props(pack_version=self._evaluation.pack.version, pack_sha256=self._evaluation.pack.sha256),
            "rlinks": [{"href": PROJECT}],
        }

    def _uuid(self, *content: Any) -> str:
        return derived_uuid(self._seed, *content)


def _declared(finding: Finding) -> list[dict[str, str]]:
    return [prop("declared", sentence) for sentence in declared_sentences(finding)]


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
