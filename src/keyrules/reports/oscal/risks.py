"""The risks of a run, and the plan of action and milestones that mends them.

What fails is an open risk, what an exception accepts an approved deviation with the end of the exception as deadline,
what a skip comment accepts a deviation that somebody requests, what could not be judged a risk to investigate. A risk
without an exception is to be gone within the time that FedRAMP gives its impact; the organization may know better.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from keyrules.model import Status
from keyrules.reports.oscal.observed import Group, Observed, impact_facets, origin
from keyrules.reports.oscal.parts import FEDRAMP, TOOL, Heading, derived_uuid, line, props, resource, some
from keyrules.reports.text_style import advice_for, count_of, first_sentence, iso_utc

_STEP = re.compile(r"(?:^|(?<=\s))[0-9]+\.\s+")


def risks(observed: Observed) -> Iterator[dict[str, Any]]:
    """The risks of everything that does not pass."""
    for group in observed.groups:
        uuid = observed.risk_of(group)
        if uuid is not None:
            yield _risk(observed, group, uuid)


def poam(observed: Observed, heading: Heading) -> dict[str, Any]:
    """The plan of action and milestones: an item for each risk, with what it rests on."""
    groups = [group for group in observed.groups if observed.risk_of(group) is not None]
    items = [_item(observed, group, str(observed.risk_of(group))) for group in groups]
    plan = system_security_plan()
    return {
        "plan-of-action-and-milestones": {
            "uuid": derived_uuid(observed.seed, "poam", heading.version, heading.moment),
            "metadata": heading.metadata("keyrules: plan of action and milestones"),
            "import-ssp": {"href": f"#{plan['uuid']}"},
            **some(
                local_definitions=some(
                    components=[*observed.components(), tool(heading)],
                    inventory_items=observed.items(groups),
                ),
                observations=[observed.observation(group) for group in groups],
                risks=list(risks(observed)),
            ),
            "poam-items": items or [_nothing(observed)],
            "back-matter": {"resources": [plan, *observed.inputs()]},
        }
    }


def system_security_plan() -> dict[str, Any]:
    """The resource that stands for what the organization has to bring."""
    return resource(
        "system-security-plan",
        "The system security plan of the organization",
        "system-security-plan.json",
        "application/json",
        description="Not written by keyrules: put it beside this file, or its address here.",
    )


def tool(heading: Heading, more: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """keyrules as a component; `more` are properties beside its version."""
    return {
        "uuid": TOOL,
        "type": "software",
        "title": "keyrules",
        "description": "The rule pack and the command that evaluates it.",
        "props": [{"name": "version", "value": heading.stamp.version}, *more],
        "status": {"state": "operational"},
    }


def _risk(observed: Observed, group: Group, uuid: str) -> dict[str, Any]:
    deadline = observed.deadline(group)
    advice = advice_for(observed.evaluation.plane, group.rule.remediation)
    return {
        "uuid": uuid,
        "title": line(_title(group)),
        "description": line(group.rule.rationale.partition("\n")[0]),
        "statement": line(f"{group.rule.name}: {_WORDS[group.status].format(_number(group))}."),
        "status": _status(group),
        "props": _reference(group),
        "origins": [origin()],
        "characterizations": [{"origin": origin(), "facets": impact_facets(group)}],
        "deadline": iso_utc(deadline),
        "remediations": [
            {
                "uuid": derived_uuid(uuid, "recommendation"),
                "lifecycle": "recommendation",
                "title": line(first_sentence(advice)),
                "description": line(advice),
                "origins": [origin()],
            },
            {
                "uuid": derived_uuid(uuid, "planned"),
                "lifecycle": "planned",
                "title": line(f"Mend {group.rule.id}"),
                "description": "Proposed by keyrules from the steps that the rule advises; the organization plans.",
                "origins": [origin()],
                "tasks": list(_milestones(observed, uuid, advice, deadline)),
            },
        ],
        "risk-log": {"entries": [_entry(observed, group, uuid)]},
        "related-observations": [{"observation-uuid": observed.of_group(group)}],
    }


_WORDS = {
    Status.FAIL: "not so for {}",
    Status.EXEMPT: "not so for {}, which is accepted",
    Status.UNKNOWN: "not known for {}, which could not be judged",
}


def _milestones(observed: Observed, uuid: str, advice: str, deadline: datetime) -> Iterator[dict[str, Any]]:
    days = {"start": iso_utc(min(observed.evaluation.as_of, deadline)), "end": iso_utc(deadline)}
    for index, step in enumerate(steps(advice)):
        yield {
            "uuid": derived_uuid(uuid, "milestone", index),
            "type": "milestone",
            "title": line(first_sentence(step)),
            "description": line(step),
            "timing": {"within-date-range": days},
        }


def steps(advice: str) -> list[str]:
    """The numbered steps of an advice; the whole of it where it has none."""
    _, *numbered = _STEP.split(advice)
    return [step.strip() for step in numbered if step.strip()] or [advice]


def _status(group: Group) -> str:
    if group.status is Status.EXEMPT:
        return "deviation-approved" if group.exception is not None else "deviation-requested"
    return "open" if group.status is Status.FAIL else "investigating"


def _reference(group: Group) -> list[dict[str, str]]:
    """Rule and account, and the exception as its entry has it."""
    found = props(rule=group.rule.id, account=group.account)
    if group.exception is not None:
        entry = group.exception
        found += props(
            deviation_reference=entry.ticket,
            exception=entry.place,
            exception_subject=entry.subject,
            exception_owner=entry.owner,
            exception_reason=entry.reason,
            exception_expires=entry.expires.isoformat(),
        )
    elif group.exemption:
        found += props(exception_reason=group.exemption)
    return found


def _entry(observed: Observed, group: Group, uuid: str) -> dict[str, Any]:
    happened = {
        "open": "Found by keyrules",
        "investigating": "Could not be judged by keyrules",
        "deviation-approved": "The exception was in force when keyrules ran",
        "deviation-requested": "The code asks to skip the rule when keyrules ran",
    }
    status = _status(group)
    return {
        "uuid": derived_uuid(observed.seed, uuid, "log"),
        "title": happened[status],
        "start": observed.moment,
        "status-change": status,
        "props": _reference(group),
    }


def _item(observed: Observed, group: Group, risk: str) -> dict[str, Any]:
    names = " ".join(line(each.message) for each in group.findings[:3])
    more = len(group.findings) - 3
    return {
        "uuid": derived_uuid(risk, "item"),
        "title": line(_title(group)),
        "description": line(names + (f" And {more:,} more, which the observation lists." if more > 0 else "")),
        "props": [{"name": "POAM-ID", "ns": FEDRAMP, "value": f"{group.rule.id}-{risk[:8]}"}, *_reference(group)],
        "origins": [origin()],
        "related-observations": [{"observation-uuid": observed.of_group(group)}],
        "related-risks": [{"risk-uuid": risk}],
    }


def _nothing(observed: Observed) -> dict[str, Any]:
    """OSCAL has no plan of action without an item."""
    errors = len(observed.evaluation.errors)
    unread = f" {count_of(errors, 'input')} could not be evaluated, which the results name." if errors else ""
    listed = observed.left_out()
    said = listed or ["keyrules found nothing that fails, is accepted or could not be judged."]
    return {
        "uuid": derived_uuid(observed.seed, "nothing"),
        "title": "Nothing is listed" if listed or unread else "Nothing to mend",
        "description": f"{said[0]}{unread}",
        "origins": [origin()],
    }


def _title(group: Group) -> str:
    where = f" in {group.account}" if group.account else ""
    until = f", accepted until {group.exception.expires.isoformat()}" if group.exception is not None else ""
    return f"{group.rule.id} {group.rule.name}: {_number(group)}{where}{until}"


def _number(group: Group) -> str:
    return count_of(len(group.findings), "subject")
