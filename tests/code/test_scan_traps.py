"""What makes Checkov skip, hang or crash ends as a finding or as UNKNOWN with exit 3, and harms no other file."""

from __future__ import annotations

import pytest
from scanning import Scanned, scan, write

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
TEMPLATE_KEY = "  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc\n"
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))

TERRAFORM_TRAPS: dict[str, str | bytes] = {
    "exponent": KEY + "locals {\n  x = 1e10\n}\n",
    "empty_heredoc": KEY + "locals {\n  x = <<EOT\nEOT\n}\n",
    "directive_quotes": KEY + 'locals {\n  x = "%{ if var.a != "" }a%{ endif }"\n}\nvariable "a" { default = "" }\n',
    "comment_in_for": KEY + "locals {\n  x = { for k in [] : # note\n    k => k }\n}\n",
    "unicode_name": KEY + "locals {\n  größe = 1\n}\n",
    "attribute_named_for": KEY + 'resource "x_y" "z" {\n  for = 1\n  if  = 2\n}\n',
    "pow": KEY + "locals {\n  x = pow(10, 1000000000)\n}\n",
    "doubling": KEY
    + 'locals {\n  d0 = "xxxxxxxxxxxxxxxx"\n'
    + "".join(f'  d{n} = "${{local.d{n - 1}}}${{local.d{n - 1}}}"\n' for n in range(1, 40))
    + "}\n",
    "nesting": KEY + "locals {\n  x = " + "[" * 190 + "]" * 190 + "\n}\n",
}
UNPARSABLE_TERRAFORM: dict[str, str | bytes] = {
    "latin1": (KEY + "# gr").encode() + b"\xf6\xdfe\n",
    "unclosed": KEY + "locals {\n  x = 1\n",
    "too_deep": KEY + "locals {\n  x = " + "[" * 4000 + "]" * 4000 + "\n}\n",
}
TEMPLATE_TRAPS: dict[str, str | bytes] = {
    "list_metadata.yaml": "Metadata: [a]\nResources:\n" + TEMPLATE_KEY,
    "resource_list_metadata.yaml": "Resources:\n" + TEMPLATE_KEY + "    Metadata: [a]\n",
    "checkov_metadata_text.yaml": "Resources:\n" + TEMPLATE_KEY + "    Metadata:\n      checkov: text\n",
    "null_resource.yaml": "Resources:\n  X:\n" + TEMPLATE_KEY,
    "number_as_name.yaml": "Resources:\n  12:\n    Type: AWS::S3::Bucket\n" + TEMPLATE_KEY,
    "type_list.yaml": "Resources:\n  X:\n    Type: [AWS::S3::Bucket]\n" + TEMPLATE_KEY,
    "upper.YAML": "Resources:\n" + TEMPLATE_KEY,
    "template.cfn": "Resources:\n" + TEMPLATE_KEY,
    "bom.json": b'\xef\xbb\xbf{"Resources": {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "svc"}}}}',
    "foreach.yaml": "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Keys:\n    - I\n    - [K]\n"
    "    - ${I}:\n        Type: AWS::IAM::AccessKey\n        Properties:\n          UserName: svc\n",
    "bomb.yaml": BOMB + "Resources:\n" + TEMPLATE_KEY,
    "duplicate.yaml": "Resources:\n" + TEMPLATE_KEY + TEMPLATE_KEY,
    "deep.yaml": "Resources:\n"
    + TEMPLATE_KEY
    + "  D:\n    Type: AWS::S3::Bucket\n    Metadata: "
    + "[" * 600
    + "]" * 600,
    "jinja.yaml": "Resources:\n{% for u in users %}\n" + TEMPLATE_KEY + "{% endfor %}\n",
    "two_documents.yaml": "Resources:\n" + TEMPLATE_KEY + "---\na: 1\n",
    "tab.yaml": "Resources:\n" + TEMPLATE_KEY + "\tx: 1\n",
}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    """All traps in one tree, so that one that takes others down is seen."""
    folder = tmp_path_factory.mktemp("traps")
    for name, text in {**TERRAFORM_TRAPS, **UNPARSABLE_TERRAFORM}.items():
        write(folder, {f"tf_{name}/main.tf": text})
    for name, text in TEMPLATE_TRAPS.items():
        write(folder, {f"cfn/{name}": text})
    write(
        folder,
        {
            "tofu/main.tofu": KEY,
            "json/main.tf.json": '{"resource": {"aws_iam_access_key": {"k": {"user": "svc"}}}}',
            "json_array/main.tf.json": '{"resource": [{"aws_iam_access_key": [{"k": [{"user": "svc"}]}]}]}',
            "healthy/main.tf": KEY,
            "healthy/template.yaml": "Resources:\n" + TEMPLATE_KEY,
        },
    )
    return scan(folder, "--timeout", "12")


