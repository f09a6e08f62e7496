"""What the tests of the Terraform rules share: modules written into a folder, and the verdicts of a rule on them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from keyrules.code.judging import verdicts_of
from keyrules.code.terraform.key_set import key_set
from keyrules.code.terraform.module import ModuleReader
from keyrules.code.terraform.scope import Scope
from keyrules.code.verdict import TimedContext, Verdict
from keyrules.model import Selection
from keyrules.pack.catalog import load_pack
from keyrules.records import replace

AS_OF = datetime(2026, 1, 1, tzinfo=timezone.utc)
RULES = load_pack().rules


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes files by their path below a folder, common indentation removed; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def root_scope(folder: Path) -> Scope:
    """The root module in a folder."""
    reader = ModuleReader()
    return Scope(reader.module(str(folder)), reader)


def module(folder: Path, text: str, **files: str) -> Scope:
    """A root module of one file, with further files by their path (`/` written as `__`, the suffix .tf left out)."""
    named = {f"{name.replace('__', '/')}.tf": content for name, content in files.items()}
    return root_scope(write(folder, {"main.tf": text, **named}))


def context(rule_id: str, **overrides: int) -> TimedContext:
    """The context of a rule of the pack, with parameter values in place of their defaults."""
    selection = Selection(RULES, {(rule_id, name): value for name, value in overrides.items()})
    rule = selection.rule(rule_id)
    assert rule is not None
    return TimedContext(rule, selection, AS_OF)


def judged(rule_id: str, root: Scope, **overrides: int) -> dict[str, Verdict]:
    """The verdicts of a rule on a root module, by address; every subject has exactly one."""
    # Calls of modules have tests of their own.
    keys = replace(key_set(root), calls=())
    verdicts = list(verdicts_of(rule_id, "terraform", context(rule_id, **overrides), keys, root))
    found = {verdict.address: verdict for verdict in verdicts}
    assert len(found) == len(verdicts), "two verdicts on one address"
    return found


def outcomes(rule_id: str, root: Scope) -> dict[str, tuple[str, str]]:
    """Status and reason by address."""
    return {address: (v.status.value, v.reason) for address, v in judged(rule_id, root).items()}
