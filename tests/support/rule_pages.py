"""docs/rules: a page for every rule, from its YAML file, its examples in fixtures/pages and the control files.

`PYTHONPATH=src:tests/support python tests/support/rule_pages.py` writes them; a test says when they are stale.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from keyrules.cli import main
from keyrules.code.patches.reasons import MENDED
from keyrules.controls.model import Frameworks, Relation
from keyrules.controls.tables import load_frameworks
from keyrules.model import Plane, Rule
from keyrules.pack.catalog import Pack, load_pack
from keyrules.pack.listing import runtime_text
from keyrules.pack.parameters import bounds, show_value

PROJECT = Path(__file__).resolve().parents[2]
PAGES = PROJECT / "docs/rules"
EXAMPLES = PROJECT / "fixtures/pages"
AS_OF = "2026-06-01T00:00:00Z"
_LANGUAGES = (("Terraform", "hcl", "{}/main.tf"), ("CloudFormation", "yaml", "{}.yaml"))
_NEIGHBOURS = {"aws_security_hub": "Security Hub", "aws_config": "AWS Config"}
_PLANES = {Plane.CODE: "code", Plane.LIVE: "live accounts"}
_STAYS = (
    "An [exception](../exceptions.md) in `.keyrules-exceptions.yaml` needs a reason, an owner and an end. "
    "`keyrules except {rule}:SUBJECT --reason … --owner … --until DATE --exceptions .keyrules-exceptions.yaml` "
    "writes it."
)
_SKIPS = " A comment `# checkov:skip={rule}:REASON` inside the block has no owner and no end."
_PATCH = (
    "`keyrules scan --patch` prints the change of the code where nothing has to be guessed: [patches](../patches.md)."
)
_WHERE = {"Code": "In code", "Live": "In the account"}
_WHOLE = (Relation.IMPLEMENTS, Relation.PARTIAL)
_STEP = re.compile(r"(?:^|(?<=\s))(\d)\. ")

Findings = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
"""By rule and path."""


def examples(pack: Pack) -> Findings:
    """What keyrules says of the examples: all findings, PASS included."""
    chosen = [part for rule in pack.rules if Plane.CODE in rule.planes for part in ("--rule", rule.id)]
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for finding in _findings("scan", *chosen, "--show-passing", str(EXAMPLES)):
        path = Path(finding["location"]["path"]).resolve().relative_to(EXAMPLES).as_posix()
        found.setdefault((finding["rule"], path), []).append(finding)
    return found


def pages(pack: Pack | None = None) -> dict[str, str]:
    """The text of every page by its name, that of the list of them included."""
    pack = pack or load_pack()
    frameworks = load_frameworks(pack)
    found = examples(pack)
    neighbours = list(csv.DictReader((PROJECT / "rules/neighbours.csv").open(encoding="utf-8")))
    made = {f"{rule.id}.md": _page(rule, frameworks, found, neighbours) for rule in pack.rules}
    rows = [f"| [{rule.id}]({rule.id}.md) | {rule.name} | {_severity(rule)} | {_planes(rule)} |" for rule in pack.rules]
    head = ["# Rules", "", "| id | what holds | severity | plane |", "|---|---|---|---|"]
    return {**made, "README.md": "\n".join([*head, *rows]) + "\n"}


def _page(rule: Rule, frameworks: Frameworks, found: Findings, neighbours: Sequence[Mapping[str, str]]) -> str:
    parts = [f"# {rule.id}: {rule.name}", f"{_severity(rule)}, on {_planes(rule)}, since {rule.lifecycle.since}."]
    if not rule.default_on:
        parts.append(f"Off unless `--rule {rule.id}`, a framework or the configuration asks for it.")
    parts += _paragraphs(rule.rationale)
    if Plane.CODE in rule.planes:
        parts += ["## In code", *_code(rule, found)]
    if rule.runtime is not None:
        parts += ["## In a live account", *_live(rule)]
    parts += ["## How to mend it", *_steps(rule.remediation)]
    if rule.id in MENDED:
        parts.append(_PATCH)
    stays = _STAYS + (_SKIPS if Plane.CODE in rule.planes else "")
    parts += ["## When it has to stay", stays.format(rule=rule.id)]
    limits = (f"- {_PLANES[Plane(plane)].capitalize()}: {_joined(text)}" for plane, text in rule.limits.items())
    parts += ["## What it cannot see", "\n".join(limits)]
    if rule.parameters:
        parts += ["## Parameters", "\n".join(_parameters(rule))]
    parts += ["## Controls", *_controls(rule, frameworks)]
    near = list(_near(rule, frameworks, neighbours))
    if near:
        parts += [
            "## In other scanners",
            "\n".join(["| tool | id | what is different there |", "|---|---|---|", *near]),
        ]
    parts += ["## References", "\n".join(f"- <{each}>" for each in rule.references)]
    return "\n\n".join(parts) + "\n"


def _code(rule: Rule, found: Findings) -> Iterator[str]:
    for language, fence, path in _LANGUAGES:
        for kind in ("bad", "good"):
            example = f"{rule.id}/{path.format(kind)}"
            if not (EXAMPLES / example).is_file():
                continue
            yield f"### {language}: {'this fails' if kind == 'bad' else 'this passes'}"
            yield f"```{fence}\n{(EXAMPLES / example).read_text(encoding='utf-8')}```"
            failed = [each for each in found.get((rule.id, example), ()) if each["status"] == "FAIL"]
            if failed:
                yield f"> {failed[0]['message']}"


def _live(rule: Rule) -> Iterator[str]:
    assert rule.runtime is not None
    yield _joined(runtime_text(rule.runtime))
    for report in sorted((PROJECT / f"fixtures/{rule.id}/live").glob("*.csv")):
        failed = [
            each
            for each in _findings("audit", "--rule", rule.id, "--as-of", AS_OF, str(report))
            if each["status"] == "FAIL"
        ]
        if failed:
            yield f"A finding says, for instance:\n\n> {failed[0]['message']}"
            return


def _steps(remediation: str) -> Iterator[str]:
    """Its paragraphs; what it numbers becomes a numbered list."""
    for paragraph in _paragraphs(remediation):
        where, colon, rest = paragraph.partition(": ")
        text = paragraph
        if colon and where in _WHERE:
            yield f"### {_WHERE[where]}"
            text = rest[0].upper() + rest[1:]
        first, *numbered = _STEP.split(text)
        if [int(each) for each in numbered[0::2]] != list(range(1, len(numbered) // 2 + 1)):
            raise RuntimeError(f"the steps are not numbered in turn: {text}")
        if first.strip():
            yield first.strip()
        if numbered:
            yield "\n".join(f"{number}. {step.strip()}" for number, step in enumerate(numbered[1::2], 1))


def _parameters(rule: Rule) -> Iterator[str]:
    yield from ("| name | default | unit and bounds |", "|---|---|---|")
    for name, parameter in rule.parameters.items():
        yield f"| `{name}` | {show_value(parameter.default)} | {bounds(parameter)} |"
    name = next(iter(rule.parameters))
    yield f"\n`--set {rule.id}.{name}=VALUE`, or in `.keyrules.yaml` under `rules`, or `overrides` for some users."


def _controls(rule: Rule, frameworks: Frameworks) -> Iterator[str]:
    rows = []
    for edition in frameworks.editions:
        ids = [
            f"{relation.value} {', '.join(named)}"
            for relation in Relation
            if (named := [row.control for row in edition.rows if row.rule == rule.id and row.relation is relation])
        ]
        if ids:
            rows.append(f"| {edition.name} | `{edition.key}` | {'; '.join(ids)} |")
    if rows:
        yield "\n".join(["| framework | key | controls |", "|---|---|---|", *rows])
    else:
        yield "None."


def _near(rule: Rule, frameworks: Frameworks, neighbours: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for near in neighbours:
        if near["rule"] == rule.id:
            yield f"| {near['tool']} | `{near['id']}` | {near['differs']} |"
    for key, name in _NEIGHBOURS.items():
        for row in frameworks.edition(key).rows:
            if row.rule == rule.id and row.relation in _WHOLE:
                yield f"| {name} | `{row.control}` |  |"


def _severity(rule: Rule) -> str:
    return rule.severity.name if rule.default_on else f"{rule.severity.name}, opt-in"


def _planes(rule: Rule) -> str:
    return " and ".join(_PLANES[plane] for plane in Plane if plane in rule.planes)


def _paragraphs(text: str) -> list[str]:
    return [_joined(paragraph) for paragraph in text.split("\n") if paragraph.strip()]


def _joined(text: str) -> str:
    return " ".join(text.split())


def _findings(*arguments: str) -> list[Mapping[str, Any]]:
    """What keyrules finds with these arguments."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*arguments, "--format", "json", "--no-config"])
    out.flush()
    # Fixtures hold what cannot be judged, too.
    if code == 2 or not out.buffer.getvalue():
        raise RuntimeError(f"keyrules {' '.join(arguments)} exits {code}: {err.getvalue()}")
    findings: list[Mapping[str, Any]] = json.loads(out.buffer.getvalue())["findings"]
    return findings


def stale() -> list[str]:
    """The pages that are not as they would be written now, those that no rule has included."""
    made = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    return sorted(name for name in {*made, *there} if made.get(name) != there.get(name))


if __name__ == "__main__":
    PAGES.mkdir(parents=True, exist_ok=True)
    texts = pages()
    for old in PAGES.glob("*.md"):
        if old.name not in texts:
            old.unlink()
    for page, body in texts.items():
        (PAGES / page).write_text(body, encoding="utf-8")
