"""The argument of `keyrules completion`; nothing that makes a script is imported for it."""

from __future__ import annotations

import argparse

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


def add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `keyrules completion`."""
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))
