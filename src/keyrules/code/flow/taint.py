"""Follows the secrets of access keys through a Terraform configuration: which expression carries which of them.

Works on declarations and module instances, with Terraform's own granularity: a local, an input, an output, an
attribute of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from keyrules.code.flow.expression import MAX_ITEMS, Expressions
from keyrules.code.flow.place import (
    MIRRORS,
    OUTPUTS_OF_OTHERS,
    RENDERED,
    Place,
    follow,
    plain_prefix,
    secret_attributes,
    step_name,
    wanted,
)
from keyrules.code.flow.value import (
    CLEAN,
    SECRETS,
    Source,
    Value,
    container,
    members,
    names,
    output_secret,
    part,
    secret_text,
    text,
    then,
    union,
)
from keyrules.code.flow.work import Work, WorkExhausted
from keyrules.code.key_words import names_secret
from keyrules.code.terraform.evaluate import UNKNOWN, instance_keys
from keyrules.code.terraform.hcl.ast import Attr, Body, Expr, Name, Splat, Step
from keyrules.code.terraform.known_modules import known_call
from keyrules.code.terraform.module import Declaration, block_address
from keyrules.code.terraform.scope import Frame, Key, Scope
from keyrules.model import TraceStep
from keyrules.records import dataclass

_META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "lifecycle", "provider"})
"""Arguments and blocks that Terraform reads itself and hands to nobody."""

_MAX_SCOPES = 2048

_Instance: TypeAlias = Callable[[Declaration, Scope, Key, tuple[Step, ...], Place], Value]


@dataclass(frozen=True)
class Argument:
    """One argument of a block that carries a secret; `path` leads to it through nested blocks and objects."""

    path: tuple[str, ...]
    value: Value
    line: int


class SecretTaint:
    """The secrets of one root module instance and everything that it calls."""

    def __init__(self, root: Scope) -> None:
        self._root = root
        self._work = Work()
        self._expressions = Expressions(self._work, self._reference)
        self._keys: dict[tuple[Scope, int], tuple[Key, ...] | None] = {}

    def scopes(self) -> Iterator[Scope]:
        """The root and every local module instance below it; a call of unknown `for_each` is one instance.

        Raises WorkExhausted when there are too many.
        """
        waiting, seen = [self._root], 0
        while waiting:
            scope = waiting.pop()
            seen += 1
            if seen > _MAX_SCOPES:
                raise WorkExhausted(f"there are more than {_MAX_SCOPES} module instances")
            yield scope
            found = [
                scope.child(name, key)
                for name in sorted(scope.module.calls)
                for key in self.instances(scope.module.calls[name], scope)
            ]
            waiting.extend(child for child in reversed(found) if child is not None)

    def instances(self, declared: Declaration, scope: Scope) -> tuple[Key, ...]:
        """The instance keys of a block; one None for a block that has one instance or an unknown number."""
        keys = self._instance_keys(declared, scope)
        return (None,) if keys is None else keys

    def value(self, expr: Expr | None, place: Place) -> Value:
        """What an expression carries. Raises FlowError when that is not worked out."""
        return self._work.finish(lambda: self._expressions.flow(expr, place))

    def arguments(self, declared: Declaration, scope: Scope, key: Key) -> list[Argument]:
        """The arguments of one instance of a block that carry a secret. Raises FlowError."""
        place = Place(Frame(scope, key, declared), owner=declared)
        return list(self._arguments(declared.body, place, ()))

    def _arguments(self, body: Body, place: Place, path: tuple[str, ...]) -> Iterator[Argument]:
        for name, attribute in body.attributes.items():
            if path or name not in _META_ARGUMENTS:
                for inner, leaf in _leaves(self.value(attribute.value, place)):
                    yield Argument((*path, name, *inner), leaf, attribute.start_line)
        for labels, nested, inside in self._blocks(body, place):
            if path or labels[0] not in _META_ARGUMENTS:
                yield from self._arguments(nested, inside, (*path, *labels))

    def _blocks(self, body: Body, place: Place) -> Iterator[tuple[tuple[str, ...], Body, Place]]:
        """The nested blocks with their type and labels; a dynamic block is its content for any of its items."""
        for block in body.blocks:
            if block.type != "dynamic" or len(block.labels) != 1:
                yield (block.type, *block.labels), block.body, place
                continue
            named, each = block.body.attributes.get("iterator"), block.body.attributes.get("for_each")
            iterator = named.value.ident if named and isinstance(named.value, Name) else block.labels[0]
            items = self.value(each.value if each else None, place)
            item = container("object", {"value": members(items), "key": names(items)})
            inside = place.binding({iterator: item}, {iterator: {"key": UNKNOWN, "value": UNKNOWN}})
            for content in block.body.blocks:
                if content.type == "content":
                    yield block.labels, content.body, inside

    def _reference(self, root: str, steps: tuple[Step, ...], place: Place) -> Value:
        scope, kind = place.frame.scope, root
        if root == "self":
            return self._self(steps, place)
        if root in ("data", "ephemeral") and isinstance(steps[0], Attr):
            kind, steps = steps[0].name, steps[1:]
        if not steps or not isinstance(steps[0], Attr):
            return CLEAN
        name, rest = steps[0].name, steps[1:]
        if root == "local":
            return self._local(name, rest, place)
        if root == "var":
            return self._variable(name, rest, place)
        if root == "each":
            return follow(self._each(name, place), rest, place)
        if root == "module":
            return self._repeated(scope.module.calls.get(name), rest, place, self._outputs)
        if root in ("data", "ephemeral"):
            declarations = scope.module.data if root == "data" else scope.module.ephemerals
            return self._repeated(declarations.get(f"{kind}.{name}"), rest, place, self._instance)
        declared = scope.module.resources.get(f"{kind}.{name}")
        if declared is None and kind in SECRETS:
            # Its declaration is not in sight (a fragment, an unreadable file), but its secret certainly is a secret.
            declared = Declaration(f"{kind}.{name}", scope.module.path, Body({}, ()), 0, 0)
        return self._repeated(declared, rest, place, self._instance)

    def _self(self, steps: tuple[Step, ...], place: Place) -> Value:
        if place.owner is None:
            return CLEAN
        own = self._instance(place.owner, place.frame.scope, place.frame.key, steps, place)
        return follow(own, steps, place)

    def _local(self, name: str, rest: tuple[Step, ...], place: Place) -> Value:
        scope = place.frame.scope
        declared = scope.module.locals.get(name)
        if declared is None:
            return CLEAN
        expr, inside = declared.value("value"), Place(Frame(scope))
        value = self._work.once(("local", scope, name), lambda: self._expressions.flow(expr, inside))
        stop = TraceStep(f"{plain_prefix(scope)}local.{name}", declared.path, declared.start_line)
        return then(follow(value, rest, place), stop)

    def _variable(self, name: str, rest: tuple[Step, ...], place: Place) -> Value:
        scope, given = place.frame.scope, place.frame.scope.call
        if scope.parent is None or given is None:
            return CLEAN
        expr, outside = given.value(name), Place(Frame(scope.parent, scope.key, given))
        value = self._work.once(("var", scope, name), lambda: self._expressions.flow(expr, outside))
        stop = TraceStep(f"{plain_prefix(scope)}var.{name}", given.path, given.line_of(name))
        return then(follow(value, rest, place), stop)

    def _each(self, name: str, place: Place) -> Value:
        block, scope = place.frame.block, place.frame.scope
        if block is None:
            return CLEAN
        expr, outside = block.value("for_each"), Place(Frame(scope))
        items = self._work.once(("each", scope, id(block)), lambda: self._expressions.flow(expr, outside))
        if name == "key":
            return names(items)
        key = place.frame.key if items.kind == "object" else None
        return part(items, None if key is None else str(key))

    def _instance_keys(self, declared: Declaration, scope: Scope) -> tuple[Key, ...] | None:
        node = (scope, id(declared))
        if node not in self._keys:
            keys = instance_keys(declared, scope)
            self._keys[node] = None if keys is not None and len(keys) > MAX_ITEMS else keys
        return self._keys[node]

    def _repeated(
        self, declared: Declaration | None, steps: tuple[Step, ...], place: Place, instance: _Instance
    ) -> Value:
        """What a reference to a block or module call carries; `steps` follow its name, instance key first."""
        if declared is None:
            return CLEAN
        scope = place.frame.scope
        counted, mapped = declared.value("count") is not None, declared.value("for_each") is not None
        if not counted and not mapped:
            if steps and (step_name(steps[0], place) or "").isdecimal():
                steps = steps[1:]
            asked = steps[1:] if steps and isinstance(steps[0], Splat) else steps
            return follow(instance(declared, scope, None, asked, place), steps, place)
        asked = steps[1:]
        keys = self._instance_keys(declared, scope)
        parts = {str(key): instance(declared, scope, key, asked, place) for key in keys or ()}
        rest = instance(declared, scope, None, asked, place) if keys is None else CLEAN
        return follow(container("list" if counted else "object", parts, rest), steps, place)

    def _outputs(self, declared: Declaration, scope: Scope, key: Key, steps: tuple[Step, ...], place: Place) -> Value:
        """The outputs of one module instance that the steps ask for, as an object."""
        child = scope.child(declared.name, key)
        if child is None:
            return _unread_outputs(declared, scope, wanted(steps, place))
        parts: dict[str, Value] = {}
        for name in wanted(steps, place) or sorted(child.module.outputs):
            output = child.module.outputs.get(name)
            if output is not None:
                stop = TraceStep(f"{plain_prefix(child)}output.{name}", output.path, output.start_line)
                parts[name] = then(self._output(output, child), stop)
        return container("object", parts)

    def _output(self, output: Declaration, scope: Scope) -> Value:
        expr, inside = output.value("value"), Place(Frame(scope))
        return self._work.once(("output", scope, output.name), lambda: self._expressions.flow(expr, inside))

    def _instance(self, declared: Declaration, scope: Scope, key: Key, steps: tuple[Step, ...], place: Place) -> Value:
        """The attributes of one instance of a resource or data source that the steps ask for, as an object."""
        if declared.name.split(".")[0] in SECRETS:
            return _key(declared, scope, key)
        blocks = scope.module.blocks
        kind = next((kind for kind, named in blocks if named.get(declared.name) is declared), "resource")
        kinds = [block.labels[0] if block.type == "dynamic" else block.type for block in declared.body.blocks]
        others = OUTPUTS_OF_OTHERS.get(declared.name.split(".")[0], frozenset())
        address = f"{plain_prefix(scope)}{block_address(kind, declared.name)}"
        parts: dict[str, Value] = {}
        for name in wanted(steps, place) or sorted({*declared.body.attributes, *kinds, *RENDERED, *others}):
            if name in others:
                parts[name] = _named_outputs(address, name, declared, wanted(steps[1:], place))
                continue
            value = self._attribute(declared, scope, key, name)
            parts[name] = then(value, TraceStep(f"{address}.{name}", declared.path, declared.line_of(name)))
        return container("object", parts)

    def _attribute(self, declared: Declaration, scope: Scope, key: Key, name: str) -> Value:
        own = Place(Frame(scope, key, declared), owner=declared)
        argument = name
        if name not in declared.body.attributes:
            argument = MIRRORS.get((declared.name.split(".")[0], name), name)

        def work() -> Value:
            if argument in _META_ARGUMENTS:
                return CLEAN
            if argument in declared.body.attributes:
                return self._expressions.flow(declared.value(argument), own)
            blocks = [body for body in self._blocks(declared.body, own) if body[0] == (argument,)]
            if not blocks and argument in RENDERED:
                return text(self._body(declared.body, own))
            return container("list", {}, union([self._body(body, place) for _, body, place in blocks]))

        return self._work.once(("block", scope, id(declared), key, name), work)

    def _body(self, body: Body, place: Place) -> Value:
        """Everything that the arguments of a body carry, as an object."""
        parts = {
            name: self._expressions.flow(attribute.value, place)
            for name, attribute in body.attributes.items()
            if name not in _META_ARGUMENTS
        }
        for labels, nested, inside in self._blocks(body, place):
            if labels[0] not in ("connection", "lifecycle", "provisioner"):
                listed = container("list", {}, self._body(nested, inside))
                parts[labels[0]] = union([parts.get(labels[0], CLEAN), listed])
        return container("object", parts)


def _unread_outputs(call: Declaration, scope: Scope, names: list[str] | None) -> Value:
    """The outputs of a module that is not here, as an object of those that carry a secret, or may."""
    known = known_call(call, scope)
    if known is None:
        return CLEAN
    address = f"{plain_prefix(scope)}module.{call.name}"
    if known.may_guess:
        return _named_outputs(address, "", call, names)
    return container(
        "object",
        {
            name: secret_text(
                output_secret(address, name, guessed=False), TraceStep(f"{address}.{name}", call.path, call.start_line)
            )
            for name in (known.secrets if names is None else names)
            if known.carries_secret(name)
        },
    )


def _named_outputs(address: str, attribute: str, declared: Declaration, names: list[str] | None) -> Value:
    """The outputs of what nobody reads, as an object: those whose names say that they are secrets, or any."""
    label = f"{address}.{attribute}" if attribute else address
    if names is None:
        any_output = Source(address, "", guessed=True)
        return container("object", {}, secret_text(any_output, TraceStep(label, declared.path, declared.start_line)))
    return container(
        "object",
        {
            name: secret_text(
                output_secret(address, name, guessed=True),
                TraceStep(f"{label}.{name}", declared.path, declared.start_line),
            )
            for name in names
            if names_secret(name)
        },
    )


def _key(declared: Declaration, scope: Scope, key: Key) -> Value:
    """An access key, or another credential, as an object of its secret attributes."""
    address = f"{plain_prefix(scope)}{declared.name}"
    parts = {
        name: secret_text(Source(address, name), TraceStep(f"{address}.{name}", declared.path, declared.start_line))
        for name in secret_attributes(declared, Frame(scope, key, declared))
    }
    return container("object", parts)


def _leaves(value: Value) -> Iterator[tuple[tuple[str, ...], Value]]:
    """The texts inside a value with the names of the objects' members that lead to them."""
    if not value.secrets:
        return
    if value.kind == "text":
        yield (), value
        return
    for name, member in value.parts.items():
        for path, leaf in _leaves(member):
            yield (path if value.kind == "list" else (name, *path)), leaf
    for inside in (value.rest, value.names):
        if inside is not None:
            yield from _leaves(inside)
