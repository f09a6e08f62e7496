"""Mends one unit: edits, and what the rules say of them, by turns until there is nothing more to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from keyrules.code.judges import judge_unit
from keyrules.code.patches.files import Files, Left, Marks
from keyrules.code.scan_unit import Unit
from keyrules.code.session import CheckSession
from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.verdict import Verdict
from keyrules.model import Status

_ROUNDS = 8
_STILL = "still fails after all that a patch can do"

Subject: TypeAlias = tuple[str, str, str]
"""Rule, absolute path and address."""

_Step: TypeAlias = Callable[[Verdict, Marks], None]


def mend_unit(unit: Unit, targets: Mapping[Subject, str], files: Files, session: CheckSession) -> dict[str, str]:
    """Mends what it can of the targets, each with the mark of its finding. Gives by mark why a finding is left."""
    rounds, failing = _Rounds(targets, files), list[str]()
    for _ in range(_ROUNDS):
        before = {path: buffer.text for path, buffer in files.buffers.items()}
        if unit.kind == "terraform":
            from keyrules.code.patches.terraform import each_reading

            for verdicts, step in each_reading(unit, files, session):
                rounds.run(verdicts, step)
        else:
            from keyrules.code.patches.cloudformation import mend_key

            verdicts = judge_unit(unit.kind, unit.path, session, unit.callers).verdicts
            rounds.run(verdicts, lambda verdict, marks: mend_key(verdict, files, marks))
        failing = rounds.failing()
        if not failing:
            break
        if before == {path: buffer.text for path, buffer in files.buffers.items()}:
            rounds.leave(failing, _STILL)
    rounds.leave(failing, _STILL)
    rounds.share()
    return rounds.left


class _Rounds:
    """The findings of a unit that are being mended; `left` says of some why they are not."""

    def __init__(self, targets: Mapping[Subject, str], files: Files) -> None:
        self._targets = targets
        self._files = files
        self._failed: set[str] = set()
        self._met: set[str] = set()
        self.left: dict[str, str] = {}

    def run(self, verdicts: list[Verdict], step: _Step) -> None:
        """The next change for each place that fails in one reading of the unit."""
        groups: dict[object, tuple[Verdict, list[str]]] = {}
        for number, verdict in enumerate(verdicts):
            mark = self._targets.get((verdict.rule, verdict.path, verdict.address))
            if mark is None or mark in self.left or verdict.status is Status.PASS:
                continue
            self._failed.add(mark)
            # Instances of a block are mended together; what is too slow may be so for each by another number.
            alike = (
                (verdict.rule, verdict.path, verdict.start_line) if verdict.reason != "rotation_too_slow" else number
            )
            groups.setdefault(alike, (verdict, []))[1].append(mark)
        for verdict, marks in _in_order([*groups.values()]):
            try:
                if verdict.status is not Status.FAIL:
                    raise Left("cannot be decided any more once it is changed")
                step(verdict, tuple(dict.fromkeys(marks)))
            except Left as why:
                self.leave(marks, str(why))
            except HclSyntaxError:
                self.leave(marks, "stands in a file that a patch cannot take apart")

    def failing(self) -> list[str]:
        """What failed in the last round and is not left; asking begins the next round."""
        found = sorted(self._failed - self.left.keys())
        self._met |= self._failed
        self._failed = set()
        return found

    def share(self) -> None:
        """Says of what never failed here that what was changed for another finding in its file is for it, too."""
        for (_, path, _), mark in self._targets.items():
            if mark not in self._met:
                self._files.adopt(path, mark)

    def leave(self, marks: list[str], why: str) -> None:
        """Takes back what was done for findings."""
        self.left.update(dict.fromkeys(marks, why))
        self._files.drop(marks)


def _in_order(groups: list[tuple[Verdict, list[str]]]) -> list[tuple[Verdict, list[str]]]:
    """The first place first, because what others share is added there, and the others from the last one on: a change
    moves nothing that stands before it, so that long files are read once."""
    groups.sort(key=lambda group: (group[0].path, group[0].start_line))
    return [*groups[:1], *reversed(groups[1:])]
