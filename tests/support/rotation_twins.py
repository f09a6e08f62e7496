"""Runs the real Terraform on twins of rotations: what fires there is what the verdicts of KEY_AWS_001 must say.

A twin has a terraform_data, which is built into Terraform, for the key, for each clock and for each carrier that a
provider would bring. An expired time_rotating is dropped from the state when it is read, so taking the clocks out of
the state of an applied configuration leaves what Terraform finds on the day of a rotation.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from terraform_cases import write

_MODULE = re.compile(r"\bi(\d+)/|\bmodule\.i(\d+)\b")
_KEY = re.compile(r"module\.i(\d+)\..*terraform_data\.key_")
_CLOCK = "clock_"

# A clock's period is its input; what its provider computes is the id.
_TRANSLATIONS = (
    (r'resource "time_rotating" "(\w+)"', r'resource "terraform_data" "clock_\1"'),
    (r"^\s*rotation_days\s*=\s*(.*)$", r"  input = \1"),
    (r"\btime_rotating\.(\w+)", r"terraform_data.clock_\1"),
    (r"\.rotation_days\b", ".input"),
    (r"\.rotation_rfc3339\b", ".id"),
    (r'resource "aws_iam_access_key" "(\w+)"', r'resource "terraform_data" "key_\1"'),
    (r"\baws_iam_access_key\.(\w+)", r"terraform_data.key_\1"),
    (r"^\s*user\s*=.*$", ""),
    (r'resource "null_resource" "(\w+)"', r'resource "terraform_data" "null_\1"'),
    (r"\bnull_resource\.(\w+)", r"terraform_data.null_\1"),
    (r'resource "random_id" "(\w+)"', r'resource "terraform_data" "random_\1"'),
    (r"\brandom_id\.(\w+)", r"terraform_data.random_\1"),
    (r"\.hex\b", ".id"),
    (r"^\s*(?:triggers|keepers)\s*=\s*(\{.*\})\s*$", r"  triggers_replace = tomap(\1)"),
    (r"\b(?:triggers|keepers)\b", "triggers_replace"),
    (r'resource "time_static" "(\w+)"', r'resource "terraform_data" "static_\1"'),
    (r"\btime_static\.(\w+)", r"terraform_data.static_\1"),
    (r"\brfc3339\b", "triggers_replace"),
)


def twin(text: str) -> str:
    """A configuration with a stand-in for every resource whose provider is not at hand."""
    for pattern, stand_in in _TRANSLATIONS:
        text = re.sub(pattern, stand_in, text, flags=re.MULTILINE)
    return text


class Twins:
    """Configurations side by side in one: each is a module of its own, so that Terraform starts a few times in all."""

    def __init__(self, folder: Path, configurations: Mapping[str, Mapping[str, str]]) -> None:
        self._folder = folder
        self._names = list(configurations)
        self._left = set(range(len(self._names)))
        for number, name in enumerate(self._names):
            write(folder / f"i{number}", {path: twin(text) for path, text in configurations[name].items()})

    def replaced(self) -> dict[str, bool]:
        """By name, whether a key is replaced when the clocks have expired; not where Terraform refuses to."""
        self._without_refused(lambda: self._diagnostics("validate", "-json"))
        self._without_refused(lambda: self._planned()[1])
        self._run("apply", "-auto-approve")
        state = self._folder / "terraform.tfstate"
        document = json.loads(state.read_text(encoding="utf-8"))
        document["resources"] = [each for each in document["resources"] if not each["name"].startswith(_CLOCK)]
        document["serial"] += 1
        state.write_text(json.dumps(document), encoding="utf-8")
        # A plan that fails for one twin says nothing of the others, so it is made again without that one.
        self._without_refused(lambda: self._planned()[1])
        replaced = set()
        for change in self._planned()[0]:
            found = _KEY.match(change["resource"]["addr"])
            if found and change["action"] == "replace":
                replaced.add(int(found[1]))
        return {name: number in replaced for number, name in enumerate(self._names)}

    def _without_refused(self, diagnose: Callable[[], list[str]]) -> None:
        self._write_root()
        while refused := set(map(_number, diagnose())):
            assert refused <= self._left, "Terraform refuses what is no longer there"
            self._left -= refused
            self._write_root()

    def _write_root(self) -> None:
        calls = "".join(f'module "i{number}" {{\n  source = "./i{number}"\n}}\n' for number in sorted(self._left))
        write(self._folder, {"main.tf": calls})
        self._run("init", "-input=false", fails=True)

    def _diagnostics(self, *arguments: str) -> list[str]:
        report = json.loads(self._run(*arguments, fails=True))
        return [json.dumps(each) for each in report["diagnostics"] if each["severity"] == "error"]

    def _planned(self) -> tuple[list[dict[str, Any]], list[str]]:
        lines = self._run("plan", "-json", "-input=false", fails=True).splitlines()
        messages = [json.loads(line) for line in lines if line.startswith("{")]
        changes = [message["change"] for message in messages if message["type"] == "planned_change"]
        errors = [json.dumps(m["diagnostic"]) for m in messages if m["type"] == "diagnostic" and m["@level"] == "error"]
        return changes, errors

    def _run(self, *arguments: str, fails: bool = False) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "CHECKPOINT_DISABLE": "1"}
        done = subprocess.run(
            ["terraform", *arguments], cwd=self._folder, env=environment, capture_output=True, text=True, check=False
        )
        assert fails or done.returncode == 0, done.stderr
        return done.stdout


def _number(text: str) -> int:
    found = _MODULE.search(text)
    assert found, f"Terraform refuses something else: {text}"
    return int(found[1] or found[2])
