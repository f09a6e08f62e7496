"""Reads the rule catalogue: rules/KEY_AWS_nnn.yaml into Rule, rules/retired.csv into Retired. Strict, or not at all.

Every refusal is a UsageError of one sentence: file, key and line, what was found, what is allowed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from keyrules.model import Lifecycle, PackStamp, Parameter, ParameterValue, Plane, Rule, Severity, UsageError
from keyrules.pack.conditions import check_definition, check_runtime, type_word
from keyrules.pack.pack import Pack as Pack
from keyrules.pack.pack import Retired as Retired
from keyrules.pack.parameters import bounds, show_value, within_bounds
from keyrules.pack.stamp import pack_digest, pack_version, rules_path
from keyrules.pack.strict_yaml import Block, read_block

_ID = re.compile(r"KEY_AWS_[0-9]{3}\Z")
_WORD = re.compile(r"[a-z][a-z0-9_]*\Z")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\Z")
_URL = re.compile(r"https://\S+\Z")
_NAME_LIMIT = 80
_TOP = (
    "metadata",
    "scope",
    "definition",
    "parameters",
    "rationale",
    "remediation",
    "limits",
    "references",
    "lifecycle",
)
_STATUSES = ("experimental", "stable", "deprecated")
_RETIRED_COLUMNS = ["id", "retired_in", "replaced_by", "why"]


def rules_folder() -> Path:
    """The folder of the rule files of this very code. Raises UsageError when there is none."""
    return Path(rules_path())


def load_pack(root: Path | None = None) -> Pack:
    """Reads every rule of a folder (default: rules_folder()). Raises UsageError at the first thing that is wrong."""
    folder = rules_folder() if root is None else root
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of rule files.")
    for stray in sorted(folder.rglob("*")):
        if stray.suffix in (".yml", ".json"):
            raise UsageError(f"{stray} would be a rule to Checkov and none to keyrules; rule files end in .yaml.")
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise UsageError(f"{folder} holds no rule files (*.yaml).")
    retired = _read_retired(folder / "retired.csv")
    rules = tuple(read_rule(path) for path in paths)
    for rule in rules:
        if rule.id in retired:
            raise UsageError(f"{rule.path}: {rule.id} is retired in retired.csv and must not be used again.")
    known = {rule.id for rule in rules}
    for entry in retired.values():
        if entry.replaced_by and entry.replaced_by not in known:
            raise UsageError(
                f"{folder / 'retired.csv'}: {entry.id} is replaced by {entry.replaced_by}, which is not in the pack."
            )
    return Pack(rules, retired, PackStamp(pack_version(), pack_digest(str(folder))), folder)


def read_rule(path: Path) -> Rule:
    """One rule file, checked against everything that a rule must be. Raises UsageError."""
    return _RuleFile(path, read_block(path)).rule()


def _read_retired(path: Path) -> Mapping[str, Retired]:
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path} is not a CSV file in UTF-8.") from None
    if not rows or rows[0] != _RETIRED_COLUMNS:
        raise UsageError(f"{path}, line 1: the header must be {','.join(_RETIRED_COLUMNS)}.")
    retired: dict[str, Retired] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        if len(row) != len(_RETIRED_COLUMNS):
            raise UsageError(f"{where}: found {len(row)} fields; allowed: {len(_RETIRED_COLUMNS)}.")
        entry = Retired(*row)
        if not _ID.match(entry.id) or (entry.replaced_by and not _ID.match(entry.replaced_by)):
            raise UsageError(f"{where}: `id` and `replaced_by` must be rule ids like KEY_AWS_001.")
        if entry.id in retired:
            raise UsageError(f"{where}: {entry.id} stands here a second time; each id is retired once.")
        if not _VERSION.match(entry.retired_in) or not entry.why:
            raise UsageError(f"{where}: `retired_in` must be a version like 1.2.0, and `why` must not be empty.")
        retired[entry.id] = entry
    return retired


class _RuleFile:
    """The checks of one rule file; each method takes one part of it."""

    def __init__(self, path: Path, data: Block) -> None:
        self.path = path
        self.data = data

    def rule(self) -> Rule:
        top = self._keys(self.data, "", _TOP, ("runtime",))
        metadata = self._keys(
            self._block(top, "metadata"), "metadata", ("id", "name", "category", "severity", "guideline")
        )
        rule_id = self._id(metadata)
        scope = self._keys(self._block(top, "scope"), "scope", ("provider",))
        parameters = self._parameters(self._block(top, "parameters"))
        runtime = self._block(top, "runtime") if "runtime" in top else None
        limits = self._limits(self._block(top, "limits"), runtime is not None)
        definition = self._block(top, "definition")
        matches_nothing = check_definition(definition, str(self.path))
        if not matches_nothing and "code" not in limits:
            self._refuse(top, "limits", "no `code`, though `definition` decides on code", "what it cannot see in code")
        if runtime is not None:
            check_runtime(runtime, parameters, str(self.path))
        return Rule(
            id=rule_id,
            name=self._name(metadata),
            category=self._one_of(metadata, "metadata.category", ("IAM",)),
            severity=Severity[self._one_of(metadata, "metadata.severity", tuple(level.name for level in Severity))],
            guideline=self._url(metadata, metadata["guideline"], "metadata.guideline"),
            provider=self._one_of(scope, "scope.provider", ("aws",)),
            definition=definition,
            runtime=runtime,
            parameters=parameters,
            rationale=self._text(top, "rationale"),
            remediation=self._text(top, "remediation"),
            limits=limits,
            references=self._references(top),
            lifecycle=self._lifecycle(self._block(top, "lifecycle")),
            planes=frozenset(Plane(plane) for plane in limits),
            path=self.path,
        )

    def _id(self, metadata: Block) -> str:
        rule_id = self._text(metadata, "metadata.id")
        if not _ID.match(rule_id):
            self._refuse(metadata, "metadata.id", repr(rule_id), "KEY_AWS_ and three digits")
        if self.path.name != f"{rule_id}.yaml":
            self._refuse(metadata, "metadata.id", repr(rule_id), f"the file's own name, {self.path.stem!r}")
        return rule_id

    def _name(self, metadata: Block) -> str:
        name = self._text(metadata, "metadata.name")
        problem = (
            f"{len(name)} characters"
            if len(name) > _NAME_LIMIT
            else "an order"
            if name.split()[0].lower() in ("ensure", "make", "verify", "check")
            else "a digit"
            if any(char.isdigit() for char in name)
            else "a line break or a full stop at the end"
            if "\n" in name or name.endswith(".")
            else ""
        )
        if problem:
            allowed = f"the compliant condition in up to {_NAME_LIMIT} characters, without thresholds"
            self._refuse(metadata, "metadata.name", problem, allowed)
        return name

    def _parameters(self, block: Block) -> Mapping[str, Parameter]:
        parameters = {}
        for name in block:
            where = f"parameters.{name}"
            if not _WORD.match(name):
                self._refuse(block, where, "a name in another style", "lower-case words joined by underscores")
            parameters[name] = self._parameter(name, self._block(block, where), where)
        return parameters

    def _parameter(self, name: str, block: Block, where: str) -> Parameter:
        if isinstance(block.get("default"), list):
            self._keys(block, where, ("default", "allowed", "unit"))
            allowed = self._numbers(block, f"{where}.allowed")
            default: ParameterValue = self._numbers(block, f"{where}.default")
            parameter = Parameter(name, default, self._text(block, f"{where}.unit"), allowed=allowed)
        else:
            self._keys(block, where, ("default", "minimum", "unit"), ("maximum",))
            maximum = self._number(block, f"{where}.maximum") if "maximum" in block else None
            default = self._number(block, f"{where}.default")
            minimum = self._number(block, f"{where}.minimum")
            parameter = Parameter(name, default, self._text(block, f"{where}.unit"), minimum, maximum)
        if not within_bounds(parameter, default):
            self._refuse(block, f"{where}.default", show_value(default), bounds(parameter))
        return parameter

    def _limits(self, block: Block, has_runtime: bool) -> Mapping[str, str]:
        self._keys(block, "limits", (), tuple(plane.value for plane in Plane))
        limits = {plane: self._text(block, f"limits.{plane}") for plane in block}
        if ("live" in limits) != has_runtime or not limits:
            found = ", ".join(limits) or "neither plane"
            self._refuse(
                block, "limits", found, "`live` exactly where the rule has `runtime`, `code` where it has a code plane"
            )
        return limits

    def _references(self, top: Block) -> tuple[str, ...]:
        urls = top["references"]
        if not isinstance(urls, list) or not urls:
            self._refuse(top, "references", "no list", "a list of at least one https:// address")
        return tuple(self._url(top, url, "references") for url in urls)

    def _lifecycle(self, block: Block) -> Lifecycle:
        self._keys(block, "lifecycle", ("status", "since"), ("default",))
        status = self._one_of(block, "lifecycle.status", _STATUSES)
        since = self._text(block, "lifecycle.since")
        if not _VERSION.match(since):
            self._refuse(block, "lifecycle.since", repr(since), 'a version in quotes like "1.0.0"')
        if "default" in block and block["default"] is not False:
            self._refuse(block, "lifecycle.default", "another value", "off, or no such key")
        return Lifecycle(status, since, "default" not in block)

    def _keys(self, block: Block, where: str, required: Sequence[str], optional: Sequence[str] = ()) -> Block:
        allowed = [*required, *optional]
        for key in block:
            if key not in allowed:
                self._refuse(block, f"{where}.{key}".lstrip("."), "an unknown key", ", ".join(allowed))
        for key in required:
            if key not in block:
                name = f"{where}.{key}".lstrip(".")
                raise UsageError(f"{self.path}, line {block.line}: `{name}` is missing; it is required.")
        return block

    def _block(self, parent: Block, where: str) -> Block:
        value = parent[where.split(".")[-1]]
        if not isinstance(value, Block):
            self._refuse(parent, where, type_word(value), "a mapping of keys")
        return value

    def _text(self, parent: Block, where: str) -> str:
        value = parent[where.split(".")[-1]]
        if not isinstance(value, str) or not value.strip():
            self._refuse(parent, where, type_word(value), "text; quote a number or a date")
        return value

    def _number(self, parent: Block, where: str) -> int:
        value = parent[where.split(".")[-1]]
        if not isinstance(value, int) or isinstance(value, bool):
            self._refuse(parent, where, type_word(value), "a whole number")
        return value

    def _numbers(self, parent: Block, where: str) -> tuple[int, ...]:
        value = parent[where.split(".")[-1]]
        whole = isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value)
        if not whole or not value or len(set(value)) != len(value):
            self._refuse(parent, where, type_word(value), "a list of different whole numbers")
        return tuple(value)

    def _one_of(self, parent: Block, where: str, allowed: Sequence[str]) -> str:
        value = self._text(parent, where)
        if value not in allowed:
            self._refuse(parent, where, repr(value), ", ".join(allowed))
        return value

    def _url(self, parent: Block, value: object, where: str) -> str:
        if not isinstance(value, str) or not _URL.match(value):
            self._refuse(parent, where, type_word(value), "an address that starts with https://")
        return value

    def _refuse(self, block: Block, where: str, found: str, allowed: str) -> NoReturn:
        line = block.key_lines.get(where.split(".")[-1], block.line)
        raise UsageError(f"{self.path}, line {line}: `{where}` has {found}; allowed: {allowed}.")
