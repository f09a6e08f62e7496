"""The keys of a Terraform root module as the rules about keys see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from functools import cache

from keyrules.code.block_rules import TERRAFORM_BLOCKS
from keyrules.code.grants import Held
from keyrules.code.keys import JUDGED_ONCE, Attribute, ConsolePassword, Key, KeyCall, KeySet, Unread
from keyrules.code.rotation.clock import SECONDS_PER_DAY, period_text
from keyrules.code.rotation.rotation import judge_rotation
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.evidence import files_behind
from keyrules.code.terraform.grants import grants
from keyrules.code.terraform.identity import exclude
from keyrules.code.terraform.instances import blocks
from keyrules.code.terraform.keys import (
    DeclaredKey,
    active_when,
    declared_keys,
    exclusive,
    module_instances,
    needs,
    user_of,
)
from keyrules.code.terraform.known_modules import SET, KnownCall, known_call
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import depends_on_inputs
from keyrules.code.terraform.repetition import may_be_several
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.verdict import Opinion, TimedContext
from keyrules.model import Status

_LOGIN_PROFILE = "aws_iam_user_login_profile."
_META = frozenset({"count", "for_each"})
"""What says how many blocks there are, and nothing of one that is declared."""


def key_set(root: Scope) -> KeySet:
    """The keys of a root module and of the modules that it calls."""
    pairs = [_key(source) for source in declared_keys(root)]
    found = {id(key): source for key, source in pairs}
    profiles = _profiles(root)

    def together(first: Key, second: Key) -> bool:
        return not exclusive(found[id(first)], found[id(second)])

    def passwords(key: Key) -> Sequence[ConsolePassword]:
        active = active_when(found[id(key)])
        return [
            ConsolePassword(f"{frame.scope.prefix}{block.name}", block.path, block.start_line)
            for frame, block in profiles.get(key.owner, ())
            if not exclude(active, needs(block, frame))
        ]

    given = cache(lambda: grants(root, lambda key: found[id(key)]))

    def held(key: Key) -> Held:
        return given().held_by(key)

    return KeySet(
        [key for key, _ in pairs], together, passwords, held, list(_calls(root)), list(blocks(root, TERRAFORM_BLOCKS))
    )


def _key(source: DeclaredKey) -> tuple[Key, DeclaredKey]:
    owner = user_of(source.declared, source.frame)

    def rotation(context: TimedContext) -> Opinion:
        verdict = judge_rotation(source, context)
        return Opinion(verdict.status, verdict.reason, verdict.message, verdict.facts, verdict.trace, verdict.evidence)

    key = Key(
        source.declared.name.split(".")[0],
        source.declared.path,
        source.address,
        source.declared.start_line,
        source.declared.end_line,
        lambda name: attribute(source.declared, source.frame, name),
        status=attribute(source.declared, source.frame, "status"),
        owner=owner,
        owner_shown=owner.shown,
        rotation=rotation,
        evidence=lambda names: _evidence(source, names),
        caveat=JUDGED_ONCE if source.repeated else "",
        several=may_be_several(source.declared, source.frame),
    )
    return key, source


def _evidence(source: DeclaredKey, names: Sequence[str]) -> frozenset[str]:
    """The files behind some arguments of a key, and behind whether it is declared: its own count or for_each and those
    of the calls of its modules."""
    files = set(files_behind([source.declared.value(name) for name in (*names, *sorted(_META))], source.frame))
    files.update(source.declared.overrides)
    scope = source.frame.scope
    while scope.parent is not None and scope.call is not None:
        files |= files_behind(
            [scope.call.value(name) for name in sorted(_META)], Frame(scope.parent, scope.key, scope.call)
        )
        files.add(scope.call.path)
        scope = scope.parent
    return frozenset(files)


def attribute(declared: Declaration, frame: Frame, name: str) -> Attribute:
    """What is known of one argument of a block that is declared."""
    expr = None if name in _META else declared.value(name)
    value = evaluate(expr, frame)
    if value is UNKNOWN:
        return Unread.OPEN if depends_on_inputs(expr, frame.scope) else Unread.SET
    return Unread.ABSENT if value is None else value


def _profiles(root: Scope) -> dict[Hashable, list[tuple[Frame, Declaration]]]:
    """The login profiles of a root module and of what it calls, by user."""
    found: dict[Hashable, list[tuple[Frame, Declaration]]] = defaultdict(list)
    for scope in module_instances(root):
        for name, declared in sorted(scope.module.resources.items()):
            if name.startswith(_LOGIN_PROFILE):
                keys = instance_keys(declared, scope)
                for each in (None,) if keys is None else keys:
                    frame = Frame(scope, each, declared)
                    found[user_of(declared, frame)].append((frame, declared))
    return found


def _calls(root: Scope) -> Iterator[KeyCall]:
    """The calls of modules that are not here and create a key, or may."""
    for scope in module_instances(root):
        for _, call in sorted(scope.module.calls.items()):
            found = known_call(call, scope)
            if found is not None and found.creates is not False and (found.modules or found.hinted):
                yield _call(found)


def _call(found: KnownCall) -> KeyCall:
    def rotation(context: TimedContext) -> Opinion:
        return _rotation_of_call(found, context)

    def attribute_of(name: str) -> Attribute:
        values = [found.argument(each) for each in found.pgp_arguments] if name == "pgp_key" else []
        given = [value for value in values if value is not None]
        value = given[0] if given else None
        if value is UNKNOWN:
            return Unread.OPEN
        return Unread.SET if value is SET else Unread.ABSENT if value is None else value

    call = found.call
    return KeyCall(
        "module",
        call.path,
        found.address,
        call.start_line,
        call.end_line,
        attribute_of,
        status=Unread.ABSENT,
        owner=None,
        owner_shown="the user",
        rotation=rotation,
        caveat=_caveat(found),
        known=bool(found.modules),
    )


def _caveat(found: KnownCall) -> str:
    if found.creates is not None and not found.open_version:
        return ""
    what = "its version, which is no number," if found.open_version else "an input"
    return f"{what} decides whether the module creates a key; judged as if it did"


def _rotation_of_call(found: KnownCall, context: TimedContext) -> Opinion:
    """KEY_AWS_001 on a call: whether the module replaces its key by itself, in every version that it may be."""
    if not found.modules:
        message = (
            "asks a module that is not here for an access key; run `terraform init` where you scan, or scan the plan"
        )
        return Opinion(Status.UNKNOWN, "module_not_read", f"{found.address} {message}")
    periods = found.periods
    if 0 in periods:
        message = "this module creates an access key that nothing replaces; use a role, or declare a key that rotates"
        return Opinion(Status.FAIL, "rotation_missing", message)
    seconds = [period for period in periods if period is not None]
    limit = context.limit("max_age_days")
    if len(seconds) < len(periods):
        message = "this module replaces its access key after a period that is not resolved here"
        return Opinion(Status.UNKNOWN, "rotation_unknown", message)
    days = period_text(max(seconds) / SECONDS_PER_DAY)
    if max(seconds) > limit * SECONDS_PER_DAY:
        message = f"this module replaces its access key every {days}, more than the {limit} days allowed"
        return Opinion(Status.FAIL, "rotation_too_slow", message)
    return Opinion(Status.PASS, "rotation_fires", f"this module replaces its access key every {days}")
