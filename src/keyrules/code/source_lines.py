"""The lines of source that findings are about, for people who look at a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from keyrules.code.literals.findings import LITERALS
from keyrules.code.skip_comments import safe_reason
from keyrules.files import read_regular
from keyrules.model import Finding, Status

_HEAD = re.compile(r"[^{=]*?(?:[{=]|:(?=\s|$))")
"""What stands before the value in the languages of code: `resource "x" "y" {`, `name =`, `Name:`."""
_LONGEST = 160
_LARGEST = 2_000_000


def source_lines(findings: Iterable[Finding]) -> Mapping[str, str]:
    """The first line of what fails, without its indentation, by `path:line`.

    It ends where a value could begin, and what looks like a secret is masked in the rest. A literal credential has no
    line, nor has a file that is gone or large, or whose line is long.
    """
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        if finding.status is Status.FAIL and finding.rule != LITERALS and finding.location is not None:
            wanted.setdefault(finding.location.path, set()).add(finding.location.start_line)
    found: dict[str, str] = {}
    for path, numbers in wanted.items():
        lines = _lines(path)
        for number in numbers:
            text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
            head = _HEAD.match(text) if len(text) <= _LONGEST else None
            if head is not None:
                found[f"{path}:{number}"] = safe_reason(head[0])
    return found


def _lines(path: str) -> list[str]:
    try:
        if Path(path).stat().st_size > _LARGEST:
            return []
        return read_regular(path).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return []
