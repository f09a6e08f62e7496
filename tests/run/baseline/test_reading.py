"""A baseline is an earlier JSON report of keyrules, and nothing else is taken for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from evaluations import AS_OF, every_kind_of_code_result, every_kind_of_live_result, json_document, make_evaluation
from hypothesis import given
from hypothesis import strategies as st

from keyrules.model import BaselineReport, Evaluation, Finding, KnownFinding, Plane, Status, UsageError
from keyrules.records import replace
from keyrules.run.baseline.reading import Baseline, read_baseline

EARLIER = datetime(2025, 11, 5, tzinfo=timezone.utc)


def reread(tmp_path: Path, content: object, plane: Plane = Plane.CODE) -> Baseline:
    """The baseline in a file of that content: bytes, or what is to be JSON."""
    file = tmp_path / "b.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_baseline(file, plane)


def identity(finding: Finding) -> Finding:
    """What a baseline keeps of a finding."""
    location = replace(finding.location, start_line=0, end_line=0) if finding.location is not None else None
    return replace(finding, location=location, message="", reason="", remediation="", facts={}, trace=())


@pytest.mark.parametrize("evaluation", [every_kind_of_code_result(), every_kind_of_live_result()])
def test_reads_what_the_json_report_writes(tmp_path: Path, evaluation: Evaluation) -> None:
    baseline = reread(tmp_path, json_document(evaluation), evaluation.plane)
    wanted = [finding for finding in evaluation.findings if finding.status in (Status.FAIL, Status.UNKNOWN)]
    assert [entry.finding for entry in baseline.entries.values()] == [identity(finding) for finding in wanted]
    assert [entry.fingerprint for entry in baseline.entries.values()] == [f.fingerprint for f in wanted]
    assert {entry.first_seen for entry in baseline.entries.values()} == {AS_OF} == {baseline.as_of}
    assert [(item.kind, item.name) for item in baseline.inputs] == [(i.kind, i.name) for i in evaluation.inputs]


def test_a_report_that_was_compared_itself_holds_its_known_findings_too(tmp_path: Path) -> None:
    new, known, *_ = every_kind_of_code_result().findings
    report = BaselineReport("old.json", EARLIER, (KnownFinding(known, EARLIER, "moved.tf"),), ())
    baseline = reread(tmp_path, json_document(make_evaluation(new, baseline=report)))
    assert [(entry.finding, entry.first_seen) for entry in baseline.entries.values()] == [
        (identity(new), AS_OF),
        (identity(known), EARLIER),
    ]


def test_of_two_verdicts_on_one_subject_the_worse_counts_from_the_earlier_date(tmp_path: Path) -> None:
    finding = every_kind_of_code_result().findings[0]
    wanted = json_document(make_evaluation(finding, replace(finding, status=Status.UNKNOWN)))
    wanted["findings"][1]["first_seen"] = "2025-11-05T00:00:00Z"
    for findings in (wanted["findings"], wanted["findings"][::-1]):
        (entry,) = reread(tmp_path, {**wanted, "findings": findings}).entries.values()
        assert (entry.finding.status, entry.first_seen) == (Status.FAIL, EARLIER)


def test_keys_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    wanted = json_document(every_kind_of_code_result()) | {"later": [1, {"x": None}]}
    wanted["findings"][0]["later"] = {"a": 1e999}
    assert len(reread(tmp_path, wanted).entries) == 3


def test_utf_16_as_some_shells_redirect(tmp_path: Path) -> None:
    text = json.dumps(json_document(every_kind_of_code_result()))
    assert len(reread(tmp_path, text.encode("utf-16")).entries) == 3


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is not JSON (line 1)"),
            (b"{", "is not JSON (line 1)"),
            (b"\xff\xfe\xfa", "is not JSON"),
            (b"[" * 100_000, "is not JSON"),
            (b'{"schema": "keyrules/1"}\n<<<<<<< HEAD\n', "is not JSON (line 2)"),
            (b'{"schema": "keyrules/1", "schema": "keyrules/1"}', "has a key twice"),
            ([], "is no report of keyrules"),
            ({}, "is no report of keyrules"),
            ({"version": "2.1.0", "runs": []}, "is no report of keyrules"),
            ({"schema": 1}, "is no report of keyrules"),
            ({"schema": "15.0.6"}, "is the report of another tool"),
            (
                {"schema": "keyrules/3"},
                "has the schema keyrules/3, and this version reads keyrules/baseline/1 and keyrules/2; write",
            ),
            ({"schema": "keyrules/1"}, "`plane` is neither code nor live"),
            ({"schema": "keyrules/1", "plane": ["code"]}, "`plane` is neither code nor live"),
            ({"schema": "keyrules/1", "plane": "live"}, "is about live accounts, and `keyrules scan` looks at code"),
            ({"schema": "keyrules/1", "plane": "code"}, "`as_of` is missing or wrong"),
        ],
    )
    def test_other_files(self, tmp_path: Path, content: object, says: str) -> None:
        with pytest.raises(UsageError) as refused:
            reread(tmp_path, content)
        sentence = str(refused.value)
        assert sentence.startswith(f"--baseline: {tmp_path}") and says in sentence and sentence.isprintable()

    @pytest.mark.parametrize(
        ("damage", "says"),
        [
            (lambda d: d.update(findings={}), "`findings` is missing or wrong; expected a list"),
            (lambda d: d.pop("findings"), "`findings` is missing or wrong"),
            (lambda d: d.pop("inputs"), "`inputs` is missing or wrong"),
            (lambda d: d["inputs"].append(3), "input 3 is no object"),
            (lambda d: d["inputs"][0].pop("kind"), "input 1: `kind`"),
            (lambda d: d.update(as_of="2026-01-01T00:00:00"), "`as_of`"),
            (lambda d: d.update(as_of="0001-01-01T00:00:00+23:00"), "`as_of`"),
            (lambda d: d.update(baseline=[]), "`baseline` is missing or wrong; expected an object"),
            (lambda d: d.update(baseline={}), "`known` is missing or wrong"),
            (lambda d: d["findings"].insert(1, None), "finding 2 is no object"),
            (lambda d: d["findings"][1].pop("rule"), "finding 2: `rule`"),
            (lambda d: d["findings"][1].update(rule="rm -rf"), "finding 2: `rule`"),
            (
                lambda d: d["findings"][0].update(severity="low"),
                "`severity` is missing or wrong; expected one of LOW, MEDIUM",
            ),
            (lambda d: d["findings"][0].update(severity=["LOW"]), "`severity`"),
            (lambda d: d["findings"][0].update(status="OPEN"), "`status`"),
            (lambda d: d["findings"][4].update(status=None), "finding 5: `status`"),
            (lambda d: d["findings"][0].update(plane="live"), "`plane` is missing or wrong; expected code"),
            (lambda d: d["findings"][0].update(fingerprint="AB" * 32), "`fingerprint`"),
            (lambda d: d["findings"][0].update(fingerprint="ab" * 31), "`fingerprint`"),
            (lambda d: d["findings"][0].update(first_seen="yesterday"), "`first_seen`"),
            (lambda d: d["findings"][0].pop("location"), "`location`"),
            (lambda d: d["findings"][0]["location"].update(path=None), "`path`"),
            (lambda d: d["findings"][0]["location"].pop("address"), "`address`"),
            (lambda d: d["findings"][0].update(facts=[]), "`facts`"),
            (lambda d: d["findings"][0].update(facts={"key_id": {}}), "`facts`"),
            (lambda d: d["findings"][0].update(facts={"access_key_id": 1.5}), "`facts`"),
            (lambda d: d.update(schema="keyrules/baseline/1"), "finding 1: `first_seen`"),
            (
                lambda d: d.update(schema="keyrules/baseline/1", base="/etc"),
                "`base` is missing or wrong; expected a fold",
            ),
            (lambda d: d.update(schema="keyrules/baseline/1", base=""), "`base`"),
            (lambda d: d.update(schema="keyrules/baseline/1", base=["."]), "`base`"),
            (lambda d: d.update(schema="keyrules/baseline/1", base="a\0b"), "`base`"),
        ],
    )
    def test_damaged_reports(self, tmp_path: Path, damage: Callable[[dict[str, Any]], object], says: str) -> None:
        report = json_document(every_kind_of_code_result())
        damage(report)
        with pytest.raises(UsageError, match="Write the baseline anew") as refused:
            reread(tmp_path, report)
        assert says in str(refused.value)

    def test_a_missing_file_says_how_to_make_one(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"nope\.json does not exist; make it with `keyrules scan --write-base"):
            read_baseline(tmp_path / "nope.json", Plane.CODE)
        with pytest.raises(UsageError, match=r"make it with `keyrules audit --write-baseline"):
            read_baseline(tmp_path / "nope.json", Plane.LIVE)

    @pytest.mark.parametrize("name", [".", "a\0b", "n" * 300])
    def test_what_is_no_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            read_baseline(tmp_path / name, Plane.CODE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_any_damage_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """One value anywhere in a report replaced by any other: a baseline, or one sentence, and never anything else."""
    report = json_document(every_kind_of_code_result())
    node: Any = report
    while True:
        steps = list(node) if isinstance(node, dict) else range(len(node))
        step = data.draw(st.sampled_from(list(steps)))
        if not (isinstance(node[step], dict | list) and node[step] and data.draw(st.booleans())):
            node[step] = data.draw(JSON)
            break
        node = node[step]
    file = tmp_path_factory.getbasetemp() / "damaged.json"
    file.write_text(json.dumps(report))
    try:
        baseline = read_baseline(file, Plane.CODE)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        json.dumps([dict(entry.finding.facts) for entry in baseline.entries.values()], allow_nan=False)
