"""The generated parts of README.md. `python tests/support/readme.py` writes them; a test says when they are stale."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from keyrules.controls.model import FrameworkEdition, Frameworks, Relation
from keyrules.controls.tables import load_frameworks
from keyrules.model import Plane, Rule
from keyrules.pack.catalog import Pack, load_pack
from keyrules.pack.parameters import show_value

PROJECT = Path(__file__).resolve().parents[2]
README = PROJECT / "README.md"
_README_FRAMEWORKS = ("CIS AWS Foundations Benchmark", "NIST SP 800-53")
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


def rules_table(pack: Pack | None = None) -> str:
    """The Markdown table of the README, from `| id |` to its last row, with the newest CIS and NIST control ids."""
    pack = pack or load_pack()
    frameworks = load_frameworks(pack)
    newest = [[each for each in frameworks.editions if each.title == title][-1] for title in _README_FRAMEWORKS]
    head = ("id", "name", "severity", "code", "live", "parameters", *(edition.name for edition in newest))
    rows: list[tuple[str, ...]] = [head, ("---",) * len(head)]
    for rule in pack.rules:
        severity = rule.severity.name if rule.default_on else f"{rule.severity.name}, opt-in"
        planes = ["yes" if plane in rule.planes else "–" for plane in (Plane.CODE, Plane.LIVE)]
        parameters = "<br>".join(f"`{name}` {show_value(each.default)}" for name, each in rule.parameters.items())
        # The anchor is what each rule's guideline address points to.
        link = f'<a id="{rule.id.lower()}"></a>[{rule.id}](rules/{rule.id}.yaml)'
        controls = [_controls(frameworks, edition, rule) for edition in newest]
        rows.append((link, rule.name, severity, *planes, parameters or "–", *controls))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _controls(frameworks: Frameworks, edition: FrameworkEdition, rule: Rule) -> str:
    """The control ids of a rule by what it decides, one line for each; what the edition removed is said so."""
    lines = []
    for relation in (Relation.IMPLEMENTS, Relation.PARTIAL, Relation.SUPPORTS):
        ids = [row.control for row in edition.rows if row.rule == rule.id and row.relation is relation]
        if ids:
            lines.append(f"{relation.value} {', '.join(ids)}")
    lines += [f"removed ({each.control} before)" for each in frameworks.removed_from(edition) if rule.id in each.rules]
    return "<br>".join(lines) or "–"


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
