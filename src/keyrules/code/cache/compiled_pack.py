"""The pack as a scan needs it, without PyYAML: read once from its rule files, then from the cache.

The rule files are still what counts. The compiled form is used for the very bytes and names of the rules folder that it
was made of, and by the very code that made it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keyrules.code.cache.cache_folder import CacheFolder
from keyrules.code.host.pack_folders import source_root
from keyrules.model import Lifecycle, PackStamp, Parameter, Plane, Rule, Severity
from keyrules.pack.pack import Pack, Retired
from keyrules.pack.stamp import pack_digest, rules_path

_PLAIN = ("id", "name", "category", "guideline", "provider", "definition", "runtime", "rationale", "remediation")


def compiled_pack(folder: CacheFolder, code: str) -> Pack:
    """What load_pack gives, for code of that version. Raises UsageError as load_pack does."""
    name = _name(code)
    content = folder.read(name)
    if content is not None:
        try:
            return _decoded(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError):
            # An entry of another shape is no entry.
            content = None
    from keyrules.pack.catalog import load_pack

    pack = load_pack()
    folder.write(name, json.dumps(_encoded(pack)).encode())
    return pack


def _name(code: str) -> str:
    """The entry of these rule files: their bytes, the names of all files beside them, and what states the version."""
    root = rules_path()
    words = [code, root, pack_digest(root), *sorted(_names(root))]
    stated = os.path.join(os.path.dirname(source_root()), "setup.cfg")
    if os.path.isfile(stated):
        with open(stated, "rb") as file:
            words.append(hashlib.sha256(file.read()).hexdigest())
    return "pack-" + hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _names(root: str) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        yield from (os.path.join(folder, name) for name in names)


def _encoded(pack: Pack) -> dict[str, Any]:
    return {
        "rules": [_encoded_rule(rule) for rule in pack.rules],
        "retired": [vars(entry) for entry in pack.retired.values()],
        "stamp": vars(pack.stamp),
        "root": str(pack.root),
    }


def _encoded_rule(rule: Rule) -> dict[str, Any]:
    return {
        **{name: getattr(rule, name) for name in _PLAIN},
        "severity": rule.severity.name,
        "parameters": [vars(parameter) for parameter in rule.parameters.values()],
        "limits": dict(rule.limits),
        "references": rule.references,
        "lifecycle": vars(rule.lifecycle),
        "planes": sorted(plane.value for plane in rule.planes),
        "path": str(rule.path),
    }


def _decoded(data: dict[str, Any]) -> Pack:
    return Pack(
        rules=tuple(_decoded_rule(rule) for rule in data["rules"]),
        retired={entry["id"]: Retired(**entry) for entry in data["retired"]},
        stamp=PackStamp(**data["stamp"]),
        root=Path(data["root"]),
    )


def _decoded_rule(data: dict[str, Any]) -> Rule:
    return Rule(
        **{name: data[name] for name in _PLAIN},
        severity=Severity[data["severity"]],
        parameters={entry["name"]: _decoded_parameter(entry) for entry in data["parameters"]},
        limits=data["limits"],
        references=tuple(data["references"]),
        lifecycle=Lifecycle(**data["lifecycle"]),
        planes=frozenset(Plane(plane) for plane in data["planes"]),
        path=Path(data["path"]),
    )


def _decoded_parameter(data: dict[str, Any]) -> Parameter:
    default = data["default"]
    shown = tuple(default) if isinstance(default, list) else default
    return Parameter(**{**data, "default": shown, "allowed": tuple(data["allowed"])})
