"""What code declares about keys: user, account, rotation and place of each, by the readers that judge the rules.

Every root module and template is read in a process of its own, as a scan reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from keyrules.code.addresses import without_keys
from keyrules.code.cloudformation.document import decode_template
from keyrules.code.cloudformation.intrinsics import USER, Reader
from keyrules.code.cloudformation.key_set import key_set as template_keys
from keyrules.code.cloudformation.parts import template_files
from keyrules.code.discovery import Discovery
from keyrules.code.file_paths import shown
from keyrules.code.keys import Attribute, Key, Unread
from keyrules.code.processes import Failure, in_processes
from keyrules.code.rotation.rotation import judge_rotation
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.terraform.account import account
from keyrules.code.terraform.evaluate import evaluate, instance_keys
from keyrules.code.terraform.key_set import attribute
from keyrules.code.terraform.keys import DeclaredKey, declared_keys
from keyrules.code.terraform.moves import Move, followed, moves
from keyrules.code.terraform.readings import Readings
from keyrules.code.terraform.scope import Scope, walk
from keyrules.code.verdict import Opinion, TimedContext
from keyrules.model import EvaluationError, Rule, Selection
from keyrules.pack.parameters import LARGEST
from keyrules.records import dataclass

ROTATION_RULE: Final = "KEY_AWS_001"
_PERIOD: Final = "max_age_days"
_SAFE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}")


@dataclass(frozen=True)
class CodeKey:
    """A key as the code declares it. `path` is absolute; `block` is the address without instance keys.

    `user` is None where the code does not decide it, `account` where no provider names it, `active` where its status is
    open. `rotation_days` is the period of a rotation that fires, and `rotation` the reason that KEY_AWS_001 gives.
    `repeated` says that its instances cannot be told. `stack_user` is the logical id of a user that its stack names.
    """

    path: str
    line: int
    address: str
    block: str
    user: str | None
    account: str | None
    active: bool | None
    rotation_days: float | None
    rotation: str
    template: bool = False
    repeated: bool = False
    stack_user: str | None = None


@dataclass(frozen=True)
class CodeUnit:
    """A root module or template: its keys, and the addresses of all its blocks without instance keys.

    `calls` are the places of module calls, by their addresses, `moves` what its `moved` blocks say.
    """

    path: str
    keys: tuple[CodeKey, ...]
    blocks: frozenset[str] = frozenset()
    calls: tuple[tuple[str, str, int], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    moves: tuple[Move, ...] = ()

    def now(self, address: str) -> str:
        """The address that the code has for what a state has under this one."""
        return followed(address, self.moves)


def read_code(
    found: Discovery, rule: Rule, as_of: datetime, limits: Limits
) -> tuple[list[CodeUnit], list[EvaluationError]]:
    """Every unit of a discovery with a key or a call in it, and what could not be read of them.

    `rule` is KEY_AWS_001, which knows what a rotation is; whatever its threshold, every period that fires counts.
    """
    errors = [EvaluationError(error.input, error.kind, error.message) for error in found.errors]
    context = TimedContext(rule, Selection((rule,), {(rule.id, _PERIOD): LARGEST}), as_of)
    work = [unit for unit in found.units if unit.kind in ("terraform", "cloudformation")]

    def read(unit: Unit) -> CodeUnit:
        return _terraform(unit, context) if unit.kind == "terraform" else _cloudformation(unit, context)

    units: dict[int, CodeUnit] = {}
    for index, result in in_processes(work, read, limits):
        if isinstance(result, Failure):
            sentence = f"what it declares was not joined, for reading it failed ({result.error or 'no answer'})"
            errors.append(EvaluationError(shown(work[index].path), "crash", f"{shown(work[index].path)}: {sentence}."))
        else:
            units[index] = result
            errors += [EvaluationError(shown(path), "unparsable", message) for path, message in result.problems]
    return [units[index] for index in sorted(units)], errors


def _terraform(unit: Unit, context: TimedContext) -> CodeUnit:
    readings = Readings(unit.path, unit.callers)
    keys: dict[CodeKey, None] = {}
    blocks: set[str] = set()
    calls: dict[tuple[str, str, int], None] = {}
    problems: dict[tuple[str, str], None] = {}
    moved: dict[Move, None] = {}
    for reading in readings:
        moved.update(dict.fromkeys(moves(reading.root)))
        keys.update(dict.fromkeys(_of_terraform(key, context) for key in declared_keys(reading.root)))
        for scope in walk(reading.root):
            prefix = without_keys(scope.prefix)
            for kind, declared in scope.module.blocks:
                blocks |= {f"{prefix}{name}" if kind == "resource" else f"{prefix}{kind}.{name}" for name in declared}
            for name, call in scope.module.calls.items():
                calls[f"{prefix}module.{name}", call.path, call.start_line] = None
            problems.update(dict.fromkeys((error.path, error.message) for error in scope.module.errors))
    problems.update(dict.fromkeys((error.path, error.message) for error in readings.errors))
    return CodeUnit(unit.path, tuple(keys), frozenset(blocks), tuple(calls), tuple(problems), tuple(moved))


def _of_terraform(key: DeclaredKey, context: TimedContext) -> CodeKey:
    verdict = judge_rotation(key, context)
    user = evaluate(key.declared.value("user"), key.frame)
    told = account(key.declared, key.frame)
    days = verdict.facts.get("rotation_days")
    return CodeKey(
        key.declared.path,
        key.declared.start_line,
        key.address,
        without_keys(key.address),
        _name(user),
        str(told[1]) if isinstance(told, tuple) and len(told) == 2 and told[0] == "account" else None,
        _active(attribute(key.declared, key.frame, "status")),
        float(days) if isinstance(days, int | float) else None,
        verdict.reason,
        repeated=key.repeated or _is_repeated(key.frame.scope),
    )


def _is_repeated(scope: Scope) -> bool:
    """Whether the instances of a call on the way to a module are not known."""
    while scope.parent is not None and scope.call is not None:
        if instance_keys(scope.call, scope.parent) is None:
            return True
        scope = scope.parent
    return False


def _cloudformation(unit: Unit, context: TimedContext) -> CodeUnit:
    text = decode_template(Path(unit.path).read_bytes())
    keys: list[CodeKey] = []
    problems: list[tuple[str, str]] = []
    for file in template_files(unit.path, text):
        if file.template is not None:
            reader = Reader(file.template, defaults=True)
            blocks = file.template.resources.values()
            users = {reader.named(block.logical_id): block.logical_id for block in blocks if block.type == USER}
            found = template_keys(file.template, file.path).keys
            keys += [_of_template(key, file.prefix, context, users) for key in found if not key.never]
        elif file.unread:
            problems.append((file.path, file.problem))
    addresses = frozenset(key.address for key in keys)
    return CodeUnit(unit.path, tuple(keys), addresses, problems=tuple(problems))


def _of_template(key: Key, prefix: str, context: TimedContext, users: Mapping[str, str]) -> CodeKey:
    opinion: Opinion = key.rotation(context)
    address, user = prefix + key.address, _name(key.attribute("UserName"))
    return CodeKey(
        key.path,
        key.start_line,
        address,
        address,
        user,
        None,
        _active(key.status),
        None,
        opinion.reason,
        template=True,
        repeated=key.several,
        stack_user=users.get(str(key.owner)) if user is None else None,
    )


def _name(value: object) -> str | None:
    """The name of a user, where it is one that IAM allows."""
    return value if isinstance(value, str) and _SAFE_NAME.fullmatch(value) else None


def _active(status: Attribute) -> bool | None:
    if status is Unread.ABSENT or status == "Active":
        return True
    return False if status == "Inactive" else None
