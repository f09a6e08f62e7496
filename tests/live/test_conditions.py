"""Runtime conditions: three-valued logic, and all rules against a slow and obvious second evaluator."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from credential_reports import AS_OF, COLUMNS, ago, evaluate, key, line, report, rule, selection, values
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrules.live.conditions import compile_condition, resolve
from keyrules.live.credential_report import read_rows
from keyrules.live.fact_readers import KEY_1, KEY_2, READERS
from keyrules.live.facts import FACTS, OPERATORS
from keyrules.live.report_inputs import from_stream
from keyrules.model import Status

TRUE = {"attribute": "active", "operator": "is_true"}
FALSE = {"attribute": "active", "operator": "is_false"}
UNKNOWN = {"attribute": "days_since_rotation", "operator": "greater_than", "value": 1}
NODES = {True: TRUE, False: FALSE, None: UNKNOWN}


def judge(node: Any, row: str) -> bool | None:
    import io

    (parsed,) = read_rows(from_stream(io.BytesIO(report(row))).stream, lambda problem: pytest.fail(problem.message))
    resolved = resolve(node, rule(1), selection(1), KEY_1)
    return compile_condition(resolved, KEY_1, AS_OF)(parsed)


UNDATED = line("ann", key_1_active="true")


@pytest.mark.parametrize("values_", [(a, b, c) for a in NODES for b in NODES for c in NODES])
def test_three_valued_logic(values_: tuple[bool | None, ...]) -> None:
    for parts in (values_, values_[:2]):
        nodes = [NODES[value] for value in parts]
        conjunction = False if False in parts else None if None in parts else True
        disjunction = True if True in parts else None if None in parts else False
        assert judge({"and": nodes}, UNDATED) is conjunction
        assert judge({"or": nodes}, UNDATED) is disjunction
        assert judge({"not": {"and": nodes}}, UNDATED) is (None if conjunction is None else not conjunction)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("greater_than", (False, False, True)),
        ("greater_than_or_equal", (False, True, True)),
        ("less_than", (True, False, False)),
        ("less_than_or_equal", (True, True, False)),
    ],
)
def test_the_orders_at_their_boundary(operator: str, expected: tuple[bool, ...]) -> None:
    microsecond = timedelta(microseconds=1)
    moments = (
        AS_OF - timedelta(days=90) + microsecond,
        AS_OF - timedelta(days=90),
        AS_OF - timedelta(days=90) - microsecond,
    )
    for moment, result in zip(moments, expected, strict=True):
        row = line("ann", key_1_active="true", key_1_last_rotated=moment.isoformat())
        for attribute in ("days_since_rotation", "days_since_younger_key_of_user"):
            assert judge({"attribute": attribute, "operator": operator, "value": 90}, row) is result


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [("equals", 2, True), ("not_equals", 2, False), ("within", [1, 2], True), ("not_within", [1, 2], False)],
)
def test_counting_operators(operator: str, value: Any, expected: bool) -> None:
    row = line("ann", **key(1, 5), **key(2, 5))
    assert judge({"attribute": "active_keys_of_user", "operator": operator, "value": value}, row) is expected
    constant = resolve({"attribute": "slot", "operator": operator, "value": value}, rule(1), selection(1), KEY_2)
    assert constant is expected, "the slot is settled before any row is read"


def test_a_limit_beyond_the_calendar() -> None:
    row = line("ann", **key(1, 9))
    assert judge({"attribute": "days_since_rotation", "operator": "greater_than", "value": 10**7}, row) is False


def test_every_fact_of_the_vocabulary_has_a_reader_and_no_other() -> None:
    for subject, readers in READERS.items():
        assert readers.keys() == FACTS[subject.kind].keys()
    # What a key is joined with is in no report.
    assert {subject.kind for subject in READERS} == FACTS.keys() - {"joined_key"}


def test_every_operator_compiles() -> None:
    row = line("ann", **key(1, 5))
    for operator in OPERATORS.values():
        attribute = "active" if operator.takes is bool else "active_keys_of_user"
        node: dict[str, Any] = {"attribute": attribute, "operator": operator.name}
        if operator.takes is not bool:
            node["value"] = [1] if operator.takes is tuple else 1
        assert judge(node, row) in {True, False}


# The reference: one function per rule, written from the rule's meaning, on datetimes and dictionaries.

Judged = dict[tuple[str, str, str, int | None], Status]


def parse(text: str) -> datetime | None:
    return (
        None
        if text in {"N/A", "no_information", "not_supported"}
        else datetime.fromisoformat(text.replace("Z", "+00:00"))
    )


def reference(rows: list[dict[str, str]]) -> Judged:
    out: Judged = {}

    def put(number: int, user: str, kind: str, slot: int | None, ok: bool | None) -> None:
        status = Status.UNKNOWN if ok is None else Status.PASS if ok else Status.FAIL
        out[f"KEY_AWS_{number:03d}", user, kind, slot] = status

    for row in rows:
        user = row["user"]
        born = parse(row["user_creation_time"])
        assert born is not None
        on = {slot: row[f"access_key_{slot}_active"] == "true" for slot in (1, 2)}
        made = {slot: parse(row[f"access_key_{slot}_last_rotated"]) for slot in (1, 2)}
        used = {slot: parse(row[f"access_key_{slot}_last_used_date"]) for slot in (1, 2)}
        console = row["password_enabled"] == "true"
        for slot, other in ((1, 2), (2, 1)):
            created, last = made[slot], used[slot]
            if created is None:
                continue
            idle = AS_OF - (last or created)
            put(7, user, "access_key", slot, not on[slot])
            if not on[slot]:
                put(6, user, "access_key", slot, idle <= timedelta(days=30))
                continue
            put(1, user, "access_key", slot, AS_OF - created <= timedelta(days=90))
            put(2, user, "access_key", slot, idle < timedelta(days=45))
            at_setup = console and last is None and abs(created - born) <= timedelta(minutes=60)
            put(4, user, "access_key", slot, not at_setup)
            sibling = made[other]
            if not on[other]:
                put(3, user, "access_key", slot, True)
            elif sibling is not None and (created, slot) < (sibling, other):
                put(3, user, "access_key", slot, False)
        if console:
            changed, signed_in = parse(row["password_last_changed"]), parse(row["password_last_used"])
            put(12, user, "console_password", None, row["mfa_active"] == "true")
            put(13, user, "console_password", None, AS_OF - (signed_in or changed or born) < timedelta(days=45))
            put(17, user, "console_password", None, None if changed is None else AS_OF - changed <= timedelta(days=90))
        for slot in (1, 2):
            uploaded = parse(row[f"cert_{slot}_last_rotated"])
            if uploaded is not None and row[f"cert_{slot}_active"] == "true":
                put(16, user, "signing_certificate", slot, AS_OF - uploaded <= timedelta(days=90))
    return out


AGES = st.sampled_from([0, 1, 7, 29, 30, 31, 44, 45, 46, 89, 90, 91, 400]).flatmap(
    lambda days: st.sampled_from([-1, 0, 1, 3599, 3600, 3601]).map(
        lambda seconds: ago(days, seconds=abs(seconds) if days == 0 else seconds)
    )
)
FLAGS = st.sampled_from(["true", "false"])


@st.composite
def random_rows(draw: Any) -> list[dict[str, str]]:
    rows = []
    for number in range(draw(st.integers(1, 4))):
        row = values(
            f"user-{number}", user_creation_time=draw(AGES), mfa_active=draw(FLAGS), password_enabled=draw(FLAGS)
        )
        row["password_last_used"] = draw(AGES | st.sampled_from(["N/A", "no_information"]))
        row["password_last_changed"] = draw(AGES | st.just("N/A"))
        for slot in (1, 2):
            if draw(st.booleans()):
                row[f"access_key_{slot}_last_rotated"] = draw(AGES)
                row[f"access_key_{slot}_active"] = draw(FLAGS)
                row[f"access_key_{slot}_last_used_date"] = draw(AGES | st.just("N/A"))
            if draw(st.booleans()):
                row[f"cert_{slot}_last_rotated"] = draw(AGES)
                row[f"cert_{slot}_active"] = draw(FLAGS)
        rows.append(row)
    return rows


@settings(max_examples=150, deadline=None)
@given(random_rows())
def test_all_user_rules_against_the_reference(rows: list[dict[str, str]]) -> None:
    content = report(*(",".join(row[column] for column in COLUMNS) for row in rows))
    numbers = (1, 2, 3, 4, 6, 7, 12, 13, 16, 17)
    evaluation = evaluate(content, *numbers)
    ours = {
        (f.rule, f.subject.user or "", f.subject.kind, f.subject.slot): f.status
        for f in evaluation.findings
        if f.subject is not None
    }
    expected = reference(rows)
    assert ours == expected
    counts = evaluation.counts
    assert counts.passed == sum(status is Status.PASS for status in expected.values())
    assert counts.failed == sum(status is Status.FAIL for status in expected.values())
    counted = evaluate(content, *numbers, request={"keep_findings": False, "keep_passing": False})
    assert counted.counts == counts
    assert len(counted.findings) == 0
