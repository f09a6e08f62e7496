"""The JSON schema of `.keyrules.yaml`, for editors: made from the table that the loader uses, and from the pack.

Draft-07, because that is the newest draft that every editor's YAML support understands.
"""

from __future__ import annotations

from typing import Any

from keyrules.model import Rule
from keyrules.pack.catalog import Pack
from keyrules.run.configuration.file import RULES
from keyrules.run.configuration.keys import KEYS
from keyrules.run.configuration.kinds import SECTIONS, SWITCH, TOP, Words, thresholds

SCHEMA_ID = "https://raw.githubusercontent.com/keyrules/keyrules/main/src/keyrules/schemas/configuration.jsonschema"


def configuration_schema(pack: Pack) -> dict[str, Any]:
    """What a configuration file under this pack may hold.

    It cannot say what lies below the values: YAML's duplicate keys, anchors and tags, and numbers like 60.0, which the
    loader refuses.
    """
    words = Words(pack)
    sections = {
        section: _object(_settings(words, section)) | {"description": f"What holds for keyrules {section} only."}
        for section in SECTIONS
    }
    rules = _object({rule.id: _rule(rule, words) for rule in pack.rules})
    about = "Rules by id: on, off, or a mapping of parameters, which turns an opt-in rule on, too."
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SCHEMA_ID,
        "title": "Configuration of keyrules (.keyrules.yaml)",
        **_object({RULES: rules | {"description": about}, **_settings(words, TOP), **sections}),
        "if": {"anyOf": [{"required": ["framework"]}, *(_nested_framework(section) for section in SECTIONS)]},
        "then": {"properties": {RULES: {"additionalProperties": {"type": "object"}}}},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _settings(words: Words, section: str) -> dict[str, Any]:
    return {
        key.name: {"description": key.about, **key.kind.schema(words, section)} for key in KEYS if section in key.places
    }


def _rule(rule: Rule, words: Words) -> dict[str, Any]:
    about = rule.name if rule.default_on else f"{rule.name} (opt-in)"
    switch = SWITCH.schema(words, TOP)
    kinds = thresholds(rule)
    if not kinds:
        return {"description": about, **switch}
    parameters = {name: kind.schema(words, TOP) for name, kind in kinds.items()}
    return {"description": about, "anyOf": [switch, _object(parameters) | {"minProperties": 1}]}


def _nested_framework(section: str) -> dict[str, Any]:
    """Framework and switched rules exclude each other wherever the framework stands."""
    return {"required": [section], "properties": {section: {"required": ["framework"]}}}
