"""Random edits: what a buffer says changed gives the new text, and git makes the same of the diff."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from keyrules.code.patches.buffer import Buffer, split_lines
from keyrules.code.patches.diff import file_diff, quoted

LINES = ["a\n", "b\n", "c d\n", "\n", "x\r\n", "\x0c\n"]
NEW = ["", "N", "N\n", "\n\nM", "p\nq\n"]


def edited(dice: random.Random) -> tuple[Buffer, str]:
    """A buffer after some edits, and the text that those make."""
    text = "".join(dice.choices(LINES, k=dice.randint(1, 12))) + dice.choice(["", "", "end"])
    buffer = Buffer(text)
    for mark in dice.choices("abc", k=dice.randint(1, 5)):
        start = dice.randint(0, len(text))
        end = min(len(text), start + dice.choice([0, 0, 0, 1, 3, 6]))
        new = dice.choice(NEW)
        buffer.replace(start, end, new, (mark,))
        text = text[:start] + new + text[end:]
    return buffer, text


@pytest.mark.parametrize("seed", range(10))
def test_random_edits(tmp_path: Path, seed: int) -> None:
    dice, diffs, wanted = random.Random(seed), [], {}
    for number in range(60):
        buffer, text = edited(dice)
        assert buffer.text == text
        by_change, lines = buffer.original, split_lines(buffer.original)
        for change in reversed(buffer.changes()):
            by_change = by_change[: change.start] + change.new + by_change[change.end :]
        for replaced in reversed(buffer.line_changes()):
            lines[replaced.start : replaced.end] = replaced.new
        assert (by_change, "".join(lines)) == (text, text)
        if text and text != buffer.original:
            name = f"f {number}é"
            (tmp_path / name).write_bytes(buffer.original.encode())
            diffs.append(file_diff(name, buffer.original, buffer.line_changes()))
            wanted[name] = text
    subprocess.run(["git", "apply", "--unsafe-paths"], cwd=tmp_path, input="".join(diffs).encode(), check=True)
    assert {name: (tmp_path / name).read_bytes().decode() for name in wanted} == wanted


def test_names_as_git_writes_them() -> None:
    assert quoted("a/b c.tf") == "a/b c.tf"
    assert quoted('a/"\té\udcff') == '"a/\\"\\t\\303\\251\\377"'
