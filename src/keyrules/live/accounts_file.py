"""The file that lists accounts, which `keyrules accounts` writes and people may. That of c7n-org is one, too.

    accounts:
      - account_id: "111111111111"               # in quotes, because YAML takes leading zeros away
        name: prod                               # optional
        role: keyrules-audit                     # a name, an ARN, or a list: assumed one after the other
        external_id: 9c1f0a52                    # optional
        profile: audit                           # optional: whose credentials begin
        state: ACTIVE                            # optional: others are skipped, and named

Other keys are allowed and not looked at. What is wrong in one entry costs that entry only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from keyrules.files import read_named
from keyrules.live.roles import is_external_id, is_role
from keyrules.live.targets import ACTIVE, Target, is_account
from keyrules.model import UsageError
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import printable

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER: Final = "tag:yaml.org,2002:int"
_KEYS: Final = ("account_id", "name", "role", "external_id", "profile", "state")


@dataclass(frozen=True)
class AccountsFile:
    """The entries that can be used, and for each other one its place and a sentence that follows it."""

    targets: tuple[Target, ...]
    problems: tuple[tuple[str, str], ...]


def read_accounts(path: Path, default: Target) -> AccountsFile:
    """The entries of a file; what an entry leaves out is as in `default`. UsageError where it is no such file."""
    name = printable(str(path))
    problems: list[tuple[str, str]] = []
    found: dict[str, tuple[int, Target]] = {}
    for line, node in _entries(path):
        try:
            target = _target(node, default)
            if target.account in found:
                first = found[target.account][0]
                raise _Wrong(f"account {target.account} is in line {first} already; keep one of them")
            found[target.account] = (line, target)
        except _Wrong as wrong:
            problems.append((f"{name}, line {wrong.line or line},", f"cannot be used: {wrong}"))
    return AccountsFile(tuple(target for _, target in found.values()), tuple(problems))


def render_accounts(targets: Sequence[Target]) -> str:
    """The file of these accounts, in their order."""
    entries = [
        {
            "account_id": target.account,
            "name": target.name,
            **({"role": target.roles[-1]} if target.roles else {}),
            **({"state": target.state} if target.state != ACTIVE else {}),
        }
        for target in targets
    ]
    head = "# For `keyrules audit --accounts FILE`. Account numbers stay in quotes: YAML takes leading zeros away.\n"
    return head + yaml.dump({"accounts": entries}, sort_keys=False, allow_unicode=True, width=1000)


class _Wrong(Exception):
    """An entry that cannot be used: a sentence without a full stop, and the line, 0 for that of the entry."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


def _entries(path: Path) -> Iterator[tuple[int, yaml.Node]]:
    name = printable(str(path))
    try:
        top = yaml.compose(read_named(str(path)), Loader=_LOADER)
    except OSError as error:
        raise UsageError(f"--accounts: {name} cannot be read: {error.strerror or type(error).__name__}") from None
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"--accounts: {name}{where} is not YAML; `keyrules accounts` writes such a file") from None
    top_level = top.value if isinstance(top, yaml.MappingNode) else []
    listed = next((value for key, value in top_level if key.value == "accounts"), None)
    if not isinstance(listed, yaml.SequenceNode):
        raise UsageError(
            f"--accounts: {name} has no list under `accounts`; write one, or have `keyrules accounts` write it"
        )
    if not listed.value:
        raise UsageError(f"--accounts: {name} lists no account")
    for node in listed.value:
        yield node.start_mark.line + 1, node


def _target(node: yaml.Node, default: Target) -> Target:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong("an entry is a mapping with account_id and role")
    values = _values(node)
    texts = {key: _text(key, values[key]) for key in _KEYS if key in values and key not in ("account_id", "role")}
    external_id = texts.get("external_id", default.external_id)
    if external_id is not None and not is_external_id(external_id):
        raise _Wrong("external_id has 2 to 1,224 letters, digits and _ + = , . @ : / -", _line(values["external_id"]))
    account = _account(values)
    roles = _roles(values["role"]) if "role" in values else default.roles
    profile = texts.get("profile")
    if not roles and profile is None:
        raise _Wrong(f"account {account} has neither role nor profile; write one, or give --role")
    return replace(
        default,
        account=account,
        name=texts.get("name", ""),
        roles=roles,
        external_id=external_id,
        profile=profile,
        state=texts.get("state", ACTIVE).upper(),
    )


def _account(values: dict[str, yaml.Node]) -> str:
    node = values.get("account_id")
    if node is None:
        raise _Wrong("account_id is missing; write the account's number of 12 digits, in quotes")
    text = _text("account_id", node)
    if node.tag == _NUMBER and (text.startswith("0") or len(text) < 12):
        raise _Wrong(
            f"account_id {printable(text)} is a number to YAML, which takes leading zeros away; write all 12 digits in "
            "quotes",
            _line(node),
        )
    if not is_account(text):
        raise _Wrong(
            f"account_id {printable(text)!r} is no account; write its number of 12 digits, in quotes", _line(node)
        )
    return text


def _roles(node: yaml.Node) -> tuple[str, ...]:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    roles = tuple(_text("role", item) for item in items)
    wrong = next((role for role in roles if not is_role(role)), None)
    if wrong is not None or not roles:
        shown = "an empty list" if wrong is None else repr(printable(wrong))
        raise _Wrong(f"role has {shown}; write a role's name, its ARN, or a list of those", _line(node))
    return roles


def _values(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    values: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in _KEYS and key.value in values:
                raise _Wrong(f"the key {key.value} stands there a second time", _line(key))
            values[key.value] = value
    return values


def _text(key: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Wrong(f"{key} is a text", _line(node))
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
