"""`keyrules completion SHELL`: prints the script that completes commands, options and their values in a shell.

Shells run it when they start, so nothing is imported that evaluates, or that checks the pack.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from keyrules.completion.arguments import SHELLS
from keyrules.completion.bash import bash_script
from keyrules.completion.fish import fish_script
from keyrules.completion.pack_names import read_names
from keyrules.completion.words import commands
from keyrules.completion.zsh import zsh_script
from keyrules.pack.stamp import pack_version, rules_path
from keyrules.terms import UsageError

_SCRIPTS = dict(zip(SHELLS, (bash_script, zsh_script, fish_script), strict=True))


def run_completion(args: argparse.Namespace, parsers: Mapping[str, tuple[str, argparse.ArgumentParser]]) -> int:
    """Prints the script and returns 0. Raises UsageError for a shell that has none."""
    script = _SCRIPTS.get(args.shell)
    if script is None:
        raise UsageError(f"{args.shell!r} is not a shell that can be completed; use one of {', '.join(SHELLS)}")
    print(script(commands(parsers, read_names(rules_path())), pack_version()), end="")
    return 0
