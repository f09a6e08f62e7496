"""Does each piece of work in a process of its own, several at a time, within bounds of time and memory.

What crashes, hangs or eats memory ends with its process, and no piece of work sees what another left behind. The
processes are forked from this one, so that nothing is loaded twice.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from keyrules.code.scan_unit import Limits
from keyrules.records import dataclass, field

Work = TypeVar("Work")
Result = TypeVar("Result")

TIMED_OUT, ENDED = "timed out", "ended"

_CHUNK = 1 << 20
_COLLECT_AFTER = 50_000
"""Allocations between two looks for garbage; Python's 700 cost a tenth of the time on trees that only grow."""


class Failure(NamedTuple):
    """Work without a result: TIMED_OUT, ENDED, or the name of the exception that ended it."""

    error: str


@dataclass
class _Child:
    pid: int
    index: int
    deadline: float
    output: bytearray = field(default_factory=bytearray)


def in_processes(
    work: Sequence[Work], do: Callable[[Work], Result], limits: Limits, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[tuple[int, Result | Failure]]:
    """The position of each piece of work and what `do` makes of it, in the order in which they end.

    Results have to be picklable.
    """
    if not work:
        return
    # Without a look for garbage first: that costs as much as it takes to judge a small module, and finds little.
    gc.freeze()
    selector = selectors.DefaultSelector()
    running: dict[int, _Child] = {}
    waiting = iter(range(len(work)))
    life = os.pipe()
    try:
        while True:
            while len(running) < max(1, limits.processes) and (index := next(waiting, None)) is not None:
                reading, pid = _start(work[index], do, limits, life, list(running))
                running[reading] = _Child(pid, index, monotonic() + limits.unit_seconds)
                selector.register(reading, selectors.EVENT_READ)
            if not running:
                return
            left = min(child.deadline for child in running.values()) - monotonic()
            ended = []
            for key, _ in selector.select(max(0.0, left)):
                data = os.read(key.fd, _CHUNK)
                running[key.fd].output += data
                if not data:
                    ended.append((key.fd, False))
            now = monotonic()
            ended += [(fd, True) for fd, child in running.items() if child.deadline <= now and (fd, False) not in ended]
            for fd, overdue in ended:
                child = running.pop(fd)
                selector.unregister(fd)
                os.close(fd)
                if overdue:
                    os.kill(child.pid, signal.SIGKILL)
                _, status = os.waitpid(child.pid, 0)
                yield child.index, _result(child, status, overdue)
    finally:
        for fd, child in running.items():
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
            os.close(fd)
        for fd in life:
            os.close(fd)
        selector.close()
        gc.unfreeze()


def _result(child: _Child, status: int, overdue: bool) -> Any:
    if overdue:
        return Failure(TIMED_OUT)
    if os.waitstatus_to_exitcode(status) != 0:
        return Failure(ENDED)
    # Written by this very program a moment ago, into a pipe that nobody else holds.
    return pickle.loads(child.output)


def _start(
    work: Work, do: Callable[[Work], Result], limits: Limits, life: tuple[int, int], others: Sequence[int]
) -> tuple[int, int]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return reading, pid
    code = 1
    try:
        for file in (reading, life[1], *others):
            os.close(file)
        _end_with_the_parent(life[0])
        _bound(limits)
        try:
            data = pickle.dumps(do(work))
        except (Exception, SystemExit) as error:
            data = pickle.dumps(Failure(type(error).__name__))
        view = memoryview(data)
        while view:
            view = view[os.write(writing, view) :]
        code = 0
    finally:
        # Nothing of the parent's may run twice: no buffers to flush, no handlers, no exit functions.
        os._exit(code)
    raise AssertionError("unreachable")


def _end_with_the_parent(life: int) -> None:
    """Asks for SIGIO, which ends a process that does not handle it, when the last writer of a pipe is gone."""
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)


def _bound(limits: Limits) -> None:
    """Bounds this process, and keeps it quiet: nothing that it reads may reach a terminal or a core file."""
    silence = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1, 2):
        os.dup2(silence, file)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.set_threshold(_COLLECT_AFTER)
