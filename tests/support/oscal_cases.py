"""Evaluations, and their OSCAL documents as compliance-trestle reads them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from evaluations import EXCEPTION, RULES, every_kind_of_code_result, every_kind_of_live_result, live_finding
from evaluations import make_evaluation as make_evaluation
from trestle.oscal.assessment_plan import Model as Plan
from trestle.oscal.assessment_results import Model as Results
from trestle.oscal.catalog import Model as Catalog
from trestle.oscal.component import Model as Component
from trestle.oscal.poam import Model as Poam
from trestle.oscal.profile import Model as Profile

from keyrules.controls.selection import framework_selections
from keyrules.controls.tables import load_frameworks
from keyrules.controls.verdicts import framework_report
from keyrules.model import Counts, Evaluation, EvaluationError, Plane, Status, Subject
from keyrules.pack.catalog import load_pack
from keyrules.records import replace

PACK = load_pack()
FRAMEWORKS = load_frameworks(PACK)
MODELS: dict[str, Any] = {
    "catalog.json": Catalog,
    "profile.json": Profile,
    "component-definition.json": Component,
    "assessment-plan.json": Plan,
    "assessment-results.json": Results,
    "poam.json": Poam,
}
HOSTILE = live_finding(
    message="\u202e\x1b[31m\n",
    subject=Subject(kind="access_key", name=" \n<b>\udcff", account="", user="=x"),
)


def under(evaluation: Evaluation, *frameworks: str, counts: Counts = Counts(passed=3)) -> Evaluation:  # noqa: B008
    """The evaluation as a run under these frameworks; each rule counted `counts`."""
    chosen = framework_selections(PACK, FRAMEWORKS, [(key, None) for key in frameworks], plane=evaluation.plane)
    rules = {rule.id: rule for part in chosen for rule in part.selection.rules}
    run = replace(
        evaluation,
        rules=tuple(rules[rule] for rule in sorted(rules) if evaluation.plane in rules[rule].planes),
        rule_counts=dict.fromkeys(rules, counts),
    )
    return replace(run, framework=framework_report(run, *chosen))


ACCEPTED = live_finding(RULES[0], Status.EXEMPT, exemption=EXCEPTION.reason, exception=EXCEPTION)
CASES = {
    "code": every_kind_of_code_result(),
    "live": every_kind_of_live_result(),
    "hostile": make_evaluation(HOSTILE, HOSTILE, plane=Plane.LIVE, errors=(EvaluationError("", "x", ""),)),
    "nothing": make_evaluation(inputs=(), rules=()),
    "accepted": make_evaluation(ACCEPTED, plane=Plane.LIVE),
    "cis": under(every_kind_of_live_result(), "cis_aws_3.0.0"),
    "clean": under(make_evaluation(plane=Plane.LIVE), "cis_aws_3.0.0"),
    "nist": under(every_kind_of_code_result(), "nist_800_53_r5"),
    "two": under(every_kind_of_live_result(), "hipaa_security_rule", "nist_csf_2.0"),
}


@cache
def published_parts() -> dict[str, dict[str, set[str]]]:
    """The ids of the statements that the published catalogs have, by edition and id of the control."""
    found: dict[str, dict[str, set[str]]] = {}
    for line in Path(__file__).with_name("catalog_parts.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            catalog = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            words = line.split()
            if catalog is found.get("nist_800_171_r3"):
                items = {f"SR-{words[0]}.{item}" for item in words[1:]}
                catalog[f"SP_800_171_{words[0]}"] = {f"statement_{words[0]}", *items}
            elif catalog is found.get("nist_csf_2.0"):
                catalog[words[0]] = {f"{words[0]}_statement"}
            elif any(key.startswith("fedramp") and each is catalog for key, each in found.items()):
                catalog.update((word, {*found["nist_800_53_r5"][word]}) for word in words if word[0] != "+")
                for word in words:
                    if word[0] == "+":
                        catalog[word[1:].partition("_fr")[0]].add(word[1:])
            else:
                catalog[words[0]] = {f"{words[0]}_smt", *(f"{words[0]}_smt.{item}" for item in words[1:])}
    return {**found, "nist_800_53_r5_extended": found["nist_800_53_r5"]}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from nodes(item)


def uuids(node: Any) -> list[str]:
    """The UUIDs that the objects of a document have."""
    return [each["uuid"] for each in nodes(node) if "uuid" in each]


def values(node: dict[str, Any], name: str) -> list[str]:
    """The values of the properties of that name."""
    return [each["value"] for each in node.get("props", ()) if each["name"] == name]
