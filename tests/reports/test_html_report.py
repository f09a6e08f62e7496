"""The HTML report: structure, escaping and contrast. What a browser makes of it is in test_in_a_browser.py."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from evaluations import every_kind_of_code_result, every_kind_of_live_result, live_finding, make_evaluation

from keyrules.model import Evaluation, KeyAges, Plane, Subject
from keyrules.records import replace
from keyrules.reports import html as html_report
from keyrules.reports.html_parts import prose, words
from keyrules.reports.html_style import DARK, LIGHT
from keyrules.reports.text_style import ReportOptions

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"' onload=x \x1b[31m\udcff"
AGES = KeyAges(90, (0, 3, *[0] * 3, 2, 7, *[0] * 17, 1200), 1)
CASES = {
    "code": every_kind_of_code_result(),
    "live": replace(every_kind_of_live_result(), key_ages=AGES, population={"users": 4}),
    "hostile": make_evaluation(
        live_finding(message=EVIL, remediation=EVIL, subject=Subject(kind="access_key", name=EVIL, owner=EVIL)),
        plane=Plane.LIVE,
        notes=(EVIL,),
    ),
    "nothing": make_evaluation(inputs=(), rules=()),
}
_VOID = {"meta", "rect", "line", "input", "col", "wbr"}


class Page(HTMLParser):
    """Collects elements, and fails where tags do not nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.found if name == tag]


def page(evaluation: Evaluation) -> Page:
    return Page("".join(html_report.render(evaluation, ReportOptions())))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_structure(case: Evaluation) -> None:
    found = page(case)
    assert found.all("html") == [{"lang": "en"}]
    for tag in ("title", "h1", "header", "nav", "main", "footer"):
        assert len([name for name, _ in found.found if name == tag and name != "title"]) in (0, 1)
        assert found.all(tag), tag
    assert all(attrs["scope"] in {"col", "row"} for attrs in found.all("th"))
    assert len(found.all("caption")) == len(found.all("table"))
    ids = [attrs["id"] for _, attrs in found.found if "id" in attrs]
    assert len(set(ids)) == len(ids)
    links = [attrs["href"] for attrs in found.all("a")]
    assert links[0] == "#main"
    assert {each.removeprefix("#") for each in links} <= set(ids)
    labels = [word for _, a in found.found if "aria-labelledby" in a for word in a["aria-labelledby"].split()]
    assert set(labels) <= set(ids)
    assert all(attrs["role"] == "img" for attrs in found.all("svg"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nothing_runs_and_nothing_is_loaded(case: Evaluation) -> None:
    source = "".join(html_report.render(case, ReportOptions()))
    found = Page(source)
    tags = {tag for tag, _ in found.found}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"}
    names = {name for _, attrs in found.found for name in attrs}
    assert not any(name.startswith("on") or name == "src" for name in names)
    assert "url(" not in source
    assert "@import" not in source
    source.encode()


def test_hostile_names_are_shown_as_they_are() -> None:
    words = page(CASES["hostile"]).words
    assert "<script>alert(1)</script>" in words
    assert "\x1b" not in words


def test_what_it_says() -> None:
    words = page(CASES["live"]).words
    for part in ("kept for the old build server", "iam:GetCredentialReport is not allowed", "ab" * 32, "cd" * 32):
        assert part in words
    assert "1,207 of 1,213 keys are older than 90 days" in words
    assert "over 75 to 90 days: 2; over 90 to 105 days: 7" in words
    assert "Not everything was evaluated: 1 verdict UNKNOWN, 1 error" in words


def test_same_bytes_again() -> None:
    for case in CASES.values():
        assert "".join(html_report.render(case, ReportOptions())) == "".join(html_report.render(case, ReportOptions()))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(palette: dict[str, str]) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1 for text."""
    tones = [name.removesuffix("-bg") for name in palette if name.endswith("-bg")]
    assert {"good", "bad", "part", "none"} <= set(tones)
    pairs = [(name, ground) for name in ("ink", "soft", "accent", *tones) for ground in ("card", "page")]
    pairs += [(tone, f"{tone}-bg") for tone in tones] + [("accent", "bad-bg")]
    for name, ground in pairs:
        high, low = sorted((luminance(palette[name]), luminance(palette[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)


@pytest.mark.parametrize(
    ("value", "markup"),
    [
        ("a day", "a day"),
        ("on 2026-06-01, by <x>", 'on <span class="w">2026-06-01,</span> by &lt;x&gt;'),
        ("aws --no-pager - b", 'aws <span class="w">--no-pager</span> - b'),
        ("infra/modules/deploy/access_keys.tf:10", "infra/<wbr>modules/<wbr>deploy/<wbr>access_keys.tf:10"),
        ("module.deploy.aws_iam_access_key.deploy", "module.<wbr>deploy.<wbr>aws_iam_access_key.<wbr>deploy"),
        ("AKeyThatNobodyEverRotatedAtAll", "AKey<wbr>That<wbr>Nobody<wbr>Ever<wbr>Rotated<wbr>At<wbr>All"),
        ("x" * 40, "x" * 40),
        ("\ue000\ue001", r"\ue000\ue001"),
    ],
)
def test_where_lines_may_end(value: str, markup: str) -> None:
    assert words(value) == markup


def test_code_in_prose() -> None:
    assert prose("Run `aws x-y` (`a`), `b") == 'Run <code>aws <span class="w">x-y</span></code> (<code>a</code>), `b'
