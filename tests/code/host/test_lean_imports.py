"""Checkov starts without what no rule needs, and says the same as when it starts with all of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from checkov.version import version
from scanning import FIXTURES, PROJECT

from keyrules.code.discovery import discover
from keyrules.code.host.checkov_host import run_units
from keyrules.code.host.lean_imports import SUPPORTED
from keyrules.code.host.worker_protocol import Request
from keyrules.code.scan_unit import Limits
from keyrules.code.unit_results import UnitOutcome
from keyrules.model import Plane
from keyrules.pack.catalog import load_pack

START = f"""
import sys
sys.path.insert(0, {str(PROJECT / "checks")!r})
from keyrules.code.host.lean_imports import defer_imports
assert defer_imports({version!r})
from checkov.cloudformation.runner import Runner
from checkov.terraform import plan_runner
from checkov.terraform_json.runner import TerraformJsonRunner
"""


def lines_of(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def outcomes(lean: bool) -> list[UnitOutcome]:
    rules = tuple(rule.id for rule in load_pack().rules if Plane.CODE in rule.planes)
    request = Request(rules, (), datetime(2026, 6, 1, tzinfo=timezone.utc), (), 0)
    # Plain Checkov, with all of its imports, is compared on every fixture elsewhere.
    units = discover([FIXTURES], FIXTURES).units[::3]
    assert {unit.kind for unit in units} == {"terraform", "plan", "cloudformation"}
    return list(run_units(units, replace(request, lean=lean), Limits()))


def test_the_same_is_said_of_the_fixtures() -> None:
    assert outcomes(lean=True) == outcomes(lean=False)


def test_nothing_that_is_left_out_is_loaded() -> None:
    """Red when a Checkov of the supported versions needs one of them after all: then its start is slow again."""
    left_out = ("aiohttp", "boto3", "docker", "paramiko", "git", "numpy", "policy_sentry", "cloudsplaining")
    loaded = lines_of("print(*sorted(name for name, module in sys.modules.items() if module), sep='\\n')")
    assert [name for name in loaded if name.startswith(tuple(f"{package}." for package in left_out))] == []
    providers = [name for name in loaded if ".checks." in name and name.split(".")[-2] in ("aws", "azure", "gcp")]
    assert providers == []


def test_what_is_left_out_loads_at_its_first_use() -> None:
    code = """
import docker, boto3, detect_secrets
from checkov.terraform.checks.resource import aws
from checkov.terraform.checks.resource.aws.S3BlockPublicACLs import scanner
print(docker.from_env.__name__, boto3.client.__name__, detect_secrets.SecretsCollection.__name__)
print(scanner.id, len(aws.modules) > 100, hasattr(docker, "nothing_of_that_name"))
"""
    assert lines_of(code) == ["from_env client SecretsCollection", "CKV_AWS_53 True False"]


@pytest.mark.parametrize("other", ["3.3.29", "3.4.0", "4.0.0", "3.3", "3.3.30rc1", ""])
def test_another_checkov_loads_as_it_is(other: str) -> None:
    code = f"from keyrules.code.host.lean_imports import defer_imports; print(defer_imports({other!r}), len(sys.meta_path))"
    path = f"import sys; sys.path.insert(0, {str(PROJECT / 'checks')!r}); print(len(sys.meta_path)); "
    done = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=True)
    before, after = done.stdout.split("\n")[:2]
    assert after == f"False {before}"


def test_the_pinned_versions_are_the_supported_ones() -> None:
    first, last = (".".join(map(str, bound)) for bound in SUPPORTED)
    assert f"checkov >={first}, <{last}" in Path(PROJECT, "setup.cfg").read_text()
