"""Where an expression stands while secrets are followed, and the names of the things on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from keyrules.iac.flow.secret_value import CLEAN, Value, container, members, part
from keyrules.iac.hcl.hcl_ast import Attr, Index, Splat, Step
from keyrules.iac.terraform.hcl_evaluate import evaluate
from keyrules.iac.terraform.terraform_module import Declaration
from keyrules.iac.terraform.terraform_scope import Frame, Scope


@dataclass(frozen=True, eq=False)
class Place:
    """A frame, what its for-variables and iterators carry, and the block that `self` is."""

    frame: Frame
    bound: Mapping[str, Value] = field(default_factory=dict)
    owner: Declaration | None = None

    def binding(self, carried: Mapping[str, Value], known: Mapping[str, Any]) -> Place:
        """The place inside a `for` or a dynamic block, with what its names carry and what they are worth."""
        frame = replace(self.frame, bindings={**self.frame.bindings, **known})
        return replace(self, frame=frame, bound={**self.bound, **carried})


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
    return member_name(evaluate(step.key, place.frame)) if isinstance(step, Index) else None


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
