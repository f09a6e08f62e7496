"""Which rules keyrules judges itself, by kind of unit; the judges, slower to import, are in iac/declared.py."""

from __future__ import annotations

from collections.abc import Mapping

JUDGED_RULES: Mapping[str, tuple[str, ...]] = {
    "terraform": ("KEY_AWS_001", "KEY_AWS_003", "KEY_AWS_004", "KEY_AWS_008", "KEY_AWS_009", "KEY_AWS_010"),
    "plan": ("KEY_AWS_001", "KEY_AWS_003", "KEY_AWS_004", "KEY_AWS_008", "KEY_AWS_009", "KEY_AWS_010", "KEY_AWS_011"),
    "cloudformation": ("KEY_AWS_001", "KEY_AWS_003", "KEY_AWS_004", "KEY_AWS_009", "KEY_AWS_010"),
}

RULES_ON_EVERY_KEY = frozenset({"KEY_AWS_001", "KEY_AWS_003", "KEY_AWS_004", "KEY_AWS_008"})
"""Those of them that give a verdict on each declared key, a pass included; the others judge where secrets go."""
