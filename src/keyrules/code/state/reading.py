"""Reads one state: the keys that it holds, without their secrets, and the accounts that its providers lead to.

Everything is dropped while the text is read that is not named here, the secrets first of all: of a secret no more is
kept than its SHA-256 sum, by which it is masked where it is the name of something. No message quotes a state.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from keyrules.code.addresses import without_keys
from keyrules.code.literals.masking import digest_of
from keyrules.code.state.instances import Instance, check_layout, instances
from keyrules.live.instants import parse, to_datetime
from keyrules.model import InputError
from keyrules.records import dataclass, field

_KEY_TYPES: Final = frozenset({"aws_iam_access_key", "awsutils_expiring_iam_access_key"})
_USER: Final = "aws_iam_user"
_CALLER: Final = "aws_caller_identity"

_OWN_ACCOUNT: Final = frozenset(
    {"aws_dynamodb_table", "aws_kms_key", "aws_lambda_function", "aws_sqs_queue", "aws_secretsmanager_secret"}
)
"""Beside those of IAM, resources whose ARN has the account that they were created with, and never another's."""

_SECRETS: Final = frozenset({"secret", "ses_smtp_password_v4"})
_STRUCTURE: Final = frozenset(
    {
        *("version", "format_version", "serial", "lineage"),
        *("resources", "module", "mode", "type", "name", "provider", "instances", "index_key", "deposed", "attributes"),
        *("attributes_flat", "dependencies", "depends_on", "modules", "path", "primary", "values", "root_module"),
        *("child_modules", "address", "deposed_key"),
    }
)
_MARKS: Final = frozenset({"encrypted_data", "backend", "planned_values", "resource_changes"})
"""What tells that a document is no state that can be read; what stands there is not kept."""

_ATTRIBUTES: Final = frozenset({"id", "user", "status", "create_date", "arn", "account_id", "tags", "tags_all"})
_ACCOUNT: Final = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:([0-9]{12}):")
_KEY_ID: Final = re.compile(r"[A-Z0-9]{16,32}")


@dataclass(frozen=True)
class StateKey:
    """A key that a state holds. `state` is the state's name, `address` has instance keys and `block` has none.

    `created` is None where the provider recorded none. `account` is that of the key's provider configuration, where the
    state tells. `active` is None where the state says nothing. `deposed` keys are those that a rotation has replaced
    and not deleted yet.
    """

    state: str
    address: str
    block: str
    user: str
    key_id: str | None
    created: datetime | None
    active: bool | None
    account: str | None
    deposed: bool = False


@dataclass(frozen=True)
class State:
    """What is kept of one state. `path` is None for standard input; `blocks` are the addresses of all declarations in
    it, without instance keys, `accounts` those that it is known to be about. `owners` are the values of the owner tag
    by account and user; `digests` are the sums of the secrets that were met."""

    name: str
    path: str | None
    lineage: str | None
    serial: int | None
    keys: tuple[StateKey, ...]
    blocks: frozenset[str]
    accounts: frozenset[str] = frozenset()
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()


def read_state(name: str, path: str | None, data: bytes, owner_tag: str = "owner") -> State:
    """The state in `data`. InputError, a sentence that follows its name, for what is none or cannot be read."""
    digests: set[str] = set()
    document = _document(data, owner_tag, digests)
    if "encrypted_data" in document:
        raise InputError("is encrypted, as OpenTofu writes it: give the output of `tofu state pull`, which decrypts it")
    if "planned_values" in document or "resource_changes" in document:
        raise InputError("is a plan and no state: give the output of `terraform state pull`")
    found = list(instances(document))
    if "backend" in document and not found:
        raise InputError(
            "says only in which backend the state is: give the output of `terraform state pull`, run in its folder"
        )
    if "format_version" not in document:
        if not ("resources" in document or "modules" in document):
            raise InputError(
                "is no state of Terraform or OpenTofu: give a *.tfstate file, or the output of `terraform state pull`"
            )
        check_layout(document)
    return _state(name, path, document, found, owner_tag, frozenset(digests))


def _document(data: bytes, owner_tag: str, digests: set[str]) -> Mapping[str, object]:
    kept = _STRUCTURE | _ATTRIBUTES
    tag = owner_tag.casefold()

    def without_secrets(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in pairs:
            if name in _MARKS:
                found[name] = True
            elif name in kept or name.casefold() == tag:
                found[name] = value
            elif name in _SECRETS and isinstance(value, str) and value:
                digests.add(digest_of(value))
            elif "." in name:
                # Version 3 has resources by their names.
                found[name] = value if isinstance(value, dict) else None
        if "type" in found and "instances" in found and not _matters(found):
            found["instances"] = []
        return found

    problem = ""
    document: object = None
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=without_secrets)
    except UnicodeDecodeError:
        problem = "is no text in UTF-8, so it is damaged or no state: pull it again"
    except RecursionError:
        problem = "is nested deeper than any state: pull it again"
    except ValueError:
        problem = "is no complete JSON, so it is damaged or no state: pull it again with `terraform state pull`"
    # Outside of the handler, because an exception keeps what it was raised from, and that keeps the text.
    if problem:
        raise InputError(problem)
    if not isinstance(document, dict):
        raise InputError("is JSON, and no state of Terraform or OpenTofu: give the output of `terraform state pull`")
    return document


