"""What AWS Organizations says of an account."""

from __future__ import annotations

from typing import Any

import pytest

from keyrules.live.organization import list_accounts
from keyrules.live.targets import Target, chosen


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"State": "ACTIVE", "Status": "ACTIVE"}, "ACTIVE"),
        ({"State": "CLOSED", "Status": "SUSPENDED"}, "CLOSED"),
        ({"State": "PENDING_ACTIVATION"}, "PENDING_ACTIVATION"),
        ({"Status": "SUSPENDED"}, "SUSPENDED"),
        ({"State": "HIBERNATING", "Status": "ACTIVE"}, "HIBERNATING"),
        ({}, "in an unknown state"),
    ],
)
def test_the_state_says_more_than_the_status(said: dict[str, str], state: str) -> None:
    class Listing:
        def pages(self, *_: Any, **__: Any) -> list[dict[str, str]]:
            return [{"Id": "111111111111", "Name": "x", **said}]

    found: Any = list_accounts(Listing(), None, (), Target(""))  # type: ignore[arg-type]
    assert [each.state for each in found] == [state]
    targets = chosen(found, frozenset())
    assert len(targets.accounts) == (state == "ACTIVE")
    assert [each.account for each in targets.skipped] == ["111111111111"] * (state != "ACTIVE")
    assert all(state.casefold().replace("_", " ") in note for note in targets.notes)
