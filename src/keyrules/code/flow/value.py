"""What a value carries of access keys' secrets: nothing, text that holds some, or parts of which some hold some.

Only the way a secret took is kept, never a secret. Structure is kept where it can be, so that `local.k.id` is clean
although `local.k.secret` beside it is not; a structure that grows too large is treated as one text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeAlias

from keyrules.code.block_rules import SERVICE_CREDENTIAL
from keyrules.code.key_words import names_secret
from keyrules.code.terraform.keys import KEY_TYPES
from keyrules.model import TraceStep
from keyrules.records import dataclass, field, replace

_KEY = ("secret", "ses_smtp_password_v4", "ses_smtp_password")
"""The SMTP password is derived from the secret and is as good; its older form went with version 3 of the provider."""

SECRETS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(KEY_TYPES, _KEY),
    **dict.fromkeys(SERVICE_CREDENTIAL, ("service_password", "service_credential_secret")),
}
"""The secret attributes of the resources that have some, by type."""

SECRET_ATTRIBUTES = tuple(dict.fromkeys(name for names in SECRETS.values() for name in names))

_MAX_SIZE = 1024

Kind: TypeAlias = Literal["text", "list", "object"]


@dataclass(frozen=True)
class Source:
    """One secret attribute of a declared key, by the key's address without instance keys.

    `unmasked` says that `nonsensitive()` has taken Terraform's mark off, `guessed` that only the name of an output, of
    a module or a state that is not read, says that it is one. Without an attribute it is any output of that, and none
    that counts until it is asked for by such a name.
    """

    key: str
    attribute: str
    unmasked: bool = False
    guessed: bool = False


def output_secret(address: str, name: str, *, guessed: bool) -> Source:
    """The secret that an output of a module, a state or a stack gives out."""
    return Source(address, SECRET_ATTRIBUTES[1 if "smtp" in name.lower() else 0], guessed=guessed)


@dataclass(frozen=True, eq=False)
class Trail:
    """The way of a secret: its last stop, and the way to there."""

    last: TraceStep
    before: Trail | None = None
    length: int = 1

    @property
    def stops(self) -> tuple[TraceStep, ...]:
        """All stops from the key on."""
        found: list[TraceStep] = []
        trail: Trail | None = self
        while trail is not None:
            found.append(trail.last)
            trail = trail.before
        return tuple(reversed(found))


@dataclass(frozen=True, eq=False)
class Value:
    """`secrets` is everything carried anywhere in the value, each by its shortest way.

    `parts` are the known members of a list or object by name or index, `rest` stands for members of unknown name and
    `names` for the names themselves; what carries nothing is left out. `decoded` is what an encoded text was made from.
    """

    kind: Kind = "text"
    secrets: Mapping[Source, Trail] = field(default_factory=dict)
    parts: Mapping[str, Value] = field(default_factory=dict)
    rest: Value | None = None
    names: Value | None = None
    decoded: Value | None = None
    size: int = 0


CLEAN = Value()
"""Carries nothing."""


def text(*values: Value) -> Value:
    """One text made from values: it carries what any of them carries."""
    carrying = [value for value in values if value.secrets]
    if len(carrying) == 1 and carrying[0].kind == "text" and carrying[0].decoded is None:
        return carrying[0]
    return Value("text", _shortest(carrying), size=1) if carrying else CLEAN


def secret_text(source: Source, step: TraceStep) -> Value:
    """The secret itself, at the start of its way."""
    return Value("text", {source: Trail(step)}, size=1)


def container(kind: Kind, parts: Mapping[str, Value], rest: Value = CLEAN, names: Value = CLEAN) -> Value:
    """A list or object with known members, a stand-in for members of unknown name, and one for an object's names."""
    carrying = {name: part for name, part in parts.items() if part.secrets}
    inside = [*carrying.values(), *(value for value in (rest, names) if value.secrets)]
    if not inside:
        return CLEAN
    size = 1 + sum(value.size for value in inside)
    if size > _MAX_SIZE:
        return text(*inside)
    return Value(
        kind, _shortest(inside), carrying, rest if rest.secrets else None, names if names.secrets else None, size=size
    )


def encoded(value: Value) -> Value:
    """A text that decoding turns back into the value."""
    return replace(text(value), decoded=value) if value.secrets else CLEAN


def union(values: Iterable[Value]) -> Value:
    """Any one of the values."""
    carrying = [value for value in values if value.secrets]
    if len(carrying) <= 1:
        return carrying[0] if carrying else CLEAN
    kinds = {value.kind for value in carrying}
    if len(kinds) > 1 or "text" in kinds:
        return text(*carrying)
    known = dict.fromkeys(name for value in carrying for name in value.parts)
    parts = {name: union(value.parts[name] for value in carrying if name in value.parts) for name in known}
    rest, named = union(value.rest or CLEAN for value in carrying), union(names(value) for value in carrying)
    return container(carrying[0].kind, parts, rest, named)


def names(value: Value) -> Value:
    """Any one key of what a loop goes over: the members themselves are those of a set, a text stands for its parts."""
    return value.names or CLEAN if value.kind == "object" else members(value)


def members(value: Value) -> Value:
    """Any one member of a list or object; a text stands for its own parts."""
    if value.kind == "text":
        return value
    return union([*value.parts.values(), *([value.rest] if value.rest else [])])


def part(value: Value, name: str | None) -> Value:
    """The member of that name or index; None is a name that the code does not decide."""
    if value.kind == "text":
        return _asked_for(value, name)
    if name is None:
        return members(value)
    if value.kind == "list" and not name.isdecimal():
        # Terraform 0.11 let an attribute of a list's only member be named directly.
        return part(members(value), name)
    return union([value.parts.get(name, CLEAN), _asked_for(value.rest or CLEAN, name)])


def _asked_for(value: Value, name: str | None) -> Value:
    """What is behind a text by a name: of what is not read, the output of that name."""
    if value.kind != "text" or name is None or all(source.attribute for source in value.secrets):
        return value
    found = {
        source if source.attribute else output_secret(source.key, name, guessed=True): trail
        for source, trail in value.secrets.items()
        if source.attribute or names_secret(name)
    }
    return replace(value, secrets=found) if found else CLEAN


def then(value: Value, step: TraceStep) -> Value:
    """The value after one more stop on the way of everything in it."""
    return _each_trail(value, lambda source, trail: (source, Trail(step, trail, trail.length + 1)))


def unmasked(value: Value) -> Value:
    """The value after `nonsensitive()`."""
    return _each_trail(value, lambda source, trail: (replace(source, unmasked=True), trail))


def _each_trail(value: Value, change: Callable[[Source, Trail], tuple[Source, Trail]]) -> Value:
    if not value.secrets:
        return CLEAN
    return Value(
        value.kind,
        dict(change(source, trail) for source, trail in value.secrets.items()),
        {name: _each_trail(member, change) for name, member in value.parts.items()},
        _each_trail(value.rest, change) if value.rest else None,
        _each_trail(value.names, change) if value.names else None,
        _each_trail(value.decoded, change) if value.decoded else None,
        value.size,
    )


def _shortest(values: Iterable[Value]) -> Mapping[Source, Trail]:
    found: dict[Source, Trail] = {}
    for value in values:
        for source, trail in value.secrets.items():
            if source not in found or trail.length < found[source].length:
                found[source] = trail
    return found
