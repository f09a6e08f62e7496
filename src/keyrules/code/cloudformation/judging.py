"""From an opinion on one key to verdicts on all of them, the same way for every rule on AWS::IAM::AccessKey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keyrules.code.cloudformation.conditions import Conditions
from keyrules.code.cloudformation.template import Block, Template
from keyrules.code.cloudformation.view import CloudFormationView, TemplateFile
from keyrules.code.verdict import Context, Verdict
from keyrules.model import FactValue, Status, TraceStep

_LOOPED = " The loop that declares it runs over values that only a deployment knows; it is judged as one key."


@dataclass(frozen=True)
class Opinion:
    """What a rule says of one key. `trace` holds (label, line) of the key's own file."""

    status: Status
    reason: str
    message: str
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    trace: tuple[tuple[str, int], ...] = ()


Judge = Callable[[Block], Opinion]


def verdicts(
    view: CloudFormationView, context: Context, judge_of: Callable[[Template, Conditions], Judge]
) -> list[Verdict]:
    """One verdict on each declared key, in the order of files and lines.

    `judge_of` prepares the judgement of one template. A key whose condition no parameter values can meet is never
    created and passes; the keys of a file that cannot be read are UNKNOWN, by name.
    """
    found: list[Verdict] = []
    for file in view.files:
        if file.template is not None and file.access_keys:
            conditions = Conditions(file.template)
            judge = judge_of(file.template, conditions)
            for key in file.access_keys:
                opinion = judge(key) if conditions.can_coexist(key) else _never_created(key)
                found.append(_verdict(context, file, key, opinion))
        for place in file.unread:
            found.append(
                Verdict(
                    rule=context.rule.id,
                    status=Status.UNKNOWN,
                    path=file.path,
                    address=file.address(place.logical_id),
                    start_line=place.start_line,
                    end_line=place.end_line,
                    reason="template_unreadable",
                    message=f"{place.logical_id or 'An access key'} cannot be judged: {place.why or file.problem}.",
                )
            )
    return found


def _never_created(key: Block) -> Opinion:
    message = f"{key.logical_id} is never created: no parameter values meet its condition {key.condition}."
    return Opinion(Status.PASS, "never_created", message)


def _verdict(context: Context, file: TemplateFile, key: Block, opinion: Opinion) -> Verdict:
    return Verdict(
        rule=context.rule.id,
        status=opinion.status,
        path=file.path,
        address=file.address(key.logical_id),
        start_line=key.start_line,
        end_line=key.end_line,
        reason=opinion.reason,
        message=opinion.message + (_LOOPED if key.looped else ""),
        facts=opinion.facts,
        trace=tuple(TraceStep(label, file.path, line) for label, line in opinion.trace),
    )
