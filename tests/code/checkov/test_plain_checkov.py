"""Plain Checkov gives the findings, ids and severities of `keyrules scan` wherever it can see the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from scanning import FIXTURES, PROJECT, run, scan, write

from keyrules.pack.catalog import load_pack

Failure: TypeAlias = tuple[str, str, str, str]
"""Rule, severity, path and address without the parts that Checkov's formats lack."""

CHECKOV = [sys.executable, "-m", "checkov.main", "--skip-download", "--compact", "-o", "json"]
LITERALS = "KEY_AWS_011"


def checkov(folder: Path, *arguments: str, cwd: Path | None = None) -> tuple[list[Mapping[str, Any]], str]:
    """The reports of a real Checkov run, and what it wrote to standard error."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*CHECKOV, "-d", str(folder), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd or folder,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    reports = json.loads(done.stdout)
    return (reports if isinstance(reports, list) else [reports]), done.stderr


def failures(reports: list[Mapping[str, Any]], folder: Path) -> set[Failure]:
    found = set()
    for report in reports:
        for record in report.get("results", {}).get("failed_checks", ()):
            if record["check_id"].startswith("KEY_AWS_"):
                path = os.path.relpath(record["file_abs_path"], folder)
                address = address_of(record["resource"], report["check_type"], record["check_id"])
                found.add((record["check_id"], record["severity"], path, address))
    return found


def address_of(resource: str, framework: str, rule: str) -> str:
    if framework == "cloudformation":
        return resource.rsplit(".", 1)[-1]
    if rule == "KEY_AWS_007" and not resource.split(".")[-2:][0].startswith("aws"):
        return f"module.{resource}"
    return resource


def own(report: Mapping[str, Any]) -> Iterator[Failure]:
    for finding in report["findings"]:
        if finding["status"] == "FAIL" and finding["rule"] != LITERALS:
            location = finding["location"]
            yield finding["rule"], finding["severity"], location["path"], location["address"]


@pytest.mark.parametrize("style", ["dirs", "checkout"])
def test_the_same_findings_on_every_fixture(style: str) -> None:
    if style == "dirs":
        words = run("dirs", cwd=PROJECT).stdout.split()
        words = words[: words.index("--skip-check")]
    else:
        words = [w for name in ("rules", "checks") for w in ("--external-checks-dir", str(PROJECT / name))]
    reports, _ = checkov(FIXTURES, *words, "--check", "KEY_AWS_*")
    theirs = failures(reports, FIXTURES)
    every_rule = [w for rule in load_pack().rules for w in ("--rule", rule.id)]
    # Plain Checkov knows no --as-of; both runs count ages to now.
    ours = set(own(run("scan", "--format", "json", *every_rule, cwd=FIXTURES).report))
    assert len(theirs) > 100
    assert sorted(f for f in theirs - ours if not overcounted(f)) == []
    assert sorted(f for f in ours - theirs if not unseen(f)) == []


@pytest.mark.parametrize("folder", [".", "infra", "infra/../infra"])
def test_a_folder_named_relative_to_the_working_directory_gives_the_same_findings(tmp_path: Path, folder: str) -> None:
    template = (
        "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc\n"
        "Outputs:\n  Secret:\n    Value: !GetAtt K.SecretAccessKey\n"
    )
    terraform = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
    write(tmp_path, {"infra/t.yaml": template, "infra/main.tf": terraform})
    words = run("dirs", cwd=PROJECT).stdout.split()
    reports, _ = checkov(Path(folder), *words, "--check", "KEY_AWS_*", cwd=tmp_path)
    assert {(rule, address) for rule, _, _, address in failures(reports, tmp_path)} == {
        ("KEY_AWS_001", "K"),
        ("KEY_AWS_009", "K"),
        ("KEY_AWS_001", "aws_iam_access_key.k"),
        ("KEY_AWS_008", "aws_iam_access_key.k"),
    }


def overcounted(failure: Failure) -> bool:
    """Checkov's graph keeps what a module call with `count = 0` would declare, and the rules in YAML cannot tell."""
    return failure[3].startswith("module.not_called.") and failure[0] in ("KEY_AWS_005", "KEY_AWS_006", "KEY_AWS_007")


