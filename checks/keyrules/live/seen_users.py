"""Notices the second row of a user in memory that does not grow with the report."""

from __future__ import annotations

from array import array
from typing import Final

EXACT_LIMIT: Final = 1 << 16
_SLOTS: Final = 1 << 22
_MASK: Final = _SLOTS - 1
_CAPACITY: Final = 3 * _SLOTS // 4


class SeenUsers:
    """A set of names that answers one question: was this name here before?

    Up to 65,536 names (an account holds 5,000 users at most) the names themselves are kept and the answer is exact.
    Beyond that each name is 54 bits of its hash in a table of 16 MiB: two different names out of a million are taken
    for one with a probability of about 3 in 100,000, and a report that large is no single account's anyway.
    """

    def __init__(self) -> None:
        self._names: set[str] | None = set()
        self._table = array("I")
        self._used = 0

    def add(self, name: str) -> bool:
        """True when the name is new. OverflowError when there are more than three million names."""
        names = self._names
        if names is not None:
            if name in names:
                return False
            names.add(name)
            if len(names) > EXACT_LIMIT:
                self._spill(names)
            return True
        table = self._table
        code = hash(name)
        slot = code & _MASK
        mark = (code >> 22) & 0xFFFFFFFF or 1
        while table[slot]:
            if table[slot] == mark:
                return False
            slot = (slot + 1) & _MASK
        table[slot] = mark
        self._used += 1
        if self._used > _CAPACITY:
            raise OverflowError
        return True

    def _spill(self, names: set[str]) -> None:
        self._names = None
        self._table = array("I", bytes(_SLOTS * 4))
        for name in names:
            self.add(name)
