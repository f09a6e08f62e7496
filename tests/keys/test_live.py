"""Keys as the account has them now: ids, tags, and what came or went since the report."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from credential_reports import ACCOUNT, AS_OF, key, line, pack, report, selection

from keyrules.code import scan_unit
from keyrules.code.discovery import discover
from keyrules.keys.declarations import ROTATION_RULE, read_code
from keyrules.keys.join import JoinRequest, join
from keyrules.keys.live import STACK_TAG, LiveReport, Looking, read_report, verified
from keyrules.keys.owners import Declared
from keyrules.keys.places import Declaration
from keyrules.keys.stages import USUAL_CYCLE
from keyrules.live.account import LiveKey
from keyrules.live.instants import from_datetime
from keyrules.live.limits import Limits
from keyrules.live.report_inputs import from_stream
from keyrules.live.verification import Denied
from keyrules.model import InputError


def live(key_id: str, age: float, used: float | None = None, active: bool = True) -> LiveKey:
    def ago(days: float | None) -> str:
        return "" if days is None else from_datetime(AS_OF - timedelta(days=days))

    return LiveKey(key_id, active, ago(age), ago(used), "s3" if used is not None else "N/A", "eu-west-1")


@dataclass
class Keeper:
    """An account with these users."""

    users: dict[str, list[LiveKey]]
    known: dict[str, str] = field(default_factory=dict)
    allowed: bool = True
    number: str = ACCOUNT

    def identity(self) -> tuple[str, str]:
        return self.number, "aws"

    def access_keys(self, user: str) -> Sequence[LiveKey] | None:
        return self.users.get(user)

    def tags(self, user: str) -> Mapping[str, str]:
        if not self.allowed:
            raise Denied("iam:ListUserTags is not allowed")
        return self.known


def reported(*lines: str) -> LiveReport:
    looking = Looking(Limits(selection(1)), AS_OF, AS_OF, None)
    return read_report("r.csv", from_stream(io.BytesIO(report(*lines))), looking)


def test_ids_and_last_uses_are_those_of_now() -> None:
    found = verified(reported(line("ann", **key(1, 500, 40))), Keeper({"ann": [live("AKIA1", 500, 1)]}), AS_OF, "owner")
    (one,) = found.keys
    assert (one.key_id, one.slot, one.used, one.service) == ("AKIA1", 1, AS_OF - timedelta(days=1), "s3")
    assert one.findings == ("KEY_AWS_001",)


def test_what_is_new_takes_the_free_slot_and_has_no_findings() -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500, 1), live("AKIA2", 1)]})
    found = verified(reported(line("ann", **key(2, 500, 40))), keeper, AS_OF, "owner")
    assert [(one.key_id, one.slot, one.findings) for one in found.keys] == [
        ("AKIA1", 2, ("KEY_AWS_001",)),
        ("AKIA2", 1, ()),
    ]


def test_what_is_gone_is_no_key() -> None:
    keeper = Keeper({"ann": []})
    found = verified(reported(line("ann", **key(1, 500)), line("bob", **key(1, 500))), keeper, AS_OF, "owner")
    assert found.keys == [] and found.notes == ["Verified: bob was deleted since the report was made."]


def test_tags_say_owner_and_cycle() -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500)]}, {"Team": "T", "longest-cycle-days": "92"})
    (one,) = verified(reported(line("ann", **key(1, 500))), keeper, AS_OF, "team").keys
    assert one.tags["team"] == "T"
    assert Declared({}, {}, 8).cycle_of(one) == (timedelta(days=92), "tag")


@pytest.mark.parametrize("tag", ["0", "99999", "-3", "ninety", "1.5", ""])
def test_a_tag_that_is_no_number_of_days_declares_nothing(tag: str) -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500)]}, {"longest-cycle-days": tag})
    (one,) = verified(reported(line("ann", **key(1, 500))), keeper, AS_OF, "owner").keys
    assert Declared({}, {}).cycle_of(one) == (USUAL_CYCLE, "assumed")


def test_tags_that_may_not_be_read_are_a_note() -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500)]}, allowed=False)
    found = verified(reported(line("ann", **key(1, 500))), keeper, AS_OF, "owner")
    assert found.keys[0].key_id == "AKIA1" and len(found.notes) == 1


def test_a_report_of_another_account_is_refused() -> None:
    with pytest.raises(InputError, match=f"belong to account 210987654321 and the report to account {ACCOUNT}"):
        verified(reported(line("ann", **key(1, 500))), Keeper({}, number="210987654321"), AS_OF, "owner")


def test_an_id_decides_whatever_else_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500), live("AKIA2", 500)]})
    keys = verified(reported(line("ann", **key(1, 500), **key(2, 500))), keeper, AS_OF, "owner").keys
    created = AS_OF - timedelta(days=500)
    second = Declaration("a.b", "ann", ACCOUNT, "s", "AKIA2", created)
    third = Declaration("a.c", "ann", ACCOUNT, "s", "AKIA3", created)
    monkeypatch.setattr("keyrules.keys.join.declarations", lambda *_: [second, third])
    found = join(JoinRequest(keys, {ACCOUNT: AS_OF}))
    joined = {each.live.key_id: [one.evidence for one in each.declared] for each in found.keys}
    assert joined == {"AKIA1": [], "AKIA2": ["key_id"]}
    assert [(each.declaration.key_id, each.drift) for each in found.unjoined] == [("AKIA3", ("declared_but_gone",))]


def test_a_user_that_a_stack_has_named_leads_to_its_template(tmp_path: Path) -> None:
    template = tmp_path / "t.yaml"
    template.write_text(
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  U:\n    Type: AWS::IAM::User\n"
        "  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: !Ref U\n"
    )
    rule = next(rule for rule in pack().rules if rule.id == ROTATION_RULE)
    units, errors = read_code(discover([template], tmp_path), rule, AS_OF, scan_unit.Limits())
    assert errors == []
    keeper = Keeper({"web-U-1ABCDEF": [live("AKIA1", 9)]}, {STACK_TAG: "web"})
    keys = verified(reported(line("web-U-1ABCDEF", **key(1, 9))), keeper, AS_OF, "owner").keys
    (one,) = join(JoinRequest(keys, {ACCOUNT: AS_OF}, units=units)).keys
    assert [(each.declaration.line, each.certainty.value, each.evidence) for each in one.declared] == [
        (5, "possible", "stack_name")
    ]
    keeper.known = {}
    keys = verified(reported(line("web-U-1ABCDEF", **key(1, 9))), keeper, AS_OF, "owner").keys
    assert join(JoinRequest(keys, {ACCOUNT: AS_OF}, units=units)).unjoined[0].why == "user_not_known"
