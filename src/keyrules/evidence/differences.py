"""What changed between two packages, or between a package and what a later version makes of it: by framework, plane and
control, with the findings behind it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from keyrules.evidence.folder import RESULTS, content, opened
from keyrules.model import InputError
from keyrules.records import dataclass, field
from keyrules.reports.text_style import printable

READ: Final = ("summary.json", "findings.csv")
"""What of a framework on a plane is read here."""
_MOST: Final = 1 << 28
_LISTED: Final = ("FAIL", "UNKNOWN", "EXEMPT")
_PLANES: Final = {"live": "live accounts", "code": "code"}


@dataclass(frozen=True)
class Result:
    """What a package says of one framework on one plane. `findings` has, by fingerprint, rule, status and subject;
    `origins` says who set each parameter."""

    controls: Mapping[str, Mapping[str, Any]]
    by_account: Mapping[str, Mapping[str, str]]
    parameters: Mapping[str, str]
    origins: Mapping[str, str]
    findings: Mapping[str, tuple[str, str, str]]


@dataclass
class Change:
    """What is different for one control. `outcome` and `counts` are (old, new), None where they are the same.

    `accounts` are those with another outcome; findings are (status, rule, subject): of `resolved` as it was.
    """

    control: str
    title: str
    outcome: tuple[str, str] | None = None
    counts: tuple[str, str] | None = None
    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    new: list[tuple[str, str, str]] = field(default_factory=list)
    resolved: list[tuple[str, str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.outcome or self.counts or self.accounts or self.new or self.resolved)


@dataclass(frozen=True)
class Difference:
    """What is different for a framework on a plane; `only` says in which of the two it is, if not in both."""

    framework: str
    plane: str
    only: str
    parameters: Mapping[str, tuple[str, str]]
    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.only or self.parameters or self.changes)


def parts_of(files: Iterable[str]) -> list[tuple[str, str]]:
    """The frameworks and planes that the files of a package are about."""
    found = {tuple(name.split("/")[1:3]) for name in files if name.startswith(f"{RESULTS}/") and name.count("/") == 3}
    return sorted((framework, plane) for framework, plane in found if plane in _PLANES)


def differences(
    old: Path, old_parts: Iterable[tuple[str, str]], new: Path, new_parts: Iterable[tuple[str, str]]
) -> list[Difference]:
    """What is different, by framework and plane. Raises InputError for results that are none."""
    before, after = set(old_parts), set(new_parts)
    found = []
    for framework, plane in sorted(before | after):
        if (framework, plane) not in before or (framework, plane) not in after:
            only = "the old one" if (framework, plane) in before else "the new one"
            found.append(Difference(framework, plane, only, {}, ()))
            continue
        place = f"{RESULTS}/{framework}/{plane}"
        was, now = read_result(old, place), read_result(new, place)
        names = sorted(was.parameters.keys() | now.parameters.keys())
        parameters = {
            name: (was.parameters.get(name, "none"), now.parameters.get(name, "none"))
            for name in names
            if was.parameters.get(name) != now.parameters.get(name)
        }
        found.append(Difference(framework, plane, "", parameters, tuple(_changes(was, now))))
    return [each for each in found if each]


def _changes(was: Result, now: Result) -> Iterator[Change]:
    new = [(key, each) for key, each in now.findings.items() if was.findings.get(key, ("", "", ""))[:2] != each[:2]]
    gone = [(key, each) for key, each in was.findings.items() if key not in now.findings]
    for control in dict.fromkeys([*now.controls, *was.controls]):
        old, fresh = was.controls.get(control, {}), now.controls.get(control, {})
        change = Change(control, str((fresh or old).get("title", "")))
        change.outcome = _pair(_verdict(old), _verdict(fresh))
        change.counts = _pair(_counts(old), _counts(fresh))
        for account in sorted(was.by_account.keys() | now.by_account.keys()):
            sides = [str(each.by_account.get(account, {}).get(control, "not there")) for each in (was, now)]
            if (pair := _pair(*sides)) is not None:
                change.accounts[account] = pair
        rules = {str(part.get("rule")) for side in (old, fresh) for part in side.get("rules", ())}
        change.new = sorted((status, rule, subject) for _, (rule, status, subject) in new if rule in rules)
        change.resolved = sorted((status, rule, subject) for _, (rule, status, subject) in gone if rule in rules)
        if change:
            yield change


def _pair(old: str, new: str) -> tuple[str, str] | None:
    return None if old == new else (old, new)


def _verdict(control: Mapping[str, Any]) -> str:
    return str(control.get("verdict", "not there"))


def _counts(control: Mapping[str, Any]) -> str:
    """The counts of a control's rules in words, those that are not zero."""
    said = []
    for part in control.get("rules", ()):
        numbers = ", ".join(f"{number} {name}" for name, number in part["summary"].items() if number)
        said.append(f"{part['rule']} {numbers or 'no subject'}")
    return "; ".join(said)


