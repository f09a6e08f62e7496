"""One process per unit: what happens in one costs nobody else anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scanning import PROJECT, write

from keyrules.code.host.checkov_host import run_units
from keyrules.code.host.worker_protocol import Request
from keyrules.code.judged_rules import JUDGED_RULES, RULES_ON_EVERY_KEY
from keyrules.code.judging import PLAN_JUDGES, SOURCE_JUDGES, TEMPLATE_JUDGES
from keyrules.code.processes import UnitProcesses
from keyrules.code.scan_unit import Limits, Unit

Write = Callable[[bytes], None]
KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
HANGS = "locals {\n  x = pow(10, 1000000000)\n}\n"


@pytest.fixture
def parent() -> Iterator[int]:
    """The reading end of a pipe that stays open."""
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


class Log:
    """What came of the processes."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.ended: list[tuple[int, bool]] = []

    def run(self, work: Callable[[int, Write], None], count: int, parent: int, seconds: float = 30.0) -> Log:
        processes = UnitProcesses(work, self._take, lambda *end: self.ended.append(end), time.monotonic)
        processes.run(count, 2, seconds, parent)
        return self

    def _take(self, data: bytes) -> None:
        assert data == b"" or data.endswith(b"\n")
        self.lines += data.splitlines()


def test_each_unit_is_done_once(parent: int) -> None:
    log = Log().run(lambda index, write: write(b"%d\n" % index), 7, parent)
    assert sorted(log.lines) == [b"%d" % index for index in range(7)] and log.ended == []


def test_long_lines_are_not_mixed(parent: int) -> None:
    log = Log().run(lambda index, write: write(bytes([65 + index]) * 300_000 + b"\n"), 4, parent)
    assert sorted(log.lines) == [bytes([65 + index]) * 300_000 for index in range(4)]


def test_a_process_that_dies_is_told_of_alone(parent: int) -> None:
    def work(index: int, write: Write) -> None:
        write(b"half %d\n" % index)
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 2:
            raise MemoryError
        write(b"whole %d\n" % index)

    log = Log().run(work, 4, parent)
    assert sorted(log.ended) == [(1, False), (2, False)]
    assert sorted(line for line in log.lines if line.startswith(b"whole")) == [b"whole 0", b"whole 3"]


def test_a_process_that_takes_too_long_is_ended(parent: int) -> None:
    def work(index: int, write: Write) -> None:
        if index == 0:
            time.sleep(60)
        write(b"done\n")

    assert Log().run(work, 3, parent, seconds=0.3).ended == [(0, True)]


def test_nothing_goes_on_for_nobody() -> None:
    """The other end of the pipe is closed, as when the run that waits for the outcome is killed."""
    reading, writing = os.pipe()
    os.close(writing)
    log = Log().run(lambda index, write: time.sleep(60), 2, reading)
    assert log.lines == [] and log.ended == []


def test_outcomes_come_in_the_order_of_the_units(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    write(tmp_path, {f"{name}/main.tf": KEY + (HANGS if name == "b" else "") for name in names})
    units = [Unit("terraform", str(tmp_path / name)) for name in names]
    from datetime import datetime, timezone

    request = Request(("KEY_AWS_001",), (), datetime(2026, 6, 1, tzinfo=timezone.utc), (), 0)
    alone, several = (list(run_units(units, request, Limits(unit_seconds=4, processes=count))) for count in (1, 3))
    assert [outcome.unit for outcome in alone] == units
    assert [bool(outcome.problem) for outcome in alone] == [name == "b" for name in names]
    assert alone == several


def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": KEY + HANGS})
    run = subprocess.Popen(
        [sys.executable, "-m", "keyrules.cli", "scan", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    worker = wait_for(lambda: children(run.pid))[0]
    unit = wait_for(lambda: children(worker))[0]
    run.kill()
    run.wait()
    wait_for(lambda: not alive(worker) and not alive(unit))


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object]) -> list[int]:
    for _ in range(600):
        found = condition()
        if found:
            return found if isinstance(found, list) else []
        time.sleep(0.05)
    raise AssertionError("it does not come about")


def test_the_table_of_judged_rules_is_that_of_the_judges() -> None:
    judges = {"terraform": SOURCE_JUDGES, "plan": PLAN_JUDGES, "cloudformation": TEMPLATE_JUDGES}
    assert {kind: tuple(rules) for kind, rules in judges.items()} == JUDGED_RULES
    assert {rule for rules in JUDGED_RULES.values() for rule in rules} > RULES_ON_EVERY_KEY
