"""The arguments of `keyrules audit`; nothing that evaluates is imported for them."""

from __future__ import annotations

import argparse
from typing import Final

from keyrules.run.options import add_shared_options

MAX_AGE: Final = "24h"
_DEADLINE: Final = "10m"

EPILOG = """\
examples:
  keyrules audit --profile prod --verify      an account and its flagged users
  keyrules audit report.csv --due-within 14d  a report, and what fails soon
  keyrules audit reports/ --format csv=x.csv  a folder, one report per account
  aws iam get-credential-report | keyrules audit -
formats: text, json, sarif, csv, html, oscal, junit, github, markdown, jsonl,
         ocsf, asff
exit codes: 0 clean, 1 findings, 2 wrong usage, 3 not everything was evaluated
"""


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules audit`."""
    parser.usage = "%(prog)s [OPTION ...] [REPORT ...]"
    parser.add_argument(
        "reports",
        nargs="*",
        metavar="REPORT",
        help="CSV, AWS CLI JSON, folder or - (default: live)",
    )
    add_shared_options(parser)
    live = parser.add_argument_group("live account")
    live.add_argument("--profile", metavar="NAME", help="AWS profile")
    live.add_argument("--region", metavar="REGION", help="a region of the partition (GovCloud, China)")
    live.add_argument("--endpoint-url", metavar="URL", help="another address for IAM and STS")
    live.add_argument(
        "--deadline", default=_DEADLINE, metavar="TIME", help=f"longest wait for a report (default: {_DEADLINE})"
    )
    live.add_argument("--verify", action="store_true", help="ask for key ids, owners and what was fixed since")
    live.add_argument(
        "--owner-tag", default="owner", metavar="TAG", help="user tag that names the owner (default: owner)"
    )
    parser.add_argument(
        "--max-report-age", metavar="TIME", help=f"refuse older ones (default: {MAX_AGE}, if no --as-of)"
    )
    parser.add_argument("--due-within", metavar="TIME", help="note what will fail within it, as in 14d")
    parser.add_argument("--counts-only", action="store_true", help="list no findings, for very large reports")
