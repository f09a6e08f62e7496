"""Shortens what sets the period of a rotation: the number itself where it is written out, else a bound on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from keyrules.code.patches.files import BlockEditor, Files, Left, Marks, block_at
from keyrules.code.patches.layout import ArgumentAt, Layout
from keyrules.code.rotation.clock import PERIOD_ARGUMENTS, SECONDS_PER_DAY
from keyrules.code.terraform.evaluate import evaluate
from keyrules.code.terraform.evidence import expressions_of
from keyrules.code.terraform.hcl.ast import Access, Attr, Expr, Literal, Name
from keyrules.code.terraform.hcl.values import number
from keyrules.code.terraform.keys import module_instances
from keyrules.code.terraform.module import Declaration, Module
from keyrules.code.terraform.references import Reference, references
from keyrules.code.terraform.scope import Frame, Scope

_CLOCK = "time_rotating."
_SECRET = "aws_secretsmanager_secret_rotation."


class _Spot(NamedTuple):
    """Where a number is written: the file, and how to find the argument in it now."""

    path: str
    kind: str
    block: str
    argument: str


def days_within(limit: int) -> int:
    """The period that a patch writes: two thirds of the limit, so that an apply may come late."""
    return max(1, limit * 2 // 3)


def shorten(label: str, root: Scope, files: Files, marks: Marks, limit: int) -> bool:
    """Brings the clock that a verdict names below the limit; False where its period is no argument. Raises Left."""
    for scope in module_instances(root):
        name = label.removeprefix(scope.prefix).partition("[")[0]
        declared = scope.module.resources.get(name)
        if not label.startswith(scope.prefix) or declared is None:
            continue
        frame = Frame(scope, None, declared)
        if name.startswith(_CLOCK):
            return _shorten_clock(declared, frame, files, marks, limit)
        if name.startswith(_SECRET):
            return _shorten_schedule(declared, files, marks, limit)
    return False


def shorten_expiry(declared: Declaration, frame: Frame, files: Files, marks: Marks, limit: int) -> None:
    """Brings the `max_age` of an expiring key below the limit. Raises Left."""
    seconds = days_within(limit) * SECONDS_PER_DAY
    value = evaluate(declared.value("max_age"), frame)
    amount = number(value)
    editor = BlockEditor(files, declared.path, block_at("resource", declared.name, declared.start_line), marks)
    if amount is not None and amount > 0:
        _lower(declared, "max_age", frame, files, marks, seconds)
    else:
        editor.set("max_age", str(seconds))
    files.say(marks, f"sets max_age to {seconds:,} seconds")


def repair_clock(declared: Declaration, frame: Frame, files: Files, marks: Marks, limit: int) -> bool:
    """Gives a time_rotating that never fires again a period; False where there is nothing to do. Raises Left."""
    editor = BlockEditor(files, declared.path, block_at("resource", declared.name, declared.start_line), marks)
    days = days_within(limit)
    period = _deciding(declared, frame)
    if declared.value("rfc3339") is not None:
        editor.remove("rfc3339")
        files.say(marks, f"removes the fixed moment that {declared.name} counts from")
        return True
    if declared.value("rotation_rfc3339") is not None and period != "rotation_years":
        if declared.value("rotation_days") is None:
            editor.rename("rotation_rfc3339", "rotation_days", str(days))
        else:
            editor.remove("rotation_rfc3339")
    elif period is None:
        editor.set("rotation_days", str(days))
    else:
        amount = number(evaluate(declared.value(period), frame))
        if amount is not None and amount >= 1 and amount.is_integer():
            return False
        editor.set(period, str(_in_unit(period, days) or 1))
    files.say(marks, f"gives {declared.name} a period of {days} days")
    return True


def _shorten_clock(declared: Declaration, frame: Frame, files: Files, marks: Marks, limit: int) -> bool:
    days, period = days_within(limit), _deciding(declared, frame)
    if period is None:
        return False
    amount = _in_unit(period, days)
    if amount is None:
        editor = BlockEditor(files, declared.path, block_at("resource", declared.name, declared.start_line), marks)
        if declared.value("rotation_days") is None:
            editor.rename(period, "rotation_days", str(days))
        else:
            editor.remove(period)
            editor.set("rotation_days", str(days))
    else:
        _lower(declared, period, frame, files, marks, amount)
    files.say(marks, f"shortens the period of {declared.name} to {days} days")
    return True


def _shorten_schedule(declared: Declaration, files: Files, marks: Marks, limit: int) -> bool:
    editor = BlockEditor(files, declared.path, block_at("resource", declared.name, declared.start_line), marks)
    rules = editor.inside("rotation_rules")
    argument = rules.block.argument("automatically_after_days")
    if argument is None:
        raise Left(f"is rotated on the schedule of {declared.name}, which a person chose; make it shorter there")
    days = days_within(limit)
    written = rules.text_of(argument)
    rules.set("automatically_after_days", str(days) if written.isdigit() else f"min({written}, {days})")
    files.say(marks, f"shortens the schedule of {declared.name} to {days} days")
    return True


def _deciding(declared: Declaration, frame: Frame) -> str | None:
    """The argument that the provider takes the period from."""
    for name, _, _ in reversed(PERIOD_ARGUMENTS):
        expr = declared.value(name)
        if expr is not None and evaluate(expr, frame) is not None:
            return name
    return None


def _in_unit(argument: str, days: int) -> int | None:
    """A period in the unit of an argument, None where one of it is longer already."""
    length, parts = next((length, parts) for name, length, parts in PERIOD_ARGUMENTS if name == argument)
    return days * parts // length or None


def _lower(declared: Declaration, argument: str, frame: Frame, files: Files, marks: Marks, amount: int) -> None:
    """Writes a smaller number where it is written out and nothing else uses it, or bounds the expression."""
    spot = _Spot(declared.path, "resource", declared.name, argument)
    for place in _written_at(spot, declared.value(argument), frame):
        try:
            layout = files.layout(place.path)
            found = _argument(layout, place)
            if found is None:
                continue
            files.replace(place.path, found.value, found.end, str(amount), marks)
        except Left:
            continue
        return
    layout = files.layout(declared.path)
    found = _argument(layout, spot)
    if found is None:
        raise Left("does not stand in its file as it is judged")
    written = layout.text[found.value : found.end]
    bound = written if written.startswith("min(") and written.endswith(f", {amount})") else f"min({written}, {amount})"
    files.replace(declared.path, found.value, found.end, bound, marks)


def _argument(layout: Layout, spot: _Spot) -> ArgumentAt | None:
    if not spot.kind:
        return next((argument for argument in layout.arguments if argument.name == spot.argument), None)
    if spot.kind == "locals":
        found = (block.argument(spot.argument) for block in layout.blocks if block.type == "locals")
        return next((argument for argument in found if argument is not None), None)
    block = layout.block(spot.kind, spot.block)
    return block.argument(spot.argument) if block is not None else None


def _written_at(spot: _Spot, expr: Expr | None, frame: Frame) -> Iterator[_Spot]:
    """Where the number that an expression is stands, if it is one by itself or by a name that nothing else uses."""
    scope = frame.scope
    match expr:
        case Literal(value) if number(value) is not None:
            yield spot
        case Access(Name("local"), (Attr(name),)) if name in scope.module.locals and _used_once(scope, "local", name):
            local = scope.module.locals[name]
            yield from _written_at(_Spot(local.path, "locals", "", name), local.value("value"), Frame(scope))
        case Access(Name("var"), (Attr(name),)) if _used_once(scope, "var", name):
            call, declared = scope.call, scope.module.variables.get(name)
            if call is not None and scope.parent is not None and call.value(name) is not None:
                outer = Frame(scope.parent, scope.key, call)
                yield from _written_at(_Spot(call.path, "module", call.name, name), call.value(name), outer)
            elif call is None and name in scope.module.value_files:
                given = scope.module.values[name].value
                yield from _written_at(_Spot(scope.module.value_files[name], "", "", name), given, frame)
            elif declared is not None:
                default = declared.value("default")
                yield from _written_at(_Spot(declared.path, "variable", name, "default"), default, Frame(scope))


def _used_once(scope: Scope, root: str, name: str) -> bool:
    """Whether one expression of the module names an input or a local."""
    return sum(each.root == root and each.name == name for each in _all_references(scope.module)) == 1


def _all_references(module: Module) -> Iterator[Reference]:
    groups = (
        module.resources,
        module.data,
        module.outputs,
        module.calls,
        module.locals,
        module.ephemerals,
        module.actions,
    )
    for group in groups:
        for declared in group.values():
            for expr in expressions_of(declared):
                yield from references(expr)
    for provider in module.providers:
        for expr in expressions_of(provider):
            yield from references(expr)
