"""What a module call's source is worth, and which folder that is: as Terraform 1.11 and OpenTofu 1.8 take them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scanning import scan
from terraform_cases import root_scope, write

from keyrules.code.discovery import discover
from keyrules.code.terraform.key_set import attribute
from keyrules.code.terraform.keys import declared_keys
from keyrules.code.terraform.sources import module_source

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "u"\n}\n'


def call(source: str, rest: str = "") -> str:
    return f'module "m" {{\n  source = {source}\n  {rest}\n}}\n'


@pytest.mark.parametrize(
    "source",
    [
        '"./x"',
        '("./x")',
        '/* the old one */ "./x"',
        'true ? "./x" : ""',
        '1 == 2 ? "" : "./x"',
        '"./${"x"}"',
        '"${"./x"}"',
        '["./y", "./x"][1]',
        '<<-E\n    ${"./x"~}\n    E',
        '".\\\\x"',
        '"./y/../x"',
        '"./x//"',
        '"{here}/x"',
        '"{here}//x"',
        '"file://{here}/x"',
        '"file::{here}/x"',
        '"file://{here}/%78"',
        # OpenTofu's early evaluation.
        "local.d",
        '"./${local.n}"',
        "var.d",
        '"${path.module}/x"',
        'format("./%s", local.n)',
    ],
)
def test_sources_that_are_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Each is read, and found by discovery: the module is no root of its own, its caller is one."""
    values = 'variable "d" {\n  default = "./x"\n}\nlocals {\n  d = "./x"\n  n = "x"\n}\n'
    write(tmp_path, {"x/main.tf": KEY, "y/main.tf": "", "values.tf": values})
    write(tmp_path, {"main.tf": call(source.replace("{here}", str(tmp_path)))})
    assert [key.address for key in declared_keys(root_scope(tmp_path))] == ["module.m.aws_iam_access_key.k"]
    monkeypatch.chdir(tmp_path)
    assert [unit.path for unit in discover([tmp_path], tmp_path).units] == [str(tmp_path)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('"x"', "x"),
        ('"acme/user/aws"', "acme/user/aws"),
        ('"git::https://example.com/x.git"', "git::https://example.com/x.git"),
        ('"git::file:///x"', "git::file:///x"),
        ("var.none", None),
        ('"./${var.none}"', None),
        ("module.m.source", None),
        ("module.n.source", None),
        ("1 +", None),
        ("[]", ""),
        ("null", ""),
    ],
)
def test_sources_that_are_not(tmp_path: Path, source: str, text: str | None) -> None:
    if source == "1 +":
        source = "missing_function()"
    write(tmp_path, {"main.tf": 'variable "none" {}\n' + call(source) + call("module.m.x").replace('"m"', '"n"', 1)})
    root = root_scope(tmp_path)
    found = module_source(root.module.calls["m"], root)
    assert (found.text, found.folder) == (text, None)
    assert list(declared_keys(root)) == []


