"""What the documents of an account tell of, one by one: a policy, a device, a certificate, a key that signs nothing.

Each kind of subject is made in one function from the documents that it needs. What a document does not say is no fact,
and a condition that asks for it is UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from keyrules.code.block_rules import ENDLESS
from keyrules.live.around.documents import (
    ACCOUNT_SUMMARY,
    PASSWORD_POLICY,
    SERVER_CERTIFICATES,
    SERVICE_CREDENTIALS,
    SSH_PUBLIC_KEYS,
    SUPPORT_ROLES,
    VIRTUAL_MFA_DEVICES,
)
from keyrules.live.around.permissions import user_permissions
from keyrules.live.around.things import Account, Thing, moment_of, name_in, value_of
from keyrules.live.audit import never_has_root
from keyrules.live.fact_readers import READERS, ROOT, Flag
from keyrules.live.instants import to_iso

_WITH_ACCOUNT: Final = ("ServiceUserName", "ServiceCredentialAlias")
_OF_ACCOUNT: Final = re.compile(r"-at-([0-9]{12})\Z")
"""The end of the names that AWS makes up."""
_WITHOUT_ROOT_SIGN_IN: Final = "aws-us-gov"


def _password_policy(account: Account) -> Iterator[Thing]:
    for _, policy in account.items(PASSWORD_POLICY):
        known: dict[str, Any] = {"exists": bool(policy)}
        if policy:
            known["shortest_password"] = value_of(policy, "MinimumPasswordLength", int, needed=False)
            known["passwords_remembered"] = value_of(policy, "PasswordReusePrevention", int, needed=False) or 0
        yield account.thing("password_policy", "the password policy", known=known)


def _server_certificates(account: Account) -> Iterator[Thing]:
    for _, item in account.items(SERVER_CERTIFICATES):
        name, expires = name_in(item, "ServerCertificateName"), moment_of(item, "Expiration")
        yield Thing(
            label=name,
            arn=account.own(value_of(item, "Arn", str)),
            account_prefix=account.prefix,
            kind="server_certificate",
            name=f"server certificate {name}",
            created=moment_of(item, "UploadDate"),
            known={"days_since_expiry": expires},
            shown={"expires_at": to_iso(expires) if expires else None},
            words={"CERTIFICATE": name},
        )


def _root_mfa(account: Account) -> Iterator[Thing]:
    summaries = [value for _, value in account.items(ACCOUNT_SUMMARY)]
    summary = summaries[0] if summaries and summaries[0] else {}
    mfa = value_of(summary, "AccountMFAEnabled", int, needed=False)
    arn, virtual = f"{account.prefix}root", False
    for _, device in account.items(VIRTUAL_MFA_DEVICES):
        account.own(value_of(device, "SerialNumber", str))
        user = value_of(device, "User", dict, needed=False) or {}
        # A device can have any name, and one that is assigned to nobody guards nobody.
        virtual = virtual or (account.own(value_of(user, "Arn", str, needed=False) or arn) == arn and "Arn" in user)
    signs_in = account.partition != _WITHOUT_ROOT_SIGN_IN
    yield account.thing(
        "root_mfa",
        "the MFA of the root user",
        known={
            "signs_in": signs_in,
            "has_credentials": _root_has_credentials(account, summary),
            "mfa_active": None if mfa is None else mfa > 0,
            "virtual_device": virtual,
        },
        shown={} if signs_in else {"not_applicable": "the root user cannot sign in to AWS GovCloud (US)"},
    )


def _root_has_credentials(account: Account, summary: Mapping[str, Any]) -> bool | None:
    """The summary is of now, and the report tells active keys from others."""
    password = value_of(summary, "AccountPasswordPresent", int, needed=False)
    row, reader = account.report.root, READERS[ROOT]["has_credentials"]
    if row is not None and isinstance(reader, Flag):
        return reader.read(row if password is None else row._replace(password_enabled="true" if password else ""))
    if never_has_root(account.prefix):
        return False
    names = ("AccountAccessKeysPresent", "AccountSigningCertificatesPresent")
    others = any(value_of(summary, name, int, needed=False) for name in names)
    return True if password or others else None if password is None else False


def _service_credentials(account: Account) -> Iterator[Thing]:
    for _, item in account.items(SERVICE_CREDENTIALS):
        user, service = name_in(item, "UserName"), name_in(item, "ServiceName")
        status, id_ = value_of(item, "Status", str), name_in(item, "ServiceSpecificCredentialId")
        created, end = moment_of(item, "CreateDate"), moment_of(item, "ExpirationDate")
        can_expire = service not in ENDLESS
        other = next(filter(None, map(_OF_ACCOUNT.search, map(str, map(item.get, _WITH_ACCOUNT)))), None)
        if other is not None:
            account.own(f"arn:{account.partition}:iam::{other[1]}:user/{user}")
        # A client that knows no ends knows no aliases, which what can expire always has.
        blind = can_expire and not end and item.get("ServiceCredentialAlias") is None
        yield account.of_user(
            user,
            kind="service_specific_credential",
            name=f"the {service.partition('.')[0]} credential {id_} of {user}",
            created=created,
            id=id_,
            known={
                "active": status != "Inactive",
                "expired": status == "Expired",
                "can_expire": can_expire,
                "expires": None if blind else bool(end),
                "days_since_creation": created,
            },
            shown={
                "service": service,
                "status": status,
                "expires_at": to_iso(end) if end else None,
                **({"expires_because": _BLIND} if blind else {}),
            },
            words={"USER": user, "CREDENTIAL": id_},
        )


_BLIND: Final = (
    "what was given comes from a client that knows neither ends nor aliases: take botocore "
    f"{SERVICE_CREDENTIALS.since} or newer, or an AWS CLI of July 2025 or newer"
)


def _ssh_public_keys(account: Account) -> Iterator[Thing]:
    for _, item in account.items(SSH_PUBLIC_KEYS):
        user, id_ = name_in(item, "UserName"), name_in(item, "SSHPublicKeyId")
        uploaded = moment_of(item, "UploadDate")
        yield account.of_user(
            user,
            kind="ssh_public_key",
            name=f"SSH public key {id_} of {user}",
            created=uploaded,
            id=id_,
            known={"active": value_of(item, "Status", str) != "Inactive", "days_since_upload": uploaded},
            words={"USER": user, "KEY_ID": id_},
        )


def _support_role(account: Account) -> Iterator[Thing]:
    names = [name_in(item, "RoleName") for member, item in account.items(SUPPORT_ROLES) if member == "PolicyRoles"]
    yield account.thing(
        "support_role",
        "the role for AWS Support",
        known={"roles": len(names)},
        shown={"role_names": ", ".join(sorted(names))} if names else {},
    )


MAKERS: Final[Mapping[str, Callable[[Account], Iterator[Thing]]]] = {
    "password_policy": _password_policy,
    "root_mfa": _root_mfa,
    "server_certificate": _server_certificates,
    "service_specific_credential": _service_credentials,
    "ssh_public_key": _ssh_public_keys,
    "support_role": _support_role,
    "user_permissions": user_permissions,
}
"""What makes the subjects of each kind."""

AS_A_WHOLE: Final[Mapping[str, str]] = {
    "password_policy": "the password policy",
    "root_mfa": "the MFA of the root user",
    "server_certificate": "the server certificates",
    "service_specific_credential": "the service-specific credentials",
    "ssh_public_key": "the SSH public keys",
    "support_role": "the role for AWS Support",
    "user_permissions": "the permissions of the users",
}
"""What messages call the subjects of each kind where none of them is known."""
