"""Framework files that are not exactly right: each is refused with its file and line."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyrules.completion.pack_names import FRAMEWORK_COLUMNS
from keyrules.controls.model import Frameworks
from keyrules.controls.tables import load_frameworks
from keyrules.model import UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.csv_table import write_rows

PACK = load_pack()
REAL = PACK.root / "controls"
EDITIONS = [edition.key for edition in load_frameworks(PACK).editions]
LINES = [(key, number) for key in EDITIONS for number in range(2, (REAL / f"{key}.csv").read_text().count("\n") + 1)]
HEAD = "control,title,relation,rule,bound,statement,source,why\n"
ENDS_IN_ZERO = re.compile(r"^([0-9]+\.[0-9]*[1-9])0,")
FRAMEWORKS_HEAD = ",".join(FRAMEWORK_COLUMNS) + "\n"
ROTATE = "1.14,Keys turn,implements,KEY_AWS_001,max_age_days<=90,,keyrules,It decides it.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest folder: one framework, `one_1.0`, with one control."""
    root = tmp_path / "controls"
    root.mkdir()
    (root / "frameworks.csv").write_text(
        FRAMEWORKS_HEAD + "one_1.0,One,1.0,CIS,https://example.com/,2020,2026-01-31,current,,,\n"
    )
    (root / "sources.csv").write_text("key,title,url\nkeyrules,Ours,https://example.com/\n")
    (root / "removed.csv").write_text("framework,control,removed_in,source,why\n")
    (root / "levels.csv").write_text("framework,control,level,assessment,source\n")
    (root / "unmapped.csv").write_text("rule,publisher,why\n")
    (root / "one_1.0.csv").write_text(HEAD + ROTATE)
    return root


