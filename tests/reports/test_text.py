"""The text report of the code plane."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import pytest
from evaluations import (
    RULES,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    make_evaluation,
)
from hypothesis import given
from hypothesis import strategies as st

from keyrules.model import (
    Counts,
    Coverage,
    CoverageOutcome,
    EvaluationError,
    Finding,
    Input,
    Location,
    Status,
    TraceStep,
)
from keyrules.records import replace
from keyrules.reports import text as text_report
from keyrules.reports.text_style import ReportOptions, Style, display_width

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
COLOUR = ReportOptions(style=Style(colour=True))


def test_everything_at_80_columns() -> None:
    assert "".join(text_report.render(every_kind_of_code_result(), ReportOptions(width=80))) == (
        """Passed
  PASS      KEY_AWS_008  main.tf:3  aws_iam_access_key.ci
            The key breaks rule KEY_AWS_008.

Exempt
  EXEMPT    KEY_AWS_008  legacy/old.tf:10  aws_iam_access_key.old
            Reason: kept for the old build server

main.tf
  HIGH      KEY_AWS_010  main.tf:3  aws_iam_access_key.ci
            The secret reaches a place that stores it in plain text.
            → aws_iam_access_key.ci.secret (main.tf:3)
            → local.env (modules/app/locals.tf:7)
            → aws_lambda_function.f environment
            Change: Repair what rule 10 names.

  LOW       KEY_AWS_001  main.tf:3  aws_iam_access_key.ci
            The key breaks rule KEY_AWS_001.
            no rotation that works (limit: 90 days)
            Change: Repair what rule 1 names.

Could not be evaluated
  UNKNOWN   KEY_AWS_001  legacy/old.tf:20  aws_iam_access_key.x
            The key breaks rule KEY_AWS_001.
  ERROR     broken.tf
            broken.tf cannot be parsed at line 4; correct the file.

Note: Two tofu files were not read.

