"""README.md says what is so: its generated parts are current, and the commands in it exist."""

from __future__ import annotations

import re

from readme import PROJECT, README, rendered

from keyrules.pack.catalog import load_pack


def test_the_generated_parts_are_current() -> None:
    text = README.read_text(encoding="utf-8")
    assert rendered(text) == text, "run: python tests/support/readme.py"


def test_every_rule_has_its_anchor() -> None:
    text = README.read_text(encoding="utf-8")
    for rule in load_pack().rules:
        anchor = rule.guideline.rsplit("#", 1)[1]
        assert f'id="{anchor}"' in text, rule.id


def test_every_hook_is_described() -> None:
    hooks = re.findall(r"^- id: (\S+)$", (PROJECT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    assert hooks
    text = README.read_text(encoding="utf-8")
    assert all(f"- id: {hook}" in text and f"`{hook}`" in text for hook in hooks)


def test_every_address_of_a_file_of_this_repository_is_that_of_a_file() -> None:
    text = README.read_text(encoding="utf-8")
    named = re.findall(r"https://raw\.githubusercontent\.com/keyrules/keyrules/[^/\s]+/([^\s)\"'`]+)", text)
    assert named and [path for path in named if not (PROJECT / path).is_file()] == []


def test_the_commands_that_ci_runs_are_marked() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- test-command -->\n```sh\n") == 1
    assert text.count("<!-- run-command -->\n```sh\n") == 1
