"""The documents of an account: which calls give them, which subjects of rules need them, what the AWS CLI prints.

Shapes: the service model of IAM (API version 2010-05-08). Documents in files are told by the members that only they
have, whatever the files are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from keyrules.model import Rule
from keyrules.records import dataclass

SECRET_MEMBERS: Final = (
    "Base32StringSeed",
    "QRCodePNG",
    "SecretAccessKey",
    "SessionToken",
    "ServicePassword",
    "ServiceCredentialSecret",
    "PrivateKey",
)
"""The members of AWS's answers that hold a secret; no report and no read of an account needs them."""


def without_secrets(item: Mapping[str, Any]) -> dict[str, Any]:
    """An object of an answer without the members that hold a secret."""
    return {name: value for name, value in item.items() if name not in SECRET_MEMBERS}


@dataclass(frozen=True)
class Document:
    """What one call gives. `command` is that of the AWS CLI, `lists` its members that are lists and `single` the one
    that is not. `parameters` are those of the call; `per_user` says that it is made for each user. `since` is the first
    version of botocore that knows the parameters and, in an answer, the members `answered`; empty where all do.
    """

    command: str
    action: str
    lists: tuple[str, ...] = ()
    single: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    per_user: bool = False
    since: str = ""
    answered: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """All members that hold something."""
        return (*self.lists, self.single) if self.single else self.lists

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the parameters."""
        return tuple(name for name, _ in self.parameters)

    @property
    def operation(self) -> str:
        """As error messages of AWS name the call."""
        return self.action.removeprefix("iam:")


PASSWORD_POLICY: Final = Document(
    "get-account-password-policy", "iam:GetAccountPasswordPolicy", single="PasswordPolicy"
)
SERVER_CERTIFICATES: Final = Document(
    "list-server-certificates", "iam:ListServerCertificates", ("ServerCertificateMetadataList",)
)

ACCOUNT_SUMMARY: Final = Document("get-account-summary", "iam:GetAccountSummary", single="SummaryMap")
VIRTUAL_MFA_DEVICES: Final = Document(
    "list-virtual-mfa-devices",
    "iam:ListVirtualMFADevices",
    ("VirtualMFADevices",),
    parameters=(("AssignmentStatus", "Assigned"),),
)
SERVICE_CREDENTIALS: Final = Document(
    "list-service-specific-credentials",
    "iam:ListServiceSpecificCredentials",
    ("ServiceSpecificCredentials",),
    parameters=(("AllUsers", True),),
    since="1.39.0",
    answered=("ExpirationDate",),
)
SSH_PUBLIC_KEYS: Final = Document("list-ssh-public-keys", "iam:ListSSHPublicKeys", ("SSHPublicKeys",), per_user=True)
SUPPORT_ROLES: Final = Document(
    "list-entities-for-policy",
    "iam:ListEntitiesForPolicy",
    ("PolicyRoles", "PolicyGroups", "PolicyUsers"),
    parameters=(
        ("EntityFilter", "Role"),
        ("PolicyArn", "arn:{partition}:iam::aws:policy/AWSSupportAccess"),
        # A role that has the policy as its boundary is not allowed anything by it.
        ("PolicyUsageFilter", "PermissionsPolicy"),
    ),
)
AUTHORIZATION_DETAILS: Final = Document(
    "get-account-authorization-details",
    "iam:GetAccountAuthorizationDetails",
    ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
    # Policies of AWS are known by their ARN, and roles hold no access keys.
    parameters=(("Filter", ("User", "Group", "LocalManagedPolicy")),),
)

NEEDS: Final[Mapping[str, tuple[Document, ...]]] = {
    "password_policy": (PASSWORD_POLICY,),
    "root_mfa": (ACCOUNT_SUMMARY, VIRTUAL_MFA_DEVICES),
    "server_certificate": (SERVER_CERTIFICATES,),
    "service_specific_credential": (SERVICE_CREDENTIALS,),
    "ssh_public_key": (SSH_PUBLIC_KEYS,),
    "support_role": (SUPPORT_ROLES,),
    "user_permissions": (AUTHORIZATION_DETAILS,),
}
"""What has to be given for each kind of subject that no credential report knows."""

DOCUMENTS: Final = tuple(document for documents in NEEDS.values() for document in documents)

_BY_MEMBER: Final = {member: document for document in DOCUMENTS for member in document.members}
_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|[{}\[\]]')
_CLI_ERROR: Final = re.compile(r"An error occurred \((?P<code>\w+)\) when calling the (?P<operation>\w+) operation")


class DocumentFile(NamedTuple):
    """A document in a file; `name` is what messages call it."""

    name: str
    path: Path
    document: Document


class Refusal(NamedTuple):
    """What the AWS CLI says where a call fails; `message` is AWS's own."""

    code: str
    message: str


def documents_of(rule: Rule) -> tuple[Document, ...]:
    """What a rule needs beside a credential report."""
    return NEEDS.get(rule.runtime["subject"], ()) if rule.runtime is not None else ()


def needed(rules: Iterable[Rule]) -> tuple[Document, ...]:
    """What some rules need, each once."""
    return tuple(dict.fromkeys(document for rule in rules for document in documents_of(rule)))


def belongs_to_another(member: str, document: Document) -> bool:
    """Whether a member is of another document than this one."""
    return member in _BY_MEMBER and _BY_MEMBER[member] is not document


def recognised(head: str) -> Document | None:
    """Which document the beginning of a text is; None for any other text."""
    error = _CLI_ERROR.search(head) if not head.lstrip().startswith(("{", "[")) else None
    if error is not None:
        return next((each for each in DOCUMENTS if each.operation == error["operation"]), None)
    return next((_BY_MEMBER[name] for name in _members(head) if name in _BY_MEMBER), None)


def refusal_in(text: str) -> Refusal | None:
    """The error of the AWS CLI that a text is, as `2>&1` puts it into the file of an answer; None for another text."""
    error = _CLI_ERROR.search(text)
    return None if error is None else Refusal(error["code"], text[error.end() :].strip(": \r\n"))


def _members(head: str) -> Iterable[str]:
    """The names of the members of the objects that a text begins with, as far as it goes; none of what is in them."""
    text = head.lstrip("\ufeff \t\r\n")
    outer = 2 if text.startswith("[") else 1
    depth = 0
    for token in _TOKEN.finditer(text if text.startswith(("{", "[")) else ""):
        mark = token[0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        elif depth == outer and text[token.end() :].lstrip()[:1] == ":":
            yield token[1]
