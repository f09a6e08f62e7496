"""How fast the installed keyrules is, against plain Checkov on the same input and against the least Python can do.

    python tests/benchmarks/bench.py [--runs 5] [--case WORD] [--old PYTHON] [--fresh WHEEL_OR_FOLDER]

To be run by the Python of an environment that holds keyrules[checkov], not an editable installation of it. Prints a
Markdown table: each row names the exact command, medians over whole processes run in pairs, and the median of the
pairs' ratios in processor time, which a loaded machine disturbs least. Nothing is kept between runs. Plain Checkov gets
the same rules and no others.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import generated_repositories as repositories
from generated_reports import write_report
from whole_processes import KEYRULES, PROJECT, Measured, compare, plain_checkov, timed

_CSV_READER = (
    "import csv, sys\nwith open(sys.argv[1], encoding='utf-8', newline='') as f:\n    for row in csv.reader(f): pass"
)
_PASS = [sys.executable, "-c", "pass"]
_HOOKED = [f"module_000{n}/main.tf" for n in range(3)]
_AUDIT = ("audit", "--as-of", "2026-06-01")
_FORMATS = ("text", "json", "jsonl", "csv", "sarif", "html", "markdown", "junit", "github", "oscal", "ocsf", "asff")


@dataclass(frozen=True)
class Case:
    """One row: what is written into an empty folder, the arguments of keyrules there, and what they are held against.

    `target` is the largest ratio of processor time that is good enough.
    """

    name: str
    prepare: Callable[[Path], None]
    arguments: tuple[str, ...]
    peer: str = ""
    against: tuple[str, ...] = ()
    target: float | None = None


def _nothing(folder: Path) -> None:
    """What needs no input."""


def _terraform(files: int, keys: int) -> Callable[[Path], None]:
    return lambda folder: repositories.terraform(folder, files, keys)


def _root(keys: int) -> Callable[[Path], None]:
    text = "".join(repositories.KEY.format(n=n) for n in range(keys))

    def prepare(folder: Path) -> None:
        (folder / "main.tf").write_text(text)

    return prepare


def _report(users: int, busy: float = 1.0) -> Callable[[Path], None]:
    return lambda folder: write_report(folder / "report.csv", users, busy=busy)


def _reports(number: int, users: int) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / "reports").mkdir()
        for account in range(number):
            write_report(folder / f"reports/{account:04}.csv", users, f"{100_000_000_000 + account}", busy=0.145)

    return prepare


def _fixtures(folder: Path) -> None:
    shutil.copytree(PROJECT / "fixtures", folder / "fixtures")


def cases(old: str | None, users: int, files: int) -> Iterator[Case]:
    """Every row, in the order of the table."""
    scan, everything = ("scan", "--quiet", "."), tuple(plain_checkov("-d", "."))
    hook = ("scan", "--quiet", *_HOOKED)
    hooked = tuple(plain_checkov(*(word for name in _HOOKED for word in ("-f", name))))
    none = _terraform(10, 0)
    yield Case("hook on three files, nothing relevant", none, hook, "plain Checkov", hooked, 0.012)
    yield Case("the same hook", none, hook, "python -c pass", tuple(_PASS), 2.5)
    for name, prepare, target in (
        ("one file with a key", _terraform(1, 1), 0.08),
        ("100 Terraform files, 10 keys", _terraform(100, 10), 0.08),
        ("100 templates, 10 keys", lambda folder: repositories.cloudformation(folder, 100, 10), 0.08),
        (f"monorepo of {files:,} files, one key", lambda folder: repositories.monorepo(folder, files, 1), 0.006),
    ):
        yield Case(name, prepare, scan, "plain Checkov", everything, target)
    before = (old, "-m", "keyrules", *scan, "--no-cache") if old else ()
    yield Case("all fixtures", _fixtures, scan, "version 0.1.0" if old else "", before, 0.15 if old else None)
    yield Case("one root module with 2,000 keys", _root(2000), scan)
    reader = (sys.executable, "-c", _CSV_READER, "report.csv")
    yield Case(
        f"credential report of {users:,} users",
        _report(users),
        (*_AUDIT, "--counts-only", "report.csv"),
        "csv.reader",
        reader,
        4,
    )
    for name in _FORMATS:
        # 1.6 findings for each user.
        count = users // 10
        command = (*_AUDIT, "--format", name, "report.csv")
        bound = 60.0 if name in ("csv", "json") else None
        title = f"credential report of {count:,} users, {name}"
        yield Case(title, _report(count, busy=0.588), command, "csv.reader", reader, bound)
    yield Case("500 credential reports of 300 users", _reports(500, 300), (*_AUDIT, "--format", "json", "reports"))
    yield Case("version", _nothing, ("--version",), "python -c pass", tuple(_PASS))
    yield Case("help", _nothing, ("--help",), "python -c pass", tuple(_PASS))


def measure(case: Case, runs: int) -> Measured:
    """Runs one row in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case.prepare(folder)
        theirs = (lambda: timed(case.against, folder)) if case.against else None
        return compare(lambda: timed([KEYRULES, *case.arguments], folder), theirs, runs)


def row(case: Case, found: Measured) -> str:
    """One line of the table."""
    peer = f"{found.theirs.cpu:.3f} s" if found.theirs else "–"
    ratio = f"{found.cpu_ratio:.3g} × {case.peer}" if found.cpu_ratio is not None else "–"
    target = "–" if case.target is None else f"≤ {case.target:g}"
    command = f"`keyrules {' '.join(case.arguments)}`"
    ours = f"{found.ours.seconds:.3f} s | {found.ours.cpu:.3f} s | {found.ours.peak:.0f} MiB"
    return f"| {case.name} | {command} | {ours} | {peer} | {ratio} | {target} |"


def fresh_installation(source: str) -> str:
    """The row about what an environment holds that nothing but keyrules was installed into."""
    with tempfile.TemporaryDirectory() as name:
        python = Path(name, "bin/python")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", name], check=True)
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", source]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        distributions = list(Path(name, "lib").glob("python*/site-packages/*.dist-info"))
        size = sum(path.lstat().st_size for path in Path(name).rglob("*") if path.is_file()) / 1e6
    return f"| default installation | `pip install keyrules` | {len(distributions)} distributions, {size:.0f} MB |"


def lines_of_engine() -> int:
    """Lines of Python in src, of which there should be few."""
    return sum(len(path.read_bytes().splitlines()) for path in (PROJECT / "src").rglob("*.py"))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="pairs of each case (default: 5)")
    parser.add_argument("--case", default="", metavar="WORD", help="only the cases whose name has this word")
    parser.add_argument("--users", type=int, default=1_000_000, help="rows of the large report; listings have a tenth")
    parser.add_argument("--files", type=int, default=10_000, help="files of the monorepo (default: 10,000)")
    parser.add_argument("--old", metavar="PYTHON", help="the Python of an environment that holds keyrules 0.1.0")
    parser.add_argument("--fresh", metavar="SOURCE", help="a wheel or checkout to install into a fresh environment")
    args = parser.parse_args()
    if not Path(KEYRULES).exists():
        parser.error(f"there is no {KEYRULES}; install keyrules[checkov] beside this Python, without -e")
    print(
        "| case | command | time | processor time | peak | peer's processor time | ratio of processor time | target |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for case in cases(args.old, args.users, args.files):
        if args.case in case.name:
            print(row(case, measure(case, args.runs)), flush=True)
    if args.fresh:
        print(fresh_installation(args.fresh))
    print(f"\nLines of Python in the engine: {lines_of_engine():,}")


if __name__ == "__main__":
    main()
