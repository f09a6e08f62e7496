"""The next step: in the code of a declared key, else by command, and never one that cuts somebody off by the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from credential_reports import ACCOUNT, AS_OF

from keyrules.keys.advice import alternative, next_step
from keyrules.keys.join import Certainty, Join, JoinedKey
from keyrules.keys.live import STACK_TAG, LiveKey
from keyrules.keys.owners import Cycle
from keyrules.keys.places import Declaration
from keyrules.keys.stages import Action, Stage, Step
from keyrules.records import replace

LIVE = LiveKey(
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:user/x",
    user="x",
    user_created=AS_OF - timedelta(days=900),
    slot=1,
    active=True,
    created=AS_OF - timedelta(days=400),
    used=AS_OF - timedelta(days=1),
    service="",
    region="",
    observed_at=AS_OF,
)
CYCLE = Cycle(timedelta(days=31), "assumed")
DECLARED = Declaration('m.k["a b"]', "x", ACCOUNT, "s.tfstate", path="/c/main.tf", line=4)
STAGES = {
    Action.CREATE: Stage.DUE,
    Action.DEACTIVATE: Stage.QUIET,
    Action.DELETE: Stage.DELETE,
    Action.WAIT: Stage.MOVING,
    Action.MOVE: Stage.CREATED,
    Action.OBSERVE: Stage.UNCLEAR,
    Action.ASK: Stage.BLOCKED,
}


def command(action: Action, declaration: Declaration | None = None, evidence: str = "key_id", **live: object) -> str:
    joins = () if declaration is None else (Join(declaration, Certainty.CERTAIN, evidence),)
    key = JoinedKey(replace(LIVE, **live), joins)  # type: ignore[arg-type]
    return next_step(key, Step(STAGES[action], "seen_once", action), None, CYCLE).command


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (Action.CREATE, "aws iam create-access-key --user-name=x"),
        (Action.DEACTIVATE, "aws iam update-access-key --user-name=x --access-key-id ID_OF_KEY_1 --status Inactive"),
        (Action.DELETE, "aws iam delete-access-key --user-name=x --access-key-id ID_OF_KEY_1"),
        (Action.WAIT, "aws iam get-access-key-last-used --access-key-id ID_OF_KEY_1"),
    ],
)
def test_a_key_that_nothing_declares(action: Action, says: str) -> None:
    assert command(action) == says


@pytest.mark.parametrize("declaration", [DECLARED, replace(DECLARED, template=True, state=None)])
@pytest.mark.parametrize("action", list(STAGES))
def test_a_declared_key_is_never_changed_by_hand(action: Action, declaration: Declaration) -> None:
    said = command(action, declaration)
    assert not said.startswith("aws iam ") or said.startswith("aws iam get-access-key-last-used ")
    if action in (Action.CREATE, Action.DEACTIVATE, Action.DELETE):
        assert "/c/main.tf:4" in said


def test_a_second_key_is_applied_alone() -> None:
    """An apply of everything would replace the first one at once where its rotation is overdue."""
    assert "terraform apply -target=ADDRESS_OF_THE_SECOND" in command(Action.CREATE, DECLARED)


def test_a_deposed_key_goes_with_an_apply() -> None:
    said = command(Action.DEACTIVATE, replace(DECLARED, deposed=True))
    assert said.startswith("terraform apply, which deletes the former key of")


def test_what_was_made_outside_comes_into_the_state_first() -> None:
    said = command(Action.DELETE, DECLARED, "younger_key", key_id="AKIA1")
    assert said == """terraform state rm 'm.k["a b"]' && terraform import 'm.k["a b"]' AKIA1"""


def test_nothing_to_do_is_nothing() -> None:
    assert next_step(JoinedKey(LIVE), Step(Stage.NONE, "not_due"), None, CYCLE).action == "nothing"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"service": "ses"}, "SMTP"),
        ({"user": "github-actions"}, "The user's name suggests a CI system"),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:user/ci/x"}, "The user's path suggests a CI system"),
        ({"user": "onprem-backup"}, "outside of AWS"),
        ({"console": True}, "may be a person"),
        ({"tags": {STACK_TAG: "web"}}, "CloudFormation stack"),
        ({}, "Where nothing says who calls"),
        ({"user": "cicero"}, "Where nothing says who calls"),
    ],
)
def test_what_there_is_instead_says_what_it_rests_on(changes: dict[str, object], says: str) -> None:
    said = alternative(replace(LIVE, **changes))  # type: ignore[arg-type]
    assert said is not None and says in said and said.count("https://") == 1
