"""The steps that mend a root module, in each way to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from keyrules.code.patches.files import Files, Left, Marks
from keyrules.code.patches.outputs import mend_output
from keyrules.code.patches.rotation import RotationMender
from keyrules.code.scan_unit import Unit
from keyrules.code.session import CheckSession
from keyrules.code.terraform.key_set import key_set
from keyrules.code.terraform.keys import declared_keys
from keyrules.code.terraform.readings import Readings
from keyrules.code.terraform.scope import Scope
from keyrules.code.terraform.unit import judge_reading
from keyrules.code.verdict import Verdict


def each_reading(
    unit: Unit, files: Files, session: CheckSession
) -> Iterator[tuple[list[Verdict], Callable[[Verdict, Marks], None]]]:
    """The verdicts of each way to read a root module as it is now, and what does the next step for one of them."""
    limit = session.context("KEY_AWS_001").limit("max_age_days")
    rotation = RotationMender(files, limit)
    for reading in Readings(unit.path, unit.callers, session.read):
        verdicts = judge_reading(reading.root, session).verdicts
        yield verdicts, _step(reading.root, rotation, files)


def _step(root: Scope, rotation: RotationMender, files: Files) -> Callable[[Verdict, Marks], None]:
    keys = {(key.declared.path, key.address): key for key in declared_keys(root)}
    judged = key_set(root)
    shared = {(key.path, key.address) for key in judged.keys if key.several or judged.beside(key)}

    def step(verdict: Verdict, marks: Marks) -> None:
        if verdict.rule == "KEY_AWS_009":
            mend_output(root, verdict, files, marks)
            return
        key = keys.get((verdict.path, verdict.address))
        if key is None:
            raise Left("comes from a module that is not part of the scan")
        rotation.step(key, verdict, marks, alone=(key.declared.path, key.address) not in shared)

    return step
