"""The command line from its words to the exit code. The only place that reads the clock.

Nearly every commit has nothing to evaluate: such a scan is over before argparse is imported.
"""

from __future__ import annotations

import io
import os
import signal
import sys

from keyrules.records import TYPE_CHECKING
from keyrules.terms import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def current_time() -> datetime:
    """Now, in UTC, to the second. Read once per run and passed on as `as_of`."""
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).replace(microsecond=0)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code; every foreseeable failure is one sentence on standard error."""
    if argv is None:
        # A pipeline that is cancelled sends SIGTERM: it ends the worker process as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run_and_flush(list(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        return _refuse(str(error), 2)
    except InputError as error:
        return _refuse(str(error), 3)
    except OSError as error:
        # Standard output cannot take what is left to print, and Python would try again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            # Of a listing its reader had enough; of an evaluation nobody knows what was read.
            return 3 if _evaluates(sys.argv[1:] if argv is None else argv) else 0
        name = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return _refuse(f"{name}{error.strerror or type(error).__name__}; nothing was concluded", 3)
    except KeyboardInterrupt:
        return _refuse("interrupted; nothing was concluded", 3)
    except Exception as error:
        # Python's own exit code for this is 1, which reads as "findings"; and a traceback may quote what was read.
        return _refuse(f"failed unexpectedly ({type(error).__name__}); nothing was concluded. Please report this", 3)


def _run_and_flush(argv: list[str]) -> int:
    """Runs the command with all of its output written when it returns, so that a failing write is met here."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            raise UsageError("standard output or standard error is closed; redirect it to /dev/null instead")
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(argv)
    finally:
        sys.stdout.flush()


def _evaluates(argv: Sequence[str]) -> bool:
    """Whether what is printed is the outcome of an evaluation, whose exit code stands for it."""
    from keyrules.arguments import command_of

    asks_for_help = bool({"-h", "--help"} & set(argv))
    return command_of(argv) in ("scan", "audit", "keys", "evidence", "exceptions") and not asks_for_help


def _refuse(sentence: str, code: int) -> int:
    """One line on standard error, whatever the names in it hold."""
    if sys.stderr is not None:
        from keyrules.reports.text_style import printable

        print(f"keyrules: {printable(sentence)}", file=sys.stderr)
    return code


def _run(argv: list[str]) -> int:
    found = None
    if argv[:1] == ["scan"]:
        from keyrules.code.early_answer import first_look, say_nothing

        found = first_look(argv[1:])
        if found is not None and found.empty:
            return say_nothing(argv[1:], found)
    from keyrules.arguments import run_command

    return run_command(argv, current_time, found)
