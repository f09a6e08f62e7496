"""README.md and the pages in docs say what is so: generated parts are current, and every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import address
import pytest
import rule_pages
from readme import PAGES, PROJECT, README, rendered

from keyrules.model import Plane, Status
from keyrules.pack.catalog import load_pack

DOCUMENTS = sorted({*PAGES, *(PROJECT / "docs").rglob("*.md"), *PROJECT.glob("*.md")})
_LINK = re.compile(r"\]\(([^)\s]+)\)|<a href=\"([^\"]+)\">")
_ADDRESS = re.compile(
    r"https://(?:raw\.githubusercontent\.com|github\.com)/keyrules/keyrules/(?:blob/)?(?:main|v[\d.]+)/([^\s)\"'`#]+)"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_generated_parts_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rendered(text) == text, "run: python tests/support/readme.py"


def test_the_pages_of_the_rules_are_current() -> None:
    assert rule_pages.stale() == [], "run: PYTHONPATH=src:tests/support python tests/support/rule_pages.py"


def test_every_guideline_is_the_address_of_the_page() -> None:
    for rule in load_pack().rules:
        assert rule.guideline.endswith(f"/blob/main/docs/rules/{rule.id}.md"), rule.id


def test_the_address_and_the_version_are_those_of_setup_cfg() -> None:
    if not (PROJECT / ".git").exists():
        pytest.skip("no checkout of git, which knows the files of the project")
    assert address.stale() == [], "run: PYTHONPATH=src python tests/support/address.py"


def test_another_address_and_version_arrive_everywhere() -> None:
    old = "https://github.com/keyrules/keyrules"
    text = (
        f"{old}/blob/main/README.md git+{old}@v0.2.0 {old}/archive/v0.2.0.tar.gz uses: keyrules/keyrules@v0.2.0\n"
        f"  - repo: {old}\n    rev: v0.2.0\n"
        "https://raw.githubusercontent.com/keyrules/keyrules/v0.2.0/x /etc/keyrules/keyrules.yaml"
    )
    new = "https://github.com/acme/keyrules"
    assert address.rewritten(text, "acme/keyrules", "1.0.0") == (
        f"{new}/blob/main/README.md git+{new}@v1.0.0 {new}/archive/v1.0.0.tar.gz uses: acme/keyrules@v1.0.0\n"
        f"  - repo: {new}\n    rev: v1.0.0\n"
        "https://raw.githubusercontent.com/acme/keyrules/v1.0.0/x /etc/keyrules/keyrules.yaml"
    )


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 210


def test_every_hook_is_described() -> None:
    hooks = re.findall(r"^- id: (\S+)$", (PROJECT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    assert hooks
    text = (PROJECT / "docs/pipelines.md").read_text(encoding="utf-8")
    assert all(f"- id: {hook}" in text and f"`{hook}`" in text for hook in hooks)


def headings(text: str) -> set[str]:
    """The anchors of a page as GitHub makes them."""
    outside = re.sub(r"(?ms)^```.*?^```$", "", text)
    titles = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path) -> Iterator[str]:
    """The links of a page that lead nowhere within the project."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    for first, second in _LINK.findall(text):
        target = first or second
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in headings(file.read_text(encoding="utf-8"))):
            yield target
    for path in _ADDRESS.findall(page.read_text(encoding="utf-8")):
        if not (PROJECT / path).exists():
            yield path


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_every_page_can_be_reached_from_readme() -> None:
    seen: set[Path] = set()
    open_pages = [README]
    while open_pages:
        page = open_pages.pop()
        seen.add(page)
        targets = (first.partition("#")[0] for first, _ in _LINK.findall(page.read_text(encoding="utf-8")))
        found = {(page.parent / each).resolve() for each in targets if each.endswith(".md")}
        open_pages += [each for each in found if each.is_file() and each not in seen]
    assert [path for path in DOCUMENTS if path not in seen] == []


class TestExamples:
    def test_every_rule_about_code_has_one_that_fails_and_one_that_passes(self) -> None:
        pack = load_pack()
        found = rule_pages.examples(pack)
        for rule in pack.rules:
            if Plane.CODE not in rule.planes:
                continue
            kinds = {
                kind: {
                    each["status"]
                    for (id_, path), each_found in found.items()
                    for each in each_found
                    if id_ == rule.id and path.startswith(f"{rule.id}/{kind}")
                }
                for kind in ("bad", "good")
            }
            assert Status.FAIL.value.upper() in kinds["bad"], rule.id
            assert not kinds["good"] - {"PASS"}, rule.id

    def test_the_key_of_the_first_page_passes_every_rule(self) -> None:
        pack = load_pack()
        verdicts = {
            rule.id: {
                each["status"]
                for (id_, path), found in rule_pages.examples(pack).items()
                for each in found
                if id_ == rule.id and path.startswith("good/")
            }
            for rule in pack.rules
        }
        failed = {rule for rule, statuses in verdicts.items() if statuses - {"PASS"}}
        assert failed == {"KEY_AWS_007"} and verdicts["KEY_AWS_001"] == {"PASS"}


def test_the_commands_that_ci_runs_are_marked() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- test-command -->\n```sh\n") == 1
    assert text.count("<!-- run-command -->\n```sh\n") == 1


def test_every_picture_is_light_and_says_what_it_shows() -> None:
    """They are made by tests/support/screenshots.py."""
    shown = {
        (page.parent / path).resolve(): words
        for page in DOCUMENTS
        for words, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    pictures = set((PROJECT / "docs/screenshots").iterdir())
    assert set(shown) == pictures
    assert all(len(words.split()) > 8 for words in shown.values())
    assert all(path.stat().st_size < 150_000 for path in pictures)
