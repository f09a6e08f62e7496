"""How far a configuration goes that was found by itself: attacks by somebody who can change what is scanned."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from canaries import assert_no_leak, make_canary
from evaluations import every_kind_of_code_result, every_kind_of_live_result
from scanning import write
from severities import LOW

from keyrules.cli import main
from keyrules.model import Counts, EvaluationError, Plane
from keyrules.records import replace
from keyrules.reports.report_formats import FORMATS
from keyrules.reports.text_style import ReportOptions
from keyrules.run.configuration.boundary import _is_report, find_configuration

FILE = ".keyrules.yaml"
EXCEPTIONS = ".keyrules-exceptions.yaml"
ENTRY = """\
exceptions:
  - rule: KEY_AWS_001
    subject: aws_iam_access_key.*
    reason: none
    owner: nobody
    expires: 2026-06-30
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a finding, which is the working directory, beside files of somebody else's."""
    write(tmp_path, {"checkout/.git/config": "[core]\n", "checkout/main.tf": LOW, "outside/x": "theirs\n"})
    monkeypatch.chdir(tmp_path / "checkout")
    return tmp_path / "checkout"


def scan(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a scan for one rule."""
    code = main(["scan", "--as-of", "2026-06-01", *arguments])
    out, err = capfd.readouterr()
    return code, out, err


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the file, or the link, that of another user, who is not root."""
    if os.geteuid() == 0:
        os.chown(path, 4242, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


class TestWriting:
    @pytest.mark.parametrize(
        ("target", "why"),
        [
            ("../outside/new.txt", "lies outside"),
            ("../outside/x", "lies outside"),
            ("{outside}/new.txt", "lies outside"),
            ("sub/../../outside/new.txt", "lies outside"),
            (".git/config", "lies in a `.git` folder"),
            (".git/new", "lies in a `.git` folder"),
            ("sub/.git/new", "lies in a `.git` folder"),
            ("sub/.GIT/new", "lies in a `.git` folder"),
            ("link/new.txt", "symbolic link"),
            ("link/../new.txt", "symbolic link"),
            ("inner/new.txt", "symbolic link"),
            ("file-link", "symbolic link"),
            ("dangling", "symbolic link"),
            ("README.md", "exists and is no earlier text report"),
            ("main.tf", "exists and is no earlier text report"),
            ("sub", "exists and is no earlier text report"),
            ("pipe", "exists and is no earlier text report"),
            ("new/", "a folder"),
            ("sub/", "a folder"),
        ],
    )
    def test_what_it_may_not(self, repository: Path, capfd: pytest.CaptureFixture[str], target: str, why: str) -> None:
        write(repository, {"README.md": "Theirs.\n", "sub/.git/x": "", "sub/.GIT/x": ""})
        outside = repository.parent / "outside"
        (repository / "link").symlink_to(outside)
        (repository / "inner").symlink_to(repository / "sub")
        (repository / "file-link").symlink_to(outside / "x")
        (repository / "dangling").symlink_to(outside / "new.txt")
        os.mkfifo(repository / "pipe")
        write(repository, {FILE: f"format: ['text={target.format(outside=outside)}']\n"})
        before = tree(repository.parent)
        code, out, err = scan(capfd)
        assert (code, out) == (2, "") and why in err and f"{FILE}:1: `format`" in err
        assert tree(repository.parent) == before

    def test_new_files_and_earlier_reports(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(repository, {"reports/x": "", FILE: "format: [json, text=reports/a.txt, sarif=b.sarif, junit=c.xml]\n"})
        (repository / "empty").touch()
        assert scan(capfd)[0] == 1
        first = (repository / "b.sarif").stat().st_ino
        assert scan(capfd)[0] == 1
        assert (repository / "b.sarif").stat().st_ino != first

    def test_a_link_above_the_folder_is_nobody_s_business(
        self, repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A working directory is often reached by a link, as /tmp is on macOS."""
        write(repository, {FILE: "format: [text=a.txt]\n"})
        (repository.parent / "alias").symlink_to(repository)
        monkeypatch.setenv("PWD", str(repository.parent / "alias"))
        monkeypatch.chdir(repository.parent / "alias")
        assert scan(capfd)[0] == 1
        assert (repository / "a.txt").is_file()

    def test_a_person_s_word_goes_further(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(repository, {FILE: "format: [text=../outside/x]\n"})
        assert scan(capfd, "--config", FILE)[0] == 1
        assert (repository.parent / "outside/x").read_text().endswith("passed\n")

    def test_what_the_command_line_says_is_a_person_s_word(
        self, repository: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        write(repository, {FILE: "fail_on: low\n"})
        assert scan(capfd, "--format", "text=../outside/x")[0] == 1


class TestReading:
    @pytest.mark.parametrize("key", ["exceptions", "scan: {baseline"])
    @pytest.mark.parametrize("target", ["../outside/secret", "{outside}/secret", "link/secret", "file-link"])
    def test_only_below_its_folder_and_never_quoted(
        self, repository: Path, capfd: pytest.CaptureFixture[str], key: str, target: str
    ) -> None:
        canary = make_canary("outside")
        outside = repository.parent / "outside"
        write(outside, {"secret": f"{canary.secret}: x\nroot: y\n"})
        (repository / "link").symlink_to(outside)
        (repository / "file-link").symlink_to(outside / "secret")
        text = f"{key}: '{target.format(outside=outside)}'" + ("}\n" if "{" in key else "\n")
        write(repository, {FILE: text})
        code, out, err = scan(capfd)
        assert (code, out) == (2, "") and "lies outside of the configuration's folder" in err
        assert_no_leak([("standard error", err)], [canary])

    @pytest.mark.parametrize("name", [FILE, EXCEPTIONS])
    def test_not_through_a_link_that_was_committed(
        self, repository: Path, capfd: pytest.CaptureFixture[str], name: str
    ) -> None:
        canary = make_canary("linked")
        write(repository.parent, {"outside/secret": f"{canary.secret}: x\n"})
        (repository / name).symlink_to("../outside/secret")
        code, _, err = scan(capfd)
        assert code == 2 and "lies outside" in err
        assert_no_leak([("standard error", err)], [canary])

    def test_a_link_within_the_folder(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(repository, {"ci/keyrules.yaml": "fail_on: critical\n"})
        (repository / FILE).symlink_to("ci/keyrules.yaml")
        assert scan(capfd)[0] == 0

    @pytest.mark.parametrize("option", ["--config", "--exceptions"])
    def test_a_file_of_another_kind_is_not_quoted(
        self, repository: Path, capfd: pytest.CaptureFixture[str], option: str
    ) -> None:
        texts = ["hunter2: x\n", "a: 1\nhunter2: 1\nhunter2: 2\n", f"{'hunter2' * 9}: 1\n{'hunter2' * 9}: 1\n"]
        for text in [texts[0], texts[2]]:
            write(repository, {"theirs": text})
            code, _, err = scan(capfd, option, "theirs")
            assert code == 2 and "hunter2" not in err


class TestOwner:
    @pytest.mark.parametrize("name", [FILE, EXCEPTIONS])
    @pytest.mark.parametrize("link", [False, True])
    def test_another_user_s_file_is_not_obeyed(
        self,
        repository: Path,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        link: bool,
    ) -> None:
        content = "fail_on: critical\n" if name == FILE else ENTRY
        write(repository, {"own.yaml": content})
        if link:
            (repository / name).symlink_to("own.yaml")
        else:
            write(repository, {name: content})
        assert scan(capfd, "--rule", "KEY_AWS_001")[0] == 0
        give_away(repository / name, monkeypatch)
        code, out, err = scan(capfd, "--rule", "KEY_AWS_001")
        option = "--config" if name == FILE else "--exceptions"
        assert (code, out) == (2, "") and "belongs to another user" in err and option in err
        assert scan(capfd, "--rule", "KEY_AWS_001", option, name)[0] == 0

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_root_s_file_is_obeyed(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(repository, {FILE: "fail_on: critical\n"})
        monkeypatch.setattr(os, "geteuid", lambda: 4242)
        assert find_configuration().path == repository / FILE


class TestWhereItIsLookedFor:
    def test_not_above_the_repository(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(repository.parent, {FILE: "fail_on: critical\n"})
        assert scan(capfd)[0] == 1

    def test_not_above_the_working_directory_without_a_repository(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        write(tmp_path, {FILE: "fail_on: critical\n", "work/main.tf": LOW})
        monkeypatch.chdir(tmp_path / "work")
        assert scan(capfd)[0] == 1
        monkeypatch.chdir(tmp_path)
        assert scan(capfd)[0] == 0

    def test_the_nearest_to_the_scanned_folder(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(repository, {"infra/main.tf": LOW, f"infra/{FILE}": "fail_on: critical\n", "app/main.tf": LOW})
        code, out, _ = scan(capfd, "infra")
        assert code == 0 and f"configuration infra/{FILE}: fails from critical on" in out
        assert scan(capfd, "app")[0] == 1
        write(repository, {FILE: "fail_on: critical\n", f"infra/{FILE}": "fail_on: low\n"})
        assert scan(capfd, "app")[0] == 0
        assert scan(capfd, "infra")[0] == 1

    @pytest.mark.parametrize("paths", [["infra", "app"], ["infra/main.tf"], ["infra", "app/main.tf"]])
    def test_a_nearer_one_that_is_not_used_is_named(
        self, repository: Path, capfd: pytest.CaptureFixture[str], paths: list[str]
    ) -> None:
        """Which files a commit touches must not decide on its rules."""
        write(repository, {"infra/main.tf": LOW, f"infra/{FILE}": "fail_on: critical\n", "app/main.tf": LOW})
        code, out, _ = scan(capfd, *paths)
        assert code == 1 and f"infra/{FILE} is not used, no configuration is" in " ".join(out.split())

    def test_a_checkout_elsewhere_does_not_rule_the_run(
        self, repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(repository, {FILE: "fail_on: critical\n"})
        monkeypatch.chdir(repository.parent / "outside")
        code, out, _ = scan(capfd, "../checkout")
        assert code == 1 and f"../checkout/{FILE} is not used" in " ".join(out.split())

    @pytest.mark.parametrize("scanned", ["checkout", "checkout/infra", "."])
    def test_a_checkout_below_does_not_rule_the_run(
        self, repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, scanned: str
    ) -> None:
        """Neither where the working directory is in no repository, nor where it is in another one."""
        write(repository, {FILE: "fail_on: critical\n", "infra/main.tf": LOW, f"infra/{FILE}": "fail_on: critical\n"})
        monkeypatch.chdir(repository.parent)
        assert scan(capfd, scanned)[0] == 1
        write(repository.parent, {".git/config": "[core]\n"})
        assert scan(capfd, scanned)[0] == 1

    def test_nothing_to_evaluate_says_so_too(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(repository, {"app/main.tf": "locals {}\n", f"app/{FILE}": "{}"})
        code, out, _ = scan(capfd, "app/main.tf")
        assert code == 0 and f"app/{FILE} is not used" in out


class TestWhatTheReportSays:
    def test_what_was_loosened(self, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(
            repository,
            {
                FILE: "rules: {KEY_AWS_008: off, KEY_AWS_001: {max_age_days: 3650}}\nfail_on: critical\n"
                "exclude: [examples/, '*.txt']\n",
                EXCEPTIONS: ENTRY,
                "examples/a/main.tf": LOW,
                "examples/b/main.tf": LOW,
                "notes.txt": "x",
            },
        )
        code, out, _ = scan(capfd)
        line = " ".join(out.split())
        assert code == 0
        assert (
            f"configuration {FILE}: 1 rule (KEY_AWS_008) off, 1 threshold (KEY_AWS_001.max_age_days=3650, default 90) "
            f"changed, fails from critical on, 2 files or folders excluded, 1 finding exempt by {EXCEPTIONS}" in line
        )

    @pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "{}\n"])
    def test_an_empty_file_is_the_defaults(
        self, repository: Path, capfd: pytest.CaptureFixture[str], text: str
    ) -> None:
        without = scan(capfd)
        write(repository, {FILE: text})
        code, out, err = scan(capfd)
        note = f"Note: configuration {FILE}: nothing excluded, switched off or loosened\n\n"
        assert (code, out.replace(note, ""), err) == without and note in out

    def test_what_the_command_line_says_is_not_the_file_s(
        self, repository: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        write(repository, {FILE: "fail_on: critical\n", "a.txt": ""})
        arguments = ["--fail-on", "high", "--skip-rule", "KEY_AWS_008", "--exclude", "a.txt"]
        _, out, _ = scan(capfd, *arguments)
        assert "nothing excluded, switched off or loosened" in out


class TestEarlierReports:
    @pytest.mark.parametrize("form", FORMATS)
    @pytest.mark.parametrize("plane", Plane)
    def test_a_report_is_known_by_its_format(self, tmp_path: Path, form: str, plane: Plane) -> None:
        if FORMATS[form].module(plane) is None:
            pytest.skip("it has no such report")
        error = EvaluationError("x", "unreadable", "Cannot be read")
        full = {Plane.CODE: every_kind_of_code_result, Plane.LIVE: every_kind_of_live_result}[plane]()
        for evaluation in (
            full,
            replace(full, findings=(), inputs=(), notes=(), errors=(), counts=Counts()),
            replace(full, errors=(error,)),
        ):
            quiet = "".join(FORMATS[form].render(evaluation, ReportOptions(quiet=True)))
            assert _is_report(form, str(write(tmp_path, {"quiet": quiet}) / "quiet")), quiet
            text = "".join(FORMATS[form].render(evaluation, ReportOptions()))
            path = write(tmp_path, {"report": text}) / "report"
            assert _is_report(form, str(path)), text
            others = {other for other in FORMATS if _is_report(other, str(path))} - {form}
            assert others <= {"gitlab-codequality", "ocsf", "asff"} and (not others or text.strip() in ("[]", ""))

    @pytest.mark.parametrize("form", FORMATS)
    @pytest.mark.parametrize(
        "text",
        ["x", "\n", "{}", "[1]", "# keyrules\n", "export PATH=/bin\n", "<html>", "a,b\n", '{"schema": "other/1"}'],
    )
    def test_other_files_are_none(self, tmp_path: Path, form: str, text: str) -> None:
        path = write(tmp_path, {"file": text}) / "file"
        assert not _is_report(form, str(path))

    @pytest.mark.parametrize("form", FORMATS)
    def test_telling_takes_no_time(self, tmp_path: Path, form: str) -> None:
        choice = random.Random(3)
        words: Sequence[str] = ("1 checks: 1 failed", '{"$schema": "sarif', "::error ", '"driver": {', "\n", " ", "[{")
        for _ in range(5):
            text = "".join(choice.choice(words) for _ in range(20_000))
            path = write(tmp_path, {"file": text}) / "file"
            start = os.times().user
            _is_report(form, str(path))
            assert os.times().user - start < 2


def tree(folder: Path) -> dict[str, bytes]:
    """All that lies below a folder."""
    return {
        str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for path in sorted(folder.rglob("*"))
    }


def test_reports_are_private_until_they_are_whole(
    repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    replaced = Path.chmod

    def chmod(path: Path, mode: int) -> None:
        modes.append(stat.S_IMODE(path.stat().st_mode))
        replaced(path, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    write(repository, {"old.json": ""})
    os.chmod(repository / "old.json", 0o640)  # noqa: PTH101  Path.chmod is watched
    assert scan(capfd, "--format", "json=old.json", "--format", "csv=new.csv")[0] == 1
    assert modes == [0o600, 0o600]
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE((repository / "new.csv").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((repository / "old.json").stat().st_mode) == 0o640
