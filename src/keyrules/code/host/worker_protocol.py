"""What the host and its worker process say to each other: JSON, one message a line, and never a secret in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from keyrules.code.cache.influence import Look
from keyrules.code.unit_results import Checked, CheckRecord, Declared, Place, Problem
from keyrules.code.verdict import Verdict
from keyrules.model import ParameterValue, Status, TraceStep

READY, JUDGED, CHECKED, CRASHED = "ready", "judged", "checked", "crashed"
"""Message kinds: the worker has loaded everything; a unit's own declarations; Checkov's part; a unit that failed."""

TIMED_OUT, ENDED = "timed out", "ended"
"""Errors of a CRASHED message that are no exception's name: the unit's process was ended, or ended by itself."""


@dataclass(frozen=True)
class Request:
    """One run of the worker. `units` are (kind, path, whether Checkov can read it), of which `processes` are evaluated
    at a time, each within `unit_seconds`; `lean` leaves out of Checkov's start what no rule needs, `record` asks
    for what each outcome rests on."""

    rules: tuple[str, ...]
    overrides: tuple[tuple[str, str, ParameterValue], ...]
    as_of: datetime
    units: tuple[tuple[str, str, bool], ...]
    memory_bytes: int
    unit_seconds: float = 120.0
    processes: int = 1
    lean: bool = True
    record: bool = False


def dump_request(request: Request) -> str:
    """The request as one line."""
    return json.dumps({**asdict(request), "as_of": request.as_of.isoformat()})


def load_request(line: str) -> Request:
    """The request that the host wrote."""
    data = json.loads(line)
    overrides = tuple((rule, name, _value(value)) for rule, name, value in data["overrides"])
    units = tuple((kind, path, readable) for kind, path, readable in data["units"])
    as_of = datetime.fromisoformat(data["as_of"])
    return Request(**{**data, "rules": tuple(data["rules"]), "overrides": overrides, "units": units, "as_of": as_of})


def _value(value: Any) -> ParameterValue:
    return tuple(value) if isinstance(value, list) else int(value)


def dump_declared(index: int, declared: Declared) -> str:
    """A JUDGED message."""
    return json.dumps({"kind": JUDGED, "unit": index, "declared": declared_data(declared)})


def declared_data(declared: Declared) -> dict[str, Any]:
    """The body of a JUDGED message."""
    data = asdict(declared)
    for verdict in data["verdicts"]:
        verdict["status"] = verdict["status"].value
    return data


def load_declared(data: dict[str, Any]) -> Declared:
    """The body of a JUDGED message."""
    return Declared(
        keys=[Place(**place) for place in data["keys"]],
        calls=[Place(**place) for place in data["calls"]],
        absent=data["absent"],
        verdicts=[_verdict(verdict) for verdict in data["verdicts"]],
        problems=[Problem(**problem) for problem in data["problems"]],
        notes=[Problem(**note) for note in data["notes"]],
        sha256=data["sha256"],
    )


def _verdict(data: dict[str, Any]) -> Verdict:
    trace = tuple(TraceStep(**step) for step in data.pop("trace"))
    return Verdict(**{**data, "status": Status(data["status"]), "trace": trace})


def dump_checked(index: int, checked: Checked, looks: Mapping[Look, str] | None = None) -> str:
    """A CHECKED message. `looks` are what the outcome rests on, None when that is not known in full."""
    known = None if looks is None else [(*look, state) for look, state in looks.items()]
    return json.dumps({"kind": CHECKED, "unit": index, "checked": asdict(checked), "looks": known})


def load_looks(data: list[list[str]] | None) -> Mapping[Look, str] | None:
    """The looks of a CHECKED message."""
    return None if data is None else {Look(how, path): state for how, path, state in data}


def load_checked(data: dict[str, Any]) -> Checked:
    """The body of a CHECKED message."""
    return Checked([CheckRecord(**record) for record in data["records"]], data["unparsed"], data["failures"])
