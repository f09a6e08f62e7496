"""CloudFormation that Terraform deploys: every way to write it, judged once and where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import scanning
from terraform_cases import module, write

from keyrules.code.terraform.embedded import templates_in

KEY = '{ Resources = { K = { Type = "AWS::IAM::AccessKey", Properties = { UserName = "x" } } } }'
YAML = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties: {UserName: x}\n"
ADDRESS = "aws_cloudformation_stack.s/K"


def stack(body: str, kind: str = "aws_cloudformation_stack", more: str = "") -> str:
    return f'resource "{kind}" "s" {{\n{more}  template_body = {body}\n}}\n'


def found(folder: Path, text: str, **files: str) -> dict[str, str]:
    """Each address with the status of KEY_AWS_001."""
    write(folder, {"main.tf": text, **files})
    done = scanning.scan(folder)
    return {f["location"]["address"]: f["status"] for f in done.findings("KEY_AWS_001")}


@pytest.mark.parametrize(
    "body",
    [
        f"jsonencode({KEY})",
        f"yamlencode({KEY})",
        f"<<EOF\n{YAML}EOF",
        f"<<-EOF\n{YAML}EOF",
        f"local.body\n}}\nlocals {{\n  body = jsonencode({KEY})",
        f"local.one\n}}\nlocals {{\n  one = local.two\n  two = jsonencode({KEY})",
        f'var.body\n}}\nvariable "body" {{\n  default = <<EOF\n{YAML}EOF\n',
        f'data.template_file.t.rendered\n}}\ndata "template_file" "t" {{\n  template = <<EOF\n{YAML}EOF\n',
        f'var.unknown ? "" : jsonencode({KEY})\n}}\nvariable "unknown" {{',
        f'trimspace(coalesce(jsonencode({KEY}), "x"))',
    ],
    ids=range(10),
)
@pytest.mark.parametrize("kind", ["aws_cloudformation_stack", "aws_cloudformation_stack_set"])
def test_a_body_is_judged_however_it_is_written(tmp_path: Path, body: str, kind: str) -> None:
    assert found(tmp_path, stack(body, kind)) == {f"{kind}.s/K": "FAIL"}


def test_lines_are_those_of_the_text(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": stack(f"<<EOF\n{YAML}EOF")})
    location = scanning.scan(tmp_path).findings("KEY_AWS_001")[0]["location"]
    assert (location["path"], location["start_line"], location["end_line"]) == ("main.tf", 4, 6)


def test_a_body_from_a_file_is_that_file_s_finding(tmp_path: Path) -> None:
    text = stack('file("${path.module}/stack")')
    assert found(tmp_path, text, stack=YAML) == {"K": "FAIL"}
    (tmp_path / "infra").mkdir()
    outside = write(tmp_path / "infra", {"main.tf": stack('file("../stack")')})
    assert [f["location"]["address"] for f in scanning.scan(outside).findings("KEY_AWS_001")] == ["K"]
    data = 'data "local_file" "f" {\n  filename = "${path.module}/stack"\n}\n' + stack("data.local_file.f.content")
    assert found(tmp_path, data) == {"K": "FAIL"}


def test_a_template_file_is_rendered_with_what_is_known(tmp_path: Path) -> None:
    file = (
        "Resources:\n%{ for n in names ~}\n  K${n}:\n    Type: AWS::IAM::${kind}\n    Properties: {UserName: ${user}}\n"
        "%{ endfor ~}\n  L:\n    Type: AWS::IAM::User\n"
    )
    text = stack('templatefile("${path.module}/t.tftpl", { kind = "AccessKey", names = [], user = var.u })')
    assert found(tmp_path, text + 'variable "u" {}\n', **{"t.tftpl": file})["K${n}"] == "FAIL"


def test_values_that_only_a_run_knows_are_open(tmp_path: Path) -> None:
    text = 'variable "s" {}\n' + stack(
        'jsonencode({ Resources = { K = { Type = "AWS::IAM::${var.s}", Properties = { UserName = var.s } } } })'
    )
    assert found(tmp_path, text) == {ADDRESS: "UNKNOWN"}
    serial = stack(
        f'<<EOF\n{YAML}%{{ if var.s != "" }}\n      Serial: 1\n%{{ endif }}\nEOF'.replace("{UserName: x}", "")
    )
    assert found(tmp_path, 'variable "s" {}\n' + serial) == {ADDRESS: "FAIL"}


def test_a_resource_of_cloud_control(tmp_path: Path) -> None:
    text = (
        'resource "aws_cloudcontrolapi_resource" "c" {\n  type_name = "AWS::IAM::%s"\n'
        '  desired_state = jsonencode({ UserName = "x"%s })\n}\n'
    )
    address = "aws_cloudcontrolapi_resource.c/Resource"
    assert found(tmp_path, text % ("AccessKey", "")) == {address: "FAIL"}
    assert found(tmp_path, text % ("AccessKey", ", Serial = 1")) == {address: "PASS"}
    assert found(tmp_path, text % ("User", "")) == {}


def test_a_stack_in_a_module_gets_its_callers_body(tmp_path: Path) -> None:
    called = 'variable "b" {}\n' + stack("var.b")
    text = f'module "m" {{\n  source = "./m"\n  b = jsonencode({KEY})\n}}\n'
    assert found(tmp_path, text, **{"m/main.tf": called}) == {f"module.m.{ADDRESS}": "FAIL"}


@pytest.mark.parametrize(
    ("name", "argument", "status"),
    [
        ("access_keys", "var.body", "UNKNOWN"),
        ("s", "var.access_key_template", "UNKNOWN"),
        ("s", '"${var.access_key_template}"', "UNKNOWN"),
        ("s", '"https://s3.amazonaws.com/b/${var.x}/access-key.yaml"', "UNKNOWN"),
        ("s", "var.body", None),
        ("s", '"https://s3.amazonaws.com/b/network.yaml"', None),
    ],
)
def test_a_body_that_does_not_resolve_is_unknown_where_it_speaks_of_keys(
    tmp_path: Path, name: str, argument: str, status: str | None
) -> None:
    address = f"aws_cloudformation_stack.{name}"
    for attribute in ("template_body", "template_url") if "http" not in argument else ("template_url",):
        text = f'resource "aws_cloudformation_stack" "{name}" {{\n  {attribute} = {argument}\n}}\n'
        assert found(tmp_path, text) == ({address: status} if status else {})


OTHER = YAML.replace("AWS::IAM::AccessKey", "AWS::S3::Bucket").replace("{UserName: x}", "{}")
BODIES = f"locals {{\n  bodies = {{\n    a = <<EOF\n{YAML}EOF\n    b = <<EOF\n{OTHER}EOF\n  }}\n}}\n"


def test_each_instance_has_its_own_body(tmp_path: Path) -> None:
    each = stack("each.value", more="  for_each = local.bodies\n")
    assert found(tmp_path / "each", BODIES + each) == {'aws_cloudformation_stack.s["a"]/K': "FAIL"}
    counted = stack('local.bodies[count.index == 0 ? "b" : "a"]', more="  count = 2\n")
    assert found(tmp_path / "counted", BODIES + counted) == {"aws_cloudformation_stack.s[1]/K": "FAIL"}
    alike = stack("local.bodies.a", more="  count = 2\n")
    assert found(tmp_path / "alike", BODIES + alike) == {ADDRESS: "FAIL"}
    by_file = stack("file(each.value)", more='  for_each = toset(["k.yaml"])\n')
    assert set(found(tmp_path / "file", by_file, **{"k.yaml": YAML}).values()) == {"FAIL"}


@pytest.mark.parametrize(
    "text",
    [
        BODIES + stack("local.bodies[var.which]") + 'variable "which" {}\n',
        BODIES + stack("each.value", more="  for_each = var.which ? local.bodies : {}\n") + 'variable "which" {}\n',
        'variable "bodies" {\n  default = { a = "Type: AWS::IAM::AccessKey" }\n}\n'
        + stack("lookup(var.bodies, var.which)")
        + 'variable "which" {}\n',
    ],
)
def test_a_body_that_may_be_one_with_a_key_is_unknown(tmp_path: Path, text: str) -> None:
    """The stack speaks of no key, and what it may deploy does."""
    assert found(tmp_path, text) == {"aws_cloudformation_stack.s": "UNKNOWN"}


def test_a_stack_that_is_not_declared_deploys_nothing(tmp_path: Path) -> None:
    assert list(templates_in(module(tmp_path, stack(f"jsonencode({KEY})", more="  count = 0\n")))) == []
    assert found(tmp_path, stack(f"jsonencode({KEY})", more="  count = var.n\n") + 'variable "n" {}\n') == {
        ADDRESS: "FAIL"
    }


def test_a_skip_comment_of_the_stack_counts_for_what_it_deploys(tmp_path: Path) -> None:
    text = stack(f"jsonencode({KEY})", more="  #checkov:skip=KEY_AWS_001:known\n")
    assert found(tmp_path, text) == {ADDRESS: "EXEMPT"}


def test_a_stack_about_other_things_says_nothing(tmp_path: Path) -> None:
    body = (
        'jsonencode({ Resources = { B = { Type = "AWS::S3::Bucket" } }, Description = "no AWS::IAM::AccessKey here" })'
    )
    assert found(tmp_path, stack(body)) == {}


def test_two_open_users_are_one_only_where_they_are_the_same_expression(tmp_path: Path) -> None:
    def users(first: str, second: str) -> set[str]:
        keys = ", ".join(
            f'{name} = {{ Type = "AWS::IAM::AccessKey", Properties = {{ UserName = {user} }} }}'
            for name, user in (("A", first), ("B", second))
        )
        write(tmp_path, {"main.tf": 'variable "x" {}\n' + stack(f"jsonencode({{ Resources = {{ {keys} }} }})")})
        return {f["status"] for f in scanning.scan(tmp_path).findings("KEY_AWS_003")}

    assert users("var.x", "var.x") == {"FAIL"}
    assert users('trimprefix(var.x, "a")', 'trimprefix(var.x, "b")') == {"PASS"}


WRITTEN = 'content = <<EOT\nresource "aws_iam_access_key" "k" {\n  user = "ann"\n}\nEOT\n'
OPEN = WRITTEN.replace('"k"', '"${var.n}"')


@pytest.mark.parametrize(
    ("block", "address"),
    [
        (f'resource "local_file" "x" {{\n filename = "k.tf"\n {WRITTEN}}}\n', "local_file.x/aws_iam_access_key.k"),
        (
            f'resource "local_file" "x" {{\n filename = "${{var.out}}/k.tofu"\n {WRITTEN}}}\n',
            "local_file.x/aws_iam_access_key.k",
        ),
        (
            f'resource "github_repository_file" "x" {{\n file = "k.tf"\n {WRITTEN}}}\n',
            "github_repository_file.x/aws_iam_access_key.k",
        ),
        (f'resource "aws_s3_object" "x" {{\n key = "a/k.tf"\n {WRITTEN}}}\n', "aws_s3_object.x/aws_iam_access_key.k"),
        (
            'locals {\n t = "resource \\"aws_iam_access_key\\" \\"k\\" {\\n}\\n"\n}\n'
            'resource "local_file" "x" {\n filename = "k.tf"\n content = local.t\n}\n',
            "local_file.x/aws_iam_access_key.k",
        ),
        (
            f'resource "local_file" "x" {{\n filename = "k.tf"\n {OPEN}}}\n',
            "local_file.x/aws_iam_access_key.{{ var.n }}",
        ),
        (
            'resource "local_file" "x" {\n filename = "k.tf.json"\n'
            ' content = jsonencode({ resource = { aws_iam_access_key = { k = { user = "ann" } } } })\n}\n',
            "local_file.x/aws_iam_access_key.k",
        ),
        (
            'resource "local_file" "x" {\n for_each = toset(["a", "b"])\n'
            f' filename = "${{each.key}}.tf"\n {WRITTEN}}}\n',
            "local_file.x/aws_iam_access_key.k",
        ),
    ],
)
def test_a_configuration_that_a_resource_writes_is_open_by_name(tmp_path: Path, block: str, address: str) -> None:
    text = f'variable "out" {{}}\nvariable "n" {{}}\n{block}'
    assert found(tmp_path, text) == {address: "UNKNOWN"}


@pytest.mark.parametrize(
    "block",
    [
        f'resource "local_file" "x" {{\n filename = "README.md"\n {WRITTEN}}}\n',
        f'resource "local_file" "x" {{\n count = 0\n filename = "k.tf"\n {WRITTEN}}}\n',
        'resource "local_file" "x" {\n filename = "k.tf"\n content = "# no aws_iam_access_key"\n}\n',
    ],
)
def test_other_texts_are_no_configurations(tmp_path: Path, block: str) -> None:
    assert found(tmp_path, block) == {}
