"""`keyrules evidence`: arguments in, a package, or what one comes to, and an exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from keyrules.run.live_options import add_connection_options, add_organization_options
from keyrules.run.options import Asked, add_configuration_options, add_exceptions_option, add_exclude_option
from keyrules.terms import UsageError

if TYPE_CHECKING:
    from datetime import datetime

_MAX_AGE: Final = "24h"
_DEADLINE: Final = "10m"
_PARALLEL: Final = 16

EPILOG = """\
examples:
  keyrules evidence q3 --framework cis_aws_3.0.0 report.csv --code infra
  keyrules evidence q3 --framework soc_2 --organization --role AUDIT
  keyrules evidence verify q3 --code checkout
  keyrules evidence show q3 --framework cis_aws_3.0.0 --control 1.14
  keyrules evidence diff q2 q3
exit codes: 0 made and all judged, or identical; 1 changed; 2 wrong usage;
            3 not everything was judged, or checked; docs/evidence.md has more
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules evidence`."""
    parser.usage = "%(prog)s [verify|show|diff] DIR [OPTION ...] [REPORT ...]"
    parser.add_argument("words", nargs="*", metavar="DIR", help="the package, then reports, as audit takes them")
    made = parser.add_argument_group("what it is about")
    made.add_argument("--framework", action="append", default=[], metavar="NAME", help="a framework; repeatable")
    made.add_argument("--code", action="append", default=[], metavar="PATH", help="folder of code; repeatable")
    made.add_argument("--live", action="store_true", help="ask the live account, beside --code")
    made.add_argument("--assessor", metavar="NAME", help="who assesses")
    live = parser.add_argument_group("live accounts")
    add_connection_options(live)
    live.add_argument("--deadline", metavar="TIME", help=f"longest wait (default: {_DEADLINE})")
    several = parser.add_argument_group("several accounts")
    add_organization_options(several)
    several.add_argument("--accounts", metavar="FILE", help="these accounts: the file that lists them")
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--set", action="append", default=[], metavar="ID.PARAMETER=VALUE", help="change a threshold; repeatable"
    )
    add_exceptions_option(rules)
    add_exclude_option(rules)
    add_configuration_options(parser)
    parser.add_argument(
        "--max-report-age", metavar="TIME", help=f"refuse older ones (default: {_MAX_AGE}, if no --as-of)"
    )
    parser.add_argument("--as-of", metavar="TIME", help="count ages to this moment (default: now)")
    checked = parser.add_argument_group("verify, show, diff")
    checked.add_argument("--manifest-sha256", metavar="SUM", help="what the manifest must be")
    checked.add_argument("--signature", metavar="FILE", help="of the statement (default: the one beside it)")
    checked.add_argument("--allowed-signers", metavar="FILE", help="who may sign, as ssh-keygen has it")
    checked.add_argument("--control", metavar="ID", help="show what stands behind it")
    checked.add_argument("--format", default="text", metavar="FORMAT", help="text, json (default: text)")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Makes a package, or does what the first word says with one; `clock` says what time it is.

    Raises UsageError before anything is read for what is wrong on the command line.
    """
    words = list(args.words)
    if "" in words:
        raise UsageError("one of the words is the empty text; name a folder or a file")
    if not words:
        raise UsageError("name the folder of the package; see keyrules evidence --help")
    if args.format not in FORMATS:
        raise UsageError(f"--format: {args.format!r} is not a format; use one of {', '.join(FORMATS)}")
    if words[0] not in _TAKES:
        _refuse(args, (*_TAKES["verify"], *_TAKES["show"]), ("framework", "code"), "making a package")
        return _make(args, words[0], words[1:], clock())
    number = 2 if words[0] == "diff" else 1
    if len(words) != number + 1:
        raise UsageError(f"{words[0]} takes {'two packages' if number == 2 else 'one package'}; see --help")
    others = {name for name, value in vars(args).items() if value not in (None, False, [])}
    _refuse(args, others - {"words", "found", "command", "version", "quiet", "format"}, _TAKES[words[0]], words[0])
    return {"verify": _verify, "show": _show, "diff": _diff}[words[0]](args, words[1:])


FORMATS: Final = ("text", "json")
_TAKES: Final = {
    "verify": ("code", "manifest_sha256", "signature", "allowed_signers"),
    "show": ("framework", "control"),
    "diff": (),
}
"""The words that are no folder, each with the options that go with it; `./verify` is a folder of that name."""


def _refuse(args: argparse.Namespace, names: Iterable[str], taken: Iterable[str], what: str) -> None:
    """Raises UsageError for an option that does nothing there."""
    for name in sorted(set(names) - set(taken)):
        if getattr(args, name) not in (None, []):
            raise UsageError(f"--{name.replace('_', '-')} does not go with {what}; see keyrules evidence --help")


def _verify(args: argparse.Namespace, words: list[str]) -> int:
    from pathlib import Path

    from keyrules.evidence.verifying import Check, as_json, as_text, verify

    if len(args.code) > 1:
        raise UsageError("--code: the code of a package is one folder; name that of its repository")
    found = verify(
        Check(
            Path(words[0]),
            args.code[0] if args.code else None,
            args.manifest_sha256,
            Path(args.signature) if args.signature else None,
            Path(args.allowed_signers) if args.allowed_signers else None,
        )
    )
    print(as_json(found) if args.format == "json" else as_text(found, words[0]), end="")
    return found.code


def _show(args: argparse.Namespace, words: list[str]) -> int:
    from pathlib import Path

    from keyrules.evidence.showing import as_json, as_text, show

    if len(args.framework) != 1 or not args.control:
        raise UsageError("show takes one --framework and one --control")
    shown = show(Path(words[0]), args.framework[0], args.control)
    print((as_json if args.format == "json" else as_text)(*shown), end="")
    return 0


def _diff(args: argparse.Namespace, words: list[str]) -> int:
    from pathlib import Path

    from keyrules.evidence.comparing import as_json, as_text, compare

    found = compare(Path(words[0]), Path(words[1]))
    print((as_json if args.format == "json" else as_text)(found), end="")
    return 1 if found.differs else 0


def _make(args: argparse.Namespace, folder: str, reports: list[str], now: datetime) -> int:
    from pathlib import Path

    from keyrules.evidence.making import Wish, made_text, make
    from keyrules.live.collection import Address
    from keyrules.live.instants import parse_span
    from keyrules.live.wanted import wanted
    from keyrules.reports.text_style import printable
    from keyrules.terminal import ProgressLine

    if args.assessor == "":
        raise UsageError("--assessor: the name is empty; write one, or leave the option out")
    accounts = wanted(args)
    live = args.live or accounts.several
    if reports and live:
        raise UsageError("reports in files and a live account are two inputs; give one of them")
    if args.organization and not args.role:
        raise UsageError("--organization reaches each account through a role; add --role NAME")
    deadline = parse_span("--deadline", args.deadline or _DEADLINE)
    line = ProgressLine(args.quiet)
    wish = Wish(
        folder=Path(folder),
        asked=Asked.of({**vars(args), "format": [], "control": []}),
        reports=reports,
        code=args.code,
        live=live or (not reports and (not args.code or bool(args.profile or args.role))),
        accounts=accounts,
        address=Address(args.profile, args.region, args.endpoint_url, deadline, _PARALLEL, accounts.via),
        max_age=parse_span("--max-report-age", args.max_report_age or _MAX_AGE)
        if args.max_report_age or not args.as_of
        else None,
        assessor=printable(args.assessor) if args.assessor else None,
        command=_command(args),
        now=now,
        progress=line.say if line.on else None,
    )
    made = make(wish)
    line.say("")
    print(made_text(made, folder), end="")
    incomplete = any(each.errors or each.counts.unknown for each in made.evaluations)
    return 3 if incomplete else 0


_HIDDEN: Final = ("external_id",)
"""Options whose values are shared secrets, or may be."""


def _command(args: argparse.Namespace) -> list[str]:
    """The command line, without what nobody else is to know."""
    from keyrules.evidence.code_tree import without_credentials

    words = ["keyrules", "evidence", *args.words]
    for name, value in sorted(vars(args).items()):
        option = f"--{name.replace('_', '-')}"
        if name in ("words", "found", "command", "version", "quiet", "format") or value in (None, False, []):
            continue
        for each in value if isinstance(value, list) else [value]:
            said = "[not told]" if name in _HIDDEN else str(each)
            words += [option] if each is True else [option, without_credentials(said) if "://" in said else said]
    return words
