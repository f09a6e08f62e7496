"""The child process that runs Checkov: no network, bounded memory, nothing of its own on standard output or error.

It loads Checkov once and evaluates each unit in a process forked from there. A unit's declarations are judged first and
reported before Checkov touches the unit, so that what crashes or hangs Checkov costs no more than Checkov's part.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from keyrules.code.cache.influence import Recorder
from keyrules.code.cache.verdict_cache import KEPT_KINDS
from keyrules.code.host.lean_imports import defer_imports
from keyrules.code.host.worker_protocol import (
    CRASHED,
    ENDED,
    READY,
    TIMED_OUT,
    dump_checked,
    dump_declared,
    load_request,
)
from keyrules.code.processes import UnitProcesses
from keyrules.code.unit_results import Checked

_COLLECT_AFTER = 50_000
"""Allocations between two looks for garbage; Python's 700 cost a tenth of the time on trees that only grow."""


class NetworkRefused(OSError):
    """Something tried to reach the network from inside the worker."""


def main() -> int:
    """Reads one request from standard input and answers on what was standard output when the process started."""
    # Start-up makes objects that all stay, so there is nothing to collect until it is over.
    gc.disable()
    answers = os.dup(1)
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    _refuse_network()
    logging.getLogger().addHandler(logging.NullHandler())
    request = load_request(sys.stdin.buffer.readline().decode("utf-8", "surrogateescape"))
    resource.setrlimit(resource.RLIMIT_AS, (request.memory_bytes, request.memory_bytes))
    # A core file would hold what the plans hold.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if request.lean:
        from checkov.version import version

        defer_imports(version)
    from keyrules.code.host.checkov_runners import CheckovRunners

    runners = CheckovRunners(request)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    gc.enable()

    def work(index: int, write: Callable[[bytes], None]) -> None:
        kind, path, readable = request.units[index]
        recorder = Recorder() if request.record and kind in KEPT_KINDS else None
        try:
            if recorder:
                recorder.start()
            write(_line(dump_declared(index, runners.judge(kind, path))))
            checked = runners.check(kind, path) if readable else Checked()
            looks = recorder.states() if recorder and not runners.asked_time else None
            write(_line(dump_checked(index, checked, looks)))
        except (Exception, SystemExit) as error:
            write(_line(_crash(index, type(error).__name__)))

    def send(data: bytes) -> None:
        while data:
            data = data[os.write(answers, data) :]

    def ended(index: int, timed_out: bool) -> None:
        send(_line(_crash(index, TIMED_OUT if timed_out else ENDED)))

    send(_line(json.dumps({"kind": READY, "missing": runners.missing})))
    processes = UnitProcesses(work, send, ended, time.monotonic)
    processes.run(len(request.units), request.processes, request.unit_seconds, sys.stdin.fileno())
    return 0


def _crash(index: int, error: str) -> str:
    message: dict[str, Any] = {"kind": CRASHED, "unit": index, "error": error}
    return json.dumps(message)


def _line(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\n"


def _refuse_network() -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NetworkRefused("keyrules evaluates code without the network")

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
        setattr(socket, name, refuse)


if __name__ == "__main__":
    sys.exit(main())
