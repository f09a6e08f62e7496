"""Scan and audit need no Checkov: neither where it is not installed nor where something would import it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scanning import AS_OF, FIXTURES, PROJECT, Scanned, run

REFUSING = """\
import sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise SystemError(f"{{name}} is not for this")
sys.meta_path.insert(0, Refusing())
from keyrules.cli import main
sys.exit(main())
"""
COMMANDS = [
    ["scan", "--format", "json", "--as-of", AS_OF, "KEY_AWS_001", "KEY_AWS_010"],
    ["audit", "--format", "json", "--as-of", AS_OF, "example_report/report.csv"],
    ["dirs"],
]


def refusing(*names: str) -> list[str]:
    return ["-c", REFUSING.format(refused=set(names))]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_nothing_imports_checkov(arguments: list[str]) -> None:
    expected = run(*arguments, cwd=FIXTURES)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    # What only Checkov brings is refused, too.
    words = [sys.executable, *refusing("checkov", "rustworkx", "networkx", "hcl2", "lark"), *arguments]
    done = subprocess.run(words, cwd=FIXTURES, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (expected.code, expected.stdout, expected.stderr)


def test_the_hook_can_refuse() -> None:
    words = [sys.executable, *refusing("keyrules"), "scan"]
    done = subprocess.run(words, cwd=FIXTURES, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "is not for this" in done.stderr


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with what setup.cfg requires and nothing else: links to those packages of this one."""
    site = tmp_path_factory.mktemp("bare")
    for name in ("yaml", "_yaml", "boto3", "botocore", "jmespath", "s3transfer", "dateutil", "six", "urllib3"):
        for found in _places(name):
            (site / found.name).symlink_to(found)
    return site


def _places(name: str) -> list[Path]:
    folders = [Path(entry) for entry in sys.path if entry and Path(entry).is_dir()]
    for folder in folders:
        found = [path for path in (folder / name, folder / f"{name}.py") if path.exists()]
        if found:
            return found
    return []


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_the_packages_that_are_required_are_enough(bare: Path, arguments: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join((str(PROJECT / "src"), str(bare)))
    # -S leaves site-packages out, and with it all that the tests need.
    check = [sys.executable, "-S", "-c", "import checkov"]
    assert subprocess.run(check, env=environment, capture_output=True, check=False).returncode == 1
    done = subprocess.run(
        [sys.executable, "-S", "-m", "keyrules", *arguments],
        cwd=FIXTURES,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = run(*arguments, cwd=FIXTURES)
    assert Scanned(done.returncode, done.stdout, done.stderr, expected.report) == expected
