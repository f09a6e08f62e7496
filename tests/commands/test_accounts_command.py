"""The file that lists accounts: written by `keyrules accounts`, read by `keyrules audit`."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from fake_aws import CALLER, FakeAws
from organization_runs import ONE, ORGANIZATION, THREE, TWO, Runs, errors, inputs

from keyrules.commands import accounts
from keyrules.model import InputError, UsageError


class TestAccountsFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "accounts.yaml"

    def test_the_file_of_the_organization_is_read_back(
        self, file: Path, fake: FakeAws, run: Runs, address: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        fake.accounts[THREE].state = "SUSPENDED"
        fake.accounts[TWO].name = 'odd: "name" # é'
        parser = argparse.ArgumentParser()
        accounts.add_arguments(parser)
        argv = ["--endpoint-url", address, *ORGANIZATION, "--exclude-account", CALLER]
        assert accounts.run(parser.parse_args(argv)) == 0
        text = capfd.readouterr().out
        assert f"account_id: '{ONE}'" in text, "in quotes, because of the zero"
        file.write_text(text)
        code, document = run("--accounts", str(file))
        assert (code, inputs(document)) == (0, [ONE, TWO])
        assert f"{THREE} (suspended)" in str(document["notes"])
        assert 'odd: "name" # é' in str(document["inputs"])

    def test_what_c7n_org_reads_is_read(self, file: Path, fake: FakeAws, run: Runs) -> None:
        fake.accounts[TWO].external_id = "an-external-id"
        file.write_text(
            f"""
vars: &vars {{charge: 1.5, none: null, since: 2020-01-01}}
accounts:
- account_id: '{ONE}'
  name: one
  regions: [us-east-1]
  role: arn:aws:iam::{ONE}:role/audit
  tags: ["path:/Prod", "weird: [yes"]
  vars: *vars
- account_id: "{THREE}"
  role:
  - arn:aws:iam::{ONE}:role/audit
  - audit
- account_id: {TWO}
  role: audit
  external_id: an-external-id
"""
        )
        code, document = run("--accounts", str(file))
        assert (code, inputs(document)) == (0, [ONE, TWO, THREE])

    def test_a_wrong_entry_costs_itself_only(self, file: Path, run: Runs) -> None:
        file.write_text(f"accounts:\n- {{account_id: 12345, role: audit}}\n- {{account_id: '{ONE}', role: audit}}\n")
        code, document = run("--accounts", str(file))
        ((where, message),) = errors(document).items()
        assert (code, inputs(document), where) == (3, [ONE], f"{file}, line 2,")
        assert message.startswith(f"{file}, line 2, cannot be used: account_id 12345 is a number to YAML")

    def test_a_role_for_those_without_one(self, file: Path, run: Runs) -> None:
        file.write_text(f"accounts:\n- account_id: '{ONE}'\n- account_id: '{TWO}'\n  role: other\n")
        code, document = run("--accounts", str(file), "--role", "audit")
        assert (code, inputs(document)) == (3, [ONE])
        assert "role/other cannot be assumed" in str(errors(document))

    @pytest.mark.parametrize("profile", ["other", "absent"])
    def test_a_profile_begins_with_its_own_credentials(
        self, file: Path, fake: FakeAws, run: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
    ) -> None:
        config = tmp_path / "config"
        config.write_text("[profile other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = secret\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        file.write_text(
            f"accounts:\n- account_id: '{CALLER}'\n  profile: {profile}\n- account_id: '{ONE}'\n  role: audit\n"
        )
        code, document = run("--accounts", str(file))
        assert (code, inputs(document)) == ((0, [ONE, CALLER]) if profile == "other" else (3, [ONE]))
        assert ("no such AWS profile" in str(errors(document))) is (profile == "absent")

    def test_a_file_that_is_no_list_leaves_nothing_behind(self, file: Path, run: Runs) -> None:
        file.write_text("accounts: {}")
        with pytest.raises(UsageError, match="no list under `accounts`"):
            run("--accounts", str(file), "--keep-reports", str(file.with_name("kept")))
        assert not file.with_name("kept").exists()

    def test_an_output_does_not_replace_the_file(self, file: Path, run: Runs) -> None:
        file.write_text(f"accounts: [{{account_id: '{ONE}', role: audit}}]")
        with pytest.raises(UsageError, match="is the list of accounts and would be replaced"):
            run("--accounts", str(file), "--format", f"csv={file}")


def test_the_command_that_lists_accounts_refuses_what_it_cannot_do(fake: FakeAws, address: str) -> None:
    parser = argparse.ArgumentParser()
    accounts.add_arguments(parser)
    with pytest.raises(UsageError, match="add --organization"):
        accounts.run(parser.parse_args([]))
    fake.accounts[CALLER].denied = {"ListAccounts": "nothing"}
    with pytest.raises(InputError, match="organizations:ListAccounts is not allowed"):
        accounts.run(parser.parse_args(["--organization", "--endpoint-url", address]))
