"""A run over an organisation, against a fake of AWS."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import pytest
from credential_reports import AS_OF
from fake_aws import FakeAws, serving
from live_accounts import environment
from organization_runs import Runs, organization

from keyrules.commands import audit


@pytest.fixture
def fake() -> FakeAws:
    return organization()


@pytest.fixture
def address(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with serving(fake) as address:
        yield address


@pytest.fixture
def run(address: str, capfd: pytest.CaptureFixture[str]) -> Runs:
    """Runs `keyrules audit` at AS_OF, and gives its exit code and JSON."""

    def running(*argv: str) -> tuple[int, dict[str, Any]]:
        parser = argparse.ArgumentParser()
        audit.add_arguments(parser)
        args = parser.parse_args(["--endpoint-url", address, "--format", "json", "--no-config", *argv])
        code = audit.run(args, lambda: AS_OF)
        return code, json.loads(capfd.readouterr().out)

    return running
