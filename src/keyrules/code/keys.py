"""What every reader says of a declared key, in one shape: the subjects of the rules in key_rules.

Source, plan and template each have their own way to know a key's user, its rotation and what it can stand beside. They
say so in a Key and a KeySet, and each rule is then decided in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import Enum
from typing import TypeAlias

from keyrules.code.verdict import Opinion, TimedContext
from keyrules.records import TYPE_CHECKING, dataclass, field

if TYPE_CHECKING:
    from keyrules.code.grants import Held


JUDGED_ONCE = "count or for_each cannot be resolved; judged as if declared once"
"""The caveat of what Terraform may repeat."""


class Unread(Enum):
    """What is known of an attribute without a value at hand."""

    ABSENT = "absent"
    """It is not set, or set to nothing."""
    OPEN = "open"
    """Only an input or a deployment decides it."""
    SET = "set"
    """It has some value that the code does not show."""


class Cases(tuple[object, ...]):
    """The values that an attribute can take, each an Unread or a value; a condition decides which."""


Attribute: TypeAlias = object
"""A value, an Unread, or Cases of both."""


def _nothing_else(names: Sequence[str]) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Placed:
    """A block with its place. `kind` is its resource type, or `module` for a call. Lines are 1-based and inclusive;
    `path` is absolute."""

    kind: str
    path: str
    address: str
    start_line: int
    end_line: int


@dataclass(frozen=True)
class Subject(Placed):
    """A block that a rule's definition is asked about. `attribute` gives what is known of an argument, under the name
    that the block's own language has for it."""

    attribute: Callable[[str], Attribute] = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Block(Placed):
    """A declared block that is no key and that a rule judges by itself.

    `value` gives an argument as plain values, with a HOLE (keyrules.policies.patterns) for what the code does not
    decide, and None where it is not set. The rest is as in Key.
    """

    value: Callable[[str], object] = field(repr=False)
    open_because: str
    caveat: str = ""
    never: str = ""


@dataclass(frozen=True, eq=False)
class Key(Subject):
    """A declared key: one instance, or one block whose instances cannot be told.

    `status` is its status attribute; `owner` is equal for two keys exactly when they are known to be of one user, None
    when nothing can be said; `owner_shown` names the user in a sentence. `open_because` goes on after "the status" or
    another attribute that is OPEN: why, and what to do. `caveat` says how it was judged, in messages
    that are no pass. `evidence` gives the files that some of its arguments, and whether it is declared at all, rest on.
    `never` says why it is surely not created although it stands there. `several` says that it may
    stand for more than one key of that user. `leaves_state` says that it lives on and Terraform's state drops it.
    """

    status: Attribute
    owner: Hashable
    owner_shown: str
    rotation: Callable[[TimedContext], Opinion] = field(repr=False)
    open_because: str = "comes from an input without a value here; give it a default, or scan the plan"
    evidence: Callable[[Sequence[str]], frozenset[str]] = field(default=_nothing_else, repr=False)
    caveat: str = ""
    never: str = ""
    several: bool = False
    leaves_state: bool = False

    @property
    def inactive(self) -> bool:
        """Whether the code says Inactive in every case; what is open counts as active."""
        cases = self.status if isinstance(self.status, Cases) else (self.status,)
        return all(case == "Inactive" for case in cases)


@dataclass(frozen=True, eq=False)
class KeyCall(Key):
    """A call of a module that is not read and creates a key, or may.

    `known` is False for a module that nobody knows, whose arguments ask for a key.
    """

    known: bool = True


@dataclass(frozen=True)
class ConsolePassword:
    """A login profile that can be declared together with a key, for the same user."""

    label: str
    path: str
    line: int


@dataclass(frozen=True)
class KeySet:
    """The keys of one unit. `together` says whether two of them can be active at once; `passwords` names the login
    profiles beside an active key; `held` gives the policies of its user; `calls` are calls of modules that are not read
    and may create one; `blocks` are what rules judge besides keys."""

    keys: Sequence[Key]
    together: Callable[[Key, Key], bool]
    passwords: Callable[[Key], Sequence[ConsolePassword]]
    held: Callable[[Key], Held]
    calls: Sequence[KeyCall] = ()
    blocks: Sequence[Block] = ()

    def beside(self, key: Key) -> list[Key]:
        """The other keys that can be active together with an active key, for the same user."""
        if key.owner is None:
            return []
        return [other for other in self._active.get(key.owner, ()) if other is not key and self.together(key, other)]

    @property
    def _active(self) -> Mapping[Hashable, list[Key]]:
        found: dict[Hashable, list[Key]] = self.__dict__.get("_by_owner", {})
        if not found:
            for key in self.keys:
                if not key.inactive and not key.never:
                    found.setdefault(key.owner, []).append(key)
            self.__dict__["_by_owner"] = found
        return found
