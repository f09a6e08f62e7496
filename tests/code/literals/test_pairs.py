"""A key id and its secret: what makes them a pair, and which id a secret belongs to."""

from __future__ import annotations

import random

import pytest

from keyrules.code.literals.literals import NEAR_LINES, find_literals

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+"
S = "a" + "".join(random.Random(1).choices(ALPHABET, k=39))
S2 = "b" + "".join(random.Random(2).choices(ALPHABET, k=39))


def key_id_of(seed: int, prefix: str = "AKIA") -> str:
    return prefix + "".join(random.Random(seed).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))


K = key_id_of(1)

# Values as AWS makes them in 3 of 10,000 cases, and ids whose letters are words of other things (B2, ID, SHA1).
WORDY = ["cargopalletmoverblue7AbQ9xZ/Lm3KcTr8Wq1P", "wJtheserandomlettersXq7/arelowercase+9Kz"]
ODD_IDS = [K, "AKIAG4MH2B2MKIRV522Y", "AKIAX2QHJ7PLMNR3SHA1", "AKIAX2QHJ7PLMNR3VRID"]


@pytest.mark.parametrize("secret", WORDY)
@pytest.mark.parametrize("key", ODD_IDS)
@pytest.mark.parametrize(
    "layout",
    [
        "aws_access_key_id = {k}\naws_secret_access_key = {s}\n",
        "access_key: {k}\nsecret_key: {s}\n",
        '"id": "{k}",\n"pgp_key": null,\n"secret": "{s}",\n',
        "{k}:{s}\n",
        "bucket:{k}:{s}\n",
        "{k},{s}\n",
        "{k}\t{s}\n",
    ],
)
def test_a_pair_under_usual_names_needs_no_look(layout: str, key: str, secret: str) -> None:
    assert [item.kind for item in find_literals(layout.format(k=key, s=secret))] == ["access_key_pair"]
    assert find_literals(layout.format(k="AKIAIOSFODNN7EXAMPLE", s=secret)) == []
    assert find_literals(f"{key}\n\nname = {secret}\n") == []


@pytest.mark.parametrize("lines", [NEAR_LINES, NEAR_LINES + 1])
def test_only_a_key_id_that_is_near_stands_in_for_the_look(lines: int) -> None:
    text = f"{K}{chr(10) * lines}secret_key = {WORDY[0]}\n"
    assert bool(find_literals(text)) == (lines == NEAR_LINES)


@pytest.mark.parametrize("decoy", ["# {t}\n{k}\n{s}\n", "{k}\n# {t}\nsecret_key={s}\n", "secret_key={s} # {t}\n{k}\n"])
def test_a_temporary_key_id_hides_no_long_lived_one(decoy: str) -> None:
    (found,) = find_literals(decoy.format(k=K, t=key_id_of(4, "ASIA"), s=S))
    assert (found.kind, found.masked_key_id) == ("access_key_pair", f"AKIA…{K[-4:]}")


def test_a_temporary_key_beside_a_long_lived_one_keeps_its_own_id() -> None:
    text = f"{key_id_of(4, 'ASIA')}\nsecret_key = {S}\n\n{K}\nsecret_key = {S2}\n"
    assert [item.kind for item in find_literals(text)] == ["session", "access_key_pair"]
