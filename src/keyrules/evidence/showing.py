"""One control of a package with all that stands behind it: population, exceptions, failures, values, source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from keyrules.evidence.answers import ANSWERS
from keyrules.evidence.differences import parts_of, read_result, read_table
from keyrules.evidence.folder import CODE, REPORTS, RESULTS, refuse_changed
from keyrules.evidence.manifest import Manifest, read_manifest
from keyrules.evidence.population import MEASURED
from keyrules.evidence.texts import moment_of
from keyrules.model import UsageError
from keyrules.records import dataclass
from keyrules.reports.json import dump
from keyrules.reports.text_style import count_of, printable

_OPEN: Final = ("FAIL", "UNKNOWN", "EXEMPT")
_MOST_PASSING: Final = 20
_NOT_RULES: Final = frozenset(
    {"account", "user", "arn", "credential", "created_at", "last_used_at", "measured", "in_scope", "why"}
    | {"path", "line", "address"}
)
_WORDS: Final = {"FAIL": "Failures", "UNKNOWN": "Could not be judged", "EXEMPT": "Exceptions", "PASS": "Passing"}


@dataclass(frozen=True)
class Shown:
    """A control on one plane. `subjects` has a line for each credential or place of code, with its verdicts on the
    rules of the control; `findings` are those of the rules, as the package's CSV has them."""

    framework: str
    plane: str
    control: Mapping[str, Any]
    by_account: Mapping[str, str]
    parameters: Mapping[str, str]
    subjects: Sequence[Mapping[str, str]]
    findings: Sequence[Mapping[str, str]]


def show(folder: Path, framework: str, control: str) -> tuple[Manifest, str, list[Shown]]:
    """The manifest and its SHA-256, and the control on each plane.

    Raises UsageError for what the package does not have, and InputError for what is no package, or was
    changed since.
    """
    manifest, digest = read_manifest(folder)
    parts = [part for part in parts_of(manifest.files) if part[0] == framework]
    if not parts:
        there = ", ".join(manifest.request.frameworks)
        raise UsageError(
            f"--framework: the package is not about {printable(framework)!r}; it is about {printable(there)}"
        )
    found = []
    for _, plane in parts:
        place = f"{RESULTS}/{framework}/{plane}"
        tables = (f"{place}/population.csv", f"{place}/findings.csv")
        refuse_changed(folder, (f"{place}/summary.json", *tables), manifest.files)
        result = read_result(folder, place)
        if control not in result.controls:
            there = ", ".join(result.controls)
            raise UsageError(f"--control: {framework} has no {printable(control)!r} here; it has {printable(there)}")
        rules = {str(part["rule"]) for part in result.controls[control].get("rules", ())}
        found.append(
            Shown(
                framework,
                plane,
                result.controls[control],
                {account: outcomes.get(control, "") for account, outcomes in result.by_account.items()},
                {
                    name: f"{value} ({result.origins[name]})"
                    for name, value in result.parameters.items()
                    if name.split(".")[0] in rules
                },
                [_of_rules(row, rules) for row in read_table(folder, tables[0])],
                [row for row in read_table(folder, tables[1]) if row.get("rule") in rules],
            )
        )
    return manifest, digest, found


def _of_rules(row: Mapping[str, str], rules: set[str]) -> dict[str, str]:
    """A line of the population without the verdicts of other rules."""
    shown = {*_NOT_RULES, *rules, *map(MEASURED.format, rules)}
    return {name: value for name, value in row.items() if name in shown}


def _verdicts(row: Mapping[str, str]) -> dict[str, str]:
    """The verdicts on a line, by rule."""
    return {name: value for name, value in row.items() if value and MEASURED.format(name) in row}


def _rests_on(row: Mapping[str, str]) -> str:
    """What the verdicts on a line rest on; of several rules, each with its own."""
    verdicts = _verdicts(row)
    said = {rule: row[MEASURED.format(rule)] for rule in verdicts if row[MEASURED.format(rule)]}
    named = [words if len(verdicts) == 1 else f"{rule}: {words}" for rule, words in said.items()]
    return ". ".join(named) or row.get("measured") or "nothing measured"


