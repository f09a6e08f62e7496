"""Where the results of a SARIF log are: a place that GitHub takes, and whether it tells a result from the others.

GitHub refuses a whole file for one result without a physical location. It tells the alerts of a rule in a file apart by
one fingerprint only, `primaryLocationLineHash`, which the upload computes from the text of the line.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from urllib.parse import quote

from keyrules.model import Evaluation, Finding, Location, Plane
from keyrules.reports.evidence import with_known
from keyrules.reports.text_style import printable, visible_escape

SOURCE_ROOT = "%SRCROOT%"

# What surrogateescape cannot turn back into a byte: it carries 0x80 to 0xff as U+DC80 to U+DCFF.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def message(text: str) -> dict[str, str]:
    """A plain text message; `](` is taken apart because SARIF would read it as a link that a name smuggled in."""
    return {"text": literal(printable(text).replace("](", "] ("))}


def literal(text: str) -> str:
    """Text without placeholders (3.11.5): the braces of `{0}` are doubled; others cannot be taken for one."""
    return _PLACEHOLDER.sub(r"{{\1}}", text)


def physical(path: str, start_line: int = 0, end_line: int = 0) -> dict[str, Any]:
    """A place in a file; lines count from 1, and a place without a known line is the whole file."""
    place: dict[str, Any] = {"artifactLocation": artifact(path)}
    if start_line > 0:
        place["region"] = {"startLine": start_line, "endLine": max(start_line, end_line)}
    return place


def artifact(path: str) -> dict[str, str]:
    """The artifactLocation of a path: relative to the source root, or a file URI where the path is absolute."""
    # Percent-encodes the bytes of the name, so that a name that is not UTF-8 still has its one correct URI. A surrogate
    # that stands for no byte can come from a JSON escape in a source file.
    name = _NO_BYTE.sub(lambda match: visible_escape(match[0]), path)
    uri = quote(name.encode("utf-8", "surrogateescape"), safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": SOURCE_ROOT}


class Places:
    """The places of one evaluation's findings."""

    def __init__(self, evaluation: Evaluation) -> None:
        inputs = evaluation.inputs
        self.patch = evaluation.patch
        # A document of an account names no credential: the report of the account is the place.
        inputs = tuple(item for item in inputs if item.kind != "account_document")
        self._only = inputs[0].name if len(inputs) == 1 else None
        self._by_account: dict[str | None, str | None] = {}
        for item in inputs:
            self._by_account[item.account] = None if item.account in self._by_account else item.name
        self._plans = {item.name for item in inputs if item.kind == "plan"}
        in_code = with_known(evaluation) if evaluation.plane is Plane.CODE else ()
        self._taken = Counter(self._spot(finding) for finding in in_code)

    def location(self, finding: Finding) -> dict[str, Any]:
        """Code: the lines of the block and its address. Live: the report that it was read from and the ARN."""
        if finding.location is not None:
            place = finding.location
            logical = {"name": place.address, "fullyQualifiedName": place.address, "kind": "resource"}
            return {
                "physicalLocation": physical(place.path, self._line(place), place.end_line),
                "logicalLocations": [logical],
            }
        subject = finding.subject
        account = subject.account if subject is not None else None
        location: dict[str, Any] = {"physicalLocation": physical(self._report(account))}
        if subject is not None:
            qualified = subject.arn or subject.name
            location["logicalLocations"] = [
                {"name": subject.user or subject.name, "fullyQualifiedName": qualified, "kind": subject.kind}
            ]
        return location

    def has_line_of_its_own(self, finding: Finding) -> bool:
        """Whether no other finding of its rule is at its line."""
        rule, path, line = self._spot(finding)
        return line > 0 and self._taken[rule, path, line] == 1

    def _spot(self, finding: Finding) -> tuple[str, str, int]:
        place = finding.location
        return (finding.rule, place.path, self._line(place)) if place is not None else (finding.rule, "", 0)

    def _line(self, place: Location) -> int:
        """0 where it is not known. A resource of a plan stands at the first line for want of one."""
        return 0 if place.start_line == 1 and place.path in self._plans else place.start_line

    def _report(self, account: str | None) -> str:
        """The only input, or the only one of the account; the account itself where that does not tell which."""
        unknown = f"account {account}" if account else "credential report"
        return self._only or self._by_account.get(account) or unknown
