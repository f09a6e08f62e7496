"""What holds of verdicts whatever the rule: they rest on the code alone, not on how it is scanned or written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from expected_verdicts import rules_of
from generated_code import repositories
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scanned_without import AS_OF, files_below
from scanning import FIXTURES, write

from keyrules.code.addresses import without_keys
from keyrules.code.scan import ScanRequest, scan
from keyrules.code.terraform.hcl.ast import Block, HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.code.terraform.keys import KEY_TYPES
from keyrules.model import Plane, Selection
from keyrules.pack.catalog import load_pack

CODE = rules_of(Plane.CODE)
KINDS = ("terraform", "terraform_json", "terraform_plan", "cloudformation", "text")
FOLDERS = [folder for kind in KINDS for folder in sorted(FIXTURES.glob(f"KEY_AWS_*/{kind}"))]
ROOTS = sorted({path.parent for path in FIXTURES.glob("KEY_AWS_*/terraform/*/*.tf")} | {FIXTURES / "example"})
GENERATED = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Said(NamedTuple):
    """One verdict without its place in the file."""

    rule: str
    path: str
    address: str
    status: str
    reason: str


def said(folder: Path, *names: str, top: Path | None = None) -> set[Said]:
    """What these rules, or all, say of a folder; paths are relative to `top`."""
    pack = load_pack()
    rules = tuple(rule for rule in CODE if not names or rule.id in names)
    evaluation = scan(ScanRequest((folder,), pack, Selection(rules), AS_OF, folder, keep_passing=True))
    return {
        Said(
            f.rule,
            os.path.relpath(Path.cwd() / f.location.path, top or folder),
            f.location.address,
            f.status.value,
            f.reason,
        )
        for f in evaluation.findings
        if f.location
    }


@cache
def whole() -> frozenset[Said]:
    """What all rules say of all fixtures."""
    return frozenset(said(FIXTURES))


class TestOtherRules:
    """A verdict does not depend on which other rules run."""

    @pytest.mark.parametrize("rule", [rule.id for rule in CODE])
    def test_alone(self, rule: str) -> None:
        alone = said(FIXTURES, rule)
        assert alone and alone == {fact for fact in whole() if fact.rule == rule}

    @GENERATED
    @given(files=repositories(), names=st.sets(st.sampled_from([rule.id for rule in CODE]), min_size=1))
    def test_in_any_company(self, files: dict[str, bytes], names: set[str]) -> None:
        with TemporaryDirectory() as name:
            root = write(Path(name).resolve(), files)
            assert said(root, *names) == {fact for fact in said(root) if fact.rule in names}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_a_folder_by_itself_and_within_another(folder: Path) -> None:
    prefix = f"{folder.relative_to(FIXTURES).as_posix()}/"
    assert said(folder, top=FIXTURES) == {fact for fact in whole() if fact.path.startswith(prefix)}


def changed(folder: Path, target: Path, edit: object) -> Path:
    """A copy of a folder with each native source changed by `edit(name, text, blocks)`, which gives files."""
    files: dict[str, str | bytes] = {}
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        files[name] = path.read_bytes()
        if path.suffix == ".tf":
            text = path.read_text("utf-8")
            try:
                made = edit(name, text, parse_hcl(text).blocks)  # type: ignore[operator]
            except HclSyntaxError:
                continue
            del files[name]
            files.update(made)
    return write(target, files)


def plain_paths(facts: set[Said]) -> set[Said]:
    """Verdicts by the folder of their file."""
    return {fact._replace(path=Path(fact.path).parent.as_posix()) for fact in facts}


def is_override(name: str) -> bool:
    return name.removesuffix(".tf").endswith("override")


@pytest.mark.parametrize("folder", ROOTS, ids=lambda path: path.relative_to(FIXTURES).as_posix())
class TestWriting:
    """How the same configuration is written down does not matter."""

    def test_the_order_of_files_and_blocks(self, tmp_path: Path, folder: Path) -> None:
        def reversed_blocks(name: str, text: str, blocks: tuple[Block, ...]) -> Mapping[str, str]:
            if is_override(name):
                return {name: text}
            lines = text.splitlines()
            parts = ["\n".join(lines[block.start_line - 1 : block.end_line]) for block in blocks]
            head, _, tail = name.rpartition("/")
            first, second = parts[::2], parts[1::2]
            top = f"{head}/" if head else ""
            return {
                f"{top}z_{tail}": "\n".join(reversed(first)) + "\n",
                f"{top}a_{tail}": "\n".join(reversed(second)) + "\n",
            }

        copy = changed(folder, tmp_path, reversed_blocks)
        assert plain_paths(said(copy)) == plain_paths(said(folder))

    def test_an_override_doubles_nothing(self, tmp_path: Path, folder: Path) -> None:
        def with_override(name: str, text: str, blocks: tuple[Block, ...]) -> Mapping[str, str]:
            keys = [block for block in blocks if block.type == "resource" and block.labels[0] in KEY_TYPES]
            again = "".join('resource "{}" "{}" {{\n}}\n'.format(*block.labels) for block in keys)
            return {name: text} if is_override(name) else {name: text, f"{name[:-3]}_again_override.tf": again}

        assert said(changed(folder, tmp_path, with_override)) == said(folder)

    def test_an_open_count_passes_nothing(self, tmp_path: Path, folder: Path) -> None:
        """Judged as if declared once: what fails without a count fails with one that nobody knows, or is UNKNOWN."""

        def with_count(name: str, text: str, blocks: tuple[Block, ...]) -> Mapping[str, str]:
            lines = text.splitlines()
            for block in blocks:
                is_key = block.type == "resource" and block.labels[0] in KEY_TYPES
                if (
                    is_key
                    and not {"count", "for_each"} & set(block.body.attributes)
                    and block.end_line > block.start_line
                ):
                    lines[block.start_line - 1] += "\n  count = var.nobody_knows_how_many"
            lines.append(
                'variable "nobody_knows_how_many" {\n}' if name in ("main.tf", "deploy.tf") or "/" in name else ""
            )
            return {name: "\n".join(lines) + "\n"}

        before, after = said(folder), said(changed(folder, tmp_path, with_count))
        found = {(f.rule, f.path, without_keys(f.address)): f.status for f in after if f.status != "PASS"}
        lost = [
            fact
            for fact in before
            if fact.status == "FAIL" and (fact.rule, fact.path, without_keys(fact.address)) not in found
        ]
        assert lost == []
