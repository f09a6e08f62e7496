"""No secret leaves: canaries stand wherever a scan reads, and every output of every kind of run is searched."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from canaries import Canary, assert_no_leak, leaks, make_canary
from canary_sources import BROKEN, KEY, TEMPLATES, TERRAFORM, TEXTS
from scanning import AS_OF, FIXTURES, PROJECT, write

from keyrules.model import Plane
from keyrules.reports.report_formats import formats_of


def filled(canary: Canary) -> dict[str, str]:
    """Every source file with the canary in its places."""
    credentials = f"aws_secret_access_key={canary.secret}\nid={canary.key_id}\n"
    places = {
        "<KEY>": KEY,
        "<SECRET>": canary.secret,
        "<KEY_ID>": canary.key_id,
        "<TOKEN>": canary.session_token,
        "<BASE64>": base64.b64encode(credentials.encode()).decode(),
        "<URL_ENCODED>": quote(canary.secret, safe=""),
    }
    files = {**TERRAFORM, **BROKEN, **TEMPLATES, **TEXTS}
    for place, value in places.items():
        files = {name: text.replace(place, value) for name, text in files.items()}
    return files


def plan(canary: Canary) -> bytes:
    """The plan of the fixtures with a secret in every place that has one, and in some that should have none."""
    document = json.loads((FIXTURES / "KEY_AWS_010/terraform_plan/existing_keys.json").read_bytes())

    def planted(node: object) -> object:
        if isinstance(node, list):
            return [planted(item) for item in node]
        if isinstance(node, dict):
            if node.get("type") == "aws_iam_access_key" and isinstance(node.get("values"), dict):
                node["values"] |= {"secret": canary.secret, "ses_smtp_password_v4": canary.secret, "x": canary.secret}
            for side in ("before", "after"):
                if isinstance(node.get(side), dict) and "user" in node[side]:
                    node[side] |= {"secret": canary.secret, "description": f"was {canary.secret}"}
            return {name: planted(value) for name, value in node.items()}
        return node

    document = planted(document)
    assert isinstance(document, dict)
    document["variables"] = {"db": {"value": canary.secret}, "aws_secret_key": {"value": {"secretKey": canary.secret}}}
    output = {"sensitive": False, "value": {"aws_secret_access_key": canary.secret, "id": canary.key_id}}
    document["planned_values"].setdefault("outputs", {})["o"] = output
    document.setdefault("output_changes", {})["o"] = {"actions": ["create"], "before": None, "after": output["value"]}
    prior = {"format_version": "1.0", "values": json.loads(json.dumps(document["planned_values"]))}
    document["prior_state"] = {**document.get("prior_state", {}), **prior}
    return json.dumps(document).encode()


@dataclass(frozen=True)
class Searched:
    """A finished run and everything that it left: `outputs` are named."""

    code: int
    outputs: list[tuple[str, bytes]]

    def output(self, name: str) -> str:
        """One output as text."""
        return dict(self.outputs)[name].decode()


ENVIRONMENT = make_canary("environment")


def search(folder: Path, scratch: Path, *arguments: str, stdin: bytes = b"") -> Searched:
    """Runs a scan with every format, and collects standard output and error, reports, home and temporary files."""
    home, temporary, reports = scratch / "home", scratch / "tmp", scratch / "reports"
    for path in (home, temporary, reports):
        path.mkdir(parents=True, exist_ok=True)
    formats = [f"--format={form}={reports}/out.{form}" for form in formats_of(Plane.CODE)]
    done = subprocess.run(
        [sys.executable, "-m", "keyrules", "scan", "--as-of", AS_OF, "--show-passing", *formats, *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT / "src"),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LOG_LEVEL": "DEBUG",
            "AWS_ACCESS_KEY_ID": ENVIRONMENT.key_id,
            "AWS_SECRET_ACCESS_KEY": ENVIRONMENT.secret,
            "TF_VAR_aws_secret_key": ENVIRONMENT.secret,
        },
        check=False,
    )
    outputs = [("standard output", done.stdout), ("standard error", done.stderr)]
    outputs += [(str(p.relative_to(scratch)), p.read_bytes()) for p in sorted(scratch.rglob("*")) if p.is_file()]
    outputs += [(str(p), str(p).encode()) for p in sorted(scratch.rglob("*"))]
    return Searched(done.returncode, outputs)


TREE = make_canary("tree")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Searched]:
    folder = write(tmp_path_factory.mktemp("tree"), {**filled(TREE), "plan.json": plan(TREE)})
    scratch = tmp_path_factory.mktemp("scratch")
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    searched = search(folder, scratch, "--timeout", "8")
    after = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert before == after
    return folder, searched


def test_nothing_of_a_tree_full_of_secrets_leaves(tree: tuple[Path, Searched]) -> None:
    _, searched = tree
    assert searched.code == 3
    assert_no_leak(searched.outputs, [TREE, ENVIRONMENT])


def test_whole_key_ids_do_not_either(tree: tuple[Path, Searched]) -> None:
    masked = f"{TREE.key_id[:4]}…{TREE.key_id[-4:]}"
    assert masked in tree[1].output("standard output")
    for name, content in tree[1].outputs:
        assert TREE.key_id.encode() not in content, name


def test_the_secrets_were_read(tree: tuple[Path, Searched]) -> None:
    """A search proves nothing about files that nobody evaluated."""
    report = json.loads(tree[1].output("reports/out.json"))
    literals = {f["location"]["path"] for f in report["findings"] if f["rule"] == "KEY_AWS_011"}
    judged = {f["location"]["path"] for f in report["findings"]} | {e["input"] for e in report["errors"]}
    judged |= {e["input"].split("/")[0] for e in report["errors"]}
    named = {"provider/main.tf", "default/main.tf", "tfvars/terraform.tfvars", "heredoc/main.tf", "base64/main.tf"}
    named |= {"deploy.sh", ".env", "credentials", "config.json", "ids.csv", "Dockerfile", "user-data.tpl", "skip.sh"}
    named |= {"defaults.yaml", "metadata.yaml", "one_line.json", "plan.json"}
    assert named <= literals
    unseen = {name for name in filled(TREE) if name not in judged and name.split("/")[0] not in judged}
    assert unseen <= {"tfvars/x.auto.tfvars.json", "source/main.tf", "url.sh", "b_plan_cut.json"}
    exempt = {f["location"]["path"] for f in report["findings"] if f["status"] == "EXEMPT"}
    assert {
        "skip/main.tf",
        "skip_literal/main.tf",
        "skip.yaml",
        "skip_comment.yaml",
        "one_line.json",
        "skip.sh",
    } <= exempt


def test_a_plan_on_standard_input(tmp_path: Path) -> None:
    canary = make_canary("stdin")
    (tmp_path / "work").mkdir()
    searched = search(tmp_path / "work", tmp_path / "scratch", "-", stdin=plan(canary))
    assert searched.code in (1, 3) and "<stdin>" in searched.output("standard output")
    assert_no_leak(searched.outputs, [canary, ENVIRONMENT])
    assert not leaks([(str(p), p.read_bytes()) for p in (tmp_path / "work").rglob("*")], [canary])


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_damaged_plan_on_standard_input(tmp_path: Path, cut: float) -> None:
    canary = make_canary("damaged")
    data = plan(canary)
    searched = search(tmp_path, tmp_path / "scratch", "-", stdin=data[: int(len(data) * cut)])
    assert searched.code == 3
    assert_no_leak(searched.outputs, [canary, ENVIRONMENT])


def test_files_by_name(tree: tuple[Path, Searched], tmp_path: Path) -> None:
    """Single files take another way than folders do."""
    names = [name for name in filled(TREE) if not name.startswith("hang")]
    searched = search(tree[0], tmp_path / "scratch", *names)
    assert searched.code == 3
    assert_no_leak(searched.outputs, [TREE, ENVIRONMENT])


def test_a_refusal_shows_no_secret(tmp_path: Path) -> None:
    canary = make_canary("refusal")
    (tmp_path / "work").mkdir()
    searched = search(tmp_path / "work", tmp_path / "scratch", "-", stdin=f'{{"secret": "{canary.secret}"'.encode())
    assert searched.code == 2
    assert_no_leak(searched.outputs, [canary, ENVIRONMENT])
