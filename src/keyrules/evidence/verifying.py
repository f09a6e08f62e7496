"""Verifies a package, which somebody else may have put together: the sums, the signature, and the judgement again."""

from __future__ import annotations

import enum
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from keyrules.evidence.code_tree import tree_around
from keyrules.evidence.differences import Difference, as_documents, as_lines, differences, parts_of, read_table
from keyrules.evidence.folder import (
    BESIDE,
    CODE,
    MANIFEST,
    RECEIVED,
    RESULTS,
    SIGNATURE,
    STATEMENT,
    Listing,
    content,
    held,
    is_held,
    is_inside,
    listing,
    write_text,
)
from keyrules.evidence.judging import Judgement, judge
from keyrules.evidence.manifest import Manifest, facts_of, read_manifest, statement
from keyrules.evidence.signatures import signer
from keyrules.evidence.texts import texts_of
from keyrules.model import InputError, PackStamp, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.pack import Pack
from keyrules.records import dataclass, field, replace
from keyrules.reports.json import dump
from keyrules.reports.text_style import count_of, iso_utc, printable

_MOST_STATEMENT: Final = 1 << 20
_MOST_INPUT: Final = 1 << 30


class Problem(enum.IntEnum):
    """What is wrong with a package, as exit codes; the first of those there are is that of the run."""

    CHANGED = 1
    SIGNATURE = 9
    MISSING = 4
    EXTRA = 5
    NOT_CHECKED = 3
    OTHER_CODE = 8
    OTHER_PACK = 6
    CODE_NOT_GIVEN = 7


