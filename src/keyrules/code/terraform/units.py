"""Files that call a module with values and are no Terraform modules: Terragrunt's units and the components of stacks.

Terragrunt runs Terraform in a copy of the module that `terraform { source }` names, with `inputs` as its variables;
both may come from files that are included, and from locals. A stack's component calls a module with `inputs`, once for
each deployment. https://terragrunt.gruntwork.io/docs/reference/hcl/ and
https://developer.hashicorp.com/terraform/language/stacks
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from keyrules.code.file_names import (
    COMPONENT_SUFFIXES,
    DEPLOYMENT_SUFFIX,
    SOURCE_SUFFIXES,
    STACK_FILE,
    UNIT_FILES,
)
from keyrules.code.file_paths import module_folder, shown
from keyrules.code.terraform.evaluate import evaluate
from keyrules.code.terraform.hcl.ast import Access, Attribute, Block, Body, Call, Expr, Literal, Name, ObjectExpr
from keyrules.code.terraform.hcl.rewrite import rewritten
from keyrules.code.terraform.hcl.rewrite import value_expression as written
from keyrules.code.terraform.module import Declaration, Module, ModuleReader, SourceError
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.terraform.values_files import ValueSet
from keyrules.records import dataclass, replace

_MAX_DEPTH = 8
_NEXT_OPTION = r" (?=-)"
_VARIABLE_OPTION = re.compile(r"--?var(?P<file>-file)?[= ](?P<value>.*)", re.DOTALL)
_NOWHERE = Body({}, ())


@dataclass(frozen=True)
class CallingUnit:
    """One call of a module from such a file: its source, the folder of that if it is on this machine, and its values.

    `source` is None where it does not resolve.
    """

    path: str
    line: int
    source: str | None
    folder: str | None
    values: ValueSet


@dataclass(frozen=True)
class _File:
    """A Terragrunt file as one unit sees it: what its locals and inputs come to. `open` says that some do not."""

    body: Body
    locals: Expr
    inputs: Mapping[str, Expr]
    source: str | None
    folder: str
    open: bool = False
    errors: tuple[SourceError, ...] = ()


def calling_units(path: str, reader: ModuleReader) -> list[CallingUnit]:
    """The calls that one file makes: a terragrunt.hcl, a terragrunt.stack.hcl or a file of components."""
    name = os.path.basename(path)
    if name in UNIT_FILES:
        return list(_terragrunt(path, reader, None, shown(path)))
    if name == STACK_FILE:
        return list(_terragrunt_stack(path, reader))
    return list(_components(path, reader))


def unread_calls(path: str, reader: ModuleReader) -> Module:
    """The calls in a file whose modules are not here, as a module that makes them; a source that does not resolve is
    an error."""
    calls: dict[str, Declaration] = {}
    errors = list(reader.hcl_file(path)[1])
    for unit in calling_units(path, reader):
        errors += [error for error in unit.values.errors if error not in errors]
        if unit.source is None:
            message = f"line {unit.line}: the source does not resolve here, so what the module declares is not judged"
            errors.append(SourceError(path, unit.line, message))
        elif unit.folder is None:
            name = re.sub(r"[^\w-]", "_", os.path.basename(os.path.dirname(path)) if not calls else str(len(calls)))
            source = Attribute("source", Literal(unit.source), unit.line, unit.line)
            body = Body({**unit.values.values, "source": source}, ())
            calls[name] = Declaration(name, path, body, unit.line, unit.line)
    return Module(os.path.dirname(path), {}, {}, {}, {}, calls, (), {}, {}, tuple(errors))


def _terragrunt(path: str, reader: ModuleReader, values: Expr | None, label: str) -> Iterator[CallingUnit]:
    folder = os.path.dirname(path)
    reading = _Unit(folder, reader, values)
    found = reading.read(path, 0)
    block = next((block for block in found.body.blocks if block.type == "terraform"), None)
    line = block.start_line if block is not None else 1
    inputs = {name: Attribute(name, value, line, line) for name, value in found.inputs.items()}
    extra, is_open = reading.extra_arguments(found.body)
    given = ValueSet(label, {**inputs, **extra}, found.errors, found.open or is_open, path)
    source = found.source
    if source is None and not _names_source(found.body) and _has_sources(folder):
        # Without a source a unit runs where it stands.
        source = "./"
    if source is not None or _names_source(found.body):
        target = module_folder(folder, source.partition("?")[0].replace("//", "/")) if source is not None else None
        yield CallingUnit(path, line, source, target, given)


def _has_sources(folder: str) -> bool:
    return any(entry.name.endswith(SOURCE_SUFFIXES) for entry in Path(folder).iterdir())


def _names_source(body: Body) -> bool:
    return any(block.type == "terraform" and "source" in block.body.attributes for block in body.blocks)


def _terragrunt_stack(path: str, reader: ModuleReader) -> Iterator[CallingUnit]:
    """The units that a stack file generates from folders with a terragrunt.hcl, each with its own `values`."""
    body, _ = reader.hcl_file(path)
    folder = os.path.dirname(path)
    unit = _Unit(folder, reader, None)
    scope = unit.scope(body, folder, 0)
    for block in body.blocks:
        source = evaluate(unit.known(block.body, "source", folder, 0), Frame(scope)) if block.type == "unit" else None
        target = module_folder(folder, source.replace("//", "/")) if isinstance(source, str) else None
        if target is not None:
            values = written(evaluate(unit.known(block.body, "values", folder, 0), Frame(scope)))
            label = f"{shown(path)} unit {'.'.join(block.labels)}"
            yield from _terragrunt(f"{target}/{UNIT_FILES[0]}", reader, values, label)


class _Unit:
    """Reads Terragrunt files as the unit in a folder sees them. `values` is what a stack gives it."""

    def __init__(self, folder: str, reader: ModuleReader, values: Expr | None) -> None:
        self._folder = folder
        self._reader = reader
        self._values = values

    def read(self, path: str, depth: int) -> _File:
        """One file with what it includes; one that cannot be read has errors and nothing else."""
        body, errors = self._reader.hcl_file(path)
        folder = os.path.dirname(path)
        included = [self._included(block, folder, depth) for block in body.blocks if block.type == "include"]
        scope = self.scope(body, folder, depth, included)
        inputs: dict[str, Expr] = {}
        is_open = False
        for _, file in included:
            inputs.update(file.inputs)
            is_open |= file.open
        mine, unresolved = self._inputs(body, folder, depth, scope, included)
        inputs.update(mine)
        named = {
            name: written(evaluate(declared.value("value"), Frame(scope)))
            for name, declared in scope.module.locals.items()
        }
        sources = [source for _, file in included for source in (file.source,) if source]
        own = self._source(body, folder, depth, scope, included)
        return _File(
            body,
            ObjectExpr(tuple((Literal(name), value) for name, value in named.items())),
            inputs,
            own or (None if _names_source(body) else next(iter(sources), None)),
            folder,
            is_open or unresolved,
            (*errors, *(error for _, file in included for error in file.errors)),
        )

    def scope(self, body: Body, folder: str, depth: int, included: list[tuple[str, _File]] | None = None) -> Scope:
        """The locals of a file as a module, so that they are evaluated like Terraform's."""
        found: dict[str, Declaration] = {}
        for block in body.blocks:
            if block.type == "locals":
                for name, attribute in block.body.attributes.items():
                    value = replace(attribute, value=self._known(attribute.value, folder, depth, included or []))
                    single = Body({"value": value}, ())
                    found[name] = Declaration(name, folder, single, attribute.start_line, attribute.end_line)
        module = Module(folder, {}, {}, {}, {}, {}, (), found, {}, ())
        return Scope(module, self._reader)

    def known(self, body: Body, name: str, folder: str, depth: int) -> Expr | None:
        """An argument with what Terragrunt's own functions in it come to."""
        given = body.attributes.get(name)
        return self._known(given.value, folder, depth, []) if given is not None else None

    def extra_arguments(self, body: Body) -> tuple[dict[str, Attribute], bool]:
        """The values that a unit's `extra_arguments` give with `-var`, variables and files, and whether some are open.

        https://terragrunt.gruntwork.io/docs/features/extra-arguments/
        """
        found: dict[str, Attribute] = {}
        is_open = False
        extra = [inner for block in body.blocks if block.type == "terraform" for inner in block.body.blocks]
        for block in (block for block in extra if block.type == "extra_arguments"):
            worth = {
                name: evaluate(self._known(given.value, self._folder, 0, []), Frame(self.scope(body, self._folder, 0)))
                for name, given in block.body.attributes.items()
            }
            parts = [worth.get(name) or [] for name in ("required_var_files", "optional_var_files", "arguments")]
            words = [
                [word for word in part if isinstance(word, str)] if isinstance(part, list) else [] for part in parts
            ]
            is_open |= any(part != known for part, known in zip(parts, words, strict=True))
            variables = worth.get("env_vars") or {}
            is_open |= not isinstance(variables, dict)
            for name, value in variables.items() if isinstance(variables, dict) else ():
                if str(name).startswith("TF_VAR_"):
                    found[name[7:]] = Attribute(name[7:], written(value), block.start_line, block.end_line)
            options = [f"-var-file={file}" for file in (*words[0], *words[1])]
            options += re.split(_NEXT_OPTION, " ".join(words[2]))
            for option in filter(None, map(_VARIABLE_OPTION.fullmatch, options)):
                if option["file"]:
                    file = os.path.normpath(os.path.join(self._folder, option["value"]))
                    found.update(self._reader.values_file(file)[0] if Path(file).is_file() else {})
                else:
                    name, _, value = option["value"].partition("=")
                    found[name] = Attribute(name, Literal(value), block.start_line, block.end_line)
        return found, is_open

    def _source(
        self, body: Body, folder: str, depth: int, scope: Scope, included: list[tuple[str, _File]]
    ) -> str | None:
        for block in body.blocks:
            given = block.body.attributes.get("source") if block.type == "terraform" else None
            if given is not None:
                value = evaluate(self._known(given.value, folder, depth, included), Frame(scope))
                return value if isinstance(value, str) else None
        return None

    def _inputs(
        self, body: Body, folder: str, depth: int, scope: Scope, included: list[tuple[str, _File]]
    ) -> tuple[dict[str, Expr], bool]:
        """The inputs by name, and whether there are others that do not resolve; `merge` is taken part by part."""
        given = body.attributes.get("inputs")
        if given is None:
            return {}, False
        expr = self._known(given.value, folder, depth, included)
        parts = expr.args if isinstance(expr, Call) and expr.name == "merge" and not expr.expand else (expr,)
        found: dict[str, Expr] = {}
        is_open = False
        for part in parts:
            value = evaluate(part, Frame(scope))
            if isinstance(value, dict):
                found.update({str(name): written(item) for name, item in value.items()})
            else:
                is_open = True
        return found, is_open

    def _included(self, block: Block, folder: str, depth: int) -> tuple[str, _File]:
        label = block.labels[0] if block.labels else ""
        given = block.body.attributes.get("path")
        path = (
            evaluate(self._known(given.value, folder, depth, []), Frame(self.scope(_NOWHERE, folder, depth)))
            if given
            else None
        )
        if not isinstance(path, str) or depth >= _MAX_DEPTH:
            return label, _File(_NOWHERE, ObjectExpr(()), {}, None, folder, open=True)
        return label, self.read(os.path.normpath(os.path.join(folder, path)), depth + 1)

    def _known(self, expr: Expr, folder: str, depth: int, included: list[tuple[str, _File]]) -> Expr:
        """An expression with Terragrunt's functions, `include` and `values` replaced by what they come to."""

        def change(part: Expr) -> Expr:
            if isinstance(part, Call):
                return self._called(part, folder, depth, included)
            if isinstance(part, Access) and part.base == Name("include"):
                return Access(_exposed(included), part.steps)
            if isinstance(part, Access) and part.base == Name("values") and self._values is not None:
                return Access(self._values, part.steps)
            return part

        return rewritten(expr, change)

    def _called(self, call: Call, folder: str, depth: int, included: list[tuple[str, _File]]) -> Expr:
        arguments = [evaluate(arg, Frame(self.scope(_NOWHERE, folder, depth))) for arg in call.args]
        if call.name == "read_terragrunt_config" and arguments and isinstance(arguments[0], str) and depth < _MAX_DEPTH:
            path = os.path.normpath(os.path.join(folder, arguments[0]))
            if not Path(path).is_file():
                return call
            file = self.read(path, depth + 1)
            inputs = ObjectExpr(tuple((Literal(name), value) for name, value in file.inputs.items()))
            return ObjectExpr(((Literal("locals"), file.locals), (Literal("inputs"), inputs)))
        function = _FUNCTIONS.get(call.name)
        found = function(self._folder, folder, arguments) if function is not None else None
        return call if found is None else Literal(found)


