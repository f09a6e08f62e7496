"""The subjects around the keys have names and places in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from account_folders import audit_folder
from credential_reports import ACCOUNT

from keyrules.model import Evaluation, Finding, Status
from keyrules.reports import asff, ocsf
from keyrules.reports.report_formats import FORMATS
from keyrules.reports.text_style import ReportOptions
from keyrules.run.exceptions.match import live_names

FIXTURES = Path(__file__).parents[3] / "fixtures"
USER = f"arn:aws:iam::{ACCOUNT}:user/"
PLACES = {
    20: ("administrators", ["AwsIamUser"], f"{USER}fail-attached"),
    22: (
        "boundaries",
        ["Other", "AwsIamUser"],
        f"{USER}fail-codecommit-old#service_specific_credential/ACCAEXAMPLE000000007",
    ),
    23: ("boundaries", ["Other", "AwsIamUser"], f"{USER}fail-90-days-and-a-second#ssh_public_key/APKAEXAMPLE000000001"),
    24: ("fail-no-policy", ["AwsAccount"], f"AWS::::Account:{ACCOUNT}"),
    26: ("boundaries", ["Other"], f"arn:aws:iam::{ACCOUNT}:server-certificate/fail-years-ago"),
    27: ("fail-nobody", ["AwsAccount"], f"AWS::::Account:{ACCOUNT}"),
    28: ("fail-no-device", ["AwsAccount"], f"AWS::::Account:{ACCOUNT}"),
}


def evaluation(number: int) -> Evaluation:
    return audit_folder(FIXTURES / f"KEY_AWS_{number:03d}/account" / PLACES[number][0], number)


def first_failing(number: int) -> Finding:
    return next(finding for finding in evaluation(number).findings if finding.status is Status.FAIL)


def rendered(module: Any, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(module.render(evaluation(number), ReportOptions())))
    return found


@pytest.mark.parametrize("number", PLACES)
def test_security_hub_and_ocsf_are_told_what_it_is(number: int) -> None:
    _, types, uid = PLACES[number]
    for module, key in ((asff, "Resources"), (ocsf, "resources")):
        names = ("Type", "Id") if module is asff else ("type", "uid")
        resources = [each[key] for each in rendered(module, number)]
        found = [[each[names[0]] for each in some] for some in resources if some[0][names[1]] == uid]
        assert found == [types], module.__name__


@pytest.mark.parametrize("number", PLACES)
@pytest.mark.parametrize("name", sorted(name for name, each in FORMATS.items() if each.live))
def test_every_format_names_it(number: int, name: str) -> None:
    text = "".join(FORMATS[name].render(evaluation(number), ReportOptions())).replace("<wbr>", "")
    subject = first_failing(number).subject
    assert subject is not None
    assert subject.name in text or (subject.user or "-") in text or (subject.arn or "-") in text


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (24, f"{ACCOUNT}/password_policy"),
        (24, ACCOUNT),
        (28, f"{ACCOUNT}/root_mfa"),
        (26, f"arn:aws:iam::{ACCOUNT}:server-certificate/fail-a-second-ago"),
        (23, "fail-90-days-and-a-second/ssh_public_key"),
        (23, "fail-90-days-and-a-second/ssh_public_key/APKAEXAMPLE000000001"),
        (20, "fail-attached/user_permissions"),
    ],
)
def test_an_exception_can_name_it(number: int, name: str) -> None:
    subject = first_failing(number).subject
    assert subject is not None
    assert name in {each for own in live_names(subject).values() for each in own}


def test_measured_values_have_their_units_in_their_names() -> None:
    facts = first_failing(22).facts
    assert (facts["days_since_creation"], facts["max_age_days"], facts["expires_at"]) == (882.0, 90, None)
    certificate = first_failing(26).facts
    assert (certificate["days_since_expiry"], certificate["expires_at"]) == (0.0, "2026-05-31T23:59:59Z")
