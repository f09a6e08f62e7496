"""What a configuration file did to a run, so that whoever reads a report knows what it left out or let pass."""

from __future__ import annotations

from keyrules.model import ConfigurationUse, Evaluation, Plane, Selection, Severity
from keyrules.pack.parameters import show_value
from keyrules.run.configuration.override_keys import override_text
from keyrules.run.settings import ConfigurationFile, Setting, Settings, Source


def configuration_use(
    file: ConfigurationFile,
    settings: Settings,
    selection: Selection,
    default_on: frozenset[str],
    evaluation: Evaluation,
    left_out: int,
) -> ConfigurationUse:
    """The use that an evaluation made of its configuration file.

    `default_on` are the rules of the plane that run by default, `left_out` the number of files and folders that were
    excluded. What the command line said itself is not told.
    """
    rules, fail_on = settings.rules, settings.fail_on
    chosen_here = rules.choice is None or rules.choice.source is Source.FILE
    off = default_on - {rule.id for rule in selection.rules} - set(rules.skipped) if chosen_here else frozenset()
    return ConfigurationUse(
        file=file.path.as_posix(),
        by_itself=file.by_itself,
        framework=", ".join(settings.framework.value) or None if settings.framework.from_file else None,
        rules_off=tuple(sorted(off)),
        thresholds=_thresholds(settings, selection),
        overrides=tuple(map(override_text, settings.overrides.value)),
        fail_on=fail_on.value if fail_on.from_file and fail_on.value > Severity.LOW else None,
        left_out=left_out if settings.exclude.from_file else 0,
        exceptions=_named(settings.exceptions),
        exempt=_exempt(evaluation),
        baseline=_named(settings.baseline),
        known=evaluation.counts.known,
    )


def _thresholds(settings: Settings, selection: Selection) -> tuple[tuple[str, str], ...]:
    changed = []
    for rule in selection.rules:
        for name, parameter in rule.parameters.items():
            origin, value = settings.rules.changed.get((rule.id, name)), selection.value(rule, name)
            if origin is not None and origin.source is Source.FILE and value != parameter.default:
                changed.append((f"{rule.id}.{name}={show_value(value)}", show_value(parameter.default)))
    return tuple(changed)


def _exempt(evaluation: Evaluation) -> int:
    """How many verdicts the exceptions accept; on the live plane nothing else exempts any."""
    if evaluation.plane is Plane.LIVE:
        return evaluation.counts.exempt
    return sum(finding.exception is not None for finding in evaluation.findings)


def _named(setting: Setting[str | None]) -> str | None:
    """A file that the configuration names, or that counts because it lies beside it."""
    return None if setting.origin.source is Source.COMMAND_LINE else setting.value
