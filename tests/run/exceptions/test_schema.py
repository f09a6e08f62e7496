"""The schema of the exceptions file takes what the loader takes, and shows an editor what it refuses."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from keyrules.model import UsageError
from keyrules.pack.catalog import load_pack
from keyrules.run.exceptions.file import load_exceptions
from keyrules.run.exceptions.schema import EXCEPTIONS_SCHEMA_ID, exceptions_schema

PACK = load_pack()
SCHEMA = exceptions_schema(PACK)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
ENTRY: dict[str, Any] = {
    "rule": "KEY_AWS_001",
    "subject": "aws_iam_access_key.legacy",
    "reason": "no new key before May",
    "owner": "storage",
    "expires": "2026-11-30",
}


def accepted(folder: Path, document: object) -> bool:
    path = folder / "exceptions.yaml"
    path.write_text(json.dumps(document))
    try:
        load_exceptions(path, PACK, NOW, 365)
    except UsageError:
        return False
    return True


def test_it_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert EXCEPTIONS_SCHEMA_ID.endswith("/schemas/exceptions.jsonschema")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ticket": "OPS-1", "plane": "code"},
        {"ticket": 12, "subject": 123456789012},
        {"rule": "KEY_AWS_011", "plane": "code"},
        {"rule": "KEY_AWS_012", "plane": "live"},
        {"subject": "a*"},
        {"expires": "2026-02-28"},
        {"reason": f" {'x' * 1000} "},
    ],
)
def test_what_both_take(tmp_path: Path, changes: dict[str, Any]) -> None:
    document = {"exceptions": [ENTRY | changes]}
    assert accepted(tmp_path, document)
    assert VALIDATOR.is_valid(document)


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: str(rule.id))
@pytest.mark.parametrize("plane", ["code", "live", None])
def test_every_rule_on_every_plane(tmp_path: Path, rule: Any, plane: str | None) -> None:
    document = {"exceptions": [ENTRY | {"rule": rule.id} | ({"plane": plane} if plane else {})]}
    assert accepted(tmp_path, document) == VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"exceptions": {}},
        {"exceptions": ["a"]},
        {"exceptions": [], "x": 1},
        *({"exceptions": [{key: value for key, value in ENTRY.items() if key != missing}]} for missing in ENTRY),
        *({"exceptions": [ENTRY | {key: ""}]} for key in ENTRY),
        *({"exceptions": [ENTRY | {key: True}]} for key in (*ENTRY, "ticket", "plane")),
        {"exceptions": [ENTRY | {"x": "y"}]},
        {"exceptions": [ENTRY | {"rule": "KEY_AWS_999"}]},
        {"exceptions": [ENTRY | {"subject": "**"}]},
        {"exceptions": [ENTRY | {"expires": "2026-13-01"}]},
        {"exceptions": [ENTRY | {"expires": "soon"}]},
        {"exceptions": [ENTRY | {"reason": 1}]},
        {"exceptions": [ENTRY | {"plane": "both"}]},
    ],
)
def test_what_both_refuse(tmp_path: Path, document: dict[str, Any]) -> None:
    assert not accepted(tmp_path, document)
    assert not VALIDATOR.is_valid(document)
