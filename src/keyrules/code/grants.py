"""Which policies the users of one unit have: their own, and those of the groups that they are in, all of that unit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from keyrules.code.keys import Key
from keyrules.model import TraceStep
from keyrules.policies.document import Document, read_document
from keyrules.policies.patterns import HOLE
from keyrules.policies.policy import Policy
from keyrules.records import dataclass, field


def _always(key: Key) -> bool:
    return True


@dataclass(frozen=True)
class Grant:
    """A policy that a block gives to a user, or to a group; `holder` is None where only an input or a deployment says
    to whom. `beside` says of a key whether the block can be declared together with it."""

    holder: Hashable
    to_group: bool
    policy: Policy
    step: TraceStep
    beside: Callable[[Key], bool] = field(default=_always, repr=False)


@dataclass(frozen=True)
class Membership:
    """A user in a group; either is None where only an input or a deployment decides which."""

    user: Hashable
    group: Hashable | None
    step: TraceStep
    beside: Callable[[Key], bool] = field(default=_always, repr=False)


_Way: TypeAlias = tuple[Policy, tuple[TraceStep, ...]]


@dataclass(frozen=True)
class Held:
    """What the user of a key holds: `policies` with the blocks that lead to each, nearest to the policy last, and those
    that it may hold; `arn` is the user's, with a HOLE for what the code does not say."""

    policies: Sequence[_Way]
    possible: Sequence[_Way]
    boundary: Policy | None
    arn: str

    def way(self, policy: Policy | None) -> tuple[TraceStep, ...]:
        """The blocks that lead to a policy."""
        return next((steps for held, steps in (*self.policies, *self.possible) if held is policy), ())


@dataclass(frozen=True)
class Grants:
    """All of a unit. `boundaries` and `arns` are those of declared users."""

    grants: Sequence[Grant] = ()
    memberships: Sequence[Membership] = ()
    boundaries: Mapping[Hashable, Policy] = field(default_factory=dict)
    arns: Mapping[Hashable, str] = field(default_factory=dict)

    def held_by(self, key: Key) -> Held:
        """What the user of a key holds, by whatever can be declared together with the key."""
        if key.owner is None:
            anything = [(grant.policy, (grant.step,)) for grant in self.grants if grant.beside(key)]
            return Held([], anything, None, user_arn(""))
        own: list[_Way] = [(grant.policy, (grant.step,)) for grant in self._of(key, key.owner, False)]
        possible: list[_Way] = [(grant.policy, (grant.step,)) for grant in self._of(key, None, False)]
        for member in self._memberships_of(key):
            of_it, of_any = self._of(key, member.group, True), self._of(key, None, True)
            if member.group is None:
                of_it, of_any = [], [grant for grant in self.grants if grant.to_group and grant.beside(key)]
            sure = own if member.user is not None else possible
            sure += [(grant.policy, (member.step, grant.step)) for grant in of_it]
            possible += [(grant.policy, (member.step, grant.step)) for grant in of_any]
        return Held(own, possible, self.boundaries.get(key.owner), self.arns.get(key.owner) or user_arn(""))

    def _memberships_of(self, key: Key) -> list[Membership]:
        if "_by_user" not in self.__dict__:
            by_user: dict[Hashable, list[Membership]] = {}
            for member in self.memberships:
                by_user.setdefault(member.user, []).append(member)
            self.__dict__["_by_user"] = by_user
        by_owner: dict[Hashable, list[Membership]] = self.__dict__["_by_user"]
        found = (*by_owner.get(key.owner, ()), *by_owner.get(None, ()))
        return [member for member in found if member.beside(key)]

    def _of(self, key: Key, holder: Hashable, to_group: bool) -> list[Grant]:
        if "_by_holder" not in self.__dict__:
            by_holder: dict[tuple[Hashable, bool], list[Grant]] = {}
            for grant in self.grants:
                by_holder.setdefault((grant.holder, grant.to_group), []).append(grant)
            self.__dict__["_by_holder"] = by_holder
        found: list[Grant] = self.__dict__["_by_holder"].get((holder, to_group), [])
        return [grant for grant in found if grant.beside(key)]


def attached(policy: Policy, holder: str) -> Policy:
    """A managed policy as one that a user or a group has."""
    return Policy(f"{policy.name}, attached to the {holder},", policy.document, policy.arn)


def bounding(policy: Policy) -> Policy:
    """A managed policy as the boundary of a user."""
    name = policy.name.removeprefix("the policy ")
    return Policy("the permissions boundary" + (f" {name}" if name != policy.name else ""), policy.document, policy.arn)


def stated(document: object, open_because: str) -> Document:
    """A document as the code states it; where nothing of it is known, why, and what to do."""
    return Document(problem=f"has a document that {open_because}") if document == HOLE else read_document(document)


def user_arn(name: str, path: str = "/") -> str:
    """The ARN of a user whose account the code does not say; of one without a name nothing is known but its type."""
    return f"arn:{HOLE}:iam::{HOLE}:user{path}{name or HOLE}"
