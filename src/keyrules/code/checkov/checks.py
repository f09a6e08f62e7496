"""The pack's rules as Checkov graph checks, the kind that sees every format alike.

Checkov drops a check that raises and every result that is unknown, silently, and runs checks on several threads; all
of that is dealt with here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from checkov.common.bridgecrew.severities import Severities
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.common.graph.checks_infra.base_check import BaseGraphCheck
from checkov.runner_filter import RunnerFilter
from checkov.terraform.context_parsers.registry import parser_registry

from keyrules.code.checkov.graph import OutputContextParser, Vertex, vertices
from keyrules.code.checkov.reports import Reports, template_reports, terraform_reports
from keyrules.code.judging import RULES
from keyrules.code.session import current_session
from keyrules.model import Status

_UNDECIDED = "(UNKNOWN: `keyrules scan` says why)"


class _Judge:
    """What all rules say of a graph, worked out once for all of them."""

    def __init__(self, judge: Callable[[Sequence[Vertex]], Reports]) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        # Held by the graph itself, so that an id that is used again never meets the verdicts of a graph that is gone.
        # Checkov may run the frameworks that share a registry on threads, so one is not enough.
        self._judged: deque[tuple[Any, Reports | Exception]] = deque(maxlen=4)

    def reports(self, graph: Any) -> Reports:
        """The vertices to report on, by rule and status. Raises what judging the graph raised, each time."""
        with self._lock:
            reports = next((reports for known, reports in self._judged if known is graph), None)
            if reports is None:
                reports = self._outcome(graph)
                self._judged.append((graph, reports))
        if isinstance(reports, Exception):
            raise reports
        return reports

    def _outcome(self, graph: Any) -> Reports | Exception:
        try:
            return self._judge(vertices(graph))
        except Exception as error:
            return error


class _PackCheck(BaseGraphCheck):  # type: ignore[misc]
    """One rule in one of Checkov's registries: what it passes and fails, or what it leaves undecided.

    A result that is unknown would vanish, so it is a failure of the same id and severity under a name that says so.
    """

    def __init__(self, rule_id: str, judge: _Judge, undecided: bool) -> None:
        super().__init__()
        rule = current_session().rules[rule_id]
        self.id = rule.id
        self.name = f"{rule.name} {_UNDECIDED}" if undecided else rule.name
        self.category = rule.category
        self.severity = Severities[rule.severity.name]
        self.guideline = rule.guideline
        self._judge = judge
        self._undecided = undecided

    def run(self, graph_connector: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Checkov's entry: copies of the vertices that passed, failed and are unknown; the last are always none."""
        try:
            by_status = self._judge.reports(graph_connector)[self.id]
        except Exception as error:
            return [], [_Unreadable(f"{self.id} was not evaluated ({type(error).__name__})")], []
        if self._undecided:
            return [], [dict(vertex) for vertex in by_status[Status.UNKNOWN]], []
        passed, failed = by_status[Status.PASS], by_status[Status.FAIL]
        return [dict(vertex) for vertex in passed], [dict(vertex) for vertex in failed], []


class _Unreadable(dict[str, Any]):
    """Ends the run, with exit code 2, where Checkov looks at the result of a check that could not be evaluated."""

    def get(self, key: object, default: object = None) -> Any:
        """Raises the sentence it was made with."""
        raise RuntimeError(self["sentence"])

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence=f"keyrules: {sentence}; nothing was concluded")


_terraform = _Judge(terraform_reports)
_templates = _Judge(template_reports)
_registering = threading.Lock()


def _register(registry: str, rule_id: str, judge: _Judge) -> None:
    """Takes the place of the rule file's own definition. One that is loaded later finds the id taken: Checkov keeps the
    first of an id."""
    checks = get_graph_checks_registry(registry).checks
    if not any(known.id == rule_id and isinstance(known, _PackCheck) for known in checks):
        checks[:] = [known for known in checks if known.id != rule_id]
        checks += [_PackCheck(rule_id, judge, undecided) for undecided in (False, True)]
        RunnerFilter.notify_external_check(rule_id)


def register_all() -> None:
    """Puts every rule into the registries that Checkov uses for Terraform, plans and CloudFormation.

    Checkov executes the loader again for every framework; what is registered stays.
    """
    with _registering:
        if not any(isinstance(parser, OutputContextParser) for parser in parser_registry.context_parsers.values()):
            OutputContextParser()
        for rule_id, rule in RULES.items():
            if rule.decides("terraform"):
                _register("terraform", rule_id, _terraform)
            if rule.decides("cloudformation"):
                _register("cloudformation", rule_id, _templates)
