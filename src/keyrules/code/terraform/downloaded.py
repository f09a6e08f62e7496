"""The modules that `terraform init` has downloaded, by its own list: `.terraform/modules/modules.json` of the root.

The list lies in the scanned tree, so it is not trusted: only folders below the root's own `.terraform` are read through
it, and only for calls whose source and version are those that it was written for. Its format is Terraform's
internal/modsdir/record.go; keys are the names of the calls on the way, joined by dots.
"""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from keyrules.code.file_names import DOWNLOADED_MODULES
from keyrules.code.terraform.evaluate import evaluate
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.terraform.versions import satisfies
from keyrules.records import dataclass

_REGISTRY = re.compile(r"(?:(?P<host>[\w-]+(?:\.[\w-]+)+(?::\d+)?)/)?(?P<path>[\w-]+/[\w-]+/[\w-]+)(?P<sub>//.*)?")
_SSH = re.compile(r"(?:git::)?(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^/].*)")
_SHORTHAND = re.compile(
    r"(?P<repository>(?:github\.com|bitbucket\.org)/[^/?]+/[^/?]+)"
    r"(?:/(?P<more>[^/?][^?]*?))?(?://(?P<sub>[^?]*))?(?P<query>\?.*)?"
)
_NO_REGISTRIES = ("github.com", "bitbucket.org")


@dataclass(frozen=True)
class Copy:
    """The folder of a downloaded module, or why it is not read; neither where none is listed for the call."""

    folder: str | None = None
    skipped: str | None = None


def downloaded(scope: Scope, call: Declaration, source: str) -> Copy:
    """The downloaded copy of a module that `scope` calls by a registry address or a URL."""
    root = scope.root
    if "manifest" not in root.memo:
        root.memo["manifest"] = manifest(root.module.path, root.reader.read)
    listed = root.memo["manifest"].get(".".join((*_way(scope), call.name)))
    if listed is None:
        return Copy()
    if canonical(str(listed.get("Source", ""))) != canonical(source):
        return Copy()
    version, wanted = listed.get("Version"), evaluate(call.value("version"), Frame(scope))
    if isinstance(version, str) and isinstance(wanted, str) and satisfies(version, wanted) is False:
        return Copy()
    own = os.path.realpath(f"{root.module.path}/.terraform")
    folder = os.path.normpath(Path(root.module.path, str(listed.get("Dir", ""))))
    if not os.path.realpath(folder).startswith(f"{own}/"):
        return Copy(skipped=f"{DOWNLOADED_MODULES} puts it outside of .terraform, where Terraform keeps no module")
    return Copy(folder) if Path(folder).is_dir() else Copy()


def manifest(folder: str, read: Callable[[str], bytes]) -> Mapping[str, Mapping[str, object]]:
    """The entries of a root folder's list by their key; a list that is absent or is none of Terraform's has none."""
    try:
        document = json.loads(read(f"{folder}/{DOWNLOADED_MODULES}"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = document.get("Modules") if isinstance(document, dict) else None
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {entry["Key"]: entry for entry in found if isinstance(entry.get("Key"), str)}


def canonical(source: str) -> str:
    """A source as Terraform's list has it: registry addresses with their host, shorthands as URLs."""
    registry = _REGISTRY.fullmatch(source)
    if registry is not None and registry["host"] not in _NO_REGISTRIES:
        return f"{registry['host'] or 'registry.terraform.io'}/{registry['path']}{registry['sub'] or ''}".lower()
    ssh = _SSH.fullmatch(source)
    if ssh is not None:
        return f"git::ssh://{ssh['user']}@{ssh['host']}/{ssh['path']}"
    shorthand = _SHORTHAND.fullmatch(source)
    if shorthand is not None:
        inside = "/".join(filter(None, (shorthand["more"], shorthand["sub"])))
        repository = shorthand["repository"].removesuffix(".git")
        return f"git::https://{repository}.git{f'//{inside}' if inside else ''}{shorthand['query'] or ''}"
    return source


def _way(scope: Scope) -> tuple[str, ...]:
    """The names of the calls from the root to a module instance."""
    if scope.parent is None or scope.call is None:
        return ()
    return (*_way(scope.parent), scope.call.name)
