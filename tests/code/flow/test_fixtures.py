"""Every Terraform fixture of the secret-flow rules gets the verdict in its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from secret_cases import outputs, root, sinks

from keyrules.code.terraform.scope import walk
from keyrules.code.verdict import Verdict
from keyrules.model import Status

FIXTURES = Path(__file__).parents[3] / "fixtures"
JUDGES: dict[str, Callable[[Path], list[Verdict]]] = {"KEY_AWS_009": outputs, "KEY_AWS_010": sinks}
CASES = [
    (rule, folder)
    for rule in JUDGES
    for form in ("terraform", "terraform_json")
    for folder in sorted((FIXTURES / rule / form).iterdir())
]


def named(folder: Path) -> Iterator[str]:
    """The addresses of the blocks whose name starts with a verdict; an output of a module at its first call only."""
    seen: set[tuple[str, str]] = set()
    for scope in walk(root(folder)):
        blocks = [*scope.module.resources, *(f"data.{name}" for name in scope.module.data)]
        blocks += [f"module.{name}" for name in scope.module.calls]
        for name, output in scope.module.outputs.items():
            if (output.path, name) not in seen:
                blocks.append(f"output.{name}")
                seen.add((output.path, name))
        for address in blocks:
            if address.split(".")[-1].startswith(("pass_", "fail_", "unknown_")):
                yield f"{scope.prefix}{address}"


@pytest.mark.parametrize(("rule", "folder"), CASES, ids=lambda part: part.name if isinstance(part, Path) else part)
def test_fixture(rule: str, folder: Path) -> None:
    verdicts = {verdict.address: verdict.status for verdict in JUDGES[rule](folder)}
    for address in named(folder):
        expected = Status[address.split(".")[-1].split("_")[0].upper()]
        assert verdicts.pop(address, Status.PASS) is expected, address
    assert all(status is Status.PASS for status in verdicts.values()), verdicts
