"""Modules that `terraform init` has downloaded are read through its list, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scanning import scan
from terraform_cases import root_scope, write

from keyrules.code.terraform.downloaded import canonical
from keyrules.code.terraform.keys import declared_keys

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "u"\n}\n'
CALL = 'module "u" {\n  source  = "acme/user/aws"\n  version = "~> 1.0"\n}\n'
LIST = ".terraform/modules/modules.json"
ENTRY = {"Key": "u", "Source": "registry.terraform.io/acme/user/aws", "Version": "1.0.3", "Dir": ".terraform/modules/u"}


def listed(*entries: object) -> str:
    return json.dumps({"Modules": [{"Key": "", "Source": "", "Dir": "."}, *entries]})


def keys(folder: Path) -> list[tuple[str, str]]:
    return [
        (key.address, Path(key.declared.path).relative_to(folder).as_posix())
        for key in declared_keys(root_scope(folder))
    ]


def test_a_module_is_read_where_terraform_put_it(tmp_path: Path) -> None:
    write(tmp_path, {"live/main.tf": CALL, f"live/{LIST}": listed(ENTRY), "live/.terraform/modules/u/main.tf": KEY})
    assert keys(tmp_path / "live") == [("module.u.aws_iam_access_key.k", ".terraform/modules/u/main.tf")]
    done = scan(tmp_path, "--rule", "KEY_AWS_001")
    assert [f["location"]["path"] for f in done.findings()] == ["live/.terraform/modules/u/main.tf"]
    assert [i["name"] for i in done.report["inputs"]] == ["live"]


def test_modules_in_modules(tmp_path: Path) -> None:
    """The key of a nested one has the names on the way, local calls included; `Dir` starts at the root."""
    inner = 'module "deep" {\n  source = "git@example.com:acme/deep.git"\n}\n'
    deep = {
        "Key": "m.u.deep",
        "Source": "git::ssh://git@example.com/acme/deep.git",
        "Dir": ".terraform/modules/m.u.deep/sub",
    }
    write(
        tmp_path,
        {
            "main.tf": 'module "m" {\n  source = "./m"\n}\n',
            "m/main.tf": CALL,
            LIST: listed({**ENTRY, "Key": "m.u"}, deep),
            ".terraform/modules/u/main.tf": inner,
            ".terraform/modules/m.u.deep/sub/main.tf": KEY,
        },
    )
    address = "module.m.module.u.module.deep.aws_iam_access_key.k"
    assert keys(tmp_path) == [(address, ".terraform/modules/m.u.deep/sub/main.tf")]
    assert [f["location"]["address"] for f in scan(tmp_path, "--rule", "KEY_AWS_001").findings()] == [address]


@pytest.mark.parametrize(
    "change",
    [
        {"Source": "registry.terraform.io/other/user/aws"},
        {"Source": "registry.opentofu.org/acme/user/aws"},
        {"Version": "0.9.0"},
        {"Version": "2.0.0"},
        {"Key": "v"},
        {"Dir": ".terraform/modules/gone"},
        {"Dir": 1},
        {"Source": None},
    ],
)
def test_what_is_stale_is_not_used(tmp_path: Path, change: dict[str, object]) -> None:
    write(tmp_path, {"main.tf": CALL, LIST: listed({**ENTRY, **change}), ".terraform/modules/u/main.tf": KEY})
    assert keys(tmp_path) == []


@pytest.mark.parametrize(
    "directory", ["../stolen", "m", "/{here}/m", ".terraform", ".terraform/../m", ".terraform/modules/link"]
)
def test_nothing_outside_of_terraforms_folder_is_read_through_the_list(tmp_path: Path, directory: str) -> None:
    entry = {**ENTRY, "Dir": directory.replace("/{here}", str(tmp_path))}
    write(tmp_path, {"main.tf": CALL, LIST: listed(entry), "m/main.tf": "", ".terraform/main.tf": KEY})
    write(tmp_path.parent / "stolen", {"main.tf": KEY})
    (tmp_path / ".terraform/modules/link").symlink_to(tmp_path.parent / "stolen")
    assert keys(tmp_path) == []
    write(tmp_path, {"key.tf": KEY})
    assert "outside of .terraform" in scan(tmp_path, "--rule", "KEY_AWS_001").errors()["main.tf"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"Modules": 1}', '{"Modules": [1, {}, {"Key": 1}]}', "[" * 100_000, "\xff"]
)
def test_a_list_that_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"main.tf": CALL + KEY, LIST: ""})
    (tmp_path / LIST).write_bytes(text.encode("latin-1"))
    assert [address for address, _ in keys(tmp_path)] == ["aws_iam_access_key.k"]
    assert scan(tmp_path, "--rule", "KEY_AWS_001").errors() == {}


@pytest.mark.parametrize(
    ("source", "recorded"),
    [
        ("acme/user/aws", "registry.terraform.io/acme/user/aws"),
        ("acme/user/aws//modules/x", "registry.terraform.io/acme/user/aws//modules/x"),
        ("app.terraform.io/acme/user/aws", "app.terraform.io/acme/user/aws"),
        ("github.com/acme/user", "git::https://github.com/acme/user.git"),
        ("github.com/acme/user.git", "git::https://github.com/acme/user.git"),
        ("github.com/acme/user//sub?ref=v1", "git::https://github.com/acme/user.git//sub?ref=v1"),
        ("github.com/acme/user/sub/x?ref=v1", "git::https://github.com/acme/user.git//sub/x?ref=v1"),
        ("git@github.com:acme/user.git?ref=1", "git::ssh://git@github.com/acme/user.git?ref=1"),
        ("git::git@github.com:acme/user.git", "git::ssh://git@github.com/acme/user.git"),
        ("git::https://example.com/x.git", "git::https://example.com/x.git"),
        ("https://example.com/x.zip", "https://example.com/x.zip"),
    ],
)
def test_sources_as_terraform_records_them(source: str, recorded: str) -> None:
    assert canonical(source) == recorded
