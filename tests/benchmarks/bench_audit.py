"""How fast and how large an audit is, against the least that reading the same bytes can cost.

    PYTHONPATH=checks:tests/support python tests/benchmarks/bench_audit.py [USERS]

Prints three ratios: time of the audit (all default rules, findings counted) over a bare csv.reader loop on the same
file; peak memory at USERS over a tenth of them; and the time of the whole command on an account of 200 users at moto's
server. Targets: at most 5 times csv.reader, less than 150 MB and flat, less than 2 seconds.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEASURE = """
import resource, sys, time
from datetime import datetime, timezone
from pathlib import Path
from keyrules.catalog import load_pack
from keyrules.live.account_audit import AuditRequest, audit_report, combine
from keyrules.live.report_inputs import ReportSource, opened
from keyrules.model import Selection
pack = load_pack()
as_of = datetime(2026, 6, 1, tzinfo=timezone.utc)
rules = Selection(tuple(rule for rule in pack.rules if rule.default_on))
request = AuditRequest(pack.stamp, rules, now=as_of, as_of=as_of, max_age=None, keep_findings=False)
start = time.perf_counter()
with opened(ReportSource("report", Path(sys.argv[1])), lambda: None) as report:
    result = combine([audit_report("report", report, request)], request)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
assert not result.evaluation.errors, result.evaluation.errors[0]
print(result.evaluation.counts, file=sys.stderr)
"""
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
REPEATS = 3


def moment(chance: random.Random) -> str:
    """A date between 2020 and 2026-05-28."""
    year = chance.randint(2020, 2026)
    month = chance.randint(1, 12 if year < 2026 else 5)
    clock = f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"
    return f"{year}-{month:02}-{chance.randint(1, 28):02}T{clock}Z"


def write_report(path: Path, users: int) -> None:
    """Half the users sign in to the console, 70 % have one key and 30 % a second; the same in every run."""
    chance = random.Random(20260601)
    nothing = ["N/A"] * 4
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER + "\n")
        root = ["true", moment(chance), moment(chance), "N/A", "true", "false", *nothing, "false", *nothing]
        file.write(",".join(["<root_account>", "arn:aws:iam::123456789012:root", moment(chance), *root]))
        file.write(",false,N/A,false,N/A\n")
        for number in range(users):
            name = f"user-{number:07}"
            cells = [name, f"arn:aws:iam::123456789012:user/{name}", moment(chance)]
            console = chance.random() < 0.5
            cells += ["true", moment(chance), moment(chance), "N/A"] if console else ["false", "N/A", "N/A", "N/A"]
            cells.append("true" if chance.random() < 0.8 else "false")
            for share in (0.7, 0.3):
                used = [moment(chance), moment(chance), "eu-west-1", "s3"]
                cells += ["true", *used] if chance.random() < share else ["false", *nothing]
            file.write(",".join([*cells, "false,N/A,false,N/A"]) + "\n")


def read_bare(path: Path) -> float:
    """Seconds that csv.reader alone takes."""
    start = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _row in csv.reader(file):
            pass
    return time.perf_counter() - start


def audit(path: Path) -> tuple[float, float]:
    """Seconds and peak MiB of an audit in a process of its own."""
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], check=True, stdout=subprocess.PIPE, text=True)
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def audit_account(users: int) -> float:
    """Seconds of the whole command, with the start of Python, against moto's server; the best of several runs."""
    import boto3
    from moto.server import ThreadedMotoServer

    synthetic = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(synthetic)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        server.start()
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        iam = boto3.client("iam", endpoint_url=endpoint)
        for number in range(users):
            iam.create_user(UserName=f"user-{number}")
            iam.create_access_key(UserName=f"user-{number}")
    command = [sys.executable, "-m", "keyrules.cli", "audit", "--endpoint-url", endpoint, "--as-of", "2099-01-01"]
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
        if done.returncode != 1:
            raise SystemExit(f"the command ended with {done.returncode}")
    server.stop()
    return min(times)


def main() -> None:
    """Prints the three ratios."""
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large.csv"), Path(folder, "small.csv")
        write_report(large, users)
        write_report(small, users // 10)
        pairs = [(read_bare(large), audit(large)) for _ in range(REPEATS)]
        bare = min(seconds for seconds, _ in pairs)
        seconds, peak = min(measured for _, measured in pairs)
        _, peak_small = audit(small)
    print(
        f"time:   {seconds:.2f} s for {users:,} users, csv.reader {bare:.2f} s, ratio {seconds / bare:.2f} (at most 5)"
    )
    print(f"memory: {peak:.0f} MiB, {peak_small:.0f} MiB for a tenth, ratio {peak / peak_small:.2f} (less than 150 MB)")
    print(f"account of 200 users over HTTP, whole process: {audit_account(200):.2f} s (less than 2)")


if __name__ == "__main__":
    main()
