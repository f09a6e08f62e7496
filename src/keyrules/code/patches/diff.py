"""A unified diff as `git apply` takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keyrules.code.patches.buffer import split_lines
from keyrules.run_facts import Replacement

_CONTEXT = 3
_PLAIN = frozenset(range(0x20, 0x7F)) - set(b'"\\')
_SHORT = {0x07: "a", 0x08: "b", 0x09: "t", 0x0A: "n", 0x0B: "v", 0x0C: "f", 0x0D: "r", 0x22: '"', 0x5C: "\\"}


def file_diff(path: str, original: str, changes: Sequence[Replacement]) -> str:
    """The diff of one file; `path` has forward slashes and is relative to where the diff is to be applied.

    There is no line `diff --git`: in a folder of a repository git takes the paths below one for the repository's own
    and passes over the file (git's apply.c, is_toplevel_relative), and all other paths for the folder's.
    """
    old, new = quoted(f"a/{path}"), quoted(f"b/{path}")
    return f"--- {_named(old)}\n+++ {_named(new)}\n" + "".join(hunk for _, hunk in hunks(original, changes))


def hunks(original: str, changes: Sequence[Replacement]) -> Iterator[tuple[list[Replacement], str]]:
    """The changes that stand together, and their text."""
    lines = split_lines(original)
    moved = 0
    for group in _groups(changes):
        first = max(group[0].start - _CONTEXT, 0)
        last = min(group[-1].end + _CONTEXT, len(lines))
        body: list[str] = []
        place = first
        for change in group:
            body += [f" {line}" for line in lines[place : change.start]]
            body += [f"-{line}" for line in lines[change.start : change.end]]
            body += [f"+{line}" for line in change.new]
            place = change.end
        body += [f" {line}" for line in lines[place:last]]
        grown = sum(len(change.new) - (change.end - change.start) for change in group)
        before, after = _range(first, last - first), _range(first + moved, last - first + grown)
        moved += grown
        yield group, f"@@ -{before} +{after} @@\n" + "".join(map(_ended, body))


def _groups(changes: Sequence[Replacement]) -> Iterator[list[Replacement]]:
    group: list[Replacement] = []
    for change in changes:
        if group and change.start - group[-1].end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _range(first: int, length: int) -> str:
    start = first + 1 if length else first
    return f"{start}" if length == 1 else f"{start},{length}"


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _named(path: str) -> str:
    """A path in a line of its own: one with a space ends in a tab, as git writes it."""
    return f"{path}\t" if " " in path and not path.startswith('"') else path


def quoted(path: str) -> str:
    """A path as git writes it: in quotes, its bytes as octal numbers, where it is not plain ASCII."""
    data = path.encode("utf-8", "surrogateescape")
    if _PLAIN.issuperset(data):
        return path
    shown = [chr(b) if b in _PLAIN else f"\\{_SHORT[b]}" if b in _SHORT else f"\\{b:03o}" for b in data]
    return f'"{"".join(shown)}"'
