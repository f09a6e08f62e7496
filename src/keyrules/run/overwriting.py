"""Refuses an output that would replace what a run reads, or somebody's source code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from keyrules.code.file_names import QUOTING_SUFFIXES, SOURCE_SUFFIXES, TEMPLATE_SUFFIXES
from keyrules.model import UsageError
from keyrules.reports.text_style import printable

_SOURCES = (
    *SOURCE_SUFFIXES,
    *(".tfvars", ".tfvars.json", ".hcl", ".tftpl"),
    *(suffix for suffix in TEMPLATE_SUFFIXES if suffix not in (".json", ".txt")),
    *sorted(QUOTING_SUFFIXES - {".md"}),
)
"""Suffixes that no report has; `.json`, `.txt` and `.md` are those of reports as well."""


def refuse_overwriting(outputs: Iterable[tuple[str, Path]], read: Iterable[tuple[str, Path]]) -> None:
    """Raises UsageError for an output that is a file of the run's own, or an existing file of source code.

    `outputs` are the files to write with the option that names each, `read` what the run reads with a word for each.
    Pipes and devices are written to and not replaced, and a file that is not there yet replaces nothing.
    """
    inputs = list(read)
    for option, path in outputs:
        if not path.is_file():
            continue
        shown = printable(str(path))
        for what, other in inputs:
            if _is_same(path, other):
                raise UsageError(f"{option}: {shown} is {what} and would be replaced; give the output another file")
        if path.name.lower().endswith(_SOURCES):
            raise UsageError(f"{option}: {shown} exists and is source code by its name; give the output another file")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
