"""How every rule is decided on code, and what all kinds of unit (root module, plan, template) share in judging one.

Both doors come here by keyrules.code.judges: `keyrules scan`, and the checks that Checkov loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module

from keyrules.code.block_rules import (
    PASSWORD_POLICY,
    SERVICE_CREDENTIAL,
    USER_POLICIES,
    expires,
    long_passwords,
    no_reuse,
    not_in_state,
    through_groups,
)
from keyrules.code.key_rules import (
    BlockRule,
    KeyRule,
    as_the_rule_says,
    block_verdicts,
    call_verdicts,
    encrypted_in_state,
    key_verdicts,
    may_rotate,
    no_administrator,
    no_console_user,
    no_key_by_call,
    one_active_key,
    rotation,
)
from keyrules.code.keys import KeySet
from keyrules.code.session import CheckSession
from keyrules.code.skips import Skips
from keyrules.code.unit_results import Declared, Place
from keyrules.code.verdict import TimedContext, Verdict
from keyrules.model import Status
from keyrules.records import dataclass, field, replace

_TERRAFORM = ("terraform", "plan")
_EVERYWHERE = (*_TERRAFORM, "cloudformation")
_HELD = (*_TERRAFORM, "state")
"""A state says what exists, which is for rules on rights and settings, and not how a key is declared."""


@dataclass(frozen=True)
class Judge:
    """Judges a whole unit: a function by its name, in a module below keyrules.code that is imported where it is needed.

    What judges plans and templates takes as long to import as a module with a key to judge.
    """

    module: str
    function: str

    def __call__(self, *subject: object) -> list[Verdict]:
        """`subject` is a unit as its kind reads it, with the rule's context."""
        return list(getattr(import_module(f"keyrules.code.{self.module}"), self.function)(*subject))


@dataclass(frozen=True)
class CodeRule:
    """How a rule is decided on code: key by key in the kinds of unit named, and on the calls of modules that are not
    here; on the blocks of some types; or on the whole of each kind. `rests_on` are the arguments of a key that it looks
    at, in Terraform's names."""

    on_keys: KeyRule | None = None
    rests_on: tuple[str, ...] = ()
    on_calls: KeyRule | None = None
    on_unknown_calls: bool = False
    kinds: tuple[str, ...] = _EVERYWHERE
    on_whole: Mapping[str, Judge] = field(default_factory=dict)
    on_blocks: BlockRule | None = None
    blocks: tuple[str, ...] = ()

    def decides(self, kind: str) -> bool:
        """Whether the rule can say anything of a unit of this kind."""
        return kind in (self.kinds if self.on_keys or self.on_blocks else self.on_whole)

    def on_key_of(self, kind: str) -> bool:
        """Whether the rule can say anything of a key in a unit of this kind."""
        return self.decides(kind) and (self.on_keys is not None or kind in self.on_whole)


