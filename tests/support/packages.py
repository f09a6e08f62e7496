"""What packages of evidence are made of in tests: two accounts, an exception, a repository of Terraform."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from credential_reports import ACCOUNT, ROOT, ago, key, line, report

NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
OTHER = "222222222222"
CIS = "cis_aws_3.0.0"
FIRST = report(
    line(ROOT, mfa_active="true"),
    line("ann", **key(1, 500, used=1)),
    line("bob", password_enabled="true", password_last_used=ago(3), **key(1, 20, used=1)),
    line("carl"),
    line("old", **key(1, 400, active=False)),
)
SECOND = report(line(ROOT), line("eve", **key(1, 82, used=1)), line("dan", **key(1, 300, used=1))).replace(
    ACCOUNT.encode(), OTHER.encode()
)
EXCEPTIONS = """\
exceptions:
  - rule: KEY_AWS_001
    subject: dan
    reason: moves in autumn
    owner: platform
    expires: 2026-09-01
"""
MAIN = """\
resource "aws_iam_user" "ci" { name = "ci" }
resource "aws_iam_access_key" "ci" { user = aws_iam_user.ci.name }
module "more" { source = "../modules/user" }
"""
MODULE = 'resource "aws_iam_access_key" "more" { user = "more" }\n'


@dataclass
class Ran:
    """A run in process: its exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    who = {f"GIT_{role}_{what}": "x@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.strip()
