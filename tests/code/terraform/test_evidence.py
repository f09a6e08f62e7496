"""The files and places that a verdict of KEY_AWS_001 rests on: the one that is changed is the one that is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from terraform_cases import judged, root_scope, write

from keyrules.code.verdict import Verdict

CLOCK = 'resource "time_rotating" "c" {\n  rotation_days = DAYS\n}\n'
TRIGGER = 'resource "terraform_data" "d" {\n  input = time_rotating.c.id\n}\n'
KEY = """\
resource "aws_iam_access_key" "k" {
  user = "bot"
  lifecycle {
    replace_triggered_by = [terraform_data.d]
  }
}
"""
VARIABLE = 'variable "days" {\n  default = DAYS\n}\n'


def only(folder: Path, files: dict[str, str]) -> Verdict:
    (found,) = judged("KEY_AWS_001", root_scope(write(folder, files))).values()
    return found


def evidence(folder: Path, found: Verdict) -> set[str]:
    return {str(Path(path).relative_to(folder)) for path in found.evidence}


def trace(folder: Path, found: Verdict) -> list[tuple[str, str, int]]:
    return [(step.label, str(Path(step.path).relative_to(folder)), step.line) for step in found.trace]


@pytest.mark.parametrize(("days", "status"), [("30", "PASS"), ("365", "FAIL")])
def test_clock_trigger_and_default_in_files_of_their_own(tmp_path: Path, days: str, status: str) -> None:
    files = {
        "key.tf": KEY,
        "trigger.tf": TRIGGER,
        "clock.tf": CLOCK.replace("DAYS", "local.days"),
        "locals.tf": "locals {\n  days = var.days\n}\n",
        "variables.tf": VARIABLE.replace("DAYS", days),
        "other.tf": 'resource "terraform_data" "unrelated" {\n}\n',
    }
    found = only(tmp_path, files)
    assert found.status.value == status
    assert evidence(tmp_path, found) == {"trigger.tf", "clock.tf", "locals.tf", "variables.tf"}
    assert trace(tmp_path, found) == [
        ("var.days", "variables.tf", 2),
        ("local.days", "locals.tf", 2),
        ("time_rotating.c", "clock.tf", 2),
        ("terraform_data.d", "trigger.tf", 1),
    ]


def test_a_values_file_is_named_beside_the_declaration(tmp_path: Path) -> None:
    files = {
        "main.tf": KEY + TRIGGER + CLOCK.replace("DAYS", "var.days"),
        "variables.tf": VARIABLE.replace("DAYS", "30"),
        "slow.auto.tfvars": "days = 365\n",
    }
    found = only(tmp_path, files)
    assert (found.status.value, evidence(tmp_path, found)) == ("FAIL", {"variables.tf", "slow.auto.tfvars"})
    assert trace(tmp_path, found)[0] == ("var.days", "slow.auto.tfvars", 1)


def test_the_callers_argument(tmp_path: Path) -> None:
    files = {
        "main.tf": 'module "m" {\n  source = "./m"\n  days   = 365\n}\n',
        "m/main.tf": KEY + TRIGGER + CLOCK.replace("DAYS", "var.days") + VARIABLE.replace("DAYS", "30"),
    }
    found = only(tmp_path, files)
    assert (found.status.value, evidence(tmp_path, found)) == ("FAIL", {"main.tf"})
    assert trace(tmp_path, found)[0] == ("module.m.var.days", "main.tf", 3)


def test_the_caller_that_leaves_an_argument_out(tmp_path: Path) -> None:
    files = {
        "main.tf": 'module "m" {\n  source = "./m"\n}\n',
        "m/main.tf": KEY + TRIGGER + CLOCK.replace("DAYS", "var.days") + VARIABLE.replace("DAYS", "365"),
    }
    found = only(tmp_path, files)
    assert (found.status.value, evidence(tmp_path, found)) == ("FAIL", {"main.tf"})


def test_a_clock_that_the_caller_hands_down(tmp_path: Path) -> None:
    files = {
        "clock.tf": CLOCK.replace("DAYS", "30"),
        "main.tf": 'module "m" {\n  source = "./m"\n  at     = time_rotating.c.id\n}\n',
        "m/main.tf": 'variable "at" {}\n' + KEY + TRIGGER.replace("time_rotating.c.id", "var.at"),
    }
    found = only(tmp_path, files)
    assert (found.status.value, evidence(tmp_path, found)) == ("PASS", {"clock.tf", "main.tf"})


def test_a_clock_that_a_module_gives(tmp_path: Path) -> None:
    files = {
        "main.tf": 'module "m" {\n  source = "./m"\n}\n',
        "key.tf": KEY + TRIGGER.replace("time_rotating.c.id", "module.m.at"),
        "m/clock.tf": CLOCK.replace("DAYS", "30"),
        "m/outputs.tf": 'output "at" {\n  value = time_rotating.c.id\n}\n',
    }
    found = only(tmp_path, files)
    assert (found.status.value, evidence(tmp_path, found)) == ("PASS", {"main.tf", "m/clock.tf", "m/outputs.tf"})


def test_a_trigger_that_hides_the_clock_is_evidence_of_the_failure(tmp_path: Path) -> None:
    hiding = TRIGGER.replace("\n}\n", "\n  lifecycle {\n    ignore_changes = [input]\n  }\n}\n")
    found = only(tmp_path, {"key.tf": KEY, "trigger.tf": hiding, "clock.tf": CLOCK.replace("DAYS", "30")})
    assert (found.reason, evidence(tmp_path, found)) == ("rotation_never_fires", {"trigger.tf", "clock.tf"})


def test_what_is_gone_may_have_been_in_any_file_of_the_module(tmp_path: Path) -> None:
    found = only(tmp_path, {"key.tf": KEY, "clock.tf": CLOCK.replace("DAYS", "30"), "m/other.tf": ""})
    assert (found.reason, evidence(tmp_path, found)) == ("rotation_never_fires", {"clock.tf"})


def test_a_status_that_an_input_sets(tmp_path: Path) -> None:
    files = {
        "key.tf": KEY.replace("user", "status = var.status\n  user"),
        "v.tf": 'variable "status" {\n  default = "Active"\n}\n',
        "terraform.tfvars": 'status = "Inactive"\n',
    }
    found = only(tmp_path, files)
    assert found.reason == "not_active"
    assert {"v.tf", "terraform.tfvars"} <= evidence(tmp_path, found)


def test_the_rotation_of_the_secret_that_holds_the_key(tmp_path: Path) -> None:
    files = {
        "key.tf": 'resource "aws_iam_access_key" "k" {\n  user = "bot"\n}\n',
        "secret.tf": 'resource "aws_secretsmanager_secret" "s" {\n}\n',
        "version.tf": 'resource "aws_secretsmanager_secret_version" "v" {\n'
        "  secret_id = aws_secretsmanager_secret.s.id\n  secret_string = aws_iam_access_key.k.secret\n}\n",
        "rotation.tf": 'resource "aws_secretsmanager_secret_rotation" "r" {\n'
        '  secret_id = aws_secretsmanager_secret.s.id\n  rotation_lambda_arn = "arn"\n'
        "  rotation_rules {\n    automatically_after_days = var.days\n  }\n}\n",
        "variables.tf": VARIABLE.replace("DAYS", "30"),
    }
    found = only(tmp_path, files)
    assert found.status.value == "PASS"
    assert {"version.tf", "rotation.tf", "variables.tf"} <= evidence(tmp_path, found)
