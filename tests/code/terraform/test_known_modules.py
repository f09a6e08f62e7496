"""Modules that are not in the scan: what the table of known ones says, and what names alone say of all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from scanning import Scanned, scan, write
from trigger_vocabulary import source_words

from keyrules.code import relevance
from keyrules.code.discovery import discover
from keyrules.code.terraform.known_modules import KnownModule, known_modules, matching
from keyrules.code.terraform.versions import overlap

RULES = tuple(part for rule in ("001", "007", "008", "009", "010") for part in ("--rule", f"KEY_AWS_{rule}"))
IAM = "terraform-aws-modules/iam/aws//modules/iam-user"
SYSTEM = "cloudposse/iam-system-user/aws"
ECR = "github.com/ministryofjustice/cloud-platform-terraform-ecr-credentials"
SINKS = """
resource "aws_lambda_function" "f" {
  environment {
    variables = { S = module.u.%s }
  }
}
output "s" {
  value = module.u.%s
}
"""


def call(source: str, arguments: str = "", output: str = "") -> str:
    block = f'module "u" {{\n  source = "{source}"\n  {arguments}\n}}\nvariable "open" {{}}\n'
    return block + (SINKS % (output, output) if output else "")


def said(folder: Path, text: str) -> dict[str, str]:
    """The status of each rule, by the end of its number and address."""
    done = scan(write(folder, {"main.tf": text}), *RULES)
    return {f"{f['rule'][-3:]} {f['location']['address']}": f["status"] for f in done.findings()}


def on_call(folder: Path, text: str) -> dict[str, str]:
    return {what[:3]: status for what, status in said(folder, text).items() if what.endswith("module.u")}


FAILS = {"001": "FAIL", "007": "FAIL", "008": "FAIL"}
NOTHING: dict[str, str] = {}


class TestCalls:
    @pytest.mark.parametrize(
        ("source", "arguments", "expected"),
        [
            (IAM, "", FAILS),
            (IAM, 'version = "~> 5.0"', FAILS),
            ("git::https://github.com/acme/terraform-aws-iam.git//modules/iam-user?ref=v5.1.0", "", FAILS),
            ("github.com/acme/terraform-aws-iam/modules/iam-user", "", FAILS),
            # A fork under another name may have become something else.
            ("git::https://example.com/infra/aws-iam.git//modules/iam-user?ref=v5.1.0", "", {"001": "UNKNOWN"}),
            ("git::https://example.com/infra/aws-iam.git//modules/iam-user", "create_iam_access_key = false", NOTHING),
            (IAM.replace("modules/", "wrappers/"), 'items = { a = { name = "a" } }', FAILS),
            (IAM.replace("modules/", "wrappers/"), "", NOTHING),
            (IAM, "create_access_key = false", NOTHING),
            (IAM, "create_iam_access_key = false", NOTHING),
            (IAM, 'version = "5.0.0"\n  create_user = false', NOTHING),
            (IAM, "count = 0", NOTHING),
            (IAM, "create_access_key = var.open", FAILS),
            (IAM, "count = var.open", FAILS),
            (IAM, 'pgp_key = "keybase:bob"', {**FAILS, "008": "PASS"}),
            (IAM, 'pgp_key = ""', FAILS),
            (IAM, "pgp_key = var.open", {**FAILS, "008": "UNKNOWN"}),
            (SYSTEM, "", FAILS),
            (SYSTEM, 'version = "0.23.2"', {**FAILS, "001": "PASS"}),
            (SYSTEM, 'version = "~> 0.23.0"\n  iam_access_key_max_age = 8640000', FAILS),
            (SYSTEM, 'version = "0.23.2"\n  iam_access_key_max_age = 0', FAILS),
            (SYSTEM, 'version = "0.23.2"\n  iam_access_key_max_age = var.open', {**FAILS, "001": "UNKNOWN"}),
            (SYSTEM, "iam_access_key_max_age = 7776000", {**FAILS, "001": "PASS"}),
            (SYSTEM, "iam_access_key_max_age = -1", FAILS),
            (SYSTEM, "enabled = false", NOTHING),
            ("cloudposse/s3-bucket/aws", "", NOTHING),
            ("cloudposse/s3-bucket/aws", 'user_enabled = true\n  version = "4.0.0"', FAILS),
            ("terraform-aws-modules/s3-bucket/aws", "user_enabled = true", NOTHING),
            ("cloudposse/ses/aws", 'version = "0.20.0"', FAILS),
            ("silinternational/serverless-user/aws", "", FAILS),
            ("github.com/ministryofjustice/cloud-platform-terraform-ecr-credentials?ref=5.3.0", "", FAILS),
            ("github.com/ministryofjustice/cloud-platform-terraform-ecr-credentials?ref=6.0.0", "", NOTHING),
            (ECR + "?ref=main", "", FAILS),
            (ECR + "?ref=a8ce80e902cc98a1e886f8a3e96b3f62250d79f8", "", FAILS),
            (ECR + "?ref=5.3.0", "", FAILS),
            (ECR + "?ref=6.0.0", "", NOTHING),
            (ECR, "", NOTHING),
            ("acme/user/aws", "", NOTHING),
            ("acme/user/aws", "create_iam_access_key = true", {"001": "UNKNOWN"}),
            ("acme/user/aws", "create_access_key = var.open", {"001": "UNKNOWN"}),
            ("acme/user/aws", "create_access_key = false", NOTHING),
        ],
    )
    def test_what_a_call_creates(self, tmp_path: Path, source: str, arguments: str, expected: dict[str, str]) -> None:
        assert on_call(tmp_path, call(source, arguments)) == expected

    def test_one_second_over_the_limit_shows(self, tmp_path: Path) -> None:
        done = scan(write(tmp_path, {"main.tf": call(SYSTEM, "iam_access_key_max_age = 7776001")}), *RULES)
        (message,) = (finding["message"] for finding in done.findings() if finding["reason"] == "rotation_too_slow")
        assert "every 90.0000116 days, more than the 90 days allowed" in message

    def test_a_module_that_is_here_is_read_instead(self, tmp_path: Path) -> None:
        listed = (
            '{"Modules": [{"Key": "u", "Source": "registry.terraform.io/cloudposse/iam-system-user/aws", '
            '"Version": "1.0.0", "Dir": ".terraform/modules/u"}]}'
        )
        write(tmp_path, {".terraform/modules/modules.json": listed, ".terraform/modules/u/main.tf": ""})
        assert on_call(tmp_path, call(SYSTEM)) == NOTHING

    @pytest.mark.parametrize(
        ("source", "arguments", "what"),
        [
            (IAM, "create = var.open", "an input"),
            (ECR + "?ref=main", "", "its version, which is no number,"),
            (ECR + "?ref=5.3.0", "", None),
            (IAM + "?ref=main", "", None),
        ],
    )
    def test_what_is_open_is_said(self, tmp_path: Path, source: str, arguments: str, what: str | None) -> None:
        write(tmp_path, {"main.tf": call(source, arguments)})
        (finding,) = scan(tmp_path, "--rule", "KEY_AWS_001").findings()
        end = f"({what} decides whether the module creates a key; judged as if it did)"
        assert finding["message"].endswith(end if what else "declare a key that rotates")


class TestSecrets:
    FUNCTION, OUTPUT = "010 aws_lambda_function.f", "009 output.s"

    @pytest.mark.parametrize(
        ("source", "arguments", "output", "status"),
        [
            (SYSTEM, "", "secret_access_key", "FAIL"),
            (SYSTEM, "", "ses_smtp_password_v4", "FAIL"),
            (SYSTEM, "", "access_key_id", None),
            (SYSTEM, "enabled = false", "secret_access_key", None),
            (SYSTEM, 'version = "1.0.0"', "secret_access_key", None),
            (SYSTEM, 'version = "1.0.0"\n  ssm_enabled = false', "secret_access_key", "FAIL"),
            (SYSTEM, "ssm_enabled = true", "secret_access_key", None),
            (IAM, "", "access_key_secret", "FAIL"),
            (IAM, "", "iam_access_key_secret", "FAIL"),
            (IAM, 'version = "6.0.0"', "iam_access_key_secret", None),
            (IAM, 'pgp_key = "keybase:bob"', "access_key_secret", None),
            ("acme/user/aws", "", "secret", "UNKNOWN"),
            ("acme/user/aws", "", "iam_access_key_secret", "UNKNOWN"),
            ("acme/user/aws", "", "deploy_secret_access_key", "UNKNOWN"),
            ("acme/user/aws", "", "secret_arn", None),
            ("acme/user/aws", "", "password", None),
            ("acme/user/aws", "create_access_key = false", "secret", None),
        ],
    )
    def test_what_comes_out_of_a_module(
        self, tmp_path: Path, source: str, arguments: str, output: str, status: str | None
    ) -> None:
        found = said(tmp_path, call(source, arguments, output))
        assert (found.get(self.FUNCTION), found.get(self.OUTPUT)) == (status, status)

    def test_the_whole_module(self, tmp_path: Path) -> None:
        whole = 'output "s" {\n  value = module.u\n}\n'
        assert said(tmp_path / "a", call(SYSTEM) + whole)[self.OUTPUT] == "FAIL"
        assert self.OUTPUT not in said(tmp_path / "b", call("acme/user/aws") + whole)

    @pytest.mark.parametrize(
        "takes",
        [
            "local.m.@",
            'local.m["@"]',
            "local.m[var.which].@",
            "local.named.u.@",
            "local.several[*].@",
            "[for m in local.several : m.@]",
            "{ for m in [local.m] :\n  m.id => m.@... }",
            "merge(local.m, { id = 1 }).@",
            'lookup(local.m, "@", null)',
            "jsondecode(jsonencode(local.m)).@",
            "(var.on ? local.m : null).@",
            "module.hands_on.back.@",
        ],
    )
    def test_a_whole_module_under_another_name(self, tmp_path: Path, takes: str) -> None:
        """It is as unknown as the module itself: what is named like a secret may be one, and nothing else."""
        files = {
            "main.tf": call("acme/user/aws") + 'module "hands_on" {\n  source = "./on"\n  given = module.u\n}\n',
            "locals.tf": "locals {\n  m = module.u\n  named = { u = module.u }\n  several = [module.u, local.m]\n}\n",
            "on/main.tf": 'variable "given" {}\noutput "back" {\n  value = var.given\n  sensitive = true\n}\n',
            "variables.tf": 'variable "on" {}\nvariable "which" {}\n',
        }
        for name, status in (("secret", "UNKNOWN"), ("id", None)):
            output = f'output "s" {{\n  value = {takes.replace("@", name)}\n}}\n'
            write(tmp_path / name, {**files, "outputs.tf": output})
            assert said(tmp_path / name, files["main.tf"]).get(self.OUTPUT) == status, name

    def test_instances(self, tmp_path: Path) -> None:
        text = call(SYSTEM, 'for_each = toset(["a"])', "x").replace("module.u.x", 'module.u["a"].secret_access_key')
        assert said(tmp_path, text)[self.OUTPUT] == "FAIL"

    def test_what_keeps_secrets_keeps_guessed_ones(self, tmp_path: Path) -> None:
        store = 'output "s" {\n  value     = module.u.secret\n  sensitive = true\n}\n'
        assert said(tmp_path, call("acme/user/aws") + store)[self.OUTPUT] == "PASS"


class TestTheTable:
    @pytest.mark.parametrize("row", known_modules(), ids=lambda row: f"{row.repository} {row.versions}")
    def test_a_row(self, tmp_path: Path, row: KnownModule, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is found by its source in every spelling, and its words make a file relevant."""
        owner = row.owner or "somebody"
        folder = f"//{row.folder}" if row.folder else ""
        spelt = [
            f"git::https://example.com/{owner}/{row.repository}.git{folder}",
            f"git@example.com:{owner}/{row.repository}{folder}",
        ]
        provider, _, name = row.repository.removeprefix("terraform-").partition("-")
        if row.repository.startswith("terraform-"):
            spelt += [f"{owner}/{name}/{provider}{folder}", f"tfr:///{owner}/{name}/{provider}{folder}?version=0"]
        for source in spelt:
            plain = source.removesuffix("?version=0")
            assert row in (matching(plain, "a branch") or ()), source
            assert any(word in plain for word in source_words(row)), source
            assert relevance.concerns_terraform(call(source).encode()), source
        monkeypatch.setattr(relevance, "MODULE_SOURCES", ())
        assert not relevance.concerns_terraform(call(spelt[0]).encode())
        assert row.source.startswith("https://github.com/") and row.secrets

    def test_the_versions_of_a_module_do_not_overlap(self) -> None:
        rows = known_modules()
        for position, row in enumerate(rows):
            for other in rows[position + 1 :]:
                if (row.owner, row.repository, row.folder) == (other.owner, other.repository, other.folder):
                    assert overlap(row.versions, other.versions) is False, row

    def test_discovery_knows_them(self, tmp_path: Path) -> None:
        computed = call("${local.a}${local.b}") + 'locals {\n  a = "cloudposse/iam-system-"\n  b = "user/aws"\n}\n'
        write(tmp_path, {"a/main.tf": call(SYSTEM), "b/main.tf": call("acme/vpc/aws"), "c/main.tf": computed})
        assert [Path(unit.path).name for unit in discover([tmp_path], tmp_path).units] == ["a", "c"]


def test_no_value_of_the_module_is_shown(tmp_path: Path) -> None:
    done: Scanned = scan(write(tmp_path, {"main.tf": call(SYSTEM, 'name = "quiet-name"', "secret_access_key")}))
    assert done.code == 1 and "quiet-name" not in done.stdout
