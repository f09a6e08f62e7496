"""Checkov runs graph checks on threads: the verdicts of a run are those of every run."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
from scanning import PROJECT

from keyrules.code.checkov import checks
from keyrules.code.checkov.checks import _Judge, _PackCheck
from keyrules.model import Status


def test_the_same_verdicts_in_every_run() -> None:
    """By hand with 100 runs; see the script."""
    script = PROJECT / "tests/benchmarks/same_verdicts.py"
    done = subprocess.run([sys.executable, str(script), "6", "100"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for rule in ("KEY_AWS_001", "KEY_AWS_008", "KEY_AWS_009", "KEY_AWS_010"):
        assert f"{rule} FAILED 100" in done.stdout


class Graph:
    """As much of a networkx graph as is asked for."""

    adjacency = True

    def nodes(self, data: bool) -> list[tuple[str, dict[str, Any]]]:
        return []


def test_a_graph_is_judged_once_for_all_rules_and_threads() -> None:
    graphs = [Graph() for _ in range(3)]
    asked: list[int] = []
    entered = threading.Barrier(6)

    def judge(nodes: object) -> Any:
        asked.append(1)
        return {"KEY_AWS_001": {status: [{"n": len(asked)}] for status in Status}}

    judged = _Judge(judge)
    seen: list[object] = []

    def look(graph: Graph) -> None:
        entered.wait()
        for _ in range(20):
            seen.append((id(graph), judged.reports(graph)["KEY_AWS_001"][Status.PASS][0]["n"]))

    threads = [threading.Thread(target=look, args=(graph,)) for graph in graphs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 3 and len(set(seen)) == 3 and len(seen) == 120


class TestWhatIsNotEvaluated:
    def test_ends_the_run_where_checkov_reads_the_result(self) -> None:
        """Checkov drops a check that raises on its thread, so it must not."""
        check = _PackCheck("KEY_AWS_001", _Judge(lambda nodes: {}), False)
        passed, failed, unknown = check.run(Graph())
        assert (passed, unknown) == ([], [])
        with pytest.raises(RuntimeError, match=r"keyrules: KEY_AWS_001 was not evaluated \(KeyError\); nothing was"):
            failed[0].get("file_path_", "")

    def test_an_unknown_result_is_a_failure_under_a_name_that_says_so(self) -> None:
        vertices = {status: [{"id_": status.value}] for status in Status}
        judge = _Judge(lambda nodes: {"KEY_AWS_005": vertices})
        decided, undecided = (_PackCheck("KEY_AWS_005", judge, flag) for flag in (False, True))
        assert decided.run(Graph()) == ([{"id_": "PASS"}], [{"id_": "FAIL"}], [])
        assert undecided.run(Graph()) == ([], [{"id_": "UNKNOWN"}], [])
        assert (undecided.id, undecided.severity) == (decided.id, decided.severity)
        assert undecided.name == f"{decided.name} {checks._UNDECIDED}" and "UNKNOWN" in undecided.name
