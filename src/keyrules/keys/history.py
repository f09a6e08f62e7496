"""Earlier observations of keys, from our own JSON reports: those of `keyrules keys`, and those of `keyrules audit`.

A report of `audit` lists the keys that something is wrong with, so a key that is not in one may have been there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from keyrules.files import read_named
from keyrules.keys.stages import Observation, Seen
from keyrules.live.instants import parse, to_datetime
from keyrules.model import UsageError
from keyrules.reports.json import SCHEMA, SCHEMAS

KEYS_SCHEMA: Final = "keyrules/keys/1"


class History:
    """What earlier runs saw of each user, by account and name."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], list[Observation]] = defaultdict(list)
        self.latest: list[tuple[str, datetime]] = []

    def of(self, account: str, user: str) -> Sequence[Observation]:
        """The earlier observations of a user."""
        return self._seen.get((account, user), [])

    def add(self, name: str, data: bytes) -> None:
        """One earlier report. UsageError, naming it, for what is none or cannot be compared."""
        document = _document(name, data)
        schema = document.get("schema")
        if schema == KEYS_SCHEMA:
            records, partial = _records(document.get("keys")), False
        elif schema in SCHEMAS and document.get("plane") == "live":
            records, partial = _audited(_records(document.get("findings"))), True
        else:
            found = schema if isinstance(schema, str) and len(schema) <= 40 else "none"
            raise UsageError(
                f"--since: {name} has the schema {found!r} and is no earlier report on live keys; give the JSON of "
                f"`keyrules keys` ({KEYS_SCHEMA}) or of `keyrules audit` ({SCHEMA})"
            )
        try:
            moment = _moment(document.get("as_of"))
            users: dict[tuple[str, str], dict[tuple[object, ...], Seen]] = defaultdict(dict)
            for record in records:
                if record.get("created_at") is not None:
                    seen = Seen(
                        _moment(record["created_at"]),
                        bool(record["active"]),
                        _moment(record["last_used_at"]) if record.get("last_used_at") is not None else None,
                        record.get("key_id"),
                    )
                    users[str(record["account"]), str(record["user"])][seen.created, seen.key_id, record["slot"]] = seen
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UsageError(f"--since: {name} is damaged: a key in it lacks what our reports have") from None
        self.latest.append((name, moment))
        for user, keys in users.items():
            self._seen[user].append(Observation(moment, tuple(keys.values()), partial))


def read_history(names: Iterable[str]) -> History:
    """Earlier reports from files. UsageError for one that cannot be read."""
    history = History()
    for name in names:
        try:
            data = read_named(name)
        except OSError as error:
            raise UsageError(f"--since: {name} cannot be read: {error.strerror or type(error).__name__}") from None
        history.add(name, data)
    return history


def _document(name: str, data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UsageError(f"--since: {name} is no JSON report of keyrules; give what --format json wrote")
    return document


def _records(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _audited(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The keys of an audit's findings, each finding with all of its key."""
    found = []
    for finding in findings:
        subject, facts = finding.get("subject"), finding.get("facts")
        if isinstance(subject, dict) and isinstance(facts, dict) and subject.get("kind") == "access_key":
            found.append({**{name: subject.get(name) for name in ("account", "user", "slot", "created_at", "key_id")}})
            found[-1] |= {name: facts.get(name) for name in ("active", "last_used_at")}
    return found


def _moment(text: object) -> datetime:
    return to_datetime(parse(str(text)))
