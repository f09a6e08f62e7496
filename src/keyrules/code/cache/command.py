"""`keyrules cache`: where earlier verdicts are kept, how much they take, and how to be rid of them."""

from __future__ import annotations

import argparse
import os

from keyrules.code.cache.cache_folder import MAX_BYTES, VARIABLE, CacheFolder, Usage, cache_place
from keyrules.model import UsageError
from keyrules.reports.text_style import printable
from keyrules.run.exit_codes import CLEAN


def run_cache(args: argparse.Namespace) -> int:
    """Prints one line. Raises UsageError where there is no folder, or not everything in it could be removed."""
    place = cache_place(os.environ)
    if place is None:
        raise UsageError(f"there is no home folder to keep verdicts in; name a folder with {VARIABLE}")
    folder = CacheFolder(place)
    if args.clear:
        gone = folder.clear()
        left = folder.usage()
        if left.files:
            raise UsageError(f"{place}: {_shown(left)} cannot be removed; check the folder's permissions")
        print(f"{printable(place)}: removed {_shown(gone)}")
    else:
        print(f"{printable(place)}: {_shown(folder.usage())} of at most {MAX_BYTES / 2**20:g} MiB")
    return CLEAN


def _shown(usage: Usage) -> str:
    noun = "entry" if usage.files == 1 else "entries"
    return f"{usage.files} {noun}, {usage.bytes / 2**20:.1f} MiB"