def as_text(manifest: Manifest, digest: str, shown: Sequence[Shown]) -> str:
    """The control for people."""
    lines = [line for each in shown for line in _lines(manifest, digest, each)]
    return "\n".join([*lines, "Whether the package is what it was says `keyrules evidence verify`."]) + "\n"


def _lines(manifest: Manifest, digest: str, shown: Shown) -> Iterator[str]:
    control = shown.control
    plane = "live accounts" if shown.plane == "live" else "code"
    yield printable(f"{shown.framework} {control['control']} on {plane}: {control['title']}")
    yield printable(f"  Verdict     {control['verdict']}: {control['reason']}")
    for account, outcome in shown.by_account.items():
        yield printable(f"              {outcome} in {account}")
    for rest in control.get("not_decided", ()):
        yield printable(f"              not decided: {rest}")
    for name, value in shown.parameters.items():
        yield printable(f"  Parameter   {name} = {value}")
    counts: Counter[str] = Counter()
    for row in shown.subjects:
        counts["in scope" if _verdicts(row) else "out of scope"] += 1
    said = ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))
    noun = "credentials and users" if shown.plane == "live" else "places of code"
    yield f"  Population  {count_of(len(shown.subjects), 'line')} of {noun}: {said or 'none'}"
    for status in _OPEN:
        rows = [row for row in shown.findings if row.get("status") == status]
        if rows:
            yield f"  {_WORDS[status]} ({len(rows):,})"
        for row in rows:
            where = row.get("account") or f"{row.get('path')}:{row.get('line')}"
            yield printable(
                f"    {row['rule']}  {row.get('subject') or row.get('address')} ({where}): {row.get('message')}"
            )
            if row.get("measured") not in ("", None, row.get("message")):
                yield printable(f"      measured: {row['measured']}")
            if row.get("exemption"):
                owner, until = row.get("exception_owner"), row.get("exception_expires")
                yield printable(f"      accepted by {owner} until {until}: {row['exemption']}")
    passing = [row for row in shown.subjects if set(_verdicts(row).values()) == {"PASS"}]
    if passing:
        yield f"  {_WORDS['PASS']} ({len(passing):,})"
    for row in passing[:_MOST_PASSING]:
        name = row.get("credential") or row.get("address") or ""
        where = row.get("account") or f"{row.get('path')}:{row.get('line')}"
        yield printable(f"    {name} ({where}): {_rests_on(row)}")
    if len(passing) > _MOST_PASSING:
        yield f"    and {len(passing) - _MOST_PASSING:,} more; --format json has all"
    read = (f"{REPORTS}/", f"{ANSWERS}/") if shown.plane == "live" else (CODE,)
    for path, held in manifest.files.items():
        if path.startswith((*read, f"configuration/{shown.plane}/")):
            yield f"  Source      {path}  SHA-256 {held.sha256}"
    pack = manifest.pack
    yield printable(f"  Judged by   keyrules {pack.version}, pack {pack.sha256}")
    yield f"  Judged      as of {moment_of(manifest)}"
    yield f"  Manifest    SHA-256 {digest}"


def as_json(manifest: Manifest, digest: str, shown: Sequence[Shown]) -> str:
    """The same for programs, with everybody in the population."""
    return dump(
        {
            "schema": "keyrules-evidence-control/1",
            "manifest_sha256": digest,
            "pack": {"version": manifest.pack.version, "sha256": manifest.pack.sha256},
            "control": [
                {
                    "framework": each.framework,
                    "plane": each.plane,
                    **each.control,
                    "by_account": dict(each.by_account),
                    "parameters": dict(each.parameters),
                    "population": [dict(row) for row in each.subjects],
                    "findings": [{name: value for name, value in row.items() if value} for row in each.findings],
                }
                for each in shown
            ],
            "sources": [
                {"path": path, "sha256": held.sha256, "source": manifest.sources.get(path)}
                for path, held in manifest.files.items()
                if path.startswith("inputs/")
            ],
        }
    )
