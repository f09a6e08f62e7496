"""Runs the worker process over units and turns its death, silence or refusal into an outcome for the unit at fault."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from keyrules.code.host.pack_folders import source_root
from keyrules.code.host.worker_protocol import (
    CHECKED,
    ENDED,
    JUDGED,
    READY,
    TIMED_OUT,
    Request,
    dump_request,
    load_checked,
    load_declared,
    load_looks,
)
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.unit_results import Declared, UnitOutcome
from keyrules.model import InputError

START_SECONDS = 120.0
"""How long the worker may take to load Checkov and the pack, however little a unit may take."""

_GRACE_SECONDS = 30.0
"""How much longer than a unit may take the worker may be silent before it counts as dead."""

_PASSED_ON = frozenset(
    {"DYLD_FALLBACK_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"}
    | {"LOGNAME", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "TEMP", "TMP", "TMPDIR", "USER"}
    | {"VIRTUAL_ENV"}
)
"""All of the caller's environment that the worker gets: where programs, libraries and temporary files are. Checkov
takes settings that change what it finds from dozens of other names, CREATE_EDGES and TF_VAR_… among them."""

_PINNED = {
    "CHECKOV_GRAPH_FRAMEWORK": "RUSTWORKX",
    "CHECKOV_PARALLELIZATION_TYPE": "none",
    "CKV_IGNORE_HIDDEN_DIRECTORIES": "False",
    "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false",
    "HCL_PARSE_TIMEOUT_SEC": "20",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}

# The worker runs the very code of this process: before an installed keyrules, after the standard library.
_BOOT = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry not in ('', '.')]; "
    "installed = [n for n, entry in enumerate(sys.path) if entry.endswith(('site-packages', 'dist-packages'))]; "
    "sys.path.insert(installed[0] if installed else len(sys.path), {root!r}); "
    "from keyrules.code.host.checkov_worker import main; sys.exit(main())"
)


def run_units(units: Sequence[Unit], request: Request, limits: Limits) -> Iterator[UnitOutcome]:
    """Evaluates units, each exactly once, and yields their outcomes in the order of the units.

    Raises InputError when the worker cannot start or did not load every rule: then nothing at all can be evaluated.
    """
    if not units:
        return
    sent = replace(
        request,
        units=tuple((unit.kind, unit.path, unit.readable) for unit in units),
        memory_bytes=limits.memory_bytes,
        unit_seconds=limits.unit_seconds,
        processes=max(1, limits.processes),
    )
    worker = _Worker(sent)
    try:
        if worker.refusal():
            # Checkov may have changed what it needs at its start: it gets all of it, which only takes longer.
            worker.stop()
            worker = _Worker(replace(sent, lean=False))
            refusal = worker.refusal()
            if refusal:
                raise InputError(refusal)
        yield from worker.outcomes(units)
    finally:
        worker.stop()


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the worker needs of the caller's environment, plus what pins results."""
    return {**{name: value for name, value in environment.items() if name in _PASSED_ON}, **_PINNED}


class _Worker:
    def __init__(self, request: Request) -> None:
        self._seconds = request.unit_seconds
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT.format(root=str(source_root()))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=worker_environment(os.environ),
            start_new_session=True,
        )
        self._buffer = bytearray()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._output = self._process.stdout
        # Open until the end: the worker takes its closing for the end of this process.
        self._input = self._process.stdin
        try:
            self._input.write(dump_request(request).encode("ascii") + b"\n")
            self._input.flush()
        except BrokenPipeError:
            # The worker is dead already; refusal meets that and says so.
            return

    def refusal(self) -> str:
        """Waits until the worker has loaded Checkov and every rule; else says why nothing can be evaluated."""
        message = self._message(max(START_SECONDS, self._seconds))
        if message is None or message["kind"] != READY:
            return (
                "Checkov could not be started, so nothing was evaluated; try `python -c 'import checkov'` with "
                f"{Path(sys.executable).name} and reinstall keyrules if that fails"
            )
        if message["missing"]:
            return f"Checkov did not load {', '.join(message['missing'])}, so nothing was evaluated"
        return ""

    def outcomes(self, units: Sequence[Unit]) -> Iterator[UnitOutcome]:
        """The units' outcomes in their order, whichever order they come in."""
        declared: dict[int, Declared] = {}
        done: dict[int, UnitOutcome] = {}
        alive = True
        for position, unit in enumerate(units):
            while position not in done:
                message = self._message(self._seconds + _GRACE_SECONDS) if alive else None
                if message is None:
                    alive = False
                    done[position] = UnitOutcome(unit, declared.get(position), None, _sentence(ENDED, True, 0))
                    break
                index = message["unit"]
                if message["kind"] == JUDGED:
                    declared[index] = load_declared(message["declared"])
                    continue
                judged = declared.pop(index, None)
                if message["kind"] == CHECKED:
                    checked, looks = load_checked(message["checked"]), load_looks(message["looks"])
                    done[index] = UnitOutcome(units[index], judged, checked, looks=looks)
                else:
                    problem = _sentence(message["error"], judged is not None, self._seconds)
                    done[index] = UnitOutcome(units[index], judged, None, problem)
            yield done.pop(position)

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
            with suppress(BrokenPipeError):
                self._input.close()

    def _message(self, seconds: float) -> dict[str, Any] | None:
        """The next message, or None when the worker died or says nothing any more."""
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                message: dict[str, Any] = json.loads(line)
                return message
            ready, _, _ = select.select([self._output], [], [], seconds)
            data = os.read(self._output.fileno(), 1 << 20) if ready else b""
            if not data:
                return None
            self._buffer += data


def _sentence(error: str, judged: bool, seconds: float) -> str:
    if error == TIMED_OUT:
        return f"Checkov did not finish it within {seconds:g} seconds"
    if error == ENDED:
        return "Checkov's process ended while it evaluated it"
    if not judged:
        return f"keyrules itself failed on it ({error}); please report this"
    if error == "MemoryError":
        return "Checkov needed more memory than it is allowed"
    if error == "RecursionError":
        return "it is nested too deeply for Checkov"
    return f"Checkov failed on it ({error})"
