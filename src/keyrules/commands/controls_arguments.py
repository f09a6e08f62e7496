"""The arguments of `keyrules controls`; nothing that reads a framework is imported for them."""

from __future__ import annotations

import argparse

TABLE_FORMATS = ("text", "csv", "json", "markdown")
"""The formats that every view has."""

OSCAL = "oscal"
FORMATS = (*TABLE_FORMATS, OSCAL)
EPILOG = """\
examples:
  keyrules controls                                     every framework edition
  keyrules controls cis_aws_3.0.0                       one edition
  keyrules controls cis_aws_3.0.0:1.14                  one control
  keyrules controls --rule KEY_AWS_001                  one rule across editions
  keyrules controls --diff cis_aws_3.0.0 cis_aws_5.0.0  what moved
  keyrules controls --matrix --format csv               rules against frameworks
  keyrules controls cis_aws_3.0.0 --format oscal        an OSCAL component"""


def add_controls_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what selects a view and its format."""
    parser.add_argument(
        "framework", nargs="?", metavar="FRAMEWORK[:ID]", help="show this edition, or one control of it"
    )
    parser.add_argument("--rule", metavar="ID", help="show its controls in every edition")
    parser.add_argument("--matrix", action="store_true", help="show rules against frameworks")
    parser.add_argument("--diff", nargs=2, metavar=("OLD", "NEW"), help="show what moved between two editions")
    parser.add_argument("--format", default="text", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: text)")
