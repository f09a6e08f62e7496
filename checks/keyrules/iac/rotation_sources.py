"""What makes a value change by itself: the clocks behind an expression, followed through everything that carries them.

A clock is a `time_rotating` resource or a call of `timestamp()`/`plantimestamp()`. How `time_rotating` computes its period,
and that an expired one comes back as a create, is read from terraform-provider-time 0.13
(internal/provider/resource_time_rotating.go: setRotationValues, Read).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from keyrules.iac.hcl_ast import Attr, Call, Expr, Index, Literal, Step
from keyrules.iac.hcl_evaluate import UNKNOWN, evaluate, instance_keys, number
from keyrules.iac.terraform_module import Declaration
from keyrules.iac.terraform_references import Reference, children, references
from keyrules.iac.terraform_scope import Frame, Key, Scope, format_key

_PERIOD_ARGUMENTS = (
    ("rotation_days", 1.0),
    ("rotation_hours", 1 / 24),
    ("rotation_minutes", 1 / 1440),
    ("rotation_months", 30.0),
    ("rotation_years", 365.0),
)
"""In the provider's order: where several are set, the last one decides. Months and years by their nominal length."""

_FIXED_ATTRIBUTES = frozenset({name for name, _ in _PERIOD_ARGUMENTS} | {"triggers"})
"""Arguments of time_rotating: they are the same before and after it rotates."""

_CLOCK_FUNCTIONS = frozenset({"timestamp", "plantimestamp"})
_FORMAT_PERIODS = (("s", 0.0), ("m", 0.0), ("h", 1 / 24), ("H", 1 / 24), ("D", 1.0), ("E", 1.0), ("M", 31.0), ("Y", 366.0))
"""The finest part of a formatdate() pattern says how often its result changes."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])")
_KEPT_TIMESTAMPS = ("time_static.", "time_offset.")
_META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection"})
_META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})
_NOT_RESOURCES = frozenset({"var", "local", "module", "data", "each", "count", "path", "terraform", "self"})
MAX_STEPS = 400
"""Bounds one trace, so that shared sub-expressions cannot multiply without end."""


class Kind(Enum):
    """What a clock does: fires every `days`, never again, or cannot be told."""

    PERIODIC = "periodic"
    CONSTANT = "constant"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Clock:
    """A clock behind a value. `days` is its period (0: at every apply); `way` are the names it came through, and `why`
    says of a constant what keeps it so."""

    kind: Kind
    label: str
    path: str
    line: int
    days: float | None = None
    way: tuple[str, ...] = ()
    why: str = ""


class Tracer:
    """Finds the clocks of expressions; `truncated` is set when the bound on steps was reached."""

    def __init__(self) -> None:
        self._seen: set[tuple[object, ...]] = set()
        self._steps = 0
        self.truncated = False

    def clocks(self, expr: Expr | None, frame: Frame, path: str, way: tuple[str, ...] = ()) -> Iterator[Clock]:
        """Every clock that an expression's value depends on."""
        if expr is None:
            return
        self._steps += 1
        if self._steps > MAX_STEPS:
            self.truncated = True
            return
        yield from _time_functions(expr, frame, path, way)
        for reference in references(expr):
            yield from self._follow(reference, frame, way)

    def resource_clocks(self, declared: Declaration, scope: Scope, key: Key, way: tuple[str, ...]) -> Iterator[Clock]:
        """Every clock that the arguments of a resource depend on, nested blocks included."""
        frame = Frame(scope, key, declared)
        found = False
        blocks = [block.body for block in declared.body.blocks if block.type not in _META_BLOCKS]
        for body in (declared.body, *blocks):
            for attribute in body.attributes.values():
                if attribute.name not in _META_ARGUMENTS:
                    for clock in self.clocks(attribute.value, frame, declared.path, way):
                        found = True
                        yield clock
        if not found and declared.name.startswith(_KEPT_TIMESTAMPS):
            why = "keeps the timestamp of its creation"
            yield Clock(Kind.CONSTANT, declared.name, declared.path, declared.start_line, way=way, why=why)

    def _follow(self, reference: Reference, frame: Frame, way: tuple[str, ...]) -> Iterator[Clock]:
        scope, name = frame.scope, reference.name
        if name is None:
            return
        mark = (id(scope), reference.root, name, frame.key if reference.root == "each" else None, str(reference.steps))
        if mark in self._seen:
            return
        self._seen.add(mark)
        if reference.root == "local" and name in scope.module.locals:
            declared = scope.module.locals[name]
            yield from self.clocks(declared.value("value"), Frame(scope), declared.path, (*way, f"local.{name}"))
        elif reference.root == "var":
            yield from self._variable(name, scope, (*way, f"var.{name}"))
        elif reference.root == "module":
            yield from self._output(name, reference.steps, frame, way)
        elif reference.root == "each" and frame.block is not None:
            yield from self.clocks(frame.block.value("for_each"), Frame(scope), frame.block.path, way)
        elif reference.root == "data":
            second = reference.steps[1] if len(reference.steps) > 1 else None
            data = scope.module.data.get(f"{name}.{second.name}") if isinstance(second, Attr) else None
            if data is not None:
                yield from self.resource_clocks(data, scope, None, (*way, f"data.{data.name}"))
        elif reference.root not in _NOT_RESOURCES:
            yield from self._resource(f"{reference.root}.{name}", reference.steps[1:], frame, way)

    def _variable(self, name: str, scope: Scope, way: tuple[str, ...]) -> Iterator[Clock]:
        if scope.parent is not None and scope.call is not None:
            given = scope.call.value(name)
            if given is not None:
                yield from self.clocks(given, Frame(scope.parent, scope.key, scope.call), scope.call.path, way)

    def _output(self, name: str, steps: tuple[Step, ...], frame: Frame, way: tuple[str, ...]) -> Iterator[Clock]:
        attributes = [step.name for step in steps[1:] if isinstance(step, Attr)]
        child = frame.scope.child(name)
        output = child.module.outputs.get(attributes[0]) if child and attributes else None
        if child is not None and output is not None:
            way = (*way, f"module.{name}.{output.name}")
            yield from self.clocks(output.value("value"), Frame(child), output.path, way)

    def _resource(self, name: str, steps: tuple[Step, ...], frame: Frame, way: tuple[str, ...]) -> Iterator[Clock]:
        declared = frame.scope.module.resources.get(name)
        if declared is None:
            return
        key, rest = leading_key(steps, frame)
        if not name.startswith("time_rotating."):
            yield from self.resource_clocks(declared, frame.scope, key, (*way, name))
            return
        attribute = next((step.name for step in rest if isinstance(step, Attr)), None)
        if attribute in _FIXED_ATTRIBUTES:
            why = "is an argument, which a rotation leaves as it is"
            yield Clock(Kind.CONSTANT, f"{name}.{attribute}", declared.path, declared.start_line, way=way, why=why)
        else:
            yield from rotating_clocks(declared, frame.scope, key, way)


