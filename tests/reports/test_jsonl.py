"""JSON lines: every line an object on its own, the same objects as in the JSON report, and an end that can be seen."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from evaluations import every_kind_of_code_result, every_kind_of_live_result, json_document, make_evaluation
from hostile import full_of, names
from hypothesis import given, settings

from keyrules.model import Evaluation, FrameworkReport, Plane
from keyrules.reports import json_lines
from keyrules.reports.text_style import ReportOptions

CASES = {
    "code": every_kind_of_code_result(),
    "live": every_kind_of_live_result(),
    "baseline": full_of("x", Plane.CODE),
    "framework": make_evaluation(framework=FrameworkReport("k", "n", "u", ()), population={"users": 3}),
    "nothing": make_evaluation(inputs=(), rules=()),
}


def objects(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The report's lines, parsed one by one."""
    text = "".join(json_lines.render(evaluation, ReportOptions())).encode().decode()
    assert text.endswith("\n")
    # Neither Python nor a log shipper may see a line end where there is none.
    assert text.count("\n") == len(text.splitlines())
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("case", CASES)
def test_the_lines_are_the_json_report(case: str) -> None:
    whole = json_document(CASES[case])
    run, *middle, summary = objects(CASES[case])
    assert run.pop("type") == "run"
    assert run.pop("schema") == "keyrules-lines/2"
    assert run == {key: whole[key] for key in run}
    assert set(run) >= {"plane", "as_of", "pack", "inputs", "parameters"}
    baseline = whole.get("baseline", {"known": [], "resolved": []})
    expected = [
        *({"type": "finding", **item} for item in whole["findings"]),
        *({"type": "known", **item} for item in baseline["known"]),
        *({"type": "resolved", **item} for item in baseline["resolved"]),
        *({"type": "error", **item} for item in whole["errors"]),
        *({"type": "warning", "message": text} for text in whole["warnings"]),
        *({"type": "note", "message": text} for text in whole["notes"]),
    ]
    assert middle == expected
    assert summary.pop("type") == "summary"
    lines = summary.pop("lines")
    assert sum(lines.values()) == len(middle) + 1
    assert summary == whole["summary"]


@settings(deadline=None)
@given(names)
def test_every_name_stays_on_its_line(name: str) -> None:
    for plane in Plane:
        found = objects(full_of(name, plane))
        assert [line["type"] for line in found] == (
            ["run"] + ["finding"] * 8 + ["known", "resolved", "error", "warning", "note", "summary"]
        )


def test_a_file_that_was_cut_off_has_no_summary() -> None:
    text = "".join(json_lines.render(every_kind_of_code_result(), ReportOptions()))
    for length in range(len(text) - 1):
        last = text[text.rfind("\n", 0, length) + 1 : length]
        assert not (last.startswith('{"type": "summary"') and _is_json(last))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_it() -> None:
    text = "".join(json_lines.render(full_of("\x00\u2028\x7f\ud800", Plane.CODE), ReportOptions()))
    done = subprocess.run(["jq", "-c", ".type"], input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode().split()[-1] == '"summary"'
