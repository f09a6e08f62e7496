"""The reports that a run over an organisation keeps, and the run that goes on from them."""

from __future__ import annotations

import base64
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fake_aws import CALLER, FakeAws, serving
from fake_documents import PASSING
from live_accounts import environment
from organization_runs import ONE, ORGANIZATION, THREE, TWO, Runs, csv, errors, inputs

from keyrules.commands import audit
from keyrules.live.around.documents import DOCUMENTS
from keyrules.live.kept_reports import KeptDocument, KeptReports
from keyrules.model import UsageError


def _make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


class TestKeptReports:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "kept"

    def test_they_are_kept_as_the_cli_prints_them_and_privately(self, folder: Path, run: Runs) -> None:
        assert run(*ORGANIZATION, "--keep-reports", str(folder))[0] == 0
        assert folder.stat().st_mode & 0o777 == 0o700
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted([*(f"{n}.json" for n in (ONE, TWO, THREE, CALLER)), ONE, TWO, THREE, CALLER])
        assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.json")} == {0o600}
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_dir()} == {0o700}
        document = json.loads((folder / f"{ONE}.json").read_text())
        assert list(document) == ["Content", "ReportFormat", "GeneratedTime"]
        assert document["GeneratedTime"] == "2026-06-01T00:00:00+00:00"
        code, document = run(str(folder))
        assert (code, inputs(document)) == (0, [ONE, TWO, THREE, CALLER])

    def test_only_what_is_missing_is_asked_for_again(self, folder: Path, fake: FakeAws, run: Runs) -> None:
        fake.accounts[TWO].role = None
        assert run(*ORGANIZATION, "--keep-reports", str(folder))[0] == 3
        fake.accounts[TWO].role = "audit"
        fake.calls.clear()
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder), "--retry-failed")
        assert (code, inputs(document)) == (0, [ONE, TWO, THREE, CALLER])
        assert {number for number, action in fake.calls if action == "GetCredentialReport"} == {TWO}

    def test_account_documents_are_kept_and_judged_alike(self, folder: Path, fake: FakeAws, run: Runs) -> None:
        virtual = {"SerialNumber": f"arn:aws:iam::{ONE}:mfa/x", "Base32StringSeed": "c2VjcmV0", "QRCodePNG": "aW1hZ2U="}
        fake.accounts[ONE].documents = {
            "ListVirtualMFADevices": {"VirtualMFADevices": [virtual]},
            "GetAccountPasswordPolicy": {"PasswordPolicy": {"MinimumPasswordLength": 8}},
        }
        fake.accounts[TWO].errors["GetAccountPasswordPolicy"] = ["NoSuchEntity"]
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder))
        kept = {path.stem for path in (folder / ONE).iterdir()}
        assert kept == {each.command for each in DOCUMENTS}
        assert not [path for path in folder.rglob("*") if path.is_file() and b"c2VjcmV0" in path.read_bytes()]
        again, offline = run(str(folder))
        assert (code, again) == (1, 1)
        assert [f["fingerprint"] for f in offline["findings"]] == [f["fingerprint"] for f in document["findings"]]

    def test_only_the_documents_that_are_missing_are_asked_for_again(
        self, folder: Path, fake: FakeAws, run: Runs
    ) -> None:
        fake.accounts[TWO].denied["ListServerCertificates"] = ""
        assert run(*ORGANIZATION, "--keep-reports", str(folder))[0] == 3
        assert not (folder / TWO / "list-server-certificates.json").exists()
        fake.accounts[TWO].denied.clear()
        fake.calls.clear()
        assert run(*ORGANIZATION, "--keep-reports", str(folder), "--retry-failed")[0] == 0
        assert [call for call in fake.calls if call[1] in PASSING] == [(TWO, "ListServerCertificates")]

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda kept: kept.write_text('{"PasswordPolicy'), "is cut off"),
            (lambda kept: kept.write_text("{}"), "without PasswordPolicy"),
            (lambda kept: kept.write_text("[]"), "has no answer in it"),
            (lambda kept: (kept.unlink(), kept.symlink_to("/etc/passwd")), "cannot be read"),
        ],
    )
    def test_a_kept_document_that_is_wrong_is_one_error(
        self, folder: Path, run: Runs, spoil: Callable[[Path], object], words: str
    ) -> None:
        run(*ORGANIZATION, "--keep-reports", str(folder))
        spoil(folder / TWO / "get-account-password-policy.json")
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder), "--retry-failed")
        ((name, message),) = errors(document).items()
        assert (code, name) == (3, (folder / TWO / "get-account-password-policy.json").as_posix())
        assert words in message

    def test_a_disk_that_fills_costs_the_documents_and_not_the_verdicts(
        self, folder: Path, fake: FakeAws, run: Runs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(self: KeptDocument, content: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(KeptDocument, "write", full)
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder))
        assert code == 3
        assert {message.partition(" could not be kept: ")[2] for message in errors(document).values()} == {
            "No space left on device."
        }
        assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(folder.glob("*.json"))

    def test_reports_of_an_earlier_run_are_not_mixed_with_new_ones(self, folder: Path, run: Runs) -> None:
        run(*ORGANIZATION, "--keep-reports", str(folder))
        with pytest.raises(UsageError, match="--retry-failed"):
            run(*ORGANIZATION, "--keep-reports", str(folder))

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (
                lambda kept: kept.with_name(f"{ONE}.json").replace(kept),
                f"of account {ONE} and not the report of account {TWO}",
            ),
            (lambda kept: kept.write_text("{"), "truncated"),
            (lambda kept: kept.write_text(""), "is empty"),
            (lambda kept: (kept.unlink(), kept.symlink_to("/etc/passwd")), "cannot be read"),
            (_make_pipe, "it is no file"),
            (lambda kept: (kept.unlink(), kept.mkdir()), "cannot be read"),
        ],
    )
    def test_a_kept_report_that_is_wrong_is_one_error(
        self, folder: Path, run: Runs, spoil: Callable[[Path], object], words: str
    ) -> None:
        run(*ORGANIZATION, "--keep-reports", str(folder))
        spoil(folder / f"{TWO}.json")
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder), "--retry-failed")
        assert code == 3
        (message,) = errors(document).values()
        assert words in message
        assert {ONE, THREE, CALLER} <= set(inputs(document))

    @pytest.mark.parametrize("options", [(), ("--verify",)])
    def test_nothing_is_said_of_the_account_whose_report_it_is(
        self, folder: Path, fake: FakeAws, run: Runs, options: tuple[str, ...]
    ) -> None:
        run(*ORGANIZATION, "--keep-reports", str(folder))
        kept, other = json.loads((folder / f"{TWO}.json").read_text()), csv("555555555555")
        (folder / f"{TWO}.json").write_text(json.dumps({**kept, "Content": base64.b64encode(other).decode()}))
        fake.calls.clear()
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder), "--retry-failed", *options)
        assert (code, document["findings"]) == (3, [])
        assert "ListAccessKeys" not in {action for _, action in fake.calls}

    @pytest.mark.parametrize("wrong", [b"", csv("555555555555")])
    def test_what_is_not_the_accounts_report_is_asked_for_again(
        self, folder: Path, fake: FakeAws, run: Runs, wrong: bytes
    ) -> None:
        right, fake.accounts[TWO].report = fake.accounts[TWO].report, wrong
        assert run(*ORGANIZATION, "--keep-reports", str(folder))[0] == 3
        fake.accounts[TWO].report = right
        assert run(*ORGANIZATION, "--keep-reports", str(folder), "--retry-failed")[0] == 0

    @pytest.mark.parametrize(
        ("prepare", "words"),
        [
            (lambda path: path.symlink_to(path.parent), "is a link"),
            (lambda path: path.write_text(""), "cannot be used"),
            (lambda path: (path.mkdir(), path.chmod(0o777)), "written by others"),
        ],
    )
    def test_a_folder_that_is_not_private_is_refused_before_anything_is_asked(
        self, folder: Path, fake: FakeAws, run: Runs, prepare: Callable[[Path], object], words: str
    ) -> None:
        prepare(folder)
        with pytest.raises(UsageError, match=words):
            run(*ORGANIZATION, "--keep-reports", str(folder))
        assert fake.calls == []

    def test_a_folder_of_somebody_else_is_refused(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir(mode=0o700)
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        with pytest.raises(UsageError, match="another user"):
            KeptReports(folder, resume=False)

    def test_a_disk_that_fills_costs_the_file_and_not_the_verdicts(
        self, folder: Path, fake: FakeAws, run: Runs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[str] = []
        write = KeptReports._write

        def filling(self: KeptReports, name: str, content: bytes) -> None:
            written.append(name)
            if len(written) == 2:
                write(self, name, content[:50])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(self, name, content)

        monkeypatch.setattr(KeptReports, "_write", filling)
        fake.accounts[TWO].report = csv(TWO)
        code, document = run(*ORGANIZATION, "--keep-reports", str(folder), "--parallel", "1")
        assert code == 3
        (message,) = errors(document).values()
        assert message.endswith("could not be kept: No space left on device.")
        assert len(inputs(document)) == 4
        assert len(document["findings"]) == 1
        assert len(list(folder.glob("*.json"))) == 3, "nothing half written"

    def test_an_interrupt_leaves_whole_files_only(self, folder: Path, fake: FakeAws, tmp_path: Path) -> None:
        fake.accounts[THREE].errors = {"GetCredentialReport": ["ReportInProgress"] * 99}
        now = datetime.now(timezone.utc).replace(microsecond=0)
        for account in fake.accounts.values():
            account.made = now
        with serving(fake) as address:
            process = subprocess.Popen(
                [sys.executable, "-m", "keyrules", "audit", "--endpoint-url", address, "--no-config", *ORGANIZATION,
                 "--keep-reports", str(folder)],
                env={**environment(), "PYTHONPATH": str(Path(audit.__file__).parents[2])},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            while not folder.is_dir() or len(list(folder.glob("*.json"))) < 3:
                assert process.poll() is None, process.communicate()
            process.terminate()
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (3, "")
        assert err == "keyrules: interrupted; nothing was concluded\n"
        assert sorted(path.name for path in folder.iterdir()) == [f"{n}.json" for n in (ONE, TWO, CALLER)]
