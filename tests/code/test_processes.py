"""One process per piece of work: what happens in one costs nobody else anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scanning import PROJECT, scan, write

from keyrules.code.processes import ENDED, TIMED_OUT, Failure, in_processes
from keyrules.code.scan_unit import Limits

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
TWO = Limits(unit_seconds=30, processes=2)


def test_each_piece_is_done_once_and_knows_its_place() -> None:
    found = dict(in_processes(["a", "b", "c", "d", "e"], str.upper, TWO))
    assert found == {0: "A", 1: "B", 2: "C", 3: "D", 4: "E"}


def test_large_results_are_not_mixed() -> None:
    found = dict(in_processes([65, 66, 67], lambda code: bytes([code]) * 3_000_000, TWO))
    assert found == {index: bytes([65 + index]) * 3_000_000 for index in range(3)}


def test_what_ends_one_leaves_the_others() -> None:
    def work(index: int) -> int:
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 2:
            raise MemoryError
        if index == 3:
            os._exit(7)
        return index

    found = dict(in_processes(range(5), work, TWO))
    assert found == {0: 0, 1: Failure(ENDED), 2: Failure("MemoryError"), 3: Failure(ENDED), 4: 4}


def test_one_that_takes_too_long_is_ended() -> None:
    def work(index: int) -> int:
        if index == 0:
            time.sleep(60)
        return index

    found = dict(in_processes(range(3), work, Limits(unit_seconds=0.3, processes=2)))
    assert found == {0: Failure(TIMED_OUT), 1: 1, 2: 2}


def test_memory_is_bounded() -> None:
    limits = Limits(unit_seconds=30, memory_bytes=2**30, processes=1)
    assert dict(in_processes([1], lambda _: len(bytes(2**31)), limits)) == {0: Failure("MemoryError")}


def test_nothing_of_it_reaches_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    def work(index: int) -> int:
        os.write(1, b"a line of the file")
        os.write(2, b"another")
        return index

    assert dict(in_processes([0], work, TWO)) == {0: 0}
    assert capfd.readouterr() == ("", "")


def test_a_unit_that_fails_is_an_error_and_the_others_are_judged(tmp_path: Path) -> None:
    found = scan(write(tmp_path, {"a/main.tf": KEY, "b/main.tf": KEY}), "--timeout", "0.000001")
    assert found.code == 3 and set(found.errors()) == {"a", "b"}
    assert all("--timeout gives it more" in message for message in found.errors().values())


def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    script = (
        "import time; from keyrules.code.processes import in_processes; from keyrules.code.scan_unit import Limits; "
        "list(in_processes([0], lambda _: [time.sleep(0.1) for _ in range(9000)], Limits(unit_seconds=900)))"
    )
    run = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(PROJECT / "src")})
    unit = wait_for(lambda: children(run.pid))[0]
    run.kill()
    run.wait()
    wait_for(lambda: not alive(unit))


def test_a_cancelled_run_takes_its_worker_along(tmp_path: Path) -> None:
    """A pipeline that is cancelled sends SIGTERM."""
    write(tmp_path, {"main.tf": KEY})
    script = (
        "import sys, time; from keyrules.cli import main; from keyrules.code import judges; "
        "judges.judge_unit = lambda *unit: time.sleep(900); sys.exit(main())"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script, "scan"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    unit = wait_for(lambda: children(run.pid))[0]
    run.send_signal(signal.SIGTERM)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out, err) == (3, "", "keyrules: interrupted; nothing was concluded\n")
    assert not alive(unit)


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
