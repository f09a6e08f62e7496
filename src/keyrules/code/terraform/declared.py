"""What names stand for: inputs, locals, the outputs of local modules, and the arguments of declared blocks.

`worth` is the evaluator of expressions; what it gives is kept for each module instance.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable
from typing import Any, TypeAlias

from keyrules.code.terraform.hcl.ast import Attr, Expr, Index, Step
from keyrules.code.terraform.hcl.numbers import NotComputed, as_integer, narrow
from keyrules.code.terraform.hcl.values import (
    MAX_ITEMS,
    UNKNOWN,
    Partial,
    Refused,
    SetValue,
    is_null,
    plain,
    to_number,
    truth,
)
from keyrules.code.terraform.members import loosened
from keyrules.code.terraform.module import NAMED_BY_ID, Declaration
from keyrules.code.terraform.scope import Frame, Key, Scope
from keyrules.code.terraform.types import conform

Worth: TypeAlias = Callable[["Expr | None", Frame, int], Any]

_META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})
_KEEPS_TYPES = "terraform_data."


def instance_keys(declared: Declaration, scope: Scope, worth: Worth) -> tuple[Key, ...] | None:
    """The keys of a block's instances: (None,) without count and for_each, () for none, None when not decided."""
    if declared.value("count") is not None:
        return _counted(declared, scope, worth)
    if declared.value("for_each") is not None:
        items = _for_each(declared, scope, worth, 0)
        if isinstance(items, dict):
            return tuple(sorted(items))
        if isinstance(items, SetValue) and all(isinstance(item, str) for item in items):
            return tuple(items)
        return None
    return (None,) if declared.enabled is None else _switched(declared.enabled, scope, worth)


def _instances_of(declared: Declaration, scope: Scope, worth: Worth) -> Any:
    """The same, worked out once; UNKNOWN in place of None."""
    node = ("instances", declared.path, declared.start_line, declared.name)
    keys = _once(scope, node, lambda: instance_keys(declared, scope, worth))
    return UNKNOWN if keys is None else keys


def _switched(enabled: Expr, scope: Scope, worth: Worth) -> tuple[Key, ...] | None:
    try:
        decision = truth(worth(enabled, Frame(scope), 0))
    except (Refused, NotComputed):
        return None
    return None if decision is None else (None,) if decision else ()


def _counted(declared: Declaration, scope: Scope, worth: Worth) -> tuple[Key, ...] | None:
    try:
        count = to_number(worth(declared.value("count"), Frame(scope), 0))
    except (Refused, NotComputed):
        return None
    whole = None if count is None else as_integer(count)
    return tuple(range(whole)) if whole is not None and 0 <= whole <= MAX_ITEMS else None


def _for_each(declared: Declaration, scope: Scope, worth: Worth, depth: int) -> Any:
    """The collection of a block with for_each; a Partial has no keys that are known."""
    node = ("for_each", declared.path, declared.start_line, declared.name)
    items = _once(scope, node, lambda: worth(declared.value("for_each"), Frame(scope), depth))
    return UNKNOWN if isinstance(items, Partial) else items


def _once(scope: Scope, what: tuple[object, ...], work: Callable[[], Any]) -> Any:
    """Evaluates a declaration once per module instance; while that is under way it is UNKNOWN, which ends cycles.

    Where Terraform refuses it, nothing can be applied: it stays UNKNOWN.
    """
    if what not in scope.memo:
        scope.memo[what] = UNKNOWN
        try:
            scope.memo[what] = work()
        except (Refused, NotComputed):
            scope.memo[what] = UNKNOWN
    return scope.memo[what]


def reference(
    root: str, steps: tuple[Step, ...], frame: Frame, worth: Worth, depth: int
) -> tuple[Any, tuple[Step, ...]]:
    """What a traversal from a root name starts with, and the steps that are left."""
    first = steps[0]
    name = first.name if isinstance(first, Attr) else None
    if name is None:
        return UNKNOWN, ()
    scope = frame.scope
    match root:
        case "var":
            return variable(name, scope, worth, depth), steps[1:]
        case "local":
            declared = scope.module.locals.get(name)
            if declared is None:
                return UNKNOWN, ()
            expr = declared.value("value")
            return _once(scope, ("local", name), lambda: worth(expr, Frame(scope), depth)), steps[1:]
        case "each":
            return _each(name, frame, worth, depth), steps[1:]
        case "count":
            return (narrow(frame.key) if name == "index" and isinstance(frame.key, int) else UNKNOWN), steps[1:]
        case "module":
            return _module_output(name, steps, frame, worth, depth)
        case "data":
            second = steps[1].name if len(steps) > 1 and isinstance(steps[1], Attr) else ""
            return _block(scope.module.data.get(f"{name}.{second}"), "data", steps[2:], frame, worth, depth)
        case "path":
            return _path(name, scope), steps[1:]
        case "terraform" | "self":
            return UNKNOWN, ()
    return _block(scope.module.resources.get(f"{root}.{name}"), "resource", steps[1:], frame, worth, depth)


def _path(name: str, scope: Scope) -> Any:
    """`path.root` is where Terraform runs, and `path.module` leads from there to the module."""
    if name == "root":
        return "."
    return os.path.relpath(scope.module.path, scope.root.module.path) if name == "module" else UNKNOWN


def variable(name: str, scope: Scope, worth: Worth, depth: int = 0) -> Any:
    """The value of an input of one module instance: the caller's argument, the values files, else the default."""
    return _once(scope, ("var", name), lambda: _variable(name, scope, worth, depth))


