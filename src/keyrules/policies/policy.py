"""A policy that is in force for a user, and the answers that policies give."""

from __future__ import annotations

import re
from enum import Enum

from keyrules.policies.document import Document, Statement, read_document
from keyrules.policies.patterns import HOLE
from keyrules.records import dataclass


class Answer(Enum):
    """What policies say to a question. CONDITIONAL: the request decides, or a boundary limits the rights."""

    YES = "yes"
    CONDITIONAL = "conditional"
    NO = "no"
    UNKNOWN = "unknown"


KEY_CALLS = ("iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey")
"""The calls of a rotation: none of them can be done without."""


def _all(effect: str, actions: object, **condition: object) -> Document:
    return read_document({"Statement": {"Effect": effect, "Action": actions, "Resource": "*", **condition}})


_OF_AWS = {
    "AdministratorAccess": _all("Allow", "*"),
    "AWSMcpServiceActionsFullAccess": _all("Allow", "*", Condition={"Bool": {"aws:IsMcpServiceAction": "true"}}),
    "AWSDenyAll": _all("Deny", "*"),
    # What AWS attaches to a user whose key it finds in public; the first version did not deny DeleteAccessKey.
    "AWSCompromisedKeyQuarantine": _all("Deny", KEY_CALLS[:2]),
    "AWSCompromisedKeyQuarantineV2": _all("Deny", KEY_CALLS),
    "AWSCompromisedKeyQuarantineV3": _all("Deny", KEY_CALLS),
}
"""What matters here of AWS's own policies that a user can have: of 1,582 (November 2026) no other one allows everything
on everything, denies all, or denies a user the calls of a rotation."""


@dataclass(frozen=True)
class Policy:
    """A policy in force for a user. `name` stands in sentences, with what has it: "the inline policy x of the group y".

    `document` is None where only the ARN of a managed policy is known. AWS's own policies are known by their ARN, never
    by their name, which any account can give to a policy of its own.
    """

    name: str
    document: Document | None = None
    arn: str = ""

    @property
    def is_stated(self) -> bool:
        """Whether there is a document to read, be it one with a problem, or the policy is AWS's own."""
        return self.document is not None or not self.content.problem

    @property
    def content(self) -> Document:
        """The document; one with a problem where nothing is known of it."""
        of_aws = re.fullmatch(r"arn:[^:]+:iam::aws:policy/(.+)", self.arn)
        if of_aws and of_aws[1] in _OF_AWS:
            return _OF_AWS[of_aws[1]]
        if self.document is not None:
            return self.document
        known = of_aws and HOLE not in of_aws[1]
        return Document() if known else Document(problem="has a document that is not known here")


@dataclass(frozen=True)
class Decision:
    """An answer, with the sentence that says why (without its full stop) and the policy that decided."""

    answer: Answer
    because: str
    by: Policy | None = None


def under_condition(statement: Statement) -> str:
    """` under a condition`, with the keys that it asks about."""
    return f" under a condition ({', '.join(statement.keys)})" if statement.keys else " under a condition"
