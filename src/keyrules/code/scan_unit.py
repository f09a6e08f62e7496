"""What is evaluated in one go, and within which bounds."""

from __future__ import annotations

import os
from typing import NamedTuple

UNIT_SECONDS = 120.0
"""How long one root module, template or plan may take unless the caller says otherwise."""


WORKER_BYTES = 6 * 2**30
"""The worker's address space. Checkov itself maps about 1 GiB before it reads anything."""

_MOST_PROCESSES = 8
"""Units evaluated at a time, however many cores there are: each process may use its own share of memory."""


class Unit(NamedTuple):
    """kind is terraform (a root module's folder), cloudformation or plan (a file).

    `readable` is False for a file that Checkov passes over because of its name.
    """

    kind: str
    path: str
    readable: bool = True


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Limits(NamedTuple):
    """Bounds of the worker: seconds a unit may take, bytes of address space of each of its processes, and how many
    units are evaluated at a time."""

    unit_seconds: float = UNIT_SECONDS
    memory_bytes: int = WORKER_BYTES
    processes: int = min(_MOST_PROCESSES, _cores())
