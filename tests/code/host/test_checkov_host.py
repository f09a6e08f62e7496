"""The worker process: bounded, offline, in a pinned environment, and not believed when something is missing."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from scanning import PROJECT, run, scan, write

from keyrules.code.host.checkov_host import run_units, worker_environment
from keyrules.code.host.worker_protocol import Request
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.unit_results import UnitOutcome

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'


def request_for(rules: tuple[str, ...] = ("KEY_AWS_001", "KEY_AWS_008")) -> Request:
    return Request(rules, (), datetime(2026, 6, 1, tzinfo=timezone.utc), (), 0)


def outcomes(folder: Path, names: list[str], limits: Limits) -> list[UnitOutcome]:
    units = [Unit("terraform", str(folder / name)) for name in names]
    return list(run_units(units, request_for(), limits))


def test_environment_is_pinned() -> None:
    foreign = {
        "CKV_IGNORED_DIRECTORIES": "x",
        "CHECKOV_GRAPH_FRAMEWORK": "NETWORKX",
        "TF_VAR_days": "5",
        "AWS_SECRET_ACCESS_KEY": "s",
        "PYTHONPATH": "/elsewhere",
        "BC_API_KEY": "k",
        "LOG_LEVEL": "DEBUG",
    }
    pinned = worker_environment({**foreign, "PATH": "/bin", "HOME": "/home/u"})
    assert not set(foreign) - {"CHECKOV_GRAPH_FRAMEWORK"} & set(pinned)
    assert pinned["CHECKOV_GRAPH_FRAMEWORK"] == "RUSTWORKX"
    assert pinned["PATH"] == "/bin"


def test_a_caller_cannot_change_results_by_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.tf": 'variable "days" {}\nresource "time_rotating" "r" { rotation_days = var.days }\n'
            'resource "terraform_data" "t" { input = time_rotating.r.id }\n'
            'resource "aws_iam_access_key" "k" {\n  user = "u"\n'
            "  lifecycle { replace_triggered_by = [terraform_data.t] }\n}\n"
        },
    )
    noisy = {"TF_VAR_days": "30", "CHECKOV_GRAPH_FRAMEWORK": "NETWORKX", "CKV_IGNORED_DIRECTORIES": str(tmp_path)}
    assert scan(tmp_path).findings() == scan(tmp_path, env=noisy).findings()
    assert scan(tmp_path, env=noisy).status("KEY_AWS_001", "aws_iam_access_key.k") == "UNKNOWN"


def test_a_hanging_unit_times_out_and_the_others_do_not(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/main.tf": KEY,
            "b/main.tf": KEY + "locals {\n  x = pow(10, 1000000000)\n}\n",
            "c/main.tf": KEY,
        },
    )
    first, second, third = outcomes(tmp_path, ["a", "b", "c"], Limits(unit_seconds=15))
    assert first.checked and third.checked
    assert second.checked is None and second.declared is not None
    assert "did not finish" in second.problem
    assert [verdict.reason for verdict in second.declared.verdicts] == ["rotation_missing", "no_pgp_key"]


def test_memory_is_bounded(tmp_path: Path) -> None:
    doubling = "".join(f'  d{n} = "${{local.d{n - 1}}}${{local.d{n - 1}}}"\n' for n in range(1, 40))
    write(
        tmp_path,
        {"a/main.tf": KEY + 'locals {\n  d0 = "xxxxxxxxxxxxxxxx"\n' + doubling + "}\n", "b/main.tf": KEY},
    )
    first, second = outcomes(tmp_path, ["a", "b"], Limits(unit_seconds=60, memory_bytes=3 * 2**30))
    assert first.declared is not None
    assert first.checked is not None or first.problem
    assert second.checked is not None


def test_no_network_is_attempted(tmp_path: Path) -> None:
    """A listener stands where a registry would be; nothing connects to it, and remote modules are left alone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        write(
            tmp_path,
            {
                "main.tf": KEY
                + f'module "remote" {{\n  source = "http://127.0.0.1:{port}/module.zip"\n}}\n'
                + 'module "registry" {\n  source  = "terraform-aws-modules/iam/aws//modules/iam-user"\n}\n'
            },
        )
        proxies = {"HTTP_PROXY": f"http://127.0.0.1:{port}", "HTTPS_PROXY": f"http://127.0.0.1:{port}"}
        assert scan(tmp_path, env=proxies).status("KEY_AWS_001", "aws_iam_access_key.k") == "FAIL"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the pack to damage."""
    copy = tmp_path / "copy"
    shutil.copytree(PROJECT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "rules", copy / "rules")
    shutil.copy(PROJECT / "setup.cfg", copy)
    return copy


def scan_with(copy: Path, folder: Path) -> tuple[int, str]:
    write(folder, {"main.tf": KEY})
    done = subprocess.run(
        [sys.executable, "-m", "keyrules.cli", "scan", "--format", "json", str(folder)],
        env={**os.environ, "PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        return done.returncode, done.stderr
    return done.returncode, " ".join(error["message"] for error in json.loads(done.stdout)["errors"])


def test_a_missing_checks_folder_is_not_clean(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / "checks/terraform")
    code, message = scan_with(checkout, tmp_path / "src")
    assert code == 3 and message


def test_a_check_that_cannot_be_imported_is_not_clean(checkout: Path, tmp_path: Path) -> None:
    (checkout / "checks/terraform/key_aws_001_terraform.py").write_text("import nothing_of_that_name\n")
    code, message = scan_with(checkout, tmp_path / "src")
    assert code == 3 and "KEY_AWS_001" in message


def test_a_raising_check_is_not_clean(checkout: Path, tmp_path: Path) -> None:
    module = checkout / "checks/keyrules/iac/host/checkov_checks.py"
    text = module.read_text()
    assert "places = _Places(nodes)" in text
    module.write_text(text.replace("places = _Places(nodes)", "raise ValueError('broken')"))
    code, message = scan_with(checkout, tmp_path / "src")
    assert code == 3 and "KEY_AWS_001" in message


def test_a_judge_that_leaves_a_key_out_is_not_clean(checkout: Path, tmp_path: Path) -> None:
    module = checkout / "checks/keyrules/iac/terraform/terraform_rules.py"
    text = module.read_text()
    whole = "return [judge_rotation(key, context) for key in declared_keys(root)]"
    assert whole in text
    module.write_text(text.replace(whole, "return []"))
    code, _ = scan_with(checkout, tmp_path / "src")
    assert code == 3


def test_a_lean_start_that_fails_is_followed_by_a_full_one(checkout: Path, tmp_path: Path) -> None:
    module = checkout / "checks/keyrules/iac/host/lean_imports.py"
    text = module.read_text()
    assert "    sys.meta_path.insert(0, _Finder())\n" in text
    module.write_text(text.replace("    sys.meta_path.insert(0, _Finder())\n", "    raise ImportError\n"))
    assert scan_with(checkout, tmp_path / "src") == (1, "")


def test_a_worker_that_cannot_start_is_not_clean(checkout: Path, tmp_path: Path) -> None:
    (checkout / "checks/keyrules/iac/host/checkov_worker.py").write_text("raise SystemExit(1)\n")
    code, message = scan_with(checkout, tmp_path / "src")
    assert code == 3 and "could not be started" in message


def test_dirs_names_existing_folders() -> None:
    words = run("dirs", cwd=PROJECT).stdout.split()
    folders = [words[i + 1] for i, word in enumerate(words) if word == "--external-checks-dir"]
    assert len(folders) == 2 and all(Path(folder).is_dir() for folder in folders)
    assert words[words.index("--skip-check") + 1] == "KEY_AWS_007,KEY_AWS_017"
