"""Whether a run would have found a finding of the baseline that were still there. Doubt says no.

Only then is a finding that is gone resolved. A file that is gone from a scanned folder was looked at. Paths are in the
form of the baseline here, but for those of the scope, which are as the scan shows them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from keyrules.code.addresses import without_keys
from keyrules.code.file_names import SKIPPED_FOLDERS, SOURCE_SUFFIXES, TEMPLATE_SUFFIXES, may_matter
from keyrules.code.file_paths import STDIN, below
from keyrules.model import Evaluation, Finding, Input, ScanScope, Status
from keyrules.run.baseline.places import Places
from keyrules.run.baseline.reading import Baseline, Entry

_LITERALS = "KEY_AWS_011"
"""The rule that reads texts of all kinds, each for itself."""


def seen_on_code(
    evaluation: Evaluation, baseline: Baseline, places: Places, excluded: Callable[[str], bool] | None
) -> Callable[[Entry], bool]:
    """The predicate for the entries of a baseline. `excluded` says of an absolute path that the scan left it out."""
    scan = _Scan(evaluation, baseline, places, excluded)
    return lambda entry: scan.saw(entry.finding)


def looked_at_input(evaluation: Evaluation, places: Places) -> Callable[[Input], bool]:
    """Whether a module, template or plan of an earlier run lies where this one looked."""
    scope = evaluation.scope or ScanScope()
    folders = [places.absolute(places.entered(folder)) for folder in scope.folders]
    files = {places.entered(file) for file in scope.files}
    return lambda item: item.name in files or below(places.absolute(item.name), folders)


def seen_on_live(evaluation: Evaluation) -> Callable[[Entry], bool]:
    """The same for an audit: the rule of an entry ran, could judge its account, and nothing of that was left unread."""
    rules = {rule.id for rule in evaluation.rules}
    failed = {error.input for error in evaluation.errors}
    spoiled = {account for item in evaluation.inputs if item.name in failed for account in _accounts(item)}
    clean = {account for item in evaluation.inputs for account in _accounts(item)} - spoiled

    def seen(entry: Entry) -> bool:
        account = entry.finding.subject.account if entry.finding.subject is not None else None
        rule = entry.finding.rule
        return rule in rules and account in clean and account not in evaluation.gaps.get(rule, ())

    return seen


def _folder(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()


class _Scan:
    """Where a scan looked, what it could not judge, and how the units of both runs were cut."""

    def __init__(
        self, evaluation: Evaluation, baseline: Baseline, places: Places, excluded: Callable[[str], bool] | None
    ) -> None:
        scope, here = evaluation.scope or ScanScope(), str(Path.cwd())
        self._places = places
        self._here = here
        self._excluded = excluded or (lambda path: False)
        self._files = {places.entered(file) for file in scope.files}
        self._folders = [
            (os.path.normpath(Path(here, folder)), places.absolute(places.entered(folder))) for folder in scope.folders
        ]
        self._modules = {item.name for item in evaluation.inputs if item.kind == "terraform"}
        self._modules_then = {item.name for item in baseline.inputs if item.kind == "terraform"}
        self._plans_then = {item.name for item in baseline.inputs if item.kind == "plan"}
        self._rules = {rule.id for rule in evaluation.rules}
        self._failed = {error.input: places.absolute(error.input) for error in evaluation.errors}
        self._open = {_subject(f) for f in evaluation.findings if f.status in (Status.UNKNOWN, Status.EXEMPT)}

    def saw(self, finding: Finding) -> bool:
        """Whether the scan looked there with that rule, and nothing is there, or was judged without a doubt."""
        path, rule = finding.location.path if finding.location is not None else "", finding.rule
        absolute = self._places.absolute(path)
        if rule not in self._rules or self._excluded(absolute):
            return False
        if path not in self._files and not self._in_folders(path, absolute, rule):
            return False
        return self._places.gone(path) or (
            _subject(finding) not in self._open
            and (rule == _LITERALS or self._judged_alike(path))
            and not any(self._spoils(failed, path, rule) for failed in self._failed)
        )

    def _in_folders(self, path: str, absolute: str, rule: str) -> bool:
        """Whether the walk through a scanned folder comes past the path and reads a file of that name."""
        name = PurePosixPath(path).name
        if path == STDIN or not (
            may_matter(name) if rule == _LITERALS else _may_be_code(name, path in self._plans_then)
        ):
            return False
        # A folder that was named by a link to it is walked, and left out, by the names below the link.
        walked = (
            (named, os.path.normpath(Path(named, os.path.relpath(absolute, real))))
            for named, real in self._folders
            if below(absolute, [real])
        )
        return any(not _passed_over(named, seen_as) and not self._excluded(seen_as) for named, seen_as in walked)

    def _judged_alike(self, path: str) -> bool:
        """Whether this run evaluated what the finding came from: a called module is judged as its callers call it."""
        if not path.endswith(SOURCE_SUFFIXES) or _folder(path) in self._modules_then:
            return True
        context = [self._here] if path in self._files else [real for _, real in self._folders]
        return all(below(self._places.absolute(module), context) for module in self._modules_then)

    def _spoils(self, failed: str, path: str, rule: str) -> bool:
        """Whether something that could not be evaluated leaves open what is at the path.

        What is missing from a Terraform module changes the verdicts on it and on the modules that it calls.
        """
        if below(self._places.absolute(path), [self._failed[failed]]):
            return True
        if rule == _LITERALS or not path.endswith(SOURCE_SUFFIXES):
            return False
        if failed not in self._modules and _is_template(failed):
            return False
        module = failed if failed in self._modules else _folder(failed)
        return not {module, _folder(path)} <= self._modules or module == _folder(path)


def _may_be_code(name: str, plan: bool) -> bool:
    """Whether a walk evaluates a file of that name as code, or as a plan where it is one."""
    if plan:
        return "." not in name or name.lower().endswith(".json")
    return "." not in name or name.endswith(SOURCE_SUFFIXES) or _is_template(name)


def _is_template(name: str) -> bool:
    return name.lower().endswith(TEMPLATE_SUFFIXES) and not name.endswith(SOURCE_SUFFIXES)


def _passed_over(folder: str, path: str) -> bool:
    """Whether a folder on the way is one that a walk does not enter."""
    between = Path(path).relative_to(folder).parents
    return any(step.name in SKIPPED_FOLDERS or Path(folder, step).is_symlink() for step in between if step.name)


def _subject(finding: Finding) -> tuple[str, str, str]:
    """Rule, file and block: all instances of a block are open where it cannot be told how many there are."""
    location = finding.location
    return (finding.rule, location.path, without_keys(location.address)) if location is not None else ("", "", "")


def _accounts(item: Input) -> list[str]:
    return item.account.split(",") if item.account else []
