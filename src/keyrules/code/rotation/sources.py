"""The clocks behind what a trigger names, followed through everything that carries them.

What an attribute shows of a change is how Terraform 1.11 plans it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from keyrules.code.rotation.carrying import Clocks, ExpressionTracer, step_key
from keyrules.code.rotation.clock import FIXED_ATTRIBUTES, Clock, Kind, doubtful, one_of, rotating_clock
from keyrules.code.rotation.entries import MAPS, is_plain, named_part, reaches, trigger_reference
from keyrules.code.rotation.lifecycle import Hidden, hidden, prevents_destroy, trigger_entries
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.hcl.ast import (
    Attr,
    Attribute,
    Body,
    Call,
    Expr,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Step,
)
from keyrules.code.terraform.hcl.values import text
from keyrules.code.terraform.identity import conditions, leading_key, origin
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Key, Scope, format_key
from keyrules.model import TraceStep
from keyrules.records import replace

_KEPT_TIMESTAMPS = ("time_static.", "time_offset.")
_META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection"})
_META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})
_IN_PLACE: Mapping[str, frozenset[str]] = {"terraform_data": frozenset({"input"})}
_REPLACED = ("terraform_data", "null_resource", "time_static", "time_offset", "time_sleep", "time_rotating", "random_")
"""Types of which a change of any argument, those in place left out, replaces the resource with every attribute."""
_NULL_UNLESS_SET = frozenset({"input", "keepers", "triggers", "triggers_replace"})
"""Arguments that nothing computes."""


class Tracer(ExpressionTracer):
    """Finds the clocks behind resources, data sources and whatever names them."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[object, ...], Clocks] = {}

    def replacements(self, declared: Declaration, scope: Scope, key: Key) -> Clocks:
        """The clocks that replace a resource by way of its own replace_triggered_by."""
        found: list[Clock] = []
        for entry in trigger_entries(declared):
            reference = trigger_reference(entry)
            target = scope.module.resources.get(f"{reference.root}.{reference.name}") if reference else None
            if reference is not None and target is not None:
                found += self.trigger(target, reference.steps[1:], Frame(scope, key, declared))
        return self._allowed(tuple(found), declared, Frame(scope, key, declared))

    def trigger(self, declared: Declaration, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        """The clocks whose firing updates or replaces a resource, or changes the part of it that the steps name."""
        reached = reaches(declared, steps, frame)
        if reached is None:
            return tuple(map(doubtful, self._triggered(declared, steps, frame)))
        return self._triggered(declared, steps, frame) if reached else ()

    def _triggered(self, declared: Declaration, steps: tuple[Step, ...], frame: Frame) -> Clocks:
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

    def reference(self, root: str, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        scope = frame.scope
        name = steps[0].name if steps and isinstance(steps[0], Attr) else ""
        match root:
            case "local" if name in scope.module.locals:
                local = scope.module.locals[name]
                step = TraceStep(f"local.{name}", local.path, local.start_line)
                return self._named(step, steps[1:], local.value("value"), Frame(scope))
            case "var" if scope.parent is not None and scope.call is not None:
                outer = Frame(scope.parent, scope.key, scope.call)
                step = TraceStep(f"var.{name}", scope.call.path, scope.call.line_of(name))
                return self._named(step, steps[1:], scope.call.value(name), outer)
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

    def _named(self, step: TraceStep, steps: tuple[Step, ...], expr: Expr | None, frame: Frame) -> Clocks:
        """A local or an input, worked out once for each part of it that is asked for."""
        node = (id(frame.scope), frame.key, id(expr), steps)
        return self._once(node, lambda: _through(step, self.clocks(expr, frame, step.path, steps)))

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
                step = TraceStep(shown, output.path, output.start_line)
                found += self._named(step, rest[1:], output.value("value"), Frame(child))
            return tuple(found)

        return self._instances(call, "module", steps, frame, behind)

    def _block(self, declared: Declaration, kind: str, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        def behind(key: Key, rest: tuple[Step, ...]) -> Clocks:
            def work() -> Clocks:
                found = self._instance(declared, kind, frame.scope, key, rest)
                if declared.name.startswith("time_rotating.") and kind == "resource":
                    return found
                name = f"{frame.scope.prefix}{'data.' if kind == 'data' else ''}{declared.name}{format_key(key)}"
                return _through(TraceStep(name, declared.path, declared.start_line), found)

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
        named = named_part(declared, steps)
        if named is None:
            return ()
        steps = named
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
            # A base that ignore_changes keeps is that of the last creation, and each expiry is one.
            return (own, *moved) if () in hidden(declared, "rfc3339") else (*behind, *moved)
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
        if attribute in _NULL_UNLESS_SET:
            return ()
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
        frame = Frame(scope, key, declared)
        found = self._shown_part(
            item.value, frame, declared.path, steps, hidden(declared, item.name), item.name in MAPS
        )
        in_place = item.name in _IN_PLACE.get(declared.name.split(".")[0], ())
        return found if in_place else self._allowed(found, declared, frame)

    def _allowed(self, found: Clocks, declared: Declaration, frame: Frame) -> Clocks:
        """The clocks that may replace a resource, as far as its prevent_destroy lets them."""
        prevented = prevents_destroy(declared, frame) if found and declared.name.startswith(_REPLACED) else False
        if prevented is False:
            return found
        kind = Kind.FORBIDDEN if prevented else Kind.UNRESOLVED
        why = f"{'would' if prevented else 'may'} replace {declared.name}, which its prevent_destroy forbids"
        return tuple(replace(c, kind=kind, days=None, why=why) if c.kind is Kind.PERIODIC else c for c in found)

    def _shown_part(
        self, expr: Expr, frame: Frame, path: str, steps: tuple[Step, ...], unseen: Hidden, is_map: bool
    ) -> Clocks:
        """The clocks behind an expression, or the part of it that the steps lead to, without its ignored parts."""
        if () in unseen:
            return ()
        if not unseen:
            return self.clocks(expr, frame, path, steps)
        written, where = origin(expr, frame)
        if isinstance(written, Call) and written.name == "tomap" and len(written.args) == 1:
            return self._shown_part(written.args[0], where, path, steps, unseen, True)
        if isinstance(written, (ListExpr, ObjectExpr)) or is_plain(written):
            if not is_map and any(len(way) == 1 and way[0][0] == "key" for way in unseen):
                return ()  # Terraform 1.11 ignores the whole value then, whatever the key; only a map is told apart.
            if isinstance(written, (ListExpr, ObjectExpr)):
                return self._shown_members(written, where, path, steps, unseen, is_map)
            return self.clocks(expr, frame, path, steps)
        why = "stands in a value of which ignore_changes names a part"
        found = self.clocks(expr, frame, path, steps)
        return tuple(replace(clock, kind=Kind.UNRESOLVED, days=None, why=why) for clock in found)

    def _shown_members(
        self,
        expr: ListExpr | ObjectExpr,
        frame: Frame,
        path: str,
        steps: tuple[Step, ...],
        unseen: Hidden,
        is_map: bool,
    ) -> Clocks:
        kind = "key" if is_map else "name" if isinstance(expr, ObjectExpr) else "position"
        wanted = text(step_key(steps[0], frame)) if steps else None
        found: list[Clock] = []
        for position, member in _members(expr, frame):
            if wanted is None or position is None or position == wanted:
                below = tuple(way[1:] for way in unseen if way[0] == (kind, position))
                part = self._shown_part(member, frame, path, steps[1:], below, False)
                found += part if position is not None else map(doubtful, part)
        return tuple(found)


def _members(expr: ListExpr | ObjectExpr, frame: Frame) -> Iterator[tuple[str | None, Expr]]:
    if isinstance(expr, ListExpr):
        yield from ((str(position), item) for position, item in enumerate(expr.items))
    else:
        yield from ((text(evaluate(name, frame)), value) for name, value in expr.items)


def _after(steps: tuple[Step, ...], attribute: str) -> tuple[Step, ...]:
    position = next(number for number, step in enumerate(steps) if isinstance(step, Attr) and step.name == attribute)
    return steps[position + 1 :]


def _through(step: TraceStep, clocks: Clocks) -> Clocks:
    return tuple(replace(clock, way=(step, *clock.way)) for clock in clocks)


def _attributes(body: Body) -> Iterator[Attribute]:
    yield from body.attributes.values()
    for block in body.blocks:
        yield from _attributes(block.body)
