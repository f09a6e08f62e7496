"""The manifest of a package: what judged what, when, for whom, and the sum of every file; and the statement that a
signature is made of (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keyrules.evidence.folder import MANIFEST, Held, content, is_inside
from keyrules.model import InputError, PackStamp
from keyrules.records import dataclass, field
from keyrules.reports.evidence import PROJECT
from keyrules.reports.json import dump, time_or_none
from keyrules.reports.text_style import iso_utc, printable

SCHEMA: Final = "keyrules-evidence/1"
_MOST: Final = 1 << 26


@dataclass(frozen=True)
class CodeGround:
    """What of a code tree was judged: folders in it, and where in it the exceptions and the globs that leave files out
    count from. All paths are relative to the tree. `exclude_is_configured` says that the globs are those of the
    configuration."""

    folders: tuple[str, ...]
    exceptions_from: str
    exclude: tuple[str, ...]
    exclude_from: str
    exclude_is_configured: bool


@dataclass(frozen=True)
class Request:
    """What was to be judged, and how, beside the inputs, the configuration and the exceptions that a package holds.

    `started` is when the run began and `now` when it had its inputs, `as_of` the moment that was asked for or None for
    each report's own. `live` says whether there are reports, `code` is None where no code was given. `notes` are on the
    choice of the inputs.
    """

    frameworks: tuple[str, ...]
    started: datetime
    now: datetime
    as_of: datetime | None
    max_age: timedelta | None
    thresholds: tuple[str, ...]
    live: bool
    code: CodeGround | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A manifest. `about` is what it says of the run to people: start and end, command, versions, assessor, caller,
    repository. `sources` names where each input came from, by its path in the package."""

    request: Request
    pack: PackStamp
    about: Mapping[str, Any]
    files: Mapping[str, Held]
    sources: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """The bytes of the manifest as text; the same manifest has the same."""
        request = self.request
        code = request.code
        return dump(
            {
                "schema": SCHEMA,
                **self.about,
                "pack": {"version": self.pack.version, "sha256": self.pack.sha256},
                "request": {
                    "frameworks": list(request.frameworks),
                    "started": iso_utc(request.started),
                    "now": iso_utc(request.now),
                    "as_of": time_or_none(request.as_of),
                    "max_report_age_seconds": None if request.max_age is None else int(request.max_age.total_seconds()),
                    "set": list(request.thresholds),
                    "live": request.live,
                    "code": None
                    if code is None
                    else {
                        "folders": list(code.folders),
                        "exceptions_from": code.exceptions_from,
                        "exclude": list(code.exclude),
                        "exclude_from": code.exclude_from,
                        "exclude_is_configured": code.exclude_is_configured,
                    },
                    "notes": list(request.notes),
                },
                "files": [
                    {
                        "path": path,
                        "size": held.size,
                        "sha256": held.sha256,
                        **({"source": self.sources[path]} if path in self.sources else {}),
                    }
                    for path, held in sorted(self.files.items())
                ],
            }
        )


def facts_of(caller: Any, commit: Any) -> dict[str, str]:
    """What the reports say of a run beside what was judged: who asked AWS, and the commit of the code."""
    return {name: str(value) for name, value in (("caller", caller), ("commit", commit)) if value}


def statement(manifest: Manifest, sha256: str) -> str:
    """The in-toto statement of a manifest: its sum, and what a reader wants to know before opening it."""
    return dump(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": MANIFEST, "digest": {"sha256": sha256}}],
            "predicateType": f"{PROJECT}/evidence/v1",
            "predicate": {
                "frameworks": list(manifest.request.frameworks),
                "pack": {"version": manifest.pack.version, "sha256": manifest.pack.sha256},
                **{name: manifest.about[name] for name in ("assessor", "ended") if name in manifest.about},
                "files": len(manifest.files),
            },
        }
    )


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a package and its SHA-256. Raises InputError for what is none, or lists what no package holds."""
    data = content(folder, MANIFEST, _MOST)
    where = printable(str(folder / MANIFEST))
    try:
        document = json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InputError(f"{where} is no JSON, or has a key twice; nothing was checked") from None
    top = _Object(document, where)
    if top.document.get("schema") != SCHEMA:
        raise InputError(f"{where} is no manifest of the schema {SCHEMA}; verify it with the keyrules that made it")
    pack = top.object("pack")
    files: dict[str, Held] = {}
    sources: dict[str, str] = {}
    for item in top.objects("files"):
        path, size = item.text("path"), item.number("size")
        if not is_inside(path) or path in files:
            raise InputError(f"{where} lists {path[:80]!r}, which is no path of its own in the package")
        files[path] = Held(size, item.text("sha256"))
        if "source" in item.document:
            sources[path] = item.text("source")
    known = ("schema", "pack", "request", "files")
    about = {name: value for name, value in top.document.items() if name not in known}
    stamp = PackStamp(pack.text("version"), pack.text("sha256"))
    return Manifest(_request(top.object("request")), stamp, about, files, sources), hashlib.sha256(data).hexdigest()


class _Object:
    """An object of a manifest, of which each member is asked for with its type. Raises InputError."""

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            raise InputError(f"{where}: found something that is no object")
        self.document, self._where = document, where

    def object(self, name: str) -> _Object:
        return _Object(self.document.get(name), f"{self._where}: `{name}`")

    def objects(self, name: str) -> list[_Object]:
        return [_Object(each, f"{self._where}: `{name}`") for each in self._typed(name, list)]

    def text(self, name: str) -> str:
        found: str = self._typed(name, str)
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        found = self._typed(name, list)
        if not all(isinstance(each, str) for each in found):
            raise InputError(f"{self._where}: `{name}` has something that is no text")
        return tuple(found)

    def flag(self, name: str) -> bool:
        return bool(self._typed(name, bool))

    def number(self, name: str) -> int:
        found = self._typed(name, int)
        if isinstance(found, bool) or not 0 <= found < 1 << 53:
            raise InputError(f"{self._where}: `{name}` is no size")
        return int(found)

    def moment(self, name: str) -> datetime:
        text = self.text(name)
        try:
            found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            found = datetime.min
        if found.tzinfo is None:
            raise InputError(f"{self._where}: `{name}` is no time in UTC")
        return found

    def given(self, name: str) -> bool:
        return self.document.get(name) is not None

    def _typed(self, name: str, kind: type) -> Any:
        value = self.document.get(name)
        if not isinstance(value, kind):
            raise InputError(f"{self._where}: `{name}` is missing or of another type than a manifest has it")
        return value


def _request(found: _Object) -> Request:
    code = found.object("code") if found.given("code") else None
    seconds = found.number("max_report_age_seconds") if found.given("max_report_age_seconds") else None
    return Request(
        frameworks=found.texts("frameworks"),
        started=found.moment("started"),
        now=found.moment("now"),
        as_of=found.moment("as_of") if found.given("as_of") else None,
        max_age=None if seconds is None else timedelta(seconds=min(seconds, 10**10)),
        thresholds=found.texts("set"),
        live=found.flag("live"),
        code=None
        if code is None
        else CodeGround(
            code.texts("folders"),
            code.text("exceptions_from"),
            code.texts("exclude"),
            code.text("exclude_from"),
            code.flag("exclude_is_configured"),
        ),
        notes=found.texts("notes"),
    )


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)
