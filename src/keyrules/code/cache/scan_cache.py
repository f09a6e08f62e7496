"""What a scan takes from earlier runs: the pack in its compiled form, and the verdicts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from keyrules.code.cache.cache_folder import CacheFolder
from keyrules.code.cache.code_version import code_version
from keyrules.code.cache.compiled_pack import compiled_pack
from keyrules.code.cache.verdict_cache import VerdictCache
from keyrules.code.scan_unit import Limits
from keyrules.model import ParameterValue
from keyrules.pack.pack import Pack


class ScanCache(NamedTuple):
    """A folder, and the version of the code that runs."""

    folder: CacheFolder
    code: str

    def pack(self) -> Pack:
        """What load_pack gives. Raises UsageError as it does."""
        return compiled_pack(self.folder, self.code)

    def verdicts(
        self,
        pack: str,
        rules: Sequence[str],
        overrides: Sequence[tuple[str, str, ParameterValue]],
        limits: Limits,
    ) -> VerdictCache:
        """The verdicts by these rules of the pack with this hash, with these parameters."""
        memory = limits.memory_bytes
        setting = {"code": self.code, "pack": pack, "rules": rules, "overrides": overrides, "memory": memory}
        return VerdictCache(self.folder, setting)


def open_cache(place: str | None) -> ScanCache | None:
    """The cache in a folder, or None where there is no folder or nothing tells which Checkov would run."""
    code = code_version(sys.path) if place is not None else None
    return ScanCache(CacheFolder(place), code) if place is not None and code is not None else None
