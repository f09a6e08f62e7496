"""`.keyrules.yaml` itself: every refusal with its sentence, and a schema that says the same as the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from canaries import assert_no_leak, make_canary
from hypothesis import given, settings
from hypothesis import strategies as st
from scanning import PROJECT

from keyrules.cli import main
from keyrules.model import Plane, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.reports.report_formats import FORMATS, formats_of
from keyrules.run.configuration.file import Configuration, Given, parse_configuration
from keyrules.run.configuration.schema import configuration_schema

PACK = load_pack()
SCHEMA = configuration_schema(PACK)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
SHIPPED = PROJECT / "src/keyrules/schemas/configuration.jsonschema"
EVERYTHING = """\
rules:
  KEY_AWS_007: on
  KEY_AWS_006: off
  KEY_AWS_001: {max_age_days: 60, slots: [1]}
fail_on: high
format: [text, "sarif=keyrules.sarif"]
exclude: ["examples/**", "**/testdata/"]
exceptions: accepted.yaml
max_exception_days: 180
strict_exceptions: true
scan:
  fail_on: critical
  format: [json]
  exclude: []
  baseline: code.json
audit:
  fail_on: low
  format: [csv=audit.csv]
  baseline: live.json
  overrides:
    - subject: svc-*
      rules: {KEY_AWS_001: {max_age_days: 180, slots: [1]}, KEY_AWS_002: {max_idle_days: 60}}
      reason: The partner takes new keys twice a year
      owner: integration-team@example.com
    - {tag: rotation=vault, rules: {KEY_AWS_001: {max_age_days: 365}}, reason: Vault rotates it, owner: vault-team}