@dataclass
class Verification:
    """What verifying came to. `files` says of each what it is; `problems` are sentences with their kinds, `notes` the
    good news; `differing` is what another version of the pack judges otherwise."""

    manifest: Manifest
    sha256: str
    pack: PackStamp
    files: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[Problem, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    differing: Sequence[Difference] = ()

    @property
    def code(self) -> int:
        """The exit code."""
        kinds = {kind for kind, _ in self.problems}
        return next((kind.value for kind in Problem if kind in kinds), 0)

    def add(self, kind: Problem, sentence: str) -> None:
        """Notes a problem."""
        self.problems.append((kind, sentence))


@dataclass(frozen=True)
class Check:
    """What is to be checked: the package, and what somebody knows of it already. `tree` is where the code is."""

    folder: Path
    tree: str | None = None
    manifest_sha256: str | None = None
    signature: Path | None = None
    allowed_signers: Path | None = None


def verify(check: Check) -> Verification:
    """Verifies a package. Raises InputError where that cannot begin, and UsageError for a wrong option."""
    if not check.folder.is_dir():
        raise UsageError(f"{printable(str(check.folder))} is no folder; name that of a package")
    manifest, digest = read_manifest(check.folder)
    if check.tree is not None:
        check = replace(check, tree=_tree(check.tree, manifest))
    pack = load_pack()
    found = Verification(manifest, digest, pack.stamp)
    there = listing(check.folder)
    if check.manifest_sha256 is not None and check.manifest_sha256.strip().lower() != digest:
        found.add(Problem.CHANGED, f"{MANIFEST} is not the one that you name: its SHA-256 is {digest}")
    _check_statement(check, found)
    _check_files(check.folder, there, found)
    _judge_again(check, pack, found)
    return found


def _tree(given: str, manifest: Manifest) -> str:
    """The tree that the paths of a package count from, where somebody names it or a folder in it. Raises UsageError."""
    code = manifest.request.code
    if code is None:
        raise UsageError("--code: the package is not about code; leave the option out")
    around = tree_around([given])
    real = os.path.realpath(given)
    return real if all(Path(real, folder).is_dir() for folder in code.folders) else around


def _check_statement(check: Check, found: Verification) -> None:
    """The statement is of this manifest, and signed by somebody who may."""
    try:
        said = content(check.folder, STATEMENT, _MOST_STATEMENT)
    except InputError:
        said = b""
        found.add(Problem.MISSING, f"{STATEMENT} is missing")
    if said and said != statement(found.manifest, found.sha256).encode():
        found.add(Problem.CHANGED, f"{STATEMENT} is not of this manifest: one of the two was changed")
    signature = check.signature or check.folder / SIGNATURE
    if check.allowed_signers is None:
        if os.path.lexists(signature):
            found.notes.append("There is a signature, which was not checked: name who may sign with --allowed-signers.")
        return
    if check.signature is None and not os.path.lexists(signature):
        found.add(Problem.SIGNATURE, f"there is no signature: {STATEMENT}.sig is not there")
        return
    try:
        name = signer(said, signature, check.allowed_signers)
    except InputError as error:
        found.add(Problem.NOT_CHECKED, str(error))
        return
    if name is None:
        found.add(Problem.SIGNATURE, "the signature is not one of this statement by an allowed signer")
    else:
        found.notes.append(f"Signed by {printable(name)}.")


def _check_files(folder: Path, there: Listing, found: Verification) -> None:
    listed = found.manifest.files
    for path in sorted(listed):
        if path not in there.files:
            found.files[path] = "missing"
            found.add(Problem.MISSING, f"{path} is missing")
        elif not is_held(folder, path, listed[path]):
            found.files[path] = "changed"
            found.add(Problem.CHANGED, f"{path} was changed: its bytes are not those that the manifest lists")
        else:
            found.files[path] = "identical"
    for path in there.files:
        if path not in listed and path not in BESIDE:
            found.add(Problem.EXTRA, f"{printable(path)} is not in the manifest: somebody put it there")
    for path in there.others:
        found.add(Problem.EXTRA, f"{printable(path)} is a link or a device, which no package holds")


def _judge_again(check: Check, pack: Pack, found: Verification) -> None:
    """Judges the stored inputs again, where they are what was stored."""
    manifest = found.manifest
    received = [path for path in sorted(manifest.files) if path.split("/")[0] in RECEIVED]
    if any(found.files[path] != "identical" for path in received):
        found.notes.append("Nothing was judged again, because an input is not what it was.")
        return
    if any(kind is Problem.EXTRA for kind, _ in found.problems):
        found.notes.append("Nothing was judged again, because the folder holds more than the package.")
        return
    code = manifest.request.code
    if code is not None and check.tree is None:
        found.add(
            Problem.CODE_NOT_GIVEN,
            "the code is not in the package, so what was said of it was not judged again: name its folder with --code",
        )
    try:
        _refuse_strange(manifest)
        with tempfile.TemporaryDirectory(prefix="keyrules-") as name:
            again, about = Path(name), manifest.about
            repository = about.get("repository")
            commit = repository.get("commit") if isinstance(repository, dict) else None
            facts = facts_of(about.get("caller"), commit)
            assessor, folder = str(about.get("assessor", "")), check.folder.absolute()
            judge(Judgement(folder, manifest.request, pack, received, check.tree, assessor, facts), again)
            _compare(check, again, pack, found)
    except (InputError, UsageError) as error:
        found.add(Problem.NOT_CHECKED, f"it could not be judged again: {error}")


def _refuse_strange(manifest: Manifest) -> None:
    """Raises InputError for a manifest that asks for what no package does."""
    code = manifest.request.code
    folders = [Path(each) for each in (code.folders if code is not None else ())]
    outside = any(each.is_absolute() or ".." in each.parts for each in folders)
    frameworks = manifest.request.frameworks
    if outside or not all(map(is_inside, frameworks)) or any("/" in name for name in frameworks):
        raise InputError("the manifest names a folder outside of the package or of the code")
    if len(set(frameworks)) < len(frameworks):
        raise InputError("the manifest names a framework twice")
    for path, each in manifest.files.items():
        if path.split("/")[0] in RECEIVED and each.size > _MOST_INPUT:
            raise InputError(f"{path} is larger than any input is")


def _compare(check: Check, again: Path, pack: Pack, found: Verification) -> None:
    """What came of judging again against what the package has."""
    manifest = found.manifest
    made = listing(again).files
    if check.tree is not None and manifest.request.code is not None:
        _compare_code(check, again, found)
    if manifest.pack != pack.stamp:
        _compare_versions(check, again, made, found)
        return
    for name, text in texts_of(manifest).items():
        write_text(again / name, [text])
        if name in manifest.files and held(again, name) != manifest.files[name]:
            found.add(Problem.CHANGED, f"{name} is not what the manifest comes to")
    if any(kind is Problem.OTHER_CODE for kind, _ in found.problems):
        made = tuple(path for path in made if not _is_code(path))
    judged = [path for path in manifest.files if path.startswith(f"{RESULTS}/") and _is_looked_at(path, made, check)]
    for path in sorted({*judged, *(path for path in made if path.startswith(f"{RESULTS}/"))}):
        was = found.files.get(path, "not there")
        if path in made and held(again, path) == manifest.files.get(path):
            found.files[path] = f"{was}, {_SAME if was == 'identical' else _RESTORED}"
        else:
            found.files[path] = f"{was}, but not what the inputs come to"
            found.add(Problem.CHANGED, f"{path} is not what the stored inputs come to when they are judged again")


_SAME: Final = "and the same when it is judged again"
_RESTORED: Final = "but the inputs still come to what the manifest lists"


def _is_code(path: str) -> bool:
    return path.split("/")[2:3] == ["code"]


def _is_looked_at(path: str, made: Sequence[str], check: Check) -> bool:
    return path in made or not _is_code(path)


def _compare_code(check: Check, again: Path, found: Verification) -> None:
    if CODE in found.manifest.files and held(again, CODE) != found.manifest.files[CODE]:
        was, now = (dict(_sums(folder)) for folder in (check.folder, again))
        changed = sorted(name for name in was.keys() & now.keys() if was[name] != now[name])
        words = (
            ("changed", changed),
            ("missing", sorted(was.keys() - now.keys())),
            ("more", sorted(now.keys() - was.keys())),
        )
        said = "; ".join(f"{count_of(len(names), 'file')} {word} ({_first(names)})" for word, names in words if names)
        found.add(Problem.OTHER_CODE, f"the code is not the one that was judged: {said}")
    else:
        found.notes.append("The code is the one that was judged.")


def _sums(folder: Path) -> Iterator[tuple[str, str]]:
    return ((row.get("path") or "", row.get("sha256") or "") for row in read_table(folder, CODE))


def _first(names: Sequence[str]) -> str:
    return ", ".join(map(printable, names[:3])) + (", …" if len(names) > 3 else "")


def _compare_versions(check: Check, again: Path, made: Sequence[str], found: Verification) -> None:
    old, new = found.manifest.pack, found.pack
    was = [part for part in parts_of(found.manifest.files) if part[1] == "live" or check.tree is not None]
    found.differing = differences(check.folder, was, again, parts_of(made))
    said = "every verdict is the same" if not found.differing else "some verdicts are others, as listed"
    found.add(
        Problem.OTHER_PACK,
        f"judged by keyrules {printable(old.version)} (pack {printable(old.sha256[:12])}), and again by {new.version} "
        f"(pack {new.sha256[:12]}): {said}",
    )


def as_text(found: Verification, folder: str) -> str:
    """What verifying came to for people: each file, then what is wrong, or that nothing is."""
    about = found.manifest.about
    by = f" for {about['assessor']}" if "assessor" in about else ""
    head = f"{folder}: {about.get('tool', 'keyrules')}, {iso_utc(found.manifest.request.started)}{by}"
    lines = [printable(head), f"{MANIFEST} has the SHA-256 {found.sha256}"]
    width = max((len(path) for path in found.files), default=0)
    lines += [f"  {path:<{width}}  {said}" for path, said in found.files.items()]
    lines += as_lines(found.differing)
    lines += found.notes
    lines += [f"{kind.name.replace('_', ' ')}: {sentence}" for kind, sentence in found.problems]
    if not found.problems:
        lines.append(f"Verified: {count_of(len(found.files), 'file')}, nothing changed, missing or added.")
    return "\n".join(lines) + "\n"


def as_json(found: Verification) -> str:
    """The same for programs."""
    return dump(
        {
            "schema": "keyrules-evidence-verification/1",
            "manifest_sha256": found.sha256,
            "verified": not found.problems,
            "exit_code": found.code,
            "problems": [{"kind": kind.name.lower(), "message": sentence} for kind, sentence in found.problems],
            "notes": found.notes,
            "files": [{"path": path, "outcome": said} for path, said in found.files.items()],
            "judged_with": {"version": found.pack.version, "sha256": found.pack.sha256},
            "differences": as_documents(found.differing),
        }
    )
