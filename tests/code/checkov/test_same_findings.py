"""Checkov gives the findings of `keyrules scan`: rule, severity, path, address and status. Every exception is here."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkov_runs import CHECKOUT, Found, checkov, scanned
from door_cases import CASES
from scanning import FIXTURES, PROJECT, run, write

from keyrules.code.addresses import without_keys

EXCEPTIONS = {
    # Checkov has no block for the outputs of a plan: reported at the key whose secret it is.
    ("KEY_AWS_009", "KEY_AWS_009/terraform_plan/"): "at the key",
    # Checkov loses a tf.json resource that has a dynamic block: reported at the key.
    ("KEY_AWS_010", "KEY_AWS_010/terraform_json/syntax/main.tf.json"): "at the key",
    # A verdict that rests on a plan's configuration is about a block; Checkov lists its instances.
    ("KEY_AWS_010", "KEY_AWS_010/terraform_plan/new_keys.json"): "by instance",
}
"""By rule and start of the path: how Checkov reports what `keyrules scan` has an address of its own for."""

TOFU = ".tofu"
"""Checkov does not read files of OpenTofu's own: beside .tf files undecided on a block of those, else not reported."""

LOOPS = "foreach_builds_the_type/"
"""Checkov sees no block of a template that holds loops only."""


def excepted(found: Found) -> bool:
    return found[2].endswith(TOFU) or any(found[0] == rule and found[2].startswith(at) for rule, at in EXCEPTIONS)


def by_block(found: Found) -> Found:
    """Of a block that only a file of values or data repeats Checkov knows no instances."""
    switched = found[2].startswith(("switched_by_", "keys_from_a_file/"))
    return (*found[:3], without_keys(found[3]) if switched else found[3], found[4])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "pack"
    assert run("dirs", "--bundle", str(folder), cwd=PROJECT).code == 0
    return folder


@pytest.fixture(scope="module")
def fixtures_scanned() -> set[Found]:
    found = scanned(FIXTURES)
    assert len(found) > 1000
    return found


@pytest.mark.parametrize("style", ["checkout", "bundle"])
def test_on_every_fixture(style: str, bundle: Path, fixtures_scanned: set[Found]) -> None:
    arguments = CHECKOUT if style == "checkout" else ["--external-checks-dir", str(bundle)]
    theirs = checkov(FIXTURES, *arguments, "--check", "KEY_AWS_*").found(FIXTURES)
    assert sorted(f for f in theirs - fixtures_scanned if not excepted(f)) == []
    lost = fixtures_scanned - theirs
    assert sorted(f for f in lost if not excepted(f)) == []
    for (rule, at), how in EXCEPTIONS.items():
        instead = [f for f in theirs - fixtures_scanned if f[0] == rule and f[2].startswith(at)]
        assert [f for f in lost if f[0] == rule and f[2].startswith(at)], "a stale exception"
        assert instead and ("aws_iam_access_key." in instead[0][3]) == (how == "at the key")


def test_on_code_that_is_easily_misread(tmp_path: Path) -> None:
    for name, files in CASES.items():
        write(tmp_path / name, files)
    ours = {by_block(found) for found in scanned(tmp_path)}
    assert len(ours) > 20
    done = checkov(tmp_path, *CHECKOUT, "--check", "KEY_AWS_*")
    theirs = {by_block(found) for found in done.found(tmp_path)}
    twins = {f for f in theirs - ours if f[2] == "terraform_and_tofu_twins/main.tf" and f[4] == "UNKNOWN"}
    # It has no blocks of actions and ephemeral resources either: reported at the key.
    at_key = {f for f in theirs - ours if f[2].startswith("action_block/") and f[0] == "KEY_AWS_010"}
    assert sorted(theirs - ours - twins - at_key) == []
    # Checkov keeps one record of a rule on a block: what is undecided for OpenTofu there may stand for both.
    lost = {f for f in ours - theirs if not f[2].endswith(TOFU) and not f[2].startswith((LOOPS, "action_block/"))}
    assert sorted(f for f in lost if (*f[:4], "UNKNOWN") not in twins) == []
    # Of what fails for Terraform and is undecided for OpenTofu it may keep either.
    there = {f[0] for f in theirs if f[2] == "terraform_and_tofu_twins/main.tf"}
    assert {f[0] for f in ours - theirs if f[2].startswith("terraform_and_tofu_twins/")} <= there
