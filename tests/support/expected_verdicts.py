"""The verdict of every rule on everything in the fixtures, as the tables of fixtures/ hold it.

    PYTHONPATH=src:tests/support python tests/support/expected_verdicts.py

prints what has changed and writes both tables. A line that changes is to be judged by the meaning of its rule before it
is committed.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from account_folders import audit_folder
from credential_reports import AS_OF, evaluate, pack
from scanning import FIXTURES

from keyrules.code.scan import ScanRequest, scan
from keyrules.live.plan import reads_reports
from keyrules.model import Finding, Plane, Rule, Selection, Status

REASONED = "KEY_AWS_001"
"""Its reason stands beside the status, because it says which of many ways a rotation goes."""


def rules_of(plane: Plane) -> tuple[Rule, ...]:
    """Every rule about one plane, opt-in ones included. What is joined first has fixtures elsewhere."""
    rules = (rule for rule in pack().rules if plane in rule.planes)
    return tuple(rule for rule in rules if plane is Plane.CODE or reads_reports(rule))


def code_verdicts() -> str:
    """What one scan of all fixtures says, a line for each file and address, a column for each rule."""
    rules = rules_of(Plane.CODE)
    request = ScanRequest((FIXTURES,), pack(), Selection(rules), AS_OF, FIXTURES, keep_passing=True)
    where: dict[tuple[str, int, str], dict[str, str]] = {}
    for finding in scan(request).findings:
        place = finding.location
        assert place is not None
        path = os.path.relpath(Path(place.path).resolve(), FIXTURES)
        where.setdefault((path, place.start_line, place.address), {})[finding.rule] = _said(finding, REASONED)
    rows: dict[tuple[str, ...], dict[str, str]] = {
        (path, str(line), address): said for (path, line, address), said in sorted(where.items())
    }
    return _table(("path", "line", "address"), rules, rows)


def live_verdicts() -> str:
    """What an audit says of each credential report in the fixtures, a line for each subject."""
    rules = rules_of(Plane.LIVE)
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    numbers = [int(rule.id[-3:]) for rule in rules]
    accounts = {path.parent for path in FIXTURES.glob("KEY_AWS_*/account/*/report.csv")}
    for path in sorted([*FIXTURES.glob("KEY_AWS_*/live/*.csv"), FIXTURES / "example_report/report.csv", *accounts]):
        evaluation = audit_folder(path, *numbers) if path in accounts else evaluate(path.read_bytes(), *numbers)
        assert evaluation.errors == ()
        for finding in evaluation.findings:
            assert finding.subject is not None
            name = (path.relative_to(FIXTURES).as_posix(), finding.subject.kind, finding.subject.name)
            rows.setdefault(name, {})[finding.rule] = _said(finding)
    return _table(("path", "kind", "subject"), rules, rows)


def _said(finding: Finding, reasoned: str = "") -> str:
    status = finding.status.value if finding.status is not Status.PASS else "pass"
    return f"{status} {finding.reason}" if finding.rule == reasoned else status


def _table(place: tuple[str, ...], rules: tuple[Rule, ...], rows: Mapping[tuple[str, ...], Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*place, *(rule.id for rule in rules)])
    writer.writerows([*name, *(said.get(rule.id, "") for rule in rules)] for name, said in rows.items())
    return out.getvalue()


TABLES: Mapping[str, Callable[[], str]] = {
    "expected_code_verdicts.csv": code_verdicts,
    "expected_live_verdicts.csv": live_verdicts,
}


def changes(name: str) -> list[str]:
    """The lines of a table that the rules of today say otherwise, in both directions."""
    path = FIXTURES / name
    before = path.read_text("utf-8").splitlines() if path.exists() else []
    return [
        line
        for line in difflib.unified_diff(before, TABLES[name]().splitlines(), "expected", "found", n=0, lineterm="")
        if not line.startswith("@@")
    ]


def main() -> None:
    """Prints the differences and writes the tables."""
    for name, render in TABLES.items():
        sys.stdout.write("".join(f"{line}\n" for line in changes(name)))
        (FIXTURES / name).write_text(render(), "utf-8")


if __name__ == "__main__":
    main()
