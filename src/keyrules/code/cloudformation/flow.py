"""Where the secret of an AWS::IAM::AccessKey goes inside a template.

`Fn::GetAtt: [Key, SecretAccessKey]` and `${Key.SecretAccessKey}` yield the secret; `Ref` yields the key id, which is
no secret: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html
"""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.code.cloudformation.document import Entry, Listing, Node, Scalar, Table
from keyrules.code.cloudformation.elsewhere import secret_givers
from keyrules.code.cloudformation.intrinsics import Reader, substitutions
from keyrules.code.cloudformation.template import ACCESS_KEY, SECRET, Block, Template
from keyrules.records import dataclass, replace

_READABLE_BACK = {"AWS::SSM::Parameter": "Value"}
"""Resources that hand a property on: `Fn::GetAtt` of this attribute gives what the property of that name was given."""
_NOT_CARRYING = frozenset({"Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Length", "Fn::GetAZs", "Fn::ImportValue"})
"""Functions whose result holds nothing of what they are given."""


@dataclass(frozen=True)
class Flow:
    """One way of a key's secret to a property. `steps` are (label, line) from the key outwards.

    `key` is the resource that gives the secret out: a key, or one whose own template is not here.
    """

    key: str
    steps: tuple[tuple[str, int], ...]
    properties: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class _Stop:
    """A node still to look at, and how it was reached; `steps` from the outside inwards."""

    node: Node
    steps: tuple[tuple[str, int], ...]
    properties: tuple[str, ...]
    line: int


class FlowFinder:
    """Finds the flows of the access keys of one template, which lies at `path`."""

    def __init__(self, template: Template, path: str) -> None:
        self._template = template
        self._path = path
        self._reader = Reader(template, defaults=True)
        self._looped = tuple(block for block in template.access_keys if block.looped)

    def flows(self, node: Node, line: int) -> Iterator[Flow]:
        """Every way on which a secret reaches a value inside `node`, in the order of the file."""
        todo: list[_Stop | Flow] = [_Stop(node, (), (), line)]
        seen: set[str] = set()
        while todo:
            stop = todo.pop()
            if isinstance(stop, Flow):
                yield stop
            elif isinstance(stop.node, Listing):
                todo.extend([replace(stop, node=item) for item in reversed(stop.node.items)])
            elif isinstance(stop.node, Table):
                for entry in reversed(stop.node.entries):
                    todo.extend(reversed(self._entry(entry, stop, seen)))

    def _entry(self, entry: Entry, stop: _Stop, seen: set[str]) -> list[_Stop | Flow]:
        if entry.key == "Ref":
            return []
        if not entry.key.startswith("Fn::"):
            # Below Fn::ToJsonString stand names of a text, not of properties.
            data = any(label == "Fn::ToJsonString" for label, _ in stop.steps)
            properties = stop.properties if data else (*stop.properties, entry.key)
            return [_Stop(entry.node, stop.steps, properties, entry.line)]
        if entry.key == "Fn::GetAtt":
            named = self._reader.attribute(entry.node)
            return self._attribute(*named, stop, seen, entry.line) if named else []
        inside = replace(stop, steps=(*stop.steps, (entry.key, entry.line)))
        if entry.key == "Fn::Sub":
            return self._substitution(entry.node, inside, seen)
        return [replace(inside, node=argument) for argument in self._arguments(entry.key, entry.node)]

    def _attribute(self, logical_id: str, attribute: str, stop: _Stop, seen: set[str], line: int) -> list[_Stop | Flow]:
        """What one attribute of one resource starts: flows of a key's secret, or the property that it hands on."""
        resource = self._template.resources.get(logical_id)
        if resource is not None and _READABLE_BACK.get(resource.type) == attribute:
            value = resource.setting(attribute)
            if value is None or logical_id in seen:
                return []
            seen.add(logical_id)
            return [replace(stop, node=value, steps=(*stop.steps, (f"{logical_id}.{attribute}", line)))]
        found = [
            (giver.logical_id, f"{logical_id}.{attribute}")
            for giver in secret_givers(self._template, self._path, logical_id, attribute)
        ]
        # An attribute that only a deployment knows may be the secret.
        if attribute == SECRET or self._reader.unresolved(attribute):
            found += [(key.logical_id, f"{key.logical_id}.{SECRET}") for key in self._keys(logical_id, resource)]
        return [
            Flow(giver, ((label, line), *reversed(stop.steps)), stop.properties, stop.line) for giver, label in found
        ]

    def _keys(self, logical_id: str, resource: Block | None) -> tuple[Block, ...]:
        if resource is not None:
            return (resource,) if resource.type == ACCESS_KEY else ()
        return self._looped if self._reader.unresolved(logical_id) else ()

    def _substitution(self, argument: Node, stop: _Stop, seen: set[str]) -> list[_Stop | Flow]:
        variables: Node | None = None
        if isinstance(argument, Listing) and argument.items:
            variables = argument.items[-1]
            argument = argument.items[0]
        if not isinstance(argument, Scalar):
            return [replace(stop, node=argument)]
        found: list[_Stop | Flow] = []
        used: set[str] = set()
        for _, name in substitutions(argument.text):
            if name is None or name in used:
                continue
            used.add(name)
            own = variables.get(name) if isinstance(variables, Table) else None
            if own is not None:
                found.append(replace(stop, node=own))
            else:
                logical_id, _, attribute = name.partition(".")
                found.extend(self._attribute(logical_id, attribute, stop, seen, argument.line))
        return found

    def _arguments(self, name: str, argument: Node) -> tuple[Node, ...]:
        """The arguments of a function that can become part of its result."""
        items = argument.items if isinstance(argument, Listing) else ()
        if name in _NOT_CARRYING:
            return ()
        if name == "Fn::If" and len(items) == 3:
            return items[1:]
        if name == "Fn::FindInMap":
            return items[3:]
        if name == "Fn::Select" and len(items) == 2 and isinstance(choices := items[1], Listing):
            index = self._reader.text(items[0])
            if index in map(str, range(len(choices.items))):
                return (choices.items[int(index)],)
        return (argument,)
