"""The generated parts of README.md and of the pages in docs.

`PYTHONPATH=src python tests/support/readme.py` writes them; a test says when they are stale.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import configuration_page
import scanners

from keyrules.model import Plane
from keyrules.pack.catalog import Pack, load_pack
from keyrules.run.starting import GITHUB, GITLAB, JENKINS

PROJECT = Path(__file__).resolve().parents[2]
README = PROJECT / "README.md"
PAGES = (README, *sorted((PROJECT / "docs").glob("*.md")))


def example_output(arguments: str) -> str:
    """A code block with a command and what it prints, which has findings."""
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
    return f"```\n$ keyrules {arguments}\n{done.stdout}```\n"


def rules_table(pack: Pack | None = None) -> str:
    """The Markdown table of the README, from `| id |` to its last row."""
    head = ("id", "what holds", "severity", "code", "live")
    rows: list[tuple[str, ...]] = [head, ("---",) * len(head)]
    for rule in (pack or load_pack()).rules:
        severity = rule.severity.name if rule.default_on else f"{rule.severity.name}, opt-in"
        planes = ["yes" if plane in rule.planes else "–" for plane in (Plane.CODE, Plane.LIVE)]
        rows.append((f"[{rule.id}](docs/rules/{rule.id}.md)", rule.name, severity, *planes))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def example_file(path: str) -> str:
    """A file of the fixtures as a code block."""
    fence = {".tf": "hcl", ".yaml": "yaml"}[Path(path).suffix]
    return f"```{fence}\n{(PROJECT / path).read_text(encoding='utf-8')}```\n"


PARTS: Mapping[str, Callable[[], str]] = {
    "scanners": scanners.page,
    "example-output": lambda: example_output("scan fixtures/example"),
    "audit-output": lambda: example_output(
        "audit fixtures/example_report/report.csv --as-of 2026-06-01T00:00:00Z --due-within 14d"
    ),
    "good-terraform": lambda: example_file("fixtures/pages/good/key.tf"),
    "good-cloudformation": lambda: example_file("fixtures/pages/good/key.yaml"),
    "rules": rules_table,
    "configuration-keys": configuration_page.keys_table,
    "configuration-parameters": configuration_page.parameters_table,
    "pipeline-github": lambda: f"<!-- snippet: github -->\n```yaml\n{GITHUB}```",
    "pipeline-gitlab": lambda: f"<!-- snippet: gitlab -->\n```yaml\n{GITLAB}```",
    "pipeline-jenkins": lambda: f"<!-- snippet: jenkins -->\n```groovy\n{JENKINS}```",
}
"""The generated parts by name."""


def snippet(name: str) -> str:
    """The code block that follows the comment `<!-- snippet: NAME -->` in one of the pages."""
    block = re.compile(rf"^<!-- snippet: {re.escape(name)} -->\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    found = [text for page in PAGES for text in block.findall(page.read_text(encoding="utf-8"))]
    if len(found) != 1:
        raise RuntimeError(f"the pages have {len(found)} snippets called {name}, not one")
    return str(found[0])


def rendered(text: str) -> str:
    """A page with every generated part made anew. Raises RuntimeError where it names one that nothing makes."""

    def anew(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in PARTS:
            raise RuntimeError(f"nothing makes the part {name}")
        body = PARTS[name]()
        return f"<!-- {name}:begin -->\n{body.rstrip()}\n<!-- {name}:end -->"

    return re.sub(r"<!-- ([\w-]+):begin -->\n.*?(?<=\n)<!-- \1:end -->", anew, text, flags=re.DOTALL)


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(rendered(each.read_text(encoding="utf-8")), encoding="utf-8")
