"""What a module's `terraform` blocks say about a new clock: whether Terraform is new enough, and its provider.

`terraform_data` came with Terraform 1.4. A provider that no required_providers block names is taken from hashicorp/, so
that a new clock needs no entry; a module that lists its providers gets one, as its other providers have.
https://developer.hashicorp.com/terraform/language/providers/requirements
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from keyrules.code.patches.files import BlockEditor, Files, Left, Marks
from keyrules.code.patches.layout import ArgumentAt, BlockAt, Layout
from keyrules.code.terraform.hcl.ast import HclSyntaxError, Literal, ObjectExpr
from keyrules.code.terraform.scope import Scope
from keyrules.code.terraform.versions import overlap

_SOURCE = "hashicorp/time"
_SAME = frozenset({_SOURCE, f"registry.terraform.io/{_SOURCE}", f"registry.opentofu.org/{_SOURCE}"})
_NEEDED = ">= 1.4.0"


def refuse_old_terraform(scope: Scope, files: Files) -> None:
    """Raises Left where the module, or one that calls it, is for a Terraform without terraform_data."""
    each: Scope | None = scope
    while each is not None:
        for _, layout, block in _settings(each, files):
            wanted = block.argument("required_version")
            value = layout.value(wanted) if wanted is not None else None
            text = value.value if isinstance(value, Literal) else None
            if isinstance(text, str) and overlap(text, _NEEDED) is False:
                raise Left(f'is for Terraform "{text}", and what carries a rotation needs Terraform 1.4')
        each = each.parent


def declare_time(scope: Scope, files: Files, marks: Marks) -> None:
    """Lists hashicorp/time in a module that lists its providers and has no clock yet. Raises Left where the module
    has another provider of that name."""
    for path, layout, block in _settings(scope, files):
        listed = block.nested("required_providers")
        if listed is None:
            continue
        sources = {argument.name: _source(layout, argument) for argument in listed.arguments}
        if sources.get("time", _SOURCE) not in _SAME:
            raise Left("stands in a module whose provider time is not hashicorp/time")
        uses = any(name.startswith("time_") for name in scope.module.resources)
        if _SAME.isdisjoint(sources.values()) and "time" not in sources and not uses:
            _add(files, path, marks)
        return


def _add(files: Files, path: str, marks: Marks) -> None:
    def find(layout: Layout) -> BlockAt | None:
        found = (block.nested("required_providers") for block in layout.blocks if block.type == "terraform")
        return next((block for block in found if block is not None), None)

    BlockEditor(files, path, find, marks).add([f'time = {{\n  source = "{_SOURCE}"\n}}'])


def _settings(scope: Scope, files: Files) -> Iterator[tuple[str, Layout, BlockAt]]:
    """The `terraform` blocks of a module's own files in native syntax."""
    for name in scope.module.files:
        path = str(Path(scope.module.path, name))
        if not name.endswith(".json"):
            try:
                layout = files.layout(path)
            except (Left, HclSyntaxError):
                continue
            yield from ((path, layout, block) for block in layout.blocks if block.type == "terraform")


def _source(layout: Layout, argument: ArgumentAt) -> str:
    """The source of an entry, hashicorp's where it names none."""
    value = layout.value(argument)
    if isinstance(value, ObjectExpr):
        for name, given in value.items:
            if name == Literal("source") and isinstance(given, Literal):
                return str(given.value)
    return f"hashicorp/{argument.name}"
