"""The next safe step for one finding, with the user's real name and, once it is known, the key's real id.

The order of a rotation is the one that never breaks a caller: create the second key, move the callers, watch the old
key's last use until it stands still, deactivate it, verify, wait, delete
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html). A key that nothing uses is
not rotated but retired. The first sentence is what text reports print, so it is the step to take now.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from keyrules.live.credential_report import Row
from keyrules.live.explanations import Case
from keyrules.live.instants import Instant, to_datetime, to_iso
from keyrules.live.key_history import Key, keys_of, last_use
from keyrules.model import Status


class Why(Enum):
    """Why a key is the one to go."""

    INACTIVE = "inactive"
    IDLE = "idle"
    OLDER = "older"


class Choice(NamedTuple):
    """`goes` is removed for the reason `why`, `stays` is kept."""

    goes: Key
    stays: Key
    why: Why


def is_idle(key: Key, as_of: datetime, idle_days: int) -> bool:
    """Whether a key that may be active has had no use for so many days; one never used counts from its creation."""
    since = key.used or key.created
    return bool(since) and (as_of - to_datetime(since)).days >= idle_days


def choose(keys: Sequence[Key], as_of: datetime, idle_days: int) -> Choice | None:
    """Which key of two goes; None where the user has fewer.

    An inactive key, else the one that is idle for longer, else the older one.
    """
    if len(keys) < 2:
        return None
    inactive = [key for key in keys if not key.active]
    idle = [key for key in keys if is_idle(key, as_of, idle_days)]
    if inactive:
        return _choice(keys, min(inactive, key=lambda key: key.created), Why.INACTIVE)
    if idle:
        return _choice(keys, min(idle, key=lambda key: (key.used or key.created, key.created)), Why.IDLE)
    return _choice(keys, min(keys, key=lambda key: key.created), Why.OLDER)


def _choice(keys: Sequence[Key], goes: Key, why: Why) -> Choice:
    return Choice(goes, next(key for key in keys if key.slot != goes.slot), why)


KeyIds = Mapping[int, str]
"""Access key ids by slot, as far as they are known."""

NEW_REPORT: Final = (
    "Get a new report with `aws iam generate-credential-report` and `aws iam get-credential-report`, and judge that "
    "one."
)

UNKNOWN_KEY_ID: Final = "ID_OF_KEY_"
"""Starts what stands for a key id that is not known; the slot follows."""

_NO_KEY_IDS: Final[KeyIds] = {}
_IN_CODE: Final = " If code declares the key, change the code, or the next apply undoes this."


def next_step(case: Case, status: Status, key_ids: KeyIds = _NO_KEY_IDS) -> str:
    """What to do about a finding, safest first; empty for one that passes."""
    if status is Status.PASS:
        return ""
    if status is Status.UNKNOWN:
        return NEW_REPORT
    writer = _STEPS.get(case.rule.id)
    return writer(case, key_ids) if writer is not None else case.rule.remediation


def _user(row: Row) -> str:
    return f"--user-name {_quoted(row.user)}"


_quoted = lru_cache(maxsize=16)(shlex.quote)


def _id(key: Key, key_ids: KeyIds) -> str:
    return f"--access-key-id {key_ids.get(key.slot, f'{UNKNOWN_KEY_ID}{key.slot}')}"


def _name(key: Key, key_ids: KeyIds) -> str:
    return f"key {key_ids.get(key.slot, key.slot)}"


def _how_to_find(row: Row, key_ids: KeyIds, *keys: Key) -> str:
    """What the placeholders for key ids stand for, which reports do not hold; nothing where the ids are known."""
    twins = row.key_1_created == row.key_2_created
    named = [
        f"{UNKNOWN_KEY_ID}{key.slot} is the key created {_moment(key.created)}"
        + ((f", last used {_moment(key.used)}" if key.used else ", never used") if twins else "")
        for key in keys
        if key.slot not in key_ids
    ]
    return f" In `aws iam list-access-keys {_user(row)}`, {' and '.join(named)}." if named else ""


def _moment(instant: Instant) -> str:
    return to_iso(instant) if instant else "at a time that the report does not give"


def _watch(own_id: str) -> str:
    return f"`aws iam get-access-key-last-used {own_id}`"


def _deactivate(user_and_id: str) -> str:
    return f"`aws iam update-access-key {user_and_id} --status Inactive`"


def _delete(user_and_id: str) -> str:
    return f"`aws iam delete-access-key {user_and_id}`"


def _create(row: Row) -> str:
    return f"`aws iam create-access-key {_user(row)}`"


def _finish(row: Row, key: Key, key_ids: KeyIds) -> str:
    """The end of every way of a key that may still have callers, from the last use to the deletion."""
    own_id = _id(key, key_ids)
    command = f"{_user(row)} {own_id}"
    return (
        f"Repeat {_watch(own_id)} until its date stands still, then deactivate the key: {_deactivate(command)}. Verify "
        "the callers, and set the key Active again if one breaks. Wait for the longest job cycle, then delete it: "
        f"{_delete(command)}."
    )


def _retire_idle(row: Row, key: Key, key_ids: KeyIds, why: str = "") -> str:
    """The end of a key that nothing has used for long. Who knows the id has just asked for the last use, too."""
    own_id = _id(key, key_ids)
    command = f"{_user(row)} {own_id}"
    name = _name(key, key_ids) + (f" ({why})" if why else "")
    if key.slot in key_ids:
        first = f"Deactivate {name}: {_deactivate(command)}."
    else:
        first = (
            f"Confirm that {name} is still unused ({_watch(own_id)}), then deactivate it. That is done by "
            f"{_deactivate(command)}."
        )
    return (
        f"{first} Set it Active again if something breaks. Wait for the longest job cycle, then delete it: "
        f"{_delete(command)}."
    )


def _delete_inactive(row: Row, key: Key, key_ids: KeyIds) -> str:
    return (
        f"Delete {_name(key, key_ids)}, which is inactive, once its owner confirms that nothing will need it again: "
        f"{_delete(f'{_user(row)} {_id(key, key_ids)}')}. A deleted key cannot be restored."
    )


def _move_to_younger(row: Row, choice: Choice, key_ids: KeyIds) -> str:
    """What to do with two keys that may both have callers: the older one goes when its callers have moved."""
    old, new = _name(choice.goes, key_ids), _name(choice.stays, key_ids)
    if choice.stays.used:
        return (
            f"Move every caller of {old} to {new}, the younger one, and then retire {old}. "
            f"{_finish(row, choice.goes, key_ids)}"
        )
    return _under_way(row, choice.goes, choice.stays, key_ids)


def _under_way(row: Row, old: Key, new: Key, key_ids: KeyIds) -> str:
    """What to find out first where the key that nobody uses may be the new key of a rotation that is not finished."""
    otherwise = _retire_idle(row, new, key_ids)
    return (
        f"Ask whether {_name(new, key_ids)}, younger than {_name(old, key_ids)} and never used, is the new key of a "
        f"rotation under way. If it is, move every caller of {_name(old, key_ids)} to it. "
        f"{_finish(row, old, key_ids)} If it is not: {otherwise[0].lower()}{otherwise[1:]}"
    )


def _is_unused_successor(choice: Choice) -> bool:
    """Whether the idle key that would go may be the new one of a rotation that nobody finished."""
    return choice.why is Why.IDLE and not choice.goes.used and choice.goes.created > choice.stays.created


def _rotate(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, case.key
    choice = choose(case.keys, case.as_of, case.idle_days)
    if choice is not None and _is_unused_successor(choice):
        return _ask_first(case, choice.stays, choice.goes, key_ids)
    if is_idle(key, case.as_of, case.idle_days):
        return f"{_retire_idle(row, key, key_ids)} It needs no successor.{_IN_CODE}{_how_to_find(row, key_ids, key)}"
    if choice is None:
        return f"{_rotation(row, key, key_ids)}{_how_to_find(row, key_ids, key)}"
    if choice.why is Why.OLDER and not choice.stays.used:
        return _ask_first(case, choice.goes, choice.stays, key_ids)
    first, found = _remove(case, choice, key_ids), _how_to_find(row, key_ids, *case.keys)
    if choice.goes.slot == key.slot:
        return f"{first} No further key is needed.{_IN_CODE}{found}"
    return (
        f"To free a key slot (both are taken), {first[0].lower()}{first[1:]} Only then rotate {_name(key, key_ids)}. "
        f"{_rotation(row, key, key_ids)}{found}"
    )


def _ask_first(case: Case, old: Key, new: Key, key_ids: KeyIds) -> str:
    row = case.row
    return (
        f"{_under_way(row, old, new, key_ids)} Only then rotate {_name(old, key_ids)}. {_rotation(row, old, key_ids)}"
        f"{_how_to_find(row, key_ids, *case.keys)}"
    )


def _remove(case: Case, choice: Choice, key_ids: KeyIds) -> str:
    if choice.why is Why.INACTIVE:
        return _delete_inactive(case.row, choice.goes, key_ids)
    if choice.why is Why.IDLE:
        return _retire_idle(case.row, choice.goes, key_ids, last_use(choice.goes, case.as_of))
    return _move_to_younger(case.row, choice, key_ids)


def _rotation(row: Row, key: Key, key_ids: KeyIds) -> str:
    smtp = (
        " Its last use was with ses: it may be an SMTP password, which must be derived anew from the new key."
        if key.service == "ses"
        else ""
    )
    return (
        f"Create a second key, in the code if this one is declared there ({_create(row)}), move every caller to it, "
        f"and then retire {_name(key, key_ids)}.{smtp} {_finish(row, key, key_ids)}"
    )


def _retire(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, case.key
    return f"{_retire_idle(row, key, key_ids)}{_IN_CODE}{_how_to_find(row, key_ids, key)}"


def _one_of_two(case: Case, key_ids: KeyIds) -> str:
    row = case.row
    choice = choose(case.keys, case.as_of, case.idle_days)
    if choice is None:
        return case.rule.remediation
    if _is_unused_successor(choice):
        text = _under_way(row, choice.stays, choice.goes, key_ids)
    else:
        text = _remove(case, choice, key_ids)
    return f"{text}{_IN_CODE}{_how_to_find(row, key_ids, *case.keys)}"


def _delete_leftover(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, case.key
    return f"{_delete_inactive(row, key, key_ids)}{_IN_CODE}{_how_to_find(row, key_ids, key)}"


def _replace_with_role(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, case.key
    return (
        "Give the caller temporary credentials: a role, IAM Roles Anywhere, or OIDC federation for a pipeline. "
        f"{_finish(row, key, key_ids)}{_IN_CODE}{_how_to_find(row, key_ids, key)}"
    )


def _root_keys(case: Case, _key_ids: KeyIds) -> str:
    steps = (
        "move whatever uses an access key to a role, then deactivate the key, verify, and delete it"
        if any(key.active for key in keys_of(case.row))
        else "and delete every access key; none of them is active"
    )
    return (
        f"Sign in as the root user, open Security credentials, {steps}. Member accounts of an organization need no "
        "root credentials at all: delete them through centralized root access."
    )


def _user_mfa(case: Case, _key_ids: KeyIds) -> str:
    return (
        f"Have {case.row.user} register an MFA device (Security credentials, Assign MFA device), or remove the console "
        f"password if nobody signs in: `aws iam delete-login-profile {_user(case.row)}`."
    )


def _unused_password(case: Case, _key_ids: KeyIds) -> str:
    return (
        f"Ask {case.row.user}, then remove the console password: `aws iam delete-login-profile {_user(case.row)}`. "
        "It can be set again at any time."
    )


def _root_mfa(_case: Case, _key_ids: KeyIds) -> str:
    return (
        "Sign in as the root user, open Security credentials and assign an MFA device, better two; in a member account "
        "of an organization, delete the root credentials through centralized root access instead."
    )


def _root_use(_case: Case, _key_ids: KeyIds) -> str:
    return (
        "Find out in CloudTrail (userIdentity.type = Root) who used the root user and for what, and give that task a "
        "role. Lock the root user's credentials away, or delete them through centralized root access."
    )


def _certificate(case: Case, _key_ids: KeyIds) -> str:
    user, slot = _user(case.row), case.subject.slot
    certificate = f"{user} --certificate-id ID_OF_CERTIFICATE_{slot}"
    return (
        f"If nothing signs with certificate {slot} any more, deactivate it: `aws iam update-signing-certificate "
        f"{certificate} --status Inactive`. Verify, wait, then delete it: `aws iam delete-signing-certificate "
        f"{certificate}`. If something does, first upload a new one (`aws iam upload-signing-certificate {user} "
        f"--certificate-body file://certificate.pem`) and move its callers. `aws iam list-signing-certificates {user}` "
        "shows the ids."
    )


def _change_password(case: Case, _key_ids: KeyIds) -> str:
    return (
        f"Have {case.row.user} set a new password (`aws iam change-password`), or remove it if nobody signs in: "
        f"`aws iam delete-login-profile {_user(case.row)}`."
    )


_STEPS: Final[Mapping[str, Callable[[Case, KeyIds], str]]] = {
    "KEY_AWS_001": _rotate,
    "KEY_AWS_002": _retire,
    "KEY_AWS_003": _one_of_two,
    "KEY_AWS_004": _retire,
    "KEY_AWS_005": _root_keys,
    "KEY_AWS_006": _delete_leftover,
    "KEY_AWS_007": _replace_with_role,
    "KEY_AWS_012": _user_mfa,
    "KEY_AWS_013": _unused_password,
    "KEY_AWS_014": _root_mfa,
    "KEY_AWS_015": _root_use,
    "KEY_AWS_016": _certificate,
    "KEY_AWS_017": _change_password,
}
