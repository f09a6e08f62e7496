"""Words for the verdicts of rules that Checkov decides from the rule file, which itself only says pass or fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keyrules.model import Status


@dataclass(frozen=True)
class YamlWords:
    """`reason` and `message` of a failure. `undecided` is the verdict on a value that only an input decides."""

    reason: str
    message: str
    undecided: Status
    undecided_message: str


WORDS: Mapping[str, YamlWords] = {
    "KEY_AWS_005": YamlWords(
        "root_user_key",
        "this key is for the root user, which nothing can restrict; delete it and use a role",
        Status.PASS,
        "the user comes from an input without a value here, and is not the literal root user",
    ),
    "KEY_AWS_006": YamlWords(
        "inactive_key_kept",
        "this key is declared Inactive and can be switched on again; delete it once nothing misses it",
        Status.PASS,
        "the status comes from an input without a value here, and a key is active unless the code says Inactive",
    ),
    "KEY_AWS_007": YamlWords(
        "long_lived_key",
        "this declares a long-lived access key; use a role or IAM Identity Center, which give temporary credentials",
        Status.UNKNOWN,
        "whether a key is declared here depends on an input without a value",
    ),
}
"""A key without a user or status that the code shows is not root's and not Inactive: that is what those rules say."""
