"""The templates: what cfn-lint says, AWS's limits that it lets pass, least privilege, and that keyrules itself is fine.

Limits: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_calls import called
from readme import PROJECT
from scanning import run

from keyrules.live.around.documents import DOCUMENTS
from keyrules_deploy import config_rule, dispatch, members, worker

DEPLOY = PROJECT / "deploy"
TEMPLATES = sorted(DEPLOY.glob("*.yaml"))
CENTRAL = ("organization-audit.yaml", "config-rule.yaml")


class _Loader(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": x}, and the other short forms as their long ones."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise ValueError(f"a mapping as the argument of !{suffix}")
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def template(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((DEPLOY / name).read_text("utf-8"), Loader=_Loader)
    return loaded


def resources(document: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of a type, by logical id."""
    every = document["Resources"].items()
    return {name: each["Properties"] for name, each in every if each["Type"] == kind}


def broken_limits(document: Mapping[str, Any]) -> list[str]:
    """What AWS would refuse, or would let pass and we do not."""
    found = []
    groups = resources(document, "AWS::Logs::LogGroup")
    retried = {
        each["FunctionName"]["Ref"]: each for each in resources(document, "AWS::Lambda::EventInvokeConfig").values()
    }
    for name, function in resources(document, "AWS::Lambda::Function").items():
        if not 1 <= function["Timeout"] <= 900:
            found.append(f"{name}: Timeout {function['Timeout']}")
        if not 128 <= function["MemorySize"] <= 10_240:
            found.append(f"{name}: MemorySize {function['MemorySize']}")
        group = function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if "RetentionInDays" not in groups.get(group, {}):
            found.append(f"{name}: logs are kept forever")
        if "OnFailure" not in retried.get(name, {}).get("DestinationConfig", {}):
            found.append(f"{name}: a failed event is lost")
        if not 0 <= retried.get(name, {}).get("MaximumRetryAttempts", 0) <= 2:
            found.append(f"{name}: MaximumRetryAttempts")
    for name, schedule in resources(document, "AWS::Scheduler::Schedule").items():
        if not 60 <= schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86_400:
            found.append(f"{name}: MaximumEventAgeInSeconds")
        if "DeadLetterConfig" not in schedule["Target"]:
            found.append(f"{name}: an event that is not delivered is lost")
    for name, bucket in resources(document, "AWS::S3::Bucket").items():
        if "BucketEncryption" not in bucket:
            found.append(f"{name}: not encrypted")
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        if list(blocked.values()) != [True] * 4:
            found.append(f"{name}: public")
    for name, queue in resources(document, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True or not 60 <= queue["MessageRetentionPeriod"] <= 1_209_600:
            found.append(f"{name}: not encrypted, or MessageRetentionPeriod")
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_has_nothing_to_say(path: Path) -> None:
    api = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    # As its command does by default: errors and warnings, not what is for information.
    matches = [match for match in api.lint_all(path.read_text("utf-8")) if match.rule.id[0] in "EW"]
    assert [str(match) for match in matches] == []


def test_cfn_lint_is_asked() -> None:
    api = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    text = (DEPLOY / "config-rule.yaml").read_text("utf-8").replace("MemorySize:", "MemoryLength:")
    assert {match.rule.id for match in api.lint_all(text)} >= {"E3002"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_limits_of_aws_are_kept(path: Path) -> None:
    assert broken_limits(template(path.name)) == []


@pytest.mark.parametrize(
    ("logical_id", "name", "value"),
    [
        ("Worker", "Timeout", 901),
        ("Worker", "MemorySize", 20_000),
        ("Dispatcher", "MemorySize", 64),
        ("Worker", "LoggingConfig", {}),
        ("WorkerRetries", "DestinationConfig", {}),
        ("DispatcherRetries", "MaximumRetryAttempts", 3),
        ("History", "PublicAccessBlockConfiguration", {"BlockPublicAcls": True}),
        ("Failures", "SqsManagedSseEnabled", False),
    ],
)
def test_a_broken_limit_is_found(logical_id: str, name: str, value: object) -> None:
    document = template("organization-audit.yaml")
    document["Resources"][logical_id]["Properties"][name] = value
    assert len(broken_limits(document)) == 1


def test_reports_end_before_the_functions_do() -> None:
    for name in CENTRAL:
        for function in resources(template(name), "AWS::Lambda::Function").values():
            if "ROLE_NAME" in function["Environment"]["Variables"]:
                assert function["Timeout"] > members.DEADLINE.total_seconds() + 120, (
                    "there must be time to store what became of it"
                )


def statements(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every statement of every policy that allows something to a role."""
    for role in resources(document, "AWS::IAM::Role").values():
        for policy in role["Policies"]:
            chosen = policy["Fn::If"][1] if "Fn::If" in policy else policy
            yield from chosen["PolicyDocument"]["Statement"]


def actions(statement: Mapping[str, Any]) -> list[str]:
    value = statement["Action"]
    return [value] if isinstance(value, str) else value


OF_ALL_USERS = {"iam:ListServiceSpecificCredentials"}
"""What knows a user as its resource, and is asked about none in particular."""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_wildcard_stands_only_where_aws_knows_no_resource(path: Path) -> None:
    querying = pytest.importorskip("policy_sentry.querying.actions", reason="policy_sentry, of Checkov, is not there")
    seen = 0
    for statement in statements(template(path.name)):
        for action in actions(statement):
            service, name = action.split(":")
            known = {each["resource_arn_format"] for each in querying.get_action_data(service, name)[service]}
            assert known, action
            assert (statement["Resource"] == "*") == (known == {"*"} or action in OF_ALL_USERS), action
            seen += 1
    assert seen > 1


def test_every_call_of_the_functions_is_allowed_and_no_other() -> None:
    """Logs and queues are Lambda's own doing; the rest is what the modules ask for, and the engine on their behalf."""
    engine = {"sts:AssumeRole", "iam:GetCredentialReport", "iam:GenerateCredentialReport", "organizations:ListAccounts"}
    engine |= {each.action for each in DOCUMENTS}
    assert engine <= called(PROJECT / "src/keyrules/live")
    asked = {each.replace("lambda:Invoke", "lambda:InvokeFunction") for each in called(DEPLOY / "keyrules_deploy")}
    named = (*CENTRAL, "member-role.yaml")
    allowed = {action for name in named for each in statements(template(name)) for action in actions(each)}
    assert allowed == asked | engine | {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}


def test_the_role_of_the_members_is_that_which_the_functions_assume() -> None:
    (role,) = resources(template("member-role.yaml"), "AWS::IAM::Role").values()
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    names = {each["Fn::Sub"].rpartition("/")[2] for each in trusted}
    found = set()
    for name in CENTRAL:
        document = template(name)
        roles = resources(document, "AWS::IAM::Role")
        found |= {each["RoleName"] for each in roles.values() if "RoleName" in each}
        for function in resources(document, "AWS::Lambda::Function").values():
            assert function["Environment"]["Variables"].get("ROLE_NAME", role["RoleName"]) == role["RoleName"]
    assert names == found


def test_every_handler_and_variable_is_there() -> None:
    handlers = {"worker": worker, "dispatch": dispatch, "config_rule": config_rule}
    seen = set()
    for name in CENTRAL:
        for function in resources(template(name), "AWS::Lambda::Function").values():
            module = function["Handler"].removeprefix("keyrules_deploy.").removesuffix(".handler")
            text = Path(str(handlers[module].__file__)).read_text("utf-8")
            wanted = {word.split('"')[0] for word in text.split('os.environ["')[1:]} - {"AWS_REGION"}
            wanted |= {word.split('"')[0] for word in text.split('os.environ.get("')[1:]}
            given = function["Environment"]["Variables"].keys() - {"AWS_STS_REGIONAL_ENDPOINTS"}
            assert given == wanted, module
            seen.add(module)
    assert seen == handlers.keys()


def test_the_documentation_names_what_is_there() -> None:
    """Files that are linked, and parameters of the template that a command deploys."""
    text = (PROJECT / "docs/organization.md").read_text("utf-8")
    linked = re.findall(r"\]\((?!https:|#)([^)#]+)", text)
    assert linked
    assert [name for name in linked if not (PROJECT / "docs" / name).exists()] == []
    for block in re.findall("```sh\n(.*?)```", text, re.DOTALL):
        for name in re.findall(r"deploy/(\S+\.yaml)", block):
            overrides = block.partition("--parameter-overrides")[2]
            given = set(re.findall(r"ParameterKey=(\w+)", block)) or set(re.findall(r"\b([A-Z][a-z]\w+)=", overrides))
            parameters = template(name)["Parameters"]
            needed = {each for each, properties in parameters.items() if "Default" not in properties}
            assert needed <= given <= parameters.keys(), name


def test_keyrules_finds_nothing_in_them() -> None:
    done = run("scan", "deploy", "--format", "json", cwd=PROJECT)
    assert (done.code, done.report["findings"], done.report["errors"]) == (0, [], [])
