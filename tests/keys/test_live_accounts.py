"""`keyrules keys` over several live accounts, against a fake of AWS: what is joined where, asked for and kept."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from credential_reports import AS_OF
from fake_aws import CALLER, FakeAws, FakeKey, serving
from joined_cases import Run, World
from live_accounts import environment
from organization_runs import DAY, ONE, ORGANIZATION, THREE, TWO, csv, organization
from states import key_values, resource, state_4, user_values

from keyrules.commands import keys
from keyrules.live.collection import Reach
from keyrules.model import UsageError

OLD = AS_OF - 500 * DAY


def held(account: str) -> str:
    """A state of an account that holds the key of `ann`, as old as in its report."""
    created = OLD.strftime("%Y-%m-%dT%H:%M:%SZ")
    values = key_values("ann", id=f"AKIAANN{account}7", create_date=created)
    return state_4(
        resource("aws_iam_user.u", user_values("ann", account)),
        resource("aws_iam_access_key.k", values),
        lineage=account,
    )


class Organization:
    """What lies in a folder, an organization whose accounts all have an `ann` with an old key, and runs over them."""

    def __init__(self, world: World, fake: FakeAws, address: str) -> None:
        self.world, self.fake, self.address = world, fake, address

    def run(self, *arguments: str, as_of: str = "") -> Run:
        parser = argparse.ArgumentParser()
        keys.add_arguments(parser)
        states = [word for path in sorted(Path().glob("*.tfstate")) for word in ("--state", str(path))]
        moment = ["--as-of", as_of] if as_of else []
        given = ["--endpoint-url", self.address, "--format", "json", "--no-config", *states, *moment, *arguments]
        self.world.capfd.readouterr()
        code = keys.run(parser.parse_args(given), lambda: AS_OF)
        out, err = self.world.capfd.readouterr()
        return Run(code, out, err)


@pytest.fixture
def accounts(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Organization]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    fake = organization()
    for number in (ONE, TWO, THREE):
        fake.accounts[number].report = csv(number)
        fake.accounts[number].keys = {"ann": [FakeKey(f"AKIAANN{number}7", OLD, AS_OF - DAY)]}
    with serving(fake) as address:
        yield Organization(world, fake, address)


def test_each_state_is_joined_with_its_own_account(accounts: Organization) -> None:
    accounts.world.write("one.tfstate", held(ONE))
    accounts.world.write("two.tfstate", held(TWO))
    run = accounts.run(*ORGANIZATION)
    assert run.code == 0
    certain = [("aws_iam_access_key.k", "certain", "account_user_created")]
    assert run.joins() == {
        f"{ONE}/ann/1": certain,
        f"{TWO}/ann/1": certain,
        f"{THREE}/ann/1": [],
        f"{CALLER}/ann/1": [],
    }
    assert [row["declared"][0]["state"] for row in run.document["keys"] if row["declared"]] == [
        "one.tfstate",
        "two.tfstate",
    ]


def test_ids_are_asked_for_in_each_account(accounts: Organization) -> None:
    accounts.world.write("two.tfstate", held(TWO))
    accounts.fake.accounts[CALLER].keys = {"ann": []}
    run = accounts.run(*ORGANIZATION, "--verify")
    assert (run.code, run.document["errors"]) == (0, [])
    assert {row["account"]: row["key_id"] for row in run.document["keys"]} == {
        number: f"AKIAANN{number}7" for number in (ONE, TWO, THREE)
    }
    assert run.joins()[f"{TWO}/ann/1"] == [("aws_iam_access_key.k", "certain", "key_id")]


def test_a_name_in_several_accounts_is_joined_to_none(accounts: Organization) -> None:
    accounts.world.write("code/main.tf", 'resource "aws_iam_access_key" "k" {\n  user = "ann"\n}\n')
    run = accounts.run(*ORGANIZATION, "--code", "code")
    assert {str(joins) for joins in run.joins().values()} == {"[]"}
    assert run.unjoined() == [("aws_iam_access_key.k", [], "in_several_accounts")]


def test_an_account_that_cannot_be_asked_is_an_error_and_its_keys_are_not_gone(accounts: Organization) -> None:
    accounts.world.write("one.tfstate", held(ONE))
    accounts.world.write("two.tfstate", held(TWO))
    accounts.fake.accounts[TWO].role = None
    run = accounts.run(*ORGANIZATION, "--state-complete")
    assert run.code == 3 and [TWO in each["input"] for each in run.document["errors"]] == [True]
    assert run.unjoined() == [("aws_iam_access_key.k", [], "account_not_reported")]
    assert not [row for row in run.document["keys"] if "not_declared" in row["drift"]]


def test_reports_are_kept_and_only_what_is_missing_is_asked_for_again(accounts: Organization) -> None:
    accounts.world.write("two.tfstate", held(TWO))
    accounts.fake.accounts[TWO].role = None
    assert accounts.run(*ORGANIZATION, "--keep-reports", "kept").code == 3
    assert sorted(path.name for path in Path("kept").iterdir()) == [f"{each}.json" for each in (ONE, THREE, CALLER)]
    accounts.fake.accounts[TWO].role = "audit"
    accounts.fake.calls.clear()
    run = accounts.run(*ORGANIZATION, "--keep-reports", "kept", "--retry-failed")
    assert run.code == 0 and {row["account"] for row in run.document["keys"]} == {ONE, TWO, THREE, CALLER}
    assert {number for number, action in accounts.fake.calls if action == "GetCredentialReport"} == {TWO}
    again = accounts.run("kept", as_of=AS_OF.isoformat())
    assert again.joins() == run.joins()


def test_a_kept_report_of_another_account_is_an_error(accounts: Organization) -> None:
    accounts.run(*ORGANIZATION, "--keep-reports", "kept")
    Path(f"kept/{ONE}.json").replace(f"kept/{TWO}.json")
    run = accounts.run(*ORGANIZATION, "--keep-reports", "kept", "--retry-failed")
    assert run.code == 3
    (error,) = run.document["errors"]
    assert f"of account {ONE} and not the report of account {TWO}" in error["message"]
    assert [row["account"] for row in run.document["keys"]] == [ONE, THREE, CALLER]


def test_a_report_that_was_made_long_into_the_run_is_not_from_the_future(
    accounts: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = AS_OF + timedelta(minutes=20)
    for number in (ONE, TWO, THREE, CALLER):
        accounts.fake.accounts[number].made = later
    monkeypatch.setattr(Reach, "later", lambda self, now: now + timedelta(minutes=30))
    run = accounts.run(*ORGANIZATION)
    assert (run.code, run.document["errors"]) == (0, [])
    assert run.document["as_of"] == later.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--keep-reports", "kept"), "add --organization or --accounts FILE"),
        ((*ORGANIZATION, "--retry-failed"), "--keep-reports DIR"),
    ],
)
def test_options_that_do_not_fit_are_refused(accounts: Organization, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        accounts.run(*arguments)
    assert not Path("kept").exists() and accounts.fake.calls == []
