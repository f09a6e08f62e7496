"""Every way that a value can take from a key to a sink carries the secret, and nothing but the secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from secret_cases import KEY, by_address, outputs, sinks, write

from keyrules.model import Status

SINK = "aws_lambda_function.sink"

# What carries: locals of the root, further blocks, and the expression that the sink gets. @ is the key's attribute.
CARRIERS: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "attribute": ({}, "", "aws_iam_access_key.k.@"),
    "reserved root": ({}, "", "resource.aws_iam_access_key.k.@"),
    "reserved root in a loop": ({}, "", "[for x in resource.aws_iam_access_key.k[*] : x.@][0]"),
    "index syntax": ({}, "", 'aws_iam_access_key.k["@"]'),
    "legacy index": ({}, "", "aws_iam_access_key.k.0.@"),
    "needless index": ({}, "", "aws_iam_access_key.k[0].@"),
    "splat of one": ({}, "", "aws_iam_access_key.k[*].@"),
    "interpolation": ({}, "", '"${aws_iam_access_key.k.@}"'),
    "template": ({}, "", '"key=${aws_iam_access_key.k.@}"'),
    "template condition": ({}, "", '"%{ if var.on }${aws_iam_access_key.k.@}%{ endif }"'),
    "template loop": ({}, "", '"%{ for x in [aws_iam_access_key.k.@] }${x} %{ endfor }"'),
    "local": ({"a": "aws_iam_access_key.k.@"}, "", "local.a"),
    "chain of locals": ({"a": "aws_iam_access_key.k.@", "b": "local.a", "c": '"x${local.b}"'}, "", "local.c"),
    "object": ({"a": '{ x = aws_iam_access_key.k.@, y = "clean" }'}, "", "local.a.x"),
    "object by unknown name": ({"a": "{ x = aws_iam_access_key.k.@ }"}, "", "local.a[var.name]"),
    "object by literal name": ({"a": '{ "x" = aws_iam_access_key.k.@ }'}, "", 'local.a["x"]'),
    "computed name": ({"a": "{ (var.name) = aws_iam_access_key.k.@ }"}, "", "local.a.x"),
    "nested object": ({"a": "{ x = { y = [aws_iam_access_key.k.@] } }"}, "", "local.a.x.y[0]"),
    "list": ({"a": '["clean", aws_iam_access_key.k.@]'}, "", "local.a[1]"),
    "list by unknown index": ({"a": '["clean", aws_iam_access_key.k.@]'}, "", "local.a[var.index]"),
    "splat of a list": ({"a": "[{ x = aws_iam_access_key.k.@ }]"}, "", "local.a[*].x"),
    "whole resource": ({"a": "aws_iam_access_key.k"}, "", "local.a.@"),
    "whole resource in an object": ({"a": "{ k = aws_iam_access_key.k }"}, "", "local.a.k.@"),
    "then": ({}, "", 'var.on ? aws_iam_access_key.k.@ : ""'),
    "otherwise": ({}, "", 'var.on ? "" : aws_iam_access_key.k.@'),
    "loop": ({}, "", "[for x in [aws_iam_access_key.k.@] : upper(x)][0]"),
    "loop over an object": ({}, "", "{ for n, x in { a = aws_iam_access_key.k.@ } : n => x }.a"),
    "loop over the resource": ({}, "", "[for x in [aws_iam_access_key.k] : x.@][0]"),
    "loop with a condition": ({}, "", '[for n, x in { a = aws_iam_access_key.k.@ } : x if n == "a"][0]'),
    "loop over what is not known": ({"a": "toset([aws_iam_access_key.k.@])"}, "", "[for x in local.a : x][0]"),
    "try": ({}, "", 'try(aws_iam_access_key.k.@, "")'),
    "coalesce": ({}, "", 'coalesce("", aws_iam_access_key.k.@)'),
    "base64encode": ({}, "", "base64encode(aws_iam_access_key.k.@)"),
    "jsonencode": ({}, "", "jsonencode({ a = aws_iam_access_key.k.@ })"),
    "json there and back": ({}, "", 'jsondecode(jsonencode({ a = aws_iam_access_key.k.@, b = "x" })).a'),
    "json inside other json": (
        {},
        "",
        'jsondecode(format("[%s]", jsonencode({ a = aws_iam_access_key.k.@ })))[0].a',
    ),
    "yamlencode": ({}, "", "yamlencode([aws_iam_access_key.k.@])"),
    "urlencode": ({}, "", "urlencode(aws_iam_access_key.k.@)"),
    "join": ({}, "", 'join(":", ["x", aws_iam_access_key.k.@])'),
    "format": ({}, "", 'format("%s", aws_iam_access_key.k.@)'),
    "replace": ({}, "", 'replace(aws_iam_access_key.k.@, "/", "_")'),
    "substr": ({}, "", "substr(aws_iam_access_key.k.@, 0, 8)"),
    "templatefile": ({}, "", 'templatefile("x.tpl", { a = aws_iam_access_key.k.@ })'),
    "a provider's function": ({}, "", "provider::any::thing(aws_iam_access_key.k.@)"),
    "sensitive": ({}, "", "sensitive(aws_iam_access_key.k.@)"),
    "nonsensitive": ({}, "", "nonsensitive(aws_iam_access_key.k.@)"),
    "merge": ({}, "", "merge({ b = 1 }, { a = aws_iam_access_key.k.@ }).a"),
    "concat": ({}, "", 'concat(["x"], [aws_iam_access_key.k.@])[1]'),
    "lookup": ({}, "", 'lookup({ a = aws_iam_access_key.k.@ }, "a", "")'),
    "lookup default": ({}, "", 'lookup({}, "a", aws_iam_access_key.k.@)'),
    "element": ({}, "", 'element(["x", aws_iam_access_key.k.@], 3)'),
    "one": ({}, "", "one(aws_iam_access_key.k[*].@)"),
    "values": ({}, "", "values({ a = aws_iam_access_key.k.@ })[0]"),
    "flatten": ({}, "", "flatten([[[aws_iam_access_key.k.@]]])[0]"),
    "tomap": ({}, "", "tomap({ a = aws_iam_access_key.k.@ }).a"),
    "zipmap": ({}, "", 'zipmap(["a", "b"], ["x", aws_iam_access_key.k.@]).b'),
    "counted resource without an index": (
        {},
        'resource "terraform_data" "t" {\n count = 1\n input = aws_iam_access_key.k.@\n}',
        "terraform_data.t.output",
    ),
    "one of a counted resource": (
        {},
        'resource "terraform_data" "t" {\n count = 2\n input = [aws_iam_access_key.k.@, "x"][count.index]\n}',
        "terraform_data.t[0].output",
    ),
    "terraform_data": (
        {},
        'resource "terraform_data" "t" {\n input = aws_iam_access_key.k.@\n}',
        "terraform_data.t.output",
    ),
    "null_resource": (
        {},
        'resource "null_resource" "t" {\n triggers = { a = aws_iam_access_key.k.@ }\n}',
        "null_resource.t.triggers.a",
    ),
    "any argument": (
        {},
        'resource "aws_secretsmanager_secret_version" "v" {\n secret_string = aws_iam_access_key.k.@\n}',
        "aws_secretsmanager_secret_version.v.secret_string",
    ),
    "nested block": (
        {},
        'data "any_thing" "t" {\n part {\n secret = aws_iam_access_key.k.@\n }\n}',
        "data.any_thing.t.part[0].secret",
    ),
    "template_file": (
        {},
        'data "template_file" "t" {\n vars = {\n a = aws_iam_access_key.k.@\n }\n}',
        "data.template_file.t.rendered",
    ),
    "cloudinit_config": (
        {},
        'data "cloudinit_config" "t" {\n part {\n content = aws_iam_access_key.k.@\n }\n}',
        "data.cloudinit_config.t.rendered",
    ),
    "dynamic part": (
        {},
        'data "cloudinit_config" "t" {\n dynamic "part" {\n for_each = [aws_iam_access_key.k.@]\n iterator = it\n'
        " content {\n content = it.value\n }\n }\n}",
        "data.cloudinit_config.t.rendered",
    ),
    "loop that groups": (
        {},
        "",
        '{ for n, x in { a = aws_iam_access_key.k.@, b = "x" } : "all" => x... }.all[0]',
    ),
    "loop that keeps one of two": (
        {},
        "",
        '{ for n, x in { a = aws_iam_access_key.k.@, b = "x" } : "all" => x if n == var.name }.all',
    ),
    "loop over the attributes": ({}, "", '[for n, x in aws_iam_access_key.k : x if n == "@"][0]'),
    "expanded list": ({}, "", 'merge([{ a = aws_iam_access_key.k.@ }, { b = "x" }]...).a'),
    "expanded local": ({"a": '[["x"], [aws_iam_access_key.k.@]]'}, "", "concat(local.a...)[1]"),
    "name": ({}, "", 'keys({ (aws_iam_access_key.k.@) = "x" })[0]'),
    "name in a loop": ({"a": '{ "${aws_iam_access_key.k.@}" = "x" }'}, "", "[for n, x in local.a : n][0]"),
    "name made by a loop": ({}, "", 'keys({ for x in [aws_iam_access_key.k.@] : x => "x" })[0]'),
    "name after merge": ({}, "", 'keys(merge({ b = "x" }, { (aws_iam_access_key.k.@) = "x" }))[0]'),
    "name made by zipmap": ({}, "", 'keys(zipmap([aws_iam_access_key.k.@], ["x"]))[0]'),
    "name in json": ({}, "", 'jsonencode({ (aws_iam_access_key.k.@) = "x" })'),
    "name there and back": ({}, "", 'keys(jsondecode(jsonencode({ (aws_iam_access_key.k.@) = "x" })))[0]'),
    "name of a whole object": ({}, "", '{ (aws_iam_access_key.k.@) = "x" }'),
    "name in a dynamic part": (
        {},
        'data "cloudinit_config" "t" {\n dynamic "part" {\n for_each = { (aws_iam_access_key.k.@) = "x" }\n'
        " content {\n content = part.key\n }\n }\n}",
        "data.cloudinit_config.t.rendered",
    ),
    "name of an instance": (
        {},
        'resource "terraform_data" "t" {\n for_each = { (aws_iam_access_key.k.@) = "x" }\n input = each.key\n}',
        "terraform_data.t[var.name].output",
    ),
    "default in a loop": (
        {},
        "",
        '[for n, x in { a = aws_iam_access_key.k.@, b = "x" } : x if n == var.chosen][0]',
    ),
    "default in a loop's list": ({}, "", '[for n in [var.chosen] : n == "b" ? "x" : aws_iam_access_key.k.@][0]'),
    "default in a loop's names": (
        {"a": "{ for n, x in { a = aws_iam_access_key.k.@ } : var.chosen => x }"},
        "",
        "local.a.a",
    ),
    "default as a name": ({"a": '{ a = aws_iam_access_key.k.@, b = "x" }'}, "", "local.a[var.chosen]"),
    "default as an index": ({"a": '[aws_iam_access_key.k.@, "x"]'}, "", "local.a[var.position]"),
    "default in a name": ({}, "", "{ (var.chosen) = aws_iam_access_key.k.@ }.a"),
    "default that replaces": ({}, "", "merge({ a = aws_iam_access_key.k.@ }, var.given).a"),
    "default in lookup": ({}, "", 'lookup({ a = aws_iam_access_key.k.@, b = "x" }, var.chosen)'),
    "default in element": ({}, "", 'element([aws_iam_access_key.k.@, "x"], var.position)'),
    "default in zipmap": ({}, "", 'zipmap([var.chosen, "c"], [aws_iam_access_key.k.@, "x"]).a'),
    "default as an instance": (
        {},
        'resource "terraform_data" "t" {\n for_each = toset([var.chosen])\n'
        ' input = each.key == "b" ? "x" : aws_iam_access_key.k.@\n}',
        "terraform_data.t[var.chosen].output",
    ),
    "default as a count": (
        {},
        'resource "terraform_data" "t" {\n count = var.position\n'
        ' input = ["x", aws_iam_access_key.k.@][count.index]\n}',
        "terraform_data.t[0].output",
    ),
    "default behind a resource": (
        {},
        'resource "terraform_data" "t" {\n input = var.chosen\n}',
        '[for n, x in { a = aws_iam_access_key.k.@, b = "x" } : x if n == terraform_data.t.input][0]',
    ),
}

# These never carry the secret, although they name it.
HARMLESS = {
    "hash": "sha256(aws_iam_access_key.k.secret)",
    "hash in base64": "base64sha256(aws_iam_access_key.k.secret)",
    "md5": "md5(aws_iam_access_key.k.secret)",
    "bcrypt": "bcrypt(aws_iam_access_key.k.secret)",
    "length": "length(aws_iam_access_key.k.secret)",
    "can": "can(aws_iam_access_key.k.secret)",
    "comparison": 'aws_iam_access_key.k.secret == ""',
    "logic": '!(aws_iam_access_key.k.secret != "" && true)',
    "test": 'aws_iam_access_key.k.secret == "" ? "a" : "b"',
    "loop condition": '[for x in ["a"] : x if aws_iam_access_key.k.secret != ""][0]',
    "constant test": 'false ? aws_iam_access_key.k.secret : "x"',
    "other member": '{ a = aws_iam_access_key.k.secret, b = "x" }.b',
    "other item": '[aws_iam_access_key.k.secret, "x"][1]',
    "other element": 'element([aws_iam_access_key.k.secret, "x"], 3)',
    "names": "keys({ a = aws_iam_access_key.k.secret })[0]",
    "replaced member": 'merge({ a = aws_iam_access_key.k.secret }, { a = "x" }).a',
    "json there and back": "jsondecode(jsonencode(aws_iam_access_key.k)).id",
    "encrypted secret": "aws_iam_access_key.k.encrypted_secret",
    "encrypted password": "aws_iam_access_key.k.encrypted_ses_smtp_password_v4",
    "fingerprint": "aws_iam_access_key.k.key_fingerprint",
    "create date": "aws_iam_access_key.k.create_date",
    "status": "aws_iam_access_key.k.status",
    "user": "aws_iam_access_key.k.user",
    "key of another cloud": "alicloud_ram_access_key.k.secret",
    "loop without it": '{ for n, x in { a = aws_iam_access_key.k.secret, b = "x" } : n => x }.b',
    "name's value": '{ (aws_iam_access_key.k.secret) = "x" }[var.name]',
    "name in a loop over values": '[for n, x in { (aws_iam_access_key.k.secret) = "x" } : x][0]',
    "other group": '{ for n, x in { a = aws_iam_access_key.k.secret, b = "x" } : n => x... }.b[0]',
    "replaced by a default": "merge({ a = aws_iam_access_key.k.secret }, { a = var.chosen }).a",
    "overridden member": '{ a = aws_iam_access_key.k.secret, a = "x" }.a',
    "digest by its full name": "core::sha256(aws_iam_access_key.k.secret)",
    "filtered out": '[for n, x in { a = aws_iam_access_key.k.secret, b = "x" } : x if n == "b"][0]',
}

VARIABLES = """variable "on" {}
variable "name" {}
variable "index" {}
variable "chosen" {
  default = "b"
}
variable "position" {
  default = 1
}
variable "given" {
  default = { a = "x" }
}
"""


def hcl(local_values: Mapping[str, str], blocks: str, expression: str, attribute: str) -> dict[str, object]:
    local_block = "".join(f"  {name} = {value}\n" for name, value in local_values.items())
    text = (
        f"{KEY}{VARIABLES}locals {{\n{local_block}}}\n{blocks}\n"
        f'resource "aws_lambda_function" "sink" {{\n  environment {{\n    variables = {{ V = {expression} }}\n'
        "  }\n}\n"
        f'output "o" {{\n  value = {expression}\n}}\n'
    )
    return {"main.tf": text.replace("@", attribute)}


def json_syntax(local_values: Mapping[str, str], blocks: str, expression: str, attribute: str) -> dict[str, object]:
    def string(value: str) -> str:
        return "${" + value.replace("@", attribute) + "}"

    return {
        "main.tf.json": {
            "resource": {
                "aws_iam_access_key": {"k": {"user": "ci"}},
                "aws_lambda_function": {"sink": {"environment": [{"variables": {"V": string(expression)}}]}},
            },
            "locals": {name: string(value) for name, value in local_values.items()},
            "output": {"o": {"value": string(expression)}},
        },
        "more.tf": VARIABLES + blocks.replace("@", attribute),
    }


@pytest.mark.parametrize("syntax", [hcl, json_syntax])
@pytest.mark.parametrize("case", CARRIERS)
def test_carrier_takes_the_secret_and_nothing_else(tmp_path: Path, case: str, syntax: object) -> None:
    assert callable(syntax)
    for attribute in ("secret", "ses_smtp_password_v4", "ses_smtp_password"):
        folder = write(tmp_path / attribute, syntax(*CARRIERS[case], attribute))
        assert by_address(sinks(folder))[SINK] is Status.FAIL, attribute
        assert by_address(outputs(folder))["output.o"] is Status.FAIL, attribute
    folder = write(tmp_path / "id", syntax(*CARRIERS[case], "id"))
    assert by_address(sinks(folder)) == {"aws_iam_access_key.k": Status.PASS}
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize("syntax", [hcl, json_syntax])
@pytest.mark.parametrize("case", HARMLESS)
def test_what_only_names_the_secret_is_clean(tmp_path: Path, case: str, syntax: object) -> None:
    assert callable(syntax)
    folder = write(tmp_path, syntax({}, "", HARMLESS[case], ""))
    assert by_address(sinks(folder)) == {"aws_iam_access_key.k": Status.PASS}
    assert by_address(outputs(folder)) == {"aws_iam_access_key.k": Status.PASS}


def test_heredoc_carries(tmp_path: Path) -> None:
    text = KEY + (
        'resource "aws_instance" "i" {\n  user_data = <<-EOT\n    export A=${aws_iam_access_key.k.secret}\n  EOT\n}\n'
        'resource "aws_instance" "j" {\n  user_data = <<-EOT\n    export A=${aws_iam_access_key.k.id}\n  EOT\n}\n'
    )
    assert by_address(sinks(write(tmp_path, {"main.tf": text}))) == {"aws_instance.i": Status.FAIL}


# Each step wraps the value of the one before: a new local's expression, where @ is the value so far.
STEPS = [
    "@",
    '"${@}"',
    '"a-${@}-b"',
    '{ x = @, y = "clean" }.x',
    '["clean", @][1]',
    '[for v in [@] : "${v}"][0]',
    "{ for n, v in { a = @ } : n => v }.a",
    "base64encode(@)",
    'join(",", ["a", @])',
    'try(@, "")',
    'var.on ? @ : ""',
    'lookup({ a = @ }, "a", "")',
    "jsondecode(jsonencode({ a = @ })).a",
    "merge({}, { a = @ }).a",
    'one(compact([@, ""]))',
    "terraform_data.#.output",
    "data.template_file.#.rendered",
    "module.#.back",
]


def chain(steps: list[str], attribute: str) -> dict[str, object]:
    """A configuration whose last local is made from the key's attribute by all steps."""
    value, lines, blocks = f"aws_iam_access_key.k.{attribute}", [], []
    for number, step in enumerate(steps):
        name = f"s{number}"
        blocks.append(
            {
                "terraform_data.#.output": f'resource "terraform_data" "{name}" {{\n  input = {value}\n}}\n',
                "data.template_file.#.rendered": f'data "template_file" "{name}" {{\n  vars = {{ a = {value} }}\n}}\n',
                "module.#.back": f'module "{name}" {{\n  source = "./echo"\n  given  = {value}\n}}\n',
            }.get(step, "")
        )
        lines.append(f"  {name} = {step.replace('@', value).replace('#', name)}\n")
        value = f"local.{name}"
    text = (
        f'{KEY}variable "on" {{}}\nlocals {{\n{"".join(lines)}}}\n{"".join(blocks)}'
        f'resource "aws_s3_object" "sink" {{\n  content = {value}\n}}\n'
    )
    echo = 'variable "given" {}\noutput "back" {\n  sensitive = true\n  value = [var.given][0]\n}\n'
    return {"main.tf": text, "echo/main.tf": echo}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=8))
def test_any_chain_carries_the_secret_and_never_the_id(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    leaking = sinks(write(tmp_path_factory.mktemp("chain"), chain(steps, "secret")))
    assert by_address(leaking) == {"aws_s3_object.sink": Status.FAIL}
    assert leaking[0].message.startswith("aws_iam_access_key.k.secret → ")
    assert leaking[0].message.split(":")[0].endswith(" → aws_s3_object.sink content")
    assert [step.label for step in leaking[0].trace][-1] == "aws_s3_object.sink content"
    clean = sinks(write(tmp_path_factory.mktemp("chain"), chain(steps, "id")))
    assert by_address(clean) == {"aws_iam_access_key.k": Status.PASS}
