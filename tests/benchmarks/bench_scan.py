"""Whole-process times of `keyrules scan` against plain Checkov with the same pack, on the same input in the same run.

    python tests/benchmarks/bench_scan.py [--runs 5]

Prints the median of each and the median of the pairwise ratios. The input is generated from a fixed seed: Terraform
files of about 130 lines with twenty resources each, one in ten with an access key, and CloudFormation templates alike.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
KEY = """
resource "aws_iam_access_key" "key_{n}" {{
  user = "svc-{n}"
}}
"""
BUCKET = """
resource "aws_s3_bucket" "bucket_{n}_{m}" {{
  bucket = "logs-{n}-{m}-${{var.environment}}"

  tags = {{
    owner = "team-{owner}"
  }}
}}
"""


def terraform(folder: Path, files: int, keys: int) -> None:
    """`files` root modules of one file each; the first `keys` of them declare an access key."""
    rng = random.Random(20260601)
    for n in range(files):
        path = folder / f"module_{n:04}"
        path.mkdir(parents=True)
        blocks = [BUCKET.format(n=n, m=m, owner=rng.randrange(9)) for m in range(20)]
        if n < keys:
            blocks.append(KEY.format(n=n))
        (path / "main.tf").write_text('variable "environment" {\n  default = "prod"\n}\n' + "".join(blocks))


def cloudformation(folder: Path, files: int, keys: int) -> None:
    """`files` templates; the first `keys` of them declare an access key."""
    for n in range(files):
        resources = [f"  Bucket{m}:\n    Type: AWS::S3::Bucket\n" for m in range(30)]
        if n < keys:
            resources.append(f"  Key:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc-{n}\n")
        (folder / f"template_{n:04}.yaml").write_text("Resources:\n" + "".join(resources))


CASES: Sequence[tuple[str, Callable[[Path], None]]] = (
    ("a folder with nothing relevant", lambda folder: terraform(folder, 10, 0)),
    ("one Terraform file with a key", lambda folder: terraform(folder, 1, 1)),
    ("100 Terraform files, 10 keys", lambda folder: terraform(folder, 100, 10)),
    ("100 CloudFormation templates, 10 keys", lambda folder: cloudformation(folder, 100, 10)),
)


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of one run; findings are exit code 1."""
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[3:]} exits {done.returncode}: {done.stderr.decode()[-500:]}")
    return time.perf_counter() - start


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "checks")}
    folders = [w for name in ("rules", "checks") for w in ("--external-checks-dir", str(PROJECT / name))]
    print(f"{'case':<40} {'keyrules scan':>14} {'plain Checkov':>14} {'ratio':>7}")
    for name, generate in CASES:
        with tempfile.TemporaryDirectory() as folder:
            generate(Path(folder))
            ours = [sys.executable, "-m", "keyrules.cli", "scan", folder]
            theirs = [sys.executable, "-m", "checkov.main", "--skip-download", "--quiet", "--compact", "-d", folder]
            theirs += ["--framework", "terraform", "cloudformation", "--check", "KEY_AWS_*", *folders]
            pairs = []
            seconds(ours, environment)
            for _ in range(runs):
                pairs.append((seconds(ours, environment), seconds(theirs, environment)))
            first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(a / b for a, b in pairs)
            print(f"{name:<40} {first:>12.2f} s {second:>12.2f} s {ratio:>7.2f}")


if __name__ == "__main__":
    main()
