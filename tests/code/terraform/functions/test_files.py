"""Functions on files read regular files of the modules, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from terraform_cases import root_scope, write

from keyrules.code.terraform.evaluate import UNKNOWN, evaluate
from keyrules.code.terraform.scope import Frame

FILES = {
    "users.json": '["ann"]',
    "note.txt": "hello",
    "page.tftpl": "${name}%{ for n in list }-${n}%{ endfor }",
    "m/own.txt": "inner",
    "m/main.tf": """
        output "text" { value = file("${path.module}/own.txt") }
        output "above" { value = file("note.txt") }
        """,
    "conf/a.txt": "a",
    "conf/deep/b.txt": "b",
}


def worth(folder: Path, expression: str, main: str = "") -> Any:
    root = write(folder / "root", {**FILES, "main.tf": f"locals {{\n  answer = {expression}\n}}\n{main}"})
    scope = root_scope(root)
    return evaluate(scope.module.locals["answer"].value("value"), Frame(scope))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('file("note.txt")', "hello"),
        ('file("${path.root}/conf/../note.txt")', "hello"),
        ('jsondecode(file("${path.module}/users.json"))', ["ann"]),
        ('fileexists("note.txt")', True),
        ('fileexists("none.txt")', False),
        ('fileset(path.module, "conf/**/*.txt")', ["conf/a.txt", "conf/deep/b.txt"]),
        ('fileset("conf", "*.txt")', ["a.txt"]),
        ('fileset("conf", "?.txt")', ["a.txt"]),
        ('filemd5("note.txt")', "5d41402abc4b2a76b9719d911017c592"),
        ('filebase64("note.txt")', "aGVsbG8="),
        ('templatefile("page.tftpl", { name = "x", list = [1, 2] })', "x-1-2"),
        ('try(templatefile("page.tftpl", { name = "x" }), "no list")', "no list"),
        ('try(file("none.txt"), "none")', "none"),
        ('can(file("none.txt"))', False),
        ("module.m.text", "inner"),
        ("module.m.above", "hello"),
    ],
)
def test_files_of_the_modules_are_read(tmp_path: Path, expression: str, expected: Any) -> None:
    assert worth(tmp_path, expression, 'module "m" {\n  source = "./m"\n}\n') == expected


@pytest.mark.parametrize(
    "expression",
    [
        'file("../outside.txt")',
        'file("/etc/hostname")',
        'file("link.txt")',
        'file("pipe")',
        'file("large.txt")',
        'file("~/x")',
        'fileexists("../outside.txt")',
        'fileexists("pipe")',
        'fileset("..", "*")',
        'fileset(".", "**")',
        'fileset("conf", "../*")',
        'filesha256("../outside.txt")',
        'templatefile("../outside.txt", {})',
        'file("conf")',
    ],
)
def test_what_lies_elsewhere_or_is_no_regular_file_is_open(tmp_path: Path, expression: str) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"outside.txt": "secret", "root/large.txt": "x" * (1 << 20) + "x"})
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    os.mkfifo(root / "pipe")
    assert worth(tmp_path, expression) is UNKNOWN


def test_a_template_sees_nothing_but_what_it_is_given(tmp_path: Path) -> None:
    write(tmp_path, {"root/peek.tftpl": "${local.hidden}"})
    found = worth(tmp_path, 'templatefile("peek.tftpl", {})', 'locals {\n  hidden = "seen"\n}\n')
    assert found is UNKNOWN


def test_a_file_that_decides_is_part_of_what_was_read(tmp_path: Path) -> None:
    root = write(tmp_path, {"users.json": "[]", "main.tf": 'locals {\n  answer = file("users.json")\n}\n'})
    scope = root_scope(root)
    evaluate(scope.module.locals["answer"].value("value"), Frame(scope))
    assert str(root / "users.json") in scope.reader.digests
