"""What to do next with a key, in words and commands: for a declared key in its code, else with the AWS CLI.

Nothing here decides anything: keyrules.keys.stages does. A declared key is never changed in the console, and never with
`terraform apply -replace` while somebody uses it, because that deletes the old key in the same apply.
"""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Final, NamedTuple

from keyrules.code.file_paths import shown
from keyrules.keys.join import YOUNGER, Certainty, Join, JoinedKey
from keyrules.keys.live import STACK_TAG, LiveKey
from keyrules.keys.owners import Cycle
from keyrules.keys.places import Declaration
from keyrules.keys.stages import Action, Stage, Step
from keyrules.reports.text_style import count_of, iso_utc


class Next(NamedTuple):
    """One step: the action as a word, one command or change of code, when at the earliest, what to check, and the way
    back."""

    action: str
    command: str
    not_before: datetime | None
    check: str
    rollback: str


_ROOT: Final = Next(
    Action.DELETE.value,
    "sign in as the root user and delete the key under Security credentials",
    None,
    "nothing signs with it: look for the root user in CloudTrail, and give each caller a role",
    "none: the root user needs no key",
)
_CHANGES: Final = frozenset({Action.CREATE, Action.DEACTIVATE, Action.DELETE})
_LOOK: Final = "aws iam get-access-key-last-used --access-key-id {}"


def next_step(key: JoinedKey, step: Step, other: LiveKey | None, cycle: Cycle) -> Next:
    """The next step on a key. `other` is the user's other key, if there is one."""
    live = key.live
    if live.root:
        return _ROOT
    if step.stage is Stage.NONE and step.action is Action.NOTHING:
        return Next(Action.NOTHING.value, "", None, "", "")
    declared = declared_by(key)
    check = _check(step, live, other, declared, cycle)
    if declared is None:
        command, rollback = _by_hand(step.action, live)
    elif declared.evidence == YOUNGER and step.action in _CHANGES:
        return _brought_in(live, declared.declaration, check)
    else:
        command, rollback = _in_code(step.action, live, declared.declaration)
    return Next(step.action.value, command, step.not_before, check, rollback)


def declared_by(key: JoinedKey) -> Join | None:
    """The declaration by which a key is changed: the surest one."""
    order = (Certainty.CERTAIN, Certainty.PROBABLE, Certainty.POSSIBLE)
    return min(key.declared, key=lambda join: order.index(join.certainty), default=None)


def id_of(key: LiveKey) -> str:
    """The key's id, or what stands for it."""
    return key.key_id or f"ID_OF_KEY_{key.slot}"


def _user(key: LiveKey) -> str:
    # A name may begin with a dash.
    return shlex.quote(key.user)


def _by_hand(action: Action, key: LiveKey) -> tuple[str, str]:
    user, key_id = _user(key), id_of(key)
    named = f"--user-name={user} --access-key-id {key_id}"
    match action:
        case Action.CREATE:
            return (
                f"aws iam create-access-key --user-name={user}",
                f"aws iam delete-access-key --user-name={user} --access-key-id NEW_ID",
            )
        case Action.DEACTIVATE:
            return (
                f"aws iam update-access-key {named} --status Inactive",
                f"aws iam update-access-key {named} --status Active",
            )
        case Action.DELETE:
            return f"aws iam delete-access-key {named}", "none: a deleted key does not come back; make a new one"
        case Action.MOVE:
            return _LOOK.format(key_id), "nothing was changed: the older key still works"
        case Action.ASK if not key.active:
            return f"aws iam list-access-keys --user-name={user}", f"aws iam update-access-key {named} --status Active"
    return _LOOK.format(key_id), "nothing was changed"


def _in_code(action: Action, key: LiveKey, declaration: Declaration) -> tuple[str, str]:
    where, apply = _where(declaration), "update the stack" if declaration.template else "terraform apply"
    match action:
        case Action.CREATE if declaration.template:
            kind = "AWS::IAM::AccessKey"
            return (
                f"declare a second {kind} of {key.user} beside {where}, and {apply}",
                f"take it out again, and {apply}",
            )
        case Action.CREATE:
            # An apply of everything would also do to the first key what its code says, an overdue rotation included.
            return (
                f"declare a second aws_iam_access_key of {key.user} beside {where}, and apply it alone: "
                "terraform apply -target=ADDRESS_OF_THE_SECOND",
                "take the second one out again, and apply that alone, too",
            )
        case Action.DEACTIVATE | Action.DELETE if declaration.deposed:
            return (
                f"{apply}, which deletes the former key of {where}",
                "none: a deleted key does not come back; the one that replaced it is in the state",
            )
        case Action.DEACTIVATE:
            status = "Status: Inactive" if declaration.template else 'status = "Inactive"'
            return f"set {status} in {where}, and {apply}", f"take {status} out again, and {apply}"
        case Action.DELETE:
            return (
                f"take {where} out of the code, and {apply}",
                "none: a deleted key does not come back; declare a new one",
            )
        case Action.ASK if not key.active:
            return _LOOK.format(id_of(key)), f"take the status out of {where}, and {apply}"
    return _LOOK.format(id_of(key)), "nothing was changed"


def _brought_in(key: LiveKey, declaration: Declaration, check: str) -> Next:
    """What comes before anything else for a key that was made outside in place of the one in the state."""
    address = shlex.quote(declaration.address)
    return Next(
        "import",
        f"terraform state rm {address} && terraform import {shlex.quote(declaration.address_now)} {id_of(key)}",
        None,
        f"`terraform plan` shows that the state holds this key and changes nothing of it; then: {check}",
        "terraform state push of what `terraform state pull` gave before",
    )