"""


def read(text: str | bytes) -> Configuration:
    return parse_configuration(text if isinstance(text, bytes) else text.encode(), ".keyrules.yaml", PACK)


def refusal(text: str | bytes) -> str:
    with pytest.raises(UsageError) as refused:
        read(text)
    sentence = str(refused.value)
    assert sentence.startswith(".keyrules.yaml") and "\n" not in sentence
    return sentence


def test_comments_only_set_nothing() -> None:
    assert read("# fail_on: high\n\n# soon\n") == Configuration(".keyrules.yaml", {}, {}, {})


class TestWhatIsRead:
    def test_every_key(self) -> None:
        found = read(EVERYTHING)
        assert found.settings["fail_on"] == Given("high", 5)
        assert found.settings["scan.baseline"] == Given("code.json", 15)
        assert found.switches == {"KEY_AWS_007": Given(True, 2), "KEY_AWS_006": Given(False, 3)}
        assert found.parameters == {
            ("KEY_AWS_001", "max_age_days"): Given(60, 4),
            ("KEY_AWS_001", "slots"): Given([1], 4),
        }
        assert VALIDATOR.is_valid(yaml.safe_load(EVERYTHING))

    @pytest.mark.parametrize(
        ("key", "code", "live"),
        [
            ("fail_on", "critical", "low"),
            ("format", ["json"], ["csv=audit.csv"]),
            ("exclude", [], ["examples/**", "**/testdata/"]),
            ("baseline", "code.json", "live.json"),
            ("exceptions", "accepted.yaml", "accepted.yaml"),
        ],
    )
    def test_a_section_wins_over_the_top(self, key: str, code: object, live: object) -> None:
        found = read(EVERYTHING)
        values = [given.value for plane in Plane if (given := found.setting(key, plane))]
        assert values == [code, live]

    def test_overrides(self) -> None:
        given = read(EVERYTHING).settings["audit.overrides"].value
        assert isinstance(given, list)
        assert given[0] == {
            "subject": "svc-*",
            "rules": {"KEY_AWS_001": {"max_age_days": 180, "slots": [1]}, "KEY_AWS_002": {"max_idle_days": 60}},
            "reason": "The partner takes new keys twice a year",
            "owner": "integration-team@example.com",
        }
        assert given[1]["tag"] == "rotation=vault" and "subject" not in given[1]

    def test_what_is_absent_is_none(self) -> None:
        assert read("fail_on: low").setting("baseline", Plane.CODE) is None
        assert read("scan: {fail_on: low}").setting("fail_on", Plane.LIVE) is None

    @pytest.mark.parametrize("text", ["{}", "rules: {}", "scan: {}", "format: []", "exclude: []"])
    def test_nothing_said_is_no_mistake(self, text: str) -> None:
        assert not read(text).switches

    @pytest.mark.parametrize(("text", "value"), [("on", True), ("'off'", False), ("true", True), ("no", False)])
    def test_switches_as_both_versions_of_yaml_have_them(self, text: str, value: bool) -> None:
        assert read(f"strict_exceptions: {text}").settings["strict_exceptions"].value is value
        assert read(f"rules: {{KEY_AWS_007: {text}}}").switches["KEY_AWS_007"].value is value

    def test_every_rule_and_parameter(self) -> None:
        for rule in PACK.rules:
            assert rule.id in read(f"rules: {{{rule.id}: on}}").switches
            for name, parameter in rule.parameters.items():
                value = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
                text = json.dumps({"rules": {rule.id: {name: value}}})
                assert read(text).parameters[rule.id, name].value == value


TOP = (
    "rules, scan, audit, framework, fail_on, format, exclude, exceptions, max_exception_days, strict_exceptions, "
    "longest_cycle_days, longest_cycles, owners"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a", ", line 1: found a single value or a list at the top"),
        (b"fail_on: \xff", " is not UTF-8 (byte 10); save it as UTF-8."),
        ("fail_on: low\nfail_on: high", ", line 2: the key 'fail_on' stands here a second time"),
        ("exceptions: 2026-01-01", ", line 1: found an unquoted date"),
        ("fail_on:", ", line 1: found no value; write one or leave the key out."),
        ("a: &x 1", ", line 1: found an anchor or an alias"),
        ("fail-on: high", f", line 1: `fail-on` is an unknown key, perhaps meant as `fail_on`; allowed: {TOP}."),
        ("x: 1", f", line 1: `x` is an unknown key; allowed: {TOP}."),
        (f"{'k' * 25}: 1", f", line 1: `…` is an unknown key; allowed: {TOP}."),
        ("scan:\n  formats: []", ", line 2: `scan.formats` is an unknown key, perhaps meant as `format`; allowed:"),
        (
            "baseline: b.json",
            ", line 1: `baseline` stands in the wrong place, it belongs under `scan` or under `audit`;",
        ),
        (
            "audit: {exclude: []}",
            "`audit.exclude` stands in the wrong place, it belongs at the top level or under `scan`;",
        ),
        ("scan: {exceptions: x}", "`scan.exceptions` stands in the wrong place, it belongs at the top level;"),
        ("scan: on", ", line 1: `scan` has on; allowed: a mapping of keys."),
        ("rules: [KEY_AWS_001]", ", line 1: `rules` has a list; allowed: a mapping of keys."),
        ("rules:\n  KEY_AWS_008a: on", ", line 2: `rules`: There is no rule 'KEY_AWS_008a'; did you mean KEY_AWS_008?"),
        ("rules: {key_aws_001: on}", "did you mean KEY_AWS_001?"),
        (
            f"rules: {{{'K' * 25}: on}}",
            ", line 1: `rules.…` is no rule id; allowed: ids as `keyrules rules` lists them.",
        ),
        ("rules: {KEY_AWS_006: maybe}", "`rules.KEY_AWS_006` has 'maybe'; allowed: on, off, a mapping of grace_days."),
        ("rules: {KEY_AWS_005: 1}", "`rules.KEY_AWS_005` has 1; allowed: on, off."),
        ("rules: {KEY_AWS_005: {days: 1}}", "`rules.KEY_AWS_005` has a mapping, and the rule has no parameters;"),
        ("rules: {KEY_AWS_006: {}}", "`rules.KEY_AWS_006` has an empty mapping; allowed: on, off, a mapping of grace_"),
        (
            "rules:\n  KEY_AWS_001:\n    max_age: 60",
            ", line 3: `rules.KEY_AWS_001.max_age` is no parameter of the rule, perhaps meant as `max_age_days`; "
            "allowed: max_age_days, slots.",
        ),
        (
            "rules: {KEY_AWS_001: {max_age_days: 0}}",
            "`rules.KEY_AWS_001.max_age_days` has 0; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        (
            "rules: {KEY_AWS_001: {max_age_days: 1000000000}}",
            "has 1000000000; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        (
            "rules: {KEY_AWS_001: {max_age_days: on}}",
            "`rules.KEY_AWS_001.max_age_days` has on; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        (
            "rules: {KEY_AWS_001: {max_age_days: '60'}}",
            "has '60'; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        ("rules: {KEY_AWS_001: {slots: 1}}", "`rules.KEY_AWS_001.slots` has 1; allowed: a list of one or more of 1,2."),
        ("rules: {KEY_AWS_001: {slots: [1, 1]}}", "has a list; allowed: a list of one or more of 1,2."),
        ("rules: {KEY_AWS_001: {slots: []}}", "has a list; allowed: a list of one or more of 1,2."),
        ("framework: cis_aws", ", line 1: `framework` has 'cis_aws'; allowed: "),
        ("fail_on: severe", "`fail_on` has 'severe'; allowed: low, medium, high, critical."),
        ("fail_on: HIGH", "`fail_on` has 'HIGH'; allowed: low, medium, high, critical."),
        ("format: text", "`format` has 'text'; allowed: a list, as in [a, b]."),
        (
            "format: [text, yaml]",
            "`format` has 'yaml' as item 2; allowed: FORMAT or FORMAT=FILE, with FORMAT one of text,",
        ),
        ("format: [json=]", "`format` has 'json=' as item 1; allowed: FORMAT or FORMAT=FILE"),
        ("format: [text, text]", "`format` has item 1 a second time as item 2; allowed: each item once."),
        ("exclude: [a, ../b]", "`exclude` has '../b' as item 2; allowed: a glob as in a .gitignore, like examples/**"),
        ("exclude: ['!a']", "`exclude` has '!a' as item 1;"),
        ("exclude: [1]", "`exclude` has 1 as item 1;"),
        (
            "exceptions: ''",
            "`exceptions` has empty text; allowed: the name of a file, relative to the folder of this one.",
        ),
        ("exceptions: [a]", "`exceptions` has a list;"),
        ("max_exception_days: 0", "`max_exception_days` has 0; allowed: 1 to 3650 days."),
        ("max_exception_days: 3651", "`max_exception_days` has 3651; allowed: 1 to 3650 days."),
        ("max_exception_days: true", "`max_exception_days` has on; allowed: 1 to 3650 days."),
        ("longest_cycle_days: 7", "`longest_cycle_days` has 7; allowed: 8 to 400 days."),
        ("owners: [a]", "`owners` has a list; allowed: a mapping by user"),
        ("owners: {ci: 3}", "`owners` has 3 for 'ci'; allowed: text of up to 200 characters on one line."),
        ("longest_cycles: {ci: 401}", "`longest_cycles` has 401 for 'ci'; allowed: 8 to 400 days."),
        ("strict_exceptions: 1", "`strict_exceptions` has 1; allowed: on or off."),
        (
            "framework: cis_aws_3.0.0\nrules:\n  KEY_AWS_006: off",
            ", line 3: `rules.KEY_AWS_006` is turned off, and `framework` (line 1) chooses the rules; allowed: one of "
            "both, or a mapping of parameters for the rule.",
        ),
        ("audit: {framework: cis_aws_3.0.0}\nrules: {KEY_AWS_007: on}", "`audit.framework` (line 1) chooses the rules"),
        ("overrides: []", "`overrides` stands in the wrong place, it belongs under `audit`;"),
    ],
)
def test_refusals(text: str | bytes, says: str) -> None:
    assert says in refusal(text)


def test_a_framework_takes_thresholds_beside_it() -> None:
    found = read("framework: cis_aws_3.0.0\nrules: {KEY_AWS_001: {max_age_days: 45}}")
    assert found.parameters["KEY_AWS_001", "max_age_days"].value == 45


def test_a_format_of_one_plane_says_where_it_belongs() -> None:
    for name in FORMATS:
        code, live = name in formats_of(Plane.CODE), name in formats_of(Plane.LIVE)
        for section, fits in (("", code and live), ("scan", code), ("audit", live)):
            text = json.dumps({section: {"format": [name]}} if section else {"format": [name]})
            if fits:
                assert read(text)
            else:
                able = "scan" if code else "audit"
                assert f"{name!r}, and {'it may stand under' if not section else 'only'} {able}" in refusal(text)


class TestSchema:
    @pytest.mark.parametrize("name", ["configuration", "exceptions"])
    def test_the_shipped_file_is_what_the_command_prints(self, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        path = PROJECT / f"src/keyrules/schemas/{name}.jsonschema"
        assert main(["config", "--schema", name]) == 0
        wanted = f"it is stale: keyrules config --schema {name} > {path.relative_to(PROJECT)}"
        assert path.read_text(encoding="utf-8") == capfd.readouterr().out, wanted

    def test_it_is_one(self) -> None:
        jsonschema.Draft7Validator.check_schema(SCHEMA)
        assert SCHEMA["$id"].endswith(f"/{SHIPPED.relative_to(PROJECT).as_posix()}")

    def test_everything_in_it_is_explained(self) -> None:
        for name, part in SCHEMA["properties"].items():
            assert part["description"], name


TEXTS = ["on", "off", "yes", "", " ", "low", "critical", "text", "json=x", "json=", "junit=-", "x" * 41, "é", "\u202e"]
GLOBS = ["a", "a/**", "../a", "!a", "a\x01b", "a**", "./", "\\"]
NAMES = [*FORMATS, "cis_aws_3.0.0", "cis", "KEY_AWS_001", "max_age_days"]
WORDS = st.sampled_from([*TEXTS, *GLOBS, *NAMES])
SCALARS = st.one_of(st.booleans(), st.none(), st.integers(-2, 4000), st.sampled_from([10**9, 1.5]), WORDS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2), max_leaves=4
)
RULE_VALUES = st.one_of(
    st.sampled_from(["on", "off", True, False]),
    st.dictionaries(
        st.sampled_from(["max_age_days", "slots", "grace_days", "x"]),
        st.one_of(st.integers(-1, 5), st.lists(st.integers(0, 3), max_size=3), SCALARS),
        max_size=2,
    ),
    VALUES,
)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "framework": st.sampled_from(["cis_aws_3.0.0", "cis_aws_7.0.0"]),
    "fail_on": st.sampled_from(["low", "medium", "high", "critical"]),
    "format": st.lists(st.sampled_from([*FORMATS, "text", "json=x", "csv=-"]), max_size=3),
    "exclude": st.lists(st.sampled_from(["a", "a/**", "**/b", "/c/"]), max_size=3),
    "exceptions": st.sampled_from(["x.yaml", "../x"]),
    "max_exception_days": st.integers(0, 3652),
    "strict_exceptions": st.booleans(),
    "longest_cycle_days": st.integers(7, 401),
    "owners": st.dictionaries(st.sampled_from(["ci-*", "1/ci"]), st.sampled_from(["a b", ""]), max_size=2),
    "longest_cycles": st.dictionaries(st.just("ci"), st.integers(7, 401), max_size=1),
    "baseline": st.just("b.json"),
}
RULE_IDS = st.sampled_from(["KEY_AWS_001", "KEY_AWS_006", "KEY_AWS_007", "KEY_AWS_999"])
SECTION = st.fixed_dictionaries({}, optional={key: value | VALUES for key, value in GOOD.items()})
RULES = st.dictionaries(RULE_IDS, RULE_VALUES, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents of which some are right; small, so that most have one mistake at most."""
    parts: dict[str, st.SearchStrategy[Any]] = {**GOOD, "rules": RULES, "scan": SECTION, "audit": SECTION}
    keys = draw(st.lists(st.sampled_from([*parts, "fail-on"]), unique=True, max_size=3))
    return {key: draw(parts[key] if key in parts and draw(st.integers(0, 3)) else VALUES) for key in keys}


