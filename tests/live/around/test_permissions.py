"""Which rule asks an account for what: as docs/account-facts.md has it, and as a run does it."""

from __future__ import annotations

import re

import pytest
from credential_reports import AS_OF, line, pack, report
from fake_aws import FakeAws
from live_accounts import REPORT_CALLS, audited, met
from organization_runs import ONE
from readme import PROJECT

from keyrules.live.around.documents import documents_of
from keyrules.live.plan import reads_reports


def documented() -> dict[str, set[str]]:
    """The actions by rule, as the page lists them."""
    text = (PROJECT / "docs/account-facts.md").read_text("utf-8")
    found: dict[str, set[str]] = {}
    for rules, actions in re.findall(r"^\| (KEY_AWS_[0-9, ]+) \| (.*) \|$", text, re.MULTILINE):
        for number in re.findall(r"[0-9]{3}", rules):
            found[f"KEY_AWS_{number}"] = set(re.findall(r"`(iam:\w+)`", actions))
    return found


@pytest.mark.parametrize("rule", [rule.id for rule in pack().rules if reads_reports(rule)])
def test_the_page_lists_the_calls_that_a_run_makes(rule: str) -> None:
    fake = FakeAws(AS_OF)
    prefix = f"arn:aws:iam::{ONE}:"
    rows = [line("<root_account>", arn=f"{prefix}root"), line("ann", arn=f"{prefix}user/ann")]
    fake.add(ONE, report(*rows), made=AS_OF)
    with met(fake, ONE) as (reach, _):
        audited(reach, int(rule[-3:]))
    asked = {f"iam:{action}" for _, action in fake.calls if action not in REPORT_CALLS}
    assert asked == documented().get(rule, set())


def test_the_page_lists_every_rule_that_asks_for_more_than_a_report() -> None:
    assert documented().keys() == {rule.id for rule in pack().rules if documents_of(rule)}
