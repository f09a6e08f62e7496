"""JUnit XML: the rules of Jenkins' strictest reader, a foreign parser, and names that try to be markup."""

from __future__ import annotations

import os
from xml.etree import ElementTree

import pytest
import xmlschema
from evaluations import (
    EXCEPTION,
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
from junitparser import JUnitXml

from keyrules.model import Counts, Evaluation, EvaluationError, Plane, Status
from keyrules.reports import junit as junit_report
from keyrules.reports.text_style import ReportOptions

PUBLISHED_SCHEMA = os.environ.get("KEYRULES_JUNIT_SCHEMA")
CASES = {
    "code": every_kind_of_code_result(),
    "live": every_kind_of_live_result(),
    "clean": make_evaluation(),
    "nothing": make_evaluation(inputs=(), rules=()),
    **{f"hostile {plane.value} {number}": full_of(name, plane) for number, name in enumerate(NAMES) for plane in Plane},
}
# What junit-10.xsd of jenkinsci/xunit-plugin allows: the attributes, required ones marked, and the children.
ALLOWED = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"}
        | {"file", "log", "url", "version"},
        {"name", "tests", "failures", "errors"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "testcase": (
        {"name", "time", "classname", "group"},
        {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "skipped": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


def rendered(evaluation: Evaluation) -> ElementTree.Element:
    """The root of the report, parsed from the bytes that would be written."""
    return ElementTree.fromstring("".join(junit_report.render(evaluation, ReportOptions())).encode())


def check_shape(element: ElementTree.Element) -> None:
    """The published schema's rules, as far as this report goes."""
    attributes, required, children = ALLOWED[element.tag]
    assert required <= set(element.attrib) <= attributes
    for child in element:
        assert child.tag in children
        check_shape(child)


def check_counts(root: ElementTree.Element) -> None:
    """Every number is that of the elements below it."""
    for group in [root, *root.iter("testsuite")]:
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(group.attrib[attribute]) == len(list(group.iter(tag)))
    for suite in root.iter("testsuite"):
        assert int(suite.attrib["skipped"]) == len(list(suite.iter("skipped")))
        names = [(case.attrib["classname"], case.attrib["name"]) for case in suite.iter("testcase")]
        assert len(set(names)) == len(names) > 0


def cases_of(evaluation: Evaluation) -> dict[str, tuple[str, str]]:
    """Class and name of each test case, with what its outcome is called and its text."""
    return {
        f"{case.attrib['classname']} {case.attrib['name']}": (
            next((child.tag for child in case), "passed"),
            "".join(child.text or "" for child in case),
        )
        for case in rendered(evaluation).iter("testcase")
    }


@pytest.mark.skipif(not PUBLISHED_SCHEMA, reason="KEYRULES_JUNIT_SCHEMA does not name Jenkins' junit-10.xsd")
def test_the_published_schema_accepts_it() -> None:
    schema = xmlschema.XMLSchema(PUBLISHED_SCHEMA or "")
    for evaluation in CASES.values():
        assert [str(error) for error in schema.iter_errors(rendered(evaluation))] == []


@pytest.mark.parametrize("case", CASES)
def test_shape_and_counts(case: str) -> None:
    root = rendered(CASES[case])
    check_shape(root)
    check_counts(root)
    assert {element.attrib["time"] for element in root.iter() if "time" in element.attrib} == {"0"}


@pytest.mark.parametrize("case", CASES)
def test_a_foreign_parser_counts_the_same(case: str) -> None:
    text = "".join(junit_report.render(CASES[case], ReportOptions()))
    theirs = JUnitXml.fromstring(text.encode())
    before = (theirs.tests, theirs.failures, theirs.errors)
    theirs.update_statistics()  # type: ignore[no-untyped-call]
    assert before == (theirs.tests, theirs.failures, theirs.errors)
    assert theirs.tests > 0


@settings(deadline=None)
@given(names)
def test_no_name_is_markup(name: str) -> None:
    for plane in Plane:
        root = rendered(full_of(name, plane))
        check_shape(root)
        check_counts(root)


def test_each_status_is_what_readers_call_it() -> None:
    cases = cases_of(every_kind_of_code_result())
    assert {name: outcome for name, (outcome, _) in cases.items()} == {
        "keyrules.run broken.tf": "error",
        "keyrules.KEY_AWS_001 main.tf: aws_iam_access_key.ci": "failure",
        "keyrules.KEY_AWS_001 legacy/old.tf: aws_iam_access_key.x": "error",
        "keyrules.KEY_AWS_008 legacy/old.tf: aws_iam_access_key.old": "skipped",
        "keyrules.KEY_AWS_008 main.tf: aws_iam_access_key.ci": "passed",
        "keyrules.KEY_AWS_010 main.tf: aws_iam_access_key.ci": "failure",
    }


def test_the_text_says_everything_because_gitlab_shows_nothing_else() -> None:
    evaluation = make_evaluation(code_finding(RULES[2], trace=TRACE, message="It leaks."))
    _, text = cases_of(evaluation)["keyrules.KEY_AWS_010 main.tf: aws_iam_access_key.ci"]
    assert text.splitlines() == [
        "HIGH KEY_AWS_010 main.tf:3",
        "aws_iam_access_key.ci",
        "It leaks.",
        "→ aws_iam_access_key.ci.secret (main.tf:3)",
        "→ local.env (modules/app/locals.tf:7)",
        "→ aws_lambda_function.f environment",
        "Change: Repair what rule 10 names. Then look again.",
        RULES[2].guideline,
    ]


def test_a_live_finding_names_its_account() -> None:
    cases = cases_of(make_evaluation(live_finding(), plane=Plane.LIVE))
    _, text = cases["keyrules.KEY_AWS_001 111122223333: alice/access_key_1"]
    assert text.startswith("LOW KEY_AWS_001 account 111122223333\nalice/access_key_1\n")


def test_an_exception_is_shown_whole() -> None:
    exempt = code_finding(status=Status.EXEMPT, exemption=EXCEPTION.reason, exception=EXCEPTION)
    element = next(rendered(make_evaluation(exempt)).iter("skipped"))
    for part in (EXCEPTION.reason, EXCEPTION.owner, "2026-12-31", "OPS-1234"):
        assert part in element.attrib["message"]
        assert part in (element.text or "")


def test_a_clean_run_has_a_test_that_passes() -> None:
    evaluation = make_evaluation(rule_counts={"KEY_AWS_001": Counts(passed=3)})
    assert cases_of(evaluation) == {
        "keyrules.run everything could be evaluated": ("passed", ""),
        "keyrules.KEY_AWS_001 no findings": ("system-out", "3 verdicts: PASS"),
    }


@pytest.mark.parametrize(
    "counts", [Counts(passed=3, exempt=1), Counts(passed=3, failed=1), Counts(3, unknown=1), Counts()]
)
def test_a_rule_passes_only_where_all_of_its_verdicts_do(counts: Counts) -> None:
    evaluation = make_evaluation(rule_counts={"KEY_AWS_001": counts}, counts=counts)
    assert not any("KEY_AWS_001" in name for name in cases_of(evaluation))


def test_what_could_not_be_evaluated_never_passes() -> None:
    error = make_evaluation(errors=(EvaluationError("broken.tf", "syntax", "no"),))
    unknown = make_evaluation(code_finding(status=Status.UNKNOWN))
    for evaluation in (error, unknown):
        assert [outcome for outcome, _ in cases_of(evaluation).values()] == ["error"]


def test_verdicts_that_were_only_counted_fail() -> None:
    evaluation = make_evaluation(counts=Counts(passed=5, failed=2, unknown=1), plane=Plane.LIVE)
    assert cases_of(evaluation) == {
        "keyrules.run every verdict is listed": ("failure", "3 failed or unknown verdicts counted and not listed")
    }


def test_what_has_one_name_twice_is_two_tests() -> None:
    errors = tuple(EvaluationError(name, "crash", "no") for name in ("a.tf", "a.tf", "a.tf (2)", "b\n", "b\\n"))
    evaluation = make_evaluation(code_finding(), code_finding(), code_finding(), errors=errors)
    assert len(cases_of(evaluation)) == 8


def test_the_run_is_tied_to_its_pack_and_moment() -> None:
    root = rendered(full_of("base.json", Plane.CODE))
    properties = {item.attrib["name"]: item.attrib["value"] for item in root.iter("property")}
    assert properties == {
        "plane": "code",
        "as_of": "2026-01-31T09:30:00Z",
        "pack.version": "1.2.3",
        "pack.sha256": "ab" * 32,
        "baseline": "base.json",
        "baseline.known": "1",
        "baseline.resolved": "1",
        "warning": "base.json",
    }


def test_what_xml_cannot_hold_stays_visible() -> None:
    text = "".join(junit_report.render(full_of("a\x00b\ud800c\ufffed", Plane.CODE), ReportOptions()))
    assert r"a\x00b\ud800c\ufffed" in text
