"""The paths that a command line names: checked first, and with what comes through a pipe as a file in memory."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from keyrules.code.file_paths import STDIN, absolute, shown
from keyrules.code.other_plane import is_credential_report
from keyrules.code.plan.json import PlanError, is_plan
from keyrules.code.plan.wrapping import unwrapped
from keyrules.files import is_given_pipe, read_named
from keyrules.model import Evaluation, Finding, InputError, ScanScope, UsageError
from keyrules.records import replace
from keyrules.terminal import standard_input


def except_for(aliases: Mapping[str, str], excluded: Callable[[str], bool] | None) -> Callable[[str], bool] | None:
    """The same, but never for what came through a pipe, whose file in memory lies wherever temporary files do."""
    if not aliases or excluded is None:
        return excluded
    kept, leaves_out = {str(Path.cwd() / alias) for alias in aliases}, excluded
    return lambda path: path not in kept and leaves_out(path)


@contextmanager
def readable_paths(names: Sequence[str]) -> Iterator[tuple[tuple[Path, ...], Mapping[str, str]]]:
    """The paths to scan, and by the shown path of each file in memory what it stands for.

    Standard input and a pipe (`<(command)` in a shell) become files in memory, because a plan holds secrets. Raises
    UsageError for a path that is not there or cannot be read.
    """
    if names.count("-") > 1:
        raise UsageError("- stands for standard input and can be given once")
    if "" in names:
        raise UsageError("one of the paths is empty; name a folder or a file, or . for this folder")
    pipes = [name for name in dict.fromkeys(names) if name == "-" or is_given_pipe(name)]
    paths = [Path(name) for name in names if name not in pipes]
    for path in paths:
        check_readable(path)
    if not pipes:
        yield tuple(paths), {}
        return
    plans = [(STDIN if name == "-" else name, _piped_plan(name)) for name in pipes]
    if not hasattr(os, "memfd_create"):
        raise UsageError("standard input needs Linux here; write the plan to a file and name it")
    # Needed where something is piped only.
    from tempfile import TemporaryDirectory

    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="keyrules-"))
        aliases: dict[str, str] = {}
        for number, (name, data) in enumerate(plans, start=1):
            link = Path(folder, f"plan-{number}.json")
            file = stack.enter_context(os.fdopen(os.memfd_create("plan"), "wb"))
            file.write(data)
            file.flush()
            link.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
            paths.append(link)
            aliases[shown(absolute(str(link)))] = name
        yield tuple(paths), aliases


def _piped_plan(name: str) -> bytes:
    """What comes through standard input (`-`) or a pipe. Raises UsageError where it is no plan, and InputError where it
    is one that cannot be read, or a report."""
    what = "standard input" if name == "-" else name
    data = _standard_input() if name == "-" else read_named(name)
    if is_credential_report(data):
        raise InputError(f"{what} is a credential report and no code; pipe it into `keyrules audit -`")
    try:
        inner, _ = unwrapped(data)
    except PlanError as error:
        raise InputError(f"{what} cannot be judged: {error}") from None
    if not is_plan(inner):
        raise UsageError(f"{what} is no plan in JSON; pipe `terraform show -json PLAN` into `keyrules scan -`")
    return data


def _standard_input() -> bytes:
    return standard_input().read() if sys.stdin is not None else b""


def check_readable(path: Path) -> None:
    """Raises UsageError for a path that is not there, is neither a folder nor a file, or cannot be read."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; name a folder or a file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise UsageError(f"{path} is neither a folder nor a file; pipe a plan into `keyrules scan -`")
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        kind = "folder" if stat.S_ISDIR(mode) else "file"
        raise UsageError(f"{path} is a {kind} that cannot be read; check its permissions")


def renamed(evaluation: Evaluation, aliases: Mapping[str, str]) -> Evaluation:
    """The evaluation with the names of files in memory replaced by what they stand for."""
    if not aliases:
        return evaluation
    scope = evaluation.scope or ScanScope()
    return replace(
        evaluation,
        scope=replace(scope, files=tuple(aliases.get(name, name) for name in scope.files)),
        findings=tuple(_renamed_finding(finding, aliases) for finding in evaluation.findings),
        inputs=tuple(replace(i, name=aliases.get(i.name, i.name)) for i in evaluation.inputs),
        notes=tuple(_renamed_note(note, aliases) for note in evaluation.notes),
        errors=tuple(replace(e, input=aliases.get(e.input, e.input)) for e in evaluation.errors),
        coverage=tuple(replace(c, path=aliases.get(c.path, c.path)) for c in evaluation.coverage),
    )


def _renamed_note(note: str, aliases: Mapping[str, str]) -> str:
    """A note on one file begins with its name."""
    name, colon, rest = note.partition(": ")
    return f"{aliases.get(name, name)}{colon}{rest}"


def _renamed_finding(finding: Finding, aliases: Mapping[str, str]) -> Finding:
    location = finding.location
    if location is None or location.path not in aliases:
        return finding
    trace = tuple(replace(step, path=aliases.get(step.path, step.path)) for step in finding.trace)
    return replace(finding, location=replace(location, path=aliases[location.path]), trace=trace)
