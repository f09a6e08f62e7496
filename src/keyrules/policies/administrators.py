"""Decides whether the policies of a user make it an administrator: allowed every action on every resource.

AWS's evaluation says how statements come together: what no statement allows is denied, an explicit Deny beats every
Allow, the policies of a user and of its groups are one set, and a permissions boundary grants nothing and takes away
all that it does not allow. Organisation policies show in no configuration and in no account's own answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from keyrules.policies.document import Statement
from keyrules.policies.patterns import HOLE, covers, filled, is_every_action, is_every_resource, meet
from keyrules.policies.policy import Answer, Decision, Policy, under_condition
from keyrules.records import dataclass, replace

_EVERYTHING = "every action on every resource"


def administrator(policies: Iterable[Policy], boundary: Policy | None = None) -> Decision:
    """Whether a user with these policies, its groups' included, is allowed every action on every resource.

    A boundary that allows less makes YES and UNKNOWN CONDITIONAL; one that is not known changes nothing and is named.
    """
    decision = _without_boundary(policies)
    if boundary is None or decision.answer in (Answer.NO, Answer.CONDITIONAL):
        return decision
    within = _without_boundary([boundary])
    if within.answer is Answer.YES:
        return decision
    if within.answer is Answer.UNKNOWN:
        return replace(decision, because=f"{decision.because}; whether {boundary.name} limits this is not known here")
    why = f"{decision.because}; {boundary.name}, which does not allow all of this, limits it"
    return Decision(Answer.CONDITIONAL, why, decision.by)


@dataclass(frozen=True)
class _Grant:
    """What a statement allows on every resource: `actions`, or all but these when `besides`."""

    policy: Policy
    statement: Statement
    actions: Sequence[str]
    besides: bool


_Found: TypeAlias = tuple[Policy, Statement]


def _without_boundary(policies: Iterable[Policy]) -> Decision:
    sure: list[_Grant] = []
    open_: list[_Grant] = []
    conditional: list[_Grant] = []
    unread: Policy | None = None
    barred: _Found | None = None
    limited = False
    for policy in policies:
        content = policy.content
        if content.problem:
            unread = unread or policy
        for statement in content.statements:
            if statement.allow is False:
                if not _denies_everything(statement):
                    limited = True
                elif statement.conditional is False:
                    return Decision(Answer.NO, f"{policy.name} denies everything{_but(statement)}", policy)
                else:
                    barred = barred or (policy, statement)
            elif (grant := _granted(policy, statement)) is not None:
                grants = conditional if statement.conditional else sure if _is_sure(grant) else open_
                grants.append(grant)
    if grant := _whole(sure):
        why = f"{grant.policy.name} allows {_EVERYTHING}"
        if barred:
            why = f"{why}, and {barred[0].name} denies it{under_condition(barred[1])}"
            return Decision(Answer.CONDITIONAL, why, grant.policy)
        return Decision(Answer.YES, why + ", limited by Deny" * limited, grant.policy)
    if grant := _whole([*open_, *sure]):
        why = f"whether {grant.policy.name} allows {_EVERYTHING} cannot be told from what is known here"
        return Decision(Answer.UNKNOWN, why, grant.policy)
    if unread:
        return Decision(Answer.UNKNOWN, f"{unread.name} {unread.content.problem}", unread)
    if grant := _whole([*conditional, *open_, *sure]):
        why = f"{grant.policy.name} allows {_EVERYTHING}{under_condition(grant.statement)}"
        return Decision(Answer.CONDITIONAL, why, grant.policy)
    return Decision(Answer.NO, f"no policy allows {_EVERYTHING}")


def _granted(policy: Policy, statement: Statement) -> _Grant | None:
    """What an Allow gives on every resource, whatever matches most in its holes."""
    if statement.elsewhere or not any(map(is_every_resource, filled(statement.resources))):
        return None
    known = [action for action in statement.actions if HOLE not in action]
    return _Grant(policy, statement, known if statement.besides else filled(statement.actions), statement.besides)


def _is_sure(grant: _Grant) -> bool:
    """Whether nothing of a grant rests on what is not known."""
    stated = grant.statement
    known = stated.allow is not None and stated.conditional is not None
    return (
        known and not any(HOLE in action for action in stated.actions) and any(map(is_every_resource, stated.resources))
    )


def _whole(grants: Sequence[_Grant]) -> _Grant | None:
    """The first grant of every action; or of all but some, which the others allow."""
    listed = [action for grant in grants if not grant.besides for action in grant.actions]
    for grant in grants:
        if not grant.besides and any(map(is_every_action, grant.actions)):
            return grant
    for grant in grants:
        others = [other.actions for other in grants if other.besides and other is not grant]
        if grant.besides and all(
            any(covers(action, missing) for action in listed)
            or any(not any(meet(action, missing) for action in other) for other in others)
            for missing in grant.actions
        ):
            return grant
    return None


def _denies_everything(statement: Statement) -> bool:
    """Whether a Deny leaves at most what a NotAction or a NotResource of its own takes out."""
    actions = any(map(is_every_action, statement.actions))
    resources = any(map(is_every_resource, statement.resources))
    return actions is not statement.besides and resources is not statement.elsewhere


def _but(statement: Statement) -> str:
    """What a Deny of everything leaves."""
    left = [name for name, there in (("NotAction", statement.besides), ("NotResource", statement.elsewhere)) if there]
    return f" but its {' and its '.join(left)}" if left else ""
