"""Runs each unit in a process of its own, forked from this one, several at a time.

What crashes, hangs or eats memory in a unit ends with that unit's process, and no unit sees what another left behind.
"""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_CHUNK = 1 << 20


@dataclass
class _Child:
    pid: int
    index: int
    deadline: float
    output: bytes = b""


class UnitProcesses:
    """`work(index, write)` does one unit inside its process and writes whole lines; `ended(index, timed_out)` is told
    of a process that did not come to its end, `lines` gets what the processes wrote, one process after the other."""

    def __init__(
        self,
        work: Callable[[int, Callable[[bytes], None]], None],
        lines: Callable[[bytes], None],
        ended: Callable[[int, bool], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._work = work
        self._lines = lines
        self._ended = ended
        self._monotonic = monotonic
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, _Child] = {}

    def run(self, count: int, width: int, seconds: float, parent: int) -> None:
        """Does units 0 to count - 1, `width` at a time, each within `seconds`.

        Stops when the file `parent` comes to its end: then nobody waits for the outcome any more.
        """
        self._selector.register(parent, selectors.EVENT_READ)
        waiting = iter(range(count))
        try:
            while self._fill(waiting, width, seconds):
                left = min(child.deadline for child in self._running.values()) - self._monotonic()
                for key, _ in self._selector.select(max(0.0, left)):
                    if key.fd == parent:
                        return
                    self._read(key.fd)
                self._end_overdue()
        finally:
            for child in self._running.values():
                os.kill(child.pid, signal.SIGKILL)

    def _fill(self, waiting: Iterator[int], width: int, seconds: float) -> bool:
        """Starts processes up to the width. Returns whether any runs."""
        while len(self._running) < width:
            index = next(waiting, None)
            if index is None:
                break
            self._start(index, seconds)
        return bool(self._running)

    def _start(self, index: int, seconds: float) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(reading)
                self._work(index, lambda data: _write_all(writing, data))
                code = 0
            finally:
                # Nothing of the parent's may run twice: no buffers to flush, no handlers, no exit functions.
                os._exit(code)
        os.close(writing)
        self._running[reading] = _Child(pid, index, self._monotonic() + seconds)
        self._selector.register(reading, selectors.EVENT_READ)

    def _read(self, file: int) -> None:
        child = self._running[file]
        data = os.read(file, _CHUNK)
        if data:
            whole, newline, child.output = (child.output + data).rpartition(b"\n")
            self._lines(whole + newline)
        else:
            self._finish(file, timed_out=False)

    def _end_overdue(self) -> None:
        now = self._monotonic()
        for file in [file for file, child in self._running.items() if child.deadline <= now]:
            os.kill(self._running[file].pid, signal.SIGKILL)
            self._finish(file, timed_out=True)

    def _finish(self, file: int, timed_out: bool) -> None:
        child = self._running.pop(file)
        self._selector.unregister(file)
        os.close(file)
        _, status = os.waitpid(child.pid, 0)
        if timed_out or os.waitstatus_to_exitcode(status) != 0:
            self._ended(child.index, timed_out)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
