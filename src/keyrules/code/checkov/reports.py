"""From Checkov's vertices to what every rule says of them: which units they come from, and which vertex a verdict is
reported on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from keyrules.code.addresses import without_keys
from keyrules.code.checkov.graph import Vertex, address, root_folder
from keyrules.code.judges import judge_unit
from keyrules.code.judging import RULES
from keyrules.code.session import current_session
from keyrules.code.verdict import Verdict
from keyrules.model import Status

Reports: TypeAlias = Mapping[str, Mapping[Status, Sequence[Vertex]]]
"""The vertices to report on, by rule id and status; every rule and status is there."""

_Find: TypeAlias = Callable[[str, str], Sequence[Vertex]]
_Seen: TypeAlias = Mapping[str, Mapping[str, Sequence[Vertex]]]


def terraform_reports(nodes: Sequence[Vertex]) -> Reports:
    """What the rules say of the root modules and plans that a Terraform graph was built from."""
    return _Terraform(nodes).reports


def template_reports(nodes: Sequence[Vertex]) -> Reports:
    """What the rules say of the templates that a CloudFormation graph was built from.

    Checkov reports on resources only, and its paths are as relative as its --directory.
    """
    templates: dict[str, dict[str, list[Vertex]]] = defaultdict(lambda: defaultdict(list))
    for node in nodes:
        if node.get("block_type_") == "resource":
            path = str(Path(str(node["file_path_"])).absolute())
            templates[path][str(node["block_name_"]).split(".")[-1]].append(node)
    outcome = _Outcome(templates)
    for path, by_name in sorted(templates.items()):
        outcome.add("cloudformation", path, partial(_in_template, by_name), {path: by_name})
    return outcome.by_rule


def _in_template(by_name: Mapping[str, Sequence[Vertex]], path: str, name: str) -> Sequence[Vertex]:
    return by_name.get(name, ())


class NoBlockToReportOn(Exception):
    """Something is undecided, and Checkov has no block with lines at all, so that its report could not show it."""


class _Outcome:
    """Collects the verdicts on units by the vertices that they are reported on.

    `anywhere` are the vertices of all units, by path and address, for a unit that has none to report on.
    """

    def __init__(self, anywhere: _Seen) -> None:
        self._anywhere = anywhere
        self.by_rule: dict[str, dict[Status, list[Vertex]]] = {
            rule_id: {status: [] for status in Status} for rule_id in RULES
        }

    def add(self, kind: str, path: str, find: _Find, seen: _Seen) -> None:
        """Judges one unit. `find` gives the vertices of a path and an address, `seen` all of a path by address.

        What Checkov has no block for is reported on the key whose secret it is about, else left undecided on the first
        block that Checkov has, as is by every rule what could not be read. Raises NoBlockToReportOn where it has none.
        """
        try:
            declared = judge_unit(kind, path, current_session())
        except Exception:
            # The message may quote what was read; `keyrules scan` says which unit crashed, and why.
            self._leave_open(RULES, seen, path)
            return
        for verdict in declared.verdicts:
            found = find(verdict.path, verdict.address) or _source(verdict, find)
            if found:
                self._report(verdict.rule, verdict.status, found)
            elif verdict.status is not Status.PASS:
                self._leave_open((verdict.rule,), seen, verdict.path)
        named = {verdict.path for verdict in declared.verdicts if verdict.reason == "not_evaluated"}
        for problem in declared.problems:
            if problem.path not in named:
                self._leave_open(RULES, seen, problem.path)

    def _leave_open(self, rules: Iterable[str], seen: _Seen, path: str) -> None:
        seen = seen or self._anywhere
        if not seen:
            raise NoBlockToReportOn
        by_address = seen.get(path) or seen[min(seen)]
        for rule_id in rules:
            self._report(rule_id, Status.UNKNOWN, by_address[min(by_address)])

    def _report(self, rule_id: str, status: Status, found: Iterable[Vertex]) -> None:
        self.by_rule[rule_id][status] += [_reportable(vertex) for vertex in found]


def _source(verdict: Verdict, find: _Find) -> Sequence[Vertex]:
    """The block that the secret of a verdict comes from: the first step is `ADDRESS` or `ADDRESS.ATTRIBUTE`."""
    if verdict.status is Status.PASS or not verdict.trace:
        return ()
    step = verdict.trace[0]
    return find(step.path, step.label) or find(step.path, step.label.rpartition(".")[0])


class _Terraform:
    """Finds the vertices that a verdict is about: the very instance, or all instances of the block it names."""

    def __init__(self, nodes: Sequence[Vertex]) -> None:
        self._exact: dict[tuple[str, str, str], list[Vertex]] = defaultdict(list)
        self._block: dict[tuple[str, str, str], list[Vertex]] = defaultdict(list)
        units: dict[tuple[str, str], list[Vertex]] = defaultdict(list)
        for node in nodes:
            path = str(node["file_path_"])
            is_plan = path.endswith(".json") and not path.endswith((".tf.json", ".tfvars.json"))
            unit = path if is_plan else root_folder(node)
            shown = address(node)
            self._exact[unit, path, shown].append(node)
            self._block[unit, path, without_keys(shown)].append(node)
            units["plan" if is_plan else "terraform", unit].append(node)
        outcome = _Outcome(_with_lines(nodes))
        for (kind, unit), blocks in sorted(units.items()):
            outcome.add(kind, unit, partial(self._find, unit), _with_lines(blocks))
        self.reports: Reports = outcome.by_rule

    def _find(self, unit: str, path: str, name: str) -> Sequence[Vertex]:
        # A key in a template that Terraform deploys stands at STACK/KEY; Checkov knows the stack.
        name = name.partition("/")[0]
        exact = self._exact.get((unit, path, name), ())
        return exact or self._block.get((unit, path, without_keys(name)), ())


_REPORTED = (("resource", "data", "module", "output"), ("provider", "variable"))
"""The blocks that Checkov has lines of, which a record needs; the second only where there is none of the first."""


def _with_lines(nodes: Iterable[Vertex]) -> _Seen:
    """The best vertices that can be reported on, by path and address."""
    found: list[dict[str, dict[str, list[Vertex]]]] = [{} for _ in _REPORTED]
    for node in nodes:
        for by_path, types in zip(found, _REPORTED, strict=True):
            if node.get("block_type_") in types:
                by_path.setdefault(str(node["file_path_"]), {}).setdefault(address(node), []).append(node)
    return next(filter(None, found), {})


def _reportable(vertex: Vertex) -> dict[str, Any]:
    """A copy with what Checkov's reports look up; a missing one of these crashes the whole run."""
    copy = dict(vertex)
    copy["__address__"] = address(vertex)
    copy["id_"] = copy.get("id_") or copy["__address__"]
    copy.setdefault("__startline__", copy.get("__start_line__", 1))
    copy.setdefault("__endline__", copy.get("__end_line__", 1))
    return copy
