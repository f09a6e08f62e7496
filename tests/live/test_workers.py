"""Work done by several threads at once."""

from __future__ import annotations

import threading
import time

import pytest

from keyrules.live.workers import in_parallel


def test_every_job_is_done_once_by_no_more_threads_than_allowed() -> None:
    lock, busy, busiest = threading.Lock(), 0, 0

    def work(job: int) -> int:
        nonlocal busy, busiest
        with lock:
            busy += 1
            busiest = max(busiest, busy)
        time.sleep(0.005)
        with lock:
            busy -= 1
        return job * job

    assert sorted(in_parallel(range(30), work, 4)) == [(job, job * job) for job in range(30)]
    assert busiest == 4
    assert list(in_parallel([], work, 4)) == []


def test_what_fails_ends_the_rest() -> None:
    done: list[int] = []

    def work(job: int) -> None:
        done.append(job)
        if job == 3:
            raise ValueError

    with pytest.raises(ValueError):
        list(in_parallel(range(1000), work, 1))
    assert done == [0, 1, 2, 3]


def test_nothing_is_begun_after_the_reader_has_left() -> None:
    begun: list[int] = []
    first = threading.Event()

    def work(job: int) -> None:
        begun.append(job)
        if job:
            first.wait(5)

    for _ in in_parallel(range(1000), work, 1):
        break
    first.set()
    time.sleep(0.05)
    assert len(begun) <= 2
