"""Markdown, rendered by GitHub's own cmark-gfm: tables that hold, a bounded page, and names that stay text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]
import pytest
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
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

from keyrules.model import Counts, Evaluation, EvaluationError, Location, Plane, Status, Subject
from keyrules.records import dataclass, field, replace
from keyrules.reports import markdown as markdown_report
from keyrules.reports.markdown import MAXIMUM, code, prose, row, table
from keyrules.reports.text_style import ReportOptions, printable

OURS = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "a", "br", "strong", "details", "summary"}


@dataclass
class Page:
    """What a reader gets: tags, links, tables as rows of cells, text outside code and the code spans themselves."""

    tags: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    rows: list[list[str]] = field(default_factory=list)
    widths: set[int] = field(default_factory=set)
    plain: str = ""
    spans: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects a Page, and fails where tags do not nest or where there is a comment."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.add(tag)
        self.page.links |= {value or "" for name, value in attrs if name == "href"}
        assert {name for name, _ in attrs} <= {"href"}
        if tag == "tr":
            self.page.rows.append([])
        elif tag in ("td", "th"):
            self.page.rows[-1].append("")
        elif tag == "code":
            self.page.spans.append("")
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.page.rows[-1][-1] += data
        if "code" in self.open:
            self.page.spans[-1] += data
        else:
            self.page.plain += data


def page_of(markdown: str) -> Page:
    """The page as GitHub's renderer makes it; raw HTML is let through, so that an injected tag would be seen."""
    return Reader(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)).page


def text_of(evaluation: Evaluation) -> str:
    """The report, from the bytes that would be written."""
    return "".join(markdown_report.render(evaluation, ReportOptions())).encode().decode()


@settings(deadline=None)
@given(names)
def test_no_name_is_markup(name: str) -> None:
    for plane in Plane:
        page = page_of(text_of(full_of(name, plane)))
        assert page.tags <= OURS
        assert page.links == {rule.guideline for rule in RULES}
        # Four failures; an error and an unknown; a warning; two exempt; a known; a resolved; a note; seven headers.
        assert len(page.rows) == 12 + 7
        # What GitHub and GitLab look for in the rendered text, where backslashes are gone.
        assert not re.search(r"[@#~$*_<>|\\`]|://|www\.|:\w+:|GH-\d", page.plain, re.IGNORECASE)


@settings(deadline=None)
@given(names)
def test_code_spans_keep_every_character(name: str) -> None:
    shown = printable(name)
    page = page_of(table(["a", "b"], [row([code(name), prose(name)])]))
    assert len(page.rows) == 2
    if shown.strip() and "`" * 40 not in shown:
        assert page.spans[0] == shown
    kept, whole = (text.replace("\\x60", "").replace(" ", "").replace("`", "") for text in (page.rows[1][1], shown))
    assert kept == whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "There is no pgp_key, so (`aws x`) and/or 90.5% can't.",
            "There is no `pgp_key`, so (`aws x`) and/or 90.5% can't.",
        ),
        ('set module.x("y"), e.g. "now"', 'set `module.x("y")`, e.g. "now"'),
        ("see `a", "see `` `a ``"),
        ("x_`y` z", "`x_y` z"),
        ("a → b: c!", "a → b: c!"),
        ("me@example.com www.example.com gh-12", "`me@example.com` `www.example.com` `gh-12`"),
        ("", ""),
    ],
)
def test_prose_reads_like_prose(text: str, expected: str) -> None:
    assert prose(text) == expected


def test_a_page_about_code() -> None:
    markdown = text_of(every_kind_of_code_result())
    assert markdown.startswith(
        "## keyrules: 2 findings (1 high, 1 low); 1 check and 1 input could not be evaluated\n\n"
        "5 checks: 2 failed, 1 passed, 1 exempt, 1 unknown.\n\n### Findings (2)\n"
    )
    page = page_of(markdown)
    assert page.tags <= OURS
    assert page.rows[1] == [
        "HIGH",
        "KEY_AWS_010",
        "main.tf:3",
        "aws_iam_access_key.ci",
        "The secret reaches a place that stores it in plain text."
        "Its path: aws_iam_access_key.ci.secret (main.tf:3) → local.env (modules/app/locals.tf:7)"
        " → aws_lambda_function.f environment"
        "Change: Repair what rule 10 names.",
    ]
    assert ["", "broken.tf", "", "broken.tf cannot be parsed at line 4; correct the file."] in page.rows
    assert ["KEY_AWS_001", "legacy/old.tf:20", "aws_iam_access_key.x", "The key breaks rule KEY_AWS_001."] in page.rows
    assert ["Two tofu files were not read."] in page.rows
    assert markdown.endswith(f"keyrules 1.2.3, pack `{'ab' * 32}`, as of `2026-01-31T09:30:00Z`\n")


