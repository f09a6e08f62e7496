"""`--format FORMAT[=FILE]`, and files that are written whole or not at all."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canaries import assert_no_leak, disguises, leaks, make_canary
from evaluations import every_kind_of_code_result, every_kind_of_live_result, make_evaluation

from keyrules.model import Evaluation, Plane, UsageError
from keyrules.reports import outputs as outputs_module
from keyrules.reports import text as text_report
from keyrules.reports.outputs import Output, parse_outputs, write_outputs
from keyrules.reports.report_formats import FORMATS, Format, formats_of
from keyrules.reports.text_style import ReportOptions, Style


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def _umask_027() -> Iterator[None]:
    previous = os.umask(0o027)
    yield
    os.umask(previous)


def files_here() -> list[str]:
    """Every name in the working directory, hidden ones included."""
    return sorted(path.name for path in Path().iterdir())


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ([], [Output("text", None)]),
        (["json"], [Output("json", None)]),
        (["json=-"], [Output("json", None)]),
        (["text", "sarif=out.sarif"], [Output("text", None), Output("sarif", Path("out.sarif"))]),
        (["sarif=out.sarif"], [Output("text", None), Output("sarif", Path("out.sarif"))]),
        (["json=a=b.json"], [Output("text", None), Output("json", Path("a=b.json"))]),
    ],
)
def test_specs(specs: list[str], expected: list[Output]) -> None:
    assert list(parse_outputs(specs)) == expected


@pytest.mark.parametrize(
    ("specs", "sentence"),
    [
        (["xml"], f"--format: xml is not a format; use one of {', '.join(formats_of(Plane.CODE))}"),
        (
            ["JSON"],
            f"--format: JSON is not a format; did you mean json? use one of {', '.join(formats_of(Plane.CODE))}",
        ),
        ([""], f"--format:  is not a format; use one of {', '.join(formats_of(Plane.CODE))}"),
        (["x\x1b[2J"], f"--format: x\\x1b[2J is not a format; use one of {', '.join(formats_of(Plane.CODE))}"),
        (["json="], "--format: json= names no file; write json=FILE, or json alone for standard output"),
        (
            ["json", "text"],
            "--format: json and text would both go to standard output; send all but one to a file, "
            "as in --format text=FILE",
        ),
        (["json=here"], "--format: here is a directory; name a file in it"),
        (
            ["json=a.json", "sarif=here/../a.json"],
            "--format: json=a.json and sarif=here/../a.json would go to the same file; give each its own",
        ),
    ],
)
def test_wrong_specs_are_one_sentence(specs: list[str], sentence: str) -> None:
    Path("here").mkdir()
    with pytest.raises(UsageError) as caught:
        parse_outputs(specs)
    assert str(caught.value) == sentence
    assert files_here() == ["here"]


def test_a_missing_directory_is_named() -> None:
    with pytest.raises(UsageError, match=r"the directory of no/out\.json does not exist; create .*/no first"):
        parse_outputs(["json=no/out.json"])


def test_a_file_as_directory_and_a_loop_of_links_are_named() -> None:
    Path("file").touch()
    with pytest.raises(UsageError, match=r"file/out\.json"):
        parse_outputs(["json=file/out.json"])
    Path("loop").symlink_to("loop")
    with pytest.raises(UsageError, match=r"--format: loop cannot be written"):
        parse_outputs(["json=loop"])


def test_a_directory_without_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match=r"--format: out\.json cannot be written: Permission denied"):
        parse_outputs(["json=out.json"])


def test_all_outputs_are_written() -> None:
    stdout = io.BytesIO()
    evaluation = every_kind_of_code_result()
    write_outputs(parse_outputs(["text", "json=a.json", "sarif=a.sarif"]), evaluation, ReportOptions(), stdout)
    assert stdout.getvalue().decode() == "".join(FORMATS["text"].render(evaluation, ReportOptions()))
    assert json.loads(Path("a.json").read_bytes())["schema"] == "keyrules/2"
    assert json.loads(Path("a.sarif").read_bytes())["version"] == "2.1.0"
    assert files_here() == ["a.json", "a.sarif"]


def test_text_in_a_file_does_not_depend_on_the_terminal() -> None:
    coloured = ReportOptions(style=Style(colour=True), width=40)
    stdout = io.BytesIO()
    write_outputs(parse_outputs(["json", "text=a.txt"]), every_kind_of_code_result(), coloured, stdout)
    assert Path("a.txt").read_text(encoding="utf-8") == "".join(
        FORMATS["text"].render(every_kind_of_code_result(), ReportOptions())
    )


@pytest.mark.usefixtures("_umask_027")
def test_the_umask_decides_on_permissions() -> None:
    write_outputs(parse_outputs(["json=a.json"]), make_evaluation(), ReportOptions(), io.BytesIO())
    assert stat.S_IMODE(Path("a.json").stat().st_mode) == 0o640


def test_a_symbolic_link_stays_and_its_target_is_replaced() -> None:
    Path("real.json").write_text("old")
    Path("link.json").symlink_to("real.json")
    write_outputs(parse_outputs(["json=link.json"]), make_evaluation(), ReportOptions(), io.BytesIO())
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_bytes())["schema"] == "keyrules/2"


def test_a_pipe_is_written_to_and_not_replaced() -> None:
    os.mkfifo("pipe")
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(Path("pipe").read_bytes()), daemon=True)
    reader.start()
    write_outputs(parse_outputs(["json=pipe"]), make_evaluation(), ReportOptions(), io.BytesIO())
    reader.join(timeout=30)
    assert json.loads(received[0])["schema"] == "keyrules/2"
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)


def test_a_failure_while_staging_leaves_the_old_files_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.json").write_text("old")
    wanted = parse_outputs(["json=a.json", "sarif=b.sarif"])
    calls = []

    def full_disk(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    stdout = io.BytesIO()
    with pytest.raises(UsageError, match=r"--format: b\.sarif cannot be written: No space left on device"):
        write_outputs(wanted, make_evaluation(), ReportOptions(), stdout)
    assert Path("a.json").read_text() == "old"
    assert files_here() == ["a.json"]
    assert stdout.getvalue() == b""


def test_a_device_that_takes_nothing_leaves_the_old_files_and_no_new_ones() -> None:
    Path("old.json").write_text("old")
    outputs = parse_outputs(["json=old.json", "csv=new.csv", "sarif=/dev/full"])
    with pytest.raises(UsageError, match=r"--format: /dev/full cannot be written: No space left on device"):
        write_outputs(outputs, every_kind_of_code_result(), ReportOptions(), io.BytesIO())
    assert files_here() == ["old.json"]
    assert Path("old.json").read_text() == "old"


def test_a_writer_that_fails_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(evaluation: Evaluation, options: ReportOptions) -> str:
        raise RuntimeError("no report")

    monkeypatch.setattr(text_report, "render", broken)
    with pytest.raises(RuntimeError, match="no report"):
        write_outputs(parse_outputs(["json=a.json"]), make_evaluation(), ReportOptions(), io.BytesIO())
    assert files_here() == []


@pytest.mark.parametrize("plane", Plane)
def test_a_format_that_cannot_express_a_plane_is_refused(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        FORMATS, "half", Format("", code="json_report") if plane is Plane.LIVE else Format("", live="json_report")
    )
    with pytest.raises(UsageError, match="half cannot express findings on"):
        parse_outputs(["half"], plane)
    assert "half" not in formats_of(plane)


def test_files_are_there_even_when_the_reader_of_standard_output_has_gone() -> None:
    class Gone(io.BytesIO):
        def write(self, data: object) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        write_outputs(parse_outputs(["json=a.json"]), make_evaluation(), ReportOptions(), Gone())
    assert files_here() == ["a.json"]


@pytest.mark.parametrize(("plane", "name"), [(plane, name) for plane in Plane for name in formats_of(plane)], ids=str)
def test_every_format_is_deterministic_and_ends_with_a_newline(plane: Plane, name: str) -> None:
    evaluation = every_kind_of_code_result() if plane is Plane.CODE else every_kind_of_live_result()
    first, second = ("".join(FORMATS[name].render(evaluation, ReportOptions())) for _ in range(2))
    assert first == second
    assert first.endswith("\n")


def test_canaries_are_found_in_every_disguise() -> None:
    canary = make_canary("search")
    assert len(canary.key_id) == 20
    assert len(canary.secret) == 40
    for form, needle in disguises(canary.secret).items():
        assert leaks([("out", b"before " + needle + b" after")], [canary]), form
    assert not leaks([("out", "nothing here")], [canary])


@pytest.mark.parametrize("prefix", ["", "x", "xy", "xyz"])
def test_canaries_are_found_inside_longer_base64(prefix: str) -> None:
    canary = make_canary("inside")
    encoded = base64.b64encode(f"{prefix}{canary.secret}, and more".encode())
    assert leaks([("out", encoded)], [canary])


def test_an_empty_search_is_not_a_clean_one() -> None:
    with pytest.raises(AssertionError, match="nothing was searched"):
        assert_no_leak([("out", "")], [make_canary("empty")])


def test_progress_is_told_and_ends_before_anything_is_printed() -> None:
    said: list[str] = []

    class Screen(io.BytesIO):
        def write(self, data: Any) -> int:
            said.append("printed")
            return super().write(data)

    outputs = parse_outputs(["text", "json=a.json"])
    write_outputs(outputs, every_kind_of_code_result(), ReportOptions(), Screen(), progress=said.append)
    assert said == ["", "printed"]


def test_what_is_held_back_for_standard_output_is_printed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs_module, "_BLOCK", 64)
    monkeypatch.setattr(outputs_module, "_IN_MEMORY", 200)
    stdout, evaluation = io.BytesIO(), every_kind_of_code_result()
    write_outputs(parse_outputs(["json"]), evaluation, ReportOptions(), stdout)
    assert stdout.getvalue().decode() == "".join(FORMATS["json"].render(evaluation, ReportOptions()))
