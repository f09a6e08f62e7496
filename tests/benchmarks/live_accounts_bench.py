"""How long a run over many accounts takes, and a verification of many users, where each answer takes 50 ms.

    python tests/benchmarks/live_accounts_bench.py [--runs 3] [--accounts 200] [--users 200]

AWS is the fake of the tests, in a process of its own. Prints a Markdown table of medians over whole processes, with the
most calls that any account got.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[2]
FAKE = PROJECT / "tests/support/fake_aws.py"
PATHS = os.pathsep.join(str(PROJECT / name) for name in ("src", "tests/support"))
LATENCY = 0.05
CALLER = {
    "AWS_ACCESS_KEY_ID": "AKIDCALLER",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    # What the botocore that Checkov pins does not know.
    "AWS_DATA_PATH": str(PROJECT / "tests/support/botocore_models"),
}


@contextmanager
def fake(accounts: int, users: int) -> Iterator[tuple[str, IO[str], IO[str]]]:
    """The address of a fake with so many accounts and users in each, and its standard input and output."""
    command = [sys.executable, str(FAKE), str(accounts), str(users), str(LATENCY)]
    environment = {**os.environ, "PYTHONPATH": PATHS}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.stdin, process.stdout
    finally:
        process.stdin.close()
        process.wait()


def run(accounts: int, users: int, *options: str) -> tuple[float, float, int]:
    """Seconds on the clock and on the processors of one run over a new fake, and the most calls to one account."""
    with fake(accounts, users) as (address, asking, answering):
        before, start = os.times(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "keyrules", "audit", "--no-config", "--endpoint-url", address,
             "--format", "json", "--organization", "--role", "audit", *options],
            env={**os.environ, **CALLER, "PYTHONPATH": PATHS}, stdout=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        seconds, after = time.perf_counter() - start, os.times()
        assert done.returncode == 1, done.returncode
        asking.write("calls\n")
        asking.flush()
        calls = json.loads(answering.readline())
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    # The caller asks for the list and assumes every role.
    return seconds, cpu, max(number for account, number in calls.items() if account != "999999999999") + 1


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--users", type=int, default=200)
    args = parser.parse_args()
    of_reports = [word for number in range(20, 30) for word in ("--skip-rule", f"KEY_AWS_0{number}")]
    cases = [
        (f"{args.accounts} accounts of 10 users, rules over reports", args.accounts, 10, of_reports),
        (f"{args.accounts} accounts of 10 users, all rules", args.accounts, 10, ()),
        (f"--verify, {args.users} flagged users, one by one", 1, args.users, ("--verify", "--parallel", "1")),
        (f"--verify, {args.users} flagged users", 1, args.users, ("--verify",)),
    ]
    print("| case | time | processor time | calls to an account |\n|---|---|---|---|")
    medians = []
    for name, accounts, users, options in cases:
        found = [run(accounts, users, *options) for _ in range(args.runs)]
        seconds, cpu, calls = (statistics.median(column) for column in zip(*found, strict=True))
        medians.append(seconds)
        print(f"| {name} | {seconds:.2f} s | {cpu:.2f} s | {calls:.0f} |", flush=True)
    print(f"\nVerification at once takes 1/{medians[-2] / medians[-1]:.1f} of one by one.")


if __name__ == "__main__":
    main()
