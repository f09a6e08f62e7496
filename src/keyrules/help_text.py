"""How `--help` looks: one line for each option where the terminal has 80 columns, so that a command fits a screen."""

from __future__ import annotations

import argparse

from keyrules.terminal import columns


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal; an option that can be negated stands once, as `--[no-]option`."""

    def __init__(self, prog: str) -> None:
        # argparse would import shutil to find the width, at each argument that is added.
        super().__init__(prog, max_help_position=28, width=columns(80) - 2)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if isinstance(action, argparse.BooleanOptionalAction):
            return action.option_strings[0].replace("--", "--[no-]", 1)
        return super()._format_action_invocation(action)
