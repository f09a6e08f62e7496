"""The arguments of `keyrules scan`; nothing that evaluates is imported for them."""

from __future__ import annotations

import argparse

from keyrules.code.scan_unit import UNIT_SECONDS
from keyrules.run.configuration.exclude_option import add_exclude_option
from keyrules.run.options import add_shared_options

EPILOG = """\
examples:
  keyrules scan                          everything below this folder
  keyrules scan infra/ template.yaml     a folder and a file
  terraform show -json plan.out | keyrules scan -
  keyrules scan --rule KEY_AWS_001 --set KEY_AWS_001.max_age_days=45 infra/
  keyrules scan --format sarif=keyrules.sarif --fail-on high .
formats: text, json, sarif, csv, html, oscal, gitlab-codequality, gitlab-sast,
         junit, github, markdown, jsonl
exit codes: 0 clean, 1 findings, 2 wrong usage, 3 not everything was evaluated
"""


def add_scan_arguments(parser: argparse.ArgumentParser) -> None:
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
        "--timeout",
        type=float,
        default=UNIT_SECONDS,
        metavar="SECONDS",
        help=f"for one module or template (default: {UNIT_SECONDS:g})",
    )
