"""Templates inside other documents: under which address, on which lines, and never from a sentence about keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scanning import scan, write

from keyrules.code.cloudformation.parts import template_files

INNER = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties: {UserName: x}\n"


def indented(text: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def places(text: str) -> list[tuple[str, int, int]]:
    return [
        (file.prefix + key.logical_id, key.start_line, key.end_line)
        for file in template_files("/r/t", text)
        for key in file.access_keys
    ]


def test_the_body_of_a_stack_set() -> None:
    body = "Resources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      TemplateBody: "
    assert places(body + "|\n" + indented(INNER, 8)) == [("Set/K", 7, 9)]
    assert places(body + "!Sub |\n" + indented(INNER, 8)) == [("Set/K", 7, 9)]
    assert places(body + json.dumps(INNER) + "\n") == [("Set/K", 5, 5)]
    inner = {"Resources": {"K": {"Type": "AWS::IAM::AccessKey"}}}
    assert places(body + "'" + json.dumps(inner, indent=1).replace("\n", " ") + "'\n") == [("Set/K", 5, 5)]
    assert places(body + "\n        Fn::ToJsonString:\n" + indented(INNER, 10)) == [("Set/K", 8, 10)]


def test_a_stack_set_inside_a_stack_set() -> None:
    inner = json.dumps({"Resources": {"K": {"Type": "AWS::IAM::AccessKey"}}})
    middle = {"Resources": {"In": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateBody": inner}}}}
    outer = {"Resources": {"Out": {"Properties": {"TemplateBody": json.dumps(middle)}}}}
    assert places(json.dumps(outer)) == [("Out/In/K", 1, 1)]


@pytest.mark.parametrize(
    ("head", "prefix", "first"),
    [
        ("service: s\nprovider: {name: aws}\nresources:\n", "resources/", 5),
        (
            "- hosts: all\n  tasks:\n  - cloudformation:\n      template_body: |\n",
            "tasks.cloudformation.template_body/",
            6,
        ),
        ("kind: Stack\nspec:\n  templateBody: |\n", "spec.templateBody/", 5),
    ],
)
def test_documents_of_other_programs(head: str, prefix: str, first: int) -> None:
    depth = 2 if head.endswith("resources:\n") else 8
    assert places(head + indented(INNER, depth)) == [(f"{prefix}K", first, first + 2)]


def test_each_document_of_a_stream() -> None:
    text = "# comment\n---\nkind: Other\n---\n" + INNER + "---\n" + INNER.replace("K:", "L:")
    assert places(text) == [("K", 6, 8), ("L", 11, 13)]
    assert places("Not: [a, template\n---\n" + INNER) == [("K", 4, 6)]


@pytest.mark.parametrize(
    "text",
    [
        "Resources:\n  R:\n    Type: AWS::S3::Bucket\n    Metadata: {Note: Never add an AWS::IAM::AccessKey}\n",
        "doc: |\n  An AWS::IAM::AccessKey is\n  not what we want.\n",
        "types: [AWS::IAM::AccessKey]\n",
    ],
)
def test_a_sentence_about_keys_declares_none(text: str) -> None:
    assert places(text) == []
    assert not any(file.unread for file in template_files("/r/t", text))


def test_a_broken_template_inside_keeps_its_keys_by_name() -> None:
    text = "Resources:\n  Set:\n    Properties:\n      TemplateBody: |\n" + indented(INNER + "  X: [\n", 8)
    unread = [
        (file.prefix + place.logical_id, place.line) for file in template_files("/r/t", text) for place in file.unread
    ]
    assert unread == [("Set/K", 7)]


@pytest.mark.parametrize(
    "name", ["template", "x.tmpl", "x.yaml.j2", "x.tpl", "x.jinja2", "x.yaml.erb", "x.weird", "X.YAML"]
)
def test_a_template_needs_no_name(tmp_path: Path, name: str) -> None:
    done = scan(write(tmp_path, {name: INNER}))
    assert (done.code, done.status("KEY_AWS_001", "K")) == (1, "FAIL")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_template_of_any_encoding_without_an_ending(tmp_path: Path, encoding: str) -> None:
    done = scan(write(tmp_path, {"template": INNER.encode(encoding)}))
    assert done.status("KEY_AWS_001", "K") == "FAIL"


def test_what_cannot_be_read_is_unknown_and_says_what_to_scan(tmp_path: Path) -> None:
    program = (
        "module.exports = {\n  Resources: {\n    K: {\n      Type: 'AWS::IAM::AccessKey'\n    }\n  },\n  x: f(1)\n};\n"
    )
    done = scan(write(tmp_path, {"a.template.js": program, "b.j2": "{% if x %}\n" + INNER}))
    assert done.code == 3
    assert {f["location"]["path"] for f in done.findings() if f["status"] == "UNKNOWN"} == {"a.template.js", "b.j2"}
    assert done.errors()["a.template.js"].endswith("scan the template that the program writes")
    assert done.errors()["b.j2"].endswith("scan the file that it is rendered to")


def test_terraform_inside_a_text_is_known_by_name(tmp_path: Path) -> None:
    resource = 'resource "aws_iam_access_key" "k" {\n  user = "x"\n}\n'
    files = {
        "terragrunt.hcl": f'generate "k" {{\n  path = "k.tf"\n  contents = <<EOF\n{resource}EOF\n}}\n',
        "main.tf.j2": resource,
        "notes.md": resource,
        "old.hcl": "# " + resource.replace("\n", "\n# "),
    }
    done = scan(write(tmp_path, files))
    assert done.code == 3
    found = {(f["location"]["path"], f["location"]["start_line"]) for f in done.findings("KEY_AWS_001")}
    assert found == {("terragrunt.hcl", 4), ("main.tf.j2", 1)}