def statuses(scanned: Scanned, path: str, rule: str = "KEY_AWS_001") -> set[str]:
    return {f["status"] for f in scanned.findings(rule) if f["location"]["path"] == path}


def test_the_run_is_incomplete(scanned: Scanned) -> None:
    assert scanned.code == 3
    assert scanned.stderr == ""


@pytest.mark.parametrize("name", sorted(TERRAFORM_TRAPS))
def test_terraform_that_terraform_accepts_is_judged(scanned: Scanned, name: str) -> None:
    assert statuses(scanned, f"tf_{name}/main.tf") == {"FAIL"}
    # What Checkov decides is there, or is named as open.
    assert statuses(scanned, f"tf_{name}/main.tf", "KEY_AWS_005") == {"PASS"}


@pytest.mark.parametrize("name", sorted(UNPARSABLE_TERRAFORM))
def test_terraform_that_nobody_can_parse_is_named(scanned: Scanned, name: str) -> None:
    path = f"tf_{name}/main.tf"
    assert statuses(scanned, path) == {"UNKNOWN"}
    assert path in scanned.errors()


@pytest.mark.parametrize("name", sorted(TEMPLATE_TRAPS))
def test_templates_that_checkov_loses_are_judged_or_named(scanned: Scanned, name: str) -> None:
    found = statuses(scanned, f"cfn/{name}")
    assert found and found <= {"FAIL", "UNKNOWN"}
    # No rule passes what was not read.
    assert statuses(scanned, f"cfn/{name}", "KEY_AWS_005") == ({"UNKNOWN"} if found == {"UNKNOWN"} else {"PASS"})


def test_opentofu_files_are_judged(scanned: Scanned) -> None:
    assert statuses(scanned, "tofu/main.tofu") == {"FAIL"}
    assert statuses(scanned, "tofu/main.tofu", "KEY_AWS_005") == {"PASS"}


@pytest.mark.parametrize("folder", ["json", "json_array"])
def test_terraform_json_is_judged(scanned: Scanned, folder: str) -> None:
    assert statuses(scanned, f"{folder}/main.tf.json") == {"FAIL"}
    assert statuses(scanned, f"{folder}/main.tf.json", "KEY_AWS_005") == {"PASS"}


def test_the_healthy_neighbours_are_fully_evaluated(scanned: Scanned) -> None:
    for path, rules in (
        (
            "healthy/main.tf",
            {"KEY_AWS_001": "FAIL", "KEY_AWS_003": "PASS", "KEY_AWS_008": "FAIL", "KEY_AWS_005": "PASS"},
        ),
        ("healthy/template.yaml", {"KEY_AWS_001": "FAIL", "KEY_AWS_005": "PASS", "KEY_AWS_006": "PASS"}),
    ):
        for rule, status in rules.items():
            assert statuses(scanned, path, rule) == {status}, (path, rule)
    assert not any(name.startswith("healthy") for name in scanned.errors())
