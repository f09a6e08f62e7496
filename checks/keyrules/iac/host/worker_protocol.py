"""What the host and its worker process say to each other: JSON, one message a line, and never a secret in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from keyrules.iac.declared import Declared, Place, Problem
from keyrules.iac.verdict import Verdict
from keyrules.model import ParameterValue, Status, TraceStep

READY, JUDGED, CHECKED, CRASHED = "ready", "judged", "checked", "crashed"
"""Message kinds: the worker has loaded everything; a unit's own declarations; Checkov's part; a unit that failed."""


@dataclass(frozen=True)
class Request:
    """One run of the worker. `units` are (kind, path, whether Checkov can read it)."""

    rules: tuple[str, ...]
    overrides: tuple[tuple[str, str, ParameterValue], ...]
    as_of: datetime
    units: tuple[tuple[str, str, bool], ...]
    memory_bytes: int


@dataclass(frozen=True)
class CheckRecord:
    """One of Checkov's records: `result` is PASSED, FAILED or SKIPPED."""

    rule: str
    result: str
    path: str
    address: str
    start_line: int
    end_line: int
    comment: str = ""


@dataclass
class Checked:
    """Checkov's part of a unit's outcome; `failures` are rules that raised."""

    records: list[CheckRecord] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def dump_request(request: Request) -> str:
    """The request as one line."""
    return json.dumps({**asdict(request), "as_of": request.as_of.isoformat()})


def load_request(line: str) -> Request:
    """The request that the host wrote."""
    data = json.loads(line)
    overrides = tuple((rule, name, _value(value)) for rule, name, value in data["overrides"])
    units = tuple((kind, path, readable) for kind, path, readable in data["units"])
    as_of = datetime.fromisoformat(data["as_of"])
    return Request(tuple(data["rules"]), overrides, as_of, units, data["memory_bytes"])


def _value(value: Any) -> ParameterValue:
    return tuple(value) if isinstance(value, list) else int(value)


def dump_declared(index: int, declared: Declared) -> str:
    """A JUDGED message."""
    data = asdict(declared)
    for verdict in data["verdicts"]:
        verdict["status"] = verdict["status"].value
    return json.dumps({"kind": JUDGED, "unit": index, "declared": data})


def load_declared(data: dict[str, Any]) -> Declared:
    """The body of a JUDGED message."""
    return Declared(
        keys=[Place(**place) for place in data["keys"]],
        calls=[Place(**place) for place in data["calls"]],
        absent=data["absent"],
        verdicts=[_verdict(verdict) for verdict in data["verdicts"]],
        problems=[Problem(**problem) for problem in data["problems"]],
        sha256=data["sha256"],
    )


def _verdict(data: dict[str, Any]) -> Verdict:
    trace = tuple(TraceStep(**step) for step in data.pop("trace"))
    return Verdict(**{**data, "status": Status(data["status"]), "trace": trace})


def dump_checked(index: int, checked: Checked) -> str:
    """A CHECKED message."""
    return json.dumps({"kind": CHECKED, "unit": index, "checked": asdict(checked)})


def load_checked(data: dict[str, Any]) -> Checked:
    """The body of a CHECKED message."""
    return Checked([CheckRecord(**record) for record in data["records"]], data["unparsed"], data["failures"])
