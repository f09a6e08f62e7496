"""How wide the terminal is, without shutil, which imports every archive format there is."""

from __future__ import annotations

import os
import sys

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
