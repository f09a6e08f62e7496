"""A patched key in real Terraform with the AWS provider: the patch itself replaces nothing, its clock does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from patching import mended
from terraform_accounts import PLUGINS, TERRAFORM, Applied, plugins

PROVIDER = """
variable "endpoint" {}

variable "moment" {}

provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    iam = var.endpoint
  }
}
"""
KEY = """
resource "aws_iam_user" "bot" {
  name = "bot"
}

resource "aws_iam_access_key" "bot" {
  user = aws_iam_user.bot.name
}
"""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host.replace('0.0.0.0', '127.0.0.1')}:{port}"
    server.stop()


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH, and nothing else applies a patch")
@pytest.mark.skipif(plugins() is None, reason=f"the AWS provider is not here; {PLUGINS} names a mirror with it")
def test_a_patched_key_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    mirror = plugins()
    assert mirror is not None
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path / "code")
    (tmp_path / "code/main.tf").write_text(PROVIDER + KEY, encoding="utf-8")
    applied = Applied(tmp_path / "code", tmp_path / "infra", endpoint, mirror)

    def key_id(moment: int) -> str:
        state = json.loads(applied.apply(moment=moment).read_text(encoding="utf-8"))
        (key,) = (each for each in state["resources"] if each["type"] == "aws_iam_access_key")
        (instance,) = key["instances"]
        return str(instance["attributes"]["id"])

    first = key_id(1)
    patched = mended({"main.tf": PROVIDER + KEY}, tmp_path / "code", only=("KEY_AWS_001",)).read("main.tf")
    # A stand-in for the clock, whose provider is not at hand: it is another at another moment.
    twin = patched.replace('"time_rotating" "access_key_rotation"', '"terraform_data" "clock"')
    twin = twin.replace("time_rotating.access_key_rotation", "terraform_data.clock")
    twin = twin.replace("rotation_days = 60", "triggers_replace = var.moment")
    assert twin.count("terraform_data") == 4
    (applied.folder / "main.tf").write_text(twin, encoding="utf-8")
    assert key_id(1) == first
    assert key_id(2) != first
