"""Plans are recognised and read strictly: whatever is no whole plan is refused in one sentence that quotes nothing."""

from __future__ import annotations

import codecs
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_context import FIXTURES, RULES, judge_plan
from plan_maker import SECRET, PlanMaker, existing_key, new_key, ref

from keyrules.code.plan.addresses import module_path, parent_module
from keyrules.code.plan.json import MAX_DEPTH, Kind, Sealed, recognise
from keyrules.code.plan.view import PlanError, is_plan, read_plan

PLANS = sorted(FIXTURES.glob("KEY_AWS_0*/terraform_plan/*.json"))
STATE = {"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": {}}}
RAW_STATE = {"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "x", "outputs": {}, "resources": []}
LOG_LINE = {"@level": "info", "@message": "Terraform 1.11.4", "@module": "terraform.ui", "type": "version"}


def refusal(data: bytes) -> str:
    with pytest.raises(PlanError) as caught:
        read_plan(data)
    return str(caught.value)


def small_plan() -> PlanMaker:
    plan = PlanMaker()
    plan.key("aws_iam_access_key.old", existing_key("old", "2026-01-01T00:00:00Z"), actions=("no-op",))
    plan.key('module.a["x.y"].module.b[1].aws_iam_access_key.new["k"]', new_key("new"))
    plan.output("id", ref("aws_iam_access_key.old.id"), "AKIAZ5SYNTHETIC5FIXT")
    return plan


@pytest.mark.parametrize("path", PLANS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_fixture_is_a_plan(path: Any) -> None:
    data = path.read_bytes()
    assert is_plan(data)
    assert read_plan(data).gaps == ()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (json.dumps(STATE).encode(), Kind.STATE),
        (json.dumps(RAW_STATE).encode(), Kind.STATE),
        (json.dumps(LOG_LINE).encode() + b"\n" + json.dumps(LOG_LINE).encode() + b"\n", Kind.LOG),
        (json.dumps(LOG_LINE, separators=(",", ":")).encode() + b"\n{", Kind.LOG),
        (b'{"Resources": {}}', None),
        (b'{"mock": {"format_version": "1.2", "planned_values": {}}}', None),
        (b'{"provider_schemas": {}, "format_version": "1.0"}', None),
        (b'not json, but it has "format_version" and "planned_values"', None),
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b'{"format_version": "1.2", "planned_values": {"caf\xe9": 1}}', Kind.PLAN),
        (b'{"format_version":"1.2","terraform_version":"1.11.4","planned_val', Kind.PLAN),
        (b'{"format_version": ' + b"[" * 200_000, Kind.PLAN),
        (b'{"format_version": "1.2", "planned_values": {}}', Kind.PLAN),
        (b'{"format_version": "1.2", "resource_changes": []}', Kind.PLAN),
    ],
)
def test_kinds_of_files(data: bytes, kind: Kind | None) -> None:
    assert recognise(data) is kind


def test_a_state_and_a_log_are_named_with_what_to_do() -> None:
    assert "not a plan but a state" in refusal(json.dumps(STATE).encode())
    assert "not a plan but a state" in refusal(json.dumps(RAW_STATE).encode())
    for separators in ((",", ":"), (", ", ": ")):
        line = json.dumps(LOG_LINE, separators=separators).encode()
        assert "terraform show -json" in refusal(line + b"\n" + line)
        assert "the log that `terraform plan -json` prints" in refusal(line + b"\n" + line)


