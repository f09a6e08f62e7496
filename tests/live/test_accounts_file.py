"""The file that lists accounts: what is read, what is refused, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyrules.live.accounts_file import read_accounts, render_accounts
from keyrules.live.targets import Target
from keyrules.model import UsageError

ONE, TWO = "011111111111", "222222222222"
NOBODY = Target("")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.yaml"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{account_id: '12345', role: audit}", "account_id '12345' is no account"),
        ("{account_id: 11111111111, role: audit}", "takes leading zeros away"),
        ("{account_id: 012345670123, role: audit}", "takes leading zeros away"),
        ("{account_id: 0x1234567890, role: audit}", "is a number to YAML"),
        ("{account_id: '１２３４５６７８９０１２', role: audit}", "is no account"),
        ("{role: audit}", "account_id is missing"),
        (f"{{account_id: '{ONE}', role: audit}}", "is in line 2 already"),
        (f"{{account_id: '{TWO}', role: 'a role'}}", "role has 'a role'"),
        (f"{{account_id: '{TWO}', role: []}}", "an empty list"),
        (f"{{account_id: '{TWO}', role: {{a: b}}}}", "role is a text"),
        (f"{{account_id: '{TWO}', role: 'arn:aws:iam::1:role/x'}}", "role has 'arn:aws:iam::1:role/x'"),
        (f"{{account_id: '{TWO}'}}", "neither role nor profile"),
        (f"{{account_id: '{TWO}', role: audit, external_id: x}}", "external_id has"),
        (f"{{account_id: '{TWO}', role: audit, name: [x]}}", "name is a text"),
        (f"{{account_id: '{TWO}', account_id: '{TWO}'}}", "a second time"),
        ("text", "a mapping"),
        ("[x]", "a mapping"),
    ],
)
def test_a_wrong_entry_costs_itself_only(file: Path, entry: str, words: str) -> None:
    file.write_text(f"accounts:\n- {{account_id: '{ONE}', role: audit}}\n- {entry}\n")
    found = read_accounts(file, NOBODY)
    assert found.targets == (Target(ONE, roles=("audit",)),)
    ((place, sentence),) = found.problems
    assert place == f"{file}, line 3,"
    assert sentence.startswith("cannot be used: ")
    assert words in sentence


def test_what_an_entry_leaves_out_is_as_the_command_line_says(file: Path) -> None:
    file.write_text(
        f"accounts:\n- account_id: '{ONE}'\n- {{account_id: {TWO}, role: [x, a/b], external_id: own, profile: p}}\n"
    )
    default = Target("", roles=("audit",), external_id="given")
    assert read_accounts(file, default).targets == (
        Target(ONE, roles=("audit",), external_id="given"),
        Target(TWO, roles=("x", "a/b"), external_id="own", profile="p"),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("", "no list under `accounts`"),
        ("accounts: {}", "no list under `accounts`"),
        ("[]", "no list under `accounts`"),
        ("? [accounts]\n: []", "no list under `accounts`"),
        ("accounts: []", "lists no account"),
        ("accounts:\n- [", "line 3 is not YAML"),
        ("accounts:\n- *x", "not YAML"),
        ("accounts: []\n---\naccounts: []", "not YAML"),
        ("[" * 5000, "not YAML"),
        ("\x00", "not YAML"),
    ],
)
def test_what_is_no_such_file_is_refused(file: Path, text: str | None, words: str) -> None:
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=words) as error:
        read_accounts(file, NOBODY)
    assert str(file) in str(error.value)


def test_what_is_written_is_read(file: Path) -> None:
    targets = (
        Target(ONE, "yes", ("audit",)),
        Target(TWO, 'a: "b" # ü\u2028\u0007', ("audit",), state="SUSPENDED"),
    )
    file.write_text(render_accounts(targets))
    assert read_accounts(file, NOBODY).targets == targets
