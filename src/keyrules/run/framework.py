"""`--framework` and `--control` on scan and audit: what they select, and the verdicts that they add to a run.

Frameworks and rules are imported where a run needs them: most runs of the hook do not, and are to be over at once.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from keyrules.run.configuration.option import blaming_the_file
from keyrules.terms import Plane, UsageError

if TYPE_CHECKING:
    from keyrules.controls.selection import FrameworkSelection
    from keyrules.model import Evaluation, Selection
    from keyrules.pack.catalog import Pack


class Chosen(NamedTuple):
    """What a run evaluates; `framework` is None where nobody asked for one."""

    selection: Selection
    framework: FrameworkSelection | None = None

    def judged(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation with a verdict on each control of the framework; unchanged without one."""
        if self.framework is None:
            return evaluation
        from dataclasses import replace

        from keyrules.controls.verdicts import framework_report

        return replace(evaluation, framework=framework_report(self.framework, evaluation))


def add_framework_options(group: argparse._ArgumentGroup) -> None:
    """Adds --framework and --control to the options that select rules."""
    group.add_argument("--framework", metavar="NAME", help="run a framework's rules, as in cis_aws_3.0.0")
    group.add_argument("--control", metavar="FRAMEWORK:ID", help="run the rules of one control")


def choose(args: argparse.Namespace, pack: Pack, plane: Plane) -> Chosen:
    """The rules of a run. Raises UsageError for names that do not exist and for options that exclude each other."""
    from keyrules.pack.selection import select

    if args.framework is None and args.control is None:
        return Chosen(select(pack, args.rule, args.skip_rule, args.set))
    option = "--framework" if args.framework is not None else "--control"
    if args.framework is not None and args.control is not None:
        raise UsageError("--control names its framework itself; give --framework or --control, not both.")
    if args.rule or args.skip_rule:
        other = "--rule" if args.rule else "--skip-rule"
        raise UsageError(f"{option} chooses the rules; leave {other} out, or {option}.")
    from keyrules.controls.selection import framework_selection, split_control
    from keyrules.controls.tables import load_frameworks

    name, control = (args.framework, None) if args.control is None else split_control(args.control)
    with blaming_the_file(args, "framework"):
        chosen = framework_selection(pack, load_frameworks(pack), name, control, args.set, plane)
    return Chosen(chosen.selection, chosen)
