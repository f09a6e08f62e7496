"""The whole command, from files and against moto's IAM over HTTP, in a process of its own."""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.server
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from canaries import leaks, make_canary
from credential_reports import ACCOUNT, AS_OF, ROOT, ago, key, line, report
from moto.server import ThreadedMotoServer

from keyrules.commands import audit
from keyrules.model import UsageError

CANARY = make_canary("caller")
STALE = report(line(ROOT), line("ann", **key(1, 500, used=1)))
CLEAN = report(line(ROOT), line("ann", **key(1, 5, used=1)))
SCRIPT = """
import argparse, sys
from datetime import datetime, timezone
from keyrules.commands import audit
from keyrules.model import UsageError
parser = argparse.ArgumentParser()
audit.add_arguments(parser)
sys.exit(audit.run(parser.parse_args(sys.argv[1:]), lambda: datetime.now(timezone.utc)))
"""


def run(capfd: pytest.CaptureFixture[str], *argv: str, now: datetime = AS_OF) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    code = audit.run(parser.parse_args(argv), lambda: now)
    return code, capfd.readouterr().out


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (CLEAN, (), 0),
        (STALE, (), 1),
        (STALE, ("--fail-on", "high"), 0),
        (STALE, ("--set", "KEY_AWS_001.max_age_days=600"), 0),
        (STALE, ("--skip-rule", "KEY_AWS_001"), 0),
        (CLEAN, ("--rule", "KEY_AWS_007"), 1),
        (CLEAN, ("--as-of", "2026-12-01"), 1),
        (CLEAN, ("--as-of", "2026-05-01"), 3),
        (STALE, ("--counts-only",), 1),
        (STALE, ("--counts-only", "--fail-on", "high"), 0),
        (CLEAN, ("--counts-only",), 0),
        (b"", (), 3),
        (report(), (), 3),
        (STALE + b"\nshort,row", (), 3),
    ],
)
def test_exit_codes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, options: tuple[str, ...], code: int
) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(content)
    assert run(capfd, str(file), *options)[0] == code


def test_json_says_when_it_was_made_and_an_old_one_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    document = {"Content": base64.b64encode(CLEAN).decode(), "GeneratedTime": "2026-06-01T00:00:00+00:00"}
    file.write_text(json.dumps(document))
    now = datetime(2026, 6, 5, tzinfo=timezone.utc)
    assert run(capfd, str(file), now=now)[0] == 3
    assert run(capfd, str(file), "--max-report-age", "5d", now=now)[0] == 0
    assert run(capfd, str(file), "--as-of", "2026-06-01", now=now)[0] == 0
    assert run(capfd, str(file), "--as-of", "2026-06-03", "--max-report-age", "1d", now=now)[0] == 3


def test_one_bad_report_of_a_folder_does_not_hide_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_bytes(b"<Error/>")
    (tmp_path / "b.csv").write_bytes(STALE)
    code, out = run(capfd, str(tmp_path), "--format", "json")
    document = json.loads(out)
    assert code == 3
    assert [item["name"][-5:] for item in document["inputs"]] == ["a.csv", "b.csv"]
    assert document["summary"]["fail"] == 1
    assert len(document["errors"]) == 1


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(STALE)))
    monkeypatch.setattr(sys, "stdin", stream)
    code, out = run(capfd, "-")
    assert code == 1
    assert "<stdin>" in out


@pytest.mark.parametrize(
    "argv",
    [("absent.csv",), ("-", "-"), ("-", "--counts-only", "--verify"), ("-", "--rule", "KEY_AWS_008"),
     ("-", "--max-report-age", "soon"), ("-", "--due-within", "1w"), ("-", "--as-of", "noon"), ("-", "--format", "x"),
     *(("-", "--counts-only", "--format", name) for name in ("sarif", "ocsf", "asff"))],
)  # fmt: skip
def test_wrong_usage(capfd: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run(capfd, *argv)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    host, port = server.get_host_and_port()
    iam = client(f"http://{host}:{port}")
    for number in range(12):
        iam.create_user(UserName=f"user-{number}", Tags=[{"Key": "Owner", "Value": f"team-{number}"}])
    iam.create_access_key(UserName="user-3")
    yield f"http://{host}:{port}"
    server.stop()


def client(endpoint: str) -> Any:
    return boto3.client(
        "iam",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=CANARY.key_id,
        aws_secret_access_key=CANARY.secret,
        aws_session_token=CANARY.session_token,
    )


def command(*argv: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "AWS_ACCESS_KEY_ID": CANARY.key_id,
        "AWS_SECRET_ACCESS_KEY": CANARY.secret,
        "AWS_SESSION_TOKEN": CANARY.session_token,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": "/nonexistent",
    }
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *argv], capture_output=True, text=True, env=environment, check=False
    )


