"""What the policies of each user come to, from the authorization details of an account.

The details of a large account do not fit into memory, and a user comes before its groups: what a user has of its own is
packed while the rest is read, and taken out again for one decision. keyrules.policies says what documents mean.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from keyrules.live.around.documents import AUTHORIZATION_DETAILS
from keyrules.live.around.things import Account, Thing, moment_of, name_in, value_of
from keyrules.model import InputError
from keyrules.policies.administrators import administrator
from keyrules.policies.document import Document, default_document, read_document
from keyrules.policies.policy import Answer, Policy
from keyrules.policies.rotation_denials import denies_rotation

_TRUTHS: Final = {Answer.YES: True, Answer.CONDITIONAL: False, Answer.NO: False, Answer.UNKNOWN: None}
_DECIDED: Final = ("administrator", "rotation_denied")


class _Packed(NamedTuple):
    """A user, as the details have it; `own` are its policies, groups and boundary, packed."""

    arn: str
    created: str
    own: bytes


class _Details:
    """What has been read so far."""

    def __init__(self) -> None:
        self.users: dict[str, _Packed] = {}
        self.groups: dict[str, tuple[Policy, ...]] = {}
        self._attached_to_groups: dict[str, list[Any]] = {}
        self.managed: dict[str, Policy] = {}

    def read(self, account: Account) -> None:
        """Reads all of it."""
        for member, item in account.items(AUTHORIZATION_DETAILS):
            if member == "UserDetailList":
                self._user(account, item)
            elif member == "GroupDetailList":
                name = name_in(item, "GroupName")
                _new(name, self.groups, "group")
                account.own(value_of(item, "Arn", str))
                self.groups[name] = tuple(_inline(item, "GroupPolicyList", f"the group {name}"))
                self._attached_to_groups[name] = _list(item, "AttachedManagedPolicies")
            elif member == "Policies":
                arn = value_of(item, "Arn", str)
                if ":iam::aws:" not in arn:
                    account.own(arn)
                _new(arn, self.managed, "policy")
                self.managed[arn] = Policy(f"the policy {arn.rpartition('/')[2]}", default_document(item), arn)
        self.groups = {
            name: (*inline, *self._attached(self._attached_to_groups[name])) for name, inline in self.groups.items()
        }

    def _user(self, account: Account, item: Mapping[str, Any]) -> None:
        name = name_in(item, "UserName")
        _new(name, self.users, "user")
        own = {
            "inline": _list(item, "UserPolicyList"),
            "attached": _list(item, "AttachedManagedPolicies"),
            "groups": [name_in({"GroupList": group}, "GroupList") for group in _list(item, "GroupList")],
            "boundary": (value_of(item, "PermissionsBoundary", dict, needed=False) or {}).get("PermissionsBoundaryArn"),
        }
        packed = zlib.compress(json.dumps(own).encode(), 1)
        self.users[name] = _Packed(account.own(value_of(item, "Arn", str)), moment_of(item, "CreateDate"), packed)

    def _attached(self, given: list[Any]) -> Iterator[Policy]:
        for each in given:
            arn = value_of(each if isinstance(each, dict) else {}, "PolicyArn", str)
            yield self.managed.get(arn) or Policy(f"the policy {arn.rpartition('/')[2]}", None, arn)

    def of_user(self, name: str) -> tuple[list[Policy], list[Policy], Policy | None, list[str]]:
        """The policies of a user's own, those of its groups, its boundary, and the groups that nothing is known of."""
        own = json.loads(zlib.decompress(self.users[name].own))
        mine = [*_inline(own, "inline", f"the user {name}"), *self._attached(own["attached"])]
        known = [group for group in own["groups"] if group in self.groups]
        lost = [group for group in own["groups"] if group not in self.groups]
        boundary = next(self._attached([{"PolicyArn": own["boundary"]}]), None) if own["boundary"] else None
        return mine, [policy for group in known for policy in self.groups[group]], boundary, lost


def user_permissions(account: Account) -> Iterator[Thing]:
    """The permissions of every user of the details and of the report."""
    details = _Details()
    details.read(account)
    for name, packed in details.users.items():
        yield _permissions(account, details, name, packed)
    for name, user in account.report.users.items():
        if name not in details.users:
            why = "the authorization details, which have to be newer than the report, do not have the user"
            facts = ("policies_of_its_own", *_DECIDED)
            known = {"has_active_access_key": user.has_active_key}
            yield _thing(account, name, known, {f"{fact}_because": why for fact in facts})


def _permissions(account: Account, details: _Details, name: str, packed: _Packed) -> Thing:
    mine, of_groups, boundary, lost = details.of_user(name)
    user = account.report.users.get(name)
    # Of a user that is younger than the report the next report says whether it has a key.
    younger = user is None and packed.created > account.report.newest
    has_key = False if younger else user.has_active_key if user is not None else None
    known: dict[str, Any] = {"has_active_access_key": has_key, "policies_of_its_own": len(mine)}
    shown: dict[str, Any] = (
        {"has_active_access_key_because": "the report does not have the user"} if user is None else {}
    )
    if has_key is not False:
        policies = [*mine, *of_groups, *(_lost(group) for group in lost)]
        bounds = [boundary] if boundary is not None else []
        decisions = (administrator(policies, boundary), denies_rotation([*policies, *bounds], packed.arn))
        for fact, decision in zip(_DECIDED, decisions, strict=True):
            known[fact] = _TRUTHS[decision.answer]
            if decision.answer is not Answer.NO:
                shown[f"{fact}_because"] = decision.because
    return _thing(account, name, known, shown)._replace(arn=packed.arn)


def _lost(group: str) -> Policy:
    return Policy(f"the group {group}", Document(problem="is not in the authorization details"))


def _thing(account: Account, name: str, known: Mapping[str, Any], shown: Mapping[str, Any]) -> Thing:
    return account.of_user(
        name,
        kind="user_permissions",
        name=f"the permissions of {name}",
        known=known,
        shown=shown,
        words={"USER": name},
    )


def _inline(item: Mapping[str, Any], key: str, whose: str) -> Iterator[Policy]:
    for each in _list(item, key):
        given = each if isinstance(each, dict) else {}
        name = name_in(given, "PolicyName")
        yield Policy(f"the inline policy {name} of {whose}", read_document(given.get("PolicyDocument")))


def _list(item: Mapping[str, Any], key: str) -> list[Any]:
    return value_of(item, key, list, needed=False) or []


def _new(name: str, known: Mapping[str, Any], what: str) -> None:
    if name in known:
        raise InputError(f"has the {what} {name[:128]} twice: keep the newest answer only")