def refusal(root: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_frameworks(PACK, root)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message.removeprefix(f"{root}/")


def rows(root: Path, *lines: str) -> str:
    (root / "one_1.0.csv").write_text(HEAD + "".join(line + "\n" for line in lines), newline="")
    return refusal(root)


class TestRows:
    def test_the_smallest_folder_is_fine(self, folder: Path) -> None:
        assert load_frameworks(PACK, folder).editions[0].rows[0].control == "1.14"

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (ROTATE.replace("KEY_AWS_001", "KEY_AWS_101"), r"`rule` has 'KEY_AWS_101'; .* KEY_AWS_\d+"),
            (ROTATE.replace("KEY_AWS_001", ""), "`rule` has ''"),
            (
                ROTATE.replace("implements", "fulfils"),
                "`relation` has 'fulfils'; allowed: implements, partial, supports",
            ),
            (ROTATE.replace("max_age_days", "max_age"), "`bound` names 'max_age', which KEY_AWS_001 does not have"),
            (ROTATE.replace("<=90", "<90"), "`bound` has 'max_age_days<90'; write it as in"),
            (ROTATE.replace("<=90", ">=90"), "`bound` of max_age_days has '>='; allowed: '<='"),
            (ROTATE.replace("<=90", "<=0"), "`bound` of max_age_days has '0'; allowed: 1 or more days"),
            (ROTATE.replace("<=90", "<=090"), "`bound` of max_age_days has '090'"),
            (ROTATE.replace("<=90", "<=90;max_age_days<=45"), "must name each parameter once, sorted"),
            (ROTATE.replace("max_age_days<=90", "slots=1;max_age_days<=90"), "must name each parameter once, sorted"),
            (ROTATE.replace("<=90", "<=90;slots=3"), "`bound` of slots has '3'; allowed: one or more of 1,2"),
            (ROTATE.replace("max_age_days<=90", "slots<=1"), "`bound` of slots has '<='; allowed: '='"),
            (ROTATE.replace("max_age_days<=90", ""), "`bound` has no limit on max_age_days; .*implements"),
            (ROTATE.replace("keyrules", "hearsay"), "`source` has 'hearsay'; allowed: keys of sources.csv"),
            (ROTATE.replace("keyrules", "keyrules;keyrules"), "each key once, sorted"),
            (ROTATE.replace("keyrules", ""), "`source` has ''"),
            (ROTATE.replace("Keys turn", ""), "`title` has nothing; allowed: text"),
            (ROTATE.replace("It decides it.", ""), "`why` has nothing; allowed: text"),
            (ROTATE.replace("decides it.", "decides it"), "`why` has no full stop"),
            (ROTATE.replace("1.14,", " 1.14,"), "`control` has blanks around it"),
            (ROTATE.replace("1.14,", "1.14 ,"), "`control` has blanks around it"),
            (ROTATE.replace("1.14,", ","), "`control` has nothing"),
            (ROTATE.replace("1.14,", '"1.14",'), "quotes that it does not need"),
            (ROTATE.replace("1.14,", "=1.14,"), "run it as a formula"),
            (ROTATE.replace("1.14,", "1.14\u200b,"), "not printable"),
            (ROTATE.replace("1.14,", "1.14,,"), "found 9 cells; allowed: 8"),
            (ROTATE.replace("1.14,", '"1.14,'), "the quotes are not those of a CSV line"),
            ("1.15,Gap,not_covered,KEY_AWS_001,,,keyrules,Nothing.\n", "`rule` has a value; allowed: nothing"),
            ("1.15,Gap,not_covered,,slots=1,,keyrules,Nothing.\n", "`bound` has a value; allowed: nothing"),
            ("1.7,Root,supports,KEY_AWS_015,quiet_days<=30,,keyrules,A hint.\n", "has '<='; allowed: '>='"),
            ("1.11,Setup,supports,KEY_AWS_004,setup_minutes<=60,,keyrules,A hint.\n", "has '<='; allowed: '>='"),
            ("1.13,Two,supports,KEY_AWS_003,overlap_days>=0,,keyrules,A hint.\n", "has '>='; allowed: '<='"),
            ("1.8,Ban,contradicts,KEY_AWS_017,max_age_days<=90,,keyrules,No.\n", "`bound` has a value; .*contradicts"),
            ("1.8,Ban,contradicts,,,,keyrules,No.\n", "`rule` has ''"),
            (ROTATE.replace("<=90,,", "<=90,AC-2 (3),"), r"`statement` has 'AC-2 \(3\)'; allowed: an id as in"),
        ],
    )
    def test_a_wrong_cell(self, folder: Path, line: str, expected: str) -> None:
        message = rows(folder, line.rstrip("\n"))
        assert message.startswith("one_1.0.csv, line 2: ")
        assert re.search(expected, message)

    @pytest.mark.parametrize(
        "control",
        ["10-Jan", "Jan-10", "10-Jan-24", "1/10/2024", "2024-01-10", "03.05.2010", "1,1", "1.1E+10", "#NAME?", "'1.10"],
    )
    def test_an_id_that_a_spreadsheet_changed(self, folder: Path, control: str) -> None:
        line = write_rows([[control, *ROTATE.rstrip("\n").split(",")[1:]]]).rstrip("\n")
        assert "spreadsheet" in rows(folder, line)

    @pytest.mark.parametrize(
        "control", ["3.5.10", "2.1.1", "AC-2(3)(d)", "PR.AC-1", "A.9.2", "164.312(d)", "AWS_IAM_50"]
    )
    def test_an_id_that_only_looks_like_one(self, folder: Path, control: str) -> None:
        (folder / "one_1.0.csv").write_text(HEAD + ROTATE.replace("1.14,", f"{control},"))
        assert load_frameworks(PACK, folder).editions[0].controls == (control,)

    @pytest.mark.parametrize(
        ("lines", "number", "expected"),
        [
            (
                ("1.10,A,supports,KEY_AWS_001,,,keyrules,W.", "1.9,B,supports,KEY_AWS_001,,,keyrules,W."),
                3,
                "1.10 into 1.1",
            ),
            (
                ("1.9,A,supports,KEY_AWS_001,,,keyrules,W.", "1.1,B,supports,KEY_AWS_001,,,keyrules,W."),
                3,
                "1.10 into 1.1",
            ),
            (
                ("1.1,A,supports,KEY_AWS_002,,,keyrules,W.", "1.1,A,supports,KEY_AWS_001,,,keyrules,W."),
                3,
                "no rule last",
            ),
            (("1.1,A,not_covered,,,,keyrules,W.", "1.1,A,partial,KEY_AWS_001,,,keyrules,W."), 3, "no rule last"),
            (
                ("1.1,A,supports,KEY_AWS_001,,,keyrules,W.", "1.1,A,supports,KEY_AWS_001,,,keyrules,X."),
                3,
                "second time",
            ),
            (("1.1,A,not_covered,,,,keyrules,W.", "1.1,A,not_covered,,,,keyrules,X."), 3, "second time"),
            (("1.1,A,supports,KEY_AWS_001,,,keyrules,W.", "1.1,B,supports,KEY_AWS_002,,,keyrules,W."), 3, "title"),
            (
                ("1.1,A,implements,KEY_AWS_005,,,keyrules,W.", "1.1,A,not_covered,,,,keyrules,W."),
                3,
                "implements the whole",
            ),
            (("1.1,A,supports,KEY_AWS_005,,,keyrules,W.", "1.1,A,not_covered,,,,keyrules,W."), 3, "supports alone"),
            (
                ("1.1,A,contradicts,KEY_AWS_017,,,keyrules,W.", "1.2,B,supports,KEY_AWS_017,,,keyrules,W."),
                3,
                "supports with KEY_AWS_017, which contradicts 1.1",
            ),
            (
                ("1.1,A,partial,KEY_AWS_005,,,keyrules,W.", "1.2,B,not_covered,,,,keyrules,W."),
                2,
                "one part of the control",
            ),
        ],
    )
    def test_rows_that_do_not_go_together(
        self, folder: Path, lines: tuple[str, ...], number: int, expected: str
    ) -> None:
        message = rows(folder, *lines)
        assert message.startswith(f"one_1.0.csv, line {number}: ")
        assert expected in message


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "line", "expected"),
        [
            (HEAD.encode() + ROTATE.encode().replace(b"turn", b"t\xfcrn"), 2, "not UTF-8"),
            (b"\xef\xbb\xbf" + HEAD.encode() + ROTATE.encode(), 1, "byte order mark"),
            ((HEAD + ROTATE).replace("\n", "\r\n").encode(), 1, "carriage return"),
            (HEAD.encode() + ROTATE.encode().rstrip(b"\n"), 2, "add a line feed"),
            (HEAD.replace("bound", "limit").encode() + ROTATE.encode(), 1, "the header must be control,title,relation"),
            (HEAD.replace(",", ";").encode(), 1, "the header must be"),
            (HEAD.encode(), 2, "there is no control"),
            (b"", 1, ""),
            (HEAD.encode() + b"\n" + ROTATE.encode(), 2, "found 0 cells"),
        ],
    )
    def test_a_file_in_another_shape(self, folder: Path, content: bytes, line: int, expected: str) -> None:
        (folder / "one_1.0.csv").write_bytes(content)
        message = refusal(folder)
        assert message.startswith(f"one_1.0.csv, line {line}: ")
        assert expected in message

    def test_a_file_that_is_missing_or_belongs_to_nothing(self, folder: Path) -> None:
        (folder / "two_1.0.csv").write_text(HEAD + ROTATE)
        assert refusal(folder).startswith("two_1.0.csv belongs to no framework")
        (folder / "two_1.0.csv").unlink()
        (folder / "one_1.0.csv").unlink()
        assert refusal(folder).startswith("one_1.0.csv cannot be read")
        with pytest.raises(UsageError, match="is not a folder of framework files"):
            load_frameworks(PACK, folder / "nowhere")

    @pytest.mark.parametrize(
        ("name", "line", "expected"),
        [
            (
                "frameworks.csv",
                "One 1,One,1.0,CIS,https://example.com/,2020,2026-01-31,current,,,",
                "`key` has 'One 1'",
            ),
            (
                "frameworks.csv",
                "one_1.0,,1.0,CIS,https://example.com/,2020,2026-01-31,current,,,",
                "`title` has nothing",
            ),
            (
                "frameworks.csv",
                "one_1.0,One,,CIS,https://example.com/,2020,2026-01-31,current,,,",
                "`edition` has nothing",
            ),
            ("frameworks.csv", "one_1.0,One,1.0,CIS,example.com,2020,2026-01-31,current,,,", "`url` has 'example.com'"),
            (
                "frameworks.csv",
                "one_1.0,One,1.0,CIS,https://example.com/,01/2020,2026-01-31,current,,,",
                "`published` has",
            ),
            (
                "frameworks.csv",
                "one_1.0,One,1.0,CIS,https://example.com/,2020,2026-02-31,current,,,",
                "`checked_on` has",
            ),
            ("sources.csv", "Key Rules,Ours,https://example.com/", "`key` has 'Key Rules'"),
            ("sources.csv", "keyrules,,https://example.com/", "`title` has nothing"),
            ("removed.csv", "two_1.0,1.14,one_1.0,keyrules,W.", "`framework` has 'two_1.0'"),
            ("removed.csv", "one_1.0,1.15,one_1.0,keyrules,W.", "`control` has '1.15'; allowed: a control of one_1.0"),
            ("removed.csv", "one_1.0,1.14,one_1.0,keyrules,W.", "the edition after one_1.0, of which there is none"),
            ("levels.csv", "two_1.0,1.14,1,automated,keyrules", "`framework` has 'two_1.0'"),
            ("levels.csv", "one_1.0,1.15,1,automated,keyrules", "`control` has '1.15'; allowed: a control of one_1.0"),
            ("levels.csv", "one_1.0,1.14,L1,automated,keyrules", "`level` has 'L1'; allowed: 1, 2"),
            ("levels.csv", "one_1.0,1.14,1,Automated,keyrules", "`assessment` has 'Automated'; allowed: automated,"),
            ("levels.csv", "one_1.0,1.14,1,automated,hearsay", "`source` has 'hearsay'"),
            ("unmapped.csv", "KEY_AWS_999,CIS,W.", "`rule` has 'KEY_AWS_999'"),
            ("unmapped.csv", "KEY_AWS_002,ACME,W.", "`publisher` has 'ACME'; allowed: CIS"),
            ("unmapped.csv", "KEY_AWS_001,CIS,W.", "one_1.0 maps KEY_AWS_001, so there is no reason to give"),
            ("unmapped.csv", "KEY_AWS_002,CIS,", "`why` has nothing"),
        ],
    )
    def test_a_wrong_line_beside_the_frameworks(self, folder: Path, name: str, line: str, expected: str) -> None:
        header = (folder / name).read_text().splitlines()[0]
        (folder / name).write_text(f"{header}\n{line}\n")
        message = refusal(folder)
        assert message.startswith(f"{name}, line 2: ")
        assert expected in message

    @pytest.mark.parametrize(
        ("cells", "expected"),
        [
            ("current,,", "found 10 cells"),
            ("old,,,", "`status` has 'old'; allowed: current, superseded, withdrawn"),
            ("current,one_2.0,,", "`superseded_by` has 'one_2.0'; allowed: nothing"),
            ("current,,2024,", "`retired_on` has '2024'; allowed: nothing"),
            ("withdrawn,,May 2024,", "`retired_on` has 'May 2024'; allowed: a year"),
            ("superseded,,,", "`superseded_by` has nothing; allowed: the key of the edition after"),
            ("superseded,one_2.0,,", "`superseded_by` has 'one_2.0'; allowed: the key of another"),
            ("superseded,one_1.0,,", "`superseded_by` has 'one_1.0'; allowed: the key of another"),
            ("current,,,Mind it", "`note` has no full stop"),
        ],
    )
    def test_how_an_edition_stands(self, folder: Path, cells: str, expected: str) -> None:
        line = f"one_1.0,One,1.0,CIS,https://example.com/,2020,2026-01-31,{cells}\n"
        (folder / "frameworks.csv").write_text(FRAMEWORKS_HEAD + line)
        message = refusal(folder)
        assert message.startswith("frameworks.csv, line 2: ")
        assert expected in message

    def test_a_source_says_one_thing_of_a_control(self, folder: Path) -> None:
        (folder / "sources.csv").write_text("key,title,url\nkeyrules,Ours,https://a.b/\nother,Theirs,https://c.d/\n")
        lines = "one_1.0,1.14,1,automated,keyrules\none_1.0,1.14,2,manual,keyrules;other\n"
        (folder / "levels.csv").write_text(f"framework,control,level,assessment,source\n{lines}")
        assert refusal(folder).startswith("levels.csv, line 3: `source` has 'keyrules'; allowed: each source once")

    def test_no_framework_at_all(self, folder: Path) -> None:
        (folder / "frameworks.csv").write_text(FRAMEWORKS_HEAD)
        assert refusal(folder).startswith("frameworks.csv, line 2: there is no framework")

    def test_frameworks_out_of_order_or_twice(self, folder: Path) -> None:
        header, line = (folder / "frameworks.csv").read_text().splitlines()
        (folder / "one_1.10.csv").write_text(HEAD + ROTATE)
        later = line.replace("1.0", "1.10")
        (folder / "frameworks.csv").write_text(f"{header}\n{later}\n{line}\n")
        assert refusal(folder).startswith("frameworks.csv, line 3: one_1.0 is out of order")
        (folder / "frameworks.csv").write_text(f"{header}\n{line}\n{line}\n")
        assert refusal(folder).startswith("frameworks.csv, line 3: one_1.0 stands here a second time")

    def test_a_control_that_only_moved_is_not_removed(self, folder: Path) -> None:
        header, line = (folder / "frameworks.csv").read_text().splitlines()
        (folder / "frameworks.csv").write_text(f"{header}\n{line}\n{line.replace('1.0', '2.0')}\n")
        (folder / "one_2.0.csv").write_text(HEAD + ROTATE.replace("1.14", "2.12"))
        (folder / "removed.csv").write_text(
            "framework,control,removed_in,source,why\none_1.0,1.14,one_2.0,keyrules,W.\n"
        )
        assert "one_2.0 still has the control 'Keys turn'" in refusal(folder)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real folder, to change one line of it at a time."""
    return shutil.copytree(REAL, tmp_path_factory.mktemp("pack") / "controls")


@contextmanager
def changed(path: Path, change: Callable[[list[str]], list[str]]) -> Iterator[None]:
    before = path.read_bytes()
    lines = before.decode().split("\n")
    path.write_bytes("\n".join(change(lines)).encode())
    try:
        yield
    finally:
        path.write_bytes(before)


def _cell(number: int, text: Callable[[str], str]) -> Callable[[str], str]:
    def change(line: str) -> str:
        cells = line.split(",", 4)
        cells[number] = text(cells[number])
        return ",".join(cells)

    return change


LINE_CHANGES: dict[str, Callable[[str], str]] = {
    "a blank in front": lambda line: " " + line,
    "a carriage return": lambda line: line + "\r",
    "one more cell": lambda line: line + ",",
    "no control": _cell(0, lambda _: ""),
    "a quoted control": _cell(0, lambda text: f'"{text}"'),
    "a formula": _cell(0, lambda text: f"={text}"),
    "no title": lambda line: re.sub(r'^([^,"]*),("[^"]*"|[^,]*),', r"\1,,", line),
    "twice": lambda line: f"{line}\n{line}",
}


class TestSpreadsheets:
    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(where=st.sampled_from(LINES), name=st.sampled_from(sorted(LINE_CHANGES)))
    def test_any_line_that_is_changed_is_refused_where_it_is(
        self, copy: Path, where: tuple[str, int], name: str
    ) -> None:
        key, number = where

        def change(lines: list[str]) -> list[str]:
            return [*lines[: number - 1], LINE_CHANGES[name](lines[number - 1]), *lines[number:]]

        with changed(copy / f"{key}.csv", change):
            message = refusal(copy)
        expected = number + (name == "twice")
        assert message.startswith(f"{key}.csv, line {expected}: ")

    def test_numbers_that_lost_their_zeros_are_refused(self, copy: Path) -> None:
        """What a spreadsheet saves after it read 1.10 as a number."""
        found = 0
        for key in EDITIONS:
            path = copy / f"{key}.csv"
            numbers = [index for index, line in enumerate(path.read_text().split("\n"), 1) if ENDS_IN_ZERO.match(line)]
            if numbers:
                found += 1
                with changed(path, lambda lines: [ENDS_IN_ZERO.sub(r"\1,", line) for line in lines]):
                    message = refusal(copy)
                assert message.startswith(f"{key}.csv, line {numbers[0]}: ")
                assert "a spreadsheet may have turned 1.10 into 1.1" in message.lower()
        assert found == 10

    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(where=st.sampled_from([(key, number) for key, number in LINES if (key, number + 1) in set(LINES)]))
    def test_any_two_lines_that_change_places_are_refused(self, copy: Path, where: tuple[str, int]) -> None:
        key, number = where

        def change(lines: list[str]) -> list[str]:
            return [*lines[: number - 1], lines[number], lines[number - 1], *lines[number + 1 :]]

        with changed(copy / f"{key}.csv", change):
            message = refusal(copy)
        assert message.startswith(f"{key}.csv, line {number + 1}: ")

    def test_the_copy_itself_is_fine(self, copy: Path) -> None:
        assert isinstance(load_frameworks(PACK, copy), Frameworks)
