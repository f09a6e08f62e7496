"""The patterns of policies, which `*` and `?` make: what they match, cover and have in common.

A pattern can hold HOLE where text is not known, as code has it whose inputs have no values: `arn:aws:s3:::` and HOLE is
not every resource, whatever is filled in.
"""

from __future__ import annotations

from collections.abc import Iterable

HOLE = "\ue002"
"""Text that is not known, of any length; a private-use character, which no policy holds."""

_ACTIONS = ("a:b", "some-service:SomeAction")
_RESOURCES = ("*", "arn:aws:iam::123456789012:user/name")
"""What calls ask for that concern no single resource is the resource `*`, which `arn:aws:*` does not match."""


def is_every_action(pattern: str) -> bool:
    """Whether a pattern matches every action: `*`, `*:*`, `?*` and the like. One with a hole does not."""
    return not pattern.strip("*?:") and all(_matches(pattern, sample) for sample in _ACTIONS)


def is_every_resource(pattern: str) -> bool:
    """Whether a pattern matches every resource."""
    return not pattern.strip("*?") and all(_matches(pattern, sample) for sample in _RESOURCES)


def covers(outer: str, inner: str) -> bool:
    """Whether whatever matches the pattern `inner` surely matches `outer` too."""
    return HOLE not in outer and _matches(outer, inner, exact=True)


def meet(one: str, other: str) -> bool:
    """Whether some text could match both patterns, with any text in their holes."""
    one, other = one.replace(HOLE, "*"), other.replace(HOLE, "*")
    seen, todo = {(0, 0)}, [(0, 0)]
    while todo:
        left, right = todo.pop()
        if left == len(one) and right == len(other):
            return True
        a, b = one[left : left + 1], other[right : right + 1]
        steps: list[tuple[int, int]] = []
        if a == "*":
            steps += [(left + 1, right), *([(left, right + 1)] if b else [])]
        if b == "*":
            steps += [(left, right + 1), *([(left + 1, right)] if a else [])]
        if a and b and (a == b or "?" in (a, b)):
            steps.append((left + 1, right + 1))
        todo += [step for step in steps if step not in seen]
        seen.update(steps)
    return False


def filled(patterns: Iterable[str]) -> list[str]:
    """The patterns with whatever matches most in their holes."""
    return [pattern.replace(HOLE, "*") for pattern in patterns]


def _matches(pattern: str, text: str, *, exact: bool = False) -> bool:
    """Whether a pattern matches a text; with `exact` the text is itself a pattern, whose `*` only `*` matches."""
    wide = ("*", HOLE) if exact else ()
    at = done = since = 0
    star = -1
    while done < len(text):
        here = pattern[at : at + 1]
        if here == "*":
            star, since, at = at, done, at + 1
        elif here == text[done] or (here == "?" and text[done] not in wide):
            at, done = at + 1, done + 1
        elif star >= 0:
            at, since = star + 1, since + 1
            done = since
        else:
            return False
    return not pattern[at:].strip("*")
