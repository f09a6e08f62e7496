"""Files named one by one, as a hook does: what they bear on is evaluated, and what their author must know reported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scanned_without import Fact, with_relevance
from scanning import scan, write

from keyrules.code.discovery import discover
from keyrules.code.scan_unit import Unit

ROTATION = "KEY_AWS_001"
MODULE = """\
variable "days" {
  type = number
}
resource "time_rotating" "clock" {
  rotation_days = var.days
}
resource "terraform_data" "trigger" {
  input = time_rotating.clock.id
}
resource "aws_iam_access_key" "k" {
  user    = "svc"
  pgp_key = "keybase:ops"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.trigger]
  }
}
"""
ROOT = 'variable "days" {\n  type = number\n}\nmodule "user" {\n  source = "../modules/user"\n  days   = var.days\n}\n'


def rotations(facts: set[Fact]) -> dict[str, str]:
    """Status of the rotation rule by address; a failure with some set of values is one."""
    ordered = sorted((fact for fact in facts if fact.rule == ROTATION), key=lambda fact: fact.status == "FAIL")
    return {fact.address: fact.status for fact in ordered}


def named(root: Path, *names: str) -> dict[str, str]:
    return rotations(with_relevance([root / name for name in names], root))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two roots that call one module, one of them with values that break its rotation."""
    return write(
        tmp_path,
        {
            "prod/main.tf": ROOT,
            "prod/terraform.tfvars": "days = 30\n",
            "dev/main.tf": ROOT,
            "dev/days.auto.tfvars.json": '{"days": 400}',
            "modules/user/main.tf": MODULE,
            "modules/user/locals.tf": "locals {\n  x = 1\n}\n",
            "single/main.tf": MODULE,
            "single/terraform.tfvars": "days = 30\n",
            "other/main.tf": 'resource "aws_vpc" "v" {}\n',
            "other/terraform.tfvars": "x = 1\n",
        },
    )


class TestValues:
    """A file of values declares nothing itself, so the root module that takes it is reported whole."""

    def test_of_a_root_module_that_calls_another(self, repository: Path) -> None:
        assert named(repository, "dev/days.auto.tfvars.json") == {"module.user.aws_iam_access_key.k": "FAIL"}
        assert named(repository, "prod/terraform.tfvars") == {"module.user.aws_iam_access_key.k": "PASS"}

    def test_of_the_module_beside_it(self, repository: Path) -> None:
        assert named(repository, "single/terraform.tfvars") == {"aws_iam_access_key.k": "PASS"}
        write(repository, {"single/terraform.tfvars": "days = 400\n"})
        assert named(repository, "single/terraform.tfvars") == {"aws_iam_access_key.k": "FAIL"}

    def test_nothing_else_is_evaluated(self, repository: Path) -> None:
        found = discover([repository / "dev/days.auto.tfvars.json"], repository)
        assert found.units == [Unit("terraform", str(repository / "dev"))]

    def test_of_a_module_without_keys(self, repository: Path) -> None:
        assert discover([repository / "other/terraform.tfvars"], repository).empty

    def test_that_terraform_takes_only_when_told(self, repository: Path) -> None:
        """`terraform apply -var-file=prod.tfvars` is nothing that a file says, but somebody keeps it for that."""
        write(repository, {"single/prod.tfvars": "days = 400\n"})
        assert named(repository, "single/prod.tfvars") == {"aws_iam_access_key.k": "FAIL"}

    def test_of_a_called_module_which_terraform_ignores(self, repository: Path) -> None:
        write(repository, {"modules/user/terraform.tfvars": "days = 400\n"})
        assert discover([repository / "modules/user/terraform.tfvars"], repository).empty

    def test_beside_other_files(self, repository: Path) -> None:
        """Of the module with the other file only that file is reported."""
        write(repository, {"third/keys.tf": MODULE, "third/days.tf": "# days\n"})
        assert named(repository, "dev/days.auto.tfvars.json", "third/days.tf") == {
            "module.user.aws_iam_access_key.k": "FAIL"
        }

    def test_through_the_command(self, repository: Path) -> None:
        done = scan(repository, "--rule", ROTATION, paths=["dev/days.auto.tfvars.json"])
        assert done.code == 1
        assert [f["location"]["path"] for f in done.findings()] == ["modules/user/main.tf"]
        assert [i["name"] for i in done.report["inputs"]] == ["dev"]


