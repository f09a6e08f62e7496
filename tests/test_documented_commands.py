"""Every keyrules command of README and docs runs, in the order of its page, in a folder that has what it names."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fake_aws import CALLER, FakeAccount, FakeAws, serving
from live_accounts import environment
from readme import PAGES, PROJECT

from keyrules.cli import main

FIXTURES = PROJECT / "fixtures"
AS_OF = datetime(2026, 6, 1, tzinfo=timezone.utc)
REPORT = (FIXTURES / "example_report/report.csv").read_bytes()
ONLINE = ("accounts", "audit", "evidence", "keys")
OFFLINE = {"verify", "show", "diff"}
"""What is done with a package of evidence that is there."""

ELSEWHERE = {"organization.md"}
"""Pages with a test of their own."""

_BLOCK = re.compile(r"^```(?:sh|console)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"(?:^|(?<=\| )|(?<=; ))keyrules .*")


def commands(page: Path) -> Iterator[tuple[str, str]]:
    """What a page says to run, without comments: what feeds each command of ours, and the command."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
            found = _COMMAND.search(line)
            if found and not line.startswith(("$ ", " ")):
                command = re.split(r" +# | \|\| |;", found.group())[0].strip()
                yield line[: found.start()].rstrip(" |"), command


def test_commands_are_found() -> None:
    assert sum(1 for page in PAGES for _ in commands(page)) > 40


@pytest.fixture
def fake() -> FakeAws:
    """An organisation whose accounts have the reports of the example, made just now."""
    fake = FakeAws(AS_OF)
    for number in ("011111111111", "222222222222"):
        fake.add(number, REPORT.replace(b"123456789012", number.encode()), made=AS_OF, role="keyrules-audit")
    report = REPORT.replace(b"123456789012", CALLER.encode())
    fake.accounts[CALLER] = FakeAccount(CALLER, "manager", report=report, made=AS_OF, role=None)
    return fake


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages name."""
    joined = FIXTURES / "KEY_AWS_018/joined"
    shutil.copytree(FIXTURES / "example", tmp_path / "infra")
    shutil.copy(FIXTURES / "pages/good/key.yaml", tmp_path / "template.yaml")
    (tmp_path / "report.csv").write_bytes(REPORT)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/report.csv").write_bytes(REPORT)
    for rule, case in (("24", "pass-14-characters"), ("27", "pass-a-role"), ("28", "pass-no-virtual-device")):
        for document in (FIXTURES / f"KEY_AWS_0{rule}/account" / case).glob("*.json"):
            shutil.copy(document, tmp_path / "reports")
    for number, answer in enumerate(documents()):
        (tmp_path / f"reports/answer-{number}.json").write_text(json.dumps(answer), encoding="utf-8")
    (tmp_path / "states").mkdir()
    shutil.copy(joined / "terraform.tfstate", tmp_path / "states/prod.tfstate")
    shutil.copy(joined / "terraform.tfstate", tmp_path / "prod.tfstate")
    (tmp_path / ".keyrules-exceptions.yaml").write_text(
        "exceptions:\n  - rule: KEY_AWS_001\n    subject: old-backup\n    reason: The partner takes no new key yet\n"
        "    owner: platform@example.com\n    expires: 2026-07-01\n",
        encoding="utf-8",
    )
    (tmp_path / ".keyrules.yaml").write_text("{}\n", encoding="utf-8")
    (tmp_path / "aws").write_text(
        "[profile prod]\naws_access_key_id = AKIDCALLER\naws_secret_access_key = secret\n", encoding="utf-8"
    )
    shutil.copytree(FIXTURES / "example", tmp_path / "fresh")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keyrules.cli.current_time", lambda: AS_OF)
    for name, value in environment(AWS_CONFIG_FILE=str(tmp_path / "aws")).items():
        monkeypatch.setenv(name, value)
    assert main(["audit", "report.csv", "--format", "json=last.json"]) == 1
    return tmp_path


def documents() -> Iterator[dict[str, object]]:
    """What the AWS CLI prints of the account of the report, beside what fixtures of rules hold."""
    users = [
        {"UserName": row["user"], "Arn": row["arn"], "CreateDate": row["user_creation_time"]}
        for row in csv.DictReader(io.StringIO(REPORT.decode()))
        if not row["user"].startswith("<")
    ]
    yield {"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    yield {"ServerCertificateMetadataList": []}
    yield {"ServiceSpecificCredentials": []}


def fed(source: str) -> bytes:
    """What a program of somebody else's prints into a command of ours."""
    if "state pull" in source:
        return (
            (FIXTURES / "KEY_AWS_018/joined/terraform.tfstate").read_bytes().replace(b"123456789012", CALLER.encode())
        )
    if "get-credential-report" in source:
        answer = {"Content": b64encode(REPORT).decode(), "ReportFormat": "text/csv", "GeneratedTime": AS_OF.isoformat()}
        return json.dumps(answer).encode()
    if "show -json" in source:
        return json.dumps({"format_version": "1.2", "planned_values": {}, "configuration": {}}).encode()
    assert not source or source.startswith("code="), f"nothing stands for {source!r}"
    return b""


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in ELSEWHERE], ids=lambda page: page.name)
def test_every_command_runs(
    page: Path, fake: FakeAws, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fake) as address:
        for source, command in commands(page):
            written, _, file = command.partition(" > ")
            arguments = shlex.split(re.split(r" {2,}", written)[0] if source == "" else written)[1:]
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(fed(source)))))
            for account in fake.accounts.values():
                account.external_id = "VALUE" if account.role and "--external-id" in arguments else None
            asks = arguments[0] in ONLINE and not OFFLINE.intersection(arguments)
            online = ["--endpoint-url", address] if asks else []
            monkeypatch.chdir(folder / "fresh" if arguments[0] == "init" else folder)
            code = main([*arguments, *online])
            shown = capsys.readouterr()
            assert code in (0, 1), f"{command}: {shown.err or shown.out}"
            if file:
                (folder / file).write_text(shown.out, encoding="utf-8")
