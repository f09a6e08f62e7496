"""The facts about a live credential that a rule's `runtime` block may name, by kind of subject.

One table for all: the loader checks rules against it, the live plane fills it, `keyrules rules --facts` prints it.
Column semantics: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keyrules.records import dataclass


@dataclass(frozen=True)
class Fact:
    """One fact. `type` is the Python type of a known value; `unit` is empty for what is not measured.

    Durations are exact floats, counted to the moment of evaluation and never rounded to whole days.
    `unknown_when` says when the report cannot tell; the fact is then UNKNOWN, never a default.
    `failing` is the reason and the predicate of a sentence for a finding that rests on the fact; it may name {measured}
    and {limit}. Without one the finding says that the rule is not met.
    """

    name: str
    type: type[bool] | type[int] | type[float]
    unit: str
    meaning: str
    unknown_when: str
    failing: tuple[str, str] | None = None


def _table(*facts: Fact) -> Mapping[str, Fact]:
    return {fact.name: fact for fact in facts}


_NO_FLAG = "the column is absent or holds neither true nor false"
_NO_DATE = "the date is absent or cannot be read"

FACTS: Mapping[str, Mapping[str, Fact]] = {
    "access_key": _table(
        Fact("active", bool, "", "The key can sign requests.", _NO_FLAG),
        Fact("slot", int, "", "1 or 2: the position in the report, which says nothing about age.", "never"),
        Fact("days_since_rotation", float, "days", "Age: time since the key was created.", _NO_DATE),
        Fact(
            "days_since_use",
            float,
            "days",
            "Idle time: since the last use, or since creation when the key was never used.",
            _NO_DATE,
        ),
        Fact("never_used", bool, "", "The report has no last use of the key.", "the last-used date cannot be read"),
        Fact("user_has_console_password", bool, "", "The key's user can sign in to the console.", _NO_FLAG),
        Fact(
            "minutes_between_user_and_key_creation",
            float,
            "minutes",
            "Time between the creation of the user and of the key.",
            "either date is absent or cannot be read",
        ),
        Fact(
            "active_keys_of_user",
            int,
            "keys",
            "How many active keys the report shows for the key's user.",
            "the active column of either key cannot be read",
        ),
        Fact(
            "days_since_younger_key_of_user",
            float,
            "days",
            "Age of the younger of the user's active keys; of the only one where there is one.",
            "no key is active, or an active key's date cannot be read",
        ),
        Fact(
            "is_younger_key_of_user",
            bool,
            "",
            "The key is the younger of two active ones; of two as old as each other, slot 2 is.",
            "both keys are active and the date of one cannot be read",
        ),
    ),
    "joined_key": _table(
        Fact("active", bool, "", "The key can sign requests.", _NO_FLAG),
        Fact("rotation_declared", bool, "", "The code that declares the key rotates it in a period.", "never"),
        Fact(
            "days_beyond_declared_rotation",
            float,
            "days",
            "Age of the key, less the period in which the code says that it is replaced.",
            "no rotation is declared, or the date of creation cannot be read",
        ),
        Fact(
            "held_by_a_state",
            bool,
            "",
            "A Terraform state or a CloudFormation template that was given holds the key.",
            "not all states of the account were given, or one that was may hold it",
        ),
    ),
    "console_password": _table(
        Fact("enabled", bool, "", "The user can sign in to the console with a password.", _NO_FLAG),
        Fact("mfa_active", bool, "", "The user has an MFA device enabled.", _NO_FLAG),
        Fact(
            "days_since_use",
            float,
            "days",
            "Idle time: since the last sign-in, else since the password was set, else since the user was created.",
            _NO_DATE,
        ),
        Fact("days_since_change", float, "days", "Age: time since the password was last set.", _NO_DATE),
    ),
    "root": _table(
        Fact("has_access_keys", bool, "", "The root user has an access key, active or not.", _NO_FLAG),
        Fact(
            "has_credentials",
            bool,
            "",
            "The root user can sign in or sign requests: a password, an active key or an active certificate.",
            "the report does not say whether there is a password and shows no other credential",
        ),
        Fact("mfa_active", bool, "", "The root user has an MFA device enabled.", _NO_FLAG),
        Fact("ever_used", bool, "", "Any root credential has a last use.", "a last-used date cannot be read"),
        Fact(
            "days_since_use",
            float,
            "days",
            "Time since the latest use of any root credential; since the account's creation when there is none.",
            _NO_DATE,
        ),
    ),
    "signing_certificate": _table(
        Fact("active", bool, "", "The X.509 certificate can sign requests.", _NO_FLAG),
        Fact("slot", int, "", "1 or 2: the position in the report.", "never"),
        Fact("days_since_rotation", float, "days", "Age: time since the certificate was uploaded.", _NO_DATE),
    ),
    "password_policy": _table(
        Fact(
            "exists",
            bool,
            "",
            "The account has a password policy of its own.",
            "never",
            ("no_password_policy", "has no password policy of its own, so that of AWS holds"),
        ),
        Fact(
            "shortest_password",
            int,
            "characters",
            "How many characters the shortest password that the policy allows has.",
            "there is no policy, or it does not say",
            ("password_too_short", "lets passwords have {measured}; at least {limit} are required"),
        ),
        Fact(
            "passwords_remembered",
            int,
            "passwords",
            "How many former passwords a user may not take again; 0 where reuse is allowed.",
            "there is no policy",
            ("password_reuse", "remembers {measured}; at least {limit} are required"),
        ),
    ),
    "root_mfa": _table(
        Fact(
            "signs_in", bool, "", "The root user of the partition can sign in; in AWS GovCloud (US) it cannot.", "never"
        ),
        Fact(
            "has_credentials",
            bool,
            "",
            "The root user has a password, an access key or a signing certificate.",
            "neither the account summary nor the report says whether it has a password",
        ),
        Fact(
            "mfa_active",
            bool,
            "",
            "The root user has an MFA device.",
            "the account summary does not say",
            ("root_without_mfa", "is missing, although the root user has credentials"),
        ),
        Fact(
            "virtual_device",
            bool,
            "",
            "A virtual MFA device is assigned to the root user.",
            "never",
            ("root_mfa_virtual", "is a virtual device, and no hardware"),
        ),
    ),
    "server_certificate": _table(
        Fact(
            "days_since_expiry",
            float,
            "days",
            "Time since the last moment at which the certificate was valid; not above 0 while it is.",
            _NO_DATE,
            ("certificate_expired", "expired {measured} ago"),
        ),
    ),
    "service_specific_credential": _table(
        Fact("active", bool, "", "Nobody has deactivated the credential.", "never"),
        Fact("expired", bool, "", "The credential had an end, and that has come.", "never"),
        Fact("can_expire", bool, "", "The service gives its credentials an end where it is asked to.", "never"),
        Fact(
            "expires",
            bool,
            "",
            "The credential has an end.",
            "what was given comes from a client that does not know ends",
            ("never_expires", "has no end"),
        ),
        Fact(
            "days_since_creation",
            float,
            "days",
            "Age: time since the credential was created.",
            _NO_DATE,
            ("credential_too_old", "is {measured} old; the limit is {limit}"),
        ),
    ),
    "ssh_public_key": _table(
        Fact("active", bool, "", "The key opens repositories of CodeCommit.", "never"),
        Fact(
            "days_since_upload",
            float,
            "days",
            "Age: time since the key was uploaded.",
            _NO_DATE,
            ("ssh_key_too_old", "is {measured} old; the limit is {limit}"),
        ),
    ),
    "support_role": _table(
        Fact(
            "roles",
            int,
            "roles",
            "How many roles have AWSSupportAccess; groups and users do not count, nor does a boundary.",
            "never",
            ("no_support_role", "does not exist: AWSSupportAccess is attached to no role"),
        ),
    ),
    "user_permissions": _table(
        Fact("has_active_access_key", bool, "", "The user has an active access key.", "never"),
        Fact(
            "administrator",
            bool,
            "",
            "The policies of the user and of its groups allow every action on every resource, and nothing limits that.",
            "a policy that decides cannot be read",
            ("administrator_with_key", "go with an active access key, and {because}"),
        ),
        Fact(
            "rotation_denied",
            bool,
            "",
            "A policy denies the user to create, deactivate or delete access keys of its own, under no condition.",
            "a policy that decides cannot be read",
            ("rotation_denied", "keep it from rotating its access key: {because}"),
        ),
        Fact(
            "policies_of_its_own",
            int,
            "policies",
            "How many policies the user has that come from no group, inline and attached.",
            "the authorization details do not have the user",
            ("permissions_of_user", "include {measured} of its own, from no group"),
        ),
    ),
}
"""Kinds of subject, each with the facts that a rule may ask about."""

ACCOUNT_KINDS: Final = frozenset(
    {
        "password_policy",
        "root_mfa",
        "server_certificate",
        "service_specific_credential",
        "ssh_public_key",
        "support_role",
        "user_permissions",
    }
)
"""Those of which a credential report says nothing: they are read from the account, or from what the AWS CLI prints."""


@dataclass(frozen=True)
class Operator:
    """One comparison, named as in Checkov's policy language.

    `fact_types` are the types of fact it applies to; `takes` is what `value` must be: bool for no value at all, float
    for one number, tuple for a list of whole numbers.
    """

    name: str
    fact_types: tuple[type, ...]
    takes: type[bool] | type[float] | type[tuple[int, ...]]


OPERATORS: Mapping[str, Operator] = {
    operator.name: operator
    for operator in (
        Operator("is_true", (bool,), bool),
        Operator("is_false", (bool,), bool),
        Operator("equals", (int,), float),
        Operator("not_equals", (int,), float),
        Operator("greater_than", (int, float), float),
        Operator("greater_than_or_equal", (int, float), float),
        Operator("less_than", (int, float), float),
        Operator("less_than_or_equal", (int, float), float),
        Operator("within", (int,), tuple),
        Operator("not_within", (int,), tuple),
    )
}
"""What a `runtime` block may compare with; `and`, `or` and `not` combine."""
