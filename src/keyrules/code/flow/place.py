"""Where an expression stands while secrets are followed, and the names of the things on the way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from keyrules.code.flow.value import CLEAN, SECRETS, Value, container, members, part
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.hcl.ast import Access, Attr, Call, Expr, Index, Name, Splat, Step, Template
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.records import dataclass, field, replace

RENDERED = frozenset({"json", "minified_json", "output", "rendered", "response_body", "result", "stdout"})
"""Computed attributes that are made from a block's arguments."""

MIRRORS: Mapping[tuple[str, str], str] = {
    ("aws_ssm_parameter", "value"): "insecure_value",
    ("null_data_source", "outputs"): "inputs",
    ("terraform_data", "output"): "input",
}
"""Computed attributes that repeat one argument."""

OUTPUTS_OF_OTHERS: Mapping[str, frozenset[str]] = {
    "aws_cloudformation_stack": frozenset({"outputs"}),
    "terraform_remote_state": frozenset({"outputs"}),
    "tfe_outputs": frozenset({"nonsensitive_values", "values"}),
}
"""Computed attributes with the outputs of code that is not read here, by the type of the block."""

_READS = frozenset({"file", "filebase64", "templatefile"})
_SAME_TEXT = frozenset({"base64encode", "chomp", "trimspace", "replace", "sensitive", "nonsensitive"})
_INPUTS = frozenset({"var", "each", "count", "module", "self", "path", "terraform"})
_MAX_DEPTH = 16


def secret_attributes(declared: Declaration, frame: Frame) -> tuple[str, ...]:
    """The secret attributes that one instance of a credential has: none when `pgp_key` is set, which encrypts them.

    A `pgp_key` that only an input decides may be empty, so the key counts as not encrypted.
    """
    pgp_key = declared.value("pgp_key")
    value = evaluate(pgp_key, frame)
    encrypted = _always_set(pgp_key, frame.scope) if value is UNKNOWN else value not in (None, "")
    return () if encrypted else SECRETS[declared.name.partition(".")[0]]


def _always_set(expr: Expr | None, scope: Scope, depth: int = 0) -> bool:
    """Whether an expression without a known value is never null or empty: a file's content, a block's attribute."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(expr, Template):
        return len(expr.parts) > 1 or _always_set(expr.parts[0], scope, depth + 1)
    if isinstance(expr, Call):
        return expr.name in _READS or (
            expr.name in _SAME_TEXT and bool(expr.args) and _always_set(expr.args[0], scope, depth + 1)
        )
    if not isinstance(expr, Access) or not isinstance(expr.base, Name):
        return False
    if expr.base.ident != "local":
        return expr.base.ident not in _INPUTS
    name = expr.steps[0].name if isinstance(expr.steps[0], Attr) else ""
    declared = scope.module.locals.get(name)
    return declared is not None and len(expr.steps) == 1 and _always_set(declared.value("value"), scope, depth + 1)


@dataclass(frozen=True, eq=False)
class Place:
    """A frame, what its for-variables and iterators carry, and the block that `self` is."""

    frame: Frame
    bound: Mapping[str, Value] = field(default_factory=dict)
    owner: Declaration | None = None

    def known(self, expr: Expr | None) -> Any:
        """What the code alone decides of an expression: whoever runs a root may give its inputs other values."""
        return evaluate(expr, self._open)

    @cached_property
    def _open(self) -> Frame:
        scope, frame = opened(self.frame.scope), self.frame
        keyed = frame.block is None or instance_keys(frame.block, scope) is not None
        return replace(frame, scope=scope, key=frame.key if keyed else None)

    def binding(self, carried: Mapping[str, Value], known: Mapping[str, Any]) -> Place:
        """The place inside a `for` or a dynamic block, with what its names carry and what they are worth."""
        frame = replace(self.frame, bindings={**self.frame.bindings, **known})
        return replace(self, frame=frame, bound={**self.bound, **carried})


def opened(scope: Scope) -> Scope:
    """A module instance with the inputs of its root open, unless a values file sets them."""
    if "opened" not in scope.memo:
        scope.memo["opened"] = _opened(scope)
    found: Scope = scope.memo["opened"]
    return found


def _opened(scope: Scope) -> Scope:
    if scope.parent is None or scope.call is None:
        return replace(scope, memo={}, open_inputs=True)
    parent = opened(scope.parent)
    key = scope.key if instance_keys(scope.call, parent) is not None else None
    return parent.child(scope.call.name, key) or replace(scope, parent=parent, key=key, memo={})


def plain_prefix(scope: Scope) -> str:
    """The address of a module instance without instance keys, with a final dot; empty for a root."""
    if scope.parent is None or scope.call is None:
        return ""
    return f"{plain_prefix(scope.parent)}module.{scope.call.name}."


def member_name(value: Any) -> str | None:
    """An evaluated key as the name of an object's member or the index of a list's; None when it is not decided."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def step_name(step: Step, place: Place) -> str | None:
    """The member that a step goes to; None when that is not decided, and for a splat."""
    if isinstance(step, Attr):
        return step.name
    return member_name(place.known(step.key)) if isinstance(step, Index) else None


def wanted(steps: tuple[Step, ...], place: Place) -> list[str] | None:
    """The one attribute that a reference asks for, or None when it is for the whole."""
    name = step_name(steps[0], place) if steps and not isinstance(steps[0], Splat) else None
    return None if name is None else [name]


def follow(value: Value, steps: tuple[Step, ...], place: Place) -> Value:
    """What the steps lead to inside a value."""
    for position, step in enumerate(steps):
        if not value.secrets:
            return CLEAN
        if isinstance(step, Splat):
            each = members(value) if value.kind == "list" else value
            return container("list", {}, follow(each, steps[position + 1 :], place))
        value = part(value, step_name(step, place))
    return value
