"""The folder in which a run keeps the reports of its accounts, and from which the next one resumes.

One file for each account, named by its number, as the AWS CLI prints it, and beside it a folder of that name with what
else was asked for. They can be given to `keyrules audit` as they are. The folder is private: of its owner, nobody else
may write in it, and what is in it is reached through the folder that was checked, never by its path.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyrules.live.report_inputs import OpenReport, open_report
from keyrules.model import InputError, UsageError
from keyrules.reports.text_style import printable

if TYPE_CHECKING:
    from keyrules.live.account import AccountReport

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_NAME: Final = re.compile(r"[0-9]{12}\.json", re.ASCII)


def kept_reports(folder: str | None, resume: bool, several: bool) -> KeptReports | None:
    """The folder that --keep-reports names, None without one. UsageError where it does not fit the other options:
    `resume` is --retry-failed, `several` says that the run is over a list of accounts."""
    if folder is None:
        if resume:
            raise UsageError("--retry-failed goes on where --keep-reports DIR ended; add it")
        return None
    if not several:
        raise UsageError("--keep-reports is for a list of accounts; add --organization or --accounts FILE")
    return KeptReports(Path(folder), resume)


class KeptReports:
    """The folder, made where it is not there. UsageError for one that is not private, or that holds reports already
    without `resume`."""

    def __init__(self, path: Path, resume: bool) -> None:
        shown = f"--keep-reports: {printable(str(path))}"
        try:
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
            self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            about = os.fstat(self._folder)
            with os.scandir(self._folder) as entries:
                names = [entry.name for entry in entries]
        except OSError as error:
            if path.is_symlink():
                raise UsageError(f"{shown} is a link; name the folder itself") from None
            raise UsageError(f"{shown} cannot be used: {error.strerror or type(error).__name__}") from None
        if about.st_uid != os.geteuid():
            raise UsageError(f"{shown} belongs to another user; name a folder of your own")
        if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UsageError(
                f"{shown} can be written by others; take that from them (chmod 700), or name another folder"
            )
        self.path = path
        self._folders: dict[str, int] = {}
        self._held = {name[:12] for name in names if _NAME.fullmatch(name)}
        if self._held and not resume:
            raise UsageError(
                f"{shown} holds the reports of an earlier run; add --retry-failed to ask only for what is missing, or "
                "name another folder"
            )

    def __contains__(self, account: str) -> bool:
        """Whether the report of an account was there when the run began, or was kept since."""
        return account in self._held

    def name_of(self, account: str) -> str:
        """The path of an account's report, as messages show it."""
        return (self.path / f"{account}.json").as_posix()

    def keep(self, account: str, report: AccountReport) -> None:
        """Writes a report, whole or not at all. Raises OSError."""
        document = {
            "Content": base64.b64encode(report.content).decode("ascii"),
            "ReportFormat": "text/csv",
            "GeneratedTime": report.generated_at.isoformat(),
        }
        text = json.dumps(document, indent=4) + "\n"
        temporary = f".{secrets.token_hex(8)}.keyrules-tmp"
        try:
            self._write(temporary, text.encode())
            os.replace(temporary, f"{account}.json", src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._folder)
            raise
        self._held.add(account)

    @contextmanager
    def read(self, account: str) -> Iterator[OpenReport]:
        """A report while it is read. InputError, a sentence that follows its name, when it cannot be."""
        try:
            descriptor = os.open(f"{account}.json", _READ, dir_fd=self._folder)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise InputError("cannot be read: it is no file")
                yield open_report(file)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or type(error).__name__}") from None

    def document(self, account: str, name: str) -> io.BufferedReader | None:
        """What was kept of an account beside its report, under a name; None where there is nothing. Raises OSError."""
        try:
            folder = self._of(account)
            return os.fdopen(os.open(f"{name}.json", _READ, dir_fd=folder), "rb")
        except FileNotFoundError:
            return None

    def holds(self, account: str, name: str) -> bool:
        """Whether something is there under a name, whatever it is."""
        try:
            os.stat(f"{name}.json", dir_fd=self._of(account), follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def keeping(self, account: str, name: str) -> KeptDocument:
        """Takes what is kept under a name, piece by piece. Raises OSError."""
        with suppress(FileExistsError):
            os.mkdir(account, 0o700, dir_fd=self._folder)
        return KeptDocument(self._of(account), f"{name}.json")

    def _of(self, account: str) -> int:
        """The folder of an account. Raises OSError."""
        if account not in self._folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            self._folders[account] = os.open(account, flags, dir_fd=self._folder)
        return self._folders[account]

    def _write(self, name: str, content: bytes) -> None:
        with os.fdopen(os.open(name, _WRITE, 0o600, dir_fd=self._folder), "wb") as file:
            file.write(content)


class KeptDocument:
    """A file on its way into a folder, which is open: there whole, or not at all. Every method raises OSError."""

    def __init__(self, folder: int, name: str) -> None:
        self._folder, self._name = folder, name
        self._temporary = f".{secrets.token_hex(8)}.keyrules-tmp"
        self._file = os.fdopen(os.open(self._temporary, _WRITE, 0o600, dir_fd=folder), "wb")

    def write(self, content: bytes) -> None:
        """Takes the next piece."""
        self._file.write(content)

    def end(self, whole: bool) -> None:
        """Puts the file into its place where all of it was written, and takes it away otherwise."""
        try:
            self._file.close()
            if whole:
                os.replace(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        finally:
            with suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._folder)
