"""The keys of a Terraform root module as the rules about keys see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from keyrules.code.keys import Attribute, ConsolePassword, Key, KeySet, Subject, Unread
from keyrules.code.rotation.rotation import judge_rotation
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.hcl.ast import Literal
from keyrules.code.terraform.identity import exclude
from keyrules.code.terraform.keys import (
    DeclaredKey,
    active_when,
    declared_keys,
    exclusive,
    module_instances,
    needs,
    user_of,
)
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import depends_on_inputs
from keyrules.code.terraform.repetition import may_be_several
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.trigger_words import MODULE_SOURCES
from keyrules.code.verdict import Opinion, TimedContext

JUDGED_ONCE = "count or for_each cannot be resolved; judged as if declared once"

_LOGIN_PROFILE = "aws_iam_user_login_profile."
_META = frozenset({"count", "for_each"})
"""What says how many blocks there are, and nothing of one that is declared."""

_KEY_MODULES = tuple(word.decode() for word in MODULE_SOURCES)


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

    return KeySet([key for key, _ in pairs], together, passwords, list(_calls(root)))


def _key(source: DeclaredKey) -> tuple[Key, DeclaredKey]:
    owner = user_of(source.declared, source.frame)

    def rotation(context: TimedContext) -> Opinion:
        verdict = judge_rotation(source, context)
        return Opinion(verdict.status, verdict.reason, verdict.message, verdict.facts, verdict.trace)

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
        caveat=JUDGED_ONCE if source.repeated else "",
        several=may_be_several(source.declared, source.frame),
    )
    return key, source


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


def _calls(root: Scope) -> Iterator[Subject]:
    """The calls of modules that are known to create keys, by their source."""
    for scope in module_instances(root):
        for name, call in sorted(scope.module.calls.items()):
            source = call.value("source")
            text = source.value if isinstance(source, Literal) else None
            known = isinstance(text, str) and any(word in text for word in _KEY_MODULES)
            if known and scope.child(name) is None and instance_keys(call, scope) != ():
                yield _call(call, scope)


def _call(call: Declaration, scope: Scope) -> Subject:
    frame = Frame(scope, None, call)
    return Subject(
        "module",
        call.path,
        f"{scope.prefix}module.{call.name}",
        call.start_line,
        call.end_line,
        lambda name: attribute(call, frame, name),
    )
