"""GitHub workflow commands, read the way that the runner reads them; no name becomes a command."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from evaluations import (
    RULES,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    live_finding,
    make_evaluation,
)
from hostile import NAMES, full_of, names
from hypothesis import given, settings

from keyrules.model import Counts, Evaluation, EvaluationError, Location, Plane, Status
from keyrules.reports import github_annotations
from keyrules.reports.text_style import ReportOptions, printable


@dataclass(frozen=True)
class Command:
    """A workflow command as the runner understands it."""

    name: str
    properties: dict[str, str]
    data: str


def unescaped(text: str, *tokens: str) -> str:
    """The runner's order: the percent sign last, so that an escaped escape stays what it was."""
    for token in (*tokens, "%"):
        text = text.replace(f"%{ord(token):02X}", token)
    return text


def commands(text: str) -> list[Command]:
    """What actions/runner's ActionCommand.TryParseV2 makes of each line; every line must be a command."""
    found = []
    for line in text.splitlines():
        # Nothing is trimmed away here: no line may begin with anything else.
        assert line.startswith("::")
        head, separator, data = line[2:].partition("::")
        assert separator
        name, _, rest = head.partition(" ")
        pairs = [pair.split("=", 1) for pair in rest.strip().split(",") if pair]
        properties = {pair[0]: unescaped(pair[1], "\r", "\n", ":", ",") for pair in pairs if len(pair) == 2}
        assert len(properties) == len(pairs)
        found.append(Command(name, properties, unescaped(data, "\r", "\n")))
    return found


def of(evaluation: Evaluation) -> list[Command]:
    """The commands of the report, from the bytes that would be written."""
    return commands("".join(github_annotations.render(evaluation, ReportOptions())).encode().decode())


@settings(deadline=None)
@given(names)
def test_no_name_is_a_command(name: str) -> None:
    for plane in Plane:
        found = of(full_of(name, plane))
        # Four failures, an unknown, an error, a warning and the summary; nothing is more or less for the name.
        assert [command.name for command in found] == ["error"] * 4 + ["warning"] * 2 + ["notice"] * 2
        for command in found:
            assert set(command.properties) <= {"file", "line", "endLine", "title"}
        files = [command.properties["file"] for command in found if "file" in command.properties]
        # The runner drops a property that is empty.
        assert set(files) <= ({printable(name)} if plane is Plane.CODE else set())


@pytest.mark.parametrize("name", NAMES[:6])
def test_a_name_comes_back_as_it_was(name: str) -> None:
    finding = code_finding(location=Location(name, 3, 5, "a"), message=name)
    command = of(make_evaluation(finding))[0]
    assert command.properties["file"] == printable(name)
    assert printable(name) in command.data.splitlines()[0]


def test_each_status_has_its_level_and_place() -> None:
    found = of(every_kind_of_code_result())
    assert [
        (c.name, c.properties.get("file"), c.properties.get("line"), c.properties.get("endLine")) for c in found
    ] == [
        ("error", "main.tf", "3", "5"),
        ("error", "broken.tf", None, None),
        ("error", "legacy/old.tf", "20", "22"),
        ("notice", "main.tf", "3", "5"),
        ("notice", None, None, None),
    ]
    assert found[0].properties["title"] == "KEY_AWS_010 HIGH: Rule 10 holds"
    assert found[0].data.splitlines() == [
        "aws_iam_access_key.ci: The secret reaches a place that stores it in plain text.",
        "Its path: aws_iam_access_key.ci.secret → local.env → aws_lambda_function.f environment",
        "Change: Repair what rule 10 names.",
        RULES[2].guideline,
    ]
    assert found[2].properties["title"] == "KEY_AWS_001 could not be evaluated"
    assert found[-1].data == "2 findings (1 high, 1 low); 1 check and 1 input could not be evaluated."


