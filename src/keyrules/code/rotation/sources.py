"""The clocks behind an expression, followed through everything that carries them.

What an attribute shows of a change is how Terraform 1.11 plans it: an expired time_rotating is planned as a create, so
its attributes, and everything computed from them, are unknown, and an argument that may be unknown has changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from keyrules.code.rotation.clock import (
    FIXED_ATTRIBUTES,
    Clock,
    Kind,
    blurred,
    formatted,
    one_of,
    rotating_clock,
    shortened,
)
from keyrules.code.rotation.lifecycle import ignores, prevents_destroy, trigger_entries
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys, truth
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Attribute,
    Binary,
    Body,
    Call,
    Conditional,
    Expr,
    ForExpr,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Step,
    Template,
)
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.identity import bound, conditions, leading_key, narrow
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import references
from keyrules.code.terraform.scope import Frame, Key, Scope, format_key

Clocks = tuple[Clock, ...]

_UNKNOWN_IN_PLANS = frozenset({"timestamp", "uuid", "bcrypt"})
"""Functions whose results a plan does not know (Terraform's lang/functions.go, impureFunctions)."""

_MEMBERS_ONLY = frozenset({"length", "can", "keys"})
"""Functions whose result does not depend on the members' values."""

_FAITHFUL = frozenset(
    {
        "base64encode",
        "coalescelist",
        "concat",
        "element",
        "format",
        "join",
        "jsonencode",
        "list",
        "lookup",
        "md5",
        "merge",
    }
    | {"nonsensitive", "sensitive", "sha1", "sha256", "sha512", "timeadd", "tolist", "tomap", "toset", "tostring"}
    | {"trimspace", "try", "urlencode", "values", "yamlencode", "zipmap", "one", "flatten", "compact", "distinct"}
)
"""Functions that give another result for another time."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])")
_KEPT_TIMESTAMPS = ("time_static.", "time_offset.")
_META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection"})
_META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})
_IN_PLACE: Mapping[str, frozenset[str]] = {"terraform_data": frozenset({"input"})}
_REPLACED = ("terraform_data", "null_resource", "time_static", "time_offset", "time_sleep", "time_rotating", "random_")
"""Types of which a change of any argument, those in place left out, replaces the resource with every attribute."""

MAX_STEPS = 4000
MAX_DEPTH = 100
"""Bounds on one trace."""


class Tracer:
    """Finds clocks; `truncated` is set when the bound on steps was reached."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Clocks] = {}
        self._steps = 0
        self._depth = 0
        self.truncated = False

    def clocks(self, expr: Expr | None, frame: Frame, path: str, steps: tuple[Step, ...] = ()) -> Clocks:
        """Every clock that changes an expression's value, or the part of it that the steps lead to."""
        self._steps += 1
        self.truncated = self.truncated or self._steps > MAX_STEPS or self._depth > MAX_DEPTH
        if expr is None or self.truncated:
            return ()
        self._depth += 1
        try:
            return self._clocks(*narrow(expr, steps, frame), path)
        finally:
            self._depth -= 1

    def _clocks(self, expr: Expr, steps: tuple[Step, ...], frame: Frame, path: str) -> Clocks:
        followed = bound(expr, frame)
        if followed is not None:
            return self.clocks(*followed, path, steps)
        match expr:
            case Literal(str(value)) if _DATE.match(value):
                return (Clock(Kind.CONSTANT, value[:10], path, 0, why="is a fixed date"),)
            case Access(Name(root), inner) if root not in frame.bindings:
                return (*self._reference(root, inner + steps, frame), *self._indexes(inner, frame, path))
            case Access(base, inner):
                return (*self.clocks(base, frame, path, inner + steps), *self._indexes(inner, frame, path))
            case Conditional(test, then, otherwise):
                return self._conditional(test, (then, otherwise), frame, path, steps)
            case Call():
                return self._call(expr, frame, path, steps)
            case Binary(op, left, right):
                found = self._all((left, right), frame, path)
                return found if op in ("+", "-") else tuple(map(blurred, found))
            case Template(parts):
                return self._all(parts, frame, path)
        if steps and isinstance(expr, (ListExpr, ObjectExpr, ForExpr)):
            return self._some_member(expr, frame, path, steps)
        return self._all(children(expr), frame, path)

    def replacements(self, declared: Declaration, scope: Scope, key: Key) -> Clocks:
        """The clocks that replace a resource by way of its own replace_triggered_by."""
        found: list[Clock] = []
        for entry in trigger_entries(declared):
            for reference in list(references(entry))[:1]:
                target = scope.module.resources.get(f"{reference.root}.{reference.name}")
                if target is not None:
                    found += self.trigger(target, reference.steps[1:], Frame(scope, key, declared))
        return tuple(found)

    def trigger(self, declared: Declaration, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        """The clocks whose firing updates or replaces a resource, or the attribute of it that the steps name."""
        if declared.name.startswith("time_rotating."):
            # Its own expiry is a create. What replaces it is a change of its triggers or of its base timestamp.
            def behind(key: Key, rest: tuple[Step, ...]) -> Clocks:
                return self._once(
                    (id(frame.scope), "forced", declared.name, key),
                    lambda: (
                        *self._arguments(declared, frame.scope, key, ("triggers", "rfc3339")),
                        *self.replacements(declared, frame.scope, key),
                    ),
                )

            return self._instances(declared, "resource", steps, frame, behind)
        return self._block(declared, "resource", steps, frame)

    def _all(self, parts: Iterable[Expr], frame: Frame, path: str) -> Clocks:
        return tuple(clock for part in parts for clock in self.clocks(part, frame, path))

    def _indexes(self, steps: tuple[Step, ...], frame: Frame, path: str) -> Clocks:
        keys = [step.key for step in steps if isinstance(step, Index) and evaluate(step.key, frame) is UNKNOWN]
        return tuple(map(blurred, self._all(keys, frame, path)))

    def _some_member(self, expr: Expr, frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        if isinstance(expr, (ListExpr, ObjectExpr)):
            items = expr.items if isinstance(expr, ListExpr) else [value for _, value in expr.items]
            choices = [self.clocks(item, frame, path, steps[1:]) for item in items]
            if isinstance(steps[0], Splat):
                return tuple(clock for choice in choices for clock in choice)
            return one_of(choices)
        found = self._all(children(expr), frame, path)
        return found if isinstance(steps[0], Splat) else one_of([(clock,) for clock in found])

    def _conditional(
        self, test: Expr, branches: tuple[Expr, Expr], frame: Frame, path: str, steps: tuple[Step, ...]
    ) -> Clocks:
        decided = truth(evaluate(test, frame))
        if decided is not None:
            return self.clocks(branches[0] if decided else branches[1], frame, path, steps)
        deciding = tuple(map(blurred, self.clocks(test, frame, path)))
        return (*deciding, *one_of([self.clocks(branch, frame, path, steps) for branch in branches]))

    def _call(self, expr: Call, frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        name, args = expr.name, expr.args
        if name in _UNKNOWN_IN_PLANS or name == "plantimestamp":
            return (Clock(Kind.PERIODIC, f"{name}()", path, 0, 0.0, exact=name == "plantimestamp"),)
        if name in _MEMBERS_ONLY:
            return ()
        if name == "lookup" and len(args) > 1:
            return self.clocks(args[0], frame, path, (Index(args[1]), *steps))
        if name in ("try", "coalesce"):
            return self._first(args, frame, path, steps)
        if name == "merge" and steps and not expr.expand:
            for arg in reversed(args):
                part, left, where = narrow(arg, steps[:1], frame)
                if not left:
                    return self.clocks(part, where, path, steps[1:])
        if name == "formatdate" and len(args) == 2:
            pattern = evaluate(args[0], frame)
            return tuple(formatted(clock, pattern) for clock in self.clocks(args[1], frame, path))
        if name == "substr" and len(args) == 3:
            cut = [evaluate(arg, frame) for arg in args[1:]]
            return tuple(shortened(clock, *cut) for clock in self.clocks(args[0], frame, path))
        if name == "element" and len(args) == 2:
            return self.clocks(args[0], frame, path, (Index(args[1]), *steps))
        found = self._all(args, frame, path)
        if steps and not isinstance(steps[0], Splat):
            found = one_of([self.clocks(arg, frame, path) for arg in args])
        return found if name in _FAITHFUL else tuple(map(blurred, found))

    def _first(self, args: tuple[Expr, ...], frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        for arg in args:
            found = self.clocks(arg, frame, path, steps)
            if found:
                return found
            if evaluate(arg, frame) not in (None, "", UNKNOWN):
                return ()
        return ()

    def _reference(self, root: str, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        scope = frame.scope
        name = steps[0].name if steps and isinstance(steps[0], Attr) else ""
        match root:
            case "local" if name in scope.module.locals:
                local = scope.module.locals[name]
                return self._named(f"local.{name}", steps[1:], local.value("value"), Frame(scope), local.path)
            case "var" if scope.parent is not None and scope.call is not None:
                outer = Frame(scope.parent, scope.key, scope.call)
                return self._named(f"var.{name}", steps[1:], scope.call.value(name), outer, scope.call.path)
            case "each" if frame.block is not None and name == "value":
                inner = (Index(Name("each") if frame.key is None else Literal(frame.key)), *steps[1:])
                return self.clocks(frame.block.value("for_each"), Frame(scope), frame.block.path, inner)
            case "module":
                return self._output(name, steps[1:], frame)
            case "data" if len(steps) > 1 and isinstance(steps[1], Attr):
                data = scope.module.data.get(f"{name}.{steps[1].name}")
                return self._block(data, "data", steps[2:], frame) if data is not None else ()
        declared = scope.module.resources.get(f"{root}.{name}")
        return self._block(declared, "resource", steps[1:], frame) if declared is not None else ()

    def _named(self, name: str, steps: tuple[Step, ...], expr: Expr | None, frame: Frame, path: str) -> Clocks:
        """A local or an input, worked out once for each part of it that is asked for."""
        node = (id(frame.scope), frame.key, id(expr), steps)
        return self._once(node, lambda: _through(name, self.clocks(expr, frame, path, steps)))

    def _once(self, node: tuple[object, ...], work: Callable[[], Clocks]) -> Clocks:
        """Works something out once; what leads back to itself while that is under way adds nothing."""
        if node not in self._known:
            self._known[node] = ()
            self._known[node] = work()
        return self._known[node]

    def _output(self, name: str, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        call = frame.scope.module.calls.get(name)
        if call is None:
            return ()

        def behind(key: Key, rest: tuple[Step, ...]) -> Clocks:
            child = frame.scope.child(name, key)
            shown = f"module.{name}{format_key(key)}.{rest[0].name if rest and isinstance(rest[0], Attr) else '*'}"
            if child is None or (child.module.errors and not child.module.outputs):
                return (Clock(Kind.UNRESOLVED, shown, call.path, call.start_line),)
            names = [rest[0].name] if rest and isinstance(rest[0], Attr) else sorted(child.module.outputs)
            found: list[Clock] = []
            for output in [child.module.outputs[each] for each in names if each in child.module.outputs]:
                found += self._named(shown, rest[1:], output.value("value"), Frame(child), output.path)
            return tuple(found)

        return self._instances(call, "module", steps, frame, behind)

    def _block(self, declared: Declaration, kind: str, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        def behind(key: Key, rest: tuple[Step, ...]) -> Clocks:
            def work() -> Clocks:
                found = self._instance(declared, kind, frame.scope, key, rest)
                if declared.name.startswith("time_rotating.") and kind == "resource":
                    return found
                name = f"{frame.scope.prefix}{'data.' if kind == 'data' else ''}{declared.name}{format_key(key)}"
                return _through(name, found)

            return self._once((id(frame.scope), kind, declared.name, key, rest), work)

        return self._instances(declared, kind, steps, frame, behind)

    def _instances(
        self,
        declared: Declaration,
        kind: str,
        steps: tuple[Step, ...],
        frame: Frame,
        behind: Callable[[Key, tuple[Step, ...]], Clocks],
    ) -> Clocks:
        """What the instances that a reference names have behind them; nothing for one that does not exist."""
        keys = instance_keys(declared, frame.scope)
        key, rest = leading_key(steps, frame)
        if rest is steps:
            everyone = (None,) if keys is None else keys
            rest = steps[1:] if steps and isinstance(steps[0], Splat) else steps
            found = tuple(clock for each in everyone for clock in behind(each, rest))
        elif key is None and keys is not None:
            found = one_of([behind(each, rest) for each in keys]) if keys else ()
        elif keys is None or key in keys:
            found = behind(key, rest)
        else:
            found = ()
        needs = conditions(declared, frame.scope)
        return tuple(replace(clock, needs=clock.needs | needs) for clock in found) if needs else found

    def _instance(self, declared: Declaration, kind: str, scope: Scope, key: Key, steps: tuple[Step, ...]) -> Clocks:
        attribute = next((step.name for step in steps if isinstance(step, Attr)), None)
        if declared.name.startswith("time_rotating.") and kind == "resource":
            return self._rotating(declared, scope, key, attribute)
        found = self._shown(declared, kind, scope, key, attribute, steps)
        if not found and declared.name.startswith(_KEPT_TIMESTAMPS):
            label, why = f"{scope.prefix}{declared.name}", "keeps the timestamp of its creation"
            return (Clock(Kind.CONSTANT, label, declared.path, declared.start_line, why=why),)
        return found

    def _rotating(self, declared: Declaration, scope: Scope, key: Key, attribute: str | None) -> Clocks:
        frame = Frame(scope, key, declared)
        own = rotating_clock(declared, frame)
        if attribute in FIXED_ATTRIBUTES:
            why = "is an argument, which a rotation leaves as it is"
            return (replace(own, kind=Kind.CONSTANT, label=f"{own.label}.{attribute}", days=None, why=why),)
        moved = (*self._arguments(declared, scope, key, ("triggers",)), *self.replacements(declared, scope, key))
        base = declared.value("rfc3339")
        if base is None or evaluate(base, frame) is None:
            return (own, *moved)
        behind = self.clocks(base, frame, declared.path)
        if not behind and evaluate(base, frame) is UNKNOWN:
            return (replace(own, kind=Kind.UNRESOLVED, days=None), *moved)
        if any(clock.kind is not Kind.CONSTANT for clock in behind):
            return (*behind, *moved)
        why = "counts from a fixed timestamp, so it fires once and is then always expired"
        return (replace(own, kind=Kind.CONSTANT, days=None, why=why), *moved)

    def _shown(
        self, declared: Declaration, kind: str, scope: Scope, key: Key, attribute: str | None, steps: tuple[Step, ...]
    ) -> Clocks:
        """The clocks that show in one attribute of a resource, or in the resource as a whole."""
        kept = _IN_PLACE.get(declared.name.split(".")[0], frozenset())
        arguments = [name for name in declared.body.attributes if name not in _META_ARGUMENTS]
        if kind == "data":
            return self._arguments(declared, scope, key, (attribute,) if attribute in arguments else None)
        if attribute is None:
            return (*self._arguments(declared, scope, key, None), *self.replacements(declared, scope, key))
        if attribute in declared.body.attributes:
            return self._argument(declared, scope, key, declared.body.attributes[attribute], _after(steps, attribute))
        forcing = [name for name in arguments if name not in kept]
        if attribute == "output" and declared.name.startswith("terraform_data."):
            forcing = arguments if "input" in arguments else []
        found = self._arguments(declared, scope, key, tuple(forcing) if kept else None)
        if not declared.name.startswith(_REPLACED):
            found = one_of([found, ()]) if found else ()
        return (*found, *self.replacements(declared, scope, key))

    def _arguments(self, declared: Declaration, scope: Scope, key: Key, names: tuple[str | None, ...] | None) -> Clocks:
        """The clocks behind the named arguments, or behind all, nested blocks included."""
        found: list[Clock] = []
        for name, item in declared.body.attributes.items():
            if name not in _META_ARGUMENTS and (names is None or name in names):
                found += self._argument(declared, scope, key, item, ())
        if names is None:
            frame = Frame(scope, key, declared)
            for block in declared.body.blocks:
                if block.type not in _META_BLOCKS:
                    for item in _attributes(block.body):
                        found += self.clocks(item.value, frame, declared.path)
        return tuple(found)

    def _argument(
        self, declared: Declaration, scope: Scope, key: Key, item: Attribute, steps: tuple[Step, ...]
    ) -> Clocks:
        """The clocks behind one argument, unless the resource's lifecycle keeps a change of it from happening."""
        if ignores(declared, item.name):
            return ()
        found = self.clocks(item.value, Frame(scope, key, declared), declared.path, steps)
        in_place = item.name in _IN_PLACE.get(declared.name.split(".")[0], ())
        if prevents_destroy(declared) and declared.name.startswith(_REPLACED) and not in_place:
            why = f"would replace {declared.name}, which its prevent_destroy forbids"
            return tuple(replace(clock, kind=Kind.CONSTANT, days=None, why=why) for clock in found)
        return found


def _after(steps: tuple[Step, ...], attribute: str) -> tuple[Step, ...]:
    position = next(number for number, step in enumerate(steps) if isinstance(step, Attr) and step.name == attribute)
    return steps[position + 1 :]


def _through(name: str, clocks: Clocks) -> Clocks:
    return tuple(replace(clock, way=(name, *clock.way)) for clock in clocks)


def _attributes(body: Body) -> Iterator[Attribute]:
    yield from body.attributes.values()
    for block in body.blocks:
        yield from _attributes(block.body)
