"""`--framework` and `--control` on scan and audit: what they select, and the verdicts that they add to a run.

Frameworks and rules are imported where a run needs them: most runs of the hook do not, and are to be over at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyrules.run.settings import Settings
from keyrules.terms import UsageError

if TYPE_CHECKING:
    from keyrules.controls.selection import FrameworkSelection
    from keyrules.model import Evaluation, Selection
    from keyrules.pack.pack import Pack


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


def choose(settings: Settings, pack: Pack) -> Chosen:
    """The rules of a run. Raises UsageError for names that do not exist and for options that exclude each other."""
    from keyrules.pack.selection import select

    rules, framework = settings.rules, settings.framework
    if not framework.value and not rules.controls:
        return Chosen(select(pack, rules.only.value, rules.skipped, rules.thresholds))
    option = "--framework" if framework.value else "--control"
    if framework.value and rules.controls:
        raise UsageError("--control names its framework itself; give --framework or --control, not both.")
    if rules.only.value or rules.skipped:
        other = "--rule" if rules.only.value else "--skip-rule"
        raise UsageError(f"{option} chooses the rules; leave {other} out, or {option}.")
    from keyrules.controls.selection import framework_selection, split_control
    from keyrules.controls.tables import load_frameworks

    name, control = (framework.value[0], None) if framework.value else split_control(rules.controls[0])
    with framework.blamed():
        chosen = framework_selection(pack, load_frameworks(pack), name, control, rules.thresholds, settings.plane)
    return Chosen(chosen.selection, chosen)
