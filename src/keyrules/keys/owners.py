"""Who answers for a key, and how long its callers may be silent: by a tag, CODEOWNERS, or the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from keyrules.files import read_regular
from keyrules.keys.live import CYCLE_TAG, LiveKey
from keyrules.keys.stages import SHORTEST_CYCLE, USUAL_CYCLE
from keyrules.records import dataclass
from keyrules.run.configuration.exclude_globs import Excluder, is_glob

_CODEOWNERS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_LONGEST: Final = 400
_Value = TypeVar("_Value")


class Owner(NamedTuple):
    """A name, and where it was found: tag, state_tag, codeowners or configuration."""

    name: str
    source: str


class Cycle(NamedTuple):
    """The longest time between two uses by one caller; `source` is assumed where nobody declared it."""

    length: timedelta
    source: str


@dataclass(frozen=True)
class Declared:
    """What the configuration says by user: owners, and the longest cycle in days."""

    owners: Mapping[str, str]
    cycles: Mapping[str, int]
    cycle: int | None = None

    def cycle_of(self, key: LiveKey) -> Cycle:
        """What holds for the callers of a key: the tag, then the most exact override, then the general one."""
        tag = key.tags.get(CYCLE_TAG, "")
        if tag.isdecimal() and 0 < int(tag) <= _LONGEST:
            return Cycle(max(timedelta(days=int(tag)), SHORTEST_CYCLE), "tag")
        days = named(self.cycles, key)
        if days is not None:
            return Cycle(max(timedelta(days=days), SHORTEST_CYCLE), "configuration")
        if self.cycle is not None:
            return Cycle(max(timedelta(days=self.cycle), SHORTEST_CYCLE), "configuration")
        return Cycle(USUAL_CYCLE, "assumed")


def named(by_user: Mapping[str, _Value], key: LiveKey) -> _Value | None:
    """The value of the first subject that means a key's user: its name, ACCOUNT/NAME or ARN, with `*` and `?`."""
    names = (key.user, f"{key.account}/{key.user}", key.arn)
    for subject, value in by_user.items():
        if any(_pattern(subject).match(name) for name in names):
            return value
    return None


@cache
def _pattern(subject: str) -> re.Pattern[str]:
    return re.compile(translate(subject.replace("[", "[[]")))


class CodeOwners:
    """The owners of paths by the CODEOWNERS file of each path's repository; of several lines the last one counts."""

    def __init__(self) -> None:
        self._rules = cache(self._read)

    def of(self, path: str) -> str | None:
        """The owners of an absolute path, as the file writes them; None where it names none."""
        root = _repository(str(Path(path).parent))
        for matches, owners in reversed(self._rules(root)) if root is not None else ():
            if matches(path):
                return owners or None
        return None

    def _read(self, root: str) -> list[tuple[Excluder, str]]:
        for name in _CODEOWNERS:
            try:
                text = read_regular(f"{root}/{name}").decode("utf-8-sig", "replace")
            except OSError:
                continue
            return list(_lines(text, root))
        return []


def _lines(text: str, root: str) -> list[tuple[Excluder, str]]:
    found = []
    for line in text.splitlines():
        # A bracket begins a section of GitLab's, whose lines count like the others.
        words = line.split("#", 1)[0].split()
        if words and not words[0].startswith("[") and is_glob(words[0]):
            found.append((Excluder([words[0]], root), " ".join(words[1:])))
    return found


@cache
def _repository(folder: str) -> str | None:
    """The folder with a CODEOWNERS file that governs another: the nearest above it up to the repository's root."""
    path = Path(folder)
    for each in (path, *path.parents):
        if (each / ".git").exists() or any((each / name).is_file() for name in _CODEOWNERS):
            return str(each)
    return None
