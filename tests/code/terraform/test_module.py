"""Which files a module consists of, how override files and values files combine, and how modules call modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from terraform_cases import module, root_scope, write

from keyrules.code.terraform.evaluate import UNKNOWN, variable
from keyrules.code.terraform.module import ModuleReader
from keyrules.code.terraform.scope import Scope, walk


def key(name: str, body: str = '  user = "u"\n') -> str:
    return f'resource "aws_iam_access_key" "{name}" {{\n{body}}}\n'


def test_the_files_of_a_module(tmp_path: Path) -> None:
    files = {name: key(name.split(".")[0]) for name in ("a.tf", "b.tf.bak", "c.tfvars.tf", "d.hcl", "sub/e.tf")}
    files["f.tf.json"] = '{"resource": {"aws_iam_access_key": {"f": {"user": "u"}}}}'
    files[".hidden.tf"] = key("hidden")
    root = root_scope(write(tmp_path, files))
    (tmp_path / "folder.tf").mkdir()
    assert sorted(root.module.resources) == [f"aws_iam_access_key.{name}" for name in "acf"]
    assert root_scope(tmp_path).module.errors == ()


def test_opentofu_reads_its_own_file_in_place_of_terraforms(tmp_path: Path) -> None:
    root = root_scope(write(tmp_path, {"a.tf": key("terraform"), "a.tofu": key("tofu"), "b.tofu": key("alone")}))
    assert sorted(root.module.resources) == ["aws_iam_access_key.alone", "aws_iam_access_key.tofu"]


def test_a_broken_file_is_an_error_and_leaves_the_others(tmp_path: Path) -> None:
    write(
        tmp_path, {"a.tf": key("a"), "b.tf": 'resource "x" "SECRETIVE" {\n', "c.tf.json": "{", "d.auto.tfvars": "x =\n"}
    )
    (tmp_path / "e.tf").write_bytes(b'x = "\xff"')
    root = root_scope(tmp_path)
    assert list(root.module.resources) == ["aws_iam_access_key.a"]
    assert sorted(Path(error.path).name for error in root.module.errors) == [
        "b.tf",
        "c.tf.json",
        "d.auto.tfvars",
        "e.tf",
    ]
    assert not any("SECRETIVE" in error.message for error in root.module.errors)


def test_a_values_file_that_is_locked_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, {"a.tf": key("a")})
    (tmp_path / "terraform.tfvars").write_bytes(b"\0GITCRYPT\0\xd0\xff")
    (error,) = root_scope(tmp_path).module.errors
    assert error.message == "is encrypted by git-crypt; unlock the repository before the scan"


def test_an_absent_folder_is_an_error(tmp_path: Path) -> None:
    assert [error.message for error in root_scope(tmp_path / "none").module.errors] == [
        "cannot be listed: No such file or directory"
    ]


def test_a_key_declared_twice_is_an_error(tmp_path: Path) -> None:
    root = root_scope(write(tmp_path, {"a.tf": key("k"), "b.tf": "\n" + key("k"), "c.tf": 'resource "x" "y" {}\n' * 2}))
    assert [(Path(e.path).name, e.line) for e in root.module.errors] == [("b.tf", 2)]
    assert "declared twice" in root.module.errors[0].message


def test_override_files_replace_arguments_and_merge_lifecycle(tmp_path: Path) -> None:
    base = key("k", '  user = "u"\n  status = "Active"\n  lifecycle {\n    create_before_destroy = true\n  }\n')
    over = key("k", '  status = "Inactive"\n  lifecycle {\n    replace_triggered_by = [terraform_data.c]\n  }\n')
    root = root_scope(write(tmp_path, {"z.tf": base, "a_override.tf": over, "override.tf.json": "{}"}))
    declared = root.module.resources["aws_iam_access_key.k"]
    assert root.module.errors == ()
    assert sorted(declared.body.attributes) == ["status", "user"]
    assert getattr(declared.value("status"), "value", None) == "Inactive"
    (lifecycle,) = declared.blocks("lifecycle")
    assert sorted(lifecycle.body.attributes) == ["create_before_destroy", "replace_triggered_by"]
    assert Path(declared.path).name == "z.tf"


def test_values_files_in_the_order_of_terraform(tmp_path: Path) -> None:
    names = ("default", "plain", "json", "auto_a", "auto_b")
    files = {
        "main.tf": "".join(f'variable "{name}" {{\n  default = 0\n}}\n' for name in names),
        "terraform.tfvars": "plain = 1\njson = 1\nauto_a = 1\nauto_b = 1\n",
        "terraform.tfvars.json": '{"json": 2, "auto_a": 2, "auto_b": 2}',
        "a.auto.tfvars": "auto_a = 3\nauto_b = 3\n",
        "b.auto.tfvars.json": '{"auto_b": 4}',
        "prod.tfvars": "".join(f"{name} = 5\n" for name in names),
    }
    root = root_scope(write(tmp_path, files))
    assert [variable(name, root) for name in names] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("declaration", "given", "expected"),
    [
        ("default = 5", "", 5),
        ("default = 5", "v = 6", 6),
        ("default = 5", "v = null", None),
        ("default = 5\nnullable = false", "v = null", 5),
        ("", "", UNKNOWN),
        ("", "v = var.missing", UNKNOWN),
        ("type = number", 'v = "6"', 6),
        ("type = string", "v = 6", "6"),
        ("type = bool", 'v = "true"', True),
        ("type = list(number)", 'v = ["1", 2]', [1, 2]),
        ("type = object({ a = optional(number, 3) })", "v = {}", {"a": 3}),
        ("type = object({ a = optional(number, 3) })", "v = { a = null, b = 1 }", {"a": 3}),
        ("type = object({ a = optional(number) })", "v = {}", {"a": None}),
        ("type = map(object({ a = optional(number, 3) }))", "v = { k = {} }", {"k": {"a": 3}}),
    ],
)
def test_inputs_of_a_module(tmp_path: Path, declaration: str, given: str, expected: Any) -> None:
    call = f'module "m" {{\n  source = "./m"\n  {given}\n}}\n'
    inner = module(tmp_path, call, m__main=f'variable "v" {{\n{declaration}\n}}\n').child("m")
    assert inner is not None
    assert variable("v", inner) == expected


def test_values_files_of_a_called_module_do_not_count(tmp_path: Path) -> None:
    files = {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": 'variable "v" {\n  default = 1\n}\n'}
    inner = root_scope(write(tmp_path, {**files, "m/terraform.tfvars": "v = 2\n"})).child("m")
    assert inner is not None
    assert variable("v", inner) == 1


def test_only_local_modules_are_followed(tmp_path: Path) -> None:
    sources = {
        "local": "./m",
        "up": "../m",
        "registry": "acme/m/aws",
        "git": "git::https://example.com/m.git",
        "name": "m",
    }
    text = "".join(f'module "{name}" {{\n  source = "{source}"\n}}\n' for name, source in sources.items())
    write(tmp_path, {"root/main.tf": text, "root/m/main.tf": key("k"), "m/main.tf": key("k")})
    root = root_scope(tmp_path / "root")
    assert [name for name in sources if root.child(name) is not None] == ["local", "up"]
    assert [scope.prefix for scope in walk(root)] == ["", "module.local.", "module.up."]


def test_a_module_that_calls_itself_is_not_followed(tmp_path: Path) -> None:
    text = 'module "self" {\n  source = "./"\n}\nmodule "child" {\n  source = "./m"\n}\n'
    root = module(tmp_path, text, m__main='module "back" {\n  source = "../"\n}\n')
    assert [scope.prefix for scope in walk(root)] == ["", "module.child."]


def test_each_folder_is_read_once(tmp_path: Path) -> None:
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return Path(path).read_bytes()

    text = "".join(f'module "{name}" {{\n  source = "./m"\n}}\n' for name in "abc")
    write(tmp_path, {"main.tf": text, "m/main.tf": key("k")})
    reader = ModuleReader(read)
    assert len(list(walk(Scope(reader.module(str(tmp_path)), reader)))) == 4
    assert sorted(Path(path).parent.name for path in reads) == sorted([tmp_path.name, "m"])


def test_a_key_leads_to_its_module_instance(tmp_path: Path) -> None:
    text = 'module "m" {\n  source   = "./m"\n  for_each = toset(["x"])\n}\n'
    root = module(tmp_path, text, m__main=key("k"))
    found = root.child("m", "x")
    assert found is not None
    assert found.prefix == 'module.m["x"].'
    assert root.child("none") is None
