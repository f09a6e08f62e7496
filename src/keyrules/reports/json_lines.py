"""JSON lines: one object on each line, for `jq -c`, log shippers and loaders that take a report line by line.

Each line has a `type`. The first is `run`, the last is `summary`: a file without its last line was cut off, and nothing
may be concluded from it. Between them, each of these in the order of the JSON report:

- `run`: `schema` (keyrules-lines/2), `plane`, `as_of`, `pack`, `inputs`, `parameters`; `configuration` where there is
  one, `framework` and `population` where asked for
- `account`: what became of an account, and what it holds, on the live plane
- `control`: the verdict on one control, where the run was asked for a framework
- `finding`: FAIL, EXEMPT and UNKNOWN; PASS where asked for
- `known`, `resolved`: findings of the baseline that are still there, and those that are gone
- `error`: `input`, `kind` and `message` of what could not be evaluated
- `warning`, `note`: a `message`
- `summary`: the verdicts by status, and `lines`: how many lines of each type came before

The objects are those of the JSON report with `type` in front, and keys are only ever added within version 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from keyrules.model import Evaluation
from keyrules.reports.json import dump_line, members
from keyrules.reports.text_style import ReportOptions

SCHEMA = "keyrules-lines/2"
_HEAD = ("plane", "as_of", "pack", "inputs", "parameters", "configuration", "framework", "population")


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The whole evaluation, a line feed after each line; `options` change nothing."""
    del options
    return map(dump_line, lines(evaluation))


def lines(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The objects in their order."""
    report = dict(members(evaluation))
    seen: Counter[str] = Counter()
    for line in _before_summary(report):
        seen[line["type"]] += 1
        yield line
    yield {"type": "summary", **report["summary"], "lines": dict(seen)}


def _before_summary(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    report |= {name: list(report[name]) for name in ("inputs", "parameters")}
    yield {"type": "run", "schema": SCHEMA} | {key: report[key] for key in _HEAD if key in report}
    baseline = dict(report["baseline"].pairs) if "baseline" in report else {}
    kinds = {
        "account": report.get("accounts", ()),
        "control": report.get("controls", ()),
        "finding": report["findings"],
        "known": baseline.get("known", ()),
        "resolved": baseline.get("resolved", ()),
        "error": report["errors"],
    }
    for kind, objects in kinds.items():
        yield from ({"type": kind, **item} for item in objects)
    for kind in ("warning", "note"):
        yield from ({"type": kind, "message": message} for message in report[f"{kind}s"])
