"""KEY_AWS_009, and what verdicts of both secret-flow rules say: addresses, lines, ways, counts, limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from secret_cases import KEY, by_address, outputs, sinks, write

from keyrules.model import Status

S = "aws_iam_access_key.k.secret"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (f"value = {S}", Status.FAIL),
        (f"value = {S}\n sensitive = false", Status.FAIL),
        (f"value = {S}\n sensitive = true", Status.PASS),
        (f"value = {S}\n ephemeral = true", Status.PASS),
        (f"value = nonsensitive({S})\n sensitive = true", Status.FAIL),
        (f'value = {{ a = "x${{nonsensitive({S})}}" }}\n sensitive = true', Status.FAIL),
        ("value = aws_iam_access_key.k", Status.FAIL),
        ("value = aws_iam_access_key.k\n sensitive = true", Status.PASS),
        ("value = [aws_iam_access_key.k]", Status.FAIL),
        ("value = aws_iam_access_key.k.ses_smtp_password_v4", Status.FAIL),
    ],
)
def test_output(tmp_path: Path, body: str, status: Status) -> None:
    verdicts = by_address(outputs(write(tmp_path, {"main.tf": f'{KEY}output "o" {{\n {body}\n}}\n'})))
    assert verdicts.pop("output.o") is status
    assert verdicts == ({"aws_iam_access_key.k": Status.PASS} if status is Status.PASS else {})


@pytest.mark.parametrize("body", ["value = aws_iam_access_key.k.id", "value = nonsensitive(aws_iam_access_key.k.id)"])
def test_output_without_the_secret_has_no_verdict_of_its_own(tmp_path: Path, body: str) -> None:
    folder = write(tmp_path, {"main.tf": f'{KEY}output "o" {{\n {body}\n}}\n'})
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.PASS}


CHILD = """variable "name" {}
resource "aws_iam_access_key" "k" {
  user = var.name
}
output "open" {
  value = aws_iam_access_key.k.secret
}
output "closed" {
  value     = aws_iam_access_key.k.secret
  sensitive = true
}
output "id" {
  value = aws_iam_access_key.k.id
}
"""


def test_outputs_of_called_modules_once_each(tmp_path: Path) -> None:
    text = """module "a" {
  source = "./child"
  name   = "a"
}
module "b" {
  for_each = toset(["x", "y"])
  source   = "./child"
  name     = each.key
}
output "through" {
  value = module.a.closed
}
output "instance" {
  value = module.b["x"].closed
}
output "all" {
  value = values(module.b)[*].closed
}
output "whole" {
  value = module.a
}
output "ids" {
  value = [module.a.id, module.b["y"].id, values(module.b)[*].id]
}
"""
    verdicts = outputs(write(tmp_path, {"main.tf": text, "child/main.tf": CHILD}))
    assert by_address(verdicts) == {
        "output.all": Status.FAIL,
        "output.instance": Status.FAIL,
        "output.through": Status.FAIL,
        "output.whole": Status.FAIL,
        "module.a.output.open": Status.FAIL,
        "module.a.output.closed": Status.PASS,
    }
    child = next(verdict for verdict in verdicts if verdict.address == "module.a.output.open")
    assert (child.path, child.start_line, child.end_line) == (str(tmp_path / "child/main.tf"), 5, 7)


def test_a_module_folder_is_a_root_of_its_own(tmp_path: Path) -> None:
    verdicts = outputs(write(tmp_path, {"main.tf": CHILD}))
    assert by_address(verdicts) == {"output.open": Status.FAIL, "output.closed": Status.PASS}


def test_verdict_names_the_way_and_where_each_stop_stands(tmp_path: Path) -> None:
    text = f"""{KEY}
locals {{
  env = {{ SECRET = {S}, ID = aws_iam_access_key.k.id }}
}}
module "m" {{
  source = "./m"
  vars   = local.env
}}
"""
    inner = """variable "vars" {}