RULES: Mapping[str, CodeRule] = {
    "KEY_AWS_001": CodeRule(rotation, ("status",), rotation, on_unknown_calls=True),
    "KEY_AWS_003": CodeRule(one_active_key, ("user", "status")),
    "KEY_AWS_004": CodeRule(no_console_user, ("user", "status")),
    "KEY_AWS_005": CodeRule(as_the_rule_says, ("user",)),
    "KEY_AWS_006": CodeRule(as_the_rule_says, ("status",)),
    "KEY_AWS_007": CodeRule(as_the_rule_says, on_calls=no_key_by_call),
    # State is Terraform's.
    "KEY_AWS_008": CodeRule(
        encrypted_in_state,
        ("pgp_key",),
        encrypted_in_state,
        kinds=_TERRAFORM,
        on_blocks=not_in_state,
        blocks=SERVICE_CREDENTIAL,
    ),
    "KEY_AWS_009": CodeRule(
        on_whole={
            "terraform": Judge("flow.flow", "judge_outputs"),
            "plan": Judge("plan.outputs", "judge_outputs"),
            "cloudformation": Judge("cloudformation.exposure", "judge_outputs"),
        }
    ),
    "KEY_AWS_010": CodeRule(
        on_whole={
            "terraform": Judge("flow.flow", "judge_sinks"),
            "plan": Judge("plan.sinks", "judge_sinks"),
            "cloudformation": Judge("cloudformation.exposure", "judge_sinks"),
        }
    ),
    # In text it is decided by keyrules.code.literals.
    "KEY_AWS_011": CodeRule(on_whole={"plan": Judge("plan.literals", "judge_literals")}),
    "KEY_AWS_020": CodeRule(no_administrator, ("user", "status"), kinds=(*_HELD, "cloudformation")),
    "KEY_AWS_021": CodeRule(on_blocks=through_groups, blocks=USER_POLICIES, kinds=(*_HELD, "cloudformation")),
    # CloudFormation has no type for these.
    "KEY_AWS_022": CodeRule(on_blocks=expires, blocks=SERVICE_CREDENTIAL, kinds=_HELD),
    "KEY_AWS_024": CodeRule(on_blocks=long_passwords, blocks=PASSWORD_POLICY, kinds=_HELD),
    "KEY_AWS_025": CodeRule(on_blocks=no_reuse, blocks=PASSWORD_POLICY, kinds=_HELD),
    "KEY_AWS_029": CodeRule(may_rotate, ("user", "status"), kinds=(*_HELD, "cloudformation")),
}
"""Every rule that declarations decide; this is the one place where a rule is entered."""


def verdicts_on(kind: str, session: CheckSession, keys: KeySet, *subject: object) -> Iterator[Verdict]:
    """The verdicts of every rule in force; `subject` is the unit for those that are decided on the whole of it."""
    for rule_id in RULES:
        if session.selection.rule(rule_id):
            yield from verdicts_of(rule_id, kind, session.timed_context(rule_id), keys, *subject)


def verdicts_of(rule_id: str, kind: str, context: TimedContext, keys: KeySet, *subject: object) -> Iterator[Verdict]:
    """The verdicts of one rule on a unit of a kind."""
    rule = RULES[rule_id]
    if kind in rule.on_whole:
        yield from rule.on_whole[kind](*subject, context)
    if kind not in rule.kinds:
        return
    if rule.on_blocks is not None:
        yield from block_verdicts(
            rule.on_blocks, [block for block in keys.blocks if block.kind in rule.blocks], context
        )
    if rule.on_keys is not None:
        yield from key_verdicts(rule.on_keys, keys, context, rule.rests_on)
        if rule.on_calls is not None:
            yield from call_verdicts(rule.on_calls, keys, context, unknown=rule.on_unknown_calls)


def unread_verdicts(
    kind: str, places: Iterable[Place], session: CheckSession, why: str, block: str = ""
) -> Iterator[Verdict]:
    """A key that only its name is known of is UNKNOWN to every rule that could have judged it; so is a block of another
    type."""
    for rule_id, rule in RULES.items():
        judges = block in rule.blocks and kind in rule.kinds if block else rule.on_key_of(kind)
        if judges and session.selection.rule(rule_id):
            for place in places:
                message = f"{place.address or block or 'an access key'} cannot be judged: {why}"
                lines = (place.start_line, place.end_line)
                yield Verdict(rule_id, Status.UNKNOWN, place.path, place.address, *lines, "not_evaluated", message)


def idle_skips(skips: Skips) -> list[Place]:
    """Where the comments stand that skip nothing."""
    return [Place(path, comment.ids, comment.line, comment.line) for path, comment in skips.without_effect()]


def with_skips(verdicts: Iterable[Verdict], skips: Skips) -> list[Verdict]:
    """The verdicts, each with the reason of the comment or metadata that skips it."""
    return [
        verdict if verdict.status is Status.PASS else replace(verdict, skipped=skips.reason(verdict))
        for verdict in verdicts
    ]


def add(found: Declared, part: Declared) -> None:
    """Adds what was said of a part of a unit."""
    found.keys += part.keys
    found.verdicts += part.verdicts
    found.problems += part.problems
    found.idle_skips += part.idle_skips
    found.notes += part.notes
