"""What an audit of live accounts is joined with, against a fake of AWS: ids where they are asked for, and how little
is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from credential_reports import AS_OF, audit, key, line, report
from fake_aws import FakeAws, FakeKey, serving
from joined_cases import World
from live_accounts import environment
from organization_runs import DAY, ONE, ORGANIZATION, THREE, TWO, csv, organization
from states import key_values, resource, state_4, user_values

from keyrules.code.state.reading import read_state
from keyrules.keys.carrying import DeclaredKeys
from keyrules.keys.given import Declaring, Given

OLD = AS_OF - 500 * DAY


@pytest.fixture
def fake() -> FakeAws:
    """The key of `ann` is old in two of the accounts."""
    found = organization()
    for number in (TWO, THREE):
        found.accounts[number].report = csv(number)
        found.accounts[number].keys = {"ann": [FakeKey(f"AKIAANN{number}7", OLD, AS_OF - DAY)]}
    return found


@pytest.fixture
def address(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with serving(fake) as address:
        yield address


def held(user: str, key_id: str, account: str) -> str:
    """A state of an account that holds a key."""
    created = OLD.strftime("%Y-%m-%dT%H:%M:%SZ")
    return state_4(
        resource("aws_iam_user.u", user_values(user, account)),
        resource("aws_iam_access_key.k", key_values(user, id=key_id, create_date=created)),
    )


def declared(world: World, address: str, *more: str) -> dict[str, list[Any]]:
    """Certainty and evidence of what each account's keys are declared by."""
    run = world.audit("--endpoint-url", address, *ORGANIZATION, "--state", "s.tfstate", *more)
    assert run.code == 1, run.err or run.document["errors"]
    return {
        each["subject"]["account"]: [(place["certainty"], place["evidence"]) for place in each["declared"]]
        for each in run.document["findings"]
    }


def test_of_several_accounts_the_one_of_the_state_is_joined(world: World, address: str) -> None:
    world.write("s.tfstate", held("ann", f"AKIAANN{TWO}7", TWO))
    assert declared(world, address) == {TWO: [("certain", "account_user_created")], THREE: []}


def test_a_key_whose_id_is_asked_for_is_joined_by_it_whatever_its_user_is_called_now(
    world: World, address: str
) -> None:
    world.write("s.tfstate", held("ann-before", f"AKIAANN{TWO}7", TWO))
    assert declared(world, address) == {TWO: [], THREE: []}
    assert declared(world, address, "--verify") == {TWO: [("certain", "key_id")], THREE: []}


def test_only_what_can_be_joined_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    state = read_state("s", None, held("ann", f"AKIAANN{ONE}7", ONE).encode())
    keys = DeclaredKeys(Declaring(Given((), (), False, None, "owner"), [state], [], ()), timedelta(0))
    kept: list[Any] = []
    monkeypatch.setattr(keys, "take", kept.append)
    names = [f"user-{number}" for number in range(500)]
    lines = [line(name, **key(1, 500, 1)) for name in ("ann", *names)]
    audit(report(*lines), request={"carrying": keys})
    assert [[each.user for each in one.keys] for one in kept] == [["ann"]]
