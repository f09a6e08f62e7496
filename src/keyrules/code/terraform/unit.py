"""Judges one root module: its keys by name, and every rule's verdicts on it."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Iterator, Sequence
from pathlib import Path

from keyrules.code.addresses import without_keys
from keyrules.code.block_rules import TERRAFORM_BLOCKS
from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.code.file_paths import shown
from keyrules.code.joined_readings import joined
from keyrules.code.judging import add, idle_skips, unread_verdicts, verdicts_on, with_skips
from keyrules.code.session import CheckSession
from keyrules.code.skips import Skips
from keyrules.code.terraform.embedded import configurations_in, templates_in
from keyrules.code.terraform.evaluate import instance_keys
from keyrules.code.terraform.key_set import key_set
from keyrules.code.terraform.keys import KEY_TYPES, module_instances
from keyrules.code.terraform.module import Module, block_address
from keyrules.code.terraform.named import WRITTEN, keys_named_in, keys_written
from keyrules.code.terraform.readings import Readings
from keyrules.code.terraform.scope import Scope, format_key, walk
from keyrules.code.terraform.sources import module_source
from keyrules.code.unit_results import Declared, Place, Problem
from keyrules.code.verdict import Verdict
from keyrules.records import replace

_JUDGED = frozenset({*KEY_TYPES, *TERRAFORM_BLOCKS})


def judge(folder: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    """Judges one root module; `callers` as a Unit has them."""
    readings = Readings(folder, callers, session.read)
    found = joined([(reading, judge_reading(reading.root, session)) for reading in readings])
    found.problems += [Problem(error.path, error.message) for error in readings.errors]
    digests = {path: digest for reader in readings.readers for path, digest in reader.digests.items()}
    found.files = frozenset(digests)
    found.read = frozenset(path for path in digests if not path.endswith(SOURCE_SUFFIXES))
    lines = (f"{_relative(path, folder)}\0{digest}" for path, digest in sorted(digests.items()))
    found.sha256 = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return found


def judge_reading(root: Scope, session: CheckSession) -> Declared:
    """What one reading of a root module says."""
    keys = key_set(root)
    found = Declared([Place(key.path, key.address, key.start_line, key.end_line) for key in keys.keys])
    present = {(place.path, without_keys(place.address)) for place in found.keys}
    modules: dict[str, Module] = {}
    for scope in walk(root):
        modules.setdefault(scope.module.path, scope.module)
        found.problems += _missing_folder(scope)
        found.problems += _unread_sources(scope)
    found.absent = [place for place in _absent(root) if (place.path, without_keys(place.address)) not in present]
    unread: list[Place] = []
    for module in modules.values():
        for error in module.errors:
            if error.path != module.path or module is root.module:
                found.problems.append(Problem(error.path, error.message))
            if error.opened:
                unread += keys_named_in(error.path, root.reader.read(error.path))
    found.keys += unread
    verdicts = list(verdicts_on("terraform", session, keys, root))
    verdicts = _each_instance(verdicts, root)
    skips = Skips.of_terraform(root, root.reader.comments)
    found.verdicts = with_skips(verdicts, skips)
    for declared, embedded in templates_in(root):
        # Few configurations deploy templates.
        from keyrules.code.terraform.deployed import judge_embedded

        add(found, judge_embedded(declared, embedded, skips, session))
    for embedded in configurations_in(root):
        named = [
            Place(embedded.path, f"{embedded.address}/{key}", embedded.start_line, embedded.end_line, judged=False)
            for key in keys_written(embedded.text or "")
        ]
        found.keys += named
        found.verdicts += with_skips(unread_verdicts("terraform", named, session, WRITTEN), skips)
    found.verdicts += unread_verdicts(
        "terraform", unread, session, "its file cannot be parsed, so it is known by name only"
    )
    found.idle_skips = idle_skips(skips)
    return found


def _missing_folder(scope: Scope) -> Iterator[Problem]:
    """The call of a module whose folder cannot be read."""
    for error in scope.module.errors:
        if error.path == scope.module.path and scope.call is not None:
            where = f"line {scope.call.start_line}: the folder of module {scope.call.name}, {shown(error.path)},"
            yield Problem(scope.call.path, f"{where} {error.message}")


def _absent(root: Scope) -> Iterator[Place]:
    """The blocks of judged types that a count, a for_each or a switch takes away: their own, or that of a call."""
    instances = list(module_instances(root))
    called = {id(scope) for scope in instances}
    for scope in (*instances, *(scope for scope in walk(root) if id(scope) not in called and _is_never_called(scope))):
        for name, declared in sorted(scope.module.resources.items()):
            if name.split(".")[0] in _JUDGED and (id(scope) not in called or instance_keys(declared, scope) == ()):
                yield Place(declared.path, f"{scope.prefix}{name}", declared.start_line, declared.end_line)


def _is_never_called(scope: Scope) -> bool:
    """Whether a call on the way to a module comes to none."""
    while scope.parent is not None and scope.call is not None:
        if instance_keys(scope.call, scope.parent) == ():
            return True
        scope = scope.parent
    return False


def _each_instance(verdicts: list[Verdict], root: Scope) -> list[Verdict]:
    """A verdict on a block that is repeated is one on each of its instances, as Checkov reports them."""
    whole = {verdict.address for verdict in verdicts if "[" not in verdict.address}
    instances: dict[tuple[str, str], list[str]] = {}
    for scope in module_instances(root):
        for kind, declared in scope.module.blocks:
            for name, block in declared.items():
                address = block_address(kind, name)
                plain = f"{without_keys(scope.prefix)}{address}"
                if plain in whole:
                    found = instances.setdefault((block.path, plain), [])
                    found += [
                        f"{scope.prefix}{address}{format_key(key)}" for key in instance_keys(block, scope) or (None,)
                    ]
    return [
        replace(verdict, address=address)
        for verdict in verdicts
        for address in instances.get((verdict.path, verdict.address)) or (verdict.address,)
    ]


def _unread_sources(scope: Scope) -> Iterator[Problem]:
    """The calls of which it is not known what they call, or which lead where they must not."""
    for name, call in sorted(scope.module.calls.items()):
        if call.value("source") is not None:
            source, where = module_source(call, scope), f"line {call.line_of('source')}: module {name}"
            if source.text is None:
                message = "has a source that does not resolve here, so what it declares is not judged; scan the plan"
                yield Problem(call.path, f"{where} {message}")
            elif source.skipped is not None:
                yield Problem(call.path, f"{where} is not read: {source.skipped}")


def _relative(path: str, folder: str) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