def unseen(failure: Failure) -> bool:
    """What Checkov's graph lacks: the outputs of a plan, and in tf.json a resource with a dynamic block."""
    _, _, path, address = failure
    return ("/terraform_plan/" in path and "output." in address) or (
        path == "KEY_AWS_010/terraform_json/syntax/main.tf.json" and address == "aws_codebuild_project.fail_build"
    )


def test_opt_in_rules_stay_off_and_severities_work(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'})
    words = run("dirs", cwd=PROJECT).stdout.split()
    reports, _ = checkov(tmp_path, *words)
    assert {rule for rule, *_ in failures(reports, tmp_path)} == {"KEY_AWS_001", "KEY_AWS_008"}
    reports, _ = checkov(tmp_path, *words, "--check", "MEDIUM")
    assert {rule for rule, *_ in failures(reports, tmp_path)} == {"KEY_AWS_008"}


def test_skip_comments_work_for_each_id(tmp_path: Path) -> None:
    ids = sorted(rule.id for rule in load_pack().rules)
    comments = "".join(f"  # checkov:skip={rule}:accepted {rule}\n" for rule in ids)
    write(
        tmp_path,
        {
            "main.tf": 'resource "aws_iam_access_key" "k" {\n'
            + comments
            + '  user = "root"\n  status = "Inactive"\n}\n'
            'output "o" {\n  # checkov:skip=KEY_AWS_009:accepted KEY_AWS_009\n'
            "  value = aws_iam_access_key.k.secret\n}\n"
            'resource "aws_instance" "i" {\n  # checkov:skip=KEY_AWS_010:accepted KEY_AWS_010\n'
            "  user_data = aws_iam_access_key.k.secret\n}\n"
            'resource "aws_iam_access_key" "old" {\n  # checkov:skip=KEY_AWS_001:accepted KEY_AWS_001\n'
            '  user = "u"\n}\n',
            "t.yaml": "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Metadata:\n      checkov:\n        skip:\n"
            "          - id: KEY_AWS_001\n            comment: accepted KEY_AWS_001\n"
            "    Properties:\n      UserName: svc\n",
        },
    )
    result = scan(tmp_path, *[w for rule in ids for w in ("--rule", rule)])
    exempt = {(f["rule"], f["exemption"]) for f in result.findings() if f["status"] == "EXEMPT"}
    expected = {"KEY_AWS_001", "KEY_AWS_005", "KEY_AWS_006", "KEY_AWS_007", "KEY_AWS_008", "KEY_AWS_009", "KEY_AWS_010"}
    assert exempt == {(rule, f"accepted {rule}") for rule in expected}
    words = run("dirs", cwd=PROJECT).stdout.split()
    reports, _ = checkov(tmp_path, *words[: words.index("--skip-check")], "--check", "KEY_AWS_*")
    skipped = {r["check_id"] for report in reports for r in report["results"]["skipped_checks"]}
    assert expected <= skipped
    open_in_ours = {(r, p, a) for r, _, p, a in own(result.report)}
    assert {(r, p, a) for r, _, p, a in failures(reports, tmp_path)} == open_in_ours


def test_a_walk_over_the_whole_repository_neither_crashes_nor_imports_tests(tmp_path: Path) -> None:
    """What --external-checks-git does with this repository: every YAML is a policy, every package is imported."""
    copy = tmp_path / "clone"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (PROJECT / name).is_file():
            write(copy, {name: (PROJECT / name).read_bytes()})
    source = write(tmp_path / "src", {"main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'})
    reports, stderr = checkov(source, "--external-checks-dir", str(copy))
    assert {rule for rule, *_ in failures(reports, source)} >= {"KEY_AWS_001", "KEY_AWS_008"}
    assert "Cannot load" not in stderr and "Traceback" not in stderr
    assert not list(copy.rglob("tests/__init__.py"))