@settings(max_examples=600, deadline=None)
@given(documents())
def test_schema_and_loader_agree(document: dict[str, Any]) -> None:
    # JSON with ASCII only is YAML that both versions read alike.
    text = json.dumps(document)
    try:
        read(text)
        accepted = True
    except UsageError:
        accepted = False
    assert accepted == VALIDATOR.is_valid(document), text


@pytest.mark.parametrize(
    "document",
    [
        {"framework": "cis_aws_3.0.0", "rules": {"KEY_AWS_001": "on"}},
        {"scan": {"framework": "cis_aws_3.0.0"}, "rules": {"KEY_AWS_001": True}},
        {"scan": {"framework": "cis_aws_3.0.0"}, "rules": {"KEY_AWS_001": {"max_age_days": 1}}},
        {"framework": "cis_aws_3.0.0", "rules": {}},
        {"baseline": "b"},
        {"audit": {"exclude": []}},
        {"rules": {"KEY_AWS_001": {}}},
        {"format": ["text", "text"]},
    ],
)
def test_they_agree_on_what_chance_rarely_meets(document: dict[str, Any]) -> None:
    test_schema_and_loader_agree.hypothesis.inner_test(document)  # type: ignore[attr-defined]


def bounded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number that a file may hold, at and beside its bounds."""
    for days in (0, 1, 3650, 3651):
        yield f"max_exception_days {days}", {"max_exception_days": days}
    for rule in PACK.rules:
        for name, parameter in rule.parameters.items():
            largest = 999_999_999 if parameter.maximum is None else parameter.maximum
            values: list[Any] = [parameter.minimum - 1, parameter.minimum, largest, largest + 1]
            if isinstance(parameter.default, tuple):
                values = [[], [min(parameter.allowed)], list(parameter.allowed), [max(parameter.allowed) + 1]]
            for value in values:
                yield f"{rule.id}.{name} {value}", {"rules": {rule.id: {name: value}}}


@pytest.mark.parametrize("document", [document for _, document in bounded()], ids=[name for name, _ in bounded()])
def test_they_agree_at_the_bounds(document: dict[str, Any]) -> None:
    test_schema_and_loader_agree.hypothesis.inner_test(document)  # type: ignore[attr-defined]


def test_no_secret_is_repeated() -> None:
    canary = make_canary("configuration")
    secret = json.dumps(canary.secret)
    texts = [
        f"{secret}: 1",
        f"scan: {{{secret}: 1}}",
        f"rules: {{{secret}: on}}",
        f"rules: {{KEY_AWS_001: {{{secret}: 1}}}}",
        f"rules: {{KEY_AWS_001: {secret}}}",
        f"rules: {{KEY_AWS_001: {{max_age_days: {secret}}}}}",
        *(f"{key}: {secret}" for key in ("fail_on", "framework", "format", "exclude", "strict_exceptions", "scan")),
        *(f"{key}: [{secret}]" for key in ("format", "exceptions", "fail_on")),
        f"exclude: ['!{canary.secret}']",
        f"format: ['{canary.secret}=x']",
        f"fail_on: {canary.secret}:\n  {canary.secret}",
    ]
    assert_no_leak([(text[:12], refusal(text)) for text in texts], [canary])
