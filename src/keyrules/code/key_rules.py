"""The rules about how a key is declared, each decided once for source, plan and template, with one text.

KEY_AWS_001 asks the reader how its language rotates; everything around that, and the other rules, are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from keyrules.code.definitions import judge_definition
from keyrules.code.keys import Block, Key, KeySet, Subject, Unread
from keyrules.code.verdict import Opinion, TimedContext, Verdict, listed
from keyrules.model import Status, TraceStep
from keyrules.policies.administrators import administrator
from keyrules.policies.policy import Answer
from keyrules.policies.rotation_denials import denies_rotation
from keyrules.records import dataclass, replace

KeyRule: TypeAlias = Callable[[Key, KeySet, TimedContext], Opinion]
BlockRule: TypeAlias = Callable[[Block, TimedContext], "Opinion | None"]
"""None where a block does not concern the rule."""

_NOT_ACTIVE = Opinion(Status.PASS, "not_active", "the key is declared Inactive")


def rotation(key: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_001: an active key has a rotation that fires in time."""
    return _NOT_ACTIVE if key.inactive else key.rotation(context)


def one_active_key(key: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_003: no user has two active keys that can be declared together."""
    if key.inactive:
        return _NOT_ACTIVE
    others = sorted(keys.beside(key), key=lambda other: other.address)
    if others:
        names = listed([other.address for other in others])
        return Opinion(
            Status.FAIL,
            "several_active_keys",
            f"{key.owner_shown} also has {names}; keep one active key and set the other to Inactive or remove it",
            {"active_keys": len(others) + 1, "others": names},
            tuple(TraceStep(other.address, other.path, other.start_line) for other in others),
        )
    if key.several:
        message = (
            f"how many keys {key.owner_shown} gets here cannot be resolved; give count or for_each a value, or scan "
            "the plan"
        )
        return Opinion(Status.UNKNOWN, "several_keys_possible", message)
    return Opinion(Status.PASS, "only_active_key", f"the only active key of {key.owner_shown}")


def no_console_user(key: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_004: no user gets a console password and an active access key in the same configuration."""
    if key.inactive:
        return _NOT_ACTIVE
    beside = keys.passwords(key)
    if not beside:
        return Opinion(Status.PASS, "no_console_password", f"{key.owner_shown} gets no console password here")
    first = beside[0]
    return Opinion(
        Status.FAIL,
        "console_user_with_key",
        f"{key.owner_shown} gets a console password from {first.label} and this access key at setup; people sign in, "
        "workloads use roles: drop one of the two",
        {"login_profile": first.label},
        tuple(TraceStep(profile.label, profile.path, profile.line) for profile in beside),
    )


def encrypted_in_state(key: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_008: every key names a PGP key, without which the provider writes the secret into the state as it is."""
    if key.leaves_state:
        return Opinion(Status.PASS, "leaves_state", "the key leaves the Terraform state with this plan")
    value = key.attribute("pgp_key")
    if value is Unread.OPEN:
        return Opinion(Status.UNKNOWN, "pgp_key_unknown", f"pgp_key {key.open_because}")
    if value is Unread.ABSENT or (isinstance(value, str) and not value.strip()):
        how = "there is no pgp_key" if value is Unread.ABSENT else "pgp_key is empty"
        message = f"{how}, so the secret stands in plain text in the Terraform state; set pgp_key"
        return Opinion(Status.FAIL, "no_pgp_key", message)
    return Opinion(Status.PASS, "pgp_key_set", "the state holds the secret encrypted")


def no_administrator(key: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_020: no user with an active key is an administrator by what the same configuration gives it."""
    if key.inactive:
        return _NOT_ACTIVE
    held = keys.held(key)
    decision = administrator([policy for policy, _ in held.policies], held.boundary)
    if decision.answer in (Answer.NO, Answer.CONDITIONAL) and held.possible:
        wider = administrator([policy for policy, _ in (*held.policies, *held.possible)], held.boundary)
        if wider.answer in (Answer.YES, Answer.UNKNOWN):
            message = f"{key.owner_shown} may be an administrator, which only an input decides"
            return Opinion(Status.UNKNOWN, "rights_unknown", f"{message}: {wider.because}", {}, held.way(wider.by))
    trace = held.way(decision.by)
    if decision.answer is Answer.YES:
        message = (
            f"{key.owner_shown} is an administrator with an access key: {decision.because}; use a role for this, or "
            "give the user what it needs"
        )
        return Opinion(Status.FAIL, "administrator_with_key", message, {}, trace)
    if decision.answer is Answer.UNKNOWN:
        message = f"whether {key.owner_shown} is an administrator cannot be told: {decision.because}"
        return Opinion(Status.UNKNOWN, "rights_unknown", message, {}, trace)
    if decision.answer is Answer.CONDITIONAL:
        return Opinion(Status.PASS, "administrator_limited", f"{key.owner_shown} is limited: {decision.because}")
    return Opinion(Status.PASS, "no_administrator", f"{key.owner_shown} is no administrator here")


def may_rotate(key: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_029: no policy of the same configuration denies the user of an active key what a rotation calls."""
    if key.inactive:
        return _NOT_ACTIVE
    held = keys.held(key)
    own = [policy for policy, _ in held.policies] + ([] if held.boundary is None else [held.boundary])
    # What is declared elsewhere is for the live plane, where every document is known.
    decision = denies_rotation([policy for policy in own if policy.is_stated], held.arn)
    if decision.answer in (Answer.NO, Answer.CONDITIONAL):
        wider = denies_rotation([policy for policy, _ in held.possible if policy.is_stated], held.arn)
        if wider.answer in (Answer.YES, Answer.UNKNOWN):
            why = f"only an input decides whether this holds for {key.owner_shown}: {wider.because}"
            decision = replace(wider, answer=Answer.UNKNOWN, because=why)
    trace = held.way(decision.by)
    if decision.answer is Answer.YES:
        message = f"{key.owner_shown} cannot rotate its own keys: {decision.because}; let it, or say who rotates them"
        return Opinion(Status.FAIL, "rotation_denied", message, {}, trace)
    if decision.answer is Answer.UNKNOWN:
        message = f"whether {key.owner_shown} may rotate its own keys cannot be told: {decision.because}"
        return Opinion(Status.UNKNOWN, "policies_unknown", message, {}, trace)
    reason = "rotation_denied_conditionally" if decision.answer is Answer.CONDITIONAL else "rotation_not_denied"
    return Opinion(Status.PASS, reason, decision.because)


@dataclass(frozen=True)
class Words:
    """What is said of a rule that its own file decides: of a failure, of a pass, and of what cannot be told, with the
    start of its sentence."""

    failed: tuple[str, str]
    passed: str
    undecided: Opinion


WORDS: Mapping[str, Words] = {
    "KEY_AWS_005": Words(
        ("root_user_key", "this key is for the root user, which nothing can restrict; delete it and use a role"),
        "the key is not for the root user",
        # A user that the code does not show is not the literal root user, and that is what the rule says.
        Opinion(Status.PASS, "user_open", "the user is not the literal root user: it"),
    ),
    "KEY_AWS_006": Words(
        (
            "inactive_key_kept",
            "this key is declared Inactive and can be switched on again; delete it once nothing misses it",
        ),
        "the key is not declared Inactive",
        Opinion(
            Status.UNKNOWN,
            "status_unknown",
            "the status",
        ),
    ),
    "KEY_AWS_007": Words(
        (
            "long_lived_key",
            "this declares a long-lived access key; use a role or IAM Identity Center, which give temporary "
            "credentials",
        ),
        "no long-lived access key is declared here",
        Opinion(
            Status.UNKNOWN,
            "key_undecided",
            "whether a key is declared here",
        ),
    ),
}


def as_the_rule_says(key: Subject, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_005 to 007: what the `definition` of the rule's own file says of the key."""
    words = WORDS[context.rule.id]
    truth = judge_definition(context.rule.definition, key)
    if truth is None:
        why = key.open_because if isinstance(key, Key) else Key.open_because
        return replace(words.undecided, message=f"{words.undecided.message} {why}")
    return Opinion(Status.PASS, "compliant", words.passed) if truth else Opinion(Status.FAIL, *words.failed)


def key_verdicts(rule: KeyRule, keys: KeySet, context: TimedContext, rests_on: Sequence[str] = ()) -> list[Verdict]:
    """One verdict of the context's rule on each key of a unit; `rests_on` are the arguments that the rule looks at."""
    return [_on_key(key, rule, keys, context, rests_on) for key in keys.keys]


def no_key_by_call(call: Key, keys: KeySet, context: TimedContext) -> Opinion:
    """KEY_AWS_007 on a module call: none that creates a key."""
    return Opinion(Status.FAIL, *WORDS[context.rule.id].failed)


def call_verdicts(rule: KeyRule, keys: KeySet, context: TimedContext, *, unknown: bool) -> list[Verdict]:
    """One verdict on each call of a module that creates a key; of `unknown` ones too, whose arguments ask for one."""
    return [_on_key(call, rule, keys, context, ()) for call in keys.calls if call.known or unknown]


def block_verdicts(rule: BlockRule, blocks: Iterable[Block], context: TimedContext) -> list[Verdict]:
    """One verdict of the context's rule on each block that concerns it."""
    opinions = ((block, rule(block, context)) for block in blocks)
    return [_stated(block, opinion, context) for block, opinion in opinions if opinion is not None]


def _on_key(key: Key, rule: KeyRule, keys: KeySet, context: TimedContext, rests_on: Sequence[str]) -> Verdict:
    opinion = rule(key, keys, context)
    files = key.evidence(rests_on) | {step.path for step in opinion.trace} | set(opinion.evidence)
    return _stated(key, replace(opinion, evidence=tuple(sorted(files - {key.path}))), context)


def _stated(subject: Key | Block, opinion: Opinion, context: TimedContext) -> Verdict:
    """The verdict on a subject, which may never be created, or not for sure."""
    if subject.never:
        opinion = Opinion(Status.PASS, "never_created", subject.never)
    elif subject.caveat and opinion.status is not Status.PASS:
        opinion = replace(opinion, message=f"{opinion.message} ({subject.caveat})")
    return Verdict(
        context.rule.id,
        opinion.status,
        subject.path,
        subject.address,
        subject.start_line,
        subject.end_line,
        opinion.reason,
        opinion.message,
        opinion.facts,
        opinion.trace,
        opinion.evidence,
    )
