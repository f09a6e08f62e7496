"""The JSON schema of the exceptions file, for editors.

Draft-07, as for the configuration. It accepts whatever keyrules.run.exceptions.file accepts; what depends on the
day or on another entry (an end that is too far away, a repetition) only that can say.
"""

from __future__ import annotations

from typing import Any

from keyrules.model import Plane, Rule
from keyrules.pack.catalog import Pack

EXCEPTIONS_SCHEMA_ID = (
    "https://raw.githubusercontent.com/keyrules/keyrules/main/src/keyrules/schemas/exceptions.jsonschema"
)
_TEXT = {"type": "string", "pattern": r"\S", "maxLength": 2000}
"""Longer than the loader's bound on the text itself, which may stand between spaces."""


def exceptions_schema(pack: Pack) -> dict[str, Any]:
    """What an exceptions file under this pack may hold."""
    properties = {
        "rule": {"description": "A rule's id.", "enum": [rule.id for rule in pack.rules]},
        "subject": {
            "description": "What it is about: an address, logical id, path, account, user or ARN; * and ? are wild.",
            "anyOf": [{**_TEXT, "not": {"pattern": r"^\s*[*?]*\s*$"}}, {"type": "integer"}],
        },
        "reason": {"description": "Why it is accepted; reports print it.", **_TEXT},
        "owner": {"description": "Who answers for it.", **_TEXT},
        "expires": {
            "description": "The last day on which it holds (UTC), as in 2026-11-30.",
            "type": "string",
            "pattern": r"^\s*[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\s*$",
        },
        "ticket": {"description": "Where it was decided.", "anyOf": [_TEXT, {"type": "integer"}]},
        "plane": {"description": "Where it holds; without it, on both.", "enum": [plane.value for plane in Plane]},
    }
    entry = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "subject", "reason", "owner", "expires"],
        "properties": properties,
        "allOf": [_plane_of(rule) for rule in pack.rules if len(rule.planes) < len(Plane)],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": EXCEPTIONS_SCHEMA_ID,
        "title": "Exceptions of keyrules (.keyrules-exceptions.yaml)",
        "type": "object",
        "additionalProperties": False,
        "required": ["exceptions"],
        "properties": {"exceptions": {"description": "Findings that are accepted.", "type": "array", "items": entry}},
    }


def _plane_of(rule: Rule) -> dict[str, Any]:
    """An entry on a rule of one plane names no other."""
    planes = sorted(plane.value for plane in rule.planes)
    return {"if": {"properties": {"rule": {"const": rule.id}}}, "then": {"properties": {"plane": {"enum": planes}}}}
