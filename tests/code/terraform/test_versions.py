"""Version constraints, as Terraform's documentation defines them."""

from __future__ import annotations

import pytest

from keyrules.code.terraform.versions import is_constraint, is_open_above, overlap, satisfies


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        ("1.2.3", ["1.2.3", "v1.2.3"], ["1.2.4", "1.2.3-rc1"]),
        ("= 1.2", ["1.2.0"], ["1.2.1"]),
        ("!= 1.2.0", ["1.2.1"], ["1.2.0"]),
        ("> 1.2.0", ["1.2.1", "2.0.0"], ["1.2.0"]),
        (">= 1.2.0, < 2.0.0", ["1.2.0", "1.9.9"], ["1.1.9", "2.0.0"]),
        ("<= 1.2", ["1.2.0"], ["1.2.1"]),
        ("~> 1.2", ["1.2.0", "1.9.0"], ["1.1.9", "2.0.0"]),
        ("~> 1.2.3", ["1.2.3", "1.2.9"], ["1.2.2", "1.3.0"]),
        ("~>5", ["5.0.0", "5.9.0"], ["4.9.0", "6.0.0"]),
        ("~> 0.9.0", ["0.9.4"], ["0.10.0"]),
    ],
)
def test_constraints(constraint: str, inside: list[str], outside: list[str]) -> None:
    assert [satisfies(version, constraint) for version in inside] == [True] * len(inside)
    assert [satisfies(version, constraint) for version in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("version", "constraint"), [("main", "1.0"), ("1.0", "latest"), ("1.0", ""), ("1.0", "> 1, x")]
)
def test_what_is_no_version(version: str, constraint: str) -> None:
    assert satisfies(version, constraint) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("5.1.0", "< 6.0.0", True), ("6.0.0", "< 6.0.0", False), ("~> 5.0", "< 6.0.0", True),
        ("~> 5.0", ">= 6.0.0", False), (">= 5", ">= 6.0.0", True), (">= 5, < 6.0.0", ">= 6.0.0", False),
        ("< 6", "< 6.0.0", True), ("~> 5.9", ">= 4.0.0, < 6.0.0", True), ("> 5.9.9, < 6", ">= 6.0.0", False),
        ("!= 1.0.0", "1.0.0", False), ("branch", "< 6.0.0", None),
    ],
)  # fmt: skip
def test_whether_constraints_overlap(first: str, second: str, expected: bool | None) -> None:
    assert overlap(first, second) is expected


@pytest.mark.parametrize(
    ("text", "constraint", "open_above"),
    [
        ("", True, True), (">= 5", True, True), ("> 1, != 3.0.0", True, True), ("5.1.0", True, False),
        ("~> 5.0", True, False), (">= 1, < 3", True, False), ("main", False, False), (">= 1, main", False, False),
    ],
)  # fmt: skip
def test_what_is_a_constraint_and_has_no_end(text: str, constraint: bool, open_above: bool) -> None:
    assert (is_constraint(text), is_open_above(text)) == (constraint, open_above)
