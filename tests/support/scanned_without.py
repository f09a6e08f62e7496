"""What a scan finds by keyrules' own judges, with relevance or with everything taken for relevant."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from keyrules.code import discovery, module_calls, relevance
from keyrules.code.discovery import Discovery, discover
from keyrules.code.file_paths import below
from keyrules.code.file_walk import read_file
from keyrules.code.judges import judge_unit
from keyrules.code.literals.findings import literal_findings
from keyrules.code.literals.reading import read_literals
from keyrules.code.session import CheckSession
from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.code.terraform.hcl.terraform_json import parse_terraform_json
from keyrules.model import Selection
from keyrules.pack.catalog import load_pack

AS_OF = datetime(2026, 6, 1, tzinfo=timezone.utc)
LITERALS = "KEY_AWS_011"


class Fact(NamedTuple):
    """One thing that a scan says: a verdict, or a key."""

    rule: str
    path: str
    address: str
    status: str
    message: str


@cache
def session() -> CheckSession:
    """Every rule at its defaults."""
    pack = load_pack()
    return CheckSession({rule.id: rule for rule in pack.rules}, Selection(pack.rules), AS_OF)


def facts(found: Discovery) -> set[Fact]:
    """What the units and texts of a discovery hold, as reported for the files that were asked for."""
    said: set[Fact] = set()
    for unit in found.units:
        declared = judge_unit(unit.kind, unit.path, session(), unit.callers)
        held = {Fact(v.rule, v.path, v.address, v.status.name, v.message) for v in declared.verdicts}
        held |= {Fact("key", place.path, place.address, "", "") for place in declared.keys}
        whole = found.only is None or unit.path in found.whole
        whole |= below(unit.path, found.folders)
        only = found.only or frozenset()
        said |= {f for f in held if whole or f.path in only or str(Path(f.path).parent) in found.values}
    for path in found.texts:
        for finding in literal_findings(path, read_literals(path, read_file(path)), session().rules[LITERALS]):
            assert finding.location is not None
            said.add(Fact(LITERALS, path, finding.location.address, finding.status.name, finding.message))
    return said


def with_relevance(paths: Sequence[str | Path], context: Path) -> set[Fact]:
    """What a scan finds."""
    return facts(discover(paths, context))


def without_relevance(paths: Sequence[str | Path], context: Path) -> set[Fact]:
    """What it finds when every file is evaluated, and calls are known by the syntax alone."""
    with everything_relevant():
        return facts(discover(paths, context))


@contextmanager
def everything_relevant() -> Iterator[None]:
    """Every file could matter to every rule."""

    def yes(data: bytes) -> bool:
        return True

    names: list[tuple[object, str, Callable[..., object]]] = [
        (module_calls, "concerns_terraform", yes),
        (module_calls, "local_sources", no_sources),
        (module_calls, "computes_sources", yes),
        (discovery, "concerns_cloudformation", yes),
        (discovery, "contains_candidate", yes),
        (discovery, "could_be_plan", yes),
    ]
    patches = [mock.patch.object(module, name, instead) for module, name, instead in names]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def no_sources(data: bytes) -> list[str]:
    """The bytes of a file show no call; of one that cannot be parsed, they are all that there is."""
    try:
        text = data.decode("utf-8-sig")
        _ = parse_terraform_json(text) if text.lstrip().startswith("{") else parse_hcl(text)
    except (HclSyntaxError, UnicodeDecodeError):
        return relevance.local_sources(data)
    return []


def files_below(folder: Path) -> list[Path]:
    """Every file of a folder in a stable order."""
    return sorted(Path(root, name) for root, _, names in os.walk(folder) for name in names)