def _exposed(included: list[tuple[str, _File]]) -> Expr:
    """What `include` is worth: each included file by its label, or the only one without."""
    files = []
    for label, file in included:
        inputs = ObjectExpr(tuple((Literal(name), value) for name, value in file.inputs.items()))
        whole = ObjectExpr(((Literal("locals"), file.locals), (Literal("inputs"), inputs)))
        if not label:
            return whole
        files.append((Literal(label), whole))
    return ObjectExpr(tuple(files))


def _find_in_parents(unit: str, folder: str, arguments: list[Any]) -> str | None:
    names = [arguments[0]] if arguments else [UNIT_FILES[0], "root.hcl"]
    current = os.path.dirname(unit)
    while all(isinstance(name, str) for name in names):
        for name in names:
            path = os.path.join(current, name)
            if Path(path).exists():
                return path
        if current == os.path.dirname(current):
            break
        current = os.path.dirname(current)
    fallback = arguments[1] if len(arguments) > 1 else None
    return fallback if isinstance(fallback, str) else None


def _repository(unit: str) -> str | None:
    for folder in (Path(unit), *Path(unit).parents):
        if (folder / ".git").exists():
            return str(folder)
    return os.getcwd() if f"{unit}/".startswith(f"{os.getcwd()}/") else None


