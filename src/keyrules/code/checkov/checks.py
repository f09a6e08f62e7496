"""Runs the pack's Python rules as Checkov graph checks, the kind that sees every format alike.

Checkov drops a check that raises, silently, and runs checks on several threads; both are dealt with here.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from checkov.common.bridgecrew.severities import Severities
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.common.graph.checks_infra.base_check import BaseGraphCheck
from checkov.runner_filter import RunnerFilter
from checkov.terraform.context_parsers.registry import parser_registry

from keyrules.code.addresses import without_keys
from keyrules.code.checkov.graph import OutputContextParser, Vertex, address, root_folder, vertices
from keyrules.code.judging import RULES, judge_unit
from keyrules.code.session import current_session
from keyrules.code.unit_results import Declared
from keyrules.code.verdict import Verdict
from keyrules.model import Status

Anchored: TypeAlias = tuple[Verdict, Sequence[Vertex]]

_log = logging.getLogger(__name__)


class _PackCheck(BaseGraphCheck):  # type: ignore[misc]
    """One rule in one of Checkov's registries. Subclasses say how vertices become verdicts."""

    def __init__(self, rule_id: str) -> None:
        super().__init__()
        rule = current_session().rules[rule_id]
        self.id = rule.id
        self.name = rule.name
        self.category = rule.category
        self.severity = Severities[rule.severity.name]
        self.guideline = rule.guideline

    def run(self, graph_connector: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Checkov's entry: copies of the vertices that passed, failed and are unknown, each with a place to report."""
        groups: dict[Status, list[dict[str, Any]]] = {status: [] for status in Status}
        try:
            anchored = self.judge(vertices(graph_connector))
        except Exception as error:
            _log.error("%s could not be evaluated (%s); its subjects are not clean", self.id, type(error).__name__)
            return [], [], []
        for verdict, places in anchored:
            groups[verdict.status] += [_reportable(vertex) for vertex in places]
        return groups[Status.PASS], groups[Status.FAIL], groups[Status.UNKNOWN]

    def judge(self, nodes: Sequence[Vertex]) -> list[Anchored]:
        """The verdicts of this rule with the vertices that each is reported on."""
        raise NotImplementedError

    def verdicts(self, kind: str, path: str) -> list[Verdict]:
        """The verdicts of this rule on one unit."""
        return [verdict for verdict in _judged(kind, path).verdicts if verdict.rule == self.id]


class _TerraformCheck(_PackCheck):
    def judge(self, nodes: Sequence[Vertex]) -> list[Anchored]:
        places = _Places(nodes)
        anchored: list[Anchored] = []
        for root in sorted(places.roots):
            anchored += [(verdict, places.find(root, verdict)) for verdict in self.verdicts("terraform", root)]
        for path in sorted(places.plans):
            folder = str(Path(path).parent)
            anchored += [(verdict, places.find(folder, verdict)) for verdict in self.verdicts("plan", path)]
        return anchored


class _CloudFormationCheck(_PackCheck):
    def judge(self, nodes: Sequence[Vertex]) -> list[Anchored]:
        seen: dict[tuple[str, str], list[Vertex]] = defaultdict(list)
        for node in nodes:
            if node.get("block_type_") == "resource":
                # Checkov's paths are as relative as its --directory; those of the verdicts are absolute.
                path = str(Path(str(node["file_path_"])).absolute())
                seen[path, str(node["block_name_"]).split(".")[-1]].append(node)
        return [
            (verdict, seen[verdict.path, verdict.address])
            for path in sorted({path for path, _ in seen})
            for verdict in self.verdicts("cloudformation", path)
        ]


class _Places:
    """Finds the vertices that a verdict is about: the very instance, or all instances of the block it names."""

    def __init__(self, nodes: Iterable[Vertex]) -> None:
        self.roots: set[str] = set()
        self.plans: set[str] = set()
        self._exact: dict[tuple[str, str, str], list[Vertex]] = defaultdict(list)
        self._block: dict[tuple[str, str, str], list[Vertex]] = defaultdict(list)
        for node in nodes:
            path = str(node["file_path_"])
            root = root_folder(node)
            if path.endswith(".json") and not path.endswith((".tf.json", ".tfvars.json")):
                self.plans.add(path)
            elif path.endswith((".tf", ".tf.json")):
                self.roots.add(root)
            shown = address(node)
            self._exact[root, path, shown].append(node)
            self._block[root, path, without_keys(shown)].append(node)

    def find(self, root: str, verdict: Verdict) -> Sequence[Vertex]:
        exact = self._exact.get((root, verdict.path, verdict.address), [])
        return exact or self._block.get((root, verdict.path, without_keys(verdict.address)), [])


_judging = threading.Lock()
_outcomes: dict[tuple[str, str], Declared] = {}


def _judged(kind: str, path: str) -> Declared:
    """All that is said of a unit, worked out once: Checkov runs its checks on several threads."""
    with _judging:
        if (kind, path) not in _outcomes:
            _outcomes[kind, path] = judge_unit(kind, path, current_session())
        return _outcomes[kind, path]


def _reportable(vertex: Vertex) -> dict[str, Any]:
    """A copy with what Checkov's reports look up; a missing one of these crashes the whole run."""
    copy = dict(vertex)
    copy["__address__"] = address(vertex)
    copy.setdefault("id_", copy["__address__"])
    copy["id_"] = copy["id_"] or copy["__address__"]
    copy.setdefault("__startline__", copy.get("__start_line__", 1))
    copy.setdefault("__endline__", copy.get("__end_line__", 1))
    return copy


def _register(registry: str, check: _PackCheck) -> None:
    """Takes the place of the rule file's own definition, which matches nothing, and of an earlier load."""
    target = get_graph_checks_registry(registry)
    target.checks[:] = [known for known in target.checks if known.id != check.id]
    RunnerFilter.notify_external_check(check.id)
    target.checks.append(check)


def register_all() -> None:
    """Puts every rule into the registries that Checkov uses for Terraform, plans and CloudFormation."""
    if not any(isinstance(parser, OutputContextParser) for parser in parser_registry.context_parsers.values()):
        OutputContextParser()
    for rule_id, rule in RULES.items():
        if rule.on_keys or rule.terraform:
            _register("terraform", _TerraformCheck(rule_id))
        if (rule.on_keys and "cloudformation" in rule.kinds) or rule.cloudformation:
            _register("cloudformation", _CloudFormationCheck(rule_id))
