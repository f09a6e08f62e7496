"""`keyrules scan`: arguments in, reports and an exit code out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyrules.code.scan_unit import UNIT_SECONDS
from keyrules.run.options import Asked, add_exclude_option, add_shared_options
from keyrules.terms import Plane, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from keyrules.code.discovery import Discovery
    from keyrules.model import Evaluation, PatchReport

_LONGEST = 86_400

EPILOG = """\
examples:
  keyrules scan                          everything below this folder
  keyrules scan infra/ template.yaml     a folder and a file
  terraform show -json plan.out | keyrules scan -
  keyrules scan --rule KEY_AWS_001 --set KEY_AWS_001.max_age_days=45 infra/
  keyrules scan --format sarif=keyrules.sarif --fail-on high .
  keyrules scan --patch | git apply
formats: text, json, sarif, csv, html, oscal, gitlab-codequality, gitlab-sast,
         junit, github, markdown, jsonl, patch
exit codes: 0 clean, 1 findings, 2 wrong usage, 3 not everything was evaluated
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules scan`."""
    parser.usage = "keyrules scan [OPTION ...] [PATH ...]"
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="folder, file, plan JSON, or - (default: .)",
    )
    add_shared_options(parser)
    add_exclude_option(parser)
    parser.add_argument(
        "--patch",
        action="store_true",
        help="print what mends it, for `git apply`; same as --format patch",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=UNIT_SECONDS,
        metavar="SECONDS",
        help=f"for one module or template (default: {UNIT_SECONDS:g})",
    )


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Runs the scan and writes its reports; `clock` says what time it is, `args.found` what was discovered already.

    Raises UsageError before anything is evaluated or written.
    """
    asked = Asked.of(vars(args))
    if args.patch:
        asked = asked._replace(format=("patch", *asked.format))
    return _evaluate(tuple(args.paths or ["."]), asked, args.timeout, clock, args.found)


def _evaluate(
    names: tuple[str, ...], asked: Asked, timeout: float, clock: Callable[[], datetime], found: Discovery | None
) -> int:
    """`found` is what was discovered for the paths already."""
    from pathlib import Path

    from keyrules.code.named_paths import except_for, readable_paths, renamed
    from keyrules.code.scan import ScanRequest, scanned
    from keyrules.code.scan_unit import Limits
    from keyrules.pack.catalog import load_pack
    from keyrules.run.conclusion import prepare
    from keyrules.run.configuration.exclude_globs import excluded_paths
    from keyrules.run.configuration.merge import settle
    from keyrules.run.exceptions.chosen import chosen_exceptions, exceptions_ground
    from keyrules.run.framework import choose
    from keyrules.terminal import ProgressLine

    now = clock()
    settings = settle(asked, Plane.CODE, names)
    conclusion = prepare(settings)
    conclusion.protect([("a file to evaluate", Path(name)) for name in names])
    pack = load_pack()
    chosen = choose(settings, pack)
    selection = chosen.selection
    if not any(Plane.CODE in rule.planes for rule in selection.rules):
        ids = ", ".join(rule.id for rule in selection.rules)
        chosen_by = settings.rules.only.named("--rule")
        raise UsageError(f"{chosen_by}: {ids} cannot be evaluated on code; `keyrules rules` says which rules can")
    exceptions = chosen_exceptions(settings, pack, now)
    if not 0 < timeout <= _LONGEST:
        raise UsageError(f"--timeout: {timeout:g} is no time to wait; give seconds, more than 0 and up to {_LONGEST:,}")
    excluded = excluded_paths(settings)
    with readable_paths(names) as (paths, aliases):
        request = ScanRequest(
            paths=paths,
            pack=pack,
            selection=selection,
            as_of=settings.as_of or now,
            context=Path.cwd(),
            keep_passing=settings.show_passing,
            limits=Limits(unit_seconds=timeout),
            progress=ProgressLine(settings.quiet),
            excluded=except_for(aliases, excluded),
            found=found,
        )
        done = scanned(request)
        evaluation = renamed(done.evaluation, aliases)
        if exceptions:
            from keyrules.run.exceptions.apply import exempted

            evaluation = exempted(evaluation, exceptions, exceptions_ground(settings, excluded))

        made: list[PatchReport] = []

        def patch(judged: Evaluation) -> PatchReport:
            from keyrules.code.patches.proposing import proposed

            made.append(proposed(request, done, judged))
            return made[0]

    left_out = excluded.left_out if excluded else 0
    code = conclusion.conclude(evaluation, chosen, pack, (now, clock()), left_out, patch)
    if made and "patch" in asked.format and not settings.quiet:
        _say_what_is_left(made[0])
    return code


def _say_what_is_left(patch: PatchReport) -> None:
    """Where the patch goes into git, nobody reads the lines before it."""
    import sys

    number, failures = len(patch.mended), len(patch.mended) + len(patch.left)
    if failures:
        why = "; its first lines say why the others are left" if patch.left else ""
        print(f"keyrules: the patch mends {number} of {failures}{why}", file=sys.stderr)
