"""What lifecycle arguments and constant values do to a rotation, without running Terraform: the words and the kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from rotation_idioms import CARRIER, CLOCK, ID, KEY, carrier, key, one, value
from terraform_cases import judged, root_scope, write

from keyrules.code.verdict import Verdict

RULE = "KEY_AWS_001"
SUBJECT = "aws_iam_access_key.k"


def verdict(folder: Path, text: str) -> Verdict:
    return judged(RULE, root_scope(write(folder, {"main.tf": text})))[SUBJECT]


NEVER = {
    "a part is ignored": (
        CLOCK + carrier(f"triggers_replace = {{ t = {ID} }}", "ignore_changes = [triggers_replace.t]") + KEY,
        "terraform_data.d, whose ignore_changes hides changes",
    ),
    "the key is kept by an expression": (
        CLOCK + CARRIER + key("terraform_data.d", "prevent_destroy = !false"),
        "lifecycle.prevent_destroy forbids",
    ),
    "the key is kept by an input, as OpenTofu allows": (
        'variable "keep" {\n  default = true\n}\n' + CLOCK + CARRIER
        + key("terraform_data.d", "prevent_destroy = var.keep"),
        "lifecycle.prevent_destroy forbids",
    ),
    "the trigger is kept": (
        CLOCK + carrier(f"triggers_replace = {ID}", 'prevent_destroy = "true"') + KEY,
        "time_rotating.c would replace terraform_data.d, which its prevent_destroy forbids, so the plan fails",
    ),
    "the value is the same": (
        value('[for x in [@] : "c"]')["main.tf"],
        "time_rotating.c is named, but the value is the same whatever it says",
    ),
    "the first of several is constant": (value('try("x", @)')["main.tf"], "terraform_data.d, which no clock reaches"),
    "another attribute": (
        CLOCK + carrier(f"triggers_replace = {ID}") + key("terraform_data.d.input"),
        "terraform_data.d.input, which stays the same when the clock behind terraform_data.d fires",
    ),
    "a calculated index": (
        CLOCK + CARRIER + key("terraform_data.d[1 - 1]"), "Terraform takes only the plain name of a resource there",
    ),
    "a template": (
        CLOCK + CARRIER + key('"${terraform_data.d.id}"'), "Terraform takes only the plain name of a resource there",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), NEVER.values(), ids=NEVER)
def test_what_never_fires_says_why_and_what_works(tmp_path: Path, text: str, said: str) -> None:
    found = verdict(tmp_path, text)
    assert (found.status.value, found.reason) == ("FAIL", "rotation_never_fires")
    assert said in found.message
    assert "What works: time_rotating → terraform_data (or time_static) → replace_triggered_by" in found.message


OPEN = {
    "an operator that later versions see through": (
        value('true || @ == ""')["main.tf"], "the value is the same whatever it says, which not every version",
    ),
    "a comparison": (value('@ == "x"')["main.tf"], "may give the same result every time; use its id itself"),
    "an earlier value that nobody knows": (
        'variable "at" {}\n' + value("coalesce(var.at, @)")["main.tf"], "may give the same result every time",
    ),
    "a switch that nobody knows": (
        'variable "keep" {}\n' + CLOCK + CARRIER + key("terraform_data.d", "prevent_destroy = var.keep"),
        "whether lifecycle.prevent_destroy lets the key be replaced",
    ),
    "a part of a value that is not written out": (
        'variable "more" {}\n' + CLOCK
        + carrier(f"triggers_replace = merge(var.more, {{ t = {ID} }})", "ignore_changes = [triggers_replace.t]") + KEY,
        "stands in a value of which ignore_changes names a part",
    ),
    "a value that may replace the clock's": (
        'variable "more" {}\n' + CLOCK + carrier(f"triggers_replace = merge({{ t = {ID} }}, var.more)") + KEY,
        "may give the same result every time",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), OPEN.values(), ids=OPEN)
def test_what_cannot_be_told_is_unknown_and_says_what_it_hangs_on(tmp_path: Path, text: str, said: str) -> None:
    found = verdict(tmp_path, text)
    assert (found.status.value, found.reason) == ("UNKNOWN", "rotation_unknown")
    assert said in found.message


def test_a_member_that_a_later_argument_replaces_is_no_clock(tmp_path: Path) -> None:
    text = 'variable "more" {}\n' + value("merge({ a = @, b = var.more }, { a = 1 })")["main.tf"]
    assert verdict(tmp_path, text).reason == "rotation_manual"


def test_a_base_that_is_ignored_is_that_of_the_last_creation(tmp_path: Path) -> None:
    clock = carrier("rfc3339 = timestamp()\n  rotation_days = 30", "ignore_changes = [rfc3339]", "time_rotating", "c")
    found = verdict(tmp_path, clock + CARRIER + KEY)
    assert found.facts["rotation_days"] == 30


def test_keywords_of_json_are_read_like_those_of_the_native_syntax(tmp_path: Path) -> None:
    text = """{"resource": {
      "time_rotating": {"c": {"rotation_days": 30}},
      "terraform_data": {"d": {"triggers_replace": {"t": "${time_rotating.c.id}"},
                               "lifecycle": {"ignore_changes": IGNORED}}},
      "aws_iam_access_key": {"k": {"user": "bot", "lifecycle": {"replace_triggered_by": ["terraform_data.d"]}}}
    }}"""
    for number, (ignored, status) in enumerate(
        [('"all"', "FAIL"), ('["triggers_replace.t"]', "FAIL"), ('["triggers_replace.u"]', "PASS"), ("[]", "PASS")]
    ):
        folder = write(tmp_path / str(number), {"main.tf.json": text.replace("IGNORED", ignored)})
        assert judged(RULE, root_scope(folder))[SUBJECT].status.value == status, ignored


@pytest.mark.parametrize(
    ("written", "status", "reason"),
    [
        ("destroy = false", "FAIL", "rotation_keeps_the_old_key"),
        ('destroy = "false"', "FAIL", "rotation_keeps_the_old_key"),
        ("destroy = var.off", "FAIL", "rotation_keeps_the_old_key"),
        ("destroy = var.open", "UNKNOWN", "rotation_unknown"),
        ("destroy = true", "PASS", ""),
    ],
)
def test_a_key_that_is_forgotten_in_place_of_deleted_stays_alive(
    tmp_path: Path, written: str, status: str, reason: str
) -> None:
    """lifecycle.destroy is an argument of OpenTofu 1.12 and Terraform 1.16."""
    inputs = 'variable "off" {\n  default = false\n}\nvariable "open" {}\n'
    found = verdict(tmp_path, inputs + CLOCK + CARRIER + key("terraform_data.d", written))
    assert found.status.value == status
    assert not reason or found.reason == reason
    assert status == "PASS" or "lifecycle.destroy" in found.message


def test_a_carrier_that_is_forgotten_still_replaces_the_key(tmp_path: Path) -> None:
    text = CLOCK + carrier(f"triggers_replace = {ID}", "destroy = false") + KEY
    assert verdict(tmp_path, text).status.value == "PASS"


def test_a_key_without_rotation_is_no_forgotten_one(tmp_path: Path) -> None:
    text = 'resource "aws_iam_access_key" "k" {\n  user = "bot"\n  lifecycle {\n    destroy = false\n  }\n}\n'
    assert verdict(tmp_path, text).reason == "rotation_missing"


def test_an_idiom_that_works_passes(tmp_path: Path) -> None:
    assert verdict(tmp_path, one(CARRIER, KEY)["main.tf"]).status.value == "PASS"
