"""`keyrules controls`: frameworks, and how the rules relate to their controls."""

from __future__ import annotations

import argparse

from keyrules.catalog import Pack, load_pack
from keyrules.control_selection import find_control
from keyrules.control_tables import (
    FORMATS,
    Table,
    control_table,
    diff_table,
    framework_table,
    list_table,
    matrix_table,
    render,
    rule_table,
)
from keyrules.controls import load_frameworks
from keyrules.model import UsageError
from keyrules.reports import oscal_component
from keyrules.selection import find_rule

_OSCAL = "oscal"
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
    parser.add_argument(
        "--format", default="text", metavar="FORMAT", help=f"{', '.join((*FORMATS, _OSCAL))} (default: text)"
    )


def run_controls(args: argparse.Namespace) -> int:
    """Prints one view to standard output and returns 0. Raises UsageError for anything that does not exist."""
    if args.format not in (*FORMATS, _OSCAL):
        raise UsageError(f"--format: {args.format!r} is not a format; use one of {', '.join((*FORMATS, _OSCAL))}.")
    asked = [name for name in ("framework", "rule", "matrix", "diff") if getattr(args, name)]
    if len(asked) > 1:
        names = " and ".join("FRAMEWORK" if name == "framework" else f"--{name}" for name in asked)
        raise UsageError(f"{names} are different views; ask for one at a time.")
    pack = load_pack()
    if args.format == _OSCAL:
        print(_component(args, pack), end="")
        return 0
    head = {"schema": "keyrules-controls/1", "pack": pack.stamp.version, "pack_sha256": pack.stamp.sha256}
    print(render(_table(args, pack), args.format, head), end="")
    return 0


def _component(args: argparse.Namespace, pack: Pack) -> str:
    if args.rule or args.matrix or args.diff or ":" in (args.framework or ""):
        raise UsageError("--format oscal describes whole frameworks; give one FRAMEWORK, or none for all of them.")
    frameworks = load_frameworks(pack)
    editions = (frameworks.edition(args.framework),) if args.framework else frameworks.editions
    return oscal_component.render(editions, pack.stamp)


def _table(args: argparse.Namespace, pack: Pack) -> Table:
    frameworks = load_frameworks(pack)
    if args.rule:
        return rule_table(frameworks, find_rule(pack, args.rule))
    if args.matrix:
        return matrix_table(pack, frameworks, letters=args.format == "text")
    if args.diff:
        old, new = (frameworks.edition(key) for key in args.diff)
        return diff_table(frameworks, old, new)
    if args.framework:
        key, colon, control = args.framework.partition(":")
        edition = frameworks.edition(key)
        if colon:
            return control_table(frameworks, edition, find_control(frameworks, edition, control))
        return framework_table(frameworks, edition)
    return list_table(frameworks)
