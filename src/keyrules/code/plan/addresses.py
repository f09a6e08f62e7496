"""The addresses of a plan: which module something is in, and under which name."""

from __future__ import annotations

import re

_MODULE_STEP = re.compile(
    r'module\.(?P<name>[^.\[\]"]+)(?:\[(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>\d+))\])?(?:\.|$)'
)


def module_path(address: str) -> tuple[str, ...]:
    """`module.a["x"].module.b` as ("a", "b"): the calls that the configuration knows."""
    return tuple(step["name"] for step in _module_steps(address))


def local_address(address: str) -> str:
    """The address of something within its module: `module.a["x"].aws_iam_user.u` is `aws_iam_user.u`."""
    steps = _module_steps(address)
    return address[steps[-1].end() :] if steps else address


def parent_module(address: str) -> tuple[str, int | str | None]:
    """The address of the calling module and the instance key of the call: `module.a.module.b[0]` is (`module.a`, 0)."""
    steps = _module_steps(address)
    if not steps:
        return "", None
    last = steps[-1]
    key = int(last["number"]) if last["number"] is not None else last["text"]
    return address[: last.start()].rstrip("."), key


def _module_steps(address: str) -> list[re.Match[str]]:
    steps = []
    position = 0
    while match := _MODULE_STEP.match(address, position):
        steps.append(match)
        position = match.end()
    return steps


def static_address(path: tuple[str, ...], name: str) -> str:
    """The address of something in a module, as if nothing on the way were repeated."""
    return "".join(f"module.{call}." for call in path) + name
