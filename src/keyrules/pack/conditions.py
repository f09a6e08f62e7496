"""The two condition trees of a rule file: `definition` for code in Checkov's language, `runtime` for live subjects.

Checkov drops a definition that it does not understand with a warning that nobody reads, so it is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from keyrules.live.facts import FACTS, OPERATORS, Fact
from keyrules.model import Parameter, UsageError
from keyrules.pack.strict_yaml import Block

SENTINEL: Mapping[str, Any] = {
    "cond_type": "attribute",
    "resource_types": ["keyrules_no_such_resource"],
    "attribute": "keyrules_no_such_attribute",
    "operator": "exists",
}
"""The definition of a rule that Python or only the live plane decides: Checkov loads it and it matches no resource."""

_COMBINERS = ("and", "or", "not")
# The operators that were measured on Checkov 3.3.30 for this pack, with whether they take a value. `cond_type` resource
# and connection are left out on purpose: the former keeps vertices between runs, the latter ignores which attribute
# connects.
_CODE_OPERATORS = {
    "equals": True,
    "not_equals": True,
    "regex_match": True,
    "not_regex_match": True,
    "within": True,
    "not_within": True,
    "intersects": True,
    "is_empty": True,
    "exists": False,
    "not_exists": False,
}
_CODE_KEYS = ("cond_type", "resource_types", "attribute", "operator", "value")


def check_definition(definition: Block, file: str) -> bool:
    """Refuses what Checkov would drop. Returns whether the definition is the one that matches nothing."""
    if definition == SENTINEL:
        return True
    _Tree(file, _check_code_leaf).walk(definition, "definition")
    return False


def check_runtime(runtime: Block, parameters: Mapping[str, Parameter], file: str) -> None:
    """Refuses a subject, fact, operator, value or parameter that the live plane does not know. Raises UsageError."""
    for key in runtime:
        if key not in ("subject", "where", "definition"):
            _refuse(file, runtime, f"runtime.{key}", "an unknown key", "subject, where, definition")
    for key in ("subject", "definition"):
        if key not in runtime:
            raise UsageError(f"{file}, line {runtime.line}: `runtime.{key}` is missing; it is required.")
    subject = runtime["subject"]
    if not isinstance(subject, str) or subject not in FACTS:
        _refuse(file, runtime, "runtime.subject", _shown(subject), ", ".join(FACTS))
    used: set[str] = set()

    def check_leaf(leaf: Block, where: str, file: str) -> None:
        used.update(_check_live_leaf(leaf, where, file, FACTS[subject], parameters))

    for key in ("where", "definition"):
        if key in runtime:
            _Tree(file, check_leaf).walk(runtime[key], f"runtime.{key}", runtime)
    for name in parameters:
        if name not in used:
            _refuse(file, runtime, f"parameters.{name}", "no use in `runtime`", "parameters that a condition refers to")


class _Tree:
    """Walks and/or/not down to the leaves and hands each leaf to `check(leaf, where, file)`."""

    def __init__(self, file: str, check: Callable[[Block, str, str], None]) -> None:
        self.file = file
        self.check = check

    def walk(self, node: object, where: str, parent: Block | None = None) -> None:
        if not isinstance(node, Block):
            around = parent or Block(1)
            _refuse(self.file, around, where, type_word(node), "a condition or one of and, or, not")
        combiner = next((key for key in _COMBINERS if key in node), None)
        if combiner is None:
            self.check(node, where, self.file)
            return
        if len(node) > 1:
            other = next(key for key in node if key != combiner)
            _refuse(self.file, node, f"{where}.{other}", f"a key beside `{combiner}`", f"`{combiner}` alone")
        branches = node[combiner]
        if combiner == "not":
            self.walk(branches, f"{where}.not", node)
            return
        if not isinstance(branches, list) or len(branches) < 2:
            _refuse(self.file, node, f"{where}.{combiner}", _few(branches), "a list of two or more conditions")
        for number, branch in enumerate(branches):
            self.walk(branch, f"{where}.{combiner}[{number}]", node)


def _check_code_leaf(leaf: Block, where: str, file: str) -> None:
    for key in leaf:
        if key not in _CODE_KEYS:
            _refuse(file, leaf, f"{where}.{key}", "an unknown key", ", ".join(_CODE_KEYS))
    for key in _CODE_KEYS[:-1]:
        if key not in leaf:
            raise UsageError(f"{file}, line {leaf.line}: `{where}.{key}` is missing; it is required.")
    if leaf["cond_type"] != "attribute":
        _refuse(file, leaf, f"{where}.cond_type", _shown(leaf["cond_type"]), "attribute")
    types = leaf["resource_types"]
    if not isinstance(types, list) or not types or not all(isinstance(name, str) and name for name in types):
        _refuse(file, leaf, f"{where}.resource_types", type_word(types), "a list of resource types")
    if not isinstance(leaf["attribute"], str) or not leaf["attribute"].strip():
        _refuse(file, leaf, f"{where}.attribute", type_word(leaf["attribute"]), "the name of an attribute")
    operator = leaf["operator"]
    if not isinstance(operator, str) or operator not in _CODE_OPERATORS:
        _refuse(file, leaf, f"{where}.operator", _shown(operator), ", ".join(_CODE_OPERATORS))
    if ("value" in leaf) != _CODE_OPERATORS[operator]:
        missing = "no `value`" if _CODE_OPERATORS[operator] else "a `value`"
        _refuse(
            file, leaf, f"{where}.operator", f"{operator} with {missing}", "a `value` exactly where one is compared"
        )
    if operator.endswith("regex_match"):
        try:
            # It stays in the cache of re, so that no process of a scan compiles it again.
            re.compile(leaf["value"])
        except (re.error, TypeError):
            _refuse(file, leaf, f"{where}.value", _shown(leaf["value"]), "a regular expression")


def _check_live_leaf(
    leaf: Block, where: str, file: str, facts: Mapping[str, Fact], parameters: Mapping[str, Parameter]
) -> set[str]:
    """Returns the names of the parameters that the leaf refers to."""
    for key in leaf:
        if key not in ("attribute", "operator", "value"):
            _refuse(file, leaf, f"{where}.{key}", "an unknown key", "attribute, operator, value")
    for key in ("attribute", "operator"):
        if key not in leaf:
            raise UsageError(f"{file}, line {leaf.line}: `{where}.{key}` is missing; it is required.")
    name, operator_name = leaf["attribute"], leaf["operator"]
    if not isinstance(name, str) or name not in facts:
        _refuse(file, leaf, f"{where}.attribute", _shown(name), ", ".join(facts))
    fact = facts[name]
    fitting = [operator.name for operator in OPERATORS.values() if fact.type in operator.fact_types]
    if not isinstance(operator_name, str) or operator_name not in fitting:
        _refuse(file, leaf, f"{where}.operator", _shown(operator_name), f"for {name}: {', '.join(fitting)}")
    takes = OPERATORS[operator_name].takes
    if takes is bool:
        if "value" in leaf:
            _refuse(file, leaf, f"{where}.value", "a value", f"none, because {operator_name} compares with nothing")
        return set()
    if "value" not in leaf:
        raise UsageError(f"{file}, line {leaf.line}: `{where}.value` is missing; {operator_name} needs one.")
    return _check_live_value(leaf, where, file, takes is tuple, parameters)


def _check_live_value(
    leaf: Block, where: str, file: str, wants_list: bool, parameters: Mapping[str, Parameter]
) -> set[str]:
    value = leaf["value"]
    shape = "a list of whole numbers" if wants_list else "a whole number"
    if isinstance(value, Block):
        name = value.get("parameter")
        if list(value) != ["parameter"] or not isinstance(name, str) or name not in parameters:
            names = ", ".join(parameters) or "none, for the rule has no parameters"
            _refuse(file, leaf, f"{where}.value", "another reference", f"parameter: with one of {names}")
        if isinstance(parameters[name].default, tuple) != wants_list:
            _refuse(file, leaf, f"{where}.value", f"the parameter {name}", f"a parameter that is {shape}")
        return {name}
    items = value if wants_list and isinstance(value, list) else [value]
    if wants_list != isinstance(value, list) or not all(type(item) is int for item in items) or not items:
        _refuse(file, leaf, f"{where}.value", type_word(value), f"{shape}, or a parameter that is one")
    return set()


def type_word(value: object) -> str:
    """A value's shape in words; text is not quoted, because a message must not repeat what a file holds."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a number"
    if isinstance(value, str):
        return "text" if value.strip() else "empty text"
    return "a list" if isinstance(value, list) else "a mapping"


def _few(branches: object) -> str:
    return f"a list of {len(branches)}" if isinstance(branches, list) else type_word(branches)


def _shown(value: object) -> str:
    return repr(value[:40]) if isinstance(value, str) else type_word(value)


def _refuse(file: str, block: Block, where: str, found: str, allowed: str) -> NoReturn:
    line = block.key_lines.get(where.split(".")[-1].split("[")[0], block.line)
    raise UsageError(f"{file}, line {line}: `{where}` has {found}; allowed: {allowed}.")