def _matters(resource: Mapping[str, object]) -> bool:
    kind = str(resource["type"])
    return kind in _KEY_TYPES or kind.startswith("aws_iam_") or kind in _OWN_ACCOUNT or kind == _CALLER


def _state(
    name: str,
    path: str | None,
    document: Mapping[str, object],
    found: list[Instance],
    owner_tag: str,
    digests: frozenset[str],
) -> State:
    raw = "format_version" not in document
    accounts = _accounts(found) if raw else {}
    users = _users(found)
    keys = []
    for instance in found:
        if instance.kind in _KEY_TYPES and not instance.data:
            account = accounts.get(instance.provider) if raw else _account_of_user(instance, users)
            keys.append(_key(name, instance, account))
    serial, lineage = document.get("serial"), document.get("lineage")
    return State(
        name,
        path,
        lineage if isinstance(lineage, str) and lineage else None,
        serial if isinstance(serial, int) else None,
        tuple(keys),
        frozenset(_blocks(document, found)),
        frozenset(filter(None, map(_own_account, found))),
        _owners(found, owner_tag),
        digests,
    )


def _blocks(document: Mapping[str, object], found: list[Instance]) -> set[str]:
    """The addresses of all declarations; resources without instances that matter are told by their own names."""
    blocks = {instance.block for instance in found}
    resources = document.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        if isinstance(resource, dict):
            module, data = resource.get("module"), "data" if resource.get("mode") == "data" else None
            parts = (module, data, resource.get("type"), resource.get("name"))
            blocks.add(without_keys(".".join(part for part in parts if isinstance(part, str) and part)))
    return blocks


def _accounts(found: list[Instance]) -> Mapping[str, str]:
    """The account of each provider configuration whose resources all agree on one."""
    told: dict[str, set[str]] = defaultdict(set)
    for instance in found:
        account = _own_account(instance)
        if account:
            told[instance.provider].add(account)
    return {provider: next(iter(numbers)) for provider, numbers in told.items() if len(numbers) == 1}


def _own_account(instance: Instance) -> str | None:
    if instance.kind == _CALLER and instance.data:
        number = _text(instance, "account_id")
        return number if number and re.fullmatch("[0-9]{12}", number) else None
    managed = not instance.data and (instance.kind.startswith("aws_iam_") or instance.kind in _OWN_ACCOUNT)
    match = _ACCOUNT.match(_text(instance, "arn") or "") if managed else None
    return match[1] if match else None


def _users(found: list[Instance]) -> Mapping[str, list[Instance]]:
    users: dict[str, list[Instance]] = defaultdict(list)
    for instance in found:
        if instance.kind == _USER and not instance.data:
            users[_text(instance, "name") or _text(instance, "id") or ""].append(instance)
    return users


def _account_of_user(key: Instance, users: Mapping[str, list[Instance]]) -> str | None:
    """The account of the user that a key depends on, where no provider configuration is told."""
    named = [user for user in users.get(_text(key, "user") or "", ()) if user.block in key.depends_on]
    accounts = {_own_account(user) for user in named}
    return accounts.pop() if len(accounts) == 1 else None


def _owners(found: list[Instance], owner_tag: str) -> dict[tuple[str, str], str]:
    owners = {}
    for name, users in _users(found).items():
        for user in users:
            account = _own_account(user)
            for values in user.values:
                for where in ("tags", "tags_all"):
                    tags = values.get(where)
                    for tag, value in tags.items() if isinstance(tags, dict) else ():
                        if account and isinstance(value, str) and value and tag.casefold() == owner_tag.casefold():
                            owners[account, name] = value
    return owners


def _key(state: str, instance: Instance, account: str | None) -> StateKey:
    key_id, status = _text(instance, "id"), _text(instance, "status")
    return StateKey(
        state,
        instance.address,
        instance.block,
        _text(instance, "user") or "",
        key_id if key_id and _KEY_ID.fullmatch(key_id) else None,
        _moment(_text(instance, "create_date")),
        {"Active": True, "Inactive": False}.get(status or ""),
        account,
        bool(instance.deposed),
    )


def _text(instance: Instance, name: str) -> str | None:
    values = (each.get(name) for each in instance.values)
    return next((value for value in values if isinstance(value, str) and value), None)


def _moment(text: str | None) -> datetime | None:
    try:
        return to_datetime(parse(text or ""))
    except ValueError:
        return None
