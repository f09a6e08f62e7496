"""Which findings there is a change for, and why there is none for the others. Nothing is imported to ask that."""

from __future__ import annotations

from keyrules.code.file_names import SOURCE_SUFFIXES, TEMPLATE_SUFFIXES
from keyrules.model import Finding, Status

ROTATION, OUTPUTS = "KEY_AWS_001", "KEY_AWS_009"

_REASONS = {
    ROTATION: frozenset(
        {
            "rotation_missing",
            "rotation_never_fires",
            "rotation_too_slow",
            "rotation_keeps_the_old_key",
            "rotation_manual",
        }
    ),
    OUTPUTS: frozenset({"secret_in_output"}),
}
MENDED = frozenset(_REASONS)
"""The rules of which some findings have a change."""

_LEFT = {
    "KEY_AWS_003": "which of two keys is to go is for their owner to say",
    "KEY_AWS_004": "whether a person needs the password or the key is for their owner to say",
    "KEY_AWS_005": "a key of the root user is to be deleted, not changed",
    "KEY_AWS_006": "whether somebody still needs the key is for its owner to say",
    "KEY_AWS_007": "what takes the place of the key is for its owner to say",
    "KEY_AWS_008": "it needs the PGP key of whoever is to read the secret",
    "KEY_AWS_009": "who takes the secret from somewhere else is for its reader to say",
    "KEY_AWS_010": "where the secret is kept instead, and who takes it from there, is for its reader to say",
    "KEY_AWS_011": "the key has to be revoked, and a change of the code does not do that",
}
_OTHER = "there is no patch for it"


def may_be_mended(finding: Finding) -> bool:
    """Whether `--patch` has a change for findings of this kind; what it comes to is known once it was tried."""
    place = finding.location
    if finding.status is not Status.FAIL or place is None or not has_change(finding):
        return False
    path = place.path.lower()
    native = path.endswith(SOURCE_SUFFIXES) and not path.endswith(".json")
    return native or (finding.rule == ROTATION and path.endswith(TEMPLATE_SUFFIXES))


def has_change(finding: Finding) -> bool:
    """Whether findings of this rule and reason are mended, wherever they are."""
    return finding.reason in _REASONS.get(finding.rule, ())


def why_left(finding: Finding) -> str:
    """Why there is no change for a finding."""
    return _LEFT.get(finding.rule, _OTHER)
