"""A rule file that is wrong in one place is refused with a sentence that says where and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rule_file import RETIRED, RULE

from keyrules.model import UsageError
from keyrules.pack.catalog import load_pack, read_rule
from keyrules.pack.parameters import within_bounds
from keyrules.pack.strict_yaml import parse_block


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "KEY_AWS_900.yaml").write_text(RULE)
    (tmp_path / "retired.csv").write_text(RETIRED)
    return tmp_path


def refusal(folder: Path, old: str, new: str) -> str:
    assert RULE.count(old) == 1, "the change must hit exactly one place"
    path = folder / "KEY_AWS_900.yaml"
    path.write_text(RULE.replace(old, new))
    with pytest.raises(UsageError) as refused:
        load_pack(folder)
    message = str(refused.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # keys
        ("rationale: Because.", "rational: Because.", ", line 24: `rational` has an unknown key; allowed: metadata, "),
        ("rationale: Because.\n", "", ", line 1: `rationale` is missing; it is required."),
        (
            "  provider: aws\n",
            "  provider: aws\n  region: x\n",
            "line 9: `scope.region` has an unknown key; allowed: provider.",
        ),
        ("  severity: LOW\n", "", "line 2: `metadata.severity` is missing"),
        (
            "  severity: LOW\n",
            "  severity: LOW\n  severity: HIGH\n",
            "line 6: the key 'severity' stands here a second time",
        ),
        ("unit: slot}", "unit: slot, step: 1}", "line 23: `parameters.slots.step` has an unknown key"),
        ("status: stable, ", "status: stable, owner: me, ", "`lifecycle.owner` has an unknown key"),
        # identity
        (
            "id: KEY_AWS_900",
            "id: KEY_AWS_90",
            "line 2: `metadata.id` has 'KEY_AWS_90'; allowed: KEY_AWS_ and three digits.",
        ),
        ("id: KEY_AWS_900", "id: KEY_AWS_901", "allowed: the file's own name, 'KEY_AWS_900'."),
        ("id: KEY_AWS_900", "id: 900", "line 2: `metadata.id` has a number; allowed: text"),
        (
            "name: Keys are good",
            "name: Ensure keys are good",
            "`metadata.name` has an order; allowed: the compliant condition",
        ),
        ("name: Keys are good", "name: Keys are younger than 90 days", "`metadata.name` has a digit"),
        (
            "name: Keys are good",
            f"name: {'k' * 81}",
            "`metadata.name` has 81 characters; allowed: the compliant condition in up to 80",
        ),
        ("name: Keys are good", "name: Keys are good.", "a full stop at the end"),
        ("category: IAM", "category: NETWORK", "`metadata.category` has 'NETWORK'; allowed: IAM."),
        ("severity: LOW", "severity: low", "`metadata.severity` has 'low'; allowed: LOW, MEDIUM, HIGH, CRITICAL."),
        (
            "guideline: https:",
            "guideline: http:",
            "`metadata.guideline` has text; allowed: an address that starts with https://.",
        ),
        ("provider: aws", "provider: gcp", "`scope.provider` has 'gcp'; allowed: aws."),
        # YAML that readers disagree on
        ('since: "1.0.0"', "since: 1.0", "line 30: found a number with a fraction"),
        ('since: "1.0.0"', "since: 2026-01-01", "line 30: found an unquoted date"),
        ('since: "1.0.0"', 'since: "1.0"', "`lifecycle.since` has '1.0'; allowed: a version in quotes"),
        ("rationale: Because.", "rationale: !!str Because.", "line 24: found a tag"),
        ("rationale: Because.", "rationale: &why Because.", "line 24: found an anchor"),
        ("rationale: Because.", "rationale:", "line 24: found no value"),
        ("rationale: Because.", "rationale: yes", "line 24: `rationale` has true or false; allowed: text"),
        ("rationale: Because.", 'rationale: " "', "`rationale` has empty text"),
        ("minimum: 1,", "minimum: 010,", "found a number that YAML readers disagree on"),
        ("scope:\n", "---\nscope:\n", "found a second document"),
        ("scope:\n", "scope: [\n", "this is not YAML"),
        # parameters
        ("default: 90", "default: 0", "line 22: `parameters.max_age_days.default` has 0; allowed: 1 to 400 days."),
        ("default: 90", "default: 401", "has 401; allowed: 1 to 400 days."),
        ("default: 90", "default: yes", "has true or false; allowed: a whole number."),
        ("default: [1, 2]", "default: [1, 3]", "`parameters.slots.default` has 1,3; allowed: one or more of 1,2."),
        ("default: [1, 2]", "default: [1, 1]", "allowed: a list of different whole numbers."),
        ("default: [1, 2]", "default: []", "allowed: a list of different whole numbers."),
        (
            "default: [1, 2], ",
            "",
            "`parameters.slots.allowed` has an unknown key; allowed: default, minimum, unit, maximum.",
        ),
        ("  slots: {", "  Slots: {", "`parameters.Slots` has a name in another style"),
        # runtime
        (
            "subject: access_key",
            "subject: user",
            "`runtime.subject` has 'user'; allowed: access_key, joined_key, console_password, ",
        ),
        ("  where:\n", "  when:\n", "`runtime.when` has an unknown key; allowed: subject, where, definition."),
        (
            "attribute: days_since_rotation",
            "attribute: age",
            "`runtime.definition.attribute` has 'age'; allowed: active, slot, ",
        ),
        (
            "operator: less_than,",
            "operator: before,",
            "`runtime.definition.operator` has 'before'; allowed: for days_since_rotation: ",
        ),
        (
            "operator: less_than,",
            "operator: within,",
            "`runtime.definition.operator` has 'within'; allowed: for days_since_rotation: ",
        ),
        (
            "operator: is_true}",
            "operator: equals, value: true}",
            "`runtime.where.and[0].operator` has 'equals'; allowed: for active: is_true, is_false.",
        ),
        (
            "operator: is_true}",
            "operator: is_true, value: 1}",
            "`runtime.where.and[0].value` has a value; allowed: none",
        ),
        (
            "value: {parameter: max_age_days}",
            "value: {parameter: max_age}",
            "has another reference; allowed: parameter: with one of max_age_days, slots.",
        ),
        (
            "value: {parameter: max_age_days}",
            "value: {parameter: slots}",
            "has the parameter slots; allowed: a parameter that is a whole number.",
        ),
        (
            "value: {parameter: max_age_days}",
            "value: old",
            "has text; allowed: a whole number, or a parameter that is one.",
        ),
        ("value: {parameter: max_age_days}", "value: 30", "`parameters.max_age_days` has no use in `runtime`"),
        (", value: {parameter: max_age_days}", "", "`runtime.definition.value` is missing; less_than needs one."),
        # definition
        (
            "operator: equals, value: Active",
            "operator: equal, value: Active",
            "`definition.or[0].operator` has 'equal'; allowed: equals, ",
        ),
        (
            "operator: equals, value: Active",
            "operator: equals",
            "`definition.or[0].operator` has equals with no `value`",
        ),
        (
            "operator: equals, value: Active",
            'operator: not_regex_match, value: "Act(ive"',
            "`definition.or[0].value` has 'Act(ive'; allowed: a regular expression.",
        ),
        (
            "operator: equals, value: Active",
            "operator: regex_match, value: 1",
            "`definition.or[0].value` has a number; allowed: a regular expression.",
        ),
        (
            "attribute: status, operator: exists",
            "attribute: status, operator: exists, value: 1",
            "has exists with a `value`",
        ),
        (
            "attribute: status, operator: exists",
            "atribute: status, operator: exists",
            "`definition.or[1].not.atribute` has an unknown key",
        ),
        (
            "definition:\n  or:\n",
            "definition:\n  x: 1\n  or:\n",
            "`definition.x` has a key beside `or`; allowed: `or` alone.",
        ),
        (
            "    - not:\n        {cond_type: attribute",
            "    - not:\n        {cond_type: resource",
            "has 'resource'; allowed: attribute.",
        ),
        (
            "      - {attribute: slot, operator: within, value: {parameter: slots}}\n",
            "",
            "`runtime.where.and` has a list of 1; allowed: a list of two or more conditions.",
        ),
        # planes
        ("  live: Less.\n", "", "`limits` has code; allowed: `live` exactly where the rule has `runtime`"),
        ("  code: Little.\n", "", "`limits` has no `code`, though `definition` decides on code"),
        ("  live: Less.\n", "  cloud: Less.\n", "`limits.cloud` has an unknown key; allowed: code, live."),
        (
            "references: [https://example.com/]",
            "references: []",
            "`references` has no list; allowed: a list of at least one",
        ),
        (
            "references: [https://example.com/]",
            "references: [example.com]",
            "`references` has text; allowed: an address",
        ),
        ("status: stable", "status: beta", "`lifecycle.status` has 'beta'; allowed: experimental, stable, deprecated."),
        ('"1.0.0"}', '"1.0.0", default: on}', "`lifecycle.default` has another value; allowed: off, or no such key."),
    ],
)
def test_what_is_refused_and_how(folder: Path, old: str, new: str, message: str) -> None:
    assert message in refusal(folder, old, new)


def test_a_message_does_not_repeat_values_of_the_file(folder: Path) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert secret not in refusal(folder, "guideline: https://example.com/#key_aws_900", f"guideline: {secret}")
    assert secret not in refusal(folder, "default: 90", f"default: {secret}")
    assert secret not in refusal(folder, "references: [https://example.com/]", f"references: {secret}")


LINES = RULE.splitlines(keepends=True)
edits = st.one_of(
    st.tuples(st.just("drop"), st.integers(0, len(LINES) - 1), st.just("")),
    st.tuples(st.just("double"), st.integers(0, len(LINES) - 1), st.just("")),
    st.tuples(st.just("insert"), st.integers(0, len(RULE)), st.text(max_size=4)),
    st.tuples(st.just("insert"), st.integers(0, len(RULE)), st.sampled_from([":", "- ", "{", "]", "&a ", "!x ", "\n"])),
    st.tuples(st.just("cut"), st.integers(0, len(RULE)), st.just("")),
)


def mutate(kind: str, place: int, text: str) -> str:
    if kind == "drop":
        return "".join(LINES[:place] + LINES[place + 1 :])
    if kind == "double":
        return "".join([*LINES[: place + 1], *LINES[place:]])
    return RULE[:place] + text + (RULE[place:] if kind == "insert" else "")


@example(("insert", RULE.index("status, operator: equals, value") + len("status, operator: equals, value"), "\t"))
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(edits)
def test_a_changed_file_is_refused_or_means_what_every_yaml_reader_reads(
    folder: Path, edit: tuple[str, int, str]
) -> None:
    """Never half-accepted: an accepted file has the same content for PyYAML, whole, and a usable rule."""
    text = mutate(*edit)
    path = folder / "KEY_AWS_900.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        rule = read_rule(path)
    except UsageError as refused:
        assert str(refused).startswith(str(path))
        assert "\n" not in str(refused)
        return
    plain = yaml.safe_load(text.encode())
    assert plain == parse_block(text, "x")
    assert set(plain) == {*yaml.safe_load(RULE)}
    assert rule.runtime == plain["runtime"]
    assert rule.definition == plain["definition"]
    assert all(within_bounds(each, each.default) for each in rule.parameters.values())
