"""Times whole processes in pairs: each pair runs one after the other, so that a noisy machine disturbs both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_SCRIPT = Path(sys.executable).parent / "keyrules"


@dataclass(frozen=True)
class Measured:
    """Medians over the pairs, in seconds; `ratio` is the median of the pairs' own ratios. `peak` is in MiB."""

    ours: float
    theirs: float
    ratio: float
    peak: float


def keyrules_command() -> list[str]:
    """The installed command beside this Python, or the module where there is none."""
    return [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "keyrules.cli"]


def plain_checkov(*arguments: str) -> list[str]:
    """Plain Checkov with this pack's rules and no others, on the frameworks that they are for."""
    folders = [word for name in ("rules", "checks") for word in ("--external-checks-dir", str(PROJECT / name))]
    options = ["--skip-download", "--quiet", "--compact", "--framework", "terraform", "cloudformation"]
    return [sys.executable, "-m", "checkov.main", *options, "--check", "KEY_AWS_*", *folders, *arguments]


def environment(cache: Path) -> dict[str, str]:
    """The caller's environment with a cache of its own, and this checkout's code where no other is installed."""
    code = {} if _SCRIPT.exists() else {"PYTHONPATH": str(PROJECT / "src")}
    return {**os.environ, **code, "KEYRULES_CACHE_DIR": str(cache)}


def timed(command: Sequence[str], variables: Mapping[str, str], folder: Path | None = None) -> tuple[float, float]:
    """Seconds and peak MiB of one run. Raises RuntimeError unless it exits 0 or 1 (findings)."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(variables), cwd=folder, stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            errors.seek(0)
            raise RuntimeError(f"{command} exits {process.returncode}: {errors.read().decode()[-500:]}")
    return seconds, usage.ru_maxrss / 1024


def compare(ours: Callable[[], tuple[float, float]], theirs: Callable[[], tuple[float, float]], runs: int) -> Measured:
    """`runs` pairs, after one run of ours that warms the file system's cache."""
    ours()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Measured(
        ours=statistics.median(first for (first, _), _ in pairs),
        theirs=statistics.median(second for _, (second, _) in pairs),
        ratio=statistics.median(first / second for (first, _), (second, _) in pairs),
        peak=max(peak for (_, peak), _ in pairs),
    )
