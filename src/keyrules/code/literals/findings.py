"""KEY_AWS_011: hard-coded credentials in files, each with the block that it stands in and with its skip comment."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from keyrules.code.cloudformation.document import TemplateError, decode_template
from keyrules.code.cloudformation.reading import read_template
from keyrules.code.file_paths import shown
from keyrules.code.literals.literals import LiteralCredential, find_literals
from keyrules.code.skip_comments import safe_reason
from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.code.trigger_words import TEMPLATE_TYPES
from keyrules.model import Finding, Location, Plane, Rule, Status
from keyrules.reports.text_style import advice_for

_SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip= *([A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)(?::([^\n]*))?")
_METADATA_ID = r"""["']?id["']?\s*:\s*["']?{id}\b"""
_METADATA_COMMENT = re.compile(r"""["']?comment["']?\s*:\s*["']?([^"'\n}}]*)""")
_NATIVE = (".tf", ".tofu")
_TEMPLATE_WORDS = ("Resources", *(name.decode() for name in TEMPLATE_TYPES))
_TEMPLATES = (".yaml", ".yml", ".json", ".template")


@dataclass(frozen=True)
class _Region:
    address: str
    start_line: int
    end_line: int


def literal_findings(path: str, data: bytes, rule: Rule) -> list[Finding]:
    """The findings of one file's bytes; the text is read as what its byte order mark or UTF-8 says."""
    text = decode_template(data)
    credentials = find_literals(text)
    if not credentials:
        return []
    regions = _regions(path, text)
    lines = text.split("\n")
    seen: Counter[str] = Counter()
    findings = []
    for credential in credentials:
        region = _enclosing(regions, credential)
        base = region.address if region else "literal"
        seen[base] += 1
        address = base if seen[base] == 1 else f"{base}#{seen[base]}"
        skipped = _skip_reason(rule.id, lines, region, credential)
        findings.append(
            Finding(
                rule=rule.id,
                severity=rule.severity,
                status=Status.FAIL if skipped is None else Status.EXEMPT,
                plane=Plane.CODE,
                message=credential.message,
                reason=credential.kind,
                remediation=advice_for(Plane.CODE, rule.remediation),
                location=Location(shown(path), credential.line, credential.end_line, address),
                facts={"access_key_id": credential.masked_key_id},
                exemption=skipped,
            )
        )
    return findings


def _regions(path: str, text: str) -> list[_Region]:
    """The blocks of a file that a credential can stand in; none where the file is not code that can be parsed."""
    name = Path(path).name
    if name.endswith(_NATIVE):
        try:
            body = parse_hcl(text)
        except HclSyntaxError:
            return []
        return [_Region(_block_address(b.type, b.labels), b.start_line, b.end_line) for b in body.blocks]
    if name.endswith(_TEMPLATES) and any(word in text for word in _TEMPLATE_WORDS):
        try:
            template = read_template(text)
        except TemplateError:
            return []
        blocks = [_Region(block.logical_id, block.start_line, block.end_line) for block in template.resources.values()]
        return blocks + [_Region(name, node.line, node.end_line) for name, node in template.parameters.items()]
    return []


def _block_address(kind: str, labels: tuple[str, ...]) -> str:
    if kind == "resource":
        return ".".join(labels)
    return ".".join((kind, *labels))


def _enclosing(regions: list[_Region], credential: LiteralCredential) -> _Region | None:
    inside = [r for r in regions if r.start_line <= credential.line and credential.end_line <= r.end_line]
    return min(inside, key=lambda region: region.end_line - region.start_line) if inside else None


def _skip_reason(rule_id: str, lines: list[str], region: _Region | None, credential: LiteralCredential) -> str | None:
    """A skip comment inside the block, or on the credential's lines or the line above them; or the block's metadata."""
    first = min(credential.line, region.start_line if region else credential.line) - 1
    last = max(credential.end_line, region.end_line if region else credential.end_line)
    nearby = lines[max(0, (credential.line - 2) if region is None else first) : last]
    for line in nearby:
        match = _SKIP.search(line)
        if match is not None and rule_id in match[1].split(","):
            return safe_reason(match[2] or "") or "No comment provided"
    if region is not None:
        block = "\n".join(lines[region.start_line - 1 : region.end_line])
        found = re.search(_METADATA_ID.format(id=rule_id), block)
        if found is not None and "skip" in block:
            comment = _METADATA_COMMENT.search(block, found.start())
            return safe_reason(comment[1] if comment else "") or "No comment provided"
    return None
