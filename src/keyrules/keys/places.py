"""Brings states and code together: each declared key once, with its place in the code and what the state knows of it.

A state does not say which root module it is of. It is taken for that of the root with which it shares most addresses,
and of several the one in whose folder it lies; where two places are left, none is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keyrules.code.addresses import without_keys
from keyrules.code.file_paths import below
from keyrules.code.state.reading import State, StateKey
from keyrules.keys.declarations import CodeKey, CodeUnit
from keyrules.records import dataclass, field


@dataclass(frozen=True)
class Declaration:
    """A key that code, a state or both declare. `path` is absolute, and None where no code was found for it.

    `active` is what the code says, else what the state says. `rotation` is the word of KEY_AWS_001, empty without code.
    `stack_user` is the logical id of a user that its stack names. `held_in` are the accounts of states that were given
    for the code and do not hold the key, "" one that is not known. `address` is that in the state; where `moved` blocks
    say that the code has another one by now, that is `moved_to`.
    """

    address: str
    user: str | None
    account: str | None = None
    state: str | None = None
    key_id: str | None = None
    created: datetime | None = None
    active: bool | None = None
    deposed: bool = False
    path: str | None = None
    line: int | None = None
    rotation_days: float | None = None
    rotation: str = ""
    template: bool = False
    stack_user: str | None = None
    held_in: frozenset[str] = field(default=frozenset())
    moved_to: str | None = None

    @property
    def address_now(self) -> str:
        """Its address for commands that read the code: Terraform moves what is in the state first."""
        return self.moved_to or self.address

    @property
    def from_state(self) -> bool:
        """Whether a state holds it."""
        return self.state is not None

    @property
    def order(self) -> tuple[str, int, str, str, str, bool]:
        """The sort key of declarations."""
        return (self.path or "", self.line or 0, self.address, self.state or "", self.user or "", self.deposed)


def declarations(states: Sequence[State], units: Sequence[CodeUnit], account: str | None) -> list[Declaration]:
    """Every declared key; `account` is that of declarations that name none."""
    found: list[Declaration] = []
    covered: set[tuple[str, str]] = set()
    accounts: dict[str, set[str]] = {}
    for state in states:
        roots = _roots(state, units)
        for key in state.keys:
            codes = _code_of(key, roots)
            covered |= {(unit.path, code.address) for unit, code in codes if code.user in (None, key.user)}
            found.append(_from_state(key, codes, roots, account))
        for unit in roots if len(roots) == 1 else ():
            accounts.setdefault(unit.path, set()).update(state.accounts or {account or ""})
    alone: dict[tuple[object, ...], Declaration] = {}
    for unit in units:
        for code in unit.keys:
            if (unit.path, code.address) not in covered:
                declaration = _from_code(code, account, frozenset(accounts.get(unit.path, ())))
                alone.setdefault((*declaration.order, declaration.account), declaration)
    return sorted([*found, *alone.values()], key=lambda each: each.order)


def _roots(state: State, units: Sequence[CodeUnit]) -> list[CodeUnit]:
    """The roots that the state may be of, those with which it shares most addresses."""
    scores = [(_shared(state, unit), unit) for unit in units if not any(key.template for key in unit.keys)]
    best = max((score for score, _ in scores), default=0)
    found = [unit for score, unit in scores if score == best and score]
    beside = [unit for unit in found if state.path is not None and below(state.path, [unit.path])]
    if beside:
        nearest = max(len(unit.path) for unit in beside)
        found = [unit for unit in beside if len(unit.path) == nearest]
    return found


def _shared(state: State, unit: CodeUnit) -> int:
    calls = tuple(f"{address}." for address, _, _ in unit.calls)
    blocks = [without_keys(unit.now(block)) for block in state.blocks]
    return sum(block in unit.blocks or (bool(calls) and block.startswith(calls)) for block in blocks)


def _code_of(key: StateKey, roots: Sequence[CodeUnit]) -> list[tuple[CodeUnit, CodeKey]]:
    """The declarations that stand at the key's address and do not speak of another account: those of its user, else
    those of an open one, else those that inputs which are not here must have given this user."""
    found = [
        (unit, code)
        for unit in roots
        for address in (unit.now(key.address),)
        for code in unit.keys
        if (code.address == address or (code.repeated and code.block == without_keys(address)))
        and (code.account is None or key.account in (None, code.account))
    ]
    of_user = [(unit, code) for unit, code in found if code.user == key.user]
    of_any = [(unit, code) for unit, code in found if code.user is None]
    return of_user or of_any or found


def _from_state(
    key: StateKey, codes: Sequence[tuple[CodeUnit, CodeKey]], roots: Sequence[CodeUnit], account: str | None
) -> Declaration:
    own = [code for _, code in codes]
    places = {(code.path, code.line) for code in own} or _blocks_of(key, roots) or _calls_to(key, roots)
    path, line = places.pop() if len(places) == 1 else (None, None)
    days = {code.rotation_days for code in own}
    rotations = {code.rotation for code in own}
    statuses = {code.active for code in own} or {key.active}
    known = {code.account for code in own if code.account}
    moved = {unit.now(key.address) for unit, _ in codes} - {key.address}
    return Declaration(
        key.address,
        key.user,
        key.account or (known.pop() if len(known) == 1 else account),
        key.state,
        key.key_id,
        key.created,
        statuses.pop() if len(statuses) == 1 else key.active,
        key.deposed,
        path,
        line,
        days.pop() if len(days) == 1 else None,
        rotations.pop() if len(rotations) == 1 else "rotation_unknown" if rotations else "",
        moved_to=moved.pop() if len(moved) == 1 else None,
    )


def _blocks_of(key: StateKey, roots: Sequence[CodeUnit]) -> set[tuple[str, int]]:
    """The places of blocks that have other instances now than when the state was written."""
    return {
        (code.path, code.line)
        for unit in roots
        for block in (without_keys(unit.now(key.address)),)
        for code in unit.keys
        if code.block == block and (code.account is None or key.account in (None, code.account))
    }


def _calls_to(key: StateKey, roots: Sequence[CodeUnit]) -> set[tuple[str, int]]:
    """The places of the innermost calls, of which the code is here, that lead to a key in a module that is not."""
    found: list[tuple[int, tuple[str, int]]] = []
    for unit in roots:
        block = without_keys(unit.now(key.address))
        if block not in unit.blocks:
            found += [
                (len(address), (path, line)) for address, path, line in unit.calls if block.startswith(f"{address}.")
            ]
    longest = max((length for length, _ in found), default=0)
    return {place for length, place in found if length == longest}


def _from_code(code: CodeKey, account: str | None, held_in: frozenset[str]) -> Declaration:
    return Declaration(
        code.address,
        code.user,
        code.account or account,
        active=code.active,
        path=code.path,
        line=code.line,
        rotation_days=code.rotation_days,
        rotation=code.rotation,
        template=code.template,
        stack_user=code.stack_user,
        held_in=held_in,
    )
