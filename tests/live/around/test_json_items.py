"""JSON that is read member by member, whatever a window on it cuts through."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from keyrules.live.around import json_items
from keyrules.live.around.json_items import Member, Started, read_items
from keyrules.model import InputError


def items(data: bytes) -> list[tuple[Any, ...]]:
    """Without the beginnings of objects."""
    return [tuple(each) for each in read_items(io.BufferedReader(io.BytesIO(data))) if each.name]


@pytest.fixture(params=[1, 2, 3, 7, 1 << 18])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_items, "_BLOCK", request.param)


PAGE: dict[str, Any] = {
    "List": [{"a": 'ü"\\[{'}, [1, 2.5], None, 12345, "x"],
    "Map": {"k": [True]},
    "N": 31,
    "Empty": [],
    "S": "]",
}


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_members_are_those_of_the_document(indent: int | None, encoding: str) -> None:
    found = items(json.dumps(PAGE, indent=indent, ensure_ascii=False).encode(encoding))
    assert found == [
        (0, "List"),
        *((0, "List", value) for value in PAGE["List"]),
        (0, "Map", PAGE["Map"]),
        (0, "N", 31),
        (0, "Empty"),
        (0, "S", "]"),
    ]


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize(
    "text", ['{"a":1}{"a":2}', '{"a":1}\n\n{"a":2}\n', '[{"a":1},\r\n {"a":2}]', '[{"a":1}{"a":2}]']
)
def test_documents_follow_each_other_or_stand_in_a_list(text: str) -> None:
    assert items(text.encode()) == [(0, "a", 1), (1, "a", 2)]


def test_kinds_are_told_apart() -> None:
    found = list(read_items(io.BufferedReader(io.BytesIO(b'{"a": [1], "b": 2}'))))
    assert [type(each) for each in found] == [Started, Started, Member, Member]
    assert list(read_items(io.BufferedReader(io.BytesIO(b"{}")))) == [Started(0, "")]


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize(
    "text",
    [
        '{"List": [{"a": 1}, {"b"',
        '{"List": [{"a": 1}',
        '{"List": [{"a": 1} {"b": 2}]}',
        '{"List": [{"a": 1, "a": 2}]}',
        '{"List": [], "List": []}',
        '{"List": [1], "Map": {"k": 1, "k": 2}}',
        '{"List": [1] "Map": 2}',
        '{"List": 1',
        '{"List" 1}',
        '{"List": tru}',
        "{List: 1}",
        '[{"List": 1}',
        '[[{"List": 1}]]',
        '{"List": 1}]',
        '{"List": 1}, {"List": 2}',
        '{"List": 1} error',
        "[",
        "",
        " \n",
    ],
)
def test_what_is_cut_or_mixed_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^is cut off, has a key twice, or is no JSON, at "):
        items(text.encode())


def test_a_refusal_names_the_member_and_quotes_nothing_else() -> None:
    with pytest.raises(InputError, match="at its member 'UserDetailList'") as refused:
        items(b'{"UserDetailList": [{"UserName": "secret-name"}, {')
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("data", [b"\xff{", b'{"a": "\xff"}', b'{"a": "' + b"\xe9" + b'"}'])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="is not UTF-8 text"):
        items(data)


def test_depth_is_refused() -> None:
    with pytest.raises(InputError, match="nested deeper"):
        items(b'{"a": ' + b"[" * 1 + b'{"b": ' + b"[" * 200_000)
