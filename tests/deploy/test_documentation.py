"""docs/organization.md: every command in it is run, or held against what knows its options."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import Counter
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, StructureShape
from credential_reports import AS_OF
from fake_aws import FakeAws, serving
from live_accounts import environment
from organization_runs import organization
from readme import PROJECT

from keyrules.cli import main

TEXT = (PROJECT / "docs/organization.md").read_text("utf-8")
ID = "an-external-id-of-ours"
OF_THE_CLI = {
    ("cloudformation", "deploy"): {"stack-name", "template-file", "capabilities", "parameter-overrides"},
    ("s3", "cp"): set[str](),
    ("s3", "sync"): set[str](),
}
"""Commands of the AWS CLI that are no operation of a service, and of their options those that are used here."""


def commands(program: str = "") -> list[str]:
    """The commands in it, or those of one program, without comments."""
    blocks = re.findall("```sh\n(.*?)```", TEXT, re.DOTALL)
    lines = [line.partition(" # ")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith(program)]


def misused(command: str) -> list[str]:
    """What the AWS CLI would refuse in a command, by the models that it is made of."""
    _, service, operation, *rest = shlex.split(command)
    options: dict[str, list[str]] = {}
    for word in rest:
        if word.startswith("--"):
            options[word.removeprefix("--")] = []
        elif options:
            options[list(options)[-1]].append(word)
    if (service, operation) in OF_THE_CLI:
        return sorted(options.keys() - OF_THE_CLI[service, operation])
    model = botocore.session.Session().get_service_model(service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in named:
        return [operation]
    shape = model.operation_model(named[operation]).input_shape
    known = {xform_name(name, "-"): member for name, member in shape.members.items()}
    found = sorted(options.keys() - known.keys())
    found += [name for name in shape.required_members if xform_name(name, "-") not in options]
    for option, values in options.items():
        member = known.get(option)
        inner = member.member if isinstance(member, ListShape) else member
        if isinstance(inner, StructureShape):
            keys = {pair.partition("=")[0] for value in values for pair in value.split(",")}
            found += sorted(keys - inner.members.keys())
    return found


def test_every_command_is_one_that_is_checked_below() -> None:
    programs = ("aws ", "keyrules ", "deploy/build ", "deploy/create-tables ", "(sed ", "duckdb ")
    assert [line for line in commands() if not line.startswith(programs)] == []
    assert all(commands(program) for program in programs)


@pytest.mark.parametrize("command", commands("aws "))
def test_the_aws_cli_has_what_is_asked_of_it(command: str) -> None:
    assert misused(command) == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("aws cloudformation make-stack-set", ["make-stack-set"]),
        ("aws cloudformation create-stack-set --stack-name x", ["stack-name", "StackSetName"]),
        ("aws cloudformation create-stack-set --stack-set-name x --parameters Key=A", ["Key"]),
        ("aws cloudformation create-stack-set --stack-set-name x --auto-deployment Enabled=true,Retain=no", ["Retain"]),
        ("aws cloudformation deploy --stack-name x --template-body y", ["template-body"]),
    ],
)
def test_what_it_has_not_is_found(command: str, words: list[str]) -> None:
    assert misused(command) == words


@pytest.fixture
def fake() -> FakeAws:
    """An organisation with the role of audit-role.yaml everywhere but in the account that asks."""
    fake = organization()
    for account in fake.accounts.values():
        if account.role:
            account.role, account.external_id = "keyrules-audit", ID
    return fake


def test_keyrules_does_what_is_asked_of_it(
    fake: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order, because they leave files for each other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keyrules.cli.current_time", lambda: AS_OF)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with serving(fake) as address:
        for command in commands("keyrules "):
            written, _, file = command.replace('"$EXTERNAL_ID"', ID).partition(" > ")
            assert main([*shlex.split(written)[1:], "--endpoint-url", address]) == 0, command
            shown = capsys.readouterr().out
            if file:
                Path(file).write_text(shown, encoding="utf-8")
    asked = Counter(account for account, action in fake.calls if action == "GetCredentialReport")
    assert asked == dict.fromkeys(fake.accounts, 2), "by the first run over the organisation, and by that over a list"


def test_scripts_are_given_as_many_arguments_as_they_take() -> None:
    for name, possible in (("deploy/build", (1, 2)), ("deploy/create-tables", (3, 4))):
        assert (PROJECT / name).stat().st_mode & 0o111
        for command in commands(f"{name} "):
            assert len(shlex.split(command)) - 1 in possible, command


def test_the_queries_of_a_desk_are_put_together(tmp_path: Path) -> None:
    (tmp_path / "deploy").symlink_to(PROJECT / "deploy")
    (command,) = commands("(sed ")
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True)
    tables, questions = ((PROJECT / "deploy/queries" / name).read_text("utf-8") for name in ("duckdb.sql", "views.sql"))
    views = (tmp_path / "views.sql").read_text("utf-8")
    assert views == tables.replace("s3://BUCKET", "history") + questions
    (asked,) = commands("duckdb ")
    program, init, file, option, query = shlex.split(asked)
    assert (program, init, file, option) == ("duckdb", "-init", "views.sql", "-c")
    assert f"VIEW {query.rpartition(' ')[2]} AS" in views
