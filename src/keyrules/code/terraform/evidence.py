"""The files that a verdict rests on: whoever changes one of them may change the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from keyrules.code.terraform.hcl.ast import Attr, Body, Expr
from keyrules.code.terraform.identity import leading_key
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import Reference, references
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.model import TraceStep

_MAX_EXPRESSIONS = 2000


def files_behind(expressions: Iterable[Expr | None], frame: Frame) -> frozenset[str]:
    """The files of all that some expressions name at any distance: locals, resources with all of their arguments,
    outputs, and of an input its declaration, the values file that sets it or the call that gives it.

    What is named and not declared rests on every file of its module.
    """
    walk = _Walk()
    walk.run(expressions, frame)
    return frozenset(walk.files)


def settings_behind(expressions: Iterable[Expr | None], frame: Frame) -> tuple[TraceStep, ...]:
    """Where the inputs and locals that some expressions name get their values, the farthest place first."""
    walk = _Walk()
    walk.run(expressions, frame)
    return tuple(reversed(list(dict.fromkeys(walk.settings))))


def expressions_of(declared: Declaration) -> Iterator[Expr]:
    """Every expression of a block, nested blocks included."""
    yield from _expressions(declared.body)


def _expressions(body: Body) -> Iterator[Expr]:
    for attribute in body.attributes.values():
        yield attribute.value
    for block in body.blocks:
        yield from _expressions(block.body)


class _Walk:
    def __init__(self) -> None:
        self.files: set[str] = set()
        self.settings: list[TraceStep] = []
        self._seen: set[tuple[object, ...]] = set()
        self._waiting: list[tuple[Expr, Frame]] = []

    def run(self, expressions: Iterable[Expr | None], frame: Frame) -> None:
        self._add(expressions, frame)
        while self._waiting and len(self._seen) < _MAX_EXPRESSIONS:
            expr, where = self._waiting.pop()
            for reference in references(expr):
                mark = id(where.scope), where.key, reference.root, reference.steps[:3]
                if mark not in self._seen and reference.name is not None:
                    self._seen.add(mark)
                    self._follow(reference, reference.name, where)

    def _follow(self, reference: Reference, name: str, frame: Frame) -> None:
        scope = frame.scope
        match reference.root:
            case "local":
                local = scope.module.locals.get(name)
                self._block(local, Frame(scope))
                if local is not None:
                    self.settings.append(TraceStep(f"{scope.prefix}local.{name}", local.path, local.start_line))
            case "var":
                self._input(name, scope)
            case "each" if frame.block is not None:
                self._add([frame.block.value("for_each")], Frame(scope))
            case "module":
                self._output(reference, name, frame)
            case "data":
                kind = (
                    reference.steps[1].name if len(reference.steps) > 1 and isinstance(reference.steps[1], Attr) else ""
                )
                self._block(scope.module.data.get(f"{name}.{kind}"), frame)
            case "count" | "each" | "path" | "self" | "terraform":
                pass
            case root:
                declared = scope.module.resources.get(f"{root}.{name}")
                key, _ = leading_key(reference.steps[1:], frame)
                self._block(declared, Frame(scope, key, declared))
                if declared is None:
                    self.files |= {path for path in scope.reader.digests if str(Path(path).parent) == scope.module.path}

    def _block(self, declared: Declaration | None, frame: Frame) -> None:
        if declared is not None:
            self.files.update((declared.path, *declared.overrides))
            self._add(expressions_of(declared), frame)

    def _input(self, name: str, scope: Scope) -> None:
        label, module, call = f"{scope.prefix}var.{name}", scope.module, scope.call
        declared = module.variables.get(name)
        self._block(declared, Frame(scope))
        if call is not None:
            self.files.add(call.path)
        if call is not None and scope.parent is not None and call.value(name) is not None:
            self.settings.append(TraceStep(label, call.path, call.line_of(name)))
            self._add([call.value(name)], Frame(scope.parent, scope.key, call))
        elif call is None and name in module.values:
            path = module.value_files.get(name, module.path)
            self.files.add(path)
            self.settings.append(TraceStep(label, path, module.values[name].start_line))
        elif declared is not None:
            self.settings.append(TraceStep(label, declared.path, declared.line_of("default")))

    def _output(self, reference: Reference, name: str, frame: Frame) -> None:
        call = frame.scope.module.calls.get(name)
        key, rest = leading_key(reference.steps[1:], frame)
        child = frame.scope.child(name, key)
        if call is None:
            return
        self.files.add(call.path)
        self._add([call.value("count"), call.value("for_each")], Frame(frame.scope))
        if child is not None:
            named = [rest[0].name] if rest and isinstance(rest[0], Attr) else sorted(child.module.outputs)
            for output in named:
                self._block(child.module.outputs.get(output), Frame(child))

    def _add(self, expressions: Iterable[Expr | None], frame: Frame) -> None:
        self._waiting += [(expr, frame) for expr in expressions if expr is not None]
