"""Where a verdict is reported: at its block, at the key it is about, or undecided; nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scanning import write

from keyrules.code.checkov import reports
from keyrules.code.checkov.reports import NoBlockToReportOn, Reports, template_reports, terraform_reports
from keyrules.code.judging import RULES
from keyrules.code.unit_results import Declared, Problem
from keyrules.code.verdict import Verdict
from keyrules.model import Status, TraceStep


def block(path: Path, name: str, kind: str = "resource") -> Mapping[str, Any]:
    return {"file_path_": str(path), "block_type_": kind, "block_name_": name}


def verdict(path: Path, address: str, status: Status = Status.FAIL, source: str = "") -> Verdict:
    trace = (TraceStep(source, str(path), 1),) if source else ()
    return Verdict("KEY_AWS_009", status, str(path), address, 1, 1, "why", "why.", trace=trace)


def shown(found: Reports, rule: str, status: Status) -> list[str]:
    return [str(vertex["__address__"]) for vertex in found[rule][status]]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Declared:
    """What the judge says, to be filled."""
    declared = Declared()
    monkeypatch.setattr(reports, "judge_unit", lambda kind, path, session: declared)
    return declared


KEY, OTHER = "aws_iam_access_key.k", "aws_vpc.v"


class TestTerraform:
    MAIN = Path("/r/main.tf")

    def found(self, *more: Mapping[str, Any]) -> Reports:
        return terraform_reports([block(self.MAIN, OTHER), block(self.MAIN, KEY), *more])

    def test_at_its_block(self, judged: Declared) -> None:
        judged.verdicts = [verdict(self.MAIN, KEY), verdict(self.MAIN, OTHER, Status.PASS)]
        found = self.found()
        assert shown(found, "KEY_AWS_009", Status.FAIL) == [KEY]
        assert shown(found, "KEY_AWS_009", Status.PASS) == [OTHER]
        assert not any(found[rule][Status.UNKNOWN] for rule in RULES)

    @pytest.mark.parametrize("source", [f"{KEY}.secret", KEY])
    def test_at_the_key_where_checkov_has_no_block(self, judged: Declared, source: str) -> None:
        judged.verdicts = [verdict(self.MAIN, "output.o", source=source)]
        assert shown(self.found(), "KEY_AWS_009", Status.FAIL) == [KEY]

    def test_undecided_where_checkov_has_nothing_of_it(self, judged: Declared) -> None:
        judged.verdicts = [verdict(Path("/r/main.tofu"), "aws_iam_access_key.t")]
        found = self.found()
        assert shown(found, "KEY_AWS_009", Status.UNKNOWN) == [KEY]
        assert not found["KEY_AWS_009"][Status.FAIL] and not found["KEY_AWS_001"][Status.UNKNOWN]

    def test_a_pass_without_a_block_is_nobodys(self, judged: Declared) -> None:
        judged.verdicts = [verdict(Path("/r/main.tofu"), "aws_iam_access_key.t", Status.PASS)]
        assert not any(self.found()["KEY_AWS_009"].values())

    def test_what_cannot_be_read_is_undecided_by_every_rule(self, judged: Declared) -> None:
        judged.problems = [Problem("/r/other.tf", "cannot be parsed")]
        found = self.found(block(Path("/r/other.tf"), "aws_vpc.of_that_file"))
        assert all(shown(found, rule, Status.UNKNOWN) == ["aws_vpc.of_that_file"] for rule in RULES)

    def test_a_problem_that_has_verdicts_of_its_own(self, judged: Declared) -> None:
        judged.problems = [Problem(str(self.MAIN), "cannot be parsed")]
        unread = verdict(self.MAIN, KEY, Status.UNKNOWN)
        judged.verdicts = [Verdict(**{**vars(unread), "reason": "not_evaluated"})]
        found = self.found()
        assert shown(found, "KEY_AWS_009", Status.UNKNOWN) == [KEY] and not found["KEY_AWS_001"][Status.UNKNOWN]

    def test_a_variable_is_no_block_to_report_on(self, judged: Declared) -> None:
        judged.problems = [Problem(str(self.MAIN), "cannot be parsed")]
        found = terraform_reports([block(self.MAIN, "a", "variable"), block(self.MAIN, OTHER)])
        assert shown(found, "KEY_AWS_001", Status.UNKNOWN) == [OTHER]


class TestNoBlockOfTheUnitHasLines:
    """Checkov shows a record only where it has lines, and a verdict that is nowhere would be a pass."""

    VARIABLE = block(Path("/bad/main.tf"), "v", "variable")
    LOCALS = block(Path("/bad/main.tf"), "n", "locals")

    @pytest.fixture(autouse=True)
    def unreadable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def judge(kind: str, path: str, session: object) -> Declared:
            return Declared(problems=[Problem("/bad/broken.tf", "cannot be parsed")] if path == "/bad" else [])

        monkeypatch.setattr(reports, "judge_unit", judge)

    @pytest.mark.parametrize("kind", ["provider", "variable"])
    def test_a_lesser_block_of_the_same_unit(self, kind: str) -> None:
        lesser = block(Path("/bad/main.tf"), "aws.default", kind)
        found = terraform_reports([lesser, self.LOCALS, block(Path("/good/main.tf"), KEY)])
        assert all(shown(found, rule, Status.UNKNOWN) == [f"{kind}.aws.default"] for rule in RULES)

    @pytest.mark.parametrize("nodes", [[OTHER, KEY], [KEY, OTHER]])
    def test_the_first_block_of_another_unit(self, nodes: list[str]) -> None:
        found = terraform_reports([self.LOCALS, *(block(Path("/good/main.tf"), name) for name in nodes)])
        assert all(shown(found, rule, Status.UNKNOWN) == [KEY] for rule in RULES)

    def test_none_at_all_is_an_error(self) -> None:
        with pytest.raises(NoBlockToReportOn):
            terraform_reports([self.LOCALS])


def test_a_judge_that_crashes_leaves_the_unit_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(kind: str, path: str, session: object) -> Declared:
        if path == "/bad":
            raise RecursionError
        return Declared(verdicts=[verdict(Path("/good/main.tf"), KEY)])

    monkeypatch.setattr(reports, "judge_unit", crash)
    found = terraform_reports([block(Path("/bad/main.tf"), OTHER), block(Path("/good/main.tf"), KEY)])
    assert shown(found, "KEY_AWS_009", Status.FAIL) == [KEY]
    assert all(shown(found, rule, Status.UNKNOWN) == [OTHER] for rule in RULES)


def test_a_template_that_only_checkov_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"t.yaml": "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n  {% if x %}\n"})
    monkeypatch.chdir(tmp_path)
    found = template_reports([block(Path("./t.yaml"), "AWS::IAM::AccessKey.K")])
    assert found["KEY_AWS_001"][Status.UNKNOWN] and found["KEY_AWS_010"][Status.UNKNOWN]
    assert not any(found[rule][status] for rule in RULES for status in (Status.PASS, Status.FAIL))
