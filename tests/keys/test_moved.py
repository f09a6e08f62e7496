"""What `moved` blocks say of the addresses in states that were written before.

The cases are what `terraform plan` 1.11.4 prints as moved of the same blocks with terraform_data in place of the keys.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from joined_cases import ROTATING, World, user, with_key
from states import key_values, resource, state_4, user_values

MODULE = """
resource "aws_iam_access_key" "b" { user = var.user }
moved {
  from = aws_iam_access_key.a
  to   = aws_iam_access_key.b
}
variable "user" {}
"""


def key(name: str, **more: Any) -> str:
    """A block of one key with its arguments."""
    lines = "".join(f"  {word} = {text}\n" for word, text in {"user": '"ci"', **more}.items())
    return f'resource "aws_iam_access_key" "{name}" {{\n{lines}}}\n'


def moved(old: str, new: str) -> str:
    return f"moved {{\n  from = {old}\n  to = {new}\n}}\n"


def joined(world: World, address: str, code: str, **instance: Any) -> dict[str, Any]:
    """What declares the key that a state holds at an address, when the code stands there now."""
    world.write("code/main.tf", code)
    world.report([user("ci", **with_key(used="2026-05-31T00:00:00Z"))])
    values = {**key_values("ci"), "@": instance}
    world.write("s.tfstate", state_4(resource("aws_iam_user.u", user_values("ci")), resource(address, values)))
    run = world.run("--state", "s.tfstate")
    assert run.code == 0, run.document["errors"]
    (found,) = run.row("ci")["declared"]
    assert isinstance(found, dict)
    if found["line"] is not None:
        assert found["address"] not in [other for other, _, _ in run.unjoined()]
    return found


OLD = "aws_iam_access_key.old"


@pytest.mark.parametrize(
    ("code", "instance", "line"),
    [
        (key("new") + moved(OLD, "aws_iam_access_key.new"), {}, 1),
        (
            key("new") + moved(OLD, "aws_iam_access_key.between") + moved("aws_iam_access_key.between", f"{OLD}er"),
            {},
            None,
        ),
        (key("c") + moved(OLD, "aws_iam_access_key.b") + moved("aws_iam_access_key.b", "aws_iam_access_key.c"), {}, 1),
        (key("new", count="1") + moved(OLD, "aws_iam_access_key.new[0]"), {}, 1),
        (key("new", count="2") + moved(OLD, "aws_iam_access_key.new"), {"index_key": 1}, 1),
        (
            key("x") + key("y") + moved(OLD, "aws_iam_access_key.x") + moved(f'{OLD}["a"]', "aws_iam_access_key.y"),
            {"index_key": "a"},
            4,
        ),
        (key("new") + moved(f'{OLD}["b"]', "aws_iam_access_key.new"), {"index_key": "a"}, None),
        (key("new") + moved(f"{OLD}_one", "aws_iam_access_key.new"), {}, None),
    ],
    ids=["once", "to nowhere", "twice", "into count", "all of count", "one of several", "another one", "another name"],
)
def test_a_resource_that_moved_is_at_its_new_place(
    world: World, code: str, instance: dict[str, Any], line: int | None
) -> None:
    found = joined(world, OLD, code, **instance)
    assert found["line"] == line
    assert found["address"].startswith(OLD) and found["certainty"] == "certain"


@pytest.mark.parametrize(
    ("address", "call"),
    [
        (
            "module.old.aws_iam_access_key.a",
            'module "new" {\n  for_each = toset(["z"])\n  source = "./m"\n  user = "ci"\n}\n'
            + moved("module.old", 'module.new["z"]'),
        ),
        (
            'module.old["p"].aws_iam_access_key.a',
            'module "new" {\n  for_each = toset(["p", "q"])\n  source = "./m"\n  user = "ci"\n}\n'
            + moved("module.old", "module.new"),
        ),
        ("module.m.aws_iam_access_key.a", 'module "m" {\n  source = "./m"\n  user = "ci"\n}\n'),
        (
            "aws_iam_access_key.out",
            'module "m" {\n  source = "./m"\n  user = "ci"\n}\n'
            + moved("aws_iam_access_key.out", "module.m.aws_iam_access_key.b"),
        ),
    ],
    ids=["a call that moved", "its instances", "within a module", "into a module"],
)
def test_modules_that_moved_are_followed_and_blocks_in_them_are(world: World, address: str, call: str) -> None:
    world.write("code/m/main.tf", MODULE)
    found = joined(world, address, call)
    assert (found["path"], found["line"], found["address"]) == ("code/m/main.tf", 2, address)


def test_blocks_in_json_are_read(world: World) -> None:
    world.write("code/moved.tf.json", json.dumps({"moved": [{"from": OLD, "to": "aws_iam_access_key.new"}]}))
    assert joined(world, OLD, key("new"))["line"] == 1


def test_blocks_that_go_round_end(world: World) -> None:
    code = key("new") + moved(OLD, "aws_iam_access_key.x") + moved("aws_iam_access_key.x", OLD)
    assert joined(world, OLD, code)["line"] is None


def test_the_rotation_and_the_next_step_are_those_of_the_new_place(world: World) -> None:
    """`-replace` of the old address replaces nothing."""
    joined(world, OLD, ROTATING + moved(OLD, "aws_iam_access_key.k"))
    row = world.run("--state", "s.tfstate").row("ci")
    assert row["drift"] == ["declared_and_stale"]
    assert f"-replace={OLD}" not in row["next"]["check"] and "-replace=aws_iam_access_key.k" in row["next"]["check"]
