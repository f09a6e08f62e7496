"""A secret that a scan knows is masked wherever the scan would print it, however it is written there."""

from __future__ import annotations

import json
import random
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.code.literals.masking import KnownSecrets, digest_of
from keyrules.code.scan import ScanRequest, scan
from keyrules.model import Selection
from keyrules.pack.catalog import load_pack

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+"
S = "Q/" + "".join(random.Random(1).choices(ALPHABET, k=18)) + "+/" + "".join(random.Random(2).choices(ALPHABET, k=18))
S2 = "Z" + "".join(random.Random(3).choices(ALPHABET, k=39))
PLAIN = "P" + "".join(random.Random(4).choices(ALPHABET[:62], k=39))
SECRETS = KnownSecrets([digest_of(S), digest_of(S2), digest_of(PLAIN)])
MASK = f"[secret {digest_of(S)[:8]}]"

WRITTEN = {
    "as it is": S,
    "in JSON that escapes slashes": json.dumps(S)[1:-1].replace("/", "\\/"),
    "in JSON in JSON": S.replace("/", "\\\\/"),
    "by codes": S.replace("/", "\\u002f").replace("+", "\\u002B"),
    "by short codes": S.replace("+", "\\x2b"),
    "in a URL": quote(S, safe=""),
    "in markup": S.replace("+", "&#43;").replace("/", "&#x2F;"),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_every_way_to_write_it(way: str) -> None:
    assert SECRETS.masked(f'aws_iam_user.u["{WRITTEN[way]}"]') == f'aws_iam_user.u["{MASK}"]'


@given(
    before=st.text(alphabet=ALPHABET + ' .-_\\"', max_size=50), after=st.text(alphabet=ALPHABET + " .=", max_size=50)
)
def test_it_is_found_in_any_surroundings(before: str, after: str) -> None:
    assert SECRETS.masked(f"{before}{S}{after}").count(MASK) == 1
    assert SECRETS.masked(f"{before}{S}{S2}{after}").count("[secret ") == 2


@given(text=st.text(alphabet=ALPHABET + "\\%&#; ", max_size=200))
def test_nothing_else_changes(text: str) -> None:
    assert SECRETS.masked(text) == text
    assert KnownSecrets().masked(text + S) == text + S


def test_long_runs_are_read_in_one_pass() -> None:
    for text in ("\\" * 200_000, "a" * 50_000, "%2F" * 20_000):
        assert SECRETS.masked(text) == text


def test_it_does_not_print_itself() -> None:
    assert S not in repr(SECRETS) and digest_of(S) not in repr(SECRETS)


@pytest.mark.parametrize("rules", [("KEY_AWS_001", "KEY_AWS_011"), ("KEY_AWS_001",)], ids=["with 011", "without"])
@pytest.mark.parametrize("spread", ["one file", "another file"])
def test_no_word_of_a_scan_holds_a_secret(tmp_path: Path, rules: tuple[str, ...], spread: str) -> None:
    folder = tmp_path / PLAIN
    folder.mkdir()
    key = f'resource "aws_iam_access_key" "k" {{\n  for_each = toset(["{S}", "{S2}"])\n  user     = each.key\n}}\n'
    named = "".join(f"secret_key = {value}\n\n" for value in (S, S2, PLAIN))
    (folder / "main.tf").write_text(
        key + ("# " + named.replace("\n\n", "\n# ") if spread == "one file" else ""), "utf-8"
    )
    (folder / "keys.txt").write_text(named, "utf-8")
    (folder / "broken.tf").write_text(f'resource "aws_iam_access_key" "{S} {{\n', "utf-8")
    pack = load_pack()
    chosen = Selection(tuple(rule for rule in pack.rules if rule.id in rules))
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    said = scan(ScanRequest((tmp_path,), pack, chosen, moment, tmp_path, keep_passing=True))
    text = repr((said.findings, said.errors, said.notes, said.inputs, said.scope))
    assert "[secret " in text
    assert not any(value in text or value[4:-4] in text for value in (S, S2, PLAIN))
    assert len({finding.fingerprint for finding in said.findings}) == len(said.findings)


def test_one_note_on_temporary_keys_and_one_finding_on_a_state_that_is_named(tmp_path: Path) -> None:
    pack = load_pack()
    chosen = Selection(tuple(rule for rule in pack.rules if rule.id == "KEY_AWS_011"))
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    head = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x"}
    state = tmp_path / "state.json"
    state.write_text(json.dumps({**head, "resources": [], "outputs": {"secret_key": S}}), "utf-8")
    for name in "ab":
        (tmp_path / name).write_text(f"ASIAZ5SYNTHETIC{name.upper()}FIXT\nsecret_key = {S2}\n", "utf-8")
    paths = (state, tmp_path / "a", tmp_path / "b")
    said = scan(ScanRequest(paths, pack, chosen, moment, tmp_path))
    assert [finding.reason for finding in said.findings] == ["secret_access_key"]
    assert len(said.notes) == 1 and said.notes[0].startswith("2 temporary access keys")
    assert [error.input for error in said.errors] == [str(state)]
