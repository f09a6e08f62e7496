"""Terraform itself as the measure: what it makes of expressions, in one process for hundreds of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TERRAFORM = shutil.which("terraform")
REFUSED = "refused"


@dataclass(frozen=True)
class Number:
    """A number by its decimal text, so that nothing is lost on the way."""

    text: str


@dataclass(frozen=True)
class Answer:
    """What Terraform says an expression is worth, with the type in its JSON form.

    `refused` where it does not, `unknown` where it says that only an apply will tell.
    """

    value: Any = None
    kind: Any = None
    refused: bool = False
    unknown: bool = False


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of terraform in a folder, which knows nothing of the person who runs the tests."""
    assert TERRAFORM is not None, "the caller has looked whether it is there"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment = {**kept, "HOME": str(folder), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        [TERRAFORM, *arguments], cwd=folder, env=environment, text=True, capture_output=True, timeout=300, check=False
    )


def answers(folder: Path, world: str, expressions: Sequence[str]) -> list[Answer]:
    """What Terraform makes of each expression, in a root module that declares `world`."""
    left = {f"e{number}": expression for number, expression in enumerate(expressions)}
    for _ in range(3):
        outputs = [
            f'output "{name}" {{\n  sensitive = true\n  value = try({{ v = {expression} }}, "{REFUSED}")\n}}\n'
            for name, expression in left.items()
        ]
        (folder / "main.tf").write_text(world + "\n" + "".join(outputs), encoding="utf-8")
        done = _plan(folder)
        infinite = set(re.findall(r'output value "(e\d+)": cannot serialize infinity', _flowing(done.stderr)))
        if not infinite:
            break
        left = {name: expression for name, expression in left.items() if name not in infinite}
    assert done.returncode == 0, done.stderr[-3000:]
    shown = run(folder, "show", "-json", "plan.bin")
    assert shown.returncode == 0, shown.stderr[-3000:]
    planned = json.loads(shown.stdout, parse_int=Number, parse_float=Number)["planned_values"]["outputs"]
    # What is infinite cannot be stored, so nothing with it can be applied.
    return [_answer(planned[f"e{n}"]) if f"e{n}" in left else Answer(refused=True) for n in range(len(expressions))]


def _flowing(text: str) -> str:
    """A message without the line ends and the frame that Terraform puts around it."""
    return re.sub(r"[\s│]+", " ", text)


def _plan(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, "plan", "-input=false", "-lock=false", "-refresh=false", "-out=plan.bin", "-no-color")


def _answer(output: Mapping[str, Any]) -> Answer:
    if "value" not in output:
        return Answer(unknown=True)
    if output["value"] == REFUSED:
        return Answer(refused=True)
    return Answer(output["value"].get("v"), output["type"][1]["v"])


def instances(folder: Path, world: str, blocks: Mapping[str, str]) -> dict[str, list[Any] | None]:
    """The keys of each block's instances, None for a block that Terraform refuses. `blocks` are their arguments by
    name; each becomes a terraform_data.
    """
    left = dict(blocks)
    refused: set[str] = set()
    for _ in range(8):
        named = [f'resource "terraform_data" "{name}" {{\n  {body}\n}}\n' for name, body in left.items()]
        (folder / "main.tf").write_text(world + "\n" + "".join(named), encoding="utf-8")
        done = _plan(folder)
        if done.returncode == 0:
            break
        named_in_errors = set(re.findall(r'in resource "terraform_data" "(\w+)"', done.stderr)) & left.keys()
        assert named_in_errors, done.stderr[-3000:]
        refused |= named_in_errors
        left = {name: body for name, body in left.items() if name not in named_in_errors}
    shown = json.loads(run(folder, "show", "-json", "plan.bin").stdout)
    keys: dict[str, list[Any] | None] = {name: None if name in refused else [] for name in blocks}
    for resource in shown["planned_values"].get("root_module", {}).get("resources", ()):
        found = keys[resource["name"]]
        assert found is not None, "what was refused is not planned"
        found.append(resource.get("index"))
    return keys
