"""States from files, folders and standard input, and what they say of each other.

In a folder the states are the files with `.tfstate` in their names; copies that Terraform keeps (`.backup`), what lies
in `.terraform`, and the notes of locks are no states to join. A file that is named is read whatever its name.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from keyrules.code.file_names import STATE_COPIES
from keyrules.code.file_paths import absolute
from keyrules.code.state.reading import State, read_state
from keyrules.files import read_named
from keyrules.model import EvaluationError, InputError, UsageError
from keyrules.reports.text_style import printable

STDIN: Final = "-"
_STDIN_NAME: Final = "<stdin>"
_SUFFIX: Final = ".tfstate"
_BACKUP: Final = ".backup"


def find_states(names: Sequence[str]) -> list[tuple[str, Path | None]]:
    """What to read, by the name that messages use, each once; a folder's files sorted by path.

    UsageError for what does not exist, for standard input named twice, and for a folder without states.
    """
    if list(names).count(STDIN) > 1:
        raise UsageError("--state: - stands for standard input and can be given once")
    found: dict[str, tuple[str, Path | None]] = {}
    for name in names:
        path = Path(name)
        if name == STDIN:
            found[STDIN] = (_STDIN_NAME, None)
        elif path.is_dir():
            files = sorted(_in_folder(path), key=lambda file: file.as_posix())
            if not files:
                raise UsageError(
                    f"--state: {path} holds no state (*{_SUFFIX}); name the folder that does, a file, or - for the "
                    "output of `terraform state pull`"
                )
            for file in files:
                found.setdefault(os.path.realpath(file), (file.as_posix(), file))
        elif not os.path.lexists(path):
            raise UsageError(f"--state: {path} does not exist; name a state, a folder of them, or - for standard input")
        else:
            found.setdefault(os.path.realpath(path), (path.as_posix(), path))
    return list(found.values())


def _in_folder(top: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if name != ".terraform")
        for name in sorted(names):
            low = name.lower()
            if _SUFFIX in low and not low.endswith(STATE_COPIES):
                yield Path(folder, name)


def read_states(
    sources: Sequence[tuple[str, Path | None]], stdin: Callable[[], bytes], owner_tag: str = "owner"
) -> tuple[list[State], list[EvaluationError]]:
    """The states that can be joined, in their order, and a sentence for each that cannot: unreadable ones, and older
    copies of one that is there as well."""
    states: list[State] = []
    errors: list[EvaluationError] = []
    for name, path in sources:
        problem = ""
        try:
            data = stdin() if path is None else read_named(str(path))
            states.append(read_state(name, None if path is None else absolute(str(path)), data, owner_tag))
        except InputError as error:
            problem = str(error)
        except OSError as error:
            problem = f"cannot be read: {error.strerror or type(error).__name__}"
        if problem:
            errors.append(_error(name, "state", problem))
    return _newest(states, errors), errors


def _error(name: str, kind: str, sentence: str) -> EvaluationError:
    return EvaluationError(name, kind, f"{printable(name)} {sentence}.")


def _newest(states: Sequence[State], errors: list[EvaluationError]) -> list[State]:
    """One state of each lineage: the one with the highest serial. Two different ones of one serial are both left out,
    because nobody knows which holds."""
    by_lineage: dict[str, list[State]] = defaultdict(list)
    for state in states:
        if state.lineage is not None:
            by_lineage[state.lineage].append(state)
    dropped: set[int] = set()
    by_path = {state.path: state for state in states if state.path is not None}
    for state in states:
        current = by_path.get((state.path or "").removesuffix(_BACKUP))
        if current is not None and current is not state and current.lineage != state.lineage:
            dropped.add(id(state))
            sentence = f"is the copy of another lineage than {printable(current.name)} has now, so it was not joined"
            errors.append(_error(state.name, "state_goes_back", sentence))
    for same in by_lineage.values():
        latest = max(same, key=lambda state: state.serial or 0)
        for state in same:
            if state is latest:
                continue
            if state.serial == latest.serial:
                dropped.add(id(state))
                if not _is_copy(state, latest):
                    dropped.add(id(latest))
                    sentence = (
                        f"and {printable(latest.name)} are two different states of one lineage and serial "
                        f"({state.serial}), so neither was joined: pull the one that holds"
                    )
                    errors.append(_error(state.name, "state_contradiction", sentence))
            else:
                dropped.add(id(state))
                sentence = (
                    f"has serial {state.serial} of the lineage of which {printable(latest.name)} has {latest.serial}, "
                    "so it is an older copy and was not joined: leave it out"
                )
                errors.append(_error(state.name, "state_goes_back", sentence))
    kept = [state for state in states if id(state) not in dropped]
    _claims(kept, errors)
    return kept


def _is_copy(first: State, second: State) -> bool:
    def content(state: State) -> set[tuple[object, ...]]:
        return {(key.address, key.key_id, key.created, key.active, key.deposed) for key in state.keys}

    return content(first) == content(second) and first.blocks == second.blocks


def _claims(states: Sequence[State], errors: list[EvaluationError]) -> None:
    """Two states that both hold one key would each rotate it away from the other."""
    holders: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for state in states:
        for key in state.keys:
            if key.key_id is not None:
                holders[key.key_id].append((state.name, key.address))
    for key_id, places in sorted(holders.items()):
        if len(places) > 1:
            (name, address), others = places[0], [f"{address} in {name}" for name, address in places[1:]]
            sentence = printable(f"{address} and {', '.join(others)} both hold the key {key_id}: remove it from one")
            errors.append(_error(name, "state_contradiction", f"claims what another holds: {sentence}"))
