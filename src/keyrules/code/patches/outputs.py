"""Mends KEY_AWS_009 on Terraform: `sensitive = true` on an output, and on every output that then has to have it."""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.code.patches.files import BlockEditor, Files, Left, Marks, block_at
from keyrules.code.terraform.evaluate import evaluate, truth
from keyrules.code.terraform.hcl.ast import Access, Attr, Call, Expr, ForExpr, Name
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Scope, walk
from keyrules.code.verdict import Verdict
from keyrules.records import dataclass


@dataclass(frozen=True)
class _Value:
    """A value that is sensitive from now on: an `output`, `local` or `var` of the module in a folder."""

    kind: str
    folder: str
    name: str


def mend_output(root: Scope, verdict: Verdict, files: Files, marks: Marks) -> None:
    """Marks the output that a verdict is about as sensitive. Raises Left."""
    if verdict.reason != "secret_in_output":
        raise Left(
            "takes the mark of a secret off with nonsensitive(), which somebody wrote on purpose; remove the call"
        )
    scopes = list(walk(root))
    name = verdict.address.rpartition("output.")[2]
    found = [scope for scope in scopes if _is_at(scope.module.outputs.get(name), verdict)]
    if not found:
        raise Left("does not stand in its file as it is judged")
    todo, seen = [_Value("output", found[0].module.path, name)], set[_Value]()
    _mark(found[0].module.outputs[name], files, marks)
    while todo:
        value = todo.pop()
        if value in seen:
            continue
        seen.add(value)
        for scope in scopes:
            for output in _outputs_of(value, scope):
                if not _is_sensitive(output, scope):
                    _mark(output, files, marks)
                todo.append(_Value("output", scope.module.path, output.name))
            todo += _carriers(value, scope)


def _is_at(declared: Declaration | None, verdict: Verdict) -> bool:
    return declared is not None and (declared.path, declared.start_line) == (verdict.path, verdict.start_line)


def _is_sensitive(output: Declaration, scope: Scope) -> bool:
    return any(truth(evaluate(output.value(flag), Frame(scope))) for flag in ("sensitive", "ephemeral"))


def _mark(output: Declaration, files: Files, marks: Marks) -> None:
    editor = BlockEditor(files, output.path, block_at("output", output.name), marks)
    editor.set("sensitive", "true", after="value")
    files.say(marks, f"marks output.{output.name} as sensitive")


def _outputs_of(value: _Value, scope: Scope) -> Iterator[Declaration]:
    for _, output in sorted(scope.module.outputs.items()):
        if _names(output.value("value"), value, scope):
            yield output


def _carriers(value: _Value, scope: Scope) -> Iterator[_Value]:
    """The locals and inputs that are made of a value. Raises Left where it says how many blocks there are."""
    module = scope.module
    for name, local in sorted(module.locals.items()):
        if _names(local.value("value"), value, scope):
            yield _Value("local", module.path, name)
    for name, call in sorted(module.calls.items()):
        child = scope.child(name)
        for argument, given in sorted(call.body.attributes.items()):
            if child is not None and argument in child.module.variables and _names(given.value, value, scope):
                yield _Value("var", child.module.path, argument)
    for block in (*module.resources.values(), *module.data.values(), *module.calls.values()):
        if any(_names(block.value(each), value, scope) for each in ("count", "for_each")):
            raise Left(f"decides how many of {block.name} there are, for which Terraform takes no sensitive value")


def _names(expr: Expr | None, value: _Value, scope: Scope) -> bool:
    """Whether an expression is made of a value, and not by nonsensitive()."""
    if expr is None or (isinstance(expr, Call) and expr.name == "nonsensitive"):
        return False
    if isinstance(expr, Access) and isinstance(expr.base, Name) and isinstance(expr.steps[0], Attr):
        root, first = expr.base.ident, expr.steps[0].name
        if value.kind == "output":
            child = scope.child(first) if root == "module" else None
            named = [step.name for step in expr.steps[1:] if isinstance(step, Attr)]
            if child is not None and child.module.path == value.folder and named[:1] in ([], [value.name]):
                return True
        elif (root, first, scope.module.path) == (value.kind, value.name, value.folder):
            return True
    if isinstance(expr, ForExpr) and value.kind == "output" and _is_module(expr.collection, value, scope):
        # Only the part that a round takes is sensitive, not the module around it.
        rounds = (expr.key, expr.value, expr.condition)
        return any(_takes(part, expr.value_name, value.name) for part in rounds if part is not None)
    return any(_names(child, value, scope) for child in children(expr))


def _is_module(expr: Expr, value: _Value, scope: Scope) -> bool:
    if not (isinstance(expr, Access) and expr.base == Name("module") and len(expr.steps) == 1):
        return False
    child = scope.child(expr.steps[0].name) if isinstance(expr.steps[0], Attr) else None
    return child is not None and child.module.path == value.folder


def _takes(expr: Expr, bound: str, output: str) -> bool:
    """Whether an expression uses an output of what a `for` binds, or all of it."""
    if isinstance(expr, Access) and expr.base == Name(bound):
        return not isinstance(expr.steps[0], Attr) or expr.steps[0].name == output
    return expr == Name(bound) or any(_takes(child, bound, output) for child in children(expr))
