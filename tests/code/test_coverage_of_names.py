"""What only quotes keys, or stands in files that no program reads, is no error of coverage."""

from __future__ import annotations

from pathlib import Path

import pytest
from scanning import scan, write

TEMPLATE = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: ann\n"
KEY = 'resource "aws_iam_access_key" "k" {\n  user = "ann"\n}\n'


@pytest.mark.parametrize(
    ("name", "text"), [("README.md", f"```yaml\n{TEMPLATE}```\n"), ("test_a.py", f'T = """\n{TEMPLATE}"""\n')]
)
def test_what_only_quotes_a_template_is_no_error(tmp_path: Path, name: str, text: str) -> None:
    done = scan(write(tmp_path, {name: text}))
    assert (done.code, done.report["errors"]) == (0, [])


@pytest.mark.parametrize(
    "name",
    [".hidden.tf", ".main.tf.json", "main.tf~", "main.tf.bak", "a.tofu.disabled", "main.TF.OLD", "k.tf.json.orig"],
)
def test_what_terraform_passes_over_is_no_error_and_is_said(tmp_path: Path, name: str) -> None:
    text = KEY if ".json" not in name else '{"resource": {"aws_iam_access_key": {"k": {"user": "ann"}}}}'
    done = scan(write(tmp_path, {name: text}))
    assert done.code == 0
    assert [one["reason"] for one in done.report["coverage"]] == ["has a name that Terraform passes over"]


@pytest.mark.parametrize("name", ["main.tf.tpl", "main.tf.example", "main.tf.bak.tpl", "bak.tf.erb"])
def test_what_becomes_a_configuration_is_known_by_name(tmp_path: Path, name: str) -> None:
    assert scan(write(tmp_path, {name: KEY})).code == 3


def test_a_template_that_no_reader_judges_is_an_error(tmp_path: Path) -> None:
    assert scan(write(tmp_path, {"t.yaml": TEMPLATE})).code == 1