def test_a_source_that_does_not_resolve_is_no_clean_run(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": 'variable "d" {}\n' + call("var.d"), "x/main.tf": "\n"})
    done = scan(tmp_path)
    assert done.code == 3
    assert done.errors()["main.tf"].startswith("Line 3: module m has a source that does not resolve")
    assert scan(write(tmp_path / "plain", {"main.tf": call('"acme/vpc/aws"')})).code == 0


def test_a_source_that_its_caller_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTofu evaluates it with the caller's argument; the module in between is no root then."""
    between = 'variable "d" {}\n' + call("var.d")
    write(tmp_path, {"main.tf": call('"./between"', 'd = "../x"'), "between/main.tf": between, "x/main.tf": KEY})
    monkeypatch.chdir(tmp_path)
    assert [unit.path for unit in discover([tmp_path], tmp_path).units] == [str(tmp_path)]
    done = scan(tmp_path, "--rule", "KEY_AWS_001")
    assert [f["location"]["address"] for f in done.findings()] == ["module.m.module.m.aws_iam_access_key.k"]
    assert done.errors() == {}


def test_path_module_in_a_called_module(tmp_path: Path) -> None:
    inner = 'locals {\n  d = "${path.module}/x"\n}\n' + call("local.d")
    write(tmp_path, {"main.tf": call('"./m"'), "m/main.tf": inner, "m/x/main.tf": KEY})
    assert [key.declared.path for key in declared_keys(root_scope(tmp_path))] == [f"{tmp_path}/m/x/main.tf"]


class TestLinks:
    def test_out_of_a_link(self, tmp_path: Path) -> None:
        """Terraform follows links: `../x` leads out of where the link points to."""
        write(tmp_path, {"real/root/main.tf": call('"../x"'), "real/x/main.tf": KEY, "links/x/main.tf": ""})
        (tmp_path / "links/root").symlink_to("../real/root")
        (key,) = declared_keys(root_scope(tmp_path / "links/root"))
        assert key.declared.path == f"{tmp_path}/real/x/main.tf"

    def test_a_link_has_the_name_of_what_it_points_to(self, tmp_path: Path) -> None:
        write(tmp_path, {"live/main.tf": call('"../link"'), "modules/user/main.tf": KEY})
        (tmp_path / "link").symlink_to("modules/user")
        (key,) = declared_keys(root_scope(tmp_path / "live"))
        assert key.declared.path == f"{tmp_path}/modules/user/main.tf"

    def test_but_not_one_outside_of_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, {"repo/main.tf": call('"./link"'), "elsewhere/main.tf": KEY})
        (tmp_path / "repo/link").symlink_to("../elsewhere")
        monkeypatch.chdir(tmp_path / "repo")
        (key,) = declared_keys(root_scope(tmp_path / "repo"))
        assert key.declared.path == f"{tmp_path}/repo/link/main.tf"

    @pytest.mark.parametrize("target", ["outside", "repo/.terragrunt-cache/root"])
    def test_a_root_behind_a_link(self, tmp_path: Path, target: str) -> None:
        write(tmp_path / target, {"main.tf": KEY, "sub/main.tf": KEY, "notes.md": "", ".git/main.tf": KEY})
        write(tmp_path / "repo", {"other/main.tf": ""})
        (tmp_path / "repo/live").symlink_to(os.path.relpath(tmp_path / target, tmp_path / "repo"))
        done = scan(tmp_path / "repo", "--rule", "KEY_AWS_001")
        assert [f["location"]["path"] for f in done.findings()] == ["live/main.tf"]
        assert scan(tmp_path / "repo", "--exclude", "live/").findings() == []

    def test_a_scan_of_a_link_sees_who_calls_whom(self, tmp_path: Path) -> None:
        write(tmp_path, {"real/live/main.tf": call('"../m"'), "real/m/main.tf": KEY})
        (tmp_path / "link").symlink_to("real")
        done = scan(tmp_path, "--rule", "KEY_AWS_001", paths=["link"])
        assert [f["location"]["address"] for f in done.findings()] == ["module.m.aws_iam_access_key.k"]

    def test_a_link_to_what_is_walked_counts_once(self, tmp_path: Path) -> None:
        write(tmp_path, {"a/main.tf": KEY})
        (tmp_path / "b").symlink_to("a")
        (tmp_path / "a/up").symlink_to("..")
        done = scan(tmp_path, "--rule", "KEY_AWS_001")
        assert [f["location"]["path"] for f in done.findings()] == ["a/main.tf"]

    def test_a_root_in_a_tools_folder_when_it_is_called(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": call('"./node_modules/x"'), "node_modules/x/main.tf": KEY})
        done = scan(tmp_path, "--rule", "KEY_AWS_001")
        assert [f["location"]["path"] for f in done.findings()] == ["node_modules/x/main.tf"]


class TestEscapingBlocks:
    """Terraform 1.11: an argument in `_` counts like one beside it, but for names that are Terraform's own."""

    INNER = (
        'variable "create" {\n  default = false\n}\n'
        'resource "aws_iam_access_key" "k" {\n  count = var.create ? 1 : 0\n}\n'
    )

    @pytest.mark.parametrize(
        "files",
        [
            {"main.tf": call('"./m"', "_ {\n    create = true\n  }")},
            {"main.tf": call('"./m"', "_ { create = true }")},
            {"main.tf.json": '{"module": {"m": {"source": "./m", "_": {"create": true}}}}'},
            {"main.tf.json": '{"module": {"m": {"source": "./m", "_": [{"create": true}]}}}'},
        ],
    )
    def test_of_a_call(self, tmp_path: Path, files: dict[str, str]) -> None:
        root = root_scope(write(tmp_path, {**files, "m/main.tf": self.INNER}))
        assert [key.address for key in declared_keys(root)] == ["module.m.aws_iam_access_key.k[0]"]

    def test_of_a_resource(self, tmp_path: Path) -> None:
        escaped = '  _ {\n    user   = "u"\n    status = "Inactive"\n    count  = 0\n  }\n'
        text = f'resource "aws_iam_access_key" "k" {{\n{escaped}}}\n'
        (key,) = declared_keys(root_scope(write(tmp_path, {"main.tf": text})))
        assert attribute(key.declared, key.frame, "status") == "Inactive" and key.address == "aws_iam_access_key.k"


def test_a_folder_that_is_not_there_is_named_with_each_call_of_it(tmp_path: Path) -> None:
    calls = {"b.tf": "\n" + call('"./gone"'), "c.tf": call('"./gone"').replace('"m"', '"n"')}
    done = scan(write(tmp_path, {"a.tf": KEY} | calls))
    fate = "cannot be listed: No such file or directory"
    assert done.code == 3
    assert done.errors() == {
        "b.tf": f"Line 2: the folder of module m, gone, {fate}",
        "c.tf": f"Line 1: the folder of module n, gone, {fate}",
    }
