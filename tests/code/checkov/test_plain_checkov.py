"""What Checkov itself does with the pack: folders named in any way, opt-in rules, severities, skip comments."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkov_runs import checkov
from scanning import PROJECT, run, scan, write

from keyrules.pack.catalog import load_pack


@pytest.mark.parametrize("folder", [".", "infra", "infra/../infra"])
def test_a_folder_named_relative_to_the_working_directory_gives_the_same_findings(tmp_path: Path, folder: str) -> None:
    template = (
        "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc\n"
        "Outputs:\n  Secret:\n    Value: !GetAtt K.SecretAccessKey\n"
    )
    terraform = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
    write(tmp_path, {"infra/t.yaml": template, "infra/main.tf": terraform})
    words = run("dirs", cwd=PROJECT).stdout.split()
    done = checkov(folder, *words, "--check", "KEY_AWS_*", cwd=tmp_path)
    assert {(rule, address) for rule, _, _, address, _ in done.found(tmp_path)} == {
        ("KEY_AWS_001", "K"),
        ("KEY_AWS_009", "K"),
        ("KEY_AWS_001", "aws_iam_access_key.k"),
        ("KEY_AWS_008", "aws_iam_access_key.k"),
    }


def test_opt_in_rules_stay_off_and_severities_work(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'})
    words = run("dirs", cwd=PROJECT).stdout.split()
    assert {rule for rule, *_ in checkov(tmp_path, *words).found(tmp_path)} == {"KEY_AWS_001", "KEY_AWS_008"}
    assert {rule for rule, *_ in checkov(tmp_path, *words, "--check", "MEDIUM").found(tmp_path)} == {"KEY_AWS_008"}


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
    done = checkov(tmp_path, *words[: words.index("--skip-check")], "--check", "KEY_AWS_*")
    skipped = {record["check_id"] for _, record in done.records("skipped_checks")}
    assert expected <= skipped
    open_in_ours = {
        (f["rule"], f["location"]["path"], f["location"]["address"])
        for f in result.findings()
        if f["status"] in ("FAIL", "UNKNOWN")
    }
    assert {(rule, path, address) for rule, _, path, address, _ in done.found(tmp_path)} == open_in_ours


class TestABrokenFileBesideBlocksThatAreNoResources:
    """Checkov itself leaves the broken file out and exits 0."""

    BROKEN = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n'

    def test_undecided_on_the_provider(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": 'provider "aws" {\n  region = "eu-west-1"\n}\n', "broken.tf": self.BROKEN})
        words = run("dirs", cwd=PROJECT).stdout.split()
        done = checkov(tmp_path, *words, "--check", "KEY_AWS_*")
        assert done.code == 1
        assert {status for *_, status in done.found(tmp_path)} == {"UNKNOWN"}
        assert {(path, address) for _, _, path, address, _ in done.found(tmp_path)} == {("main.tf", "provider.aws")}

    def test_nothing_that_checkov_could_show_ends_its_run(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": "locals {\n  a = 1\n}\n", "broken.tf": self.BROKEN})
        words = run("dirs", cwd=PROJECT).stdout.split()
        done = checkov(tmp_path, *words, "--check", "KEY_AWS_*")
        assert done.code == 2 and "was not evaluated (NoBlockToReportOn)" in done.stderr
