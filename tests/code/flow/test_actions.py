"""KEY_AWS_010: action and ephemeral blocks take secrets in, and ephemeral resources hand them on."""

from __future__ import annotations

from pathlib import Path

import pytest
from secret_cases import KEY, by_address, root, sinks, write

from keyrules.code.terraform.module import block_address
from keyrules.model import Status

S = "aws_iam_access_key.k.secret"
K, ACTION, EPHEMERAL = "aws_iam_access_key.k", "action.aws_lambda_invoke.a", "ephemeral.aws_lambda_invocation.e"


def action(body: str, head: str = "", kind: str = "aws_lambda_invoke") -> str:
    return f'action "{kind}" "a" {{\n {head}\n config {{\n {body}\n }}\n}}\n'


def ephemeral(body: str, kind: str = "aws_lambda_invocation") -> str:
    return f'ephemeral "{kind}" "e" {{\n {body}\n}}\n'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (action(f"payload = jsonencode({{ s = {S} }})"), {ACTION: Status.FAIL}),
        (action("payload = aws_iam_access_key.k.id"), {K: Status.PASS}),
        (action(f"s = {S}", kind="other_thing"), {"action.other_thing.a": Status.UNKNOWN}),
        (action(f"password = {S}", kind="other_thing"), {"action.other_thing.a": Status.PASS, K: Status.PASS}),
        (action(f"payload = {S}", head="count = 0"), {K: Status.PASS}),
        (ephemeral(f"payload = jsonencode({{ s = {S} }})"), {EPHEMERAL: Status.UNKNOWN}),
        (ephemeral("payload = aws_iam_access_key.k.id"), {K: Status.PASS}),
        (ephemeral(f"password = {S}", "db_login"), {"ephemeral.db_login.e": Status.PASS, K: Status.PASS}),
    ],
)
def test_a_block_that_takes_the_secret(tmp_path: Path, source: str, expected: dict[str, Status]) -> None:
    assert by_address(sinks(write(tmp_path, {"main.tf": KEY + source}))) == expected


def test_what_an_ephemeral_resource_renders_carries_the_secret(tmp_path: Path) -> None:
    carried = ephemeral(f"template = {S}", "template_file")
    lambda_ = 'resource "local_file" "f" {\n content = ephemeral.template_file.e.rendered\n}\n'
    (found,) = sinks(write(tmp_path, {"main.tf": KEY + carried + lambda_}))
    assert (found.address, found.status) == ("local_file.f", Status.FAIL)
    assert any(step.label == "ephemeral.template_file.e.rendered" for step in found.trace)


def test_blocks_in_modules_and_in_json_have_their_addresses(tmp_path: Path) -> None:
    inner = {"action": {"aws_sns_publish": {"a": {"config": {"message": "${var.s}"}}}}, "variable": {"s": {}}}
    call = f'module "m" {{\n source = "./m"\n s = {S}\n}}\n'
    found = sinks(write(tmp_path, {"main.tf": KEY + call, "m/main.tf.json": inner}))
    assert by_address(found) == {"module.m.action.aws_sns_publish.a": Status.FAIL}


def test_blocks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    both = "".join(f'{kind} "t" "x" {{}}\n' for kind in ("resource", "data", "ephemeral", "action"))
    module = root(write(tmp_path, {"main.tf": both})).module
    addresses = [block_address(kind, name) for kind, found in module.blocks for name in found]
    assert addresses == ["t.x", "data.t.x", "ephemeral.t.x", "action.t.x"]
