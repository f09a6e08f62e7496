"""`keyrules scan`: arguments in, reports and an exit code out."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from keyrules.catalog import load_pack
from keyrules.command_options import ProgressLine, add_shared_options, moment
from keyrules.conclusion import prepare
from keyrules.exceptions_apply import exempted
from keyrules.exceptions_file import chosen_exceptions
from keyrules.exceptions_match import ExceptionUse
from keyrules.framework_option import choose
from keyrules.iac.discovery import absolute, shown
from keyrules.iac.host.checkov_host import UNIT_SECONDS, Limits
from keyrules.iac.plan.plan_json import is_plan
from keyrules.iac.scan import ScanRequest, scan
from keyrules.model import Evaluation, Finding, Plane, UsageError

STDIN = "<stdin>"
_LONGEST = 86_400
EPILOG = """\
examples:
  keyrules scan                          everything below this folder
  keyrules scan infra/ template.yaml     a folder and a file
  terraform show -json plan.out | keyrules scan -
  keyrules scan --rule KEY_AWS_001 --set KEY_AWS_001.max_age_days=45 infra/
  keyrules scan --format sarif=keyrules.sarif --fail-on high .

exit codes: 0 clean, 1 findings, 2 wrong usage, 3 not everything was evaluated
"""


def add_scan_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules scan`."""
    parser.usage = "keyrules scan [OPTION ...] [PATH ...]"
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="folder, file, plan JSON, or - for a plan on standard input (default: .)",
    )
    add_shared_options(parser)
    parser.add_argument(
        "--timeout",
        type=float,
        default=UNIT_SECONDS,
        metavar="SECONDS",
        help=f"time for one root module, template or plan (default: {UNIT_SECONDS:g})",
    )


def run_scan(args: argparse.Namespace, now: datetime) -> int:
    """Runs the scan and writes its reports. Raises UsageError before anything is evaluated or written."""
    conclusion = prepare(args, Plane.CODE)
    as_of = moment(args.as_of, now)
    pack = load_pack()
    chosen = choose(args, pack, Plane.CODE)
    selection = chosen.selection
    if not any(Plane.CODE in rule.planes for rule in selection.rules):
        ids = ", ".join(rule.id for rule in selection.rules)
        raise UsageError(f"--rule: {ids} cannot be evaluated on code; `keyrules rules` names the planes of each rule")
    exceptions = chosen_exceptions(args, pack, as_of)
    if not 0 < args.timeout <= _LONGEST:
        raise UsageError(f"--timeout: {args.timeout:g} is not between 0 and {_LONGEST:,}; give a number of seconds")
    names = args.paths or ["."]
    with _readable_paths(names) as (paths, alias):
        request = ScanRequest(
            paths=paths,
            pack=pack,
            selection=selection,
            as_of=as_of,
            context=Path.cwd(),
            keep_passing=args.show_passing,
            limits=Limits(unit_seconds=args.timeout),
            progress=ProgressLine(args.quiet),
        )
        evaluation = _renamed(scan(request), alias)
        if exceptions:
            folders = scanned_folders(paths)
            evaluation = exempted(evaluation, ExceptionUse(exceptions, Plane.CODE), folders)
    return conclusion.conclude(evaluation, chosen)


def scanned_folders(paths: Sequence[Path]) -> tuple[str, ...] | None:
    """The folders of a scan as reports show paths; None where a file is among them, which is reported for itself."""
    if not all(path.is_dir() for path in paths):
        return None
    return tuple(shown(str(absolute(path))) for path in paths)


@contextmanager
def _readable_paths(names: list[str]) -> Iterator[tuple[tuple[Path, ...], str]]:
    """The paths to scan; standard input becomes a file in memory, because a plan holds secrets.

    Raises UsageError for a path that is not there or cannot be read.
    """
    if names.count("-") > 1:
        raise UsageError("- stands for standard input and can be given once")
    if "" in names:
        raise UsageError("one of the paths is empty; name a folder or a file, or . for this folder")
    paths = [Path(name) for name in names if name != "-"]
    for path in paths:
        _check_readable(path)
    if "-" not in names:
        yield tuple(paths), ""
        return
    data = sys.stdin.buffer.read() if sys.stdin is not None else b""
    if not is_plan(data):
        raise UsageError("standard input is no plan in JSON; pipe `terraform show -json PLAN` into `keyrules scan -`")
    if not hasattr(os, "memfd_create"):
        raise UsageError("standard input needs Linux here; write the plan to a file and name it")
    memory = os.memfd_create("plan")
    try:
        with TemporaryDirectory(prefix="keyrules-") as folder, os.fdopen(os.dup(memory), "wb") as file:
            file.write(data)
            file.flush()
            link = Path(folder, "plan.json")
            link.symlink_to(f"/proc/{os.getpid()}/fd/{memory}")
            yield (*paths, link), shown(str(absolute(link)))
    finally:
        os.close(memory)


def _check_readable(path: Path) -> None:
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


def _renamed(evaluation: Evaluation, alias: str) -> Evaluation:
    """The evaluation with the in-memory file's name replaced by what it stands for."""
    if not alias:
        return evaluation
    return replace(
        evaluation,
        findings=tuple(_renamed_finding(finding, alias) for finding in evaluation.findings),
        inputs=tuple(replace(i, name=STDIN) if i.name == alias else i for i in evaluation.inputs),
        errors=tuple(replace(e, input=STDIN) if e.input == alias else e for e in evaluation.errors),
    )


def _renamed_finding(finding: Finding, alias: str) -> Finding:
    location = finding.location
    if location is None or location.path != alias:
        return finding
    trace = tuple(replace(step, path=STDIN) if step.path == alias else step for step in finding.trace)
    return replace(finding, location=replace(location, path=STDIN), trace=trace)
