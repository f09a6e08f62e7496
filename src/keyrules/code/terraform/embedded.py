"""The texts that a Terraform configuration deploys, its own or of files that it reads: CloudFormation, and Terraform.

A value that only a run knows becomes `{{ expression }}` in the text, and a directive of a Terraform template one of
Jinja's, so that the CloudFormation reader treats both as what they are: open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keyrules.code.cloudformation.document import decode_template
from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.code.file_walk import read_file
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys, truth
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Call,
    Conditional,
    Expr,
    ForExpr,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Template,
)
from keyrules.code.terraform.hcl.render import render
from keyrules.code.terraform.hcl.values import text as as_text
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.module import Declaration, normalize
from keyrules.code.terraform.scope import Frame, Key, Scope, format_key, walk
from keyrules.records import dataclass, field

STACK_TYPES = (
    "aws_cloudformation_stack",
    "aws_cloudformation_stack_set",
    "awscc_cloudformation_stack",
    "awscc_cloudformation_stack_set",
)
RESOURCE_TYPE = "aws_cloudcontrolapi_resource"
_FILE_NAMES = frozenset({"destination", "file", "file_path", "filename", "key", "name", "path", "target"})
"""Arguments by which resources name the file that they write."""

_MAX_DEPTH = 16
_TEMPLATE_TYPE = "AWS::IAM::AccessKey"
_KEY_WORDS = re.compile(rf"access[-_ ]?keys?(?![a-z])|{_TEMPLATE_TYPE}", re.IGNORECASE)
_OPEN = re.compile(r"\{\{[^{}]*\}\}")
_INTERPOLATION = re.compile(r"\$(\$?)\{([^{}]*)\}|%%\{")


@dataclass(frozen=True)
class EmbeddedTemplate:
    """A template, or another text, that the resource `address` deploys, on these lines of a file.

    `text` is None where the configuration does not show it. `whole_file` says that the file is the template, and does
    not just hold it.
    """

    address: str
    path: str
    start_line: int
    end_line: int
    text: str | None = field(repr=False)
    whole_file: bool = False


@dataclass(frozen=True)
class _Place:
    path: str
    start_line: int
    end_line: int


def templates_in(root: Scope) -> Iterator[tuple[Declaration, EmbeddedTemplate]]:
    """Every template that the stacks of a root module and of its local modules deploy, with the stack's declaration.

    A stack whose `count` or `for_each` is surely none deploys nothing. One whose template does not resolve is only
    named where its name or its arguments speak of access keys, or where a text that it may be given does: most stacks
    are about other things.
    """
    for scope in walk(root):
        for name, declared in sorted(scope.module.resources.items()):
            kind = name.split(".")[0]
            if kind not in STACK_TYPES and kind != RESOURCE_TYPE:
                continue
            keys = instance_keys(declared, scope)
            keys = (None,) if keys is None else keys
            instances: dict[_Body | None, list[Key]] = {}
            for key in keys:
                reader = _Reader(scope, declared, key)
                bodies = reader.resource() if kind == RESOURCE_TYPE else reader.stack()
                for body in bodies:
                    instances.setdefault(body, []).append(key)
                if not bodies:
                    instances.setdefault(None, []).append(key)
            for found, same in instances.items():
                address = f"{scope.prefix}{name}{format_key(same[0]) if len(same) < len(keys) else ''}"
                if found is not None:
                    place, text, whole = found
                    yield declared, EmbeddedTemplate(address, place.path, place.start_line, place.end_line, text, whole)
                elif _speaks_of_keys(declared) or _is_given_keys(scope):
                    lines = (declared.start_line, declared.end_line)
                    yield declared, EmbeddedTemplate(address, declared.path, *lines, None)


def configurations_in(root: Scope) -> Iterator[EmbeddedTemplate]:
    """Every text that a resource writes to a file that Terraform reads, but for what stands in a file of its own."""
    for scope in walk(root):
        for name, declared in sorted(scope.module.resources.items()):
            arguments = declared.body.attributes
            if _FILE_NAMES.isdisjoint(arguments):
                continue
            texts: dict[tuple[int, str], EmbeddedTemplate] = {}
            keys = instance_keys(declared, scope)
            for key in (None,) if keys is None else keys:
                reader = _Reader(scope, declared, key)
                if any(
                    text.endswith(SOURCE_SUFFIXES)
                    for argument in sorted(_FILE_NAMES & arguments.keys())
                    for _, text, _ in reader.argument(argument)
                ):
                    for argument in sorted(arguments.keys() - _FILE_NAMES):
                        for place, text, whole in reader.argument(argument):
                            if not whole:
                                found = EmbeddedTemplate(
                                    f"{scope.prefix}{name}", place.path, place.start_line, place.end_line, text
                                )
                                texts.setdefault((place.start_line, text), found)
            yield from texts.values()


def _speaks_of_keys(declared: Declaration) -> bool:
    expressions = [attribute.value for attribute in declared.body.attributes.values()]
    return any(_KEY_WORDS.search(word) for word in (declared.name, *_words(expressions, names=True)))


def _is_given_keys(scope: Scope) -> bool:
    """Whether a local, an input or an argument of a call on the way holds text of a template with a key."""
    if "given keys" not in scope.memo:
        scope.memo["given keys"] = _holds_keys(scope)
    return bool(scope.memo["given keys"]) or (scope.parent is not None and _is_given_keys(scope.parent))


def _holds_keys(scope: Scope) -> bool:
    module = scope.module
    given = [found.value("value") for found in module.locals.values()]
    given += [found.value("default") for found in module.variables.values()]
    given += [found.value for found in module.values.values()]
    if scope.call is not None:
        given += [attribute.value for attribute in scope.call.body.attributes.values()]
    return any(_TEMPLATE_TYPE in word for word in _words([expr for expr in given if expr is not None], names=False))


def _words(expressions: list[Expr], *, names: bool) -> Iterator[str]:
    """The texts in expressions, and what they name if that is asked."""
    todo = list(expressions)
    while todo:
        expr = todo.pop()
        todo += children(expr)
        if isinstance(expr, Literal) and isinstance(expr.value, str):
            yield expr.value
        elif names and isinstance(expr, (Access, Name)):
            yield render(expr)


_Body = tuple[_Place, str, bool]


class _Reader:
    """Resolves the template of one resource to text."""

    def __init__(self, scope: Scope, declared: Declaration, key: Key) -> None:
        self._declared = declared
        self._key = key
        self._scope = scope
        self._numbers: dict[Expr, int] = {}

    def stack(self) -> list[_Body]:
        """The texts that a stack's body can be; none where it is not known."""
        return self.argument("template_body")

    def argument(self, name: str) -> list[_Body]:
        """The texts that an argument can be; none where it is not known."""
        attribute = self._declared.body.attributes.get(name)
        if attribute is None:
            return []
        place = _Place(self._declared.path, attribute.start_line, attribute.end_line)
        return self._bodies(attribute.value, place, self._scope, 0)

    def resource(self) -> list[_Body]:
        """A resource of Cloud Control as a template with nothing else in it."""
        kind = self._declared.value("type_name")
        state = self._declared.body.attributes.get("desired_state")
        if kind is None or state is None:
            return []
        place = _Place(self._declared.path, self._declared.start_line, self._declared.end_line)
        stated = self._text(kind, self._scope)
        found = []
        for _, text, _ in self._bodies(state.value, place, self._scope, 0):
            body = {"Type": stated, "Properties": "\0"}
            shown = json.dumps({"Resources": {"Resource": body}}).replace('"\\u0000"', text)
            found.append((place, shown, False))
        return found

    def _bodies(self, expr: Expr, place: _Place, scope: Scope, depth: int) -> list[_Body]:
        if depth > _MAX_DEPTH:
            return []
        if isinstance(expr, Conditional):
            test = truth(evaluate(expr.test, self._frame(scope)))
            branches = (expr.then, expr.otherwise) if test is None else (expr.then if test else expr.otherwise,)
            return [body for branch in branches for body in self._bodies(branch, place, scope, depth + 1)]
        if isinstance(expr, Call):
            return self._called(expr, place, scope, depth)
        if isinstance(expr, Access) and (found := self._referenced(expr, scope)) is not None:
            return self._bodies(*found, depth + 1)
        if isinstance(expr, (Literal, Template)):
            text = "" if expr == Literal(None) else self._text(expr, scope)
            return [(place, text, False)] if _OPEN.sub("", text).strip() else []
        value = evaluate(expr, self._frame(scope))
        return [(place, value, False)] if isinstance(value, str) and value else []

    def _called(self, call: Call, place: _Place, scope: Scope, depth: int) -> list[_Body]:
        first = call.args[0] if call.args else None
        if first is None:
            return []
        if call.name in ("jsonencode", "yamlencode"):
            data = self._data(first, scope, 0)
            return [] if data is None else [(place, json.dumps(data), False)]
        if call.name in ("file", "templatefile"):
            return self._file(call, scope)
        if call.name in ("trimspace", "chomp", "tostring", "sensitive", "nonsensitive", "replace", "indent"):
            index = 1 if call.name == "indent" and len(call.args) > 1 else 0
            return self._bodies(call.args[index], place, scope, depth + 1)
        if call.name in ("coalesce", "try"):
            return next((found for arg in call.args if (found := self._bodies(arg, place, scope, depth + 1))), [])
        value = evaluate(call, self._frame(scope))
        return [(place, value, False)] if isinstance(value, str) and value else []

    def _referenced(self, expr: Access, scope: Scope) -> tuple[Expr, _Place, Scope] | None:
        """What a local, an input, an output of a module or a data source of a text is given."""
        names = [step.name for step in expr.steps if isinstance(step, Attr)]
        if not isinstance(expr.base, Name) or len(names) != len(expr.steps):
            return None
        root, module = expr.base.ident, scope.module
        if root == "local" and len(names) == 1:
            return _value(module.locals.get(names[0]), "value", scope)
        if root == "var" and len(names) == 1:
            if scope.parent is not None and scope.call is not None:
                return _value(scope.call, names[0], scope.parent) or _value(
                    module.variables.get(names[0]), "default", scope
                )
            return None if names[0] in module.values else _value(module.variables.get(names[0]), "default", scope)
        if root == "module" and len(names) == 2:
            child = scope.child(names[0])
            return _value(child.module.outputs.get(names[1]), "value", child) if child is not None else None
        if root == "data" and len(names) == 3 and (names[0], names[2]) == ("template_file", "rendered"):
            return _value(module.data.get(".".join(names[:2])), "template", scope)
        if root == "data" and len(names) == 3 and (names[0], names[2]) == ("local_file", "content"):
            found = _value(module.data.get(".".join(names[:2])), "filename", scope)
            return None if found is None else (Call("file", (found[0],)), found[1], scope)
        return None

    def _file(self, call: Call, scope: Scope) -> list[_Body]:
        name = evaluate(call.args[0], self._frame(scope))
        if not isinstance(name, str):
            return []
        path = normalize(Path(scope.root.module.path) / name)
        try:
            text = decode_template(read_file(path))
        except OSError:
            return []
        if call.name == "templatefile" and len(call.args) > 1:
            text = self._rendered(text, call.args[1], scope)
        return [(_Place(path, 1, text.count("\n") + 1), text, True)]

    def _rendered(self, text: str, variables: Expr, scope: Scope) -> str:
        """A template file with what is known put in; its directives stay, for the CloudFormation reader."""
        given = evaluate(variables, self._frame(scope))
        values: Mapping[str, Any] = given if isinstance(given, dict) else {}

        def filled(match: re.Match[str]) -> str:
            if match[0].startswith("%") or match[1]:
                return match[0][1:]
            value = as_text(values.get(match[2].strip(), UNKNOWN))
            return match[0] if value is None else value

        return _INTERPOLATION.sub(filled, text)

    def _text(self, expr: Expr, scope: Scope) -> str:
        """A text with what is known put in."""
        if isinstance(expr, Template):
            return "".join([self._part(part, scope) for part in expr.parts])
        value = as_text(evaluate(expr, self._frame(scope)))
        return self._open(expr) if value is None else value

    def _part(self, part: Expr, scope: Scope) -> str:
        if isinstance(part, Conditional) and _is_text(part.then):
            then, otherwise = self._text(part.then, scope), self._text(part.otherwise, scope)
            return f"{{% if x %}}{then}{{% else %}}{otherwise}{{% endif %}}"
        if isinstance(part, ForExpr) and _is_text(part.value):
            return f"{{% for x in y %}}{self._text(part.value, scope)}{{% endfor %}}"
        return self._text(part, scope)

    def _data(self, expr: Expr, scope: Scope, depth: int) -> Any:
        """A value as JSON has it, with what is not known as text that says so; None where nothing is known of it."""
        if depth > _MAX_DEPTH * 4:
            return None
        if isinstance(expr, ObjectExpr):
            return {
                self._text(key, scope): self._open(value) if data is None and value != Literal(None) else data
                for key, value in expr.items
                for data in (self._data(value, scope, depth + 1),)
            }
        if isinstance(expr, ListExpr):
            return [self._open(i) if (d := self._data(i, scope, depth + 1)) is None else d for i in expr.items]
        if isinstance(expr, Template):
            return self._text(expr, scope)
        if isinstance(expr, Access) and (found := self._referenced(expr, scope)) is not None:
            return self._data(found[0], found[2], depth + 1)
        return _shown(evaluate(expr, self._frame(scope)), self._open(expr))

    def _open(self, expr: Expr) -> str:
        """What stands for a value that only a run knows: equal for equal expressions, and without their texts."""
        shown = " ".join(render(expr).replace("{", "(").replace("}", ")").split())
        # Rendering leaves texts out, and two expressions that differ in one are no equal values.
        number = f" #{self._numbers.setdefault(expr, len(self._numbers))}" if "…" in shown else ""
        return f"{{{{ {shown}{number} }}}}"

    def _frame(self, scope: Scope) -> Frame:
        folders = {"module": scope.module.path, "root": scope.root.module.path, "cwd": scope.root.module.path}
        own = scope is self._scope
        return Frame(scope, self._key if own else None, self._declared if own else None, {"path": folders})


def _value(declared: Declaration | None, attribute: str, scope: Scope) -> tuple[Expr, _Place, Scope] | None:
    found = declared.body.attributes.get(attribute) if declared is not None else None
    if declared is None or found is None:
        return None
    return found.value, _Place(declared.path, found.start_line, found.end_line), scope


def _is_text(expr: Expr) -> bool:
    return isinstance(expr, Template) or (isinstance(expr, Literal) and isinstance(expr.value, str))


def _shown(value: Any, name: str) -> Any:
    """An evaluated value as JSON has it, its open parts as text."""
    if value is UNKNOWN:
        return None
    if isinstance(value, dict):
        return {str(key): _part_of(item, name, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_part_of(item, name, number) for number, item in enumerate(value)]
    return value if isinstance(value, (str, bool, int, float)) or value is None else name


def _part_of(value: Any, name: str, key: object) -> Any:
    inner = f"{name[:-3]}.{key} }}}}"
    return inner if value is UNKNOWN else _shown(value, inner)
