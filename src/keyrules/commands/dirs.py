"""`keyrules dirs`: what gives Checkov this pack, as arguments or as a folder."""

from __future__ import annotations

import argparse
import shlex

from keyrules.code.checkov.bundle import write_bundle
from keyrules.code.checkov.folders import checkov_arguments, skip_arguments
from keyrules.pack.catalog import load_pack
from keyrules.run.exit_codes import CLEAN


def run_dirs(args: argparse.Namespace) -> int:
    """Prints the arguments, or writes the folder and prints those for it. Raises UsageError for a folder that is not
    ours to write, InputError where a part of the pack is missing."""
    pack = load_pack()
    opt_in = [rule.id for rule in pack.rules if not rule.default_on]
    if args.bundle is None:
        words = checkov_arguments(opt_in)
    else:
        folder = write_bundle(args.bundle, pack.stamp)
        words = ["--external-checks-dir", str(folder), *skip_arguments(opt_in)]
    print(" ".join(shlex.quote(word) for word in words))
    return CLEAN
