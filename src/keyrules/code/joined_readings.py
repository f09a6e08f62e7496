"""One outcome from those of every way to read a root module.

What holds by the defaults for every program that reads the root is said as it is. What holds in some of its readings
only names them, and a verdict that is the same in several is one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from keyrules.code.addresses import without_keys
from keyrules.code.terraform.readings import Reading
from keyrules.code.unit_results import Declared
from keyrules.code.verdict import Verdict, listed
from keyrules.model import Status
from keyrules.records import replace

_Item = TypeVar("_Item", bound=Hashable)


def joined(outcomes: Sequence[tuple[Reading, Declared]]) -> Declared:
    """The outcome of a root module from those of its readings."""
    if len(outcomes) == 1:
        return outcomes[0][1]
    replaced = {reading.program for reading, _ in outcomes if reading.instead}
    counted = [(r, declared) for r, declared in outcomes if r.values or r.program not in replaced]
    keys = _distinct(place for _, declared in counted for place in declared.keys)
    there = {(place.path, place.address) for place in keys}
    absent = _distinct(place for _, declared in counted for place in declared.absent)
    idle = set.intersection(*(set(declared.idle_skips) for _, declared in counted))
    return Declared(
        keys=keys,
        absent=[place for place in absent if (place.path, place.address) not in there],
        verdicts=_verdicts(counted),
        problems=_distinct(problem for _, declared in counted for problem in declared.problems),
        idle_skips=[place for place in counted[0][1].idle_skips if place in idle],
        notes=_distinct(note for _, declared in counted for note in declared.notes),
    )


def _verdicts(outcomes: Sequence[tuple[Reading, Declared]]) -> list[Verdict]:
    programs = {reading.program for reading, _ in outcomes}
    usual = {(reading.program, "") for reading, _ in outcomes if not reading.values}
    found: dict[tuple[str, str, str, Status, str], tuple[Verdict, list[Reading]]] = {}
    for reading, declared in outcomes:
        for verdict in declared.verdicts:
            what = (verdict.rule, verdict.path, verdict.address, verdict.status, verdict.reason)
            found.setdefault(what, (verdict, []))[1].append(reading)
    # What holds of a block however often it is repeated holds of each instance that a set of values gives it.
    blocks = {
        what
        for what, (verdict, readings) in found.items()
        if verdict.address == without_keys(verdict.address) and not all(reading.values for reading in readings)
    }
    verdicts = []
    for (rule, path, address, *said_of_it), (verdict, readings) in found.items():
        block = (rule, path, without_keys(address), *said_of_it)
        if address != block[2] and block in blocks and all(reading.values for reading in readings):
            continue
        held = {(reading.program, reading.values) for reading in readings}
        if usual and usual <= held:
            verdicts.append(verdict)
            continue
        first = readings[0].program
        only = [first] if first and len(programs) > 1 and {r.program for r in readings} == {first} else []
        sets = sorted({values for _, values in held if values}) if ("", "") not in held else []
        said = " ".join([*(f"for {name} only" for name in only), *(f"with {listed(sets)}" for _ in sets[:1])])
        verdicts.append(replace(verdict, message=f"{verdict.message} ({said})") if said else verdict)
    return verdicts


def _distinct(items: Iterable[_Item]) -> list[_Item]:
    return list(dict.fromkeys(items))
