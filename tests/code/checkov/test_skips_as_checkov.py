"""Skip comments and metadata mean to `keyrules scan` what they mean to the real Checkov, wherever they stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from scanning import PROJECT, scan, write

RULES = ("KEY_AWS_001", "KEY_AWS_008", "KEY_AWS_009")
SKIP = "checkov:skip=KEY_AWS_001:reason"


def key(*lines: str, head: str = "", tail: str = "") -> str:
    body = "\n".join(f"  {line}" for line in ('user = "svc"', *lines))
    return f'resource "aws_iam_access_key" "k" {{{head}\n{body}\n}}{tail}\n'


def template(before: str = "", inside: str = "", after: str = "") -> str:
    """Two keys in block style, with lines before, in and after the first."""
    one = f"  K:\n    Type: AWS::IAM::AccessKey\n{inside}    Properties:\n      UserName: one\n"
    return (
        f"Resources:\n{before}{one}{after}  L:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: two\n"
    )


CALL = 'module "m" {{\n  source = "./m"\n{}}}\n'
TERRAFORM = {
    "inside": {"main.tf": key(f"# {SKIP}")},
    "slashes": {"main.tf": key(f"// {SKIP}")},
    "block_comment": {"main.tf": key(f"/* {SKIP} */")},
    "beside_an_argument": {"main.tf": key(f'status = "Active" # {SKIP}')},
    "on_the_first_line": {"main.tf": key(head=f" # {SKIP}")},
    "on_the_last_line": {"main.tf": key(tail=f" # {SKIP}")},
    "above": {"main.tf": f"# {SKIP}\n{key()}"},
    "below": {"main.tf": f"{key()}# {SKIP}\n"},
    "one_line": {"main.tf": f'resource "aws_iam_access_key" "k" {{ user = "svc" }} # {SKIP}\n'},
    "two_ids": {"main.tf": key("# checkov:skip=KEY_AWS_001,KEY_AWS_008:both")},
    "two_ids_and_a_space": {"main.tf": key("# checkov:skip=KEY_AWS_001, KEY_AWS_008:one")},
    "a_space": {"main.tf": key("# checkov:skip= KEY_AWS_001:reason")},
    "no_reason": {"main.tf": key("# checkov:skip=KEY_AWS_001")},
    "lower_case": {"main.tf": key("# checkov:skip=key_aws_001:reason")},
    "wildcard": {"main.tf": key("# checkov:skip=KEY_AWS_*:reason")},
    "another_id": {"main.tf": key("# checkov:skip=CKV_AWS_1:reason")},
    "bridgecrew": {"main.tf": key("# bridgecrew:skip=KEY_AWS_008:reason")},
    "cortex": {"main.tf": key("# cortex:skip=KEY_AWS_008:reason")},
    "in_a_text": {"main.tf": key(f'status = "{SKIP}"')},
    "nested_block": {"main.tf": key(f"lifecycle {{\n    # {SKIP}\n  }}")},
    "another_block": {"main.tf": f'resource "aws_iam_user" "u" {{\n  # {SKIP}\n  name = "x"\n}}\n{key()}'},
    "module_call": {"main.tf": CALL.format(f"  # {SKIP}\n"), "m/main.tf": key()},
    "module_call_above": {"main.tf": f"# {SKIP}\n{CALL.format('')}", "m/main.tf": key()},
    "calls_of_calls": {
        "main.tf": CALL.format(f"  # {SKIP}\n"),
        "m/main.tf": 'module "n" {\n  source = "../n"\n}\n',
        "n/main.tf": key(),
    },
    "output": {
        "main.tf": key()
        + 'output "o" {\n  # checkov:skip=KEY_AWS_009:reason\n  value = aws_iam_access_key.k.secret\n}\n'
    },
    "windows_lines": {"main.tf": key(f"# {SKIP}").replace("\n", "\r\n")},
}
METADATA = "    Metadata:\n      checkov:\n        skip:\n          - id: KEY_AWS_001\n            comment: reason\n"
JSON = {"Resources": {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "one"}}}}
WITH_METADATA = json.loads(json.dumps(JSON))
WITH_METADATA["Resources"]["K"]["Metadata"] = {"checkov": {"skip": [{"id": "KEY_AWS_001", "comment": "reason"}]}}
TEMPLATES = {
    "inside": template(inside=f"    # {SKIP}\n"),
    "above_the_first": template(before=f"  # {SKIP}\n"),
    "between": template(after=f"  # {SKIP}\n"),
    "at_the_end": f"{template()}  # {SKIP}\n",
    "before_outputs": f"{template()}  # {SKIP}\nOutputs:\n  O:\n    Value: x\n",
    "beside_the_name": template().replace("  K:\n", f"  K: # {SKIP}\n"),
    "beside_a_property": template().replace("UserName: one", f"UserName: one # {SKIP}"),
    "two_ids": template(inside="    # checkov:skip=KEY_AWS_001,KEY_AWS_005:both\n"),
    "metadata": template(inside=METADATA),
    "metadata_of_bridgecrew": template(inside=METADATA.replace("checkov", "bridgecrew")),
    "metadata_of_another_rule": template(inside=METADATA.replace("001", "005")),
    "flow_style": f"Resources:\n  K: {{Type: AWS::IAM::AccessKey, Properties: {{UserName: one}}}} # {SKIP}\n",
    "flow_style_without_a_last_line_break": (
        f"Resources:\n  K: {{Type: AWS::IAM::AccessKey, Properties: {{UserName: one}}}} # {SKIP}"
    ),
}
NAMED = json.loads(json.dumps(JSON))
NAMED["Resources"]["K"]["Properties"]["Status"] = SKIP
DOCUMENTS = {
    "metadata": json.dumps(WITH_METADATA, indent=2) + "\n",
    "plain": json.dumps(JSON),
    "a_text": json.dumps(NAMED, indent=2) + "\n",
    "on_one_line": json.dumps(NAMED),
    "on_one_line_with_a_break": json.dumps(NAMED) + "\n",
    "a_resource_a_line": '{"Resources": {\n' + json.dumps(NAMED["Resources"])[1:-1] + "\n}}\n",
}
CASES = [f"{kind}_{case}" for kind, of in (("tf", TERRAFORM), ("cfn", TEMPLATES), ("json", DOCUMENTS)) for case in of]


class Said(NamedTuple):
    skipped: frozenset[tuple[str, str, str]]
    failed: frozenset[tuple[str, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, str] = {f"tf_{case}/{name}": text for case, own in TERRAFORM.items() for name, text in own.items()}
    files |= {f"cfn_{case}/t.yaml": text for case, text in TEMPLATES.items()}
    files |= {f"json_{case}/t.json": text for case, text in DOCUMENTS.items()}
    return write(tmp_path_factory.mktemp("skips"), files)


@pytest.fixture(scope="module")
def ours(folder: Path) -> Said:
    found = scan(folder, *(word for rule in RULES for word in ("--rule", rule))).report["findings"]
    said = {
        status: frozenset(
            (f["location"]["path"].split("/")[0], f["rule"], f["location"]["address"].split(".")[-1])
            for f in found
            if f["status"] == status
        )
        for status in ("EXEMPT", "FAIL")
    }
    return Said(said["EXEMPT"], said["FAIL"])


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Said:
    skipped: set[tuple[str, str, str]] = set()
    failed: set[tuple[str, str, str]] = set()
    folders = [word for name in ("rules", "checks") for word in ("--external-checks-dir", str(PROJECT / name))]
    options = ["--framework", "terraform", "cloudformation", "--check", ",".join(RULES)]
    done = subprocess.run(
        [sys.executable, "-m", "checkov.main", "-d", ".", "--skip-download", "-o", "json", *folders, *options],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    reports = json.loads(done.stdout)
    for report in reports if isinstance(reports, list) else [reports]:
        for kind, into in (("skipped_checks", skipped), ("failed_checks", failed)):
            for record in report["results"][kind]:
                case = record["file_path"].lstrip("/").split("/")[0]
                into.add((case, record["check_id"], record["resource"].split(".")[-1]))
    return Said(frozenset(skipped), frozenset(failed))


@pytest.mark.parametrize("case", CASES)
def test_each_case(case: str, ours: Said, theirs: Said) -> None:
    def of(said: frozenset[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        return {item for item in said if item[0] == case}

    assert (of(ours.skipped), of(ours.failed)) == (of(theirs.skipped), of(theirs.failed))


def test_the_cases_tell_something(theirs: Said) -> None:
    skipped = {case for case, _, _ in theirs.skipped}
    assert len(skipped) > 15 and len({case for case, _, _ in theirs.failed} - skipped) > 8
