"""An organisation of three accounts and the one that manages it, and what tests ask of a run over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from credential_reports import AS_OF, ROOT, key, line, report
from fake_aws import CALLER, FakeAccount, FakeAws

ONE, TWO, THREE = "011111111111", "222222222222", "333333333333"
DAY = timedelta(days=1)
Runs = Callable[..., tuple[int, dict[str, Any]]]


def csv(account: str, age: float = 500, used: float = 1) -> bytes:
    prefix = f"arn:aws:iam::{account}:"
    return report(line(ROOT, arn=f"{prefix}root"), line("ann", **{**key(1, age, used), "arn": f"{prefix}user/ann"}))


def clean(account: str) -> bytes:
    return csv(account, 5)


ORGANIZATION = ("--organization", "--role", "audit")


def errors(document: dict[str, Any]) -> dict[str, str]:
    return {error["input"]: error["message"] for error in document["errors"]}


def inputs(document: dict[str, Any]) -> list[str]:
    reports = (item for item in document["inputs"] if item["kind"] == "credential_report")
    return [item["account"] for item in reports if item.get("sha256")]


def organization() -> FakeAws:
    """All with the role `audit` but the manager, and with a report that AWS made just now and that passes."""
    fake = FakeAws(AS_OF)
    for number in (ONE, TWO, THREE):
        fake.add(number, clean(number), name=f"name-{number[0]}", made=AS_OF)
    del fake.accounts[CALLER]
    fake.accounts[CALLER] = FakeAccount(CALLER, "manager", report=clean(CALLER), made=AS_OF, role=None)
    return fake
