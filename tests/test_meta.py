"""The repository keeps its own rules: names are free, fixtures are complete and judged, packaging is complete."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from scanning import PROJECT, Scanned, scan

from keyrules.code.key_rules import WORDS
from keyrules.model import Plane
from keyrules.pack.catalog import load_pack

MODULES = sorted(path for top in ("checks", "deploy", "src", "tests") for path in (PROJECT / top).rglob("*.py"))
ENGINE = PROJECT / "src/keyrules"
CODE_RULES = [rule.id for rule in load_pack().rules if Plane.CODE in rule.planes]
LITERALS = "KEY_AWS_011"
TERRAFORM_FORMATS = {"terraform", "terraform_json", "terraform_plan"}
FORMATS: Mapping[str, set[str]] = {
    **{rule: TERRAFORM_FORMATS | {"cloudformation"} for rule in CODE_RULES},
    # State is Terraform's, and CloudFormation has no such types.
    **dict.fromkeys(("KEY_AWS_008", "KEY_AWS_022", "KEY_AWS_024", "KEY_AWS_025"), TERRAFORM_FORMATS),
    # The text of a file decides, and Terraform's two syntaxes are both text.
    LITERALS: {"text", "terraform", "terraform_plan", "cloudformation"},
}
NOTHING_PASSES = {("KEY_AWS_007", "cloudformation"), ("KEY_AWS_007", "terraform_plan")}
"""Every declared key fails this rule, so these formats have no subject that could pass."""

PREFIX = re.compile(r"\b(pass|fail|unknown)_\w+|\b(Pass|Fail|Unknown)[A-Z]\w*")


class TestModules:
    def test_the_folder_for_checkov_holds_the_loader_only(self) -> None:
        """Checkov executes every module of every package that it walks into, each by its own name alone."""
        assert sorted(path.name for path in (PROJECT / "checks").iterdir() if path.name != "__pycache__") == [
            "__init__.py",
            "keyrules_checks.py",
        ]

    def test_every_folder_of_the_engine_is_a_package(self) -> None:
        folders = {path.parent for path in MODULES if path.is_relative_to(ENGINE)}
        assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []

    def test_no_module_is_too_long(self) -> None:
        lengths = {str(path.relative_to(PROJECT)): path.read_text("utf-8").count("\n") for path in MODULES}
        assert {name: length for name, length in lengths.items() if length > 400} == {}

    def test_the_clock_is_read_once(self) -> None:
        """Wall clock time comes in as `as_of`; waiting for AWS is measured with a clock that has no date."""
        clocks = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
        readers = set()
        for path in MODULES:
            if path.is_relative_to(ENGINE):
                for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                    owner = node.value if isinstance(node, ast.Attribute) and node.attr in clocks else None
                    if isinstance(owner, ast.Name) and owner.id in ("datetime", "date", "time"):
                        readers.add(path.name)
        assert readers == {"cli.py"}

    def test_heavy_imports_stay_where_they_belong(self) -> None:
        users: dict[str, set[str]] = {"boto3": set(), "checkov": set()}
        for path in MODULES:
            if path.is_relative_to(ENGINE):
                for name in _imported(path) & set(users):
                    users[name].add(str(path.relative_to(ENGINE)))
        assert users["boto3"] == {"live/aws.py"}
        assert users["checkov"] and all(name.startswith("code/checkov/") for name in users["checkov"])


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


class TestPackaging:
    @pytest.fixture(scope="class")
    @classmethod
    def setup(cls) -> configparser.ConfigParser:
        config = configparser.ConfigParser()
        config.read(PROJECT / "setup.cfg", encoding="utf-8")
        return config

    def test_every_folder_is_listed(self, setup: configparser.ConfigParser) -> None:
        listed = set(setup["options"]["packages"].split())
        folders = {path.parent.relative_to(ENGINE.parent) for path in MODULES if path.is_relative_to(ENGINE)}
        modules = {".".join(folder.parts) for folder in folders}
        data = {
            ".".join(("keyrules", *path.parent.relative_to(PROJECT).parts))
            for suffix in ("*.yaml", "*.csv")
            for path in (PROJECT / "rules").rglob(suffix)
        }
        assert listed == modules | data | {"keyrules.checks", "keyrules.schemas"}

    def test_every_data_file_is_packed(self, setup: configparser.ConfigParser) -> None:
        packed = setup["options.package_data"]
        for path in (PROJECT / "rules").rglob("*"):
            if path.is_file():
                package = ".".join(("keyrules", *path.parent.relative_to(PROJECT).parts))
                assert f"*{path.suffix}" in packed[package].replace(",", " ").split(), path

    def test_every_dependency_says_why(self, setup: configparser.ConfigParser) -> None:
        """A comment stands above each requirement."""
        lines = (PROJECT / "setup.cfg").read_text("utf-8").splitlines()
        needed = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
        names = [line.strip() for text in needed for line in text.splitlines() if line.strip() and "#" not in line]
        assert len(names) > 8
        for name in names:
            if not name.startswith("%"):
                places = [index for index, line in enumerate(lines) if line.strip() == name]
                assert places and all(lines[index - 1].strip().startswith("# ") for index in places), name

    def test_every_import_is_a_dependency(self, setup: configparser.ConfigParser) -> None:
        required, extra = (
            {re.split(r"[\s\[<>=]", line)[0] for line in text.split("\n")}
            for text in (setup["options"]["install_requires"], setup["options.extras_require"]["checkov"])
        )
        # These come with what is stated: PyYAML's module, boto3's errors.
        required |= {"yaml", "botocore"}
        for path in MODULES:
            if path.is_relative_to(ENGINE) or path.parent == PROJECT / "checks":
                stated = required | (extra if path.parent in (ENGINE / "code/checkov", PROJECT / "checks") else set())
                assert _imported(path) - set(sys.stdlib_module_names) - {"keyrules"} - stated == set(), path

    def test_the_tests_run_with_versions_of_our_own(self) -> None:
        """A release of a library turns no run red: every distribution that is required is held by the constraints."""
        lines = (PROJECT / ".ci/constraints.txt").read_text("utf-8").splitlines()
        held = {line.partition("==")[0] for line in lines if "==" in line}
        config = configparser.ConfigParser()
        config.read(PROJECT / "setup.cfg", encoding="utf-8")
        named = [config["options"]["install_requires"], config["options.extras_require"]["dev"]]
        wanted = {
            re.split(r"[\s\[<>=;]", line)[0].lower()
            for text in named
            for line in text.splitlines()
            if line and not line.startswith("#")
        }
        assert len(held) > 100 and wanted - held == set()
        for name in ("README.md", ".ci/run"):
            installs = re.findall(r"pip install .*\[(?:test|dev)\].*", (PROJECT / name).read_text("utf-8"))
            assert installs and all("-c .ci/constraints.txt" in line for line in installs), name


@pytest.fixture(scope="module")
def judged() -> Scanned:
    """Every fixture in one run, with the opt-in rules."""
    return scan(PROJECT, *(word for rule in CODE_RULES for word in ("--rule", rule)), paths=["fixtures"])


def _folders() -> list[tuple[str, str]]:
    folders = [
        path
        for path in (PROJECT / "fixtures").glob("KEY_AWS_*/*")
        if path.is_dir() and path.name not in ("live", "account", "joined")
    ]
    return sorted((path.parent.name, path.name) for path in folders)


def _named(folder: Path) -> dict[str, set[str]]:
    """The names of the subjects below a folder by the verdict that they begin with: blocks, or files for literals."""
    names: dict[str, set[str]] = {"PASS": set(), "FAIL": set(), "UNKNOWN": set()}
    for path in folder.rglob("*"):
        texts = [path.name] if folder.parent.name == LITERALS and folder.name != "terraform_plan" else []
        if not texts and path.is_file():
            texts = [path.read_text("utf-8")]
        for match in (match for text in texts for match in PREFIX.finditer(text)):
            names[(match[1] or match[2]).upper()].add(match[0])
    return names


class TestFixtures:
    def test_every_rule_has_every_format(self) -> None:
        found: dict[str, set[str]] = {rule: set() for rule in CODE_RULES}
        for rule, form in _folders():
            found.setdefault(rule, set()).add(form)
        assert found == FORMATS

    @pytest.mark.parametrize(("rule", "form"), _folders())
    def test_subjects_that_pass_and_subjects_that_fail(self, rule: str, form: str) -> None:
        names = _named(PROJECT / "fixtures" / rule / form)
        assert names["FAIL"]
        assert names["PASS"] or (rule, form) in NOTHING_PASSES

    @pytest.mark.parametrize(("rule", "form"), _folders())
    def test_verdicts_are_those_in_the_names(self, judged: Scanned, rule: str, form: str) -> None:
        folder = f"fixtures/{rule}/{form}/"
        given: dict[str, set[str]] = {}
        for finding in judged.findings(rule):
            path, address = finding["location"]["path"], finding["location"]["address"]
            if path.startswith(folder):
                subject = path if rule == LITERALS and form != "terraform_plan" else address
                for match in PREFIX.finditer(subject):
                    given.setdefault(match[0], set()).add(finding["status"])
        for wanted, names in _named(PROJECT / folder).items():
            for name in sorted(names):
                statuses = given.get(name, set())
                if wanted == "PASS":
                    # What does not concern a rule gets no verdict at all.
                    assert statuses <= {"PASS"}, name
                elif wanted == "UNKNOWN" and rule in WORDS:
                    # What these rules forbid is a literal value; a value that only an input decides is not one.
                    assert statuses == {WORDS[rule].undecided.status.value}, name
                else:
                    assert statuses == {wanted}, name


def test_the_changelog_names_every_rule() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    named: set[int] = set()
    for first, last in re.findall(r"KEY_AWS_(\d{3})(?:\s+to\s+KEY_AWS_(\d{3}))?", text):
        named |= set(range(int(first), int(last or first) + 1))
    assert {int(rule.id[-3:]) for rule in load_pack().rules if Plane.CODE in rule.planes} <= named