def test_what_the_rules_say_alike_about_one_place_is_one_annotation() -> None:
    alike = [code_finding(rule, Status.UNKNOWN, reason="not_evaluated", message="Open.") for rule in RULES[:3]]
    elsewhere = code_finding(RULES[0], Status.UNKNOWN, reason="not_evaluated", message="Open.", location=None)
    found = of(make_evaluation(*alike, elsewhere, counts=Counts(0, 0, 0, 4)))
    ids = sorted(rule.id for rule in RULES[:3])
    title = f"{ids[0]}, {ids[1][-3:]}, {ids[2][-3:]} could not be evaluated"
    assert [c.properties["title"] for c in found if c.name == "error"] == [
        title,
        f"{RULES[0].id} could not be evaluated",
    ]
    assert found[-1].data == "No findings; 4 checks could not be evaluated."


def test_severities() -> None:
    levels = [of(make_evaluation(code_finding(each)))[0].name for each in RULES]
    assert levels == ["notice", "warning", "error", "error"]


def test_live_findings_have_no_file_and_name_their_account() -> None:
    found = of(every_kind_of_live_result())
    assert all("file" not in command.properties for command in found)
    assert found[-2].data.startswith("alice/access_key_1 in account 111122223333: ")


@pytest.mark.parametrize(("start", "end", "expected"), [(0, 0, {}), (7, 0, {"line": "7", "endLine": "7"})])
def test_lines_that_are_not_known(start: int, end: int, expected: dict[str, str]) -> None:
    found = of(make_evaluation(code_finding(location=Location("a.tf", start, end, "x"))))[0]
    assert {name: value for name, value in found.properties.items() if name not in ("file", "title")} == expected


def test_the_worst_come_first_and_the_summary_is_among_what_github_shows() -> None:
    rules = [RULES[0]] * 12 + [RULES[1]] * 11 + [RULES[2]] * 9 + [RULES[3]] * 3
    findings = [code_finding(rule, location=Location("a.tf", n + 1, n + 1, "x")) for n, rule in enumerate(rules)]
    errors = (EvaluationError("b.tf", "syntax", "no"),)
    found = of(make_evaluation(*findings, errors=errors))
    assert [command.name for command in found] == ["error"] * 13 + ["warning"] * 11 + ["notice"] * 13
    assert [command.properties["title"][:11] for command in found[:13]] == (
        ["KEY_AWS_011"] * 3 + ["KEY_AWS_010"] * 9 + ["Could not b"]
    )
    shown = [command for command in found if command.name == "notice"][: github_annotations.SHOWN_PER_LEVEL]
    assert shown[-1].data.splitlines() == [
        "35 findings (3 critical, 9 high, 11 medium, 12 low); 1 input could not be evaluated.",
        "GitHub shows 10 of each level; the log of this step has all: 13 errors, 11 warnings, 12 notices.",
    ]


def test_a_clean_run_says_so_and_nothing_else() -> None:
    found = of(make_evaluation(code_finding(status=Status.PASS), code_finding(status=Status.EXEMPT)))
    assert [(command.name, command.data) for command in found] == [("notice", "No findings.")]


def test_what_was_only_counted_is_said() -> None:
    (summary,) = of(make_evaluation(counts=Counts(passed=1, failed=2), plane=Plane.LIVE))
    assert summary.data.splitlines() == ["2 findings.", "2 verdicts were counted and not listed."]


def test_exceptions_that_ended_are_warnings() -> None:
    found = of(make_evaluation(warnings=("Exception x.yaml:4 expired.",)))
    assert (found[0].name, found[0].data) == ("warning", "Exception x.yaml:4 expired.")


def test_the_secrets_path_is_not_said_twice() -> None:
    said = " → ".join(step.label for step in TRACE)
    found = of(make_evaluation(code_finding(RULES[2], trace=TRACE, message=said)))
    assert "Its path: " not in found[0].data


def test_an_error_on_the_live_plane_says_what_it_says() -> None:
    found = of(
        make_evaluation(
            live_finding(), plane=Plane.LIVE, errors=(EvaluationError("r.csv", "empty", "r.csv is empty."),)
        )
    )
    assert found[0].data == "r.csv is empty."
