"""What a real browser makes of the pages, as wide as a phone, a tablet, a desk, and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Tab, browser
from evaluations import live_finding, make_evaluation
from scanning import PROJECT

from keyrules.cli import main
from keyrules.model import Plane, Subject
from keyrules.reports import html as html_report
from keyrules.reports.text_style import ReportOptions

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

FIXTURES, RECORDED = PROJECT / "fixtures", PROJECT / "tests/keys/recorded"
REPORTS = [str(path) for path in sorted(RECORDED.glob("second-*.csv"))]
REPORT = str(FIXTURES / "example_report/report.csv")
CODE = [str(FIXTURES / "example"), str(FIXTURES / "KEY_AWS_001/terraform/constants")]
STATE = ["--code", str(RECORDED / "code"), "--state", str(RECORDED / "second.tfstate")]
COMMANDS = {
    "audit": ["audit", REPORT, "--as-of", "2026-06-01"],
    "controls": ["audit", REPORT, "--as-of", "2026-06-01", "--framework", "cis_aws_3.0.0"],
    "accounts": ["audit", *REPORTS, "--as-of", "2027-03-01", "--framework", "nist_800_53_r5"],
    "scan": ["scan", *CODE, "--as-of", "2026-06-01"],
    "scan_controls": ["scan", CODE[0], "--as-of", "2026-06-01", "--framework", "nist_800_53_r5"],
    "keys": ["keys", *REPORTS, *STATE, "--as-of", "2027-03-01"],
}
SCREENS = (360, 800, 1400)
PAPER = {"keys": 1016}
"""CSS pixels of A4 between its margins: lying for the page of keys, else standing (688)."""

STICKS_OUT = """[...document.querySelectorAll("body *")].filter(each => {
  const own = each.closest(".scroll"), scrolls = own !== null && own !== each && !matchMedia("print").matches;
  return each.getBoundingClientRect().right > innerWidth + 1 && !scrolls && each.closest(".skip, thead") === null;
}).map(each => each.outerHTML.slice(0, 120))"""
BROKEN_WORDS = r"""(() => {
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), range = new Range();
  const broken = [];
  for (let node; (node = walk.nextNode());)
    for (const word of node.data.matchAll(/[A-Za-z0-9]{2,20}|\d{4}-\d\d-\d\d(T[\d:]+Z)?/g)) {
      const head = node.parentElement.closest("thead");
      if (node.parentElement.closest(".hash") || head && getComputedStyle(head).position === "absolute") continue;
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].filter(box => box.width).map(box => Math.round(box.top))).size > 1)
        broken.push(word[0]);
    }
  return broken;
})()"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with browser() as made:
        yield made


@pytest.fixture
def looked_at(tab: Tab, tmp_path: Path) -> Callable[[str, int], Iterator[str]]:
    """The widths at which the tab shows a page, one after the other; paper last."""

    def look(source: str, paper: int) -> Iterator[str]:
        page = tmp_path / "page.html"
        page.write_text(source, encoding="utf-8")
        for width in SCREENS:
            tab.open(page, width=width)
            yield f"at {width}"
        tab.open(page, width=paper, media="print")
        yield "printed"

    return look


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_sticks_out_and_no_word_is_broken(
    name: str, tab: Tab, looked_at: Callable[[str, int], Iterator[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*COMMANDS[name], "--format", "html"])
    for where in looked_at(capsys.readouterr().out, PAPER.get(name, 688)):
        assert tab.value("document.documentElement.scrollWidth - innerWidth") <= 0, where
        assert tab.value(STICKS_OUT) == [], where
        broken = tab.value(BROKEN_WORDS)
        assert not broken, (where, broken)


def test_a_name_without_end_is_broken(tab: Tab, looked_at: Callable[[str, int], Iterator[str]]) -> None:
    """What has no place to break must not push the rest of the page away."""
    name = "x" * 400
    subject = Subject(kind="access_key", name=name, owner=name)
    evaluation = make_evaluation(live_finding(message=name, remediation=name, subject=subject), plane=Plane.LIVE)
    for where in looked_at("".join(html_report.render(evaluation, ReportOptions())), 688):
        assert tab.value(STICKS_OUT) == [], where


def test_what_is_written_on_a_phone_can_be_read(
    tab: Tab, looked_at: Callable[[str, int], Iterator[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The text of the figures shrinks with them: at least 8 pixels are left of it, and no name reaches the numbers."""
    main([*COMMANDS["audit"], "--format", "html"])
    next(iter(looked_at(capsys.readouterr().out, 688)))
    heights = tab.value('[...document.querySelectorAll("svg text")].map(each => each.getBoundingClientRect().height)')
    assert min(heights) >= 8
    names = tab.value("Math.max(...[...document.querySelectorAll(\"svg .strong[x='0']\")].map(e => e.getBBox().width))")
    assert 60 < names <= 118