2 Terraform modules, 5 checks: 2 failed (1 high, 1 low), 1 exempt, 1 passed, 1 unknown; 1 input could not be evaluated
"""
    )


def test_quiet_leaves_findings_and_what_could_not_be_evaluated() -> None:
    text = "".join(text_report.render(every_kind_of_code_result(), ReportOptions(quiet=True)))
    assert "KEY_AWS_010" in text
    assert "UNKNOWN" in text
    assert "broken.tf cannot be parsed" in text
    for absent in ("Passed", "Exempt", "Note:", "checks:"):
        assert absent not in text


def test_quiet_without_findings_is_empty() -> None:
    evaluation = make_evaluation(code_finding(status=Status.PASS), code_finding(status=Status.EXEMPT))
    assert "".join(text_report.render(evaluation, ReportOptions(quiet=True))) == ""


def test_findings_are_grouped_by_file_and_ordered_by_line_whatever_order_they_come_in() -> None:
    findings = [
        code_finding(location=Location("b.tf", 1, 1, "k.b1")),
        code_finding(location=Location("a.tf", 20, 21, "k.a20")),
        code_finding(location=Location("a.tf", 3, 4, "k.a3")),
        code_finding(RULES[3], location=Location("a.tf", 3, 4, "k.a3")),
    ]
    texts = {"".join(text_report.render(make_evaluation(*order), ReportOptions())) for order in permutations(findings)}
    assert len(texts) == 1
    lines = [line.strip() for line in texts.pop().splitlines()]
    heads = [line.split()[-1] for line in lines if line in {"a.tf", "b.tf"} or ("KEY_AWS" in line and ".tf:" in line)]
    assert heads == ["a.tf", "k.a3", "k.a3", "k.a20", "b.tf", "k.b1"]
    assert next(line for line in lines if "k.a3" in line).startswith("CRITICAL")


def test_the_way_of_the_secret_is_not_told_twice() -> None:
    message = "aws_iam_access_key.ci.secret → local.env → aws_lambda_function.f environment"
    text = "".join(
        text_report.render(make_evaluation(code_finding(RULES[2], trace=TRACE, message=message)), ReportOptions())
    )
    assert text.count("local.env") == 1


def test_a_finding_of_its_own_remediation_shows_that_one() -> None:
    finding = code_finding(remediation="Live: no.\nCode: set Serial to 2. Then deploy.")
    text = "".join(text_report.render(make_evaluation(finding), ReportOptions()))
    assert "Change: Set Serial to 2.\n" in text


def test_without_a_remediation_of_its_own_the_rule_helps() -> None:
    text = "".join(text_report.render(make_evaluation(code_finding(remediation="")), ReportOptions()))
    assert "Change: Repair what rule 1 names.\n" in text


@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_keep_the_width_except_for_words_that_cannot_be_broken(width: int) -> None:
    finding = code_finding(
        message="word " * 60,
        location=Location("modules/" + "deep/" * 6 + "main.tf", 1, 2, 'module.app["eu-west-1"].aws_iam_access_key.ci'),
    )
    lines = "".join(text_report.render(make_evaluation(finding), ReportOptions(width=width))).splitlines()
    assert all(display_width(line) <= width for line in lines)


def test_an_address_that_does_not_fit_moves_to_its_own_line() -> None:
    address = "module.a." * 8 + "aws_iam_access_key.ci"
    finding = code_finding(location=Location("main.tf", 1, 1, address))
    narrow = "".join(text_report.render(make_evaluation(finding), ReportOptions(width=80)))
    wide = "".join(text_report.render(make_evaluation(finding), ReportOptions(width=160)))
    assert f"main.tf:1\n            {address}\n" in narrow
    assert f"main.tf:1  {address}\n" in wide


def unknown(number: int, **changes: Any) -> Finding:
    """An UNKNOWN verdict of a rule on the key of a file that cannot be parsed."""
    return code_finding(RULES[number], Status.UNKNOWN, **{"reason": "not_evaluated", "message": "Open.", **changes})


def test_what_the_rules_say_alike_about_one_place_is_one_block() -> None:
    other = Location("main.tf", 3, 5, "aws_iam_access_key.other")
    text = "".join(
        text_report.render(
            make_evaluation(
                *(unknown(number) for number in range(4)),
                unknown(0, location=other),
                unknown(1, location=other, reason="unknown_rotation"),
                unknown(2, location=other, message="Something else."),
            ),
            ReportOptions(quiet=True),
        )
    )
    first, *rest = [" ".join(line.split()) for line in text.splitlines() if "UNKNOWN" in line]
    assert first.startswith(f"UNKNOWN {', '.join([RULES[0].id, *(rule.id[-3:] for rule in RULES[1:4])])} main.tf:")
    assert sorted(line.split()[1] for line in rest) == sorted(rule.id for rule in RULES[:3])
    assert text.count("Open.") == 3


def test_colour_only_when_it_is_on() -> None:
    evaluation = every_kind_of_code_result()
    plain, coloured = ("".join(text_report.render(evaluation, options)) for options in (ReportOptions(), COLOUR))
    assert "\x1b" not in plain
    assert "\x1b[31mHIGH" in coloured
    assert coloured.count("\x1b[0m") * 2 == coloured.count("\x1b[")


@given(text=ANY_TEXT, colour=st.booleans())
def test_no_name_controls_the_terminal_or_adds_a_line(text: str, colour: bool) -> None:
    options = ReportOptions(style=Style(colour=colour), width=80)

    def render(name: str) -> str:
        finding = code_finding(
            message=name,
            remediation=name,
            location=Location(name, 1, 2, name),
            trace=(TraceStep(name, name, 1), TraceStep("end", "", 0)),
        )
        exempt = code_finding(status=Status.EXEMPT, exemption=name)
        errors = (EvaluationError(name, name, name),)
        return "".join(text_report.render(make_evaluation(finding, exempt, errors=errors, notes=(name,)), options))

    report = render(text)
    assert report.encode()
    for code in ("0", "1", "2", "31", "32", "35", "36"):
        report = report.replace(f"\x1b[{code}m", "") if colour else report
    assert all(line.isprintable() for line in report.split("\n"))


def test_a_line_break_in_a_name_cannot_forge_a_summary() -> None:
    forged = "1 Terraform module, 1 check: 0 failed"
    finding = code_finding(location=Location(f"x.tf\n{forged}", 1, 1, f"k\r\n{forged}"), message=f"bad\n{forged}")
    lines = "".join(text_report.render(make_evaluation(finding), ReportOptions(width=200))).splitlines()
    assert not any(line.startswith(forged) for line in lines)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"inputs": ()}, "Nothing to evaluate."),
        ({}, "1 Terraform module, 0 checks: 0 failed, 0 exempt, 0 passed"),
        (
            {"counts": Counts(passed=1_200), "inputs": (Input("plan", "p.json"), Input("cloudformation", "t.yaml"))},
            "1 Terraform plan, 1 CloudFormation template, 1,200 checks: 0 failed, 0 exempt, 1,200 passed",
        ),
        (
            {"inputs": (), "errors": (EvaluationError("a", "io", "x"), EvaluationError("a", "io", "y"))},
            "0 inputs, 0 checks: 0 failed, 0 exempt, 0 passed; 1 input could not be evaluated",
        ),
        ({"inputs": (Input("new_kind", "x"),)}, "1 input, 0 checks: 0 failed, 0 exempt, 0 passed"),
    ],
)
def test_the_last_line_sums_up(changes: dict[str, object], line: str) -> None:
    text = "".join(text_report.render(make_evaluation(**changes), ReportOptions()))  # type: ignore[arg-type]
    assert text.splitlines()[-1] == line


def test_a_live_evaluation_is_told_as_well() -> None:
    text = "".join(text_report.render(every_kind_of_live_result(), ReportOptions()))
    assert "alice/access_key_1" in text
    assert text.splitlines()[-1].startswith("1 credential report, 4 checks: 1 failed (1 low)")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_what_became_of_the_files(width: int) -> None:
    kinds = [
        *[(CoverageOutcome.JUDGED, "")] * 2,
        *[(CoverageOutcome.ABSENT, "has a name that Terraform passes over")] * 2,
        *[(CoverageOutcome.ABSENT, "is a program")] * 3,
        *[(CoverageOutcome.ABSENT, "names what is judged in comments only")] * 2,
        (CoverageOutcome.ABSENT, "creates keys in a language that is not read"),
        (CoverageOutcome.UNKNOWN, "could not be evaluated"),
    ]
    covered = tuple(Coverage(f"{number}.tf", *kind, 0) for number, kind in enumerate(kinds))
    off = (*((f"KEY_AWS_{n:03d}", "not asked for") for n in range(1, 5)), ("KEY_AWS_007", "opt-in"))
    text = "".join(text_report.render(make_evaluation(coverage=covered, rules_off=off), ReportOptions(width=width)))
    lines = text.split("\n\n")[-1].splitlines()[:-1]
    assert " ".join(lines) == (
        "2 files judged; 1 could not be evaluated; 1 creates keys in a language that is not read; "
        "2 have a name that Terraform passes over; 3 are a program; "
        "2 name what is judged in comments only; off: 4 rules (not asked for), KEY_AWS_007 (opt-in)"
    )
    assert max(map(len, lines)) <= width


class TestLayouts:
    def report(self, layout: str, **more: Any) -> str:
        finding = code_finding(message="The same. And more.")
        place = Location("main.tf", 9, 9, "aws_iam_access_key.other")
        other = code_finding(location=place, message="The same. And more.")
        lines = {
            f"{each.location.path}:{each.location.start_line}": 'resource "x" "other" {'
            for each in (finding, other)
            if each.location
        }
        evaluation = replace(make_evaluation(finding, other), source_lines=lines)
        return "".join(text_report.render(evaluation, ReportOptions(layout=layout, **more)))

    def test_what_is_said_once_is_not_said_again_unless_all_is_asked_for(self) -> None:
        assert self.report("grouped").count("The same. And more.") == 1
        assert self.report("full").count("The same. And more.") == 2
        assert self.report("grouped").count("Change: ") == 1 and self.report("full").count("Change: ") == 2
        assert all(name in self.report("grouped") for name in ("aws_iam_access_key.ci", "aws_iam_access_key.other"))

    def test_concise_is_a_line_for_each_and_the_summary(self) -> None:
        lines = self.report("concise").splitlines()
        assert len(lines) == 3 and all(re.match(r"\S+:\d+: \w+ KEY_\w+ \S+: The same\.$", line) for line in lines[:2])
        assert len(self.report("concise", quiet=True).splitlines()) == 2

    def test_concise_keeps_what_was_said_of_the_run(self) -> None:
        said, notes = ("an exception ended",), ("rule off",)
        evaluation = replace(make_evaluation(code_finding()), warnings=said, urgent_warnings=said, notes=notes)
        loud, quiet = (
            "".join(text_report.render(evaluation, ReportOptions(layout="concise", quiet=quiet)))
            for quiet in (False, True)
        )
        assert "\nWarning: an exception ended\n" in loud and "\nNote: rule off\n" in loud
        assert "\nWarning: an exception ended\n" in quiet and "rule off" not in quiet

    def test_a_frame_marks_the_name(self) -> None:
        lines = self.report("full").splitlines()
        (at,) = [number for number, line in enumerate(lines) if "^" in line and "other" in lines[number - 1]][-1:]
        assert lines[at].index("^") == lines[at - 1].index("other") and lines[at].count("^") == len("other")

    @pytest.mark.parametrize("width", [60, 80, 200])
    @pytest.mark.parametrize("layout", ["grouped", "full"])
    def test_no_line_is_wider_than_the_terminal(self, layout: str, width: int) -> None:
        for line in self.report(layout, width=width, terminal=True).splitlines():
            assert len(line) <= width or " " not in line.strip()

    def test_the_ways_out_are_for_somebody_who_reads_along(self) -> None:
        assert "Next: " in self.report("grouped", terminal=True)
        assert "Next: " not in self.report("grouped")

    def test_a_patch_is_offered_where_there_may_be_one(self) -> None:
        def said(**changes: Any) -> str:
            options = ReportOptions(terminal=True)
            return "".join(text_report.render(make_evaluation(code_finding(**changes)), options))

        assert "--patch" in said()
        assert "--patch" not in said(reason="rotation_by_another_tool")
        assert "--patch" not in said(location=Location("deploy.sh", 1, 1, "aws_iam_access_key.ci"))

    def test_links_are_for_terminals_that_know_them(self) -> None:
        assert "\x1b]8;;https://" in self.report("grouped", style=Style(links=True))
        assert "\x1b" not in self.report("grouped")
