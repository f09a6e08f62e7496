"""The next safe step for one finding, with the user's real name and, once it is known, the key's real id.

The order of a rotation is the one that never breaks a caller: create the second key, move the callers, watch the old
key's last use until it stands still, deactivate it, verify, wait, delete
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html). A user has at most two keys,
so where both slots are taken the one that nobody needs goes first.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Final

from keyrules.live.explanations import Case
from keyrules.live.instants import Instant, to_datetime
from keyrules.live.key_history import Key, key_of, keys_of, last_use
from keyrules.live.report_columns import Row
from keyrules.model import Status
from keyrules.reports.text_style import iso_utc

KeyIds = Mapping[int, str]
"""Access key ids by slot, as far as they are known."""

_NO_KEY_IDS: Final[KeyIds] = {}


def next_step(case: Case, status: Status, key_ids: KeyIds = _NO_KEY_IDS) -> str:
    """What to do about a finding, safest first; empty for one that passes."""
    if status is Status.PASS:
        return ""
    if status is Status.UNKNOWN:
        return (
            "Get a new report with `aws iam generate-credential-report` and `aws iam get-credential-report`, and judge "
            "that one."
        )
    writer = _STEPS.get(case.rule.id)
    return writer(case, key_ids) if writer is not None else case.rule.remediation


def _user(row: Row) -> str:
    return f"--user-name {shlex.quote(row.user)}"


def _id(key: Key, key_ids: KeyIds) -> str:
    return f"--access-key-id {key_ids.get(key.slot, f'ID_OF_KEY_{key.slot}')}"


def _find_ids(row: Row, key_ids: KeyIds, keys: list[Key]) -> str:
    """The command that shows the ids which the report does not have, where a later command needs one."""
    unknown = [key for key in keys if key.slot not in key_ids]
    if not unknown:
        return ""
    dates = " and ".join(f"key {key.slot} is the one created {_moment(key.created)}" for key in unknown)
    return f"Find the key id: `aws iam list-access-keys {_user(row)}` ({dates}). "


def _moment(instant: Instant) -> str:
    return iso_utc(to_datetime(instant)) if instant else "at a time that the report does not give"


def _under_way(row: Row, spare: Key) -> str:
    """What to find out first where the key to remove may be the new key of a rotation that is not finished."""
    other = next(key for key in keys_of(row) if key.slot != spare.slot)
    if not (spare.active and not spare.used and spare.created > other.created):
        return ""
    return (
        f"Ask whether key {spare.slot}, younger than key {other.slot} and never used, is the new key of a rotation "
        f"under way. If it is, move every caller to it and retire key {other.slot} once its last use stands "
        f"still. If not: "
    )


def _watch(key: Key, key_ids: KeyIds) -> str:
    return f"`aws iam get-access-key-last-used {_id(key, key_ids)}`"


def _deactivate(row: Row, key: Key, key_ids: KeyIds) -> str:
    return f"`aws iam update-access-key {_user(row)} {_id(key, key_ids)} --status Inactive`"


def _delete(row: Row, key: Key, key_ids: KeyIds) -> str:
    return f"`aws iam delete-access-key {_user(row)} {_id(key, key_ids)}`"


def dispensable_key(row: Row) -> tuple[Key, str]:
    """Which of two keys to remove first, and why: an inactive one, else one never used, else the longer unused."""
    first, second = keys_of(row)
    inactive = [key for key in (first, second) if not key.active]
    unused = [key for key in (first, second) if not key.used]
    for candidates, reason in ((inactive, "it is inactive"), (unused, "it was never used")):
        if candidates:
            return min(candidates, key=lambda key: key.created), reason
    return min(first, second, key=lambda key: (key.used, key.created)), "it was unused for longer"


def _rotate(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, key_of(case.row, case.subject.slot or 1)
    existing = keys_of(row)
    if len(existing) == 2:
        spare, why = dispensable_key(row)
        found = _find_ids(row, key_ids, [spare])
        make_room = (
            f"{_under_way(row, spare)}{found}Remove key {spare.slot} first, because both key slots of {row.user} are "
            f"taken and {why}: "
        )
        if spare.active:
            make_room += (
                f"make sure that nothing uses it ({_watch(spare, key_ids)}), then {_deactivate(row, spare, key_ids)}, "
                f"verify, wait, and "
            )
        make_room += f"{_delete(row, spare, key_ids)}."
        if spare.slot == key.slot:
            return f"{make_room} The other key stays; no new one is needed."
        return f"{make_room} Then rotate key {key.slot}. {_rotation(row, key, key_ids)}"
    return f"{_find_ids(row, key_ids, [key])}{_rotation(row, key, key_ids)}"


def _rotation(row: Row, key: Key, key_ids: KeyIds) -> str:
    return (
        f"Create the second key: `aws iam create-access-key {_user(row)}`. Move every caller to it. Repeat "
        f"{_watch(key, key_ids)} until its date stands still. Then {_deactivate(row, key, key_ids)}. Verify the "
        f"callers, and set the key Active again if one breaks. Wait for the longest job cycle, then "
        f"{_delete(row, key, key_ids)}.{_instead(key)}"
    )


def _instead(key: Key) -> str:
    if key.service == "ses":
        return " Its last use was with ses: it may be an SMTP password, which must be derived anew from the new key."
    return " If the key lives in the code (aws_iam_access_key), change the code, not the console."


def _retire(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, key_of(case.row, case.subject.slot or 1)
    return (
        f"{_find_ids(row, key_ids, [key])}Make sure that nothing uses it ({_watch(key, key_ids)}), then "
        f"{_deactivate(row, key, key_ids)}, verify, wait for the longest job cycle, and {_delete(row, key, key_ids)}."
    )


def _one_of_two(case: Case, key_ids: KeyIds) -> str:
    row = case.row
    spare, why = dispensable_key(row)
    stays = next(key for key in keys_of(row) if key.slot != spare.slot)
    return (
        f"{_under_way(row, spare)}Remove key {spare.slot}, because {why}, and keep key {stays.slot} "
        f"({last_use(stays, case.as_of)}). "
        f"{_find_ids(row, key_ids, [spare])}Watch {_watch(spare, key_ids)} until its date stands still, then "
        f"{_deactivate(row, spare, key_ids)}, verify, wait for the longest job cycle, and "
        f"{_delete(row, spare, key_ids)}."
    )


def _delete_leftover(case: Case, key_ids: KeyIds) -> str:
    row, key = case.row, key_of(case.row, case.subject.slot or 1)
    return f"{_find_ids(row, key_ids, [key])}Nothing can use an inactive key: {_delete(row, key, key_ids)}."


def _replace_with_role(case: Case, key_ids: KeyIds) -> str:
    return (
        "Give the caller temporary credentials (a role, IAM Roles Anywhere, or OIDC federation for a pipeline), then "
        f"retire the key. {_retire(case, key_ids)}"
    )


def _root_keys(_case: Case, _key_ids: KeyIds) -> str:
    return (
        "Sign in as the root user and open Security credentials: deactivate each access key, verify that nothing "
        "breaks, and delete it. Member accounts of an organization need no root credentials at all: delete them "
        "through centralized root access."
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
    user = _user(case.row)
    return (
        f"Find the certificate id: `aws iam list-signing-certificates {user}`. Upload the new one (`aws iam "
        f"upload-signing-certificate {user} --certificate-body file://certificate.pem`), move its users, then `aws iam "
        f"update-signing-certificate {user} --certificate-id ID --status Inactive`, verify, and delete it."
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
