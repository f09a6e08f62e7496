"""What a patch writes into a CloudFormation template."""

from __future__ import annotations

from pathlib import Path

import pytest
from patching import mended

HEAD = "Resources:\n  Key:\n    Type: AWS::IAM::AccessKey\n"
KEPT = f"{HEAD}    UpdateReplacePolicy: @ # for the auditors\n    Properties:\n      UserName: bot\n      Serial: 1\n"
JSON = '{\n\t"Resources": {\n\t\t"Key": {\n\t\t\t"Type": "AWS::IAM::AccessKey",\n@\n\t\t}\n\t}\n}'
TEMPLATES = {
    "a plain name": (
        f"{HEAD}    Properties:\n      UserName: bot\n",
        f"{HEAD}    Properties:\n      UserName: bot\n      Serial: 1\n",
    ),
    "a short form": (
        f"{HEAD}    Properties:\n      # whose\n      UserName: !Ref Bot # it\n      Status: Active\n",
        f"{HEAD}    Properties:\n      # whose\n      UserName: !Ref Bot # it\n      Serial: 1\n      Status: Active\n",
    ),
    "a long form": (
        f"{HEAD}    Properties:\n      UserName:\n        Ref: Bot\n",
        f"{HEAD}    Properties:\n      Serial: 1\n      UserName:\n        Ref: Bot\n",
    ),
    "no end": (
        f"{HEAD}    Properties:\n      UserName: é",
        f"{HEAD}    Properties:\n      UserName: é\n      Serial: 1",
    ),
    "carriage returns": (
        f"{HEAD}    Properties:\n      UserName: bot\n".replace("\n", "\r\n"),
        f"{HEAD}    Properties:\n      UserName: bot\n      Serial: 1\n".replace("\n", "\r\n"),
    ),
    "a mark of byte order": (
        f"\ufeff{HEAD}    Properties:\n      UserName: bot\n",
        f"\ufeff{HEAD}    Properties:\n      UserName: bot\n      Serial: 1\n",
    ),
    "braces": (f"{HEAD}    Properties: {{UserName: bot}}\n", f"{HEAD}    Properties: {{UserName: bot, Serial: 1}}\n"),
    "quoted names": (
        f'{HEAD}    "Properties":\n      "UserName": "bot"\n',
        f'{HEAD}    "Properties":\n      "UserName": "bot"\n      "Serial": 1\n',
    ),
    "an empty one": (
        f'{HEAD}    Properties:\n      UserName: bot\n      Serial: ""\n',
        f"{HEAD}    Properties:\n      UserName: bot\n      Serial: 1\n",
    ),
    "json": (
        JSON.replace("@", '\t\t\t"Properties": {\n\t\t\t\t"UserName": {"Ref": "Bot"}\n\t\t\t}'),
        JSON.replace("@", '\t\t\t"Properties": {\n\t\t\t\t"UserName": {"Ref": "Bot"},\n\t\t\t\t"Serial": 1\n\t\t\t}'),
    ),
    "json in one line": (
        JSON.replace("@", '\t\t\t"Properties": {"Status": "Active", "UserName": "bot"}'),
        JSON.replace("@", '\t\t\t"Properties": {"Status": "Active", "UserName": "bot", "Serial": 1}'),
    ),
    "a policy that keeps": (KEPT.replace("@", "Retain"), KEPT.replace("@", "Delete")),
    "a quoted policy": (KEPT.replace("@", '"Snapshot"'), KEPT.replace("@", '"Delete"')),
    "both": (
        KEPT.replace("@", "Retain").replace("      Serial: 1\n", ""),
        KEPT.replace("@", "Delete"),
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    before, after = TEMPLATES[name]
    file = "key.json" if before.startswith("{") else "key.yaml"
    done = mended({file: before}, tmp_path)
    assert done.read(file) == after
    assert not done.left()


NAMED = f"{HEAD}    Properties:\n      UserName: bot"
STACK_SET = "Resources:\n  Set:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n      TemplateBody: |\n"
LEFT = {
    "only sometimes": f"{NAMED}\n      Serial: !If [A, 1, !Ref AWS::NoValue]\n"
    "Conditions:\n  A: !Equals [!Ref AWS::Region, eu-west-1]\n",
    "a template of a template": NAMED.replace("bot", "{{ user }}") + "\n{% if x %}      Status: Active\n{% endif %}",
    "inside of another": STACK_SET + "".join(f"        {line}\n" for line in NAMED.split("\n")),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = mended({"key.yaml": LEFT[name]}, tmp_path)
    assert done.diff == ""
    assert len(done.left()) == 1
