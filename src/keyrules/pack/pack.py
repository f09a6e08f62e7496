"""The catalogue as a whole: what keyrules.pack.catalog reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keyrules.model import PackStamp, Rule
from keyrules.records import dataclass


@dataclass(frozen=True)
class Retired:
    """An id that is gone for good. `replaced_by` is a rule id, or empty where nothing took its place."""

    id: str
    retired_in: str
    replaced_by: str
    why: str


@dataclass(frozen=True)
class Pack:
    """The whole catalogue: rules sorted by id, retired ids, and the stamp that ties verdicts to these very files."""

    rules: tuple[Rule, ...]
    retired: Mapping[str, Retired]
    stamp: PackStamp
    root: Path