def _where(declaration: Declaration) -> str:
    address = declaration.address_now
    if declaration.path is not None:
        return f"{address} ({shown(declaration.path)}:{declaration.line})"
    return f"{address} (state {declaration.state})"


def _check(step: Step, key: LiveKey, other: LiveKey | None, declared: Join | None, cycle: Cycle) -> str:
    days = count_of(cycle.length.days, "day")
    assumed = " (assumed: nobody declared it)" if cycle.source == "assumed" else ""
    rest = f"its callers may rest {days}{assumed}"
    used = iso_utc(key.used) if key.used is not None else "never"
    match step.stage, step.action:
        case _, Action.DEACTIVATE:
            return f"`{_LOOK.format(id_of(key))}` still says {used}; {rest}"
        case _, Action.DELETE:
            return f"the owner confirms that nothing has missed it; {rest}"
        case Stage.BLOCKED, Action.ASK:
            return "both keys are in use: ask whether two applications share the user, and give each its own"
        case Stage.BLOCKED, _:
            slot = f" (slot {other.slot})" if other is not None else ""
            return f"the inactive key{slot} holds the place of a new one: delete it first, once it has rested"
        case Stage.ROLL_BACK, _:
            return "the newer key was never used: ask whether the callers work, and offer to switch this one on"
        case Stage.CREATED, _:
            return "its callers use the newer key: its last use shows a date, and that of the older one stops moving"
        case Stage.MOVING, _:
            place = f" with {key.service}" if key.service else ""
            return f"who still calls with it, last{place} at {used}; {rest}"
        case Stage.DEACTIVATED, _:
            return f"nothing misses it; {rest}"
        case Stage.UNCLEAR, _:
            return _UNCLEAR.get(step.why, "").format(days=days, used=used) + f"; {rest}"
        case Stage.DUE, Action.WAIT:
            return "finish the rotation that is under way first"
    return _due(declared, rest)


def _due(declared: Join | None, rest: str) -> str:
    if declared is None:
        return f"the callers can take a new key; {rest}"
    address = shlex.quote(f"-replace={declared.declaration.address_now}")
    if declared.declaration.template:
        return f"the callers can take a new key; raising Serial deletes the old one in the same update; {rest}"
    return (
        f"the callers can take a new key; `terraform apply {address}` only where each reads the new one in "
        f"the same apply, which deletes the old one; {rest}"
    )


_UNCLEAR: Final = {
    "seen_once": (
        "its last use ({used}) is long ago, and nothing is decided before that was observed for long enough: keep this "
        "run's JSON and give it to the next ones with --since, no more than {days} apart"
    ),
    "same_second": "both keys were created in one second and the report does not tell them apart: run with --verify",
    "later_than_observed": "a date lies after the observation: get a new report, or say --as-of",
}

_DOCS: Final = "https://docs.aws.amazon.com/"
_HINTS: Final = (
    (("github", "gitlab", "jenkins", "circleci", "actions", "buildkite", "bitbucket", "ci", "cd", "deploy"), "ci"),
    (("onprem", "datacenter", "backup", "nas", "appliance", "edge", "device"), "outside"),
)
_INSTEAD: Final = {
    "ci": (
        "The {hint} suggests a CI system: it can assume a role through OpenID Connect, without a key "
        f"({_DOCS}IAM/latest/UserGuide/id_roles_providers_oidc.html)."
    ),
    "outside": (
        "The {hint} suggests a machine outside of AWS: IAM Roles Anywhere takes its certificate for a key "
        f"({_DOCS}rolesanywhere/latest/userguide/introduction.html)."
    ),
}
_SES: Final = (
    "Last used with SES: if by SMTP, the password is derived from a key and nothing else does; keep the user to "
    f"ses:SendRawEmail ({_DOCS}ses/latest/dg/smtp-credentials.html)."
)
_PERSON: Final = (
    "The user has a console password, so it may be a person: `aws login` or IAM Identity Center need no key "
    f"({_DOCS}cli/latest/userguide/cli-chap-authentication.html)."
)
_STACK: Final = (
    "The user is part of a CloudFormation stack: a workload takes a role instead "
    f"({_DOCS}IAM/latest/UserGuide/id_roles_common-scenarios_services.html)."
)
UNKNOWN_CALLER: Final = (
    "Where nothing says who calls: people take `aws login` or IAM Identity Center, CI OpenID Connect, workloads a "
    f"role, machines outside IAM Roles Anywhere ({_DOCS}IAM/latest/UserGuide/security-creds-programmatic-access.html)."
)
"""What there is instead of a key where nothing hints at its callers."""


def alternative(key: LiveKey) -> str | None:
    """What could stand in place of the key, with what that rests on; None for the root user."""
    if key.root:
        return None
    if key.service in ("ses", "email"):
        return _SES
    for source, text in (("user's name", key.user), ("user's path", key.arn.partition(":user/")[2].rpartition("/")[0])):
        words = set(text.casefold().replace("_", "-").replace(".", "-").replace("/", "-").split("-"))
        for hints, kind in _HINTS:
            if words & set(hints):
                return _INSTEAD[kind].format(hint=source)
    if key.console:
        return _PERSON
    return _STACK if STACK_TAG in key.tags else UNKNOWN_CALLER
