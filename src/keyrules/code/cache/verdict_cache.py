"""Verdicts of earlier runs, for units of which everything that was looked at is as it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from keyrules.code.cache.cache_folder import CacheFolder
from keyrules.code.cache.influence import Look, digest_of, state_of
from keyrules.code.host.worker_protocol import declared_data, load_checked, load_declared
from keyrules.code.scan_unit import Unit
from keyrules.code.unit_results import UnitOutcome

KEPT_KINDS = frozenset({"terraform", "cloudformation"})
"""A plan is judged once and its verdicts age with its keys, so nothing is kept of plans."""


class VerdictCache:
    """`setting` is all that a verdict depends on beside the unit: rules, parameters, code and versions."""

    def __init__(self, folder: CacheFolder, setting: Mapping[str, Any]) -> None:
        self._folder = folder
        self._setting = json.dumps(setting, sort_keys=True)
        self._has_written = False

    def find(self, unit: Unit) -> UnitOutcome | None:
        """The outcome of a unit, if it would be the same again."""
        if unit.kind not in KEPT_KINDS:
            return None
        name = self._name(unit)
        content = self._folder.read(name)
        if content is None:
            return None
        try:
            entry = json.loads(content)
            if entry["name"] != name:
                return None
            looks = [Look(how, path) for how, path in entry["looks"]]
            if digest_of({look: state_of(look) for look in looks}) != entry["digest"]:
                return None
            return UnitOutcome(unit, load_declared(entry["declared"]), load_checked(entry["checked"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, outcome: UnitOutcome) -> None:
        """Keeps a complete outcome, unless something of what it rests on has changed since it was looked at."""
        declared, checked, looks = outcome.declared, outcome.checked, outcome.looks
        if outcome.problem or declared is None or checked is None or looks is None:
            return
        if outcome.unit.kind not in KEPT_KINDS or declared.problems or checked.unparsed or checked.failures:
            return
        try:
            if any(state_of(look) != state for look, state in looks.items()):
                return
        except OSError:
            return
        name = self._name(outcome.unit)
        entry = {
            "name": name,
            "looks": sorted(looks),
            "digest": digest_of(looks),
            "declared": declared_data(declared),
            "checked": asdict(checked),
        }
        self._folder.write(name, json.dumps(entry).encode())
        self._has_written = True

    def close(self) -> None:
        """Keeps the folder within its bounds."""
        if self._has_written:
            self._folder.shrink()

    def _name(self, unit: Unit) -> str:
        # The working directory counts, because that is what a relative path in the code is relative to for Checkov.
        what = [self._setting, os.getcwd(), unit.kind, unit.path, str(unit.readable)]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()
