"""Mends KEY_AWS_001 on CloudFormation: a `Serial` where there is none, and a policy that keeps each old key."""

from __future__ import annotations

from typing import Any

import yaml

from keyrules.code.patches.files import Files, Left, Marks, indent, line_end, line_start, newline
from keyrules.code.verdict import Verdict

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def mend_key(verdict: Verdict, files: Files, marks: Marks) -> None:
    """The change for a key that fails. Raises Left."""
    text = files.text(verdict.path)
    body = _resource(text, verdict.address)
    if verdict.reason == "rotation_keeps_the_old_key":
        policy = _entry(body, "UpdateReplacePolicy")
        if policy is None or not isinstance(policy[1], yaml.ScalarNode):
            raise Left("has an UpdateReplacePolicy that is no plain word")
        start, end = _span(policy[1], text)
        quote = text[start] if text[start] in "\"'" else ""
        files.replace(verdict.path, start, end, f"{quote}Delete{quote}", marks)
        files.say(marks, "sets UpdateReplacePolicy to Delete")
        return
    properties = _entry(body, "Properties")
    if properties is None or not isinstance(properties[1], yaml.MappingNode) or not properties[1].value:
        raise Left("has no Properties that are written out")
    serial = _entry(properties[1], "Serial")
    if serial is None:
        _add(text, properties[1], verdict.path, files, marks)
    elif isinstance(serial[1], yaml.ScalarNode) and not serial[1].value and serial[1].style in ("'", '"'):
        start, end = _span(serial[1], text)
        files.replace(verdict.path, start, end, "1", marks)
    else:
        raise Left("has a Serial that is nothing in some cases, which its conditions decide")
    files.say(marks, "sets Serial to 1, to be raised at each rotation")


def _resource(text: str, name: str) -> yaml.MappingNode:
    """The node of a resource. Raises Left where the text is no single document that has it."""
    if "/" in name:
        raise Left("stands in a template inside of another file")
    try:
        root = yaml.compose(text.removeprefix("\ufeff").replace("\t", " "), Loader=_LOADER)
    except (yaml.YAMLError, RecursionError):
        raise Left("stands in a file that is no plain YAML or JSON") from None
    for key in ("Resources", name):
        found = _entry(root, key)
        if found is None or not isinstance(found[1], yaml.MappingNode):
            raise Left("stands in a template of which a patch cannot say where it is written")
        root = found[1]
    if not isinstance(root, yaml.MappingNode):
        raise Left("is no mapping")
    return root


def _entry(node: Any, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The last entry of a mapping with that key, as CloudFormation takes it."""
    if not isinstance(node, yaml.MappingNode):
        return None
    found = [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode) and key.value == name]
    return found[-1] if found else None


def _add(text: str, properties: yaml.MappingNode, path: str, files: Files, marks: Marks) -> None:
    """Adds the Serial behind the user's name, or before the first property where that takes several lines."""
    first_key, first = properties.value[0]
    key, value = _entry(properties, "UserName") or (first_key, first)
    start, _ = _span(key, text)
    quote = text[start] if text[start] in "\"'" else ""
    if properties.flow_style:
        quote = quote or ('"' if text.lstrip("\ufeff \t\r\n").startswith("{") else "")
        after = _span(value, text)[1]
        gap = " "
        if "\n" in text[_span(properties, text)[0] : start]:
            gap = newline(text, start) + indent(text, start)
        files.replace(path, after, after, f",{gap}{quote}Serial{quote}: 1", marks)
        return
    column = text[line_start(text, start) : start]
    if column.strip():
        raise Left("has Properties whose first entry does not stand on a line of its own")
    line = f"{column}{quote}Serial{quote}: 1"
    inline = isinstance(value, yaml.ScalarNode) and value.style not in ("|", ">") and value.value
    if inline:
        place = line_end(text, _span(value, text)[1])
        files.replace(path, place, place, f"{newline(text, start)}{line}", marks)
    else:
        place = line_start(text, start)
        files.replace(path, place, place, f"{line}{newline(text, start)}", marks)


def _span(node: yaml.Node, text: str) -> tuple[int, int]:
    """Where a node stands in the text, its byte order mark counted."""
    offset = 1 if text.startswith("\ufeff") else 0
    return node.start_mark.index + offset, node.end_mark.index + offset