def read_result(folder: Path, place: str) -> Result:
    """What a package says of a framework on a plane. Raises InputError."""
    name = f"{place}/summary.json"
    try:
        document = json.loads(content(folder, name, _MOST))
        controls = {str(each["control"]): each for each in document["controls"]}
        set_to = {
            f"{each['rule']}.{each['parameter']}{_for(each.get('override'))}": each for each in document["parameters"]
        }
        parameters = {name: _value(each["value"]) for name, each in set_to.items()}
        origins = {name: str(each["place"]) for name, each in set_to.items()}
        for control in controls.values():
            _counts(control)
            _ = control["title"], control["verdict"], control["reason"]
        by_account = {account: dict(outcomes) for account, outcomes in document["by_account"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{printable(str(folder / name))} is not what a package has there") from None
    return Result(controls, by_account, parameters, origins, dict(_findings(folder, f"{place}/findings.csv")))


def _for(override: Any) -> str:
    """For whom a parameter holds, where not for all."""
    return f" for {override['users']}" if override else ""


def _value(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _findings(folder: Path, name: str) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Rule, status and subject of what does not pass, by fingerprint, as the CSV of findings has them."""
    for row in read_table(folder, name):
        if row.get("status") in _LISTED and row.get("fingerprint"):
            where = row.get("account") or row.get("path") or ""
            subject = f"{row.get('subject') or row.get('address') or ''} ({where})"
            yield row["fingerprint"], (row.get("rule") or "", row["status"], subject)


def read_table(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The lines of a CSV file of a package by the names of its columns. Raises InputError."""
    with opened(folder, name) as file:
        try:
            yield from csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
        except (ValueError, csv.Error):
            raise InputError(f"{printable(str(folder / name))} is no CSV") from None


def as_lines(found: Iterable[Difference]) -> Iterator[str]:
    """The differences for people."""
    for each in found:
        yield f"{printable(each.framework)} on {_PLANES[each.plane]}" + (f": only in {each.only}" if each.only else "")
        for name, (old, new) in each.parameters.items():
            yield f"  {printable(name)}: {printable(old)} → {printable(new)}"
        for change in each.changes:
            outcome = " → ".join(change.outcome) if change.outcome else "same verdict"
            yield f"  {printable(f'{change.control}  {change.title}: {outcome}')}"
            if change.counts:
                yield f"    {printable(' → '.join(change.counts))}"
            for account, pair in change.accounts.items():
                yield f"    account {printable(account)}: {printable(' → '.join(pair))}"
            for word, findings in (("new", change.new), ("gone", change.resolved)):
                for status, rule, subject in findings:
                    yield f"    {word:<5}{printable(f'{status} {rule} {subject}')}"


def as_documents(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """The differences for programs."""
    return [
        {
            "framework": each.framework,
            "plane": each.plane,
            "only_in": each.only or None,
            "parameters": {name: {"old": old, "new": new} for name, (old, new) in each.parameters.items()},
            "controls": [
                {
                    "control": change.control,
                    "title": change.title,
                    "outcome": _sides(change.outcome),
                    "counts": _sides(change.counts),
                    "accounts": {account: _sides(pair) for account, pair in change.accounts.items()},
                    "new": [_finding(*finding) for finding in change.new],
                    "resolved": [_finding(*finding) for finding in change.resolved],
                }
                for change in each.changes
            ],
        }
        for each in found
    ]


def _sides(pair: tuple[str, str] | None) -> dict[str, str] | None:
    return None if pair is None else {"old": pair[0], "new": pair[1]}


def _finding(status: str, rule: str, subject: str) -> dict[str, str]:
    return {"status": status, "rule": rule, "subject": subject}
