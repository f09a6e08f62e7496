"""An organisation for the functions to run in."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from aws_organization import BUCKET, CENTRAL, REGION, Aws
from live_accounts import NEWER_MODELS
from moto import mock_aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The management account, with an organisation, a bucket and the environment of the functions."""
    environment = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_DATA_PATH": NEWER_MODELS,
        "BUCKET": BUCKET,
        "ROLE_NAME": "keyrules-member",
        "EXTERNAL_ID": "an-external-id-of-ours",
        "WORKER": "keyrules-worker",
        "ACCOUNTS_PER_INVOCATION": "2",
        "SECURITY_HUB": "no",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with mock_aws():
        assert boto3.client("sts").get_caller_identity()["Account"] == CENTRAL
        boto3.client("organizations").create_organization(FeatureSet="ALL")
        where = {"LocationConstraint": REGION}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield Aws(monkeypatch)
