"""Which files a scan reads: odd encodings, sizes, links and permissions never make a key disappear."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from scanned_sources import KEY, ROTATION, TEMPLATE
from scanning import FIXTURES, PROJECT, Scanned, scan, write

from keyrules.cli import main
from keyrules.code import processes
from keyrules.code import scan as scanning_module
from keyrules.code.discovery import discover
from keyrules.code.file_walk import MAX_FILE_BYTES

PLAN = FIXTURES / "KEY_AWS_001/terraform_plan/existing_keys.json"


def places(scanned: Scanned, rule: str = ROTATION) -> dict[tuple[str, str], str]:
    """Status by path and address; every finding of the rule must have its own place."""
    found = [(f["location"]["path"], f["location"]["address"], f["status"]) for f in scanned.findings(rule)]
    assert len({(path, address) for path, address, _ in found}) == len(found)
    return {(path, address): status for path, address, status in found}


def paths(scanned: Scanned) -> set[str]:
    return {f["location"]["path"] for f in scanned.findings()}


class TestWhatIsRead:
    def test_hidden_folders_and_tool_folders(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{name}/main.tf": KEY for name in (".infra", "a/.b", ".terraform", "node_modules", ".git/x")})
        done = scan(tmp_path, "--rule", ROTATION, "--rule", "KEY_AWS_005")
        assert paths(done) == {".infra/main.tf", "a/.b/main.tf"}
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}
        assert paths(scan(tmp_path, paths=[".terraform"])) == {".terraform/main.tf"}

    def test_what_is_passed_over_is_said_where_nothing_is_found(self, tmp_path: Path) -> None:
        write(
            tmp_path, {f"{name}/main.tf": KEY for name in ("a/node_modules/x", "node_modules", ".terragrunt-cache/y")}
        )
        said = "folders that tools fill were not looked at: .terragrunt-cache, node_modules"
        assert scan(tmp_path).report["notes"] == [f"no Terraform, plan or CloudFormation file in .; {said}"]
        write(tmp_path, {"main.tf": "locals {}\n", ".git/config": "x"})
        assert scan(tmp_path).report["notes"] == [f"nothing in . declares an access key or holds one; {said}"]

    def test_encodings_sizes_and_damage(self, tmp_path: Path) -> None:
        """Each of these declares a key, or may; none may be taken for clean."""
        t_json = '{"Resources": {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "svc"}}}}'
        write(
            tmp_path,
            {
                "utf16/main.tf": KEY.encode("utf-16"),
                "bom/main.tf": b"\xef\xbb\xbf" + KEY.encode(),
                "crlf/main.tf": KEY.replace("\n", "\r\n"),
                "nul/main.tf": f"# a comment with \0 in it\n{KEY}",
                "latin1/main.tf": KEY.encode() + b"# \xe4\n",
                "t_utf16.yaml": TEMPLATE.encode("utf-16"),
                "t_utf16be.json": t_json.encode("utf-16-be"),
                "t_nul.yaml": f"# a comment with \0 in it\n{TEMPLATE}",
                "t_escape.json": r'{"Resources": {"K": {"Type": "AWS::IAM::Access\u004bey", "Properties": {}}}}',
                "t_fold.yaml": TEMPLATE.replace("AWS::IAM::AccessKey", '"AWS::IAM::\\\n      AccessKey"'),
                "empty/main.tf": b"",
                "empty.yaml": b"",
                "binary.json": bytes(range(256)) * 8,
                "random": random.Random(1).randbytes(4096),
            },
        )
        done = scan(tmp_path, "--rule", ROTATION)
        judged = {path.split("/")[0]: status for (path, _), status in places(done).items()}
        problems = {path.split("/")[0] for path in done.errors()}
        assert {name: judged.get(name) for name in ("bom", "crlf", "t_utf16.yaml", "t_escape.json", "t_fold.yaml")} == (
            dict.fromkeys(("bom", "crlf", "t_utf16.yaml", "t_escape.json", "t_fold.yaml"), "FAIL")
        )
        for name in ("utf16", "nul", "latin1", "t_utf16be.json", "t_nul.yaml"):
            assert judged.get(name) in ("FAIL", "UNKNOWN") or name in problems, name
        assert not problems & {"empty", "empty.yaml", "binary.json", "random"}
        assert done.code == 3

    def test_files_that_are_too_large(self, tmp_path: Path) -> None:
        for name, head in (("huge.tf", b""), ("huge.json", b"{"), ("huge.bin.json", b"\0\1"), ("huge", b"\x7fELF\0")):
            with (tmp_path / name).open("wb") as file:
                file.write(head)
                file.truncate(0)
                file.write(head or b"#")
                file.seek(2000)
                file.truncate(MAX_FILE_BYTES + 1)
        # A hole reads as NULs, so the text has to be text where it is looked at.
        for name in ("huge.tf", "huge.json"):
            with (tmp_path / name).open("r+b") as file:
                file.write(b"# text\n" * 200)
        done = scan(tmp_path)
        assert done.code == 3
        assert sorted(done.errors()) == ["huge.json", "huge.tf"]
        assert all("larger than 64 MiB" in message for message in done.errors().values())

    def test_links(self, tmp_path: Path) -> None:
        write(tmp_path / "real", {"main.tf": KEY})
        repo = tmp_path / "repo"
        (repo / "linked").mkdir(parents=True)
        (repo / "linked/main.tf").symlink_to("../../real/main.tf")
        (repo / "folder").symlink_to(tmp_path / "real")
        (repo / "loop").symlink_to("loop")
        (repo / "gone.yaml").symlink_to("nowhere.yaml")
        (repo / ".#main.tf").symlink_to("user@host.1234")
        (repo / "plan.json").symlink_to(PLAN)
        (repo / "t.yaml").symlink_to(write(tmp_path / "real", {"original.yaml": TEMPLATE}) / "original.yaml")
        done = scan(repo)
        assert paths(done) == {"folder/main.tf", "linked/main.tf", "plan.json", "t.yaml"} and done.errors() == {}
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}
        assert paths(scan(repo, "--rule", ROTATION, paths=["folder"])) == {"folder/main.tf", "folder/original.yaml"}
        # Terraform refuses a module with a source file that leads nowhere.
        (repo / "linked/gone.tf").symlink_to("nowhere.tf")
        done = scan(repo, "--rule", ROTATION)
        assert done.code == 3 and list(done.errors()) == ["linked/gone.tf"]

    def test_parent_of_a_link(self, tmp_path: Path) -> None:
        """`link/..` is the parent of what the link points to, as for every other program."""
        write(tmp_path, {"a/inner/main.tf": "", "a/main.tf": KEY, "b/main.tf": ""})
        (tmp_path / "b/link").symlink_to("../a/inner")
        done = scan(tmp_path / "b", "--rule", ROTATION, paths=["link/.."])
        assert [path.rsplit("/", 2)[-2:] for path in paths(done)] == [["a", "main.tf"]]

    def test_what_permissions_close_is_named(self, tmp_path: Path) -> None:
        """As root without the capabilities that open every file, or as who runs the tests."""
        write(tmp_path, {f"{name}/main.tf": KEY for name in ("file", "unlisted", "unentered", "open")})
        write(tmp_path, {"env/.env": "AWS_SECRET_ACCESS_KEY=x\n", "data/picture.png": b"x"})
        closed = {"file/main.tf": 0, "unlisted": 0o311, "unentered": 0o644, "env/.env": 0, "data": 0o644}
        for name, mode in closed.items():
            (tmp_path / name).chmod(mode)
        try:
            done = unprivileged("scan", "--format", "json", cwd=tmp_path)
        finally:
            for name in closed:
                (tmp_path / name).chmod(0o755)
        assert done.returncode == 3, done.stderr
        report = json.loads(done.stdout)
        assert {e["input"] for e in report["errors"]} == {"file/main.tf", "unlisted", "unentered/main.tf", "env/.env"}
        assert {f["location"]["path"] for f in report["findings"]} == {"open/main.tf"}

    @pytest.mark.parametrize("what", ["folder", "folder/main.tf"])
    def test_a_closed_path_on_the_command_line(self, tmp_path: Path, what: str) -> None:
        write(tmp_path, {"folder/main.tf": KEY})
        (tmp_path / what).chmod(0)
        try:
            done = unprivileged("scan", what, cwd=tmp_path)
        finally:
            (tmp_path / what).chmod(0o755)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert f"{what} is a f" in done.stderr and "cannot be read" in done.stderr


def unprivileged(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`keyrules ARGUMENTS` without CAP_DAC_OVERRIDE (1) and CAP_DAC_READ_SEARCH (2), which root's children inherit
    through the bounding set (PR_CAPBSET_DROP, 24; prctl(2))."""
    script = (
        "import ctypes, os, sys\n"
        "libc = ctypes.CDLL(None)\n"
        "[libc.prctl(24, capability, 0, 0, 0) for capability in (1, 2)]\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'keyrules', *sys.argv[1:]])\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


class TestOrder:
    @pytest.fixture(scope="class")
    @classmethod
    def files(cls) -> dict[str, bytes]:
        kept = [
            p for p in FIXTURES.rglob("*") if p.is_file() and ("KEY_AWS_010" in p.parts or "KEY_AWS_011" in p.parts)
        ]
        return {str(p.relative_to(FIXTURES)): p.read_bytes() for p in sorted(kept)}

    def test_two_runs_and_two_orders_of_creation_give_the_same_bytes(
        self, tmp_path: Path, files: dict[str, bytes]
    ) -> None:
        names = list(files)
        outputs = set()
        for number in range(2):
            folder = write(tmp_path / str(number), {name: files[name] for name in names})
            outputs.add(scan(folder, env={"PYTHONHASHSEED": str(number)}).stdout)
            names.reverse()
        assert len(outputs) == 1

    def test_the_order_of_the_arguments_does_not_matter(self, tmp_path: Path, files: dict[str, bytes]) -> None:
        folder = write(tmp_path, files)
        names = sorted(files)[:12]
        first = scan(folder, paths=names)
        assert first.findings() and first.stdout == scan(folder, paths=reversed(names)).stdout

    def test_the_order_of_a_listing_does_not_matter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]
    ) -> None:
        folder = write(tmp_path, files)
        straight = discover([folder], folder)
        listed = os.scandir

        @contextmanager
        def shuffled(top: str) -> Iterator[list[os.DirEntry[str]]]:
            with listed(top) as entries:
                yield sorted(entries, key=lambda entry: entry.name, reverse=True)

        monkeypatch.setattr("keyrules.code.file_walk.os.scandir", shuffled)
        turned = discover([folder], folder)
        assert (turned.units, turned.texts) == (straight.units, straight.texts)
        assert straight.units and straight.texts


@pytest.mark.parametrize("seen", [0, 1])
def test_a_module_that_the_worker_says_nothing_of_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], seen: int
) -> None:
    """Whatever makes it end early: a module without an outcome is never taken for clean."""
    key = 'resource "aws_iam_access_key" "k" {\n  user = "u"\n}\n'
    write(tmp_path, {"a/main.tf": key, "b/main.tf": key})
    whole = processes.in_processes
    monkeypatch.setattr(scanning_module, "in_processes", lambda *given: islice(whole(*given), seen))
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "--format", "json"]) == 3
    errors = [(each["input"], each["kind"]) for each in json.loads(capfd.readouterr().out)["errors"]]
    assert len(errors) == 2 - seen
    assert {kind for _, kind in errors} <= {"crash"}
