"""How a report is to look; what it says never depends on these."""

from __future__ import annotations

from typing import NamedTuple

from keyrules.reports.text_style import Style
from keyrules.terminal import DEFAULT_WIDTH as DEFAULT_WIDTH


class ReportOptions(NamedTuple):
    """For text: colour, the columns to wrap at, and `quiet` for findings and errors only. Other formats ignore it."""

    style: Style = Style()
    width: int = DEFAULT_WIDTH
    quiet: bool = False
