"""Times whole processes in pairs: each pair runs one after the other, so that a noisy machine disturbs both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
KEYRULES = str(Path(sys.executable).parent / "keyrules")
"""The installed command beside this Python: what is measured is never a checkout."""


@dataclass(frozen=True)
class Run:
    """One process with all of its own: seconds on the clock and on the processors, and MiB at the peak."""

    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Measured:
    """Medians of the runs; `ratio` and `cpu_ratio` are the medians of the pairs' own ratios, None without a peer."""

    ours: Run
    theirs: Run | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None


def plain_checkov(*arguments: str) -> list[str]:
    """Plain Checkov with this pack's rules and no others, on the frameworks that they are for."""
    folders = [word for name in ("rules", "checks") for word in ("--external-checks-dir", str(PROJECT / name))]
    options = ["--skip-download", "--quiet", "--compact", "--framework", "terraform", "cloudformation"]
    return [sys.executable, "-m", "checkov.main", *options, "--check", "KEY_AWS_*", *folders, *arguments]


def timed(command: Sequence[str], folder: Path | None = None) -> Run:
    """One run. Raises RuntimeError where it exits with 2 or is killed: then nothing was evaluated."""
    # Whoever calls may forbid compiled modules, which an installation always has.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=variables, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1, 3):
            errors.seek(0)
            raise RuntimeError(f"{command} exits {process.returncode}: {errors.read().decode()[-500:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(ours: Callable[[], Run], theirs: Callable[[], Run] | None, runs: int) -> Measured:
    """`runs` pairs, after one run of ours that warms the file system's cache."""
    ours()
    pairs = [(ours(), theirs() if theirs else None) for _ in range(runs)]
    peers = [(first, second) for first, second in pairs if second is not None]
    middle = _median([first for first, _ in pairs])
    if not peers:
        return Measured(middle)
    return Measured(
        middle,
        _median([second for _, second in peers]),
        statistics.median(first.seconds / second.seconds for first, second in peers),
        statistics.median(first.cpu / second.cpu for first, second in peers),
    )


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu for run in runs),
        max(run.peak for run in runs),
    )
