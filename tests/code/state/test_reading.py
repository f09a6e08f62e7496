"""States of every version come to the same keys, and no secret in one becomes a value that lives."""

from __future__ import annotations

import gc
import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from canaries import leaks, make_canary
from states import ACCOUNT, PROVIDER, key_values, resource, shown, state_3, state_4, user_values

from keyrules.code.literals.masking import digest_of
from keyrules.code.state.reading import State, StateKey, read_state
from keyrules.code.state.sources import find_states, read_states
from keyrules.model import EvaluationError, InputError, UsageError

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
CANARY = make_canary("state")


def read(text: str) -> State:
    return read_state("s", "/s", text.encode())


def keys(text: str) -> dict[str, StateKey]:
    return {key.address: key for key in read(text).keys}


class TestVersion4:
    def test_addresses_are_those_of_terraform(self) -> None:
        found = keys(
            state_4(
                resource("aws_iam_access_key.plain", key_values("plain")),
                resource("aws_iam_access_key.cnt", key_values("a", **{"@": {"index_key": 0}})),
                resource('module.m["a.b"].aws_iam_access_key.fe', key_values("b", **{"@": {"index_key": "ci"}})),
            )
        )
        assert {key.address: key.block for key in found.values()} == {
            "aws_iam_access_key.plain": "aws_iam_access_key.plain",
            "aws_iam_access_key.cnt[0]": "aws_iam_access_key.cnt",
            'module.m["a.b"].aws_iam_access_key.fe["ci"]': "module.m.aws_iam_access_key.fe",
        }
        plain = found["aws_iam_access_key.plain"]
        assert (plain.user, plain.key_id, plain.created, plain.active) == (
            "plain",
            "AKIAPLAIN77777777777",
            CREATED,
            True,
        )

    def test_a_deposed_instance_is_a_key(self) -> None:
        new, old = key_values("ci"), key_values("ci", id="AKIAOLD7777777777777", **{"@": {"deposed": "00000001"}})
        found = read(state_4(resource("aws_iam_access_key.k", new, old))).keys
        assert [(key.address, key.deposed) for key in found] == [
            ("aws_iam_access_key.k", False),
            ("aws_iam_access_key.k", True),
        ]

    def test_an_imported_key_has_a_date(self) -> None:
        (key,) = read(state_4(resource("aws_iam_access_key.k", key_values("ci", secret=None)))).keys
        assert key.created == CREATED

    def test_the_account_comes_from_the_same_provider_configuration(self) -> None:
        other = f"{PROVIDER}.other"
        found = keys(
            state_4(
                resource("aws_iam_user.u", user_values("ci")),
                resource("aws_iam_user.o", user_values("ci", "210987654321"), provider=other),
                resource("aws_iam_access_key.k", key_values("ci")),
                resource("aws_iam_access_key.o", key_values("ci"), provider=other),
                resource("aws_iam_access_key.n", key_values("ci"), provider=f"{PROVIDER}.third"),
            )
        )
        assert {address.rpartition(".")[2]: key.account for address, key in found.items()} == {
            "k": ACCOUNT,
            "o": "210987654321",
            "n": None,
        }

    def test_two_accounts_of_one_provider_are_none(self) -> None:
        found = keys(
            state_4(
                resource("aws_iam_user.u", user_values("a")),
                resource("aws_iam_role.r", {"arn": "arn:aws:iam::210987654321:role/r"}),
                resource("aws_iam_access_key.k", key_values("a")),
            )
        )
        assert found["aws_iam_access_key.k"].account is None

    @pytest.mark.parametrize(
        "values",
        [
            resource("data.aws_iam_user.u", user_values("a"), mode="data", type="aws_iam_user"),
            resource("aws_sns_topic_subscription.s", {"arn": "arn:aws:sns:eu-west-1:210987654321:t:1"}),
            resource("aws_iam_policy_attachment.a", {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        ],
        ids=["a data source", "a subscription to another account's topic", "a policy of AWS"],
    )
    def test_what_may_be_anothers_names_no_account(self, values: dict[str, object]) -> None:
        assert keys(state_4(values, resource("aws_iam_access_key.k", key_values("a"))))[
            "aws_iam_access_key.k"
        ].account is (None)

    def test_the_caller_names_the_account(self) -> None:
        caller = resource("data.aws_caller_identity.c", {"account_id": ACCOUNT}, mode="data")
        caller["type"] = "aws_caller_identity"
        assert (
            keys(state_4(caller, resource("aws_iam_access_key.k", key_values("a"))))["aws_iam_access_key.k"].account
            == ACCOUNT
        )

    def test_attributes_of_an_upgraded_state_are_flat(self) -> None:
        old = {"schema_version": 0, "attributes_flat": {"id": "AKIAOLD7777777777777", "user": "ci", "status": "Active"}}
        (key,) = read(state_4({**resource("aws_iam_access_key.k"), "instances": [old]})).keys
        assert (key.key_id, key.user, key.created) == ("AKIAOLD7777777777777", "ci", None)

    def test_an_instance_of_a_provider_is_a_configuration_of_its_own(self) -> None:
        """OpenTofu's providers with for_each."""
        a, b = f'{PROVIDER}.by["a"]', f'{PROVIDER}.by["b"]'
        found = keys(
            state_4(
                resource(
                    "aws_iam_user.u",
                    user_values("ci", ACCOUNT, **{"@": {"index_key": "a", "provider": a}}),
                    user_values("ci", "210987654321", **{"@": {"index_key": "b", "provider": b}}),
                ),
                resource("aws_iam_access_key.k", key_values("ci", **{"@": {"index_key": "b", "provider": b}})),
            )
        )
        assert found['aws_iam_access_key.k["b"]'].account == "210987654321"

    def test_the_owner_is_the_tag_of_the_user(self) -> None:
        tagged = resource("aws_iam_user.u", user_values("ci", tags_all={"Owner": "team@example.com", "env": "x"}))
        assert read(state_4(tagged)).owners == {(ACCOUNT, "ci"): "team@example.com"}


class TestVersion3:
    def test_indexes_stand_behind_a_dot(self) -> None:
        def one(user: str) -> dict[str, object]:
            return {"id": f"AKIA{user}777777777777777"[:20], "attributes": {"user": user, "status": "Active"}}

        found = read(
            state_3(
                {
                    ("root",): {
                        "aws_iam_access_key.cnt.0": {"type": "aws_iam_access_key", "primary": one("A")},
                        "aws_iam_access_key.cnt.1": {
                            "type": "aws_iam_access_key",
                            "primary": one("B"),
                            "deposed": [one("C")],
                        },
                    },
                    ("root", "m"): {"aws_iam_access_key.k": {"type": "aws_iam_access_key", "primary": one("D")}},
                }
            )
        ).keys
        assert [(key.address, key.user, key.deposed) for key in found] == [
            ("aws_iam_access_key.cnt[0]", "A", False),
            ("aws_iam_access_key.cnt[1]", "B", False),
            ("aws_iam_access_key.cnt[1]", "C", True),
            ("module.m.aws_iam_access_key.k", "D", False),
        ]


class TestShown:
    def test_modules_below_modules(self) -> None:
        key = {"mode": "managed", "type": "aws_iam_access_key", "name": "k", "values": key_values("ci")}
        child = {
            "address": 'module.m["p"]',
            "resources": [key | {"address": 'module.m["p"].aws_iam_access_key.k[0]', "deposed_key": "0000"}],
        }
        found = read(shown([key | {"address": "aws_iam_access_key.k"}], [child])).keys
        assert [(key.address, key.block, key.deposed) for key in found] == [
            ("aws_iam_access_key.k", "aws_iam_access_key.k", False),
            ('module.m["p"].aws_iam_access_key.k[0]', "module.m.aws_iam_access_key.k", True),
        ]

    def test_the_account_is_that_of_the_user_it_depends_on(self) -> None:
        """This format names no provider configuration, so another user's account says nothing."""
        user = {"mode": "managed", "type": "aws_iam_user", "address": "aws_iam_user.u", "values": user_values("ci")}
        key = {"mode": "managed", "type": "aws_iam_access_key", "address": "aws_iam_access_key.k"}
        with_user = key | {"values": key_values("ci"), "depends_on": ["aws_iam_user.u"]}
        without = key | {"values": key_values("ci"), "address": "aws_iam_access_key.n"}
        found = {each.address: each.account for each in read(shown([user, with_user, without])).keys}
        assert found == {"aws_iam_access_key.k": ACCOUNT, "aws_iam_access_key.n": None}

    def test_an_empty_state(self) -> None:
        assert read('{"format_version": "1.0", "terraform_version": "1.11.4"}').keys == ()


REFUSED = {
    "encrypted": (
        '{"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "%s", "encryption_version": "v0"}',
        "tofu",
    ),
    "a plan": ('{"format_version": "1.2", "planned_values": {}, "variables": {"x": "%s"}}', "plan"),
    "cut off": ('{"version": 4, "resources": [{"secret": "%s"', "complete"),
    "a list": ('["%s"]', "no state"),
    "another document": ('{"secret": "%s"}', "no state"),
    "a version of the future": ('{"version": 5, "resources": [], "x": "%s"}', "version"),
    "a backend": ('{"version": 3, "serial": 1, "backend": {"config": {"secret_key": "%s"}}, "modules": []}', "backend"),
    "deep": ('{"version": 4, "x": "%s", "resources": ' + "[" * 200_000, "deeper"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_state_is_refused_in_one_sentence(kind: str) -> None:
    text, word = REFUSED[kind]
    with pytest.raises(InputError) as caught:
        read(text.replace("%s", CANARY.secret))
    assert word in str(caught.value) and "\n" not in str(caught.value)
    assert not leaks([(kind, str(caught.value))], [CANARY])
    assert caught.value.__context__ is None


def test_what_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InputError, match="UTF-8"):
        read_state("s", None, b"\xff\xfe{}")


def _reachable(top: object) -> list[str]:
    """Every text that can be reached from an object."""
    seen: set[int] = set()
    todo, texts = [top], []
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, type) or callable(item):
            continue
        seen.add(id(item))
        if isinstance(item, (str, bytes)):
            texts.append(item if isinstance(item, str) else item.decode("utf-8", "replace"))
        else:
            todo += gc.get_referents(item)
    return texts


@pytest.mark.parametrize("form", ["4", "3", "shown"])
def test_no_secret_is_reachable_from_what_was_read(form: str) -> None:
    values = key_values("ci", secret=CANARY.secret, ses_smtp_password_v4=CANARY.session_token[:44])
    values["encrypted_secret"] = CANARY.secret * 3
    output = {"out": {"value": CANARY.secret, "type": "string"}, "id": {"value": {"id": CANARY.secret}}}
    text = {
        "4": state_4(
            resource("aws_iam_access_key.k", values),
            resource("aws_ssm_parameter.p", {"id": CANARY.secret, "value": CANARY.secret, "arn": CANARY.secret}),
            outputs=output,
        ),
        "3": state_3({("root",): {"aws_iam_access_key.k": {"primary": {"id": values["id"], "attributes": values}}}}),
        "shown": shown([{"type": "aws_iam_access_key", "address": "aws_iam_access_key.k", "values": values}]),
    }[form]
    state = read(text)
    texts = _reachable(state)
    assert "ci" in texts and len(state.keys) == 1
    assert not leaks([("memory", text) for text in texts], [CANARY])
    assert digest_of(CANARY.secret) in state.digests


def test_an_id_that_is_none_is_not_kept() -> None:
    (key,) = read(state_4(resource("aws_iam_access_key.k", key_values("ci", id=CANARY.secret)))).keys
    assert key.key_id is None


class TestSources:
    def _read(self, *names: str, stdin: str = "") -> tuple[list[str], list[EvaluationError]]:
        states, errors = read_states(find_states(names), stdin.encode)
        return [Path(state.name).name for state in states], errors

    def test_a_folder_without_its_copies(self, tmp_path: Path) -> None:
        for number, name in enumerate(("terraform.tfstate", "terraform.tfstate.d/prod/terraform.tfstate")):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(state_4(lineage=f"l{number}"))
        for name in (".terraform/terraform.tfstate", "terraform.tfstate.backup", ".terraform.tfstate.lock.info"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("not read")
        names, errors = self._read(str(tmp_path), str(tmp_path / "terraform.tfstate"))
        assert (names, errors) == (["terraform.tfstate", "terraform.tfstate"], [])

    def test_standard_input(self) -> None:
        assert self._read("-", stdin=state_4()) == (["<stdin>"], [])

    def test_an_older_copy_is_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "a.tfstate").write_text(state_4(serial=3))
        (tmp_path / "b.tfstate").write_text(state_4(serial=17))
        names, (error,) = self._read(str(tmp_path / "a.tfstate"), str(tmp_path / "b.tfstate"))
        assert names == ["b.tfstate"] and "a.tfstate has serial 3" in error.message and "17" in error.message

    def test_the_same_state_twice_is_one(self, tmp_path: Path) -> None:
        for name in ("a.tfstate", "b.tfstate"):
            (tmp_path / name).write_text(state_4(resource("aws_iam_access_key.k", key_values("ci"))))
        assert self._read(str(tmp_path)) == (["a.tfstate"], [])

    def test_two_states_of_one_serial_that_differ_are_none(self, tmp_path: Path) -> None:
        for user in ("a", "b"):
            text = state_4(resource("aws_iam_access_key.k", key_values(user)))
            (tmp_path / f"{user}.tfstate").write_text(text)
        names, (error,) = self._read(str(tmp_path))
        assert names == [] and "neither was joined" in error.message

    def test_a_copy_of_another_lineage(self, tmp_path: Path) -> None:
        (tmp_path / "a.tfstate").write_text(state_4(lineage="new"))
        (tmp_path / "a.tfstate.backup").write_text(state_4(lineage="old", serial=99))
        names, (error,) = self._read(str(tmp_path / "a.tfstate"), str(tmp_path / "a.tfstate.backup"))
        assert names == ["a.tfstate"] and "another lineage" in error.message

    def test_two_states_that_hold_one_key(self, tmp_path: Path) -> None:
        for lineage in ("a", "b"):
            text = state_4(resource(f"aws_iam_access_key.{lineage}", key_values("ci")), lineage=lineage)
            (tmp_path / f"{lineage}.tfstate").write_text(text)
        names, (error,) = self._read(str(tmp_path))
        assert names == ["a.tfstate", "b.tfstate"] and "AKIACI77777777777777" in error.message

    def test_an_unreadable_one_does_not_hold_up_the_rest(self, tmp_path: Path) -> None:
        (tmp_path / "a.tfstate").write_text(json.dumps({"encrypted_data": "x"}))
        (tmp_path / "b.tfstate").write_text(state_4())
        names, (error,) = self._read(str(tmp_path))
        assert names == ["b.tfstate"] and "encrypted" in error.message and error.message.endswith(".")

    @pytest.mark.parametrize("names", [("missing",), ("-", "-"), (".",)])
    def test_what_does_not_exist_is_a_wrong_usage(
        self, names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UsageError, match="--state"):
            find_states(names)
