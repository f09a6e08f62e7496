"""The access keys that a Terraform configuration declares: the subjects of every rule about keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keyrules.iac.hcl_ast import Conditional, Expr, Literal, Unary
from keyrules.iac.hcl_evaluate import UNKNOWN, evaluate, instance_keys, number
from keyrules.iac.hcl_render import render
from keyrules.iac.terraform_module import Declaration
from keyrules.iac.terraform_references import references
from keyrules.iac.terraform_scope import Frame, Scope, format_key, walk
from keyrules.iac.verdict import Context, Verdict
from keyrules.model import FactValue, Status

KEY_TYPES = ("aws_iam_access_key", "awsutils_expiring_iam_access_key")
"""Resource types that create an IAM access key. Others of the same look belong to other clouds."""


@dataclass(frozen=True)
class DeclaredKey:
    """One instance of a declared key. `repeated` says that `count` or `for_each` could not be resolved."""

    declared: Declaration
    frame: Frame
    repeated: bool = False

    @property
    def address(self) -> str:
        """The full Terraform address, instance key included."""
        return f"{self.frame.scope.prefix}{self.declared.name}{format_key(self.frame.key)}"

    @property
    def inactive(self) -> bool:
        """Whether the code says Inactive; anything else, unresolved values too, is active."""
        return evaluate(self.declared.value("status"), self.frame) == "Inactive"

    def verdict(
        self,
        context: Context,
        status: Status,
        reason: str,
        message: str,
        facts: Mapping[str, FactValue] | None = None,
    ) -> Verdict:
        """A verdict of the context's rule on this key, anchored on its block."""
        if self.repeated and status is not Status.PASS:
            message += " (count or for_each cannot be resolved; judged as if declared once)"
        return Verdict(
            context.rule.id,
            status,
            self.declared.path,
            self.address,
            self.declared.start_line,
            self.declared.end_line,
            reason,
            message,
            facts or {},
        )


def declared_keys(root: Scope) -> Iterator[DeclaredKey]:
    """Every key instance in a root module and the local modules it calls; a `count` of 0 declares none."""
    for scope in walk(root):
        if not _called(scope):
            continue
        for name in sorted(scope.module.resources):
            if name.split(".")[0] in KEY_TYPES:
                declared = scope.module.resources[name]
                keys = instance_keys(declared, scope)
                for key in (None,) if keys is None else keys:
                    yield DeclaredKey(declared, Frame(scope, key, declared), repeated=keys is None)


def _called(scope: Scope) -> bool:
    """Whether every module call on the way to a scope makes at least one instance."""
    while scope.parent is not None and scope.call is not None:
        if instance_keys(scope.call, scope.parent) == ():
            return False
        scope = scope.parent
    return True


def user_of(declared: Declaration, frame: Frame) -> tuple[str, str]:
    """Who a key or login profile belongs to: ("name", the user's name) or ("reference", what stands for it).

    Two declarations have the same owner exactly when these are equal.
    """
    expr = declared.value("user")
    value = evaluate(expr, frame)
    if isinstance(value, str):
        return "name", value
    return "reference", _origin(expr, frame)


def _origin(expr: Expr | None, frame: Frame) -> str:
    """An unresolved user as the resource or input it comes from, with inputs followed to their caller."""
    found = list(references(expr))
    if len(found) == 1 and expr is not None:
        reference = found[0]
        scope = frame.scope
        if reference.root == "var" and scope.parent is not None and scope.call is not None and reference.name:
            given = scope.call.value(reference.name)
            if given is not None:
                return _origin(given, Frame(scope.parent, scope.key, scope.call))
        if reference.root == "local" and reference.name in scope.module.locals and len(reference.steps) == 1:
            return _origin(scope.module.locals[reference.name].value("value"), Frame(scope))
        if reference.root == "aws_iam_user":
            shown = render(expr)
            for attribute in (".name", ".id"):
                shown = shown.removesuffix(attribute)
            return f"{scope.prefix}{_with_key(shown, frame)}"
    return f"{frame.scope.prefix}{_with_key(render(expr) if expr is not None else '', frame)}"


def _with_key(shown: str, frame: Frame) -> str:
    key = format_key(frame.key)
    return shown.replace("[each.key]", key).replace("[count.index]", key) + (
        key if "each." in shown or "count.index" in shown else ""
    )


def exclusive(first: DeclaredKey, second: DeclaredKey) -> bool:
    """Whether two keys are never declared together: the same test decides for one and against the other."""
    a, b = _existence(first), _existence(second)
    return a is not None and b is not None and a[0] == b[0] and a[1] != b[1]


def _existence(key: DeclaredKey) -> tuple[Expr, bool] | None:
    """The test that a `count = test ? 1 : 0` depends on, and which outcome declares the key."""
    count = key.declared.value("count")
    if not isinstance(count, Conditional):
        return None
    then, otherwise = number(_constant(count.then)), number(_constant(count.otherwise))
    if then is None or otherwise is None or (then > 0) == (otherwise > 0):
        return None
    test, wanted = count.test, then > 0
    while isinstance(test, Unary) and test.op == "!":
        test, wanted = test.operand, not wanted
    return test, wanted


def _constant(expr: Expr) -> object:
    return expr.value if isinstance(expr, Literal) else UNKNOWN
