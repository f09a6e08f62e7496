"""How wide the terminal is, without shutil, which imports every archive format there is; and a line of progress."""

from __future__ import annotations

import os
import sys

from keyrules.records import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO, TextIO

DEFAULT_WIDTH = 100
"""The columns of text that goes to no terminal."""


def columns(fallback: int) -> int:
    """What COLUMNS says, else the terminal that standard output is, else `fallback`; as shutil.get_terminal_size."""
    try:
        stated = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        stated = 0
    if stated > 0:
        return stated
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or fallback  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        # Standard output is closed, or no terminal.
        return fallback


def standard_input() -> BinaryIO:
    """Standard input, in bytes. Who sits at a terminal is told that it is waited for."""
    if sys.stdin.isatty():
        print("keyrules: waiting for standard input; pipe into it, or end it with Ctrl-D", file=sys.stderr)
    return sys.stdin.buffer


def text_width(stream: TextIO) -> int:
    """The columns to wrap text at: those of the terminal, within reason."""
    return max(40, min(columns(DEFAULT_WIDTH), 140)) if stream.isatty() else DEFAULT_WIDTH


class ProgressLine:
    """One line on standard error that says how far long work is; nothing unless that is a terminal and thus `on`."""

    def __init__(self, quiet: bool) -> None:
        self.on = sys.stderr.isatty() and not quiet and os.environ.get("TERM") != "dumb"

    def __call__(self, done: int, total: int, name: str) -> None:
        """Shows `done` of `total`; the name is cut to the terminal."""
        self.say(f"evaluated {done} of {total}  {name}" if done < total else "")

    def say(self, text: str) -> None:
        """Shows a text instead of the one before, cut to the terminal; nothing for the empty text."""
        if self.on:
            line = text.encode("ascii", "backslashreplace").decode()
            shown = "".join(char if char.isprintable() else "?" for char in line)
            sys.stderr.write("\r\x1b[2K" + shown[: columns(80) - 1])
            sys.stderr.flush()
