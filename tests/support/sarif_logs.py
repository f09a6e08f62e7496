"""Evaluations of every kind for the tests of SARIF, and the run that each of them becomes."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from evaluations import (
    EXCEPTION,
    PARAMETERS,
    RULES,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    make_evaluation,
)

from keyrules.controls.citations import with_controls
from keyrules.model import (
    BaselineReport,
    Evaluation,
    EvaluationError,
    KnownFinding,
    Location,
    ResolvedFinding,
    Status,
    TraceStep,
)
from keyrules.pack.catalog import load_pack
from keyrules.records import replace
from keyrules.reports import sarif as sarif_report
from keyrules.reports.text_style import ReportOptions

EARLIER = datetime(2025, 12, 1, tzinfo=timezone.utc)

HOSTILE = code_finding(
    RULES[2],
    message='key["](https://evil.example) {0} \x1b[31m\nnext',
    location=Location("a b/#?%:\udce9\x1b[2J.tf", 0, 0, 'aws_iam_access_key.k["<b>\u202e"]'),
    trace=(*TRACE, TraceStep("x\ud800", "", 0), TraceStep("y", "json\ud800.tf", 1)),
)

BASELINE = BaselineReport(
    name="baseline.json",
    as_of=EARLIER,
    known=(
        KnownFinding(code_finding(RULES[1]), EARLIER),
        KnownFinding(code_finding(RULES[2], location=Location("new/main.tf", 1, 2, "aws_x.y")), EARLIER, "main.tf"),
    ),
    resolved=(ResolvedFinding("KEY_AWS_001", "LOW", "aws_iam_access_key.gone", "main.tf", "ef" * 32, EARLIER),),
)

CASES = {
    "code": every_kind_of_code_result(),
    "live": every_kind_of_live_result(),
    "hostile": make_evaluation(HOSTILE, errors=(EvaluationError("/abs/\udcff", "syntax", "x\udcff\n"),)),
    "nothing": make_evaluation(inputs=(), rules=()),
    "parameters": replace(every_kind_of_live_result(), parameters=PARAMETERS),
    "baseline": replace(every_kind_of_code_result(), baseline=BASELINE),
    "exceptions": make_evaluation(
        code_finding(status=Status.EXEMPT, exception=EXCEPTION, exemption=EXCEPTION.reason),
        warnings=("The exception for KEY_AWS_008 has ended.",),
    ),
    "the real rules": with_controls(make_evaluation(rules=load_pack().rules)),
}


def run_of(evaluation: Evaluation) -> dict[str, Any]:
    """The one run of the rendered report, parsed from the bytes that would be written."""
    log = json.loads("".join(sarif_report.render(evaluation, ReportOptions())).encode())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run
