"""Applies real Terraform with the AWS provider to accounts that moto plays, and fetches what joins with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import boto3

TERRAFORM = shutil.which("terraform")
PLUGINS = "KEYRULES_TERRAFORM_PLUGINS"
"""Names a folder with the AWS provider, laid out as a filesystem mirror of Terraform's."""

_IMPLIED = ("~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "/usr/share/terraform/plugins")


def plugins() -> Path | None:
    """A folder on this machine with the AWS provider: nothing is downloaded."""
    folders = [os.environ.get(PLUGINS), *_IMPLIED, "/usr/local/share/terraform/plugins"]
    found = (Path(name).expanduser() for name in folders if name)
    return next((folder for folder in found if list(folder.glob("registry.terraform.io/hashicorp/aws/*"))), None)


class Applied:
    """A copy of some code in a folder, initialised, to be applied."""

    def __init__(self, code: Path, folder: Path, endpoint: str, mirror: Path) -> None:
        self.folder = folder
        shutil.copytree(code, folder)
        self._variables = {"TF_VAR_endpoint": endpoint}
        self._run("init", f"-plugin-dir={mirror}")

    def apply(self, **variables: object) -> Path:
        """Applies it with these inputs. Gives the state."""
        self._run("apply", "-auto-approve", **{f"TF_VAR_{name}": str(value) for name, value in variables.items()})
        return self.folder / "terraform.tfstate"

    def show(self) -> str:
        """What `terraform show -json` prints of the state."""
        return self._run("show", "-json")

    def _run(self, command: str, *options: str, **more: str) -> str:
        assert TERRAFORM is not None
        done = subprocess.run(
            [TERRAFORM, f"-chdir={self.folder}", command, *(() if command == "show" else ("-input=false",)), *options],
            env={**self._variables, **more, "PATH": os.defpath, "CHECKPOINT_DISABLE": "1", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def credential_report(endpoint: str, account: str | None = None) -> str:
    """The credential report of the account that everybody is in, or of another one through a role in it."""
    options = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    credentials: Mapping[str, str] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    if account is not None:
        sts = boto3.client("sts", **options, **credentials)
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/deploy", RoleSessionName="test")["Credentials"]
        credentials = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
    iam = boto3.client("iam", **options, **credentials)
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass
    content: bytes = iam.get_credential_report()["Content"]
    return content.decode()
