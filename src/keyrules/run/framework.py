"""`--framework` and `--control` on scan and audit: what they select, and the verdicts that they add to a run.

Frameworks and rules are imported where a run needs them: most runs of the hook do not, and are to be over at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyrules.run.settings import Settings
from keyrules.terms import UsageError

if TYPE_CHECKING:
    from keyrules.controls.selection import FrameworkSelection
    from keyrules.model import Evaluation, ParameterValue, Selection
    from keyrules.pack.pack import Pack


class Chosen(NamedTuple):
    """What a run evaluates; `frameworks` has a part for each edition that was asked for."""

    selection: Selection
    frameworks: tuple[FrameworkSelection, ...] = ()

    def judged(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation with a verdict on each control that was asked for; unchanged without one."""
        if not self.frameworks:
            return evaluation
        from keyrules.controls.verdicts import framework_report
        from keyrules.records import replace

        return replace(evaluation, framework=framework_report(evaluation, *self.frameworks))


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
    from keyrules.controls.selection import framework_selections, split_control
    from keyrules.controls.tables import load_frameworks
    from keyrules.run.configuration.override_keys import override_values

    wanted = [*((name, None) for name in framework.value), *map(split_control, rules.controls)]
    for_some: dict[tuple[str, str], list[ParameterValue]] = {}
    for each in settings.overrides.value:
        for target, value in override_values(each).items():
            for_some.setdefault(target, []).append(value)
    with framework.blamed():
        chosen = framework_selections(pack, load_frameworks(pack), wanted, rules.thresholds, settings.plane, for_some)
    return Chosen(chosen[0].selection, chosen)
