"""What code asks of AWS, by the names of the actions in it."""

from __future__ import annotations

import ast
from pathlib import Path

from keyrules.live.around.documents import DOCUMENTS


def called(folder: Path) -> set[str]:
    """Every action for which the modules of a folder ask."""
    actions = {each.action for each in DOCUMENTS} if folder.name == "live" else set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("ask", "pages")
            ):
                action = node.args[0]
                if isinstance(action, ast.Constant):
                    actions.add(str(action.value))
                else:
                    assert path.name == "aws.py", "elsewhere each action is named where it is asked for"
    return actions
