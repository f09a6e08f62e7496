"""The instances of a root module's blocks of some types, with their arguments as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyrules.code.keys import JUDGED_ONCE, Block, Key
from keyrules.code.terraform.evaluate import instance_keys
from keyrules.code.terraform.hcl.values import text
from keyrules.code.terraform.keys import module_instances
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.plain_values import plain_value
from keyrules.code.terraform.scope import Frame, Scope, format_key
from keyrules.model import TraceStep
from keyrules.policies.patterns import HOLE
from keyrules.records import dataclass


@dataclass(frozen=True)
class Instance:
    """One instance of a block. `repeated` says that it stands for those of a `count` or `for_each` that is open."""

    kind: str
    declared: Declaration
    frame: Frame
    repeated: bool = False

    @property
    def address(self) -> str:
        """The full Terraform address, instance key included."""
        return f"{self.frame.scope.prefix}{self.declared.name}{format_key(self.frame.key)}"

    @property
    def step(self) -> TraceStep:
        """Its place."""
        return TraceStep(self.address, self.declared.path, self.declared.start_line)

    def value(self, name: str) -> object:
        """An argument as plain values."""
        return plain_value(self.declared.value(name), self.frame)

    def text(self, name: str) -> str:
        """An argument as text: a HOLE where it is not known, nothing where it is not set."""
        value = self.value(name)
        return "" if value is None else text(value) or HOLE


def instances(root: Scope, kinds: Iterable[str]) -> Iterator[Instance]:
    """The instances of blocks of some types, in the root and in the modules that it calls."""
    wanted = frozenset(kinds)
    for scope in module_instances(root):
        for name in sorted(scope.module.resources):
            kind = name.partition(".")[0]
            if kind in wanted:
                declared = scope.module.resources[name]
                keys = instance_keys(declared, scope)
                for key in (None,) if keys is None else keys:
                    yield Instance(kind, declared, Frame(scope, key, declared), repeated=keys is None)


def blocks(root: Scope, kinds: Iterable[str]) -> Iterator[Block]:
    """The same as the rules on blocks see them."""
    for item in instances(root, kinds):
        lines = item.declared.start_line, item.declared.end_line
        caveat = JUDGED_ONCE if item.repeated else ""
        yield Block(item.kind, item.declared.path, item.address, *lines, item.value, Key.open_because, caveat)
