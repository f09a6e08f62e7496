"""Folders with a credential report and documents of its account, written and audited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fake_documents
from credential_reports import AS_OF, ROOT, line, pack, report, selection

from keyrules.live.account_audit import AuditRequest, combine
from keyrules.live.around.files import Folders
from keyrules.live.collection import audit_files
from keyrules.live.found_reports import find_reports
from keyrules.live.limits import Limits
from keyrules.model import Evaluation

REPORT = report(line(ROOT), line("ann"))


def passing_documents(content: bytes) -> dict[str, Any]:
    """What every rule passes, by the name of a file, for the users of a report."""
    documents = {**fake_documents.PASSING, "GetAccountAuthorizationDetails": fake_documents.details(content)}
    users = documents["GetAccountAuthorizationDetails"]["UserDetailList"]
    keys = documents.pop("ListSSHPublicKeys")
    return {f"{action}.json": answer for action, answer in documents.items()} | {"ssh.json": [keys for _ in users]}


def write_account(folder: Path, documents: dict[str, Any], content: bytes = REPORT) -> Path:
    """A folder with a report, and with a file for each document: JSON, or text and bytes as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.csv").write_bytes(content)
    for name, document in documents.items():
        data = document if isinstance(document, str | bytes) else json.dumps(document, indent=1)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def audit_folder(folder: Path, *numbers: int, asked: bool = False, **overrides: Any) -> Evaluation:
    """What an audit of a folder says at AS_OF by these rules, passing verdicts included; `asked` is by name."""
    chosen = selection(*numbers, **overrides)
    request = AuditRequest(
        pack=pack().stamp,
        limits=Limits(chosen),
        now=AS_OF,
        as_of=AS_OF,
        max_age=None,
        keep_passing=True,
        asked=frozenset(rule.id for rule in chosen.rules) if asked else frozenset(),
    )
    found = find_reports([str(folder)])
    folders = Folders(found)
    return combine(audit_files(found, request, folders.giver), request, problems=folders.problems).evaluation
