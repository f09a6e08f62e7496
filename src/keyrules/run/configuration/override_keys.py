"""What `audit.overrides` of `.keyrules.yaml` may say: other thresholds for some users, and who answers for them.

    audit:
      overrides:
        - subject: svc-*              # users as the exceptions file names them, an account, or an ARN
          rules:
            KEY_AWS_001: {max_age_days: 180}
          reason: The partner takes new keys twice a year
          owner: integration-team@example.com
        - tag: rotation=vault         # in the place of a subject; tags are asked for with --verify
          …

Of the entries that set the same threshold for a user, the first one holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from keyrules.code.skip_comments import safe_reason
from keyrules.model import ParameterValue
from keyrules.pack.parameters import show_value
from keyrules.pack.strict_yaml import Block, is_short
from keyrules.records import dataclass
from keyrules.run.configuration.kinds import Kind, Many, Plain, Refused, Words, found, thresholds


@dataclass(frozen=True)
class Text(Kind):
    """A text on one line that matches `pattern`, which no line break does; `allowed` says so in words."""

    pattern: str
    allowed: str
    masked: bool = False
    """Whether it is for people, and what looks like a secret in it is masked."""

    def read(self, value: object, words: Words, section: str) -> str:
        if isinstance(value, str) and value.strip() and "\n" not in value and re.match(self.pattern, value):
            return safe_reason(value) if self.masked else value
        raise Refused(found(value), self.allowed)

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True)
class Fields(Kind):
    """A mapping of `required` keys and exactly one of the keys `one_of`."""

    required: Mapping[str, Kind]
    one_of: Mapping[str, Kind]

    def read(self, value: object, words: Words, section: str) -> dict[str, Any]:
        kinds = {**self.one_of, **self.required}
        allowed = f"a mapping of {' or '.join(self.one_of)}, {', '.join(self.required)}"
        if not isinstance(value, Block):
            raise Refused(found(value), allowed)
        for name in value:
            if name not in kinds:
                raise Refused(f"the unknown key {_shown(name)} (line {value.key_lines[name]})", allowed)
        missing = [name for name in self.required if name not in value]
        if missing:
            raise Refused(f"no `{missing[0]}`", allowed)
        if len(self.one_of.keys() & value.keys()) != 1:
            raise Refused(
                f"{'both' if self.one_of.keys() & value.keys() else 'none'} of {', '.join(self.one_of)}", allowed
            )
        return {name: _inner(kinds[name], value, name, words, section) for name in value}

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        kinds = {**self.one_of, **self.required}
        return {
            "type": "object",
            "additionalProperties": False,
            "required": list(self.required),
            "oneOf": [{"required": [name]} for name in self.one_of],
            "properties": {name: kind.schema(words, section) for name, kind in kinds.items()},
        }


@dataclass(frozen=True)
class Named(Kind):
    """A mapping of names, at least one, out of `kinds`; `what` is what they name."""

    what: str
    kinds: Mapping[str, Kind]

    def read(self, value: object, words: Words, section: str) -> dict[str, Any]:
        if not isinstance(value, Block) or not value:
            raise Refused(found(value), f"a mapping of {self.what}s")
        for name in value:
            if name not in self.kinds:
                raise Refused(
                    f"{_shown(name)} (line {value.key_lines[name]})", f"the {self.what}s {', '.join(self.kinds)}"
                )
        return {name: _inner(self.kinds[name], value, name, words, section) for name in value}

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        properties = {name: kind.schema(words, section) for name, kind in self.kinds.items()}
        return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": properties}


class RuleThresholds(Kind):
    """Parameters of rules on live users, by rule."""

    def read(self, value: object, words: Words, section: str) -> Plain:
        return self._kind(words).read(value, words, section)

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return self._kind(words).schema(words, section)

    @staticmethod
    def _kind(words: Words) -> Named:
        rules = (rule for rule in words.pack.rules if rule.runtime is not None and rule.parameters)
        own = {rule.id: thresholds(rule) for rule in rules if rule.runtime and rule.runtime["subject"] != "root"}
        return Named("rule", {rule: Named("parameter", kinds) for rule, kinds in own.items()})


def _inner(kind: Kind, block: Block, name: str, words: Words, section: str) -> Plain:
    try:
        return kind.read(block[name], words, section)
    except Refused as refused:
        raise Refused(f"{refused.found} in `{name}` (line {block.key_lines[name]})", refused.allowed) from None


def _shown(name: str) -> str:
    return repr(name) if is_short(name) else "a long name"


def override_values(override: Mapping[str, Any]) -> dict[tuple[str, str], ParameterValue]:
    """The thresholds of an entry of the file, by rule and parameter."""
    return {
        (rule, name): tuple(value) if isinstance(value, list) else value
        for rule, own in override["rules"].items()
        for name, value in own.items()
    }


def override_text(override: Mapping[str, Any]) -> str:
    """An entry of the file in a few words: `svc-*: KEY_AWS_001.max_age_days=180`."""
    values = (f"{rule}.{name}={show_value(value)}" for (rule, name), value in override_values(override).items())
    return f"{safe_reason(override.get('subject') or override['tag'])}: {', '.join(values)}"


_SENTENCE: Final = Text(r"^[^\x00-\x1f]{1,1000}$", "text on one line", masked=True)

OVERRIDES: Final = Many(
    Fields(
        required={"rules": RuleThresholds(), "reason": _SENTENCE, "owner": _SENTENCE},
        one_of={
            "subject": Text(
                r"^(?=.*[^*?])[^\x00-\x1f]{1,1000}$",
                "a user, an account in quotes, ACCOUNT/USER or an ARN, or a glob with * and ? that holds a part of one",
            ),
            "tag": Text(r"^[^=\x00-\x1f]{1,128}=[^\x00-\x1f]{0,256}$", "a tag of users as NAME=VALUE"),
        },
    )
)
