"""Runs the worker process over units and turns its death, silence or refusal into an outcome for the unit at fault."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keyrules.iac.declared import Declared
from keyrules.iac.discovery import Unit
from keyrules.iac.host.worker_protocol import (
    CHECKED,
    CRASHED,
    JUDGED,
    READY,
    Checked,
    Request,
    dump_request,
    load_checked,
    load_declared,
)
from keyrules.iac.pack_folders import source_root
from keyrules.model import InputError

UNIT_SECONDS = 120.0
"""How long one root module, template or plan may take unless the caller says otherwise."""

START_SECONDS = 120.0
"""How long the worker may take to load Checkov and the pack, however little a unit may take."""

WORKER_BYTES = 6 * 2**30
"""The worker's address space. Checkov itself maps about 1 GiB before it reads anything."""

_FOREIGN = ("CKV_", "CHECKOV_", "BC_", "PRISMA_", "TF_", "AWS_", "LOG_LEVEL", "RAW_TF", "HCL_", "EVAL_TF", "PYTHON")
"""Settings of the caller's environment that change what Checkov finds, or that it has no business with."""

_PINNED = {
    "CHECKOV_GRAPH_FRAMEWORK": "RUSTWORKX",
    "CHECKOV_PARALLELIZATION_TYPE": "none",
    "CKV_IGNORE_HIDDEN_DIRECTORIES": "False",
    "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false",
    "HCL_PARSE_TIMEOUT_SEC": "20",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}

# The worker runs the very code of this process: before an installed keyrules, after the standard library.
_BOOT = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry not in ('', '.')]; "
    "installed = [n for n, entry in enumerate(sys.path) if entry.endswith(('site-packages', 'dist-packages'))]; "
    "sys.path.insert(installed[0] if installed else len(sys.path), {root!r}); "
    "from keyrules.iac.host.checkov_worker import main; sys.exit(main())"
)


@dataclass(frozen=True)
class UnitOutcome:
    """What came back for one unit. `checked` is None when Checkov did not finish, and `problem` says why."""

    unit: Unit
    declared: Declared | None
    checked: Checked | None
    problem: str = ""


@dataclass(frozen=True)
class Limits:
    """Bounds of the worker: seconds a unit may take, bytes of address space."""

    unit_seconds: float = UNIT_SECONDS
    memory_bytes: int = WORKER_BYTES


def run_units(units: Sequence[Unit], request: Request, limits: Limits) -> Iterator[UnitOutcome]:
    """Evaluates units in order, each exactly once, starting the worker anew after each unit that killed it.

    Raises InputError when the worker cannot start or did not load every rule: then nothing at all can be evaluated.
    """
    position = 0
    while position < len(units):
        rest = units[position:]
        sent = tuple((unit.kind, unit.path, unit.readable) for unit in rest)
        worker = _Worker(replace(request, units=sent, memory_bytes=limits.memory_bytes), limits.unit_seconds)
        try:
            worker.await_ready()
            for unit in rest:
                outcome, alive = worker.outcome(unit)
                position += 1
                yield outcome
                if not alive:
                    break
        finally:
            worker.stop()


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would change results, plus what pins them."""
    kept = {name: value for name, value in environment.items() if not name.upper().startswith(_FOREIGN)}
    return {**kept, **_PINNED}


class _Worker:
    def __init__(self, request: Request, seconds: float) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT.format(root=str(source_root()))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=worker_environment(os.environ),
            start_new_session=True,
        )
        self._buffer = b""
        self._timed_out = False
        assert self._process.stdin is not None and self._process.stdout is not None
        self._output = self._process.stdout
        try:
            self._process.stdin.write(dump_request(request).encode("utf-8", "surrogateescape") + b"\n")
            self._process.stdin.close()
        except BrokenPipeError:
            # The worker is dead already; await_ready meets that and says so.
            return

    def await_ready(self) -> None:
        """Waits until the worker has loaded Checkov and every rule. Raises InputError otherwise."""
        message = self._message(max(START_SECONDS, self._seconds))
        if message is None or message["kind"] != READY:
            raise InputError(
                "Checkov could not be started, so nothing was evaluated; try `python -c 'import checkov'` with "
                f"{Path(sys.executable).name} and reinstall keyrules if that fails"
            )
        if message["missing"]:
            raise InputError(f"Checkov did not load {', '.join(message['missing'])}, so nothing was evaluated")

    def outcome(self, unit: Unit) -> tuple[UnitOutcome, bool]:
        """One unit's outcome, and whether the worker lives on."""
        declared: Declared | None = None
        while True:
            message = self._message(self._seconds)
            if message is None:
                return UnitOutcome(unit, declared, None, self._cause()), False
            if message["kind"] == JUDGED:
                declared = load_declared(message["declared"])
            elif message["kind"] == CHECKED:
                return UnitOutcome(unit, declared, load_checked(message["checked"])), True
            elif message["kind"] == CRASHED:
                problem = _sentence(message["error"], judged=declared is not None)
                return UnitOutcome(unit, declared, None, problem), message["error"] != "MemoryError"

    def stop(self) -> None:
        """Ends the worker and everything it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # It ended by itself.
            return
        finally:
            self._process.wait()
            self._output.close()

    def _message(self, seconds: float) -> dict[str, Any] | None:
        """The next message, or None when the worker died or went over its time."""
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._output], [], [], seconds)
            if not ready:
                self._timed_out = True
                return None
            data = os.read(self._output.fileno(), 1 << 20)
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line.decode("utf-8", "surrogateescape"))
        return message

    def _cause(self) -> str:
        if self._timed_out:
            return f"Checkov did not finish it within {self._seconds:g} seconds"
        return "Checkov's process ended while it evaluated it"


def _sentence(error: str, judged: bool) -> str:
    if not judged:
        return f"keyrules itself failed on it ({error}); please report this"
    if error == "MemoryError":
        return "Checkov needed more memory than it is allowed"
    if error == "RecursionError":
        return "it is nested too deeply for Checkov"
    return f"Checkov failed on it ({error})"
