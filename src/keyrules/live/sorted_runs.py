"""Records in sorted order, in memory that does not grow with their number.

What is beyond a bound lies in sorted runs in a temporary file without a name, which only this process can reach. That
is why marshal will do, whose form is that of one version of Python, and which takes half as long as JSON.
"""

from __future__ import annotations

import heapq
import marshal
import os
from array import array
from collections.abc import Iterator
from itertools import pairwise
from tempfile import TemporaryFile
from typing import IO, Any, Final, TypeAlias

from keyrules.terms import UsageError

Record: TypeAlias = list[Any]
"""Text, numbers, None and lists of those. The first items are the sort key and tell it from every other record."""

_IN_MEMORY: Final = 1 << 12
_BLOCK: Final = 1 << 5


class SortedRuns:
    """Takes records in any order and gives them back sorted, as often as asked, once all of them are in."""

    def __init__(self, bound: int = _IN_MEMORY) -> None:
        self._bound = bound
        self._newest: list[Record] = []
        self._is_sorted = True
        self._runs: list[array[int]] = []
        """For each run the offsets of its blocks in the file, and its end."""
        self._file: IO[bytes] | None = None
        self._length = 0

    def add(self, record: Record) -> None:
        """Takes one record. Raises UsageError where there is no room for the temporary file."""
        self._newest.append(record)
        self._length += 1
        self._is_sorted = False
        if len(self._newest) >= self._bound:
            try:
                self._spill()
            except OSError as error:
                raise UsageError(
                    f"the folder for temporary files has no room for what the run has to sort ({error.strerror}): free "
                    "some, or set TMPDIR to another folder"
                ) from error

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Record]:
        if not self._is_sorted:
            self._newest.sort()
            self._is_sorted = True
        return heapq.merge(*map(self._read, self._runs), self._newest) if self._runs else iter(self._newest)

    def _spill(self) -> None:
        if self._file is None:
            self._file = TemporaryFile(prefix="keyrules-")  # noqa: SIM115 - for the life of the run
        self._newest.sort()
        offset = self._file.seek(0, os.SEEK_END)
        offsets = array("Q", [offset])
        for start in range(0, len(self._newest), _BLOCK):
            offset += self._file.write(marshal.dumps(self._newest[start : start + _BLOCK]))
            offsets.append(offset)
        self._file.flush()
        self._runs.append(offsets)
        self._newest.clear()

    def _read(self, offsets: array[int]) -> Iterator[Record]:
        assert self._file is not None
        descriptor = self._file.fileno()
        for start, end in pairwise(offsets):
            yield from marshal.loads(os.pread(descriptor, end - start, start))
