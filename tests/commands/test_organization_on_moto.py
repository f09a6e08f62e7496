"""The same against an AWS that is not ours: moto's Organizations, STS and IAM over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from live_accounts import environment
from moto.server import ThreadedMotoServer

SOURCE = Path(__file__).parents[2] / "src"
FUTURE = ("--as-of", "2099-01-01")
"""Reports of moto say that they are of 2015, and their keys are of today."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    host, port = server.get_host_and_port()
    # What moto knows is shared by all tests of this process.
    _forget(f"http://{host}:{port}")
    yield f"http://{host}:{port}"
    _forget(f"http://{host}:{port}")
    server.stop()


def _forget(endpoint: str) -> None:
    urllib.request.urlopen(f"{endpoint}/moto-api/reset", data=b"").close()


def client(service: str, endpoint: str, **keys: str) -> Any:
    keys = keys or {"aws_access_key_id": "AKIDCALLER", "aws_secret_access_key": "secret"}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)


def in_account(endpoint: str, account: str) -> Any:
    role = f"arn:aws:iam::{account}:role/setup"
    given = client("sts", endpoint).assume_role(RoleArn=role, RoleSessionName="setup")["Credentials"]
    return client(
        "iam",
        endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


@pytest.fixture(scope="module")
def keys(endpoint: str) -> dict[str, str]:
    """The access key in each account by the account's number."""
    organizations = client("organizations", endpoint)
    organizations.create_organization(FeatureSet="ALL")
    for name in ("one", "two"):
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)
    found = {}
    for account in (each["Id"] for each in organizations.list_accounts()["Accounts"]):
        iam = in_account(endpoint, account)
        iam.create_user(UserName="ann", Tags=[{"Key": "owner", "Value": f"team-{account}"}])
        found[account] = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    return found


def keyrules(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keyrules", *argv],
        env={**environment(), "PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_account_is_read_and_verified_with_its_own_credentials(
    endpoint: str, keys: dict[str, str], tmp_path: Path
) -> None:
    accounts = keyrules("accounts", "--organization", "--role", "audit", "--endpoint-url", endpoint)
    assert (accounts.returncode, accounts.stderr) == (0, "")
    (tmp_path / "accounts.yaml").write_text(accounts.stdout)
    ways = [("--organization", "--role", "audit"), ("--accounts", str(tmp_path / "accounts.yaml"))]
    for number, way in enumerate(ways):
        kept = tmp_path / f"kept-{number}"
        done = keyrules(
            "audit", *way, "--endpoint-url", endpoint, *FUTURE, "--verify", "--rule", "KEY_AWS_001", "--format", "json",
            "--keep-reports", str(kept), "--no-config",
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, "")
        document = json.loads(done.stdout)
        found = {
            finding["subject"]["account"]: (finding["subject"]["key_id"], finding["subject"]["owner"])
            for finding in document["findings"]
        }
        assert found == {account: (key_id, f"team-{account}") for account, key_id in keys.items()}
        assert sorted(path.stem for path in kept.glob("*.json")) == sorted(keys)
