"""What a rule file's definition says of a block, value by value: True, False, or None for what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from keyrules.code.definitions import judge_definition
from keyrules.code.keys import Cases, Subject, Unread

KIND = "aws_iam_access_key"


def judged(condition: dict[str, Any] | bool, value: object, kind: str = KIND) -> object:
    """What a condition says of a block whose every attribute is known as this."""
    return judge_definition(condition, Subject(kind, "/main.tf", "a", 1, 1, lambda name: value))


def leaf(operator: str, value: object = "", *kinds: str) -> dict[str, Any]:
    return {"resource_types": list(kinds or (KIND,)), "attribute": "x", "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("operator", "absent", "set_somehow", "open_value"),
    [
        ("exists", False, True, None),
        ("not_exists", True, False, None),
        ("equals", False, None, None),
        ("not_equals", True, None, None),
        ("regex_match", False, None, None),
        ("not_regex_match", True, None, None),
        ("within", False, None, None),
        ("not_within", True, None, None),
        ("is_empty", False, None, None),
    ],
)
def test_without_a_value(operator: str, absent: object, set_somehow: object, open_value: object) -> None:
    wanted: object = ["a"] if operator.endswith("within") else "a"
    found = [judged(leaf(operator, wanted), value) for value in (Unread.ABSENT, Unread.SET, Unread.OPEN)]
    assert found == [absent, set_somehow, open_value]


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "truth"),
    [
        ("equals", True, "true", True),
        ("equals", "true", True, True),
        ("equals", False, "False", False),
        ("equals", "0", 0.0, True),
        ("equals", "0.5", 0.5, True),
        ("equals", "a", "b", False),
        ("within", [True, 1], "true", True),
        ("within", [True, 1], 1.0, True),
        ("within", [True, 1], "2", False),
        ("is_empty", "", [], True),
        ("is_empty", "", ["a"], False),
        ("is_empty", "", 0, False),
        ("intersects", 1, [1.0, 2], True),
        ("intersects", True, ["true"], True),
        ("intersects", "b", ["a"], False),
        ("exists", "", "", True),
        ("not_exists", "", "", False),
    ],
)
def test_a_value_is_compared_as_the_text_that_it_converts_to(
    operator: str, wanted: object, found: object, truth: bool
) -> None:
    assert judged(leaf(operator, wanted), found) is truth


def test_cases_that_disagree_decide_nothing() -> None:
    assert judged(leaf("equals", "a"), Cases(("a", "b"))) is None
    assert judged(leaf("equals", "a"), Cases(("b", "c"))) is False
    assert judged(leaf("equals", "a"), Cases(("b", Unread.OPEN))) is None
    assert judged(leaf("equals", "a"), Cases(("b", Unread.ABSENT))) is False


class TestOtherKinds:
    """A part about another kind of block is no part of the condition on this one."""

    OTHER = leaf("equals", "a", "module")
    MINE = leaf("equals", "a")

    def test_all_of_it(self) -> None:
        for condition in (self.OTHER, {"not": self.OTHER}, {"and": [self.OTHER]}, {"or": [{"not": self.OTHER}]}):
            assert judged(condition, "a") == ""

    @pytest.mark.parametrize("junction", ["and", "or"])
    def test_a_part_of_it(self, junction: str) -> None:
        condition = {junction: [self.OTHER, self.MINE]}
        assert [judged(condition, value) for value in ("a", "b")] == [True, False]

    def test_a_negation_stays_one(self) -> None:
        condition = {"not": {"or": [self.OTHER, self.MINE]}}
        assert [judged(condition, value) for value in ("a", "b")] == [False, True]

    def test_what_holds_of_everything(self) -> None:
        assert judged(True, "a") is True and judged({"not": True}, "a") is False