resource "aws_lambda_function" "f" {
  function_name = "f"
  environment {
    variables = var.vars
  }
}
"""
    verdict = sinks(write(tmp_path, {"main.tf": text, "m/main.tf": inner}))[0]
    way = "aws_iam_access_key.k.secret → local.env → module.m.var.vars → module.m.aws_lambda_function.f environment"
    assert verdict.message.startswith(f"{way}: the secret ends up in environment variables")
    assert (verdict.address, verdict.start_line, verdict.end_line) == ("module.m.aws_lambda_function.f", 2, 7)
    assert verdict.reason == "secret_in_environment"
    assert verdict.rule == "KEY_AWS_010"
    stops = [(step.label, Path(step.path).relative_to(tmp_path).as_posix(), step.line) for step in verdict.trace]
    assert stops == [
        ("aws_iam_access_key.k.secret", "main.tf", 1),
        ("local.env", "main.tf", 6),
        ("module.m.var.vars", "main.tf", 10),
        ("module.m.aws_lambda_function.f environment", "m/main.tf", 5),
    ]


def test_shortest_way_first_and_the_others_named(tmp_path: Path) -> None:
    text = (
        f'{KEY}resource "aws_iam_access_key" "other" {{\n user = "b"\n}}\n'
        "locals {\n far = aws_iam_access_key.other.secret\n}\n"
        f'resource "aws_instance" "i" {{\n tags = {{ a = local.far }}\n user_data = "${{{S}}}${{local.far}}"\n}}\n'
    )
    verdict = sinks(write(tmp_path, {"main.tf": text}))[0]
    others = "aws_iam_access_key.other in aws_instance.i tags, aws_iam_access_key.other in aws_instance.i user_data"
    assert verdict.message.startswith(f"aws_iam_access_key.k.secret → aws_instance.i user_data (also {others}): ")


def test_very_many_others_are_named_up_to_a_number(tmp_path: Path) -> None:
    keys = "".join(f'resource "aws_iam_access_key" "k{i:02}" {{\n user = "u{i}"\n}}\n' for i in range(13))
    secrets = ", ".join(f"aws_iam_access_key.k{i:02}.secret" for i in range(13))
    text = f'{keys}resource "aws_s3_object" "x" {{\n content = join(",", [{secrets}])\n}}\n'
    message = next(v.message for v in sinks(write(tmp_path, {"main.tf": text})) if v.status is Status.FAIL)
    assert "aws_iam_access_key.k10 in aws_s3_object.x content and 2 more): " in message
    assert "aws_iam_access_key.k11" not in message


def test_a_leaking_key_does_not_spoil_its_neighbour(tmp_path: Path) -> None:
    good = 'resource "aws_iam_access_key" "good" {\n user = "b"\n}\n'
    text = f'{KEY}{good}resource "aws_s3_object" "x" {{\n content = {S}\n}}\n'
    verdicts = by_address(sinks(write(tmp_path, {"main.tf": text})))
    assert verdicts == {"aws_s3_object.x": Status.FAIL, "aws_iam_access_key.good": Status.PASS}


def test_key_out_of_sight_is_still_a_key(tmp_path: Path) -> None:
    folder = write(tmp_path, {"main.tf": f'resource "aws_s3_object" "x" {{\n content = {S}\n}}\n'})
    assert by_address(sinks(folder)) == {"aws_s3_object.x": Status.FAIL}


def test_a_switch_given_by_the_caller_decides_but_a_default_does_not(tmp_path: Path) -> None:
    inner = f'{KEY}variable "show" {{\n default = false\n}}\noutput "o" {{\n value = var.show ? {S} : ""\n}}\n'
    called = 'module "m" {\n source = "./m"\n show = false\n}\n'
    assert by_address(outputs(write(tmp_path / "root", {"main.tf": inner}))) == {"output.o": Status.FAIL}
    folder = write(tmp_path / "called", {"main.tf": called, "m/main.tf": inner})
    assert by_address(outputs(folder)) == {"module.m.aws_iam_access_key.k": Status.PASS}
    folder = write(tmp_path / "set", {"main.tf": inner, "terraform.tfvars": "show = false\n"})
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.PASS}


def locals_block(*values: str) -> str:
    return "locals {\n" + "".join(f"  l{number} = {value}\n" for number, value in enumerate(values)) + "}\n"


def test_a_very_long_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    chain = locals_block(S, *[f'"${{local.l{number}}}x"' for number in range(3000)])
    verdict = outputs(write(tmp_path, {"main.tf": f'{KEY}{chain}output "o" {{\n value = local.l3000\n}}\n'}))[0]
    assert verdict.status is Status.FAIL
    assert "…" in verdict.message
    assert len(verdict.message) < 1000
    assert len(verdict.trace) < 100


def test_a_long_chain_through_dynamic_blocks_is_followed_to_its_end(tmp_path: Path) -> None:
    blocks = [f'data "any_thing" "d0" {{\n part {{\n value = {S}\n }}\n}}\n']
    for number in range(400):
        blocks.append(
            f'data "any_thing" "d{number + 1}" {{\n dynamic "part" {{\n for_each = data.any_thing.d{number}.part\n'
            " content {\n value = part.value.value\n }\n }\n}\n"
        )
    folder = write(
        tmp_path, {"main.tf": KEY + "".join(blocks) + 'output "o" {\n value = data.any_thing.d400.part\n}\n'}
    )
    assert by_address(outputs(folder)) == {"output.o": Status.FAIL}


def test_a_value_that_doubles_again_and_again(tmp_path: Path) -> None:
    chain = locals_block("[aws_iam_access_key.k]", *[f"[local.l{n}, {{ a = local.l{n} }}]" for n in range(60)])
    verdicts = outputs(write(tmp_path, {"main.tf": f'{KEY}{chain}output "o" {{\n value = local.l60\n}}\n'}))
    assert by_address(verdicts) == {"output.o": Status.FAIL}


def test_circles_end(tmp_path: Path) -> None:
    circle = locals_block(*[f"local.l{(number + 1) % 100}" for number in range(100)])
    text = f'{KEY}{circle}output "o" {{\n value = "${{local.l7}}${{{S}}}"\n}}\noutput "p" {{\n value = local.l50\n}}\n'
    assert by_address(outputs(write(tmp_path, {"main.tf": text}))) == {"output.o": Status.FAIL}
    module = f'module "m" {{\n source = "./m"\n x = module.m.y\n}}\n{KEY}'
    inner = 'variable "x" {}\noutput "y" {\n value = var.x\n}\n'
    folder = write(tmp_path / "module", {"main.tf": module, "m/main.tf": inner})
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize("depth", [20, 80, 150])
def test_deep_nesting_is_followed_or_named(tmp_path: Path, depth: int) -> None:
    text = f'{KEY}output "o" {{\n value = {"[" * depth}{S}{"]" * depth}\n}}\n'
    assert by_address(outputs(write(tmp_path, {"main.tf": text}))) == {
        "output.o": Status.FAIL if depth < 100 else Status.UNKNOWN
    }


def test_loops_within_loops_end(tmp_path: Path) -> None:
    loops = "[for a in range(900) : [for b in range(900) : [for c in range(900) : %s]]]"
    every = f"[for x in local.l0 : {S}]"
    text = f'{KEY}{locals_block(loops % "a", loops % S, every)}output "o" {{\n value = [local.l1, local.l2]\n}}\n'
    assert by_address(outputs(write(tmp_path, {"main.tf": text}))) == {"output.o": Status.FAIL}


def test_too_much_to_follow_is_unknown_for_every_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyrules.code.flow.work._MAX_WORK", 5000)
    items = ", ".join(f'"{number}"' for number in range(60))
    loops = f"[for a in [{items}] : [for b in [{items}] : [for c in [{items}] : upper(c)]]]"
    verdicts = outputs(write(tmp_path, {"main.tf": f'{KEY}output "o" {{\n value = {loops}\n}}\n'}))
    assert by_address(verdicts) == {"aws_iam_access_key.k": Status.UNKNOWN}
    assert verdicts[0].reason == "flow_unknown"


def test_too_many_module_instances_is_unknown_for_every_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyrules.code.flow.taint._MAX_SCOPES", 4)
    text = f'{KEY}module "m" {{\n source = "./m"\n for_each = toset(["a", "b", "c", "d"])\n}}\n'
    folder = write(tmp_path, {"main.tf": text, "m/main.tf": 'output "o" {\n value = 1\n}\n'})
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.UNKNOWN}


def test_module_that_calls_itself(tmp_path: Path) -> None:
    text = (
        f'{KEY}variable "x" {{}}\nmodule "a" {{\n source = "./"\n x = {S}\n}}\n'
        'module "b" {\n source = "./"\n x = "y"\n}\n'
        'output "o" {\n value = var.x\n}\n'
    )
    folder = write(tmp_path, {"main.tf": text})
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.PASS}
    assert by_address(sinks(folder)) == {"module.a": Status.UNKNOWN}


@pytest.mark.parametrize(
    ("declared", "taken", "source"),
    [
        ('data "terraform_remote_state" "x" {}', "outputs.secret_access_key", "data.terraform_remote_state.x"),
        ('data "terraform_remote_state" "x" {}', 'outputs["ci_ses_smtp_password_v4"]', "data.terraform_remote_state.x"),
        ('data "terraform_remote_state" "x" {\n count = 1\n}', "outputs.secret", "data.terraform_remote_state.x"),
        ('data "tfe_outputs" "x" {}', "values.secret_access_key", "data.tfe_outputs.x"),
        ('data "tfe_outputs" "x" {}', "nonsensitive_values.secret_access_key", "data.tfe_outputs.x"),
        ('ephemeral "tfe_outputs" "x" {}', "values.secret_access_key", "ephemeral.tfe_outputs.x"),
        (
            'data "aws_cloudformation_stack" "x" {}',
            'outputs["SecretAccessKey"]',
            "data.aws_cloudformation_stack.x",
        ),
        ('resource "aws_cloudformation_stack" "x" {}', "outputs.CISecretAccessKey", "aws_cloudformation_stack.x"),
    ],
)
def test_what_others_give_out_under_the_name_of_a_secret_is_open(
    tmp_path: Path, declared: str, taken: str, source: str
) -> None:
    asked = f"{source}[0].{taken}" if "count" in declared else f"{source}.{taken}"
    function = f'resource "aws_lambda_function" "f" {{\n environment {{\n variables = {{ S = {asked} }}\n }}\n}}\n'
    folder = write(tmp_path, {"main.tf": f'{declared}\noutput "o" {{\n value = {asked}\n}}\n{function}'})
    for verdicts, address in ((outputs(folder), "output.o"), (sinks(folder), "aws_lambda_function.f")):
        assert by_address(verdicts) == {address: Status.UNKNOWN}
        assert verdicts[0].message.startswith(f"{source}")
        assert verdicts[0].reason == "output_not_read"


@pytest.mark.parametrize(
    "kept",
    [
        "data.terraform_remote_state.x",
        "[data.terraform_remote_state.x.outputs][0]",
        "merge({}, data.terraform_remote_state.x.outputs)",
    ],
)
def test_outputs_of_another_root_stay_open_where_they_are_handed_on(tmp_path: Path, kept: str) -> None:
    taken = "local.k.outputs.secret" if kept.endswith(".x") else "local.k.secret"
    text = f'data "terraform_remote_state" "x" {{}}\nlocals {{\n k = {kept}\n}}\noutput "o" {{\n value = {taken}\n}}\n'
    assert by_address(outputs(write(tmp_path, {"main.tf": text}))) == {"output.o": Status.UNKNOWN}


@pytest.mark.parametrize(
    "value",
    [
        "data.terraform_remote_state.x.outputs.vpc_id",
        "data.terraform_remote_state.x.outputs.secret_arn",
        "data.terraform_remote_state.x.outputs",
        "data.terraform_remote_state.x.config.secret_key",
        "data.aws_vpc.x.outputs.secret",
    ],
)
def test_what_others_give_out_under_other_names_is_nothing(tmp_path: Path, value: str) -> None:
    text = 'data "terraform_remote_state" "x" {}\ndata "aws_vpc" "x" {}\n'
    assert outputs(write(tmp_path, {"main.tf": f'{text}output "o" {{\n value = {value}\n}}\n'})) == []


def test_a_sensitive_output_keeps_what_another_root_gives_out(tmp_path: Path) -> None:
    text = 'data "terraform_remote_state" "x" {}\noutput "o" {\n value = data.terraform_remote_state.x.outputs.secret\n'
    folder = write(tmp_path, {"main.tf": f"{text} sensitive = true\n}}\n"})
    assert by_address(outputs(folder)) == {"output.o": Status.PASS}
