"""How fast keyrules is, against plain Checkov on the same input and against what reading the same bytes must cost.

    python tests/benchmarks/bench.py [--runs 5] [--case WORD] [--users 1000000] [--files 10000]

Whole processes, run in pairs one after the other. The first table has medians in seconds and the median of the pairs'
ratios beside its target; the second shows how the cost grows with the files while one of them matters. "cold" starts
with an empty cache in every run, "cached" with that of the run before. Plain Checkov gets the same rules and no others.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import generated_repositories as repositories
from generated_reports import write_report
from whole_processes import Measured, compare, environment, keyrules_command, plain_checkov, timed

_CSV_READER = (
    "import csv, sys\nwith open(sys.argv[1], encoding='utf-8', newline='') as f:\n    for row in csv.reader(f): pass"
)
_PASS = [sys.executable, "-c", "pass"]


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    runs: int
    users: int
    files: int


@dataclass(frozen=True)
class Case:
    """A line of the first table: `target` is the largest ratio that is good enough."""

    name: str
    peer: str
    target: float
    measure: Callable[[Path, Options], Measured]


def _scan(
    generate: Callable[[Path], None], warm: bool, ours: tuple[str, ...] = ("scan", "--quiet", "."), hook: bool = False
) -> Callable[[Path, Options], Measured]:
    """keyrules in a generated folder against plain Checkov in the same one; a hook names three files."""

    def measure(folder: Path, options: Options) -> Measured:
        repository, kept = folder / "repository", folder / "cache"
        repository.mkdir()
        generate(repository)
        named = [str(path.relative_to(repository)) for path in sorted(repository.rglob("*.tf"))[:3]] if hook else []
        command = [*keyrules_command(), *(("scan", "--quiet", *named) if hook else ours)]
        peer = plain_checkov(*(word for name in named for word in ("-f", name))) if hook else plain_checkov("-d", ".")

        def run() -> tuple[float, float]:
            with _cache(kept, warm) as cache:
                return timed(command, environment(cache), repository)

        return compare(run, lambda: timed(peer, environment(kept), repository), options.runs)

    return measure


@contextlib.contextmanager
def _cache(kept: Path, warm: bool) -> Iterator[Path]:
    if warm:
        yield kept
    else:
        with tempfile.TemporaryDirectory() as empty:
            yield Path(empty)


def _against_nothing(folder: Path, options: Options) -> Measured:
    """The hook on a commit with nothing relevant against a Python that does nothing."""
    repositories.terraform(folder, 10, 0)
    named = [str(path) for path in sorted(folder.rglob("*.tf"))[:3]]
    variables = environment(folder / "cache")
    command = [*keyrules_command(), "scan", "--quiet", *named]
    return compare(lambda: timed(command, variables, folder), lambda: timed(_PASS, variables), options.runs)


def _command(*words: str) -> Callable[[Path, Options], Measured]:
    def measure(folder: Path, options: Options) -> Measured:
        variables = environment(folder / "cache")
        command = [*keyrules_command(), *words]
        return compare(lambda: timed(command, variables, folder), lambda: timed(_PASS, variables), options.runs)

    return measure


def _report(share: int) -> Callable[[Path, Options], Measured]:
    def measure(folder: Path, options: Options) -> Measured:
        report = folder / "report.csv"
        write_report(report, options.users // share)
        variables = environment(folder / "cache")
        command = [*keyrules_command(), "audit", "--counts-only", "--as-of", "2026-06-01", str(report)]
        peer = [sys.executable, "-c", _CSV_READER, str(report)]
        return compare(lambda: timed(command, variables, folder), lambda: timed(peer, variables), options.runs)

    return measure


def _monorepo(folder: Path, options: Options) -> Measured:
    return _scan(lambda path: repositories.monorepo(path, options.files, 1), warm=False)(folder, options)


CASES = (
    Case("hook, three files, nothing relevant", "plain Checkov", 1 / 25, _scan(
        lambda path: repositories.terraform(path, 10, 0), warm=True, hook=True)),
    Case("hook, three files, nothing relevant", "python -c pass", 4, _against_nothing),
    Case("one file with a key, cold", "plain Checkov", 0.45, _scan(
        lambda path: repositories.terraform(path, 1, 1), warm=False)),
    Case("one file with a key, cached", "plain Checkov", 1 / 20, _scan(
        lambda path: repositories.terraform(path, 1, 1), warm=True)),
    Case("100 Terraform files, 10 keys, cold", "plain Checkov", 0.35, _scan(
        lambda path: repositories.terraform(path, 100, 10), warm=False)),
    Case("100 templates, 10 keys, cold", "plain Checkov", 0.35, _scan(
        lambda path: repositories.cloudformation(path, 100, 10), warm=False)),
    Case("monorepo, one key, cold", "plain Checkov", 1 / 40, _monorepo),
    Case("credential report", "csv.reader", 5, _report(1)),
    Case("credential report, a tenth of it", "csv.reader", 5, _report(10)),
    Case("keyrules --version", "python -c pass", 6, _command("--version")),
    Case("keyrules --help", "python -c pass", 6, _command("--help")),
)  # fmt: skip


def growth(options: Options) -> Iterator[tuple[int, float, float, float]]:
    """Files, and the medians of a cold run, a cached one, and of reading every file's bytes."""
    for files in (options.files // 100, options.files // 10, options.files):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            repositories.monorepo(folder / "repository", files, 1)
            command = [*keyrules_command(), "scan", "--quiet", "."]
            read = [sys.executable, "-c", _READ_ALL]
            cold, cached, floor = [], [], []
            for _ in range(options.runs):
                with tempfile.TemporaryDirectory() as empty:
                    cold.append(timed(command, environment(Path(empty)), folder / "repository")[0])
                    cached.append(timed(command, environment(Path(empty)), folder / "repository")[0])
                floor.append(timed(read, environment(folder), folder / "repository")[0])
            yield files, statistics.median(cold), statistics.median(cached), statistics.median(floor)


_READ_ALL = """
import os
for root, _, names in os.walk('.'):
    for name in names:
        with open(root + '/' + name, 'rb') as file:
            file.read()
"""


def account(runs: int, users: int = 200) -> float:
    """Seconds of a whole audit of an account at moto's server over HTTP, the median."""
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
        iam = boto3.client("iam", endpoint_url=f"http://{host}:{port}")
        for number in range(users):
            iam.create_user(UserName=f"user-{number}")
            iam.create_access_key(UserName=f"user-{number}")
    command = [*keyrules_command(), "audit", "--endpoint-url", f"http://{host}:{port}", "--as-of", "2099-01-01"]
    with tempfile.TemporaryDirectory() as folder:
        median = statistics.median(timed(command, environment(Path(folder)))[0] for _ in range(runs))
    server.stop()
    return median


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="pairs of each case (default: 5)")
    parser.add_argument("--case", default="", metavar="WORD", help="only the cases whose name has this word")
    parser.add_argument("--users", type=int, default=1_000_000, help="rows of the report (default: 1,000,000)")
    parser.add_argument("--files", type=int, default=10_000, help="files of the monorepo (default: 10,000)")
    args = parser.parse_args()
    options = Options(args.runs, args.users, args.files)
    print(f"{'case':<38} {'keyrules':>9} {'peer':>9}  {'':<15} {'ratio':>7} {'target':>8} {'peak':>9}")
    for case in CASES:
        if args.case in case.name:
            with tempfile.TemporaryDirectory() as folder:
                found = case.measure(Path(folder), options)
            print(
                f"{case.name:<38} {found.ours:>7.3f} s {found.theirs:>7.3f} s  {case.peer:<15} {found.ratio:>7.3f}"
                f" {'≤ ' + format(case.target, '.3g'):>8} {found.peak:>5.0f} MiB",
                flush=True,
            )
    if args.case in "account over HTTP":
        print(f"{'account of 200 users over HTTP':<38} {account(args.runs):>7.3f} s")
    if args.case in "growth":
        print(f"\n{'files, one of them with a key':<38} {'cold':>9} {'cached':>9} {'read all':>9}")
        for files, cold, cached, floor in growth(options):
            print(f"{files:<38,} {cold:>7.3f} s {cached:>7.3f} s {floor:>7.3f} s", flush=True)


if __name__ == "__main__":
    main()
