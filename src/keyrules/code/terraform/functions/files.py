"""Functions that look at files: only regular ones, only below the root module or below a module that it calls.

Terraform takes a relative path from where it runs, which is the root module. What lies elsewhere, or behind a link that
leads there, is not part of what is judged: that is open, and so is what is too large.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from keyrules.code.terraform.functions.encoding import HASHES, base64_text
from keyrules.code.terraform.functions.signature import normalized
from keyrules.code.terraform.hcl.kinds import convert
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import MAX_FILE, MAX_ITEMS, Refused, SetValue
from keyrules.code.terraform.scope import Scope

_MAX_ENTRIES = 20_000
_SEGMENT = re.compile(r"[^\[\]{}\\]*")


def file_text(path: str, scope: Scope) -> str:
    """The text of a file. Raises Refused where there is none or it is not UTF-8, NotComputed where it is open."""
    try:
        return normalized(_bytes(path, scope).decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused from None


def _bytes(path: str, scope: Scope) -> bytes:
    root = scope.root
    known: dict[str, bytes | None] = root.memo.setdefault("files", {})
    found = _inside(path, scope)
    if found not in known:
        known[found] = _read(found, scope)
    data = known[found]
    if data is None:
        raise NotComputed
    return data


def _read(path: str, scope: Scope) -> bytes | None:
    try:
        return scope.reader.file(path, MAX_FILE)
    except FileNotFoundError:
        raise Refused from None
    except OSError:
        return None


def _inside(path: str, scope: Scope) -> str:
    """The real path of what a path names. Raises NotComputed where that lies outside of the modules."""
    if "\0" in path or len(path) > 1024 or path.startswith("~"):
        raise NotComputed
    found = os.path.realpath(Path(scope.root.module.path) / path)
    allowed = [os.path.realpath(folder) for folder in sorted(scope.folders)]
    if not any(found == folder or found.startswith(folder.rstrip("/") + "/") for folder in allowed):
        raise NotComputed
    return found


def _fileexists(path: str, scope: Scope) -> bool:
    found = _inside(path, scope)
    if not os.path.lexists(found):
        return False
    if Path(found).is_dir():
        raise Refused
    if not Path(found).is_file():
        raise NotComputed
    return True


def _fileset(folder: str, pattern: str, scope: Scope) -> Any:
    segments = pattern.split("/")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments) or any(s in ("", ".", "..") for s in segments):
        raise NotComputed
    if any("**" in segment and segment != "**" for segment in segments) or len(segments) > 16:
        raise NotComputed
    start = Path(_inside(folder, scope))
    if not start.is_dir():
        return SetValue([], "string")
    found = sorted(normalized(name) for name in _files(start) if _matches(name.split("/"), segments))
    if len(found) > MAX_ITEMS:
        raise NotComputed
    return SetValue(found, "string")


def _files(start: Path) -> Iterator[str]:
    """The regular files below a folder, as relative paths. Raises NotComputed for links and what cannot be read."""
    waiting, seen = [""], 0
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(os.scandir(start / prefix))
        except OSError:
            raise NotComputed from None
        for entry in entries:
            seen += 1
            if seen > _MAX_ENTRIES or entry.is_symlink():
                raise NotComputed
            if entry.is_dir():
                waiting.append(f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield f"{prefix}{entry.name}"


def _matches(names: list[str], segments: list[str]) -> bool:
    """Whether a path matches a pattern; `**` stands for any number of folders. Each pair is looked at once."""
    reached = {0}
    for name in names:
        reached = _past_any(reached, segments)
        reached = {
            at + (segments[at] != "**")
            for at in reached
            if at < len(segments) and (segments[at] == "**" or _name_matches(name, segments[at]))
        }
    return len(segments) in _past_any(reached, segments)


def _past_any(reached: set[int], segments: list[str]) -> set[int]:
    found = set(reached)
    for at in range(len(segments)):
        if at in found and segments[at] == "**":
            found.add(at + 1)
    return found


def _name_matches(name: str, pattern: str) -> bool:
    """`*` and `?` in one name, in linear time for each star."""
    reached = {0}
    for character in [*name, ""]:
        for at in range(len(pattern)):
            if at in reached and pattern[at] == "*":
                reached.add(at + 1)
        if not character:
            break
        reached = {
            at + (pattern[at] != "*") for at in reached if at < len(pattern) and pattern[at] in ("*", "?", character)
        }
    return len(pattern) in reached


def _hashed(work: Callable[[bytes], str], path: str, scope: Scope) -> str:
    return work(_bytes(path, scope))


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "file": (1, file_text),
    "filebase64": (1, partial(_hashed, base64_text)),
    "fileexists": (1, _fileexists),
    "fileset": (2, _fileset),
    **{
        f"filebase64{name[6:]}" if name.startswith("base64") else f"file{name}": (1, partial(_hashed, work))
        for name, work in HASHES.items()
    },
}
"""By name: how many strings they take, and the work on those and the module instance that asks."""


def call_file_function(name: str, values: list[Any], scope: Scope) -> Any:
    """The result of a function on files. Raises Refused and NotComputed."""
    count, work = FUNCTIONS[name]
    if len(values) != count:
        raise NotComputed
    paths = [convert(value, "string") for value in values]
    if not all(isinstance(path, str) for path in paths):
        raise NotComputed if all(path is not None for path in values) else Refused
    return work(*paths, scope)
