"""Where the code of a called module lies: what its `source` is worth, and which folder that is.

Terraform evaluates a source without variables and functions (parentheses, conditionals and templates of constants are
accepted), OpenTofu from 1.8 on also with variables, locals and `path.module`. Both follow links: `../x` in a folder
that is a link leads out of where the link points to.
https://developer.hashicorp.com/terraform/language/modules/sources and
https://opentofu.org/docs/language/modules/sources/#support-for-variable-and-local-evaluation
"""

from __future__ import annotations

from pathlib import Path

from keyrules.code.file_paths import module_folder
from keyrules.code.terraform.downloaded import downloaded
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate
from keyrules.code.terraform.hcl.ast import Literal
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.records import dataclass


@dataclass(frozen=True)
class ModuleSource:
    """What a module call names as its source.

    `text` is the source after evaluation, None where it does not resolve, empty where it is no text. `folder` is the
    absolute path of its code, None for code that is not on this machine; `skipped` says why a downloaded copy is not
    read.
    """

    text: str | None
    folder: str | None = None
    skipped: str | None = None


def module_source(call: Declaration, scope: Scope) -> ModuleSource:
    """The source of a call that stands in `scope`, worked out once for each."""
    node = ("source", call.name)
    if node not in scope.memo:
        # While it is being worked out, it does not resolve: an expression that needs its own module has no value.
        scope.memo[node] = ModuleSource(None)
        scope.memo[node] = _worked_out(call, scope)
    found: ModuleSource = scope.memo[node]
    return found


def _worked_out(call: Declaration, scope: Scope) -> ModuleSource:
    # A source that starts at `path.module` starts at the module's own folder.
    value = evaluate(call.value("source"), Frame(scope, bindings={"path": {"module": "."}}))
    if not isinstance(value, str):
        # Terraform refuses what is known and no text, and creates nothing then.
        return ModuleSource(None if value is UNKNOWN else "")
    folder = module_folder(scope.module.path, value) or _from_root(call, scope, value)
    if folder is not None:
        return ModuleSource(value, folder)
    copy = downloaded(scope, call, value)
    return ModuleSource(value, copy.folder, copy.skipped)


def _from_root(call: Declaration, scope: Scope, source: str) -> str | None:
    """The folder of a computed source that starts at the root, as `path.module` does in a called module."""
    folder = Path(scope.root.module.path, source)
    computed = scope.parent is not None and not isinstance(call.value("source"), Literal)
    return str(folder.resolve()) if computed and folder.is_dir() else None
