"""What a run does where the command line and a configuration file both speak: the command line wins, option by option.

`--rule`, `--framework` and `--control` replace what the file says about which rules run; `--skip-rule` takes away from
it, and `--set` wins over its thresholds one by one. A list on the command line replaces the list of the file.

Most runs have no configuration file, and some are to be over at once, so that what reads one is imported for one only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyrules.files import read_named
from keyrules.nearest import did_you_mean
from keyrules.records import replace
from keyrules.reports.report_formats import OSCAL_VERSIONS
from keyrules.run.configuration.boundary import (
    find_configuration,
    refuse_other_owners,
    refuse_reading,
    refuse_writing,
)
from keyrules.run.options import Asked
from keyrules.run.settings import (
    COMMAND_LINE,
    DEFAULT_MAX_DAYS,
    ConfigurationFile,
    Origin,
    Rules,
    Setting,
    Settings,
    Source,
)
from keyrules.terms import EXCEPTIONS_FILE, GROUPINGS, LAYOUTS, YEARS, Plane, Severity, UsageError

if TYPE_CHECKING:
    from keyrules.model import ParameterValue
    from keyrules.pack.catalog import Pack
    from keyrules.run.configuration.file import Configuration, Given


def settle(asked: Asked, plane: Plane, scanned: Sequence[str] = ()) -> Settings:
    """What is in force: the command line, then the configuration file, if there is one, then the defaults.

    `scanned` are the paths of code that the command line names. Raises UsageError for a file that is wrong or goes too
    far, and for options that exclude each other.
    """
    file, unused = _configuration_file(asked, scanned)
    pack, configuration = _load(file) if file is not None else (None, None)
    settings = replace(_Merge(asked, plane, file, configuration).settings(), notes=_not_used(unused, file))
    return settings if pack is None or configuration is None else _with_rules(settings, asked, configuration, pack)


def severity(text: str) -> Severity:
    """`--fail-on`. Raises UsageError with the allowed words."""
    try:
        return Severity[text.upper()]
    except KeyError:
        allowed = ", ".join(level.name.lower() for level in Severity)
        nearest = did_you_mean(text, (level.name.lower() for level in Severity))
        raise UsageError(f"--fail-on: {text!r} is not a severity; {nearest}use one of {allowed}") from None


def moment(text: str) -> datetime:
    """`--as-of` in UTC; a time without an offset is UTC, a date alone is its midnight. Raises UsageError."""
    try:
        value = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        value = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--as-of: {text!r} is not a time; write it as in 2026-06-01T00:00:00Z or 2026-06-01"
        ) from None
    if value.year not in YEARS:
        raise UsageError(f"--as-of: {text!r} is no time from {YEARS[0]} to {YEARS[-1]}; write a year of these")
    return value


def _oscal_version(asked: str | None) -> str:
    if asked is None or asked in OSCAL_VERSIONS:
        return asked or next(iter(OSCAL_VERSIONS))
    raise UsageError(f"--oscal-version: {asked[:40]!r} is not written; use {' or '.join(OSCAL_VERSIONS)}")


class _Merge:
    """Takes each setting from the first that says it; `configuration` is None without a file."""

    def __init__(
        self, asked: Asked, plane: Plane, file: ConfigurationFile | None, configuration: Configuration | None
    ) -> None:
        self._asked = asked
        self._plane = plane
        self._file = file
        self._configuration = configuration
        self._folder = file.path.parent if file is not None else Path()
        self._by_itself = file is None or file.by_itself

    def settings(self) -> Settings:
        """All of them but for what the file says about rules."""
        asked = self._asked
        chosen = bool(asked.rule or asked.framework or asked.control)
        fail_on = self._setting("fail_on", asked.fail_on, "low")
        formats = self._setting("format", asked.format or None, ())
        exclude = self._setting("exclude", asked.exclude or None, ())
        framework = Setting(asked.framework, COMMAND_LINE) if chosen else self._setting("framework", None, None)
        return Settings(
            plane=self._plane,
            file=self._file,
            rules=Rules(
                only=Setting(asked.rule, COMMAND_LINE) if asked.rule else Setting(()),
                skipped=asked.skip_rule,
                thresholds=asked.set,
                controls=asked.control,
                choice=COMMAND_LINE if chosen else None,
                switched=dict.fromkeys(asked.skip_rule, COMMAND_LINE),
                changed=dict.fromkeys(map(_target, asked.set), COMMAND_LINE),
            ),
            framework=framework if chosen else replace(framework, value=_one(framework.value)),
            fail_on=replace(fail_on, value=severity(fail_on.value)),
            format=replace(formats, value=tuple(self._report(formats, spec) for spec in formats.value)),
            exclude=replace(exclude, value=tuple(exclude.value)),
            exceptions=self._file_setting("exceptions", asked.exceptions, self._beside()),
            max_exception_days=self._setting("max_exception_days", None, DEFAULT_MAX_DAYS),
            strict_exceptions=self._setting("strict_exceptions", asked.strict_exceptions, False),
            overrides=self._setting("overrides", None, ()),
            longest_cycle_days=self._setting("longest_cycle_days", None, None),
            longest_cycles=self._setting("longest_cycles", None, {}),
            owners=self._setting("owners", None, {}),
            baseline=self._file_setting("baseline", asked.baseline, None),
            write_baseline=asked.write_baseline,
            exclude_base=os.path.normpath(Path.cwd() / (Path() if asked.exclude else self._folder)),
            as_of=moment(asked.as_of) if asked.as_of is not None else None,
            show_passing=asked.show_passing,
            quiet=asked.quiet,
            no_color=asked.no_color,
            group_by=_grouping(asked.group_by),
            statistics=asked.statistics,
            layout=_layout(asked.output),
            oscal_version=_oscal_version(asked.oscal_version),
        )

    def _setting(self, key: str, asked: Any, default: Any) -> Setting[Any]:
        if asked is not None:
            return Setting(asked, COMMAND_LINE)
        given = self._configuration.setting(key, self._plane) if self._configuration is not None else None
        if self._configuration is None or given is None:
            return Setting(default)
        return Setting(given.value, Origin(Source.FILE, self._configuration.place(given)))

    def _file_setting(self, key: str, asked: str | None, default: str | None) -> Setting[str | None]:
        """A file to read. One that the configuration names must be there: a typing error would read as "none".

        The baseline that this run is to write as its first one need not be.
        """
        setting: Setting[str | None] = self._setting(key, asked, default)
        if not setting.from_file:
            return setting
        path = str(self._folder / str(setting.value))
        if self._by_itself:
            refuse_reading(f"{setting.origin.place}: `{key}`", Path(path), self._folder)
        if os.path.lexists(path):
            return replace(setting, value=path)
        written = self._asked.write_baseline
        if key == "baseline" and written and os.path.normpath(written) == os.path.normpath(path):
            return replace(setting, value=None)
        remedy = f", or make it with --write-baseline {path}" if key == "baseline" else ""
        raise UsageError(
            f"{setting.origin.place}: `{key}` names {path}, which does not exist; name a file that does{remedy}"
        )

    def _beside(self) -> str | None:
        """The exceptions file that nobody need name, because it lies beside the configuration under its usual name."""
        path = self._folder / EXCEPTIONS_FILE
        if not os.path.lexists(path):
            return None
        if self._by_itself and self._asked.exceptions is None:
            refuse_other_owners(path, "--exceptions")
            _refuse_link(path)
        return str(path)

    def _report(self, setting: Setting[Any], spec: str) -> str:
        name, equals, file = spec.partition("=")
        if not setting.from_file or not equals or file == "-":
            return spec
        path = self._folder / file
        if self._by_itself:
            refuse_writing(setting.origin.place, name, path, self._folder, file.endswith("/"))
        return f"{name}={path}{'/' if file.endswith('/') else ''}"


def _layout(asked: str | None) -> str:
    if asked is not None and asked not in LAYOUTS:
        nearest = did_you_mean(asked, LAYOUTS)
        raise UsageError(f"--output: {asked!r} is no layout; {nearest}use one of {', '.join(LAYOUTS)}")
    return asked or LAYOUTS[0]


def _grouping(asked: str | None) -> str:
    if asked is None:
        return GROUPINGS[0]
    if asked not in GROUPINGS:
        raise UsageError(
            f"--group-by: {asked!r} is not what findings can be grouped by; {did_you_mean(asked, GROUPINGS)}use one of "
            f"{', '.join(GROUPINGS)}"
        )
    return asked


def _one(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,)


def _configuration_file(asked: Asked, scanned: Sequence[str]) -> tuple[ConfigurationFile | None, tuple[Path, ...]]:
    """The file to read, relative to the working directory unless --config names it otherwise, and those not used."""
    if asked.config is None:
        if asked.no_config:
            return None, ()
        found = find_configuration(scanned)
        if found.path is None:
            return None, found.unused
        path = Path(os.path.relpath(found.path))
        _refuse_link(path)
        return ConfigurationFile(path, by_itself=True), found.unused
    if asked.no_config:
        raise UsageError("--config names a file and --no-config reads none; give one of them")
    if not asked.config or not os.path.lexists(asked.config):
        name = asked.config or "the empty name"
        raise UsageError(f"--config: {name} does not exist; name a configuration file, or leave the option out")
    return ConfigurationFile(Path(asked.config), by_itself=False), ()


def _not_used(unused: tuple[Path, ...], file: ConfigurationFile | None) -> tuple[str, ...]:
    """A note on configurations that lie nearer to what is scanned than the one in use."""
    if not unused:
        return ()
    names = ", ".join(os.path.relpath(path) for path in unused[:3]) + (", …" if len(unused) > 3 else "")
    used = f"{file.path} is" if file is not None else "no configuration is"
    verb = "is not used" if len(unused) == 1 else f"are not used ({len(unused):,} files)"
    return (f"{names} {verb}, {used}: name one with --config, or scan its folder alone from within its repository",)


def _refuse_link(path: Path) -> None:
    """Raises UsageError for a link that leads out of its folder."""
    if path.is_symlink():
        refuse_reading(f"the link {path}", Path(os.path.realpath(path)), path.parent)


def _load(file: ConfigurationFile) -> tuple[Pack, Configuration]:
    from keyrules.pack.catalog import load_pack
    from keyrules.run.configuration.file import parse_configuration

    name = str(file.path)
    try:
        data = read_named(name)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or type(error).__name__}.") from None
    pack = load_pack()
    return pack, parse_configuration(data, name, pack)


def _target(setting: str) -> tuple[str, str]:
    """The rule and the parameter that the text of a --set names."""
    rule_id, _, name = setting.partition("=")[0].strip().partition(".")
    return rule_id, name


def _with_rules(settings: Settings, asked: Asked, configuration: Configuration, pack: Pack) -> Settings:
    """With the file's thresholds, and its choice of rules where the command line makes none."""
    from keyrules.pack.parameters import show_value

    def place(given: Given) -> Origin:
        return Origin(Source.FILE, configuration.place(given))

    rules, thresholds = settings.rules, sorted(configuration.parameters.items())
    changed = {target: place(given) for target, given in thresholds}
    texts = tuple(f"{rule}.{name}={show_value(_parameter(given))}" for (rule, name), given in thresholds)
    rules = replace(rules, thresholds=(*texts, *asked.set), changed={**changed, **rules.changed})
    if rules.choice:
        return replace(settings, rules=rules)
    if settings.framework.value:
        if asked.skip_rule:
            sentence = "`framework` chooses the rules; leave --skip-rule out, or choose the rules with --rule"
            raise UsageError(f"{settings.framework.origin.place}: {sentence}")
        return replace(settings, rules=replace(rules, choice=settings.framework.origin))
    on = {rule.id for rule in pack.rules if rule.default_on}
    switches = {rule_id: given for (rule_id, _), given in reversed(thresholds) if rule_id not in on}
    switched = {}
    for rule_id, given in {**switches, **configuration.switches}.items():
        switched[rule_id] = place(given)
        # What is no switch is a parameter, and that turns an opt-in rule on.
        on = on - {rule_id} if given.value is False else on | {rule_id}
    if not on:
        raise UsageError(f"{configuration.name}: every rule is off, so there is nothing to evaluate; leave one on")
    only = Setting(tuple(sorted(on)), Origin(Source.FILE, configuration.name))
    return replace(settings, rules=replace(rules, only=only, switched={**switched, **rules.switched}))


def _parameter(given: Given) -> ParameterValue:
    return tuple(given.value) if isinstance(given.value, list) else int(str(given.value))