class TestDeclaredValues:
    """A file of inputs and locals bears on the findings of its module, which lie in its other files."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("locals.tf", "locals {\n  days = 400\n}\n"),
            ("variables.tf", 'terraform {}\r\nvariable "days" {\r\n  default = 400\r\n}\r\n'),
            ("variables.tf.json", '{"variable": {"days": {"default": 400}}}'),
        ],
    )
    def test_its_module_is_reported(self, tmp_path: Path, name: str, text: str) -> None:
        value = "local.days" if name == "locals.tf" else "var.days"
        module = re.sub(r'variable "days" \{[^}]*\}', "", MODULE).replace("var.days", value)
        root = write(tmp_path, {"m/keys.tf": module, f"m/{name}": text, "n/keys.tf": MODULE})
        assert named(root, f"m/{name}") == {"aws_iam_access_key.k": "FAIL"}

    @pytest.mark.parametrize(
        "rest", ['resource "aws_vpc" "v" {}\n', 'output "o" {\n  value = 1\n}\n', "# only a comment\n"]
    )
    def test_a_file_that_declares_more_or_nothing_is_reported_for_itself(self, tmp_path: Path, rest: str) -> None:
        values = "" if rest.startswith("#") else "locals {\n  days = 400\n}\n"
        module = re.sub(r'variable "days" \{[^}]*\}', "", MODULE).replace("var.days", "400")
        root = write(tmp_path, {"m/keys.tf": module, "m/other.tf": values + rest})
        assert named(root, "m/other.tf") == {}


class TestSources:
    def test_a_file_without_a_key_has_its_module_evaluated(self, repository: Path) -> None:
        """Both callers are, for what their variables bring into it."""
        found = discover([repository / "modules/user/locals.tf"], repository)
        assert [unit.path for unit in found.units] == [str(repository / "dev"), str(repository / "prod")]

    def test_a_secret_that_a_caller_brings_in(self, tmp_path: Path) -> None:
        """The named file's module knows nothing of keys; its caller hands it a secret."""
        sink = 'resource "aws_ssm_parameter" "p" {\n  type  = "String"\n  value = var.password\n}\n'
        root = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\nmodule "m" {\n  source   = "./m"\n' + (
            "  password = aws_iam_access_key.k.secret\n}\n"
        )
        write(tmp_path, {"m/main.tf": sink, "m/variables.tf": 'variable "password" {}\n', "main.tf": root})
        facts = with_relevance([tmp_path / "m/main.tf"], tmp_path)
        assert {(f.rule, f.address, f.status) for f in facts} == {
            ("KEY_AWS_010", "module.m.aws_ssm_parameter.p", "FAIL")
        }

    @pytest.mark.parametrize(
        "source",
        [
            "../modules/user",
            "./x/../../modules/user",
            "..//modules//user/",
            "..\\\\modules\\\\user",
            "../link",
            "./up/user",
        ],
    )
    def test_however_the_path_is_written(self, tmp_path: Path, source: str) -> None:
        caller = f'module "user" {{\n  source = "{source}"\n  days   = 30\n}}\n'
        write(tmp_path, {"live/main.tf": caller, "modules/user/main.tf": MODULE})
        (tmp_path / "link").symlink_to("modules/user")
        (tmp_path / "live/up").symlink_to("../modules")
        expected = {"module.user.aws_iam_access_key.k": "PASS"}
        assert rotations(with_relevance([tmp_path / "live"], tmp_path)) == expected
        assert named(tmp_path, "modules/user/main.tf") == expected

    def test_a_module_alone_is_a_root(self, repository: Path) -> None:
        facts = with_relevance([repository / "modules"], repository / "modules")
        assert rotations(facts) == {"aws_iam_access_key.k": "UNKNOWN"}

    def test_what_only_a_comment_leads_to_calls_nobody(self, tmp_path: Path) -> None:
        back = 'module "m" {\n  source = "../live"\n}\n'
        write(tmp_path, {"live/main.tf": f'/* source = "../old" */\n{MODULE}', "old/main.tf": back})
        found = discover([tmp_path / "live"], tmp_path / "live")
        assert found.units == [Unit("terraform", str(tmp_path / "live"))]


class TestReadByExpressions:
    """What file() and its kin read decides which keys there are, and so bears on all of them."""

    KEYS = (
        'resource "aws_iam_access_key" "k" {\n'
        '  for_each = toset(yamldecode(file("${path.module}/%s")))\n  user = each.key\n}\n'
    )

    @staticmethod
    def reported(root: Path, name: str) -> dict[str, str]:
        found = scan(root, paths=[name]).findings(ROTATION)
        return {finding["location"]["address"]: finding["status"] for finding in found}

    def test_a_list_of_users(self, tmp_path: Path) -> None:
        write(tmp_path, {"iam/main.tf": self.KEYS % "users.yaml", "iam/users.yaml": "[ann]\n"})
        assert self.reported(tmp_path, "iam/users.yaml") == {'aws_iam_access_key.k["ann"]': "FAIL"}

    def test_in_a_folder_below_and_of_a_set(self, tmp_path: Path) -> None:
        text = 'locals {\n  files = fileset(path.module, "data/*.json")\n}\n' + self.KEYS.replace(
            'yamldecode(file("${path.module}/%s"))', "flatten([for f in local.files : jsondecode(file(f))])"
        )
        write(tmp_path, {"main.tf": text, "data/a.json": '["ann"]', "data/b.json": '["bob"]'})
        assert self.reported(tmp_path, "data/b.json") == {
            f'aws_iam_access_key.k["{user}"]': "FAIL" for user in ("ann", "bob")
        }

    def test_for_a_module_that_is_called(self, tmp_path: Path) -> None:
        call = 'module "u" {\n  source = "./m"\n  users = yamldecode(file("users.yaml"))\n}\n'
        module = 'variable "users" {}\n' + self.KEYS.replace('yamldecode(file("${path.module}/%s"))', "var.users")
        write(tmp_path, {"r/main.tf": call, "r/m/main.tf": module, "r/users.yaml": "[ann]\n", "r/m/n.yaml": "[bob]\n"})
        assert self.reported(tmp_path, "r/users.yaml") == {'module.u.aws_iam_access_key.k["ann"]': "FAIL"}
        assert self.reported(tmp_path, "r/m/n.yaml") == {}

    def test_what_nothing_reads_bears_on_nothing(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": self.KEYS % "users.yaml", "users.yaml": "[ann]\n", "other.yaml": "[bob]\n"})
        assert self.reported(tmp_path, "other.yaml") == {}