def rotating_clocks(declared: Declaration, scope: Scope, key: Key, way: tuple[str, ...] = ()) -> Iterator[Clock]:
    """The clock of a time_rotating resource: one per instance when it has several and no key says which."""
    keys = instance_keys(declared, scope)
    if key is not None or keys is None:
        keys = (key,)
    for each in keys:
        label = f"{scope.prefix}{declared.name}{format_key(each)}"
        frame = Frame(scope, each, declared)
        fixed = _fixed_timestamp(declared)
        if fixed is not None:
            why = "counts from a fixed timestamp, so it fires once and is then always expired"
            yield Clock(Kind.CONSTANT, label, declared.path, declared.line_of(fixed), way=way, why=why)
            continue
        days, line, resolved = None, declared.start_line, True
        for argument, unit in _PERIOD_ARGUMENTS:
            expr = declared.value(argument)
            value = evaluate(expr, frame)
            if expr is None or value is None:
                continue
            amount = number(value) if value is not UNKNOWN else None
            line, resolved = declared.line_of(argument), amount is not None
            days = amount * unit if amount else days
        if not resolved or days is None:
            yield Clock(Kind.UNRESOLVED, label, declared.path, line, way=way)
        else:
            yield Clock(Kind.PERIODIC, label, declared.path, line, days, way)


def _fixed_timestamp(declared: Declaration) -> str | None:
    """The argument that pins a time_rotating to one moment, or None."""
    if declared.value("rfc3339") is not None and not _moves(declared.value("rfc3339")):
        return "rfc3339"
    if declared.value("rotation_rfc3339") is not None and declared.value("rotation_years") is None:
        return "rotation_rfc3339"
    return None


def leading_key(steps: tuple[Step, ...], frame: Frame) -> tuple[Key, tuple[Step, ...]]:
    """Splits `["a"].id` into the instance key and the rest; an undecided key is None."""
    if steps and isinstance(steps[0], Index):
        key = evaluate(steps[0].key, frame)
        return (key if isinstance(key, (int, str)) and not isinstance(key, bool) else None), steps[1:]
    return None, steps


def _moves(expr: Expr | None) -> bool:
    return expr is not None and any(isinstance(part, Call) and part.name in _CLOCK_FUNCTIONS for part in _parts(expr))


def _parts(expr: Expr) -> Iterator[Expr]:
    yield expr
    for child in children(expr):
        yield from _parts(child)


def _time_functions(expr: Expr, frame: Frame, path: str, way: tuple[str, ...]) -> Iterator[Clock]:
    if isinstance(expr, Literal) and isinstance(expr.value, str) and _DATE.match(expr.value):
        yield Clock(Kind.CONSTANT, expr.value[:10], path, 0, way=way, why="is a fixed date")
    if isinstance(expr, Call):
        if expr.name in _CLOCK_FUNCTIONS:
            yield Clock(Kind.PERIODIC, f"{expr.name}()", path, 0, 0.0, way)
            return
        if expr.name == "formatdate" and len(expr.args) == 2 and _moves(expr.args[1]):
            yield _formatted(expr.args[0], frame, path, way)
            return
    for child in children(expr):
        yield from _time_functions(child, frame, path, way)


def _formatted(pattern: Expr, frame: Frame, path: str, way: tuple[str, ...]) -> Clock:
    text = pattern.value if isinstance(pattern, Literal) else evaluate(pattern, frame)
    if not isinstance(text, str):
        return Clock(Kind.UNRESOLVED, "formatdate()", path, 0, way=way)
    letters = re.sub(r"'[^']*'", "", text)
    days = next((period for letter, period in _FORMAT_PERIODS if letter in letters), None)
    if days is None:
        return Clock(Kind.CONSTANT, "formatdate()", path, 0, way=way, why="keeps no part of the time")
    return Clock(Kind.PERIODIC, "formatdate()", path, 0, days, way)