def test_windows_encodings_are_read() -> None:
    text = small_plan().bytes().decode()
    expected = read_plan(text.encode())
    for data in (
        codecs.BOM_UTF8 + text.encode(),
        codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        text.replace("{", "{\r\n").encode(),
    ):
        assert is_plan(data)
        assert [item.address for item in read_plan(data).planned] == [item.address for item in expected.planned]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format_version="2.0"), "format_version"),
        (lambda d: d.update(format_version=1.2), "format_version"),
        (lambda d: d.update(resource_changes={}), "resource_changes of the plan is an object"),
        (lambda d: d["resource_changes"][0].update(change="x"), "resource_changes.change of the plan is a string"),
        (lambda d: d["planned_values"].update(root_module=[]), "planned_values module of the plan is an array"),
        (lambda d: d.update(configuration=7), "configuration of the plan is a number"),
        (lambda d: d.update(errored="yes"), "errored of the plan is a string"),
    ],
)
def test_wrong_types_are_named_by_their_place(change: Any, words: str) -> None:
    document = small_plan().document
    change(document)
    assert words in refusal(json.dumps(document).encode())


def test_damaged_plans_are_refused() -> None:
    whole = small_plan().bytes()
    for end in range(60, len(whole) - 1, 37):
        assert is_plan(whole[:end])
        assert "complete JSON" in refusal(whole[:end])
    assert "a key twice" in refusal(whole.replace(b'"errored"', b'"complete"'))
    assert "JSON does not allow" in refusal(whole.replace(b'"errored": false', b'"errored": NaN'))
    assert "not text in UTF-8" in refusal(whole.replace(b"old", b"\xe9"))
    assert "surrogate" in refusal(whole.replace(b'"old"', rb'"\ud800"'))


def test_nesting_has_a_bound_and_never_breaks_the_reader() -> None:
    inner: Any = "x"
    for _ in range(MAX_DEPTH - 12):
        inner = {"a": inner}
    plan = small_plan()
    plan.add("aws_instance.deep", {"deep": inner})
    read_plan(plan.bytes())
    for depth in (MAX_DEPTH, 900, 100_000):
        data = small_plan().bytes()[:-1] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"
        assert "nested deeper" in refusal(data)


def test_resources_with_their_parts() -> None:
    plan = read_plan(small_plan().bytes())
    old, new = plan.keys
    assert (old.address, old.actions, old.is_new) == ("aws_iam_access_key.old", ("no-op",), False)
    assert (new.module, new.path, new.index) == ('module.a["x.y"].module.b[1]', ("a", "b"), "k")
    assert new.is_new and new.is_unknown("secret") and new.is_sensitive("secret")
    assert new.known("secret") is None
    assert old.prior is not None
    assert plan.configuration is not None
    module = plan.configuration.at(("a", "b"))
    assert module is not None and list(module.blocks) == ["aws_iam_access_key.new"]


def test_module_addresses() -> None:
    assert module_path('module.a["x.module.y"].module.b[0].aws_x.y') == ("a", "b")
    assert parent_module('module.a["q"].module.b[12]') == ('module.a["q"]', 12)
    assert parent_module('module.a["q"]') == ("", "q")
    assert parent_module("") == ("", None)


def test_deposed_objects_do_not_replace_the_current_one() -> None:
    plan = small_plan()
    plan.document["resource_changes"].append(
        {
            "address": "aws_iam_access_key.old",
            "mode": "managed",
            "type": "aws_iam_access_key",
            "name": "old",
            "deposed": "00000001",
            "change": {"actions": ["delete"], "before": existing_key("old", "2020-01-01T00:00:00Z"), "after": None},
        }
    )
    assert read_plan(plan.bytes()).keys[0].actions == ("no-op",)


def test_a_plan_that_was_cut_down_to_its_changes_still_shows_its_keys() -> None:
    document = small_plan().document
    for part in ("planned_values", "prior_state", "configuration", "output_changes"):
        del document[part]
    plan = read_plan(json.dumps(document).encode())
    assert [key.address for key in plan.keys] == [
        "aws_iam_access_key.old",
        'module.a["x.y"].module.b[1].aws_iam_access_key.new["k"]',
    ]
    assert plan.configuration is None


def test_gaps_that_the_plan_itself_states() -> None:
    document = small_plan().document
    document["errored"] = True
    document["deferred_changes"] = [{"reason": "unknown"}]
    assert len(read_plan(json.dumps(document).encode()).gaps) == 2


