"""Accounts of a fake AWS as a run reaches them, with time under control."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from credential_reports import AS_OF, pack, selection
from fake_aws import FakeAws, serving

from keyrules.live.account_audit import AuditRequest, combine
from keyrules.live.aws import Pacing, connect
from keyrules.live.collection import Address, Reach, gather, judged_accounts
from keyrules.live.limits import Limits
from keyrules.live.targets import Target
from keyrules.model import Evaluation

NEWER_MODELS = str(Path(__file__).parent / "botocore_models")
"""What the botocore that Checkov pins does not know of IAM, for AWS_DATA_PATH."""


REPORT_CALLS = {"AssumeRole", "GetCallerIdentity", "GetCredentialReport"}
"""Those that every audit makes."""


class Clock:
    """Time that passes only in sleep()."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Passes the time, and notes it."""
        self.naps.append(seconds)
        self.now += seconds

    @property
    def waits(self) -> list[float]:
        """Without those that only keep the rate."""
        return [nap for nap in self.naps if nap >= 1]

    def pacing(self, deadline: float = 600) -> Pacing:
        """A run by this clock."""
        return Pacing(lambda: self.now, self.sleep, lambda: 1.0, deadline)


def environment(**more: str) -> dict[str, str]:
    """The variables of a run as the caller of a fake AWS."""
    return {
        "AWS_ACCESS_KEY_ID": "AKIDCALLER",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "HOME": "/nonexistent",
        "AWS_DATA_PATH": NEWER_MODELS,
        **more,
    }


class _Reach(Reach):
    """By another clock."""

    def __init__(self, address: Address, clock: Clock) -> None:
        super().__init__(address, Target("", roles=("audit",)))
        self.clock = clock

    @property
    def _met(self) -> Any:
        if "met" not in self.__dict__:
            self.__dict__["met"] = connect(None, None, self._address.endpoint_url, self.clock.pacing(), 4)
        return self.__dict__["met"]


@contextmanager
def met(fake: FakeAws, *accounts: str, deadline: float = 600, **target: Any) -> Iterator[tuple[Reach, Clock]]:
    """A run that reaches these accounts of a fake through the role `audit`, and its clock. botocore's own waits are
    left out."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, serving(fake) as address:
        for name, value in environment().items():
            patch.setenv(name, value)
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        reach = _Reach(Address(None, None, address, timedelta(seconds=deadline), 4), clock)
        reach.targets = {number: Target(number, **{"roles": ("audit",), **target}) for number in accounts}
        yield reach, clock


def audited(reach: Reach, *numbers: int) -> Evaluation:
    """What an audit of the accounts says by these rules, passing verdicts included."""
    chosen = Limits(selection(*numbers))
    request = AuditRequest(pack=pack().stamp, limits=chosen, now=AS_OF, max_age=None, keep_passing=True)
    targets = list(reach.targets.values())
    gathered = gather(targets, reach, None, request)
    return combine(list(judged_accounts(targets, gathered, request, reach.giver)), request).evaluation
