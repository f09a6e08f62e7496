"""`audit.overrides`: every refusal names the entry, the key, its line, what was found and what is allowed."""

from __future__ import annotations

import pytest

from keyrules.model import UsageError
from keyrules.pack.catalog import load_pack
from keyrules.run.configuration.file import parse_configuration


def _override(who: str = "subject: a", rules: str = "{KEY_AWS_001: {max_age_days: 9}}", **more: str) -> str:
    fields = {"reason": "b", "owner": "c", **more}
    return f"{{{who}, rules: {rules}, {', '.join(f'{name}: {value}' for name, value in fields.items())}}}"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (
            "svc",
            "`audit.overrides` has 'svc' as item 1; allowed: a mapping of subject or tag, rules,",
        ),
        ("{subject: a, rules: {KEY_AWS_001: {max_age_days: 9}}, reason: b}", "has no `owner` as item 1;"),
        ("{subject: a, tag: b=c, rules: {}, reason: b, owner: c}", "has both of subject, tag as item 1;"),
        ("{rules: {}, reason: b, owner: c}", "has none of subject, tag as item 1;"),
        (_override("subject: '*'"), "in `subject` (line 1) as item 1; allowed: a user, an account in quotes,"),
        (_override("subject: 1234"), "has 1234 in `subject` (line 1) as item 1;"),
        (
            _override("tag: vault"),
            "has 'vault' in `tag` (line 1) as item 1; allowed: a tag of users as NAME=VALUE.",
        ),
        (_override(until="2026"), "has the unknown key 'until' (line 1) as item 1;"),
        (_override(rules="{}"), "has a mapping in `rules` (line 1) as item 1; allowed: a mapping of rules."),
        (
            _override(rules="{KEY_AWS_005: {}}"),
            "has 'KEY_AWS_005' (line 1) in `rules` (line 1) as item 1; allowed: the",
        ),
        (
            _override(rules="{KEY_AWS_001: {max_age: 9}}"),
            "has 'max_age' (line 1) in `KEY_AWS_001` (line 1) in `rules`",
        ),
        (
            _override(rules="{KEY_AWS_001: {max_age_days: 0}}"),
            "has 0 in `max_age_days` (line 1) in `KEY_AWS_001`",
        ),
        (_override(reason="''"), "has empty text in `reason` (line 1) as item 1; allowed: text on one line."),
    ],
)
def test_refusals(entry: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_configuration(f"audit: {{overrides: [{entry}]}}".encode(), ".keyrules.yaml", load_pack())
    assert says in str(refused.value) and "\n" not in str(refused.value)
