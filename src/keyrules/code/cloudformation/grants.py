"""Which policies a template gives to users and groups, and who is in which group.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from keyrules.code.cloudformation.conditions import Conditions
from keyrules.code.cloudformation.document import Node, Table
from keyrules.code.cloudformation.intrinsics import GROUP, USER, Reader, absent, call, outcomes, reference
from keyrules.code.cloudformation.plain_values import OPEN, Values
from keyrules.code.cloudformation.template import Block, Template
from keyrules.code.grants import Grant, Grants, Membership, attached, bounding, stated
from keyrules.code.keys import Key
from keyrules.model import TraceStep
from keyrules.policies.patterns import HOLE
from keyrules.policies.policy import Policy

_MANAGED = "AWS::IAM::ManagedPolicy"
_OF_ONE = {"AWS::IAM::UserPolicy": ("UserName", False), "AWS::IAM::GroupPolicy": ("GroupName", True)}
_OF_MANY = ("AWS::IAM::Policy", _MANAGED)


def grants(
    template: Template, path: str, reader: Reader, conditions: Conditions, block_of: Callable[[Key], Block]
) -> Grants:
    """All of a template; `block_of` gives the declaration of a key of it."""
    return _Template(template, path, reader, conditions, block_of).grants()


class _Template:
    def __init__(
        self, template: Template, path: str, reader: Reader, conditions: Conditions, block_of: Callable[[Key], Block]
    ) -> None:
        self._template = template
        self._path = path
        self._reader = reader
        self._conditions = conditions
        self._block_of = block_of
        self._values = Values(template, reader)

    def grants(self) -> Grants:
        given: list[Grant] = []
        members: list[Membership] = []
        boundaries: dict[Hashable, Policy] = {}
        arns: dict[Hashable, str] = {}
        for block in self._template.resources.values():
            given += self._given(block)
            members += self._members(block)
            if block.type == USER:
                owner = self._reader.named(block.logical_id)
                arns[owner] = self._values.arn(block)
                cases = outcomes(block.setting("PermissionsBoundary"))
                if len(cases) == 1 and cases[0] is not None and not absent(cases[0]):
                    boundaries[owner] = bounding(self._policy(cases[0]))
        return Grants(given, members, boundaries, arns)

    def _given(self, block: Block) -> Iterator[Grant]:
        if block.type in (USER, GROUP):
            holder, to_group = self._reader.named(block.logical_id), block.type == GROUP
            whose = f"{'group' if to_group else 'user'} {block.logical_id}"
            for node in self._values.members(block.setting("ManagedPolicyArns")):
                yield self._grant(block, holder, to_group, attached(self._policy(node), whose))
            for node in self._values.members(block.setting("Policies")):
                inline = node if isinstance(node, Table) and call(node) is None else None
                name = self._values.text(inline.get("PolicyName")) if inline is not None else ""
                document = self._values.plain(inline.get("PolicyDocument")) if inline is not None else HOLE
                shown = name if name and HOLE not in name else "in its Policies"
                named = f"the inline policy {shown} of the {whose}"
                yield self._grant(block, holder, to_group, Policy(named, stated(document, OPEN)))
        elif block.type in _OF_ONE:
            argument, to_group = _OF_ONE[block.type]
            yield self._grant(block, self._reader.text(block.setting(argument)), to_group, self._declared(block))
        elif block.type in _OF_MANY:
            for argument, to_group in (("Users", False), ("Groups", True)):
                for node in self._values.members(block.setting(argument)):
                    yield self._grant(block, self._named(node), to_group, self._declared(block))

    def _members(self, block: Block) -> Iterator[Membership]:
        if block.type == USER:
            user = self._reader.named(block.logical_id)
            for node in self._values.members(block.setting("Groups")):
                yield self._member(block, user, node)
        elif block.type == "AWS::IAM::UserToGroupAddition":
            for node in self._values.members(block.setting("Users")):
                yield self._member(block, self._named(node), block.setting("GroupName"))

    def _named(self, node: Node | None) -> Hashable | None:
        return self._reader.text(node) if node is not None else None

    def _member(self, block: Block, user: Hashable | None, group: Node | None) -> Membership:
        return Membership(user, self._named(group), self._step(block), self._beside(block))

    def _grant(self, block: Block, holder: Hashable, to_group: bool, policy: Policy) -> Grant:
        return Grant(holder, to_group, policy, self._step(block), self._beside(block))

    def _step(self, block: Block) -> TraceStep:
        return TraceStep(block.logical_id, self._path, block.start_line)

    def _beside(self, block: Block) -> Callable[[Key], bool]:
        return lambda key: self._conditions.can_coexist(self._block_of(key), block)

    def _declared(self, block: Block) -> Policy:
        document = self._values.plain(block.setting("PolicyDocument"))
        return Policy(f"the policy {block.logical_id}", stated(document, OPEN))

    def _policy(self, node: Node | None) -> Policy:
        """The managed policy that a value gives the ARN of: one that is declared here, by reference or by name."""
        if node is None:
            return Policy("a policy that a deployment decides", None, HOLE)
        found = call(node)
        named = self._reader.attribute(found.argument) if found is not None and found.name == "Fn::GetAtt" else None
        block = self._template.resources.get(named[0] if named is not None else reference(node) or "")
        if block is not None and block.type == _MANAGED:
            return self._declared(block)
        arn = self._values.text(node)
        for one in self._template.resources.values():
            if one.type == _MANAGED and not arn.partition(":iam::")[2].startswith("aws:"):
                name = self._values.text(one.setting("ManagedPolicyName"))
                path = self._values.text(one.setting("Path")) or "/"
                if name and HOLE not in name and arn.endswith(f":policy{path}{name}"):
                    return self._declared(one)
        shown = arn.rpartition("/")[2]
        return Policy(f"the policy {shown}" if shown and HOLE not in shown else "a policy", None, arn)
