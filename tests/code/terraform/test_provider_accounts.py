"""Users of one name in two accounts are two users (KEY_AWS_003, KEY_AWS_004); providers tell accounts apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plan_context import judge
from plan_maker import PlanMaker, const, new_key, ref
from terraform_cases import judged, module

from keyrules.code.terraform.scope import Scope
from keyrules.model import Status

ROLE = 'assume_role {{\n role_arn = "arn:aws:iam::{0}:role/{1}"\n}}'
KEY = 'resource "aws_iam_access_key" "k" {\n  user = "deploy"\n}\n'
PROVIDERS = """
provider "aws" {
  alias   = "dev"
  profile = "dev"
}
provider "aws" {
  alias   = "prod"
  profile = "prod"
}
"""
PAIR = """
provider "aws" {{
  {0}
}}
provider "aws" {{
  alias = "other"
  {1}
}}
resource "aws_iam_access_key" "a" {{
  user = "deploy"
}}
resource "aws_iam_access_key" "b" {{
  provider = aws.other
  user     = "deploy"
}}
"""


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("", "", True),
        ('region = "eu-west-1"', 'region = "us-east-1"', True),
        ("", 'profile = "prod"', False),
        ('profile = "prod"', 'profile = "prod"\n  region = "us-east-1"', True),
        ('profile = "dev"', 'profile = "prod"', False),
        ("profile = var.x", "profile = var.x", True),
        ("profile = var.x", "profile = var.y", False),
        ("", ROLE.format("111111111111", "r"), False),
        (ROLE.format("111111111111", "r"), ROLE.format("111111111111", "s"), True),
        (ROLE.format("111111111111", "r"), ROLE.format("222222222222", "r"), False),
        (
            ROLE.format("222222222222", "r") + "\n" + ROLE.format("111111111111", "s"),
            ROLE.format("111111111111", "r"),
            True,
        ),
        ('allowed_account_ids = ["111111111111"]', ROLE.format("111111111111", "r"), True),
        ('allowed_account_ids = ["111111111111"]', 'allowed_account_ids = ["222222222222"]', False),
        ('allowed_account_ids = ["1", "2"]', 'allowed_account_ids = ["2", "3"]', True),
        ("assume_role {\n role_arn = var.x\n}", "assume_role {\n role_arn = var.x\n}", True),
        ("assume_role {\n role_arn = var.x\n}", "assume_role {\n role_arn = var.y\n}", False),
    ],
)
def test_what_tells_accounts_apart(tmp_path: Path, first: str, second: str, same: bool) -> None:
    text = 'variable "x" {}\nvariable "y" {}\n' + PAIR.format(first, second)
    assert failing(module(tmp_path, text)) == ({"aws_iam_access_key.a", "aws_iam_access_key.b"} if same else set())


def failing(root: Scope, rule: str = "KEY_AWS_003") -> set[str]:
    return {address for address, verdict in judged(rule, root).items() if verdict.status is Status.FAIL}


@pytest.mark.parametrize(("second", "same"), [("aws.prod", False), ("aws.dev", True)])
def test_modules_get_their_accounts_from_their_callers(tmp_path: Path, second: str, same: bool) -> None:
    calls = (
        'module "a" {\n  source = "./m"\n  providers = {\n    aws = aws.dev\n  }\n}\n'
        f'module "b" {{\n  source = "./m"\n  providers = {{\n    aws = {second}\n  }}\n}}\n'
    )
    root = module(
        tmp_path, PROVIDERS + calls, m__main='module "inner" {\n  source = "./inner"\n}\n', m__inner__main=KEY
    )
    both = {f"module.{name}.module.inner.aws_iam_access_key.k" for name in ("a", "b")}
    assert failing(root) == (both if same else set())


def test_aliases_that_a_module_gets_from_its_caller(tmp_path: Path) -> None:
    keys = "".join(
        f'resource "aws_iam_access_key" "{name}" {{\n  provider = aws.{name}\n  user = "deploy"\n}}\n'
        for name in ("x", "y", "z")
    )
    call = (
        'module "m" {\n  source = "./m"\n  providers = {\n'
        "    aws.x = aws.dev\n    aws.y = aws.prod\n    aws.z = aws.dev\n  }\n}\n"
    )
    root = module(tmp_path, PROVIDERS + call, m__main=keys)
    assert failing(root) == {"module.m.aws_iam_access_key.x", "module.m.aws_iam_access_key.z"}


def test_aliases_that_are_not_declared_tell_nothing_apart(tmp_path: Path) -> None:
    keys = "".join(
        f'resource "aws_iam_access_key" "{name}" {{\n  provider = aws.{name}\n  user = "deploy"\n}}\n'
        for name in ("x", "y")
    )
    assert failing(module(tmp_path, keys)) == {"aws_iam_access_key.x", "aws_iam_access_key.y"}


def test_a_password_in_another_account_is_another_users(tmp_path: Path) -> None:
    profile = 'resource "aws_iam_user_login_profile" "p" {\n  provider = aws.prod\n  user = "deploy"\n}\n'
    own = KEY.replace("user =", "provider = aws.dev\n  user =")
    assert failing(module(tmp_path / "two", PROVIDERS + own + profile), "KEY_AWS_004") == set()
    same = profile.replace("aws.prod", "aws.dev")
    assert failing(module(tmp_path / "one", PROVIDERS + own + same), "KEY_AWS_004") == {"aws_iam_access_key.k"}


def plan(*providers: dict[str, Any]) -> dict[str, Status]:
    """KEY_AWS_003 on a plan of one key for each provider, all of one user name."""
    made = PlanMaker()
    made.document["variables"] = {"role": {"value": "arn:aws:iam::111111111111:role/r"}}
    for number, expressions in enumerate(providers):
        address = f"aws_iam_access_key.k{number}"
        made.key(address, new_key("deploy"))
        made.document["configuration"]["provider_config"][f"aws.p{number}"] = {"expressions": expressions}
        made.config()["resources"][-1]["provider_config_key"] = f"aws.p{number}"
    return {address: verdict.status for address, verdict in judge("KEY_AWS_003", made.bytes()).items()}


def role(expression: dict[str, Any]) -> dict[str, Any]:
    return {"assume_role": [{"role_arn": expression}]}


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ({}, {"region": const("us-east-1")}, Status.FAIL),
        ({"profile": const("dev")}, {"profile": const("prod")}, Status.PASS),
        ({"profile": ref("local.x")}, {"profile": ref("local.x")}, Status.FAIL),
        (role(ref("var.role")), role(const("arn:aws:iam::111111111111:role/s")), Status.FAIL),
        (role(ref("var.role")), role(const("arn:aws:iam::222222222222:role/s")), Status.PASS),
        (role(ref("var.role")), {"allowed_account_ids": const(["111111111111"])}, Status.FAIL),
        (role(ref("local.x")), role(ref("local.y")), Status.PASS),
    ],
)
def test_what_tells_accounts_apart_in_a_plan(first: dict[str, Any], second: dict[str, Any], status: Status) -> None:
    assert set(plan(first, second).values()) == {status}
