"""Finds what a scan evaluates: root modules, templates and plans, and the texts that may hold a literal credential.

Every run goes through here, those too that are over at once, so nothing is imported for what may not be there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from keyrules.code.file_names import (
    KEPT_BY_TOOLS,
    SOURCE_SUFFIXES,
    STATE_COPIES,
    STATE_SUFFIX,
    TEMPLATE_SUFFIXES,
    calls_with_values,
    is_program,
    may_be_template,
    may_matter,
)
from keyrules.code.file_paths import absolute, below, shown
from keyrules.code.file_walk import GZIP, Unread, is_binary, read_file, unread, walk_files
from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.module_calls import ModuleCalls
from keyrules.code.other_languages import other_languages
from keyrules.code.other_plane import is_credential_report
from keyrules.code.relevance import (
    concerns_cloudformation,
    could_be_plan,
    declares_values_only,
    holds_terraform_text,
    names_subjects,
)
from keyrules.code.scan_unit import Unit
from keyrules.code.values_places import VALUE_SUFFIXES, roots_of_values

REPORT_GIVEN = "Is a credential report and no code, so a scan cannot judge it; use `keyrules audit {name}`"


class Discovery:
    """What was found in `folders`.

    `only` restricts what is reported to the files named on the command line, but for the units in `whole` and the files
    of the folders in `values`: a named file of values has no findings of its own and bears on all of them, those of a
    root module or, where it declares inputs and locals, those of its own module. `left_out` says whether there was
    anything that the run was asked to leave out, and `skipped` has the names of tools' folders. `not_read` has kind and
    path of files that create keys in a language that is not read, `named` the files that hold a word of the rules.
    """

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.texts: list[str] = []
        self.considered = 0
        self.only: frozenset[str] | None = None
        self.whole: frozenset[str] = frozenset()
        self.values: set[str] = set()
        self.folders: tuple[str, ...] = ()
        self.errors: list[Unread] = []
        self.left_out = False
        self.skipped: set[str] = set()
        self.not_read: list[tuple[str, str]] = []
        self.named: list[str] = []

    @property
    def empty(self) -> bool:
        """Whether nothing was found that could matter to a rule, and nothing that could not be read."""
        return not (self.units or self.texts or self.errors)


def discover(
    paths: Sequence[str | os.PathLike[str]],
    context: str | os.PathLike[str],
    excluded: Callable[[str], bool] | None = None,
) -> Discovery:
    """Looks at files and folders. A single Terraform file is evaluated with its module and with the callers of it
    below `context` (the working directory), and reported for itself; a file of a root module's values leads to that
    module, which is reported whole.

    `excluded` says of an absolute path whether it is left out; a folder's path ends in a slash. What is left out is
    read nevertheless where a module that is not left out consists of it or calls it.
    """
    found = Discovery()

    def left_out(path: str) -> bool:
        hit = excluded is not None and excluded(path)
        found.left_out |= hit
        return hit

    terraform = ModuleCalls(excluded)
    where = [absolute(os.fspath(path)) for path in paths]
    folders = [path for path in where if os.path.isdir(path)]
    named = {path for path in where if path not in folders and not left_out(path)}
    seen = set(named)
    for top in folders:
        if not left_out(f"{top}/"):
            for folder, name in walk_files(top, found.errors, left_out if excluded else None, found.skipped):
                path = os.path.join(folder, name)
                if path not in seen and may_matter(name):
                    seen.add(path)
                    _classify(path, folder, name, found, terraform, by_itself=False)
    for file in sorted(named):
        _classify(file, *os.path.split(file), found, terraform, by_itself=True)
    wanted = {os.path.dirname(file) for file in named if file.endswith(SOURCE_SUFFIXES)}
    found.whole = frozenset(root for file in named if file.endswith(VALUE_SUFFIXES) for root in roots_of_values(file))
    data = {file for file in named if not file.endswith((*SOURCE_SUFFIXES, *VALUE_SUFFIXES))}
    wanted |= terraform.around_data(data, os.path.abspath(context))
    if wanted or found.whole:
        terraform.add_around(wanted | found.whole, os.path.abspath(context))
    if shared := {file for file in named if file.endswith(".hcl")}:
        terraform.add_readers(shared, os.path.abspath(context))
    scanned = {folder for folder in terraform.calls if below(folder, folders)} | wanted
    for root in terraform.roots(scanned, found.whole):
        callers = tuple(sorted(terraform.callers.get(root, ())))
        found.units.append(Unit("terraform", root, callers))
        if named.intersection(callers):
            found.whole |= {root}
    found.whole |= terraform.bearing
    found.units += [Unit("terraform", path) for path in terraform.alone]
    found.units.sort(key=lambda unit: (unit.path, unit.kind))
    found.texts.sort()
    found.folders = tuple(folders)
    if named:
        found.only = frozenset(named)
    return found


def note_on_nothing(found: Discovery, paths: Sequence[str | os.PathLike[str]]) -> str:
    """What to say of a run over these paths that found nothing."""
    names = ", ".join(shown(absolute(os.fspath(path))) for path in paths)
    skipped = ", ".join(sorted(found.skipped - KEPT_BY_TOOLS))
    tools = f"; folders that tools fill were not looked at: {skipped}" if skipped else ""
    if not found.considered and not found.texts:
        rest = " besides what is excluded" if found.left_out else ""
        return f"no Terraform, plan or CloudFormation file in {names}{rest}{tools}"
    rest = f"; what is excluded was not looked at{tools}" if found.left_out else tools
    if found.not_read:
        return f"no Terraform, plan or CloudFormation in {names} declares an access key{rest}"
    return f"nothing in {names} declares an access key or holds one{rest}"


def _classify(path: str, folder: str, name: str, found: Discovery, terraform: ModuleCalls, *, by_itself: bool) -> None:
    try:
        data = read_file(path)
    except OSError as error:
        found.errors.append(unread(path, error))
        return
    if by_itself and is_credential_report(data):
        found.errors.append(Unread(shown(path), "wrong_input", REPORT_GIVEN.format(name=shown(path))))
        return
    kind = _kind(name, data, by_itself)
    if kind is not None:
        found.considered += 1
    binary = is_binary(data)
    if names_subjects(data) and not binary:
        found.named.append(path)
    if calls_with_values(name):
        terraform.add_unit(path, data)
    if kind == "terraform":
        terraform.add(folder, path, data)
        if by_itself and declares_values_only(data):
            found.values.add(folder)
    elif kind in ("plan", "no_plan"):
        found.units.append(Unit("plan", path))
        if kind == "plan":
            return
    elif kind == "state" and names_subjects(data) and not name.lower().endswith(STATE_COPIES):
        found.units.append(Unit("state", path))
    elif kind == "template" and concerns_cloudformation(data):
        found.units.append(Unit("cloudformation", path))
    if not binary and contains_candidate(data):
        found.texts.append(path)
    if kind is None and holds_terraform_text(name, data):
        found.units.append(Unit("text", path))
    if not (kind == "template" and is_program(name)) and (language := other_languages(name, data)) is not None:
        found.not_read.append((language, path))


def _kind(name: str, data: bytes, by_itself: bool) -> str | None:
    """terraform, template, plan, or no_plan for what its sender takes for one; state for a file that is called so."""
    if name.endswith(SOURCE_SUFFIXES):
        return "terraform"
    low = name.lower()
    if STATE_SUFFIX in low:
        return "state"
    if by_itself or low.endswith(".json") or "." not in name:
        if (could_be_plan(data) or data.startswith(GZIP)) and (kind := _kind_of_plan(name, data, by_itself)):
            return kind
        if by_itself and is_binary(data):
            return "no_plan"
    if by_itself and _is_missing_plan(low, data):
        return "no_plan"
    if low.endswith(TEMPLATE_SUFFIXES):
        return "template"
    if is_program(name):
        # A program whose name says that it is a template is read as far as one can.
        return "template" if ".template." in low and concerns_cloudformation(data) else None
    if by_itself:
        return "template"
    return "template" if may_be_template(name) and concerns_cloudformation(data) and not is_binary(data) else None


def _is_missing_plan(name: str, data: bytes) -> bool:
    """Whether the program that was to write a plan failed: nothing is in a JSON file, or no plan in one that is called
    one. Other JSON called `plan.json` may be anybody's."""
    inner = data.strip()
    is_json, is_tfplan = name.endswith(".json"), "tfplan" in name and not is_program(name)
    if not inner:
        return is_json or is_tfplan or name == "plan"
    other = inner.startswith((b"{", b"[")) and not is_tfplan
    return is_json and (is_tfplan or name == "plan.json") and not other and not concerns_cloudformation(data)


def _kind_of_plan(name: str, data: bytes, by_itself: bool) -> str | None:
    """A state, a log or a saved plan in place of a plan's JSON is refused, because its sender takes it for judged, and
    so is other JSON with a version of Terraform's format. A plan that is named may have text around it; one in a folder
    is packed at most, and what cannot be unpacked there may be one."""
    from keyrules.code.plan.json import Kind, PlanError, recognise

    packed = data.startswith(GZIP)
    kind = recognise(data)
    if kind is Kind.PLAN or not (by_itself or packed):
        return "plan" if kind is Kind.PLAN else None
    if packed or not is_program(name):
        from keyrules.code.plan.wrapping import unpacked, unwrapped

        try:
            inner = unwrapped(data)[0] if by_itself else unpacked(data)
        except PlanError:
            return "no_plan"
        if inner != data and recognise(inner) is Kind.PLAN:
            return "plan"
    is_versioned = data.lstrip()[:1] == b"{" and b'"format_version"' in data
    return "no_plan" if by_itself and (kind is not None or is_versioned or packed) else None
