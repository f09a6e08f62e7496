"""Work that waits for the network, done by several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def in_parallel(jobs: Sequence[_Job], work: Callable[[_Job], _Result], number: int) -> Iterator[tuple[_Job, _Result]]:
    """Each job with its result, in the order in which they are done, by up to `number` threads.

    What `work` raises ends the iteration. The threads are daemons: whoever interrupts the run does not wait for an
    answer on the way, so `work` must leave nothing half done outside of this process.
    """
    waiting: SimpleQueue[_Job] = SimpleQueue()
    done: SimpleQueue[tuple[_Job, _Result] | BaseException] = SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def labour() -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put((job, work(job)))
            except BaseException as error:
                done.put(error)
                return

    for _ in range(min(number, len(jobs))):
        threading.Thread(target=labour, daemon=True).start()
    try:
        for _ in jobs:
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        while not waiting.empty():
            waiting.get()
