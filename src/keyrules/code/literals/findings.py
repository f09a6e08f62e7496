"""What is said of the hard-coded credentials that a file holds (KEY_AWS_011)."""

from __future__ import annotations

from collections.abc import Iterable

from keyrules.code.file_paths import shown
from keyrules.code.literals.literals import LiteralCredential
from keyrules.code.verdict import listed
from keyrules.model import Finding, Location, Plane, Rule, Status
from keyrules.records import dataclass
from keyrules.reports.text_style import advice_for

LITERALS = "KEY_AWS_011"


@dataclass(frozen=True)
class LiteralPlace:
    """A credential with its address in the file; `skipped` is the reason of the comment or metadata that skips it."""

    credential: LiteralCredential
    address: str
    skipped: str | None = None


@dataclass(frozen=True)
class FileLiterals:
    """What one file holds. `temporary` are the keys that expire by themselves, which no finding is about.

    `digests` are the SHA-256 sums of all secrets in it, `sha256` that of the file, in hex: nothing here has a secret in
    clear.
    """

    found: tuple[LiteralPlace, ...] = ()
    temporary: tuple[LiteralPlace, ...] = ()
    digests: frozenset[str] = frozenset()
    sha256: str = ""


def literal_findings(path: str, literals: FileLiterals, rule: Rule) -> list[Finding]:
    """The findings on a file."""
    return [
        Finding(
            rule=rule.id,
            severity=rule.severity,
            status=Status.FAIL if place.skipped is None else Status.EXEMPT,
            plane=Plane.CODE,
            message=place.credential.message,
            reason=place.credential.kind,
            remediation=advice_for(Plane.CODE, rule.remediation),
            location=Location(shown(path), place.credential.line, place.credential.end_line, place.address),
            facts={"access_key_id": place.credential.masked_key_id},
            exemption=place.skipped,
        )
        for place in literals.found
    ]


def temporary_note(files: Iterable[tuple[str, FileLiterals]]) -> tuple[str, ...]:
    """One note on all the temporary keys in these files, if there are any."""
    places = [f"{shown(path)}:{place.credential.line}" for path, file in files for place in file.temporary]
    if not places:
        return ()
    count = "A temporary access key" if len(places) == 1 else f"{len(places)} temporary access keys"
    verb = "is" if len(places) == 1 else "are"
    return (
        f"{count} (ASIA…) with the secret {verb} hard-coded in {listed(places)}: that is no finding, because temporary "
        "keys are not long-lived and expire within 36 hours",
    )