def _from_repository(unit: str, folder: str, arguments: list[Any]) -> str | None:
    root = _repository(unit)
    return None if root is None else os.path.relpath(unit, root)


def _to_repository(unit: str, folder: str, arguments: list[Any]) -> str | None:
    root = _repository(unit)
    return None if root is None else os.path.relpath(root, unit)


def _dirname(unit: str, folder: str, arguments: list[Any]) -> str | None:
    return os.path.dirname(arguments[0]) if arguments and isinstance(arguments[0], str) else None


_FUNCTIONS: Mapping[str, Callable[[str, str, list[Any]], str | None]] = {
    "dirname": _dirname,
    "find_in_parent_folders": _find_in_parents,
    "get_original_terragrunt_dir": lambda unit, folder, arguments: unit,
    "get_parent_terragrunt_dir": lambda unit, folder, arguments: folder,
    "get_path_from_repo_root": _from_repository,
    "get_path_to_repo_root": _to_repository,
    "get_repo_root": lambda unit, folder, arguments: _repository(unit),
    "get_terragrunt_dir": lambda unit, folder, arguments: unit,
    "path_relative_from_include": lambda unit, folder, arguments: os.path.relpath(folder, unit),
    "path_relative_to_include": lambda unit, folder, arguments: os.path.relpath(unit, folder),
}
"""Terragrunt's functions about paths: the unit's folder, the folder of the file they stand in, their arguments."""


