"""The inventory for machines: JSON (`keyrules/keys/1`) and CSV.

Keys are only ever added within version 1 of the JSON.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from keyrules.code.file_paths import shown
from keyrules.keys.history import KEYS_SCHEMA
from keyrules.keys.inventory import Inventory, KeyRow
from keyrules.keys.join import Unjoined
from keyrules.reports.findings_csv import csv_lines
from keyrules.reports.json import declared_document, dump
from keyrules.reports.text_style import iso_utc

COLUMNS: Final = (
    *("account", "user", "slot", "key_id", "active", "created_at", "age_days", "last_used_at", "last_used_service"),
    *("last_used_region", "owner", "owner_source", "path", "line", "address", "state", "certainty", "evidence"),
    *("declared_days", "rotation", "drift", "findings", "exceptions", "stage", "since", "action", "command"),
    *("not_before", "check", "rollback", "alternative"),
)


def as_json(inventory: Inventory) -> str:
    """The whole inventory; times are ISO 8601 in UTC."""
    return dump(
        {
            "schema": KEYS_SCHEMA,
            "as_of": iso_utc(inventory.as_of),
            "keys": [_key(row) for row in inventory.rows],
            "unjoined": [_unjoined(each) for each in inventory.unjoined],
            "errors": [
                {"input": error.input, "kind": error.kind, "message": error.message} for error in inventory.errors
            ],
        }
    )


def _key(row: KeyRow) -> dict[str, Any]:
    live, rotation = row.live, row.joined.rotation
    return {
        "account": live.account,
        "user": live.user,
        "slot": live.slot,
        "key_id": live.key_id,
        "active": live.active,
        "created_at": _time(live.created),
        "last_used_at": _time(live.used),
        "last_used_service": live.service or None,
        "owner": None if row.owner is None else {"name": row.owner.name, "source": row.owner.source},
        "declared": [declared_document(join.at) for join in row.joined.declared],
        "rotation": {
            "declared_days": rotation.rotation_days if rotation is not None else None,
            "status": row.rotation,
        },
        "drift": list(row.joined.drift),
        "findings": list(row.findings),
        "stage": row.step.stage.value,
        "since": _time(row.step.since),
        "next": {
            "action": row.next.action,
            "command": row.next.command or None,
            "not_before": _time(row.next.not_before),
            "check": row.next.check or None,
            "rollback": row.next.rollback or None,
        },
        "alternative": row.alternative,
    }


def _unjoined(each: Unjoined) -> dict[str, Any]:
    declaration = each.declaration
    return {
        "path": None if declaration.path is None else shown(declaration.path),
        "line": declaration.line,
        "address": declaration.address,
        "state": declaration.state,
        "account": declaration.account,
        "user": declaration.user,
        "drift": list(each.drift),
        "why": each.why,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def as_csv(inventory: Inventory) -> str:
    """A row per key; of several declarations the surest comes first, and the others are in the JSON."""
    return "".join(csv_lines([list(COLUMNS), *map(_cells, inventory.rows)]))


def _cells(row: KeyRow) -> list[str]:
    live, rotation = row.live, row.joined.rotation
    join = next(iter(row.joined.declared), None)
    place = declared_document(join.at) if join is not None else {}
    age = live.age()
    values: list[object] = [
        *(live.account, live.user, live.slot, live.key_id, "true" if live.active else "false", _time(live.created)),
        *(None if age is None else round(age.total_seconds() / 86_400, 2), _time(live.used), live.service, live.region),
        *(row.owner or (None, None)),
        *(place.get(name) for name in ("path", "line", "address", "state", "certainty", "evidence")),
        *(rotation.rotation_days if rotation is not None else None, row.rotation),
        *(" ".join(words) for words in (row.joined.drift, row.findings, live.exempt)),
        *(row.step.stage.value, _time(row.step.since), row.next.action, row.next.command, _time(row.next.not_before)),
        *(row.next.check, row.next.rollback, row.alternative),
    ]
    return ["" if value is None else str(value) for value in values]
