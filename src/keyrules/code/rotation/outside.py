"""Rotation by AWS Secrets Manager: the secret that holds the key is rotated on a schedule by a Lambda function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from keyrules.code.rotation.clock import Clock, Kind
from keyrules.code.rotation.schedule import longest_gap
from keyrules.code.terraform.evaluate import evaluate, instance_keys, number
from keyrules.code.terraform.evidence import expressions_of, files_behind
from keyrules.code.terraform.hcl.ast import Access, Attr, Expr, Name
from keyrules.code.terraform.hcl.values import UNKNOWN
from keyrules.code.terraform.identity import conditions, enclosing_conditions, identity, leading_key, origin
from keyrules.code.terraform.keys import KEY_TYPES, DeclaredKey, module_instances
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import Reference, references
from keyrules.code.terraform.scope import Frame, Key, Scope
from keyrules.records import replace

_Stored: TypeAlias = tuple[str, str, Key]
"""A key by the address of its module, its name, and its instance (None: all of them)."""

_NO_SECRETS = frozenset({"id", "user", "create_date", "status", "key_fingerprint"})
_MAX_REFERENCES = 2000


def outside_rotation(key: DeclaredKey) -> tuple[Clock, ...]:
    """The schedules of the secrets that the key is stored in."""
    root = key.frame.scope.root
    if "outside_rotation" not in root.memo:
        root.memo["outside_rotation"] = _schedules(root)
    found: dict[_Stored, list[Clock]] = root.memo["outside_rotation"]
    place = key.frame.scope.prefix, key.declared.name
    return (
        *found.get((*place, key.frame.key), ()),
        *(found.get((*place, None), ()) if key.frame.key is not None else ()),
    )


def _schedules(root: Scope) -> dict[_Stored, list[Clock]]:
    rotations: dict[int, list[Clock]] = defaultdict(list)
    versions: list[Frame] = []
    for frame in _blocks(root):
        if frame.block is not None and frame.block.name.startswith("aws_secretsmanager_secret_rotation."):
            clock = _clock(frame.block, frame)
            for secret in _secret(frame.block.value("secret_id"), frame):
                rotations[secret].append(clock)
        else:
            versions.append(frame)
    found: dict[_Stored, list[Clock]] = defaultdict(list)
    for frame in versions if rotations else ():
        version = frame.block
        if version is None:
            continue
        secrets = _secret(version.value("secret_id"), frame) | {_own(version, frame)}
        clocks = dict.fromkeys(clock for secret in sorted(secrets) for clock in rotations.get(secret, ()))
        if clocks:
            for stored in sorted(_stored(version.value("secret_string"), frame), key=repr):
                found[stored] += [replace(clock, files=clock.files | {version.path}) for clock in clocks]
    return found


def _blocks(root: Scope) -> Iterator[Frame]:
    """Every instance of a secret's version or rotation."""
    kinds = ("aws_secretsmanager_secret_version.", "aws_secretsmanager_secret_rotation.")
    for scope in module_instances(root):
        for name, declared in sorted(scope.module.resources.items()):
            if name.startswith(kinds):
                keys = instance_keys(declared, scope)
                for key in (None,) if keys is None else keys:
                    yield Frame(scope, key, declared)


def _secret(expr: Expr | None, frame: Frame) -> set[int]:
    """The identities of a secret, whether it is named by id or by ARN: both hold the ARN."""
    if expr is None:
        return set()
    found = {identity(expr, frame)}
    expr, frame = origin(expr, frame)
    if isinstance(expr, Access) and expr.steps[-1] in (Attr("id"), Attr("arn")):
        found |= {identity(Access(expr.base, (*expr.steps[:-1], Attr(name))), frame) for name in ("id", "arn")}
    return found


def _own(version: Declaration, frame: Frame) -> int:
    """A version's `arn` is its secret's."""
    kind, name = version.name.split(".", 1)
    return identity(Access(Name(kind), (Attr(name), Attr("arn"))), Frame(frame.scope))


def _stored(expr: Expr | None, frame: Frame) -> set[_Stored]:
    """The keys whose secret an expression holds, through locals, inputs and outputs."""
    found: set[_Stored] = set()
    seen: set[tuple[object, ...]] = set()
    waiting: list[tuple[Expr | None, Frame]] = [(expr, frame)]
    while waiting and len(seen) < _MAX_REFERENCES:
        part, where = waiting.pop()
        for reference in references(part):
            mark = (id(where.scope), where.key, reference.root, reference.steps)
            if mark in seen or reference.name is None:
                continue
            seen.add(mark)
            if reference.root in KEY_TYPES:
                found |= _key(reference, where)
            else:
                waiting += _behind(reference, where)
    return found


def _key(reference: Reference, frame: Frame) -> set[_Stored]:
    key, rest = leading_key(reference.steps[1:], frame)
    attribute = next((step.name for step in rest if isinstance(step, Attr)), None)
    return set() if attribute in _NO_SECRETS else {(frame.scope.prefix, f"{reference.root}.{reference.name}", key)}


def _behind(reference: Reference, frame: Frame) -> list[tuple[Expr | None, Frame]]:
    scope, name = frame.scope, reference.name or ""
    if reference.root == "local" and name in scope.module.locals:
        return [(scope.module.locals[name].value("value"), Frame(scope))]
    if reference.root == "var" and scope.parent is not None and scope.call is not None:
        return [(scope.call.value(name), Frame(scope.parent, scope.key, scope.call))]
    if reference.root == "each" and frame.block is not None:
        return [(frame.block.value("for_each"), Frame(scope))]
    if reference.root == "module":
        key, rest = leading_key(reference.steps[1:], frame)
        child = scope.child(name, key)
        output = child.module.outputs.get(rest[0].name) if child and rest and isinstance(rest[0], Attr) else None
        return [(output.value("value"), Frame(child))] if child is not None and output is not None else []
    return []


def _clock(rotation: Declaration, frame: Frame) -> Clock:
    days = _days(rotation, frame)
    kind = Kind.UNRESOLVED if days is None else Kind.PERIODIC
    required = conditions(rotation, frame.scope) | enclosing_conditions(frame.scope)
    label = f"{frame.scope.prefix}{rotation.name}"
    files = files_behind(expressions_of(rotation), frame)
    return Clock(kind, label, rotation.path, rotation.start_line, days, needs=required, files=files)


def _days(rotation: Declaration, frame: Frame) -> float | None:
    """The longest time between two rotations, or None."""
    periods: list[float | None] = []
    for block in rotation.blocks("rotation_rules"):
        for name, attribute in block.body.attributes.items():
            value = evaluate(attribute.value, frame)
            if name == "automatically_after_days" and value is not None:
                amount = number(value)
                periods.append(amount if amount is not None and amount >= 1 else None)
            elif name == "schedule_expression" and value is not None:
                periods.append(None if value is UNKNOWN else longest_gap(str(value)))
    return periods[0] if len(periods) == 1 else None
