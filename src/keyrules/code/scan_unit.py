"""What is evaluated in one go, and within which bounds."""

from __future__ import annotations

import os

from keyrules.records import dataclass

UNIT_SECONDS = 120.0
"""How long one root module, template or plan may take unless the caller says otherwise."""


UNIT_BYTES = 6 * 2**30
"""The address space of the process that evaluates one unit."""

_MOST_PROCESSES = 8
"""Units evaluated at a time, however many cores there are: each process may use its own share of memory."""


@dataclass(frozen=True)
class Unit:
    """kind is terraform (a root module's folder, or a file that calls modules which are not here), cloudformation, plan
    or state (a file). `callers` are files that call a root module with values without being Terraform modules."""

    kind: str
    path: str
    callers: tuple[str, ...] = ()


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Limits:
    """Seconds that a unit may take, bytes of address space of its process, and how many are evaluated at a time."""

    unit_seconds: float = UNIT_SECONDS
    memory_bytes: int = UNIT_BYTES
    processes: int = min(_MOST_PROCESSES, _cores())