def test_a_page_about_an_account() -> None:
    subject = Subject("access_key", "access key 1 of alice", "111122223333", user="alice", owner="team@example.com")
    page = page_of(text_of(make_evaluation(live_finding(subject=subject), plane=Plane.LIVE)))
    assert page.rows[0][2:4] == ["Account", "Credential"]
    assert page.rows[1][2:4] == ["111122223333", "access key 1 of aliceowner team@example.com"]
    assert "Next: Repair" in page.rows[1][4]
    assert page_of(text_of(every_kind_of_live_result())).tags <= OURS


def test_an_exception_is_shown_whole() -> None:
    by_entry = code_finding(status=Status.EXEMPT, exemption=EXCEPTION.reason, exception=EXCEPTION)
    rows = page_of(text_of(make_evaluation(by_entry, code_finding(status=Status.EXEMPT)))).rows
    assert rows[1][3:] == [EXCEPTION.reason, "storage@example.com", "2026-12-31", "OPS-1234"]
    assert rows[2][3:] == ["kept for the old build server", "", "", ""]


def test_a_comparison_with_a_baseline() -> None:
    evaluation = full_of("base", Plane.CODE)
    assert evaluation.baseline is not None
    markdown = text_of(replace(evaluation, baseline=replace(evaluation.baseline, changed=2)))
    assert "## keyrules: 4 new findings" in markdown
    assert (
        "Against the baseline `base` of `2025-12-01T00:00:00Z`: "
        "4 new, 1 known, 1 resolved, 2 with another verdict, 1 not looked at." in markdown
    )
    assert "### New findings (4)" in markdown
    rows = page_of(markdown).rows
    assert ["KEY_AWS_008", "base:3", "base", "2025-12-01", "base"] in rows
    assert ["KEY_AWS_001", "base", "base", "2025-12-01"] in rows


@pytest.mark.parametrize(
    ("evaluation", "verdict"),
    [
        (make_evaluation(), "No findings"),
        (make_evaluation(inputs=()), "Nothing to evaluate"),
        (make_evaluation(errors=(EvaluationError("a", "b", "c"),)), "No findings; 1 input could not be evaluated"),
        (make_evaluation(code_finding(status=Status.UNKNOWN)), "No findings; 1 check could not be evaluated"),
        (make_evaluation(counts=Counts(failed=3), plane=Plane.LIVE), "3 findings"),
    ],
)
def test_the_headline_is_the_verdict(evaluation: Evaluation, verdict: str) -> None:
    assert text_of(evaluation).splitlines()[0] == f"## keyrules: {verdict}"


def test_what_was_only_counted_is_said() -> None:
    evaluation = make_evaluation(counts=Counts(failed=2, unknown=1), plane=Plane.LIVE)
    assert "**3 verdicts were counted and not listed.**" in text_of(evaluation)


def test_long_lists_are_folded_and_keep_the_worst_in_sight() -> None:
    findings = [code_finding(RULES[number % 4]) for number in range(48)]
    markdown = text_of(make_evaluation(*findings))
    in_sight, _, folded = markdown.partition("<details><summary>28 more</summary>")
    assert [in_sight.count(f"| {word} |") for word in ("CRITICAL", "HIGH", "MEDIUM", "LOW")] == [12, 8, 0, 0]
    assert [folded.count(f"| {word} |") for word in ("CRITICAL", "HIGH", "MEDIUM", "LOW")] == [0, 4, 12, 12]
    assert page_of(markdown).tags <= OURS


@pytest.mark.parametrize("length", [1, 190, 5_000])
@pytest.mark.parametrize("char", ["x", "`", "|", "é", "@ "])
def test_the_page_is_bounded_and_says_what_it_leaves_out(length: int, char: str) -> None:
    name = char * length
    findings = [
        code_finding(RULES[number % 4], status, location=Location(name, number + 1, 0, name), message=name, trace=TRACE)
        for status in (Status.FAIL, Status.UNKNOWN, Status.EXEMPT)
        for number in range(400)
    ]
    evaluation = make_evaluation(
        *findings,
        errors=tuple(EvaluationError(name, "syntax", name) for _ in range(400)),
        warnings=(name,) * 400,
        notes=(name,) * 400,
        baseline=full_of(name, Plane.CODE).baseline,
    )
    markdown = text_of(evaluation)
    assert len(markdown) < MAXIMUM
    page = page_of(markdown)
    assert page.tags <= OURS
    for title, total in (("New findings", 400), ("Could not be evaluated", 800), ("Exempt", 400)):
        left_out = re.search(rf"\*\*{title}: ([\d,]+) of {total} are left out of this page\.\*\*", markdown)
        assert left_out
        assert 0 < int(left_out[1]) < total
    listed = sum(int(number) for number in re.findall(r"\*\*[\w ]+: (\d+) of", markdown))
    headers = sum("Rule" in cells or cells in (["Warning"], ["Note"]) for cells in page.rows)
    assert len(page.rows) - headers + listed == 400 * 5 + 400 + 2


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_is_linked_only_where_its_address_is_plain(name: str) -> None:
    rules = (replace(RULES[0], guideline=f"https://example.com/{name}"),)
    page = page_of(text_of(make_evaluation(code_finding(), rules=rules)))
    assert page.tags <= OURS
    assert page.links <= {f"https://example.com/{name}"}