def _variable(name: str, scope: Scope, worth: Worth, depth: int) -> Any:
    declared = scope.module.variables.get(name)
    own = Frame(scope)
    default = declared.value("default") if declared else None
    value: Any = UNKNOWN
    given = True
    if scope.parent is not None and scope.call is not None and scope.call.value(name) is not None:
        value = worth(scope.call.value(name), Frame(scope.parent, scope.key, scope.call), depth)
    elif scope.parent is None and name in scope.module.values:
        value = worth(scope.module.values[name].value, own, depth)
    elif scope.open_inputs:
        return UNKNOWN
    else:
        given = False
    if declared is None:
        return value
    required = truth(worth(declared.value("nullable"), own, depth)) is False
    if not given or (is_null(value) and required):
        value = UNKNOWN if default is None else worth(default, own, depth)
    return conform(value, declared.value("type"), lambda expr: worth(expr, own, depth))


def _each(name: str, frame: Frame, worth: Worth, depth: int) -> Any:
    if frame.block is None or frame.key is None:
        return UNKNOWN
    if name == "key":
        return str(frame.key)
    items = _for_each(frame.block, frame.scope, worth, depth)
    if isinstance(items, dict):
        return items.get(str(frame.key), UNKNOWN)
    return str(frame.key) if isinstance(items, SetValue) else UNKNOWN


def _module_output(
    name: str, steps: tuple[Step, ...], frame: Frame, worth: Worth, depth: int
) -> tuple[Any, tuple[Step, ...]]:
    key, rest = _leading_key(steps[1:], frame, worth, depth)
    if name in frame.scope.module.calls:
        key = _present(frame.scope.module.calls[name], key, frame.scope, worth)
    child = frame.scope.child(name, key)
    if child is None or not rest or not isinstance(rest[0], Attr):
        return UNKNOWN, ()
    output = child.module.outputs.get(rest[0].name)
    if output is None:
        return UNKNOWN, ()
    value = output.value("value")
    return _once(child, ("output", output.name), lambda: worth(value, Frame(child), depth)), rest[1:]


def _block(
    declared: Declaration | None, kind: str, steps: tuple[Step, ...], frame: Frame, worth: Worth, depth: int
) -> tuple[Any, tuple[Step, ...]]:
    """What the declaration of a resource or data source says of itself: one argument, an instance, or all of them."""
    if declared is None:
        return UNKNOWN, ()
    key, rest = _leading_key(steps, frame, worth, depth)
    key = _present(declared, key, frame.scope, worth)
    if not rest or not isinstance(rest[0], Attr):
        if rest is steps:
            return _instances(declared, kind, frame.scope, worth, depth), rest
        return (UNKNOWN if key is None else _instance(declared, kind, key, frame.scope, worth, depth)), rest
    argument = rest[0].name
    if declared.name.startswith(NAMED_BY_ID) and argument == "id":
        argument = "name"
    return _argument(declared, kind, key, argument, frame.scope, worth, depth), rest[1:]


def _argument(declared: Declaration, kind: str, key: Key, argument: str, scope: Scope, worth: Worth, depth: int) -> Any:
    """An argument as the provider gives it back: in the type of its schema, which the code does not say."""
    expr = declared.value(argument)
    if expr is None:
        return UNKNOWN

    def work() -> Any:
        value = worth(expr, Frame(scope, key, declared), depth)
        return value if declared.name.startswith(_KEEPS_TYPES) else loosened(value, strings=True)

    return _once(scope, (kind, declared.name, key, argument), work)


def _instances(declared: Declaration, kind: str, scope: Scope, worth: Worth, depth: int) -> Any:
    """A whole block as a value: an object, a tuple of objects with `count`, an object of them with `for_each`."""
    keys = _instances_of(declared, scope, worth)
    if keys is UNKNOWN:
        return UNKNOWN
    found = {key: _instance(declared, kind, key, scope, worth, depth) for key in keys}
    if declared.value("for_each") is not None:
        return found
    return list(found.values()) if declared.value("count") is not None else found[None]


def _instance(declared: Declaration, kind: str, key: Key, scope: Scope, worth: Worth, depth: int) -> Partial:
    names = [name for name in declared.body.attributes if name not in _META_ARGUMENTS]
    values = {name: _argument(declared, kind, key, name, scope, worth, depth) for name in names}
    if declared.name.startswith(NAMED_BY_ID) and "name" in values:
        values["id"] = values["name"]
    return Partial(values)


def _leading_key(steps: tuple[Step, ...], frame: Frame, worth: Worth, depth: int) -> tuple[Key, tuple[Step, ...]]:
    if steps and isinstance(steps[0], Index):
        key = plain(worth(steps[0].key, frame, depth))
        return (key if isinstance(key, (int, str)) else None), steps[1:]
    return None, steps


def _present(declared: Declaration, key: Key, scope: Scope, worth: Worth) -> Key:
    """The key of the instance that an index picks. Raises Refused where there surely is none."""
    keys = () if key is None else _instances_of(declared, scope, worth)
    if key is None or keys is UNKNOWN or keys == (None,):
        return key
    found: dict[str, Key] = {str(each): each for each in keys}
    if str(key) not in found:
        raise Refused
    return found[str(key)]


def may_be_absent(root: str, steps: tuple[Step, ...], frame: Frame, worth: Worth, depth: int) -> bool:
    """Whether a traversal picks an instance of a block or module call of which nobody knows whether it is there."""
    names = [step.name for step in steps if isinstance(step, Attr)]
    module = frame.scope.module
    blocks, before = {"module": (module.calls, 1), "data": (module.data, 2)}.get(root, (module.resources, 1))
    declared = blocks.get(".".join([*([root] if blocks is module.resources else []), *names[:before]]))
    if declared is None or len(steps) <= before or not isinstance(steps[before], Index):
        return False
    key, _ = _leading_key(steps[before:], frame, worth, depth)
    return key is None or _instances_of(declared, frame.scope, worth) is UNKNOWN
