"""The access keys that a Terraform configuration declares: the subjects of every rule about keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from keyrules.code.terraform.account import account
from keyrules.code.terraform.evaluate import evaluate, instance_keys
from keyrules.code.terraform.hcl.ast import Conditional
from keyrules.code.terraform.hcl.render import render
from keyrules.code.terraform.identity import Atom, conditions, enclosing_conditions, exclude, identity, outcome
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Scope, format_key
from keyrules.code.verdict import Context, Verdict
from keyrules.model import FactValue, InputError, Status
from keyrules.records import dataclass, field

KEY_TYPES = ("aws_iam_access_key", "awsutils_expiring_iam_access_key")
"""Resource types that create an IAM access key. Others of the same look belong to other clouds."""

MAX_INSTANCES = 5_000
"""How many module instances of one root are told apart."""


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

    def verdict(
        self,
        context: Context,
        status: Status,
        reason: str,
        message: str,
        facts: Mapping[str, FactValue] | None = None,
    ) -> Verdict:
        """A verdict of the context's rule on this key, anchored on its block."""
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
    for scope in module_instances(root):
        yield from keys_of(scope)


def keys_of(scope: Scope) -> Iterator[DeclaredKey]:
    """Every key instance that one module instance declares itself."""
    for name in sorted(scope.module.resources):
        if name.split(".")[0] in KEY_TYPES:
            declared = scope.module.resources[name]
            keys = instance_keys(declared, scope)
            for key in (None,) if keys is None else keys:
                yield DeclaredKey(declared, Frame(scope, key, declared), repeated=keys is None)


def module_instances(root: Scope) -> Iterator[Scope]:
    """A root and every instance of every local module below it; a call whose keys are undecided is one instance.

    So is a call that would go beyond MAX_INSTANCES, because calls in calls multiply. Raises InputError where even one
    instance for each call is too many.
    """
    left = [MAX_INSTANCES]

    def below(scope: Scope) -> Iterator[Scope]:
        yield scope
        for name in sorted(scope.module.calls):
            keys = instance_keys(scope.module.calls[name], scope)
            if keys is None or len(keys) > left[0]:
                keys = (None,)
            left[0] -= len(keys)
            if left[0] < -MAX_INSTANCES:
                raise InputError(f"{root.module.path} calls modules in more than {2 * MAX_INSTANCES} places")
            for key in keys:
                child = scope.child(name, key)
                if child is not None:
                    yield from below(child)

    yield from below(root)


@dataclass(frozen=True)
class Owner:
    """The user that a key or login profile is for. Two are equal exactly when they are known to be the same user."""

    identity: int
    account: Hashable
    shown: str = field(compare=False)


def user_of(declared: Declaration, frame: Frame) -> Owner:
    """The owner of one instance of a block with a `user` argument."""
    expr = declared.value("user")
    value = evaluate(expr, frame)
    shown = value if isinstance(value, str) else render(expr) if expr is not None else ""
    return Owner(identity(expr, frame), account(declared, frame), f"user {shown}" if shown else "the user")


def needs(declared: Declaration, frame: Frame) -> frozenset[Atom]:
    """What must hold for a block to be declared, its module included."""
    return conditions(declared, frame.scope) | enclosing_conditions(frame.scope)


def exclusive(first: DeclaredKey, second: DeclaredKey) -> bool:
    """Whether two keys are never active together: what one needs rules the other out."""
    return exclude(active_when(first), active_when(second))


def active_when(key: DeclaredKey) -> frozenset[Atom]:
    """What must hold for a key to be declared and not Inactive."""
    status = key.declared.value("status")
    found = needs(key.declared, key.frame)
    if isinstance(status, Conditional):
        for branch, wanted in ((status.then, False), (status.otherwise, True)):
            if evaluate(branch, key.frame) == "Inactive":
                found |= outcome(status.test, wanted, key.frame)
    return found
