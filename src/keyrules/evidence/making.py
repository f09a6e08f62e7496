"""Makes a package: takes the inputs as they are, judges what it took, and lists it all."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keyrules.code.file_paths import below
from keyrules.controls.tables import load_frameworks
from keyrules.evidence.code_tree import CodeFile, commit_of, repository, tree_around
from keyrules.evidence.folder import BESIDE, MANIFEST, STATEMENT, Held, built, held, listing, write_text
from keyrules.evidence.inputs import store_accounts, store_reports, store_settings
from keyrules.evidence.judging import Judgement, judge
from keyrules.evidence.manifest import CodeGround, Manifest, Request, facts_of, statement
from keyrules.evidence.texts import texts_of
from keyrules.live.account_audit import AuditRequest
from keyrules.live.around.documents import needed
from keyrules.live.collection import Address, Reach
from keyrules.live.limits import Limits
from keyrules.live.wanted import Wanted
from keyrules.model import Evaluation, InputError, Plane, Rule, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.pack import Pack
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import count_of, iso_utc, printable
from keyrules.run.configuration.exclude_globs import excluded_paths
from keyrules.run.configuration.merge import settle
from keyrules.run.exceptions.chosen import exceptions_path
from keyrules.run.framework import choose
from keyrules.run.options import Asked
from keyrules.run.settings import Settings


@dataclass(frozen=True)
class Wish:
    """What somebody wants a package of. `reports` and `code` are paths; `accounts` are asked where `live` says so.

    `command` is the command line without secrets.
    """

    folder: Path
    asked: Asked
    reports: Sequence[str]
    code: Sequence[str]
    live: bool
    accounts: Wanted
    address: Address
    max_age: timedelta | None
    assessor: str | None
    command: Sequence[str]
    now: datetime
    progress: Any = None


@dataclass(frozen=True)
class Made:
    """A package that is there: what its manifest says, the sum of that, and what was judged."""

    manifest: Manifest
    sha256: str
    evaluations: Sequence[Evaluation]


def make(wish: Wish) -> Made:
    """Writes the package, whole or not at all. Raises UsageError and InputError."""
    began = time.monotonic()
    pack = load_pack()
    settings = _settings(wish)
    frameworks = _frameworks(settings, pack)
    with built(wish.folder) as folder:
        sources: dict[str, str] = {}
        for plane, each in settings.items():
            sources |= store_settings(each, plane.value, folder).sources
        request = Request(
            frameworks=frameworks,
            started=wish.now,
            now=wish.now,
            as_of=next(iter(settings.values())).as_of,
            max_age=wish.max_age,
            thresholds=tuple(wish.asked.set),
            live=Plane.LIVE in settings,
            code=None,
        )
        about: dict[str, Any] = {}
        if wish.reports:
            stored = store_reports(wish.reports, folder)
            sources |= stored.sources
            request = replace(request, notes=stored.notes)
        elif request.live:
            reach = Reach(wish.address, wish.accounts.default)
            limits = Limits(choose(settings[Plane.LIVE], pack).selection)
            asking = AuditRequest(pack.stamp, limits, wish.now, request.as_of, wish.max_age)
            about["caller"] = reach.caller
            wanted = needed(_rules(settings[Plane.LIVE], frameworks, pack))
            request = replace(request, now=store_accounts(wish.accounts, reach, asking, wanted, folder))
        tree = None
        if Plane.CODE in settings:
            tree = tree_around(wish.code)
            request = replace(request, code=_ground(wish.code, tree, settings[Plane.CODE]))
        facts = facts_of(about.get("caller"), commit_of(tree) if tree is not None else None)
        received, assessor = listing(folder).files, wish.assessor or ""
        judgement = Judgement(folder.absolute(), request, pack, received, tree, assessor, facts, wish.progress)
        judged = judge(judgement, folder)
        _refuse_unread(judged.evaluations, wish, sources)
        if tree is not None:
            _refuse_elsewhere(judged.files, tree)
            about["repository"] = repository(tree, judged.files)
        about = {
            "tool": f"keyrules {pack.stamp.version}",
            "python": platform.python_version(),
            "ended": iso_utc(wish.now + timedelta(seconds=int(time.monotonic() - began))),
            "command": list(wish.command),
            **({"assessor": wish.assessor} if wish.assessor else {}),
            **about,
        }
        return _listed(folder, Manifest(request, pack.stamp, about, {}, sources), judged.evaluations)


def _listed(folder: Path, manifest: Manifest, evaluations: Sequence[Evaluation]) -> Made:
    """Writes what is made of the manifest, and the manifest itself."""
    for name, text in texts_of(manifest).items():
        write_text(folder / name, [text])
    files: Mapping[str, Held] = {name: held(folder, name) for name in listing(folder).files if name not in BESIDE}
    manifest = replace(manifest, files=files)
    write_text(folder / MANIFEST, [manifest.as_json()])
    digest = held(folder, MANIFEST).sha256
    write_text(folder / STATEMENT, [statement(manifest, digest)])
    return Made(manifest, digest, evaluations)


def _settings(wish: Wish) -> dict[Plane, Settings]:
    """What is in force for each plane that there is something of."""
    found: dict[Plane, Settings] = {}
    if wish.reports or wish.live:
        found[Plane.LIVE] = settle(wish.asked, Plane.LIVE)
    if wish.code:
        tree_around(wish.code)
        found[Plane.CODE] = settle(wish.asked, Plane.CODE, tuple(wish.code))
    for each in found.values():
        exceptions_path(each)
        excluded_paths(each)
    return found


def _frameworks(settings: Mapping[Plane, Settings], pack: Pack) -> tuple[str, ...]:
    """The keys of the editions, each once. Raises UsageError where there is none, and for what they refuse."""
    names = dict.fromkeys(name for each in settings.values() for name in each.framework.value)
    if not names:
        raise UsageError("a package is about frameworks; name one with --framework (`keyrules controls` lists them)")
    frameworks = load_frameworks(pack)
    keys = tuple(dict.fromkeys(frameworks.edition(name).key for name in names))
    for each in settings.values():
        for key in keys:
            choose(replace(each, framework=replace(each.framework, value=(key,))), pack)
    return keys


def _rules(settings: Settings, frameworks: Sequence[str], pack: Pack) -> list[Rule]:
    """The rules of all frameworks."""
    each = (replace(settings, framework=replace(settings.framework, value=(key,))) for key in frameworks)
    return list({rule.id: rule for own in each for rule in choose(own, pack).selection.rules}.values())


def _ground(code: Sequence[str], tree: str, settings: Settings) -> CodeGround:
    for name in code:
        if printable(name) != name:
            raise UsageError(f"--code: {printable(name)} has a name that a manifest cannot hold; rename the folder")
    folder = os.path.realpath(Path(settings.exceptions.value).parent) if settings.exceptions.value else tree
    return CodeGround(
        folders=tuple(dict.fromkeys(os.path.relpath(os.path.realpath(name), tree) for name in code)),
        exceptions_from=os.path.relpath(folder, tree),
        exclude=settings.exclude.value,
        exclude_from=os.path.relpath(os.path.realpath(settings.exclude_base), tree) if settings.exclude.value else ".",
        exclude_is_configured=settings.exclude.from_file,
    )


def _refuse_elsewhere(files: Sequence[CodeFile], tree: str) -> None:
    """Raises UsageError for code that rests on files which nobody who has the tree would have."""
    for file in files:
        if not below(file.path, [tree]):
            raise UsageError(
                f"--code: the code reads {printable(file.name)}, which lies outside of {printable(tree)}; name the "
                "folder that holds both"
            )


def _refuse_unread(evaluations: Sequence[Evaluation], wish: Wish, sources: Mapping[str, str]) -> None:
    """Raises InputError where a report that somebody gave is none: a package of it would say nothing.

    It calls the report what it was called, and not by its place in the package that is not there.
    """
    for error in (error for each in evaluations for error in each.errors if wish.reports and error.kind == "input"):
        name, message = sources.get(error.input, error.input), error.message.removeprefix(f"{error.input} ")
        joint = ": " if message == error.message else " "
        raise InputError(f"{printable(name)}{joint}{message.rstrip('.')}; nothing was written")


def made_text(made: Made, folder: str) -> str:
    """What a package comes to, in a few lines; the sum of its manifest is what to write down."""
    lines = [f"{printable(folder)}: {count_of(len(made.manifest.files), 'file')}"]
    for each in made.evaluations:
        report = each.framework
        if report is not None:
            outcomes = Counter(control.outcome.value for control in report.controls)
            said = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
            open_ = count_of(len(each.errors), "error") + f", {each.counts.unknown:,} UNKNOWN"
            more = f"; {open_}" if each.errors or each.counts.unknown else ""
            lines.append(f"  {report.key} on {_PLANES[each.plane]}: {said}{more}")
    lines.append(f"SHA-256 of {MANIFEST}: {made.sha256}")
    return "\n".join(lines) + "\n"


_PLANES: Final = {Plane.CODE: "code", Plane.LIVE: "live accounts"}
