"""What people read about a baseline: harmless, aligned, and no longer than it has to be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from evaluations import AS_OF, RULES, code_finding, live_finding, make_evaluation

from keyrules.model import BaselineReport, Counts, Evaluation, KnownFinding, Location, Plane, ResolvedFinding, Status
from keyrules.records import replace
from keyrules.reports import audit_text
from keyrules.reports import html as html_report
from keyrules.reports import markdown as markdown_report
from keyrules.reports import text as text_report
from keyrules.reports.text_style import ReportOptions

BEFORE = AS_OF - timedelta(days=31)
HOSTILE = "a\x1b[31m\n<b>|::error::\u202e\udcff"


def resolved(path: str | None = "old.tf", name: str = "aws_iam_access_key.x", account: str = "") -> ResolvedFinding:
    """A finding of KEY_AWS_001 that is gone."""
    subject = replace(live_finding().subject, account=account) if account else None  # type: ignore[type-var]
    return ResolvedFinding("KEY_AWS_001", "LOW", name, path, "ab" * 32, BEFORE, subject)


def compared(
    *known: KnownFinding, gone: tuple[ResolvedFinding, ...] = (), kept: int = 0, changed: int = 0
) -> BaselineReport:
    """A comparison with what was found a month ago."""
    return BaselineReport("b.json", BEFORE, known, gone, kept, changed)


def code(evaluation: Evaluation, quiet: bool = False) -> str:
    return "".join(text_report.render(evaluation, ReportOptions(quiet=quiet)))


def live(evaluation: Evaluation, quiet: bool = False) -> str:
    return "".join(audit_text.render(evaluation, ReportOptions(quiet=quiet)))


def test_code_counts_by_rule_the_worst_first() -> None:
    known = [
        KnownFinding(code_finding(RULES[0]), BEFORE),
        KnownFinding(code_finding(RULES[3]), BEFORE),
        KnownFinding(code_finding(RULES[0]), AS_OF - timedelta(days=2), "from.tf"),
    ]
    run = make_evaluation(code_finding(RULES[1]), baseline=compared(*known, gone=(resolved(),), kept=4, changed=1))
    text = code(run)
    assert (
        "Known since the baseline (3)\n"
        "  CRITICAL  KEY_AWS_011  1 finding   first seen 2025-12-31, 31 days ago\n"
        "  LOW       KEY_AWS_001  2 findings  oldest first seen 2025-12-31, 31 days ago, 1 moved\n"
        "\n"
        "Resolved since the baseline (1)\n"
        "  LOW  KEY_AWS_001  old.tf  aws_iam_access_key.x  first seen 2025-12-31, 31 days ago\n"
    ) in text
    assert text.endswith("; since the baseline: 1 new, 3 known, 1 resolved, 1 with another verdict, 4 not looked at\n")


def test_nothing_is_said_without_a_baseline() -> None:
    assert "baseline" not in code(make_evaluation(code_finding()))
    assert "baseline" not in live(make_evaluation(live_finding(), plane=Plane.LIVE))


def test_quiet_leaves_it_out() -> None:
    run = make_evaluation(baseline=compared(KnownFinding(code_finding(), BEFORE), gone=(resolved(),)))
    assert code(run, quiet=True) == ""
    audit = replace(run, plane=Plane.LIVE, baseline=compared(KnownFinding(live_finding(), BEFORE)))
    assert live(audit, quiet=True) == ""


@pytest.mark.parametrize(("number", "more"), [(20, ""), (21, "and 1 more, which --format json lists")])
def test_an_audit_lists_what_is_still_open_up_to_a_point(number: int, more: str) -> None:
    known = [KnownFinding(live_finding(), BEFORE)] * number
    text = live(make_evaluation(plane=Plane.LIVE, baseline=compared(*known)))
    assert text.count("alice  key 1  2 years") == min(number, 20)
    assert ("which --format json lists" in text) is bool(more) and more in text


def test_an_audit_names_accounts_where_there_are_several() -> None:
    gone = (resolved(None, "key 1 of amy", "111122223333"), resolved(None, "key 1 of ben", "444455556666"))
    both = live(make_evaluation(plane=Plane.LIVE, baseline=compared(gone=gone)))
    assert "KEY_AWS_001  444455556666  key 1 of ben" in both
    one = live(make_evaluation(plane=Plane.LIVE, baseline=compared(gone=gone[:1])))
    assert "111122223333" not in one


def test_names_are_harmless() -> None:
    finding = code_finding(location=Location(HOSTILE, 1, 2, HOSTILE))
    report = compared(KnownFinding(finding, BEFORE, HOSTILE), gone=(resolved(HOSTILE, HOSTILE),))
    run = make_evaluation(baseline=replace(report, name=HOSTILE))
    for text in (code(run), live(replace(run, plane=Plane.LIVE))):
        assert text.replace("\n", "").isprintable()
        assert r"a\x1b[31m\n<b>|::error::\u202e\xff" in text
    page = "".join(html_report.render(run, ReportOptions()))
    assert "\x1b" not in page and "<b>|" not in page and "&lt;b&gt;|" in page


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(minutes=6), "first seen 2026-01-31\n"),
        (timedelta(hours=24) - timedelta(seconds=1), "first seen 2026-01-30\n"),
        (timedelta(hours=24), "first seen 2026-01-30, 24 hours ago\n"),
        (timedelta(days=2), "first seen 2026-01-29, 2 days ago\n"),
    ],
)
def test_the_date_and_an_age_that_says_something(age: timedelta, words: str) -> None:
    assert words in code(make_evaluation(baseline=compared(KnownFinding(code_finding(), AS_OF - age))))


def test_files_that_are_gone_themselves() -> None:
    run = make_evaluation(baseline=compared(gone=(replace(resolved(), file_gone=True),)))
    assert "first seen 2025-12-31, 31 days ago, the file is gone\n" in code(run)


def test_html_adds_up_with_what_is_known() -> None:
    known, new = code_finding(location=Location("old.tf", 1, 2, "x")), code_finding()
    run = make_evaluation(
        new, rule_counts={"KEY_AWS_001": Counts(failed=2)}, baseline=compared(KnownFinding(known, BEFORE))
    )
    page = "".join(html_report.render(run, ReportOptions()))
    row = page[page.index("2 failed") :]
    row = row[: row.index("</tr>")]
    assert 'Of KEY_AWS_001, 1 finding <a href="#baseline">known since the baseline</a>' in row
    assert "how, with what the baseline holds." in page
    without = "".join(html_report.render(replace(run, baseline=None), ReportOptions()))
    assert "known since" not in without and "with what the baseline holds" not in without


def test_html_names_a_rule_once_where_there_is_no_framework() -> None:
    page = "".join(html_report.render(make_evaluation(code_finding()), ReportOptions()))
    table = page[page.index("<table") : page.index("</table>")]
    assert table.count(">KEY_AWS_001<") == 1 and "Rules</th>" not in table
    assert '<a href="#fail-KEY_AWS_001">KEY_AWS_001</a>' in table


def test_a_baseline_without_a_time_of_its_own() -> None:
    run = make_evaluation(baseline=replace(compared(), as_of=None))
    assert "Compared with b.json.</p>" in "".join(html_report.render(run, ReportOptions()))
    assert "Against the baseline `b.json`: " in "".join(markdown_report.render(run, ReportOptions()))


def test_unknown_findings_that_are_new_count_as_new() -> None:
    run = make_evaluation(code_finding(status=Status.UNKNOWN), baseline=compared())
    assert code(run).endswith("since the baseline: 1 new, 0 known, 0 resolved\n")
