"""The generated parts of README.md. `python tests/support/readme.py` writes them; a test says when they are stale."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
README = PROJECT / "README.md"
_PART = "<!-- {name}:begin -->\n{body}<!-- {name}:end -->"


def example_output() -> str:
    """What `keyrules scan fixtures/example` prints."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from keyrules.cli import main; sys.exit(main())", "scan", "fixtures/example"],
        cwd=PROJECT,
        env={"PYTHONPATH": str(PROJECT / "checks"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 1:
        raise RuntimeError(f"the example exits {done.returncode}: {done.stderr}")
    return done.stdout


def rules_table() -> str:
    """The rule table, from the rule files."""
    from keyrules.catalog import load_pack
    from keyrules.rule_listing import readme_table

    return readme_table(load_pack())


def rendered(text: str) -> str:
    """README.md with every generated part made anew."""
    output = f"```\n$ keyrules scan fixtures/example\n{example_output()}```\n"
    for name, body in (("example-output", output), ("rules", rules_table())):
        if not body.endswith("\n"):
            body += "\n"
        pattern = re.compile(rf"<!-- {name}:begin -->\n.*?<!-- {name}:end -->", re.DOTALL)
        part = _PART.format(name=name, body=body)
        text, count = pattern.subn(lambda _, part=part: part, text)
        if count != 1:
            raise RuntimeError(f"README.md has {count} parts called {name}, not one")
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT / "checks"))
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
