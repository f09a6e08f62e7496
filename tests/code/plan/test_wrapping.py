"""A plan that is named is found in what pipelines put around it; whatever is doubtful is refused in one sentence."""

from __future__ import annotations

import gzip
import json
from time import process_time

import pytest
from plan_leak_cases import plan_with_key

from keyrules.code.plan.json import PlanError
from keyrules.code.plan.view import read_plan
from keyrules.code.plan.wrapping import unpacked, unwrapped

DOCUMENT = plan_with_key().document
PLAN = json.dumps(DOCUMENT)
PRETTY = json.dumps(DOCUMENT, indent=2, sort_keys=True)
STAMP = "2026-06-01T00:00:00.1234567Z "


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"[command]/usr/bin/terraform show -json p\n{PLAN}\n::debug::exit code 0\n", 2),
        (f'\x1b[33m╷\x1b[0m\n\x1b[33mWarning:\x1b[0m old {{"a": 1}}\n{PLAN}', 2),
        ("\n".join(STAMP + line for line in f"$ show\n{PRETTY}".splitlines()), 1),
        ("\n".join(f"[{STAMP.strip()}] {line}" for line in f"$ show\n{PRETTY}".splitlines()), 1),
        (STAMP + PLAN, 0),
        (f'{{"@level":"info","@message":"x"}}\n{PLAN}', 1),
        (f"> show\r\n\r\n{PRETTY}\r\n", 1),
    ],
)
def test_text_around_a_plan_is_passed_over_with_a_note(text: str, lines: int) -> None:
    inner, note = unwrapped(text.encode())
    assert [key.address for key in read_plan(inner).keys] == ["aws_iam_access_key.k"]
    assert note.startswith(f"{lines} line") if lines else True


def test_a_packed_plan_is_unpacked() -> None:
    packed = gzip.compress(PLAN.encode())
    assert unwrapped(packed) == (PLAN.encode(), "was unpacked")
    halves = gzip.compress(PLAN[:50].encode()) + gzip.compress(PLAN[50:].encode())
    assert unpacked(halves) == PLAN.encode()


@pytest.mark.parametrize(("size", "refused"), [(1000, False), (1001, True), (50_000_000, True)])
def test_what_gzip_holds_has_a_limit(size: int, refused: bool) -> None:
    packed = gzip.compress(b"\0" * size)
    if refused:
        with pytest.raises(PlanError, match="limit"):
            unpacked(packed, 1000)
    else:
        assert len(unpacked(packed, 1000)) == size


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(PLAN.encode(), mtime=0)[:-9], "cut off"),
        (b"\x1f\x8bnonsense", "damaged"),
        (gzip.compress(b"", mtime=0) * 1001, "parts"),
        (f"a\n{PLAN}\n{PLAN}".encode(), "several plans"),
    ],
)
def test_what_is_doubtful_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        unwrapped(data)


def test_a_plan_behind_text_that_was_cut_off_is_still_refused_as_one() -> None:
    inner, _ = unwrapped(f"$ show\n{PLAN[:-30]}".encode())
    with pytest.raises(PlanError, match="not complete JSON"):
        read_plan(inner)


@pytest.mark.parametrize("text", ["", "hello", '{"a": {"format_version": "1.2"}}', '"format_version"' + "{" * 100_000])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert unwrapped(text.encode()) == (text.encode(), "")


@pytest.mark.parametrize(("version", "quoted"), [("2.0", True), ("AKIA-secret", False), (2, False)])
def test_an_unknown_version_is_named_where_it_is_one(version: object, quoted: bool) -> None:
    with pytest.raises(PlanError) as refused:
        read_plan(json.dumps({**DOCUMENT, "format_version": version}).encode())
    assert (f"but {version}," in str(refused.value)) is quoted
    assert "update keyrules" in str(refused.value)


def test_what_is_nested_and_cut_off_is_not_read_once_for_each_level() -> None:
    text = '"format_version"\n' + '{"a": ' * 900 + '"' + "x" * 3_000_000 + '\n"'
    started = process_time()
    assert unwrapped(text.encode()) == (text.encode(), "")
    assert process_time() - started < 2
