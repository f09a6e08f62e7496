"""`keyrules completion SHELL`: prints the script that completes commands, options and their values in a shell.

Shells run it when they start, so nothing is imported that evaluates, or that checks the pack.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from keyrules.terms import UsageError

SHELLS = ("bash", "zsh", "fish")
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `keyrules completion`."""
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))


def run(args: argparse.Namespace, parsers: Callable[[], Mapping[str, tuple[str, argparse.ArgumentParser]]]) -> int:
    """Prints the script and returns 0; `parsers` gives every command's. Raises UsageError for a shell that has none."""
    from keyrules.completion.bash import bash_script
    from keyrules.completion.fish import fish_script
    from keyrules.completion.pack_names import read_names
    from keyrules.completion.words import commands
    from keyrules.completion.zsh import zsh_script
    from keyrules.pack.stamp import pack_version, rules_path

    script = dict(zip(SHELLS, (bash_script, zsh_script, fish_script), strict=True)).get(args.shell)
    if script is None:
        raise UsageError(f"{args.shell!r} is not a shell that can be completed; use one of {', '.join(SHELLS)}")
    print(script(commands(parsers(), read_names(rules_path())), pack_version()), end="")
    return 0
