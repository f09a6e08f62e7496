"""The documents of an account as IAM's Query protocol writes them, from the JSON that the AWS CLI prints."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

PASSING: dict[str, dict[str, Any]] = {
    "GetAccountPasswordPolicy": {
        "PasswordPolicy": {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "ExpirePasswords": False}
    },
    "GetAccountSummary": {"SummaryMap": {"AccountMFAEnabled": 1}},
    "ListEntitiesForPolicy": {"PolicyRoles": [{"RoleName": "support", "RoleId": "AROAEXAMPLE000000000"}]},
    "ListServerCertificates": {"ServerCertificateMetadataList": []},
    "ListServiceSpecificCredentials": {"ServiceSpecificCredentials": []},
    "ListSSHPublicKeys": {"SSHPublicKeys": []},
    "ListVirtualMFADevices": {"VirtualMFADevices": []},
}
"""What the accounts of a fake answer where nobody says otherwise: what every rule passes."""

_DOCUMENTS = frozenset({"PolicyDocument", "Document", "AssumeRolePolicyDocument"})


def details(report: bytes) -> dict[str, Any]:
    """The authorization details of the users of a report, none of whom may do anything."""
    rows = [row.split(",")[:3] for row in report.decode().splitlines()[1:]]
    users = [
        {"UserName": name, "Arn": arn, "UserId": "AIDAEXAMPLE000000000", "CreateDate": created}
        for name, arn, created in rows
        if not arn.endswith(":root")
    ]
    return {"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


def answer(document: dict[str, Any], asked: dict[str, str], page: int) -> str:
    """One page of an answer, as XML; the items of all lists count, `page` of them each."""
    start = int(asked.get("Marker", "0"))
    end = start + min(page, int(asked.get("MaxItems", "1000")))
    members: dict[str, Any] = {}
    before = 0
    for name, value in document.items():
        if isinstance(value, list):
            members[name] = value[max(0, start - before) : max(0, end - before)]
            before += len(value)
        elif start == 0:
            members[name] = value
    if before:
        members |= {"IsTruncated": True, "Marker": str(end)} if end < before else {"IsTruncated": False}
    return _xml(members)


def _xml(value: Any, name: str = "") -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if name == "SummaryMap":
        return "".join(f"<entry><key>{key}</key><value>{each}</value></entry>" for key, each in value.items())
    if name in _DOCUMENTS and isinstance(value, dict):
        return quote(json.dumps(value))
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(each, key)}</{key}>" for key, each in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(each)}</member>" for each in value)
    return escape(str(value))
