"""`keyrules completion SHELL`: prints the script that completes commands, options and their values in a shell."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from keyrules.catalog import load_pack
from keyrules.completion_bash import bash_script
from keyrules.completion_fish import fish_script
from keyrules.completion_words import SHELLS, commands
from keyrules.completion_zsh import zsh_script
from keyrules.controls import load_frameworks
from keyrules.model import UsageError

EPILOG = """\
examples:
  source <(keyrules completion bash)        this session, bash or zsh
  keyrules completion fish | source         this session, fish
for good, where the shell looks for it:
  keyrules completion bash > ~/.local/share/bash-completion/completions/keyrules
  keyrules completion zsh > "${fpath[1]}/_keyrules"
  keyrules completion fish > ~/.config/fish/completions/keyrules.fish
The script holds the rule ids of this version; write it anew after an update.
"""


_SCRIPTS = dict(zip(SHELLS, (bash_script, zsh_script, fish_script), strict=True))


def add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `keyrules completion`."""
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))


def run_completion(args: argparse.Namespace, parsers: Mapping[str, tuple[str, argparse.ArgumentParser]]) -> int:
    """Prints the script and returns 0. Raises UsageError for a shell that has none."""
    script = _SCRIPTS.get(args.shell)
    if script is None:
        raise UsageError(f"{args.shell!r} is not a shell that can be completed; use one of {', '.join(SHELLS)}")
    pack = load_pack()
    print(script(commands(parsers, pack, load_frameworks(pack)), pack.stamp.version), end="")
    return 0