def _components(path: str, reader: ModuleReader) -> Iterator[CallingUnit]:
    """The components of a stack, once for each deployment of the folder that gives other inputs."""
    body, errors = reader.hcl_file(path)
    folder = os.path.dirname(path)
    names = sorted(entry.name for entry in Path(folder).iterdir())
    variables: dict[str, Declaration] = {}
    for name in names:
        if name.endswith(COMPONENT_SUFFIXES):
            for block in reader.hcl_file(f"{folder}/{name}")[0].blocks:
                if block.type == "variable" and len(block.labels) == 1:
                    label = block.labels[0]
                    variables[label] = Declaration(label, path, block.body, block.start_line, block.end_line)
    deployments: list[tuple[str, Mapping[str, Attribute]]] = []
    for name in names:
        if name.endswith(DEPLOYMENT_SUFFIX):
            for block in reader.hcl_file(f"{folder}/{name}")[0].blocks:
                if block.type == "deployment":
                    deployments.append((".".join(block.labels), _members(block.body.attributes.get("inputs"))))
    for deployment, given in deployments or [("", {})]:
        scope = Scope(Module(folder, {}, {}, variables, {}, {}, (), {}, given, ()), reader)
        for block in body.blocks:
            source = block.body.attributes.get("source") if block.type == "component" else None
            if source is None:
                continue
            text = evaluate(source.value, Frame(scope))
            inputs = _members(block.body.attributes.get("inputs"))
            values = {
                name: replace(item, value=written(evaluate(item.value, Frame(scope)))) for name, item in inputs.items()
            }
            label = f"component {'.'.join(block.labels)} in {shown(path)}"
            label += f", deployment {deployment}" if deployment else ""
            found = text if isinstance(text, str) else None
            target = module_folder(folder, found) if found is not None else None
            yield CallingUnit(path, block.start_line, found, target, ValueSet(label, values, tuple(errors), path=path))


def _members(given: Attribute | None) -> dict[str, Attribute]:
    """The members of an object that is written out, as arguments."""
    items = given.value.items if given is not None and isinstance(given.value, ObjectExpr) else ()
    return {
        key.value: Attribute(key.value, value, given.start_line, given.end_line)
        for key, value in items
        if given is not None and isinstance(key, Literal) and isinstance(key.value, str)
    }
