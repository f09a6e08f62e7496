"""The generated parts of README.md. `python tests/support/readme.py` writes them; a test says when they are stale."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
README = PROJECT / "README.md"
_PART = "<!-- {name}:begin -->\n{body}<!-- {name}:end -->"


EXAMPLES = {
    "example-output": "scan fixtures/example",
    "audit-output": "audit fixtures/example_report/report.csv --as-of 2026-06-01T00:00:00Z --due-within 14d",
}
"""The parts that show a command with what it prints."""


def example_output(arguments: str) -> str:
    """What `keyrules` prints with these arguments, which have findings."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from keyrules.cli import main; sys.exit(main())", *arguments.split()],
        cwd=PROJECT,
        env={"PYTHONPATH": str(PROJECT / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 1:
        raise RuntimeError(f"keyrules {arguments} exits {done.returncode}: {done.stderr}")
    return done.stdout


def rules_table() -> str:
    """The rule table, from the rule files."""
    from keyrules.pack.catalog import load_pack
    from keyrules.pack.listing import readme_table

    return readme_table(load_pack())


def snippet(name: str) -> str:
    """The code block that follows the comment `<!-- snippet: NAME -->`."""
    block = re.compile(rf"^<!-- snippet: {re.escape(name)} -->\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    found = block.findall(README.read_text(encoding="utf-8"))
    if len(found) != 1:
        raise RuntimeError(f"README.md has {len(found)} snippets called {name}, not one")
    return str(found[0])


def rendered(text: str) -> str:
    """README.md with every generated part made anew."""
    parts = {
        name: f"```\n$ keyrules {arguments}\n{example_output(arguments)}```\n" for name, arguments in EXAMPLES.items()
    }
    for name, body in {**parts, "rules": rules_table()}.items():
        pattern = re.compile(rf"<!-- {name}:begin -->\n.*?<!-- {name}:end -->", re.DOTALL)
        part = _PART.format(name=name, body=body if body.endswith("\n") else f"{body}\n")
        text, count = pattern.subn(part.replace("\\", r"\\"), text)
        if count != 1:
            raise RuntimeError(f"README.md has {count} parts called {name}, not one")
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT / "src"))
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
