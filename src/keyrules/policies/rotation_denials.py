"""Decides whether the policies of a user deny it the calls that rotate its own access keys.

Only an explicit Deny counts: a user without any Allow is not kept from anything that it was meant to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from keyrules.policies.document import Statement
from keyrules.policies.patterns import HOLE, covers, meet
from keyrules.policies.policy import KEY_CALLS, Answer, Decision, Policy, under_condition


def denies_rotation(policies: Iterable[Policy], user_arn: str) -> Decision:
    """Whether one of these policies, the groups' and the boundary included, denies one of the calls of a rotation.

    `user_arn` is the user's own, which the calls ask for; what is not known of it, such as the account, is a HOLE.
    """
    found: dict[Answer, Decision] = {}
    own = _here(user_arn) if HOLE in user_arn else user_arn
    for policy in policies:
        content = policy.content
        if content.problem:
            unread = Decision(Answer.UNKNOWN, f"{policy.name} {content.problem}", policy)
            found.setdefault(Answer.UNKNOWN, unread)
        for statement in content.statements:
            answer, calls = _denied(statement, own, _here if own != user_arn else str)
            if answer is Answer.YES:
                why = f"{policy.name} denies {calls} on the user"
            elif answer is Answer.CONDITIONAL:
                why = f"{policy.name} denies {calls} on the user{under_condition(statement)}"
            elif answer is Answer.UNKNOWN:
                why = f"whether {policy.name} denies {calls} on the user cannot be told from what is known here"
            else:
                continue
            found.setdefault(answer, Decision(answer, why, policy))
    for answer in (Answer.YES, Answer.UNKNOWN, Answer.CONDITIONAL):
        if answer in found:
            return found[answer]
    return Decision(Answer.NO, "no policy denies what a rotation calls")


def _denied(statement: Statement, user: str, form: Callable[[str], str]) -> tuple[Answer, str]:
    """What a statement says of the calls on the user, and which calls these are; `form` gives a resource the form that
    the user has."""
    if statement.allow:
        return Answer.NO, ""
    answers = {call: _among(statement.actions, call.lower(), statement.besides) for call in KEY_CALLS}
    resources = [form(_of_user(text, user)) for text in statement.resources]
    resource = _among(resources, user, statement.elsewhere)
    sure = [call for call, answer in answers.items() if answer is Answer.YES]
    calls = sure or [call for call, answer in answers.items() if answer is not Answer.NO]
    if not calls or resource is Answer.NO:
        return Answer.NO, ""
    shown = ", ".join(calls)
    if statement.conditional:
        return Answer.CONDITIONAL, shown
    known = sure and resource is Answer.YES and statement.allow is False and statement.conditional is False
    return (Answer.YES if known else Answer.UNKNOWN), shown


def _among(patterns: Sequence[str], asked: str, besides: bool) -> Answer:
    """Whether a pattern is among those of an element; of one that begins with Not, whether it is not."""
    if any(covers(pattern, asked) for pattern in patterns):
        return Answer.NO if besides else Answer.YES
    if any(meet(pattern, asked) for pattern in patterns):
        return Answer.UNKNOWN
    return Answer.YES if besides else Answer.NO


def _of_user(resource: str, user: str) -> str:
    """A resource with its policy variables: the user's own name, and what no policy knows of it."""
    return re.sub(r"\$\{[^}]*\}", HOLE, resource.replace("${aws:username}", user.rpartition("/")[2]))


def _here(arn: str) -> str:
    """The ARN of a user without partition and account, for a user of whom these are not known: a policy that names
    another account's would mean nothing."""
    return re.sub(r"\Aarn:[^:/]*:iam::[^:/]*:user", "user", arn)
