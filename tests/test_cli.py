"""The command line itself: bad input is one sentence and exit 2, exit codes mean what they say, output is whole."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scanning import PROJECT, run, scan, write
from severities import CRITICAL, HIGH, LOW, MEDIUM, SEVERITIES, SIXTY_DAYS

from keyrules.cli import main
from keyrules.code.scan import Scanned, ScanRequest
from keyrules.code.scan import scanned as evaluate


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a clean file, a key, and a copy of the pack."""
    write(tmp_path, {"clean/main.tf": 'resource "aws_vpc" "v" {}\n', "key/main.tf": LOW})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """Runs the command line in this process and returns its one sentence."""
    assert main(list(arguments)) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("keyrules: ") and err.endswith("\n") and err.count("\n") == 1
    assert "Traceback" not in err and err.rstrip("\n").isprintable()
    return err


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the pack, for tests that damage it and mend it again."""
    copy = tmp_path_factory.mktemp("pack")
    shutil.copytree(PROJECT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "rules", copy / "rules")
    return copy


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["scan", "absent"], "absent does not exist"),
            (["scan", "clean", "absent"], "absent does not exist"),
            (["scan", "clean/main.tf/below"], "cannot be read: Not a directory"),
            (["scan", "a\nb\x1b[31m\u202e\udcff"], r"a\nb\x1b[31m\u202e\xff does not exist"),
            (["scan", "n" * 300], "cannot be read: File name too long"),
            (["scan", ""], "one of the paths is empty"),
            (["scan", "/dev/null"], "neither a folder nor a file"),
            (["scan", "-", "-"], "can be given once"),
            (["scan", "--rule", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
            (["scan", "--rule", "key_aws_001"], "did you mean KEY_AWS_001?"),
            (["scan", "--rule", "KEY_AWS_001,KEY_AWS_003"], "There is no rule"),
            (["scan", "--skip-rule", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
            (
                ["audit", "--due-within", "99999999d", "-"],
                "'99999999d' is too long; write a number up to 999,999 with its unit",
            ),
            (["scan", "--rule", "KEY_AWS_001", "--skip-rule", "KEY_AWS_001"], "No rule is left"),
            (["scan", "--rule", "KEY_AWS_012"], "KEY_AWS_012 cannot be evaluated on code"),
            (["scan", "--set", "KEY_AWS_999.x=1"], "There is no rule 'KEY_AWS_999'"),
            (["scan", "--set", "KEY_AWS_001.days=1"], "it has: max_age_days, slots"),
            (
                ["scan", "--set", "KEY_AWS_001.max_age_days=soon"],
                "allowed: a whole number of days from 1 to 999,999,999",
            ),
            (["scan", "--set", "KEY_AWS_001.max_age_days=0"], "allowed: a whole number of days from 1 to 999,999,999"),
            (["scan", "--set", "KEY_AWS_001.max_age_days=-1"], "allowed: a whole number of days from 1 to 999,999,999"),
            (["scan", "--set", "KEY_AWS_001.max_age_days"], "not of the form"),
            (["scan", "--fail-on", "severe"], "use one of low, medium, high, critical"),
            (["scan", "--format", "yaml"], "yaml is not a format; use one of text, "),
            (["scan", "--format", "json="], "names no file"),
            (["scan", "--format", "json", "--format", "sarif"], "both go to standard output"),
            (["scan", "--format", "json=nowhere/x.json"], "the directory of nowhere/x.json does not exist"),
            (["scan", "--format", "json=clean"], "is a directory"),
            (["scan", "--as-of", "yesterday"], "'yesterday' is not a time"),
            (["scan", "--as-of", "2026-02-30"], "is not a time"),
            (["scan", "--as-of", "0001-01-01T00:00:00+23:00"], "is not a time"),
            (["scan", "--as-of", ""], "is not a time"),
            (["scan", "--as-of", "9999-12-31"], "no time from 1970 to 2199"),
            (["scan", "--as-of", "1969-12-31"], "no time from 1970 to 2199"),
            (["scan", "--timeout", "0"], "is no time to wait; give seconds, more than 0 and up to 86,400"),
            (["scan", "--timeout", "-1"], "is no time to wait; give seconds, more than 0 and up to 86,400"),
            (["scan", "--timeout", "nan"], "is no time to wait; give seconds, more than 0 and up to 86,400"),
            (["scan", "--timeout", "inf"], "is no time to wait; give seconds, more than 0 and up to 86,400"),
            (["scan", "--timeout", "1e30"], "is no time to wait; give seconds, more than 0 and up to 86,400"),
            (["scan", "--timeout", "soon"], "invalid float value"),
            (["scan", "--frobnicate"], "--frobnicate is no option of keyrules scan; see keyrules scan --help"),
            (["frobnicate"], "'frobnicate' is no command; use one of scan, audit, "),
            (["--frobnicate"], "--frobnicate is no option of keyrules; see keyrules --help"),
            (["-q", "scan"], "-q stands before the command; write it behind: keyrules scan -q"),
            (["scann"], "'scann' is no command; did you mean scan? use one of "),
            (["scan", "--formt=json"], "--formt is no option of keyrules scan; did you mean --format? see "),
            (["scan", "--format", "jsn"], "jsn is not a format; did you mean json? use one of "),
            (["scan", "--fail-on", "hgh"], "'hgh' is not a severity; did you mean high? use one of "),
            (["audit", "--group-by", "usr"], "did you mean user? use one of "),
            (["scan", "-o", "report.foo"], "report.foo does not say which format"),
            (["scan", "-f", "json", "-f", "sarif", "-o", "x.json"], "json and sarif cannot both go to x.json"),
            (["scan", "-o", "clean"], "clean does not say which format"),
            (["rules", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
            (["dirs", "more"], "'more' is one word too many for keyrules dirs"),
        ],
        ids=lambda value: (
            " ".join(value).encode("ascii", "backslashreplace").decode()[:60] if isinstance(value, list) else ""
        ),
    )
    def test_bad_input(self, code: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
        before = tree(code)
        assert says in refused(capfd, *arguments)
        assert tree(code) == before

    @pytest.mark.parametrize(
        ("short", "long"),
        [
            (["-q"], ["--quiet"]),
            (["-v"], ["--show-passing"]),
            (["-f", "json"], ["--format", "json"]),
            (["-o", "x.json"], ["--format", "json=x.json"]),
            (["-f", "junit", "-o", "x.json"], ["--format", "junit=x.json"]),
            (["-o", "x.sarif", "-f", "csv=x.csv"], ["--format", "sarif=x.sarif", "--format", "csv=x.csv"]),
        ],
        ids=" ".join,
    )
    def test_short_options(
        self, code: Path, capfd: pytest.CaptureFixture[str], short: list[str], long: list[str]
    ) -> None:
        said = []
        for options in (short, long):
            codes = main(["scan", *options, "--as-of", "2026-06-01", "key"])
            said.append((codes, capfd.readouterr().out, tree(code)))
        assert said[0] == said[1]

    def test_a_refused_run_writes_no_report(self, code: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (code / "old.json").write_text("old")
        before = tree(code)
        for wrong in (["absent"], ["--set", "KEY_AWS_001.x=1"], ["--format", "sarif=no/where.sarif"]):
            refused(capfd, "scan", "--format", "json=old.json", "--format", "csv=new.csv", *wrong)
        assert tree(code) == before

    @pytest.mark.parametrize("what", ["folder", "file"])
    def test_unreadable_by_permission(
        self, code: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        """The tests may run as root, to whom nothing is closed; so the answer of the system is made up."""
        path = "key" if what == "folder" else "key/main.tf"
        monkeypatch.setattr(os, "access", lambda name, mode, **_: str(name) != path)
        assert f"{path} is a {what} that cannot be read" in refused(capfd, "scan", path)

    def test_standard_input_that_is_no_plan(self, code: Path) -> None:
        for data in (b"", b"{}", b"\xff\xfe", LOW.encode(), b'{"version": 4, "lineage": "x", "serial": 1}'):
            done = run("scan", "-", cwd=code, stdin=data)
            assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
            assert "no plan in JSON" in done.stderr

    def run_copy(self, pack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "keyrules", *arguments],
            env={**os.environ, "PYTHONPATH": str(pack / "src")},
            cwd=pack,
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.parametrize(
        ("file", "change", "says"),
        [
            ("KEY_AWS_001.yaml", ("\nrationale:", "\nurgency: 1\nrationale:"), "urgency"),
            ("KEY_AWS_001.yaml", ("  severity: LOW", "  severity: SEVERE"), "SEVERE"),
            ("KEY_AWS_001.yaml", ("metadata:", "metadata: {"), "KEY_AWS_001.yaml"),
            ("retired.csv", ("id,", "name,"), "retired.csv"),
        ],
    )
    def test_a_damaged_rule_file(self, pack: Path, file: str, change: tuple[str, str], says: str) -> None:
        path = pack / "rules" / file
        version = self.run_copy(pack, "--version").stdout
        original = path.read_text(encoding="utf-8")
        assert change[0] in original
        path.write_text(original.replace(change[0], change[1], 1), encoding="utf-8")
        try:
            for command in (["scan", "rules"], ["rules"], ["dirs"]):
                done = self.run_copy(pack, *command)
                assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
                assert says in done.stderr and file in done.stderr
            # Its hash says that this is another pack.
            assert self.run_copy(pack, "--version").stdout not in ("", version)
        finally:
            path.write_text(original, encoding="utf-8")

    def test_a_retired_rule(self, pack: Path) -> None:
        path = pack / "rules/retired.csv"
        original = path.read_text(encoding="utf-8")
        path.write_text(original + "KEY_AWS_098,0.9.0,KEY_AWS_001,merged\n", encoding="utf-8")
        try:
            for command in (["scan", "--rule", "KEY_AWS_098", "rules"], ["rules", "KEY_AWS_098"]):
                done = self.run_copy(pack, *command)
                assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
                assert "retired in 0.9.0; use KEY_AWS_001" in done.stderr
        finally:
            path.write_text(original, encoding="utf-8")


class TestNothingToEvaluate:
    @pytest.mark.parametrize(
        ("files", "says"),
        [
            ({"readme.rst": "text", "x.bin": b"\0\1"}, "no Terraform, plan or CloudFormation file in ."),
            ({}, "no Terraform, plan or CloudFormation file in ."),
            ({"main.tf": 'resource "aws_vpc" "v" {}\n', "t.yaml": "a: 1\n"}, "nothing in . declares an access key"),
            ({"main.tf": ""}, "nothing in . declares an access key"),
        ],
    )
    def test_it_says_so(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        files: dict[str, str | bytes],
        says: str,
    ) -> None:
        monkeypatch.chdir(write(tmp_path, files))
        assert main(["scan"]) == 0
        out, err = capfd.readouterr()
        assert says in out and out.endswith("Nothing to evaluate.\n") and err == ""
        assert main(["scan", "--format", "json"]) == 0
        report = json.loads(capfd.readouterr().out)
        assert says in report["notes"][0]
        assert report["summary"]["evaluated"] == 0 and report["inputs"] == []

    def test_it_does_not_import_checkov(self, code: Path) -> None:
        script = (
            "import sys; from keyrules.cli import main; code = main(['scan', 'clean']); "
            "assert not any(name.split('.')[0] in ('checkov', 'boto3') for name in sys.modules); sys.exit(code)"
        )
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
        assert subprocess.run([sys.executable, "-c", script], cwd=code, env=environment, check=False).returncode == 0

    def test_what_is_given_in_place_of_a_plan_is_not_clean(self, tmp_path: Path) -> None:
        files = {
            "plan.tfplan": b"PK\x03\x04\x14\0\x08\0\x08\0tfplan",
            "state.json": b'{"version": 4, "terraform_version": "1.5.0", "serial": 3, "lineage": "x", "resources": []}',
            "log.json": b'{"@level":"info","@message":"Terraform 1.5.0"}\n{"@level":"info"}\n',
            "cut.json": b'{"format_version": "1.2", "terraform_version": "1.5.0", "planned_values": {',
            "latin1.json": b'{"format_version": "1.2", "planned_values": "\xff"}',
        }
        done = scan(write(tmp_path, files), paths=files)
        assert done.code == 3
        assert sorted(done.errors()) == sorted(files)


@pytest.fixture(scope="module")
def by_severity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("severities")
    return write(folder, {f"{s}/main.tf": t for s, t in zip(SEVERITIES, (LOW, MEDIUM, HIGH, CRITICAL), strict=True)})


RULE_OF = {"low": "KEY_AWS_001", "medium": "KEY_AWS_008", "high": "KEY_AWS_009", "critical": "KEY_AWS_005"}


@pytest.mark.parametrize("found", SEVERITIES)
def test_fail_on_at_each_boundary(by_severity: Path, monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    """One evaluation for each severity, held against each limit: `at or above` includes the limit itself."""
    kept: list[Scanned] = []

    def evaluated_once(request: ScanRequest) -> Scanned:
        if not kept:
            kept.append(evaluate(request))
        return kept[0]

    monkeypatch.setattr("keyrules.code.scan.scanned", evaluated_once)
    monkeypatch.chdir(by_severity)
    for limit in SEVERITIES:
        expected = 1 if SEVERITIES.index(found) >= SEVERITIES.index(limit) else 0
        for spelling in (limit, limit.upper()):
            assert main(["scan", "--quiet", "--rule", RULE_OF[found], "--fail-on", spelling, found]) == expected


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sixty"), {"main.tf": SIXTY_DAYS})


@pytest.mark.parametrize(("limits", "code", "status"), [([], 0, "PASS"), ([45, 60], 0, "PASS"), ([90, 59], 1, "FAIL")])
def test_set_moves_the_boundary_and_the_last_one_wins(sixty: Path, limits: list[int], code: int, status: str) -> None:
    settings = [word for limit in limits for word in ("--set", f"KEY_AWS_001.max_age_days={limit}")]
    done = scan(sixty, "--rule", "KEY_AWS_001", *settings)
    assert (done.code, done.status("KEY_AWS_001", "aws_iam_access_key.k")) == (code, status)


class TestSelection:
    def test_rule_evaluates_nothing_else(self, by_severity: Path) -> None:
        done = scan(by_severity, "--rule", "KEY_AWS_005", "--rule", "KEY_AWS_009")
        assert {f["rule"] for f in done.findings()} == {"KEY_AWS_005", "KEY_AWS_009"}

    def test_skip_rule_leaves_out(self, by_severity: Path) -> None:
        done = scan(by_severity, "--skip-rule", "KEY_AWS_001", "--skip-rule", "KEY_AWS_005")
        assert {"KEY_AWS_001", "KEY_AWS_005"}.isdisjoint(f["rule"] for f in done.findings())
        assert {"KEY_AWS_008", "KEY_AWS_009"} <= {f["rule"] for f in done.findings()}

    def test_an_opt_in_rule_runs_only_when_named(self, by_severity: Path) -> None:
        assert not scan(by_severity).findings("KEY_AWS_007")
        named = scan(by_severity, "--rule", "KEY_AWS_007")
        assert len(named.findings("KEY_AWS_007")) == len(SEVERITIES) and named.code == 1


def test_a_failure_that_nobody_foresaw_is_not_findings(
    code: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: ScanRequest) -> Scanned:
        raise KeyError("what was read")

    monkeypatch.setattr("keyrules.code.scan.scanned", fail)
    err = refused(capfd, "scan", "key", code=3)
    assert "KeyError" in err and "what was read" not in err
