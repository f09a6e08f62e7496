"""The tool component of a SARIF log: what the rules are, and the kinds of what could not be evaluated.

Sources: OASIS SARIF 2.1.0 (section numbers below are its), and GitHub's "SARIF support for code scanning" for
`security-severity`, `precision`, `tags`, `help.markdown` and the number of tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from keyrules.model import Evaluation, Rule, Severity
from keyrules.reports.parameters import of_rule, parameter_document
from keyrules.reports.sarif_places import literal
from keyrules.reports.text_style import is_web

LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
"""The `level` of a failed rule; 3.58.6 knows no more of them."""

MAX_TAGS = 20
"""GitHub refuses a file with more tags on one rule, and shows the first ten."""

# GitHub reads the number as critical above 9.0, high from 7.0, medium from 4.0, low below.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
_WEAKNESS = re.compile(r"\bCWE-(\d+)|cwe\.mitre\.org/data/definitions/(\d+)", re.IGNORECASE)


def driver(evaluation: Evaluation) -> dict[str, Any]:
    """The toolComponent (3.19) of a run; results refer to its rules by their position in `evaluation.rules`."""
    component: dict[str, Any] = {"name": "keyrules", "semanticVersion": evaluation.pack.version}
    home = next((rule.guideline.partition("#")[0] for rule in evaluation.rules if is_web(rule.guideline)), None)
    if home:
        component["informationUri"] = home
    component["rules"] = [_rule(rule, evaluation) for rule in evaluation.rules]
    component["notifications"] = [_error_kind(kind) for kind in sorted({error.kind for error in evaluation.errors})]
    return component


def weaknesses(references: Iterable[str]) -> list[int]:
    """The numbers of the CWE entries that a rule refers to, sorted."""
    return sorted({int(match[1] or match[2]) for reference in references for match in _WEAKNESS.finditer(reference)})


def _rule(rule: Rule, evaluation: Evaluation) -> dict[str, Any]:
    controls = evaluation.controls.get(rule.id, ())
    descriptor: dict[str, Any] = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": literal(rule.name)},
        "fullDescription": {"text": literal(rule.rationale)},
        "help": {"text": literal(_help_text(rule)), "markdown": literal(_help_markdown(rule, controls))},
    }
    if is_web(rule.guideline):
        descriptor["helpUri"] = rule.guideline
    descriptor["defaultConfiguration"] = {"level": LEVELS[rule.severity]}
    descriptor["properties"] = {
        "tags": _tags(rule, controls),
        "precision": "medium" if rule.lifecycle.status == "experimental" else "high",
        "security-severity": _SCORES[rule.severity],
        "controls": [f"{framework}:{control}" for framework, control in controls],
        "parameters": list(map(parameter_document, of_rule(evaluation.parameters, rule.id))),
    }
    return descriptor


def _tags(rule: Rule, controls: Sequence[tuple[str, str]]) -> list[str]:
    """As many as GitHub takes: CWE entries as it links them, then controls, as in `cis-aws-3.0.0/1.14`."""
    tags = ["security", "iam", *(f"external/cwe/cwe-{number:03d}" for number in weaknesses(rule.references))]
    tags += [f"{framework.replace('_', '-')}/{control}" for framework, control in controls]
    return tags[:MAX_TAGS]


def _error_kind(kind: str) -> dict[str, Any]:
    short = f"Not evaluated: {kind.replace('_', ' ')}"
    full = "Something could not be evaluated, so verdicts on it are missing, and the run ends with exit code 3."
    return {
        "id": kind,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": f"{full} The message of the notification says what to do."},
        "defaultConfiguration": {"level": "error"},
    }


def _help_text(rule: Rule) -> str:
    limits = [f"Limits ({plane}): {text}" for plane, text in sorted(rule.limits.items())]
    return "\n\n".join([*_paragraphs(rule.remediation), *limits])


def _help_markdown(rule: Rule, controls: Sequence[tuple[str, str]]) -> str:
    parts = [f"# {rule.id}: {rule.name}", *_paragraphs(rule.rationale)]
    parts += ["## What to do", *_paragraphs(rule.remediation)]
    if rule.limits:
        parts += ["## Limits", *(f"**{plane}**: {text}" for plane, text in sorted(rule.limits.items()))]
    if controls:
        parts += ["## Controls", "\n".join(_control_lines(controls))]
    if rule.references:
        parts += ["## References", "\n".join(f"- {reference}" for reference in rule.references)]
    return _without_html("\n\n".join(parts))


def _control_lines(controls: Sequence[tuple[str, str]]) -> list[str]:
    """One line for each framework, in the order of their first controls."""
    frameworks = dict.fromkeys(framework for framework, _ in controls)
    return [
        f"- `{framework}`: " + ", ".join(control for each, control in controls if each == framework)
        for framework in frameworks
    ]


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a rule's folded YAML text, which come one on each line."""
    return [line for line in text.splitlines() if line.strip()]


def _without_html(markdown: str) -> str:
    """Markdown whose `<` outside code spans cannot open a tag (3.11.4.2 forbids HTML), as in `<root_account>`."""
    parts = markdown.split("`")
    return "`".join(part.replace("<", "\\<") if index % 2 == 0 else part for index, part in enumerate(parts))
