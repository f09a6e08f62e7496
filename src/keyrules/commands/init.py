"""`keyrules init`: the first day of a repository. Shows what belongs where, and writes new files only when asked to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyrules.terms import CONFIGURATION_FILE, UsageError

if TYPE_CHECKING:
    from datetime import datetime

EPILOG = """\
examples:
  keyrules init          what belongs into this repository, for its root
  keyrules init --write  the files that are not there yet; others stay
exit codes: 0 shown or written, 2 wrong usage, 3 not everything can be
evaluated yet; then nothing is written
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules init`."""
    parser.usage = "%(prog)s [--write]"
    parser.add_argument("--write", action="store_true", help="write the files that are not there yet")


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Shows or writes the files, and returns the exit code; `clock` says what time it is. Raises UsageError."""
    from contextlib import redirect_stdout
    from pathlib import Path

    from keyrules.arguments import run_command
    from keyrules.reports.outputs import write_files
    from keyrules.reports.text_style import count_of, printable
    from keyrules.run.conclusion import CLEAN, INCOMPLETE
    from keyrules.run.starting import BASELINE_FILE, steps

    here = Path()
    if (here / CONFIGURATION_FILE).exists():
        raise UsageError(f"{CONFIGURATION_FILE} is there already; `keyrules config` shows what is in force")
    if (here / BASELINE_FILE).exists():
        raise UsageError(
            f"{BASELINE_FILE} is there already; name it in {CONFIGURATION_FILE} as `scan: {{baseline: …}}`"
        )
    findings, errors = _today(clock())
    for error in errors:
        print(f"keyrules: {printable(error)}", file=sys.stderr)
    accepted = count_of(findings, "finding of today", "findings of today")
    wanted = steps(here)
    new = [step for step in wanted if step.whole and not (here / step.path).exists()]
    for step in wanted:
        state = "new" if step in new else "is there already" if step.whole else "add to it"
        print(f"{step.path} ({state})")
        if step in new or not step.whole:
            print("".join(f"    {line}\n" for line in step.text.splitlines()))
        if step.path == CONFIGURATION_FILE:
            print(f"{BASELINE_FILE} (new)\n    {accepted}, accepted; `keyrules scan` lists them\n")
    if errors:
        print(
            f"{count_of(len(errors), 'input')} cannot be evaluated. Nothing was written: mend that, or leave it out "
            f"with `exclude` in a {CONFIGURATION_FILE} of your own."
        )
        return INCOMPLETE
    if not args.write:
        print("Nothing was written. `keyrules init --write` writes the new files.")
        return CLEAN
    for step in new:
        folder = (here / step.path).parent
        if not folder.resolve().is_relative_to(here.resolve()):
            raise UsageError(f"{folder} is a link that leads out of this folder; nothing was written")
        folder.mkdir(parents=True, exist_ok=True)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        run_command(["scan", "--no-config", "--write-baseline", BASELINE_FILE, "--quiet"], clock, None)
    write_files([("--write", here / step.path, step.text.encode()) for step in new])
    names = ", ".join([*(step.path for step in new), BASELINE_FILE])
    print(f"Written: {names}. Commit them; `keyrules scan` passes now, and fails for what is new.")
    return CLEAN


def _today(now: datetime) -> tuple[int, list[str]]:
    """How many findings a scan of everything here has, and what it cannot evaluate, each in a sentence."""
    from pathlib import Path

    from keyrules.code.scan import ScanRequest, scan
    from keyrules.pack.catalog import load_pack
    from keyrules.pack.selection import select
    from keyrules.terminal import ProgressLine

    pack = load_pack()
    request = ScanRequest(
        paths=(Path(),),
        pack=pack,
        selection=select(pack),
        as_of=now,
        context=Path.cwd(),
        progress=ProgressLine(quiet=False),
    )
    evaluation = scan(request)
    counts = evaluation.counts
    return counts.failed + counts.unknown, [f"{error.input}: {error.message}" for error in evaluation.errors]
