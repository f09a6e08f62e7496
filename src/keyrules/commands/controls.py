"""`keyrules controls`: frameworks, and how the rules relate to their controls."""

from __future__ import annotations

import argparse

from keyrules.commands.controls_arguments import FORMATS, OSCAL
from keyrules.controls.listing import (
    Table,
    control_table,
    diff_table,
    framework_table,
    list_table,
    matrix_table,
    render,
    rule_table,
)
from keyrules.controls.selection import find_control
from keyrules.controls.tables import load_frameworks
from keyrules.model import UsageError
from keyrules.pack.catalog import Pack, load_pack
from keyrules.pack.selection import find_rule
from keyrules.reports import oscal_component


def run_controls(args: argparse.Namespace) -> int:
    """Prints one view to standard output and returns 0. Raises UsageError for anything that does not exist."""
    if args.format not in FORMATS:
        raise UsageError(f"--format: {args.format!r} is not a format; use one of {', '.join(FORMATS)}.")
    asked = [name for name in ("framework", "rule", "matrix", "diff") if getattr(args, name)]
    if len(asked) > 1:
        names = " and ".join("FRAMEWORK" if name == "framework" else f"--{name}" for name in asked)
        raise UsageError(f"{names} are different views; ask for one at a time.")
    pack = load_pack()
    if args.format == OSCAL:
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