def test_the_live_account_with_verification(endpoint: str) -> None:
    future = "2099-01-01"
    done = command("--endpoint-url", endpoint, "--as-of", future, "--verify", "--format", "json")
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert document["inputs"][0]["name"] == f"account {ACCOUNT}"
    assert document["inputs"][0]["generated_at"] == "2015-02-02T20:02:02Z"
    missing = [f["rule"] for f in document["findings"] if f["reason"] == "root_row_missing"]
    assert missing == ["KEY_AWS_005", "KEY_AWS_015"]
    document["findings"] = [f for f in document["findings"] if f["subject"]["kind"] == "access_key"]
    assert {f["rule"] for f in document["findings"]} == {"KEY_AWS_001", "KEY_AWS_002"}
    (key_id,) = {f["subject"]["key_id"] for f in document["findings"]}
    assert client(endpoint).list_access_keys(UserName="user-3")["AccessKeyMetadata"][0]["AccessKeyId"] == key_id
    assert {f["subject"]["owner"] for f in document["findings"]} == {"team-3"}
    assert all(key_id in f["remediation"] for f in document["findings"])
    assert leaks([("stdout", done.stdout), ("stderr", done.stderr)], [CANARY]) == []


def test_a_report_of_2015_is_too_old(endpoint: str) -> None:
    done = command("--endpoint-url", endpoint)
    assert done.returncode == 3
    assert "longer than --max-report-age" in done.stdout.replace("\n      ", " ")


def test_verification_needs_the_same_account(endpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(report(line("ann", arn="arn:aws:iam::999999999999:user/ann", **key(1, 500))))
    done = command(str(file), "--endpoint-url", endpoint, "--as-of", "2026-06-01", "--verify", "--format", "json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert "999999999999" in document["errors"][0]["message"]
    assert document["summary"]["fail"] == 2, "the findings are kept"


def test_an_endpoint_that_nobody_answers() -> None:
    done = command("--endpoint-url", "http://127.0.0.1:9", "--format", "json")
    assert done.returncode == 3
    assert "cannot be reached" in json.loads(done.stdout)["errors"][0]["message"]
    assert leaks([("stdout", done.stdout), ("stderr", done.stderr)], [CANARY]) == []


class NotAws(http.server.BaseHTTPRequestHandler):
    """The page that a proxy puts in the place of every answer."""

    def do_POST(self) -> None:
        page = b"<html>Please sign in</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_a_page_of_a_proxy_is_no_answer() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotAws) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = command("--endpoint-url", f"http://127.0.0.1:{server.server_port}", "--format", "json")
        server.shutdown()
    assert done.returncode == 3
    assert "was not answered by AWS" in json.loads(done.stdout)["errors"][0]["message"]
    assert done.stderr == ""


@pytest.mark.parametrize("options", [("--profile", "absent"), ("--endpoint-url", "nonsense")])
def test_a_configuration_that_does_not_work_keeps_the_findings(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(STALE)
    for argv, failed in ((options, 0), ((str(file), "--as-of", "2026-06-01", "--verify", *options), 1)):
        done = command(*argv, "--format", "json")
        assert done.returncode == 3, done.stderr
        document = json.loads(done.stdout)
        assert options[0] in document["errors"][0]["message"]
        assert document["summary"]["fail"] == failed


def test_boto3_is_imported_by_one_module_only(tmp_path: Path) -> None:
    live = Path(__file__).parents[2] / "src" / "keyrules"
    users = sorted(p.name for p in live.rglob("*.py") if "import boto" in p.read_text() or "from boto" in p.read_text())
    assert users == ["aws.py"]
    file = tmp_path / "report.csv"
    file.write_bytes(CLEAN)
    script = (
        SCRIPT.replace("sys.exit(run", "code = (run")
        + "\nassert 'boto3' not in sys.modules and 'checkov' not in sys.modules\n"
    )
    environment = os.environ | {"PYTHONPATH": str(live.parent)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(file), "--as-of", ago()], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