def test_what_is_not_planned_is_a_gap() -> None:
    whole = small_plan().document
    assert read_plan(json.dumps(whole).encode()).gaps == ()
    targeted = {**whole, "complete": False}
    refreshed = {**whole, "planned_values": {"outputs": {}, "root_module": {}}, "resource_changes": []}
    for document in (targeted, refreshed):
        (gap,) = read_plan(json.dumps(document).encode()).gaps
        assert "leaves out" in gap and "plan everything" in gap
    deferred = {**targeted, "deferred_changes": [{"reason": "unknown"}]}
    (gap,) = read_plan(json.dumps(deferred).encode()).gaps
    assert "a later run" in gap


def test_everything_deleted_is_no_gap() -> None:
    plan = PlanMaker()
    values = existing_key("old", "2026-01-01T00:00:00Z")
    plan.key("module.m[0].aws_iam_access_key.old", {}, actions=["delete"], prior=values)
    state = {"address": "data.aws_region.r", "mode": "data", "type": "aws_region", "name": "r", "values": {}}
    plan.document["prior_state"]["values"]["root_module"]["resources"] = [state]
    read = read_plan(plan.bytes())
    assert (read.gaps, read.keys) == ((), ())


@pytest.mark.parametrize("planned", [True, False])
def test_what_is_forgotten_exists_after_the_plan(planned: bool) -> None:
    plan = PlanMaker()
    values = existing_key("old", "2026-01-01T00:00:00Z")
    plan.key("aws_iam_access_key.old", values, actions=["forget"])
    plan.document["resource_changes"][0]["change"]["after"] = None
    if not planned:
        plan.document["planned_values"]["root_module"] = {}
    read = read_plan(plan.bytes())
    assert [(key.address, key.known("user"), key.is_new) for key in read.keys] == [
        ("aws_iam_access_key.old", "old", False)
    ]
    assert read.gaps == ()


@pytest.mark.parametrize("details", [{"actions": ["create", "forget"]}, {"actions": ["forget"], "deposed": "abc123"}])
def test_a_forgotten_object_behind_a_new_one_is_a_gap(details: dict[str, Any]) -> None:
    plan = PlanMaker()
    plan.key("aws_iam_access_key.k", new_key("u"))
    entry = copy.deepcopy(plan.document["resource_changes"][0])
    entry["change"]["actions"] = details.pop("actions")
    if details:
        plan.document["resource_changes"].append({**entry, **details})
    else:
        plan.document["resource_changes"] = [entry]
    (gap,) = read_plan(plan.bytes()).gaps
    assert "aws_iam_access_key.k" in gap and "keyrules audit" in gap


def test_sealed_values_have_no_readable_form() -> None:
    assert SECRET not in f"{Sealed(SECRET)!r} {Sealed([SECRET])}"
    plan = read_plan(small_plan().bytes())
    assert SECRET not in repr(plan)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from _paths(part, (*path, key))


_DOCUMENTS = [json.loads(path.read_bytes()) for path in PLANS if path.parts[-3] in RULES]
_PLACES = [[path for path in _paths(document) if path] for document in _DOCUMENTS]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_wrong_types_anywhere_are_read_or_refused(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(_DOCUMENTS) - 1))
    document = copy.deepcopy(_DOCUMENTS[number])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_PLACES[number]))
        target = document
        try:
            for step in path[:-1]:
                target = target[step]
            target[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if data.draw(st.booleans()) and isinstance(target, dict):
            del target[path[-1]]
        else:
            target[path[-1]] = data.draw(_JSON)
    try:
        plan = read_plan(json.dumps(document).encode())
    except PlanError as error:
        assert SECRET not in str(error)
        return
    for rule in RULES:
        assert SECRET not in repr(judge_plan(rule, plan))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    recognise(data)
    with pytest.raises(PlanError):
        read_plan(data)
