"""What a new baseline holds: what counts, when it was first seen, and what the run did not look at."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from evaluations import AS_OF, RULES, code_finding, every_kind_of_code_result, live_finding, make_evaluation

from keyrules.model import Evaluation, EvaluationError, Finding, Input, Location, Plane, Severity, Status
from keyrules.records import replace
from keyrules.run.baseline.compare import compare
from keyrules.run.baseline.reading import Baseline, Entry, read_baseline
from keyrules.run.baseline.run import BaselineRun
from keyrules.run.baseline.writing import accepted_note, baseline_text
from keyrules.run.conclusion import exit_code

EARLIER = datetime(2025, 11, 5, tzinfo=timezone.utc)


def old(*findings: Finding, inputs: tuple[Input, ...] = ()) -> Baseline:
    """A baseline of the findings, first seen EARLIER."""
    return Baseline("old.json", EARLIER, inputs, {f.fingerprint: Entry(f, f.fingerprint, EARLIER) for f in findings})


def written(evaluation: Evaluation, baseline: Baseline | None = None, seen: bool = True) -> dict[str, Any]:
    """The new baseline of a run, which looked at everything or at nothing that is not in it."""
    entries = baseline.entries if baseline is not None else {}
    compared = compare(evaluation.findings, entries, lambda entry: seen, lambda path: False)
    unseen = [item for item in (baseline.inputs if baseline is not None else ()) if item.name != "looked-at"]
    text = baseline_text(Path("b.json"), evaluation, compared, baseline, unseen)
    document: dict[str, Any] = json.loads(text)
    return document


def test_only_what_counts() -> None:
    document = written(every_kind_of_code_result())
    assert [finding["status"] for finding in document["findings"]] == ["UNKNOWN", "FAIL", "FAIL"]
    assert {finding["first_seen"] for finding in document["findings"]} == {"2026-01-31T09:30:00Z"}
    assert {key: value for key, value in document.items() if key not in ("inputs", "findings")} == {
        "schema": "keyrules/baseline/1",
        "plane": "code",
        "base": ".",
    }


def test_only_what_tells_findings_apart() -> None:
    """Nothing that changes by itself: no lines, ages, texts of rules, hashes or times of runs."""
    evaluation = make_evaluation(
        code_finding(RULES[2], facts={"age_days": 4, "key_id": "AKIA…AAAA"}, location=Location("a\x1b.tf", 3, 5, "x")),
        inputs=(Input("terraform", ".", sha256="cd" * 32),),
    )
    compared = compare(evaluation.findings, {}, lambda entry: True, lambda path: False)
    assert baseline_text(Path("b.json"), evaluation, compared, None) == (
        "{\n"
        '  "schema": "keyrules/baseline/1",\n'
        '  "plane": "code",\n'
        '  "base": ".",\n'
        '  "inputs": [\n'
        '    {"kind": "terraform", "name": "."}\n'
        "  ],\n"
        '  "findings": [\n'
        '    {"rule": "KEY_AWS_010", "severity": "HIGH", "status": "FAIL", "first_seen": "2026-01-31T09:30:00Z",\n'
        '     "location": {"path": "a\\u001b.tf", "address": "x"}, "facts": {"key_id": "AKIA…AAAA"},\n'
        f'     "fingerprint": "{evaluation.findings[0].fingerprint}"}}\n'
        "  ]\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("places", "kept"),
    [
        (["a/main.tf"], ["a"]),
        (["a/main.tf", "shared/main.tf"], ["a", "b"]),
        (["stack.yaml"], []),
        (["plan.json"], ["plan.json"]),
    ],
)
def test_inputs_that_say_what_the_next_run_has_to_look_at(places: list[str], kept: list[str]) -> None:
    found = [code_finding(location=Location(place, 1, 2, "x")) for place in places]
    names = [("terraform", "a"), ("terraform", "b"), ("cloudformation", "stack.yaml"), ("plan", "plan.json")]
    inputs = tuple(Input(kind, name, sha256="cd" * 32) for kind, name in (*names, ("plan", "other.json")))
    document = written(make_evaluation(*found, inputs=inputs))
    assert [item["name"] for item in document["inputs"]] == kept
    assert all(item.keys() == {"kind", "name"} for item in document["inputs"])


@pytest.mark.parametrize("plane", list(Plane))
def test_reads_as_what_was_written(tmp_path: Path, plane: Plane) -> None:
    found = [code_finding(), code_finding(RULES[2])] if plane is Plane.CODE else [live_finding()]
    file = tmp_path / "b.json"
    file.write_text(json.dumps(written(make_evaluation(*found, plane=plane))))
    read = [entry.finding for entry in read_baseline(file, plane).entries.values()]
    assert [(f.rule, f.severity, f.status, f.subject, f.fingerprint) for f in read] == [
        (f.rule, f.severity, f.status, f.subject, f.fingerprint) for f in found
    ]


def test_an_order_that_lines_have_no_part_in() -> None:
    places = [Location("b.tf", 1, 2, "z"), Location("a.tf", 9, 9, "b"), Location("a.tf", 99, 99, "a")]
    forward = written(make_evaluation(*(code_finding(location=place) for place in places)))
    backward = written(make_evaluation(*(code_finding(location=place) for place in reversed(places))))
    assert forward == backward
    assert [f["location"]["address"] for f in forward["findings"]] == ["a", "b", "z"]


def test_known_findings_keep_their_date_and_new_ones_get_theirs() -> None:
    known, new = code_finding(), code_finding(RULES[1])
    document = written(make_evaluation(known, new), old(known))
    assert [finding["first_seen"][:10] for finding in document["findings"]] == ["2025-11-05", "2026-01-31"]


def test_a_failure_that_cannot_be_judged_today_stays_accepted() -> None:
    """Or it would be new when it can be judged again; so also where its block has moved meanwhile."""
    failing = code_finding()
    moved = Location("other.tf", 7, 9, "aws_iam_access_key.ci")
    for place in (failing.location, moved):
        run = make_evaluation(code_finding(status=Status.UNKNOWN, location=place))
        (entry,) = written(run, old(failing))["findings"]
        assert (entry["status"], entry["first_seen"][:10]) == ("FAIL", "2025-11-05")
        assert entry["fingerprint"] == code_finding(location=place).fingerprint
        assert place is not None and entry["location"]["path"] == place.path


def test_what_was_not_looked_at_is_carried_over_with_its_inputs() -> None:
    known, unseen = code_finding(), code_finding(location=Location("far/main.tf", 1, 2, "x"))
    inputs = (Input("terraform", "far"), Input("terraform", "looked-at"), Input("terraform", "."))
    run = make_evaluation(known, inputs=(Input("terraform", "."),))
    document = written(run, old(known, unseen, inputs=inputs), seen=False)
    assert [finding["location"]["path"] for finding in document["findings"]] == ["far/main.tf", "main.tf"]
    assert [item["name"] for item in document["inputs"]] == [".", "far"]


@pytest.mark.parametrize("order", [1, -1])
def test_one_credential_in_two_reports_is_written_once_by_its_worse_verdict(order: int) -> None:
    twice = [live_finding(status=Status.UNKNOWN), live_finding()][::order]
    run = make_evaluation(*twice, plane=Plane.LIVE)
    for baseline, seen in ((None, "2026-01-31"), (old(live_finding()), "2025-11-05")):
        (entry,) = written(run, baseline)["findings"]
        assert (entry["status"], entry["first_seen"][:10]) == ("FAIL", seen)


def test_what_the_run_says() -> None:
    new, known, unseen = code_finding(), code_finding(RULES[1]), code_finding(RULES[2])
    run = make_evaluation(new, known, errors=(EvaluationError("x.tf", "unparsable", "It cannot be parsed."),))
    compared = compare(run.findings, old(known, unseen).entries, lambda entry: False, lambda path: False)
    assert accepted_note("b.json", run, compared) == (
        "Accepted 2 findings in the baseline b.json, and kept 1 that this run did not look at; what could not be "
        "evaluated is not in it."
    )


@pytest.mark.parametrize(
    ("status", "then", "error", "code"),
    [
        (Status.FAIL, Status.FAIL, False, 0),
        (Status.UNKNOWN, Status.UNKNOWN, False, 0),
        (Status.UNKNOWN, Status.FAIL, False, 0),
        (Status.FAIL, Status.UNKNOWN, False, 1),
        (Status.FAIL, None, False, 1),
        (Status.UNKNOWN, None, False, 3),
        (Status.FAIL, Status.FAIL, True, 3),
        (Status.PASS, None, True, 3),
    ],
)
def test_exit_codes(status: Status, then: Status | None, error: bool, code: int) -> None:
    """Known findings fail nothing; errors always do; and a baseline that is written accepts all but those."""
    errors = (EvaluationError("x.tf", "unparsable", "It cannot be parsed."),) if error else ()
    run = make_evaluation(code_finding(status=status), errors=errors)
    baseline = old(*([code_finding(status=then)] if then is not None else []))
    reduced, files = BaselineRun(baseline, None).applied(run)
    assert files == ()
    assert reduced.counts.evaluated == 1
    assert exit_code(reduced, Severity.LOW) == code
    accepted, files = BaselineRun(None, Path("b.json")).applied(run)
    assert [(option, path) for option, path, _ in files] == [("--write-baseline", Path("b.json"))]
    assert exit_code(accepted, Severity.LOW, accepted=True) == (3 if error else 0)
    assert accepted.findings == run.findings
    assert accepted.as_of == AS_OF


def test_the_report_says_which_exempt_findings_the_baseline_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the fingerprint that the finding has in this run, wherever the paths of the baseline start."""
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")
    then = code_finding(location=Location("infra/main.tf", 1, 2, "x"))
    held = code_finding(status=Status.EXEMPT, location=Location("main.tf", 1, 2, "x"))
    other = code_finding(RULES[1], status=Status.EXEMPT)
    baseline = replace(old(then), start=str(tmp_path))
    result, _ = BaselineRun(baseline, None).applied(make_evaluation(held, other))
    assert result.baseline is not None
    assert (result.baseline.exempt, result.baseline.changed) == (frozenset({held.fingerprint}), 1)
