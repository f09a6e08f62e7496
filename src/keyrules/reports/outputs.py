"""Where reports go: `--format FORMAT[=FILE]`, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keyrules.model import Evaluation, Plane, UsageError
from keyrules.reports.report_formats import FORMATS, formats_of
from keyrules.reports.report_options import DEFAULT_WIDTH, ReportOptions
from keyrules.reports.text_style import Style, printable


@dataclass(frozen=True)
class Output:
    """One report of a run; `path` is None for standard output."""

    format: str
    path: Path | None


def parse_outputs(specs: Sequence[str], plane: Plane = Plane.CODE) -> tuple[Output, ...]:
    """The outputs that `--format` asks for, checked as far as is possible before the evaluation starts.

    A spec is `FORMAT` or `FORMAT=-` for standard output, or `FORMAT=FILE`. When no spec names standard output, text
    goes there. Raises UsageError, with one sentence, for an unknown format, one that cannot express the plane, two
    outputs on standard output or in the same file, and a file that cannot be written.
    """
    outputs = [_parse(spec, plane) for spec in specs]
    on_stdout = [output.format for output in outputs if output.path is None]
    if len(on_stdout) > 1:
        raise UsageError(
            f"--format: {' and '.join(on_stdout)} would both go to standard output; "
            f"send all but one to a file, as in --format {on_stdout[-1]}=FILE"
        )
    if not on_stdout:
        outputs.insert(0, Output("text", None))
    seen: dict[Path, Output] = {}
    for output in outputs:
        if output.path is None:
            continue
        _check_writable(output.path)
        first = seen.setdefault(_target(output.path), output)
        if first is not output:
            both = " and ".join(printable(f"{each.format}={each.path}") for each in (first, output))
            raise UsageError(f"--format: {both} would go to the same file; give each its own")
    return tuple(outputs)


def check_file(option: str, path: Path, outputs: Sequence[Output]) -> None:
    """Checks another file that a run is to write, beside its outputs. Raises UsageError as parse_outputs does."""
    _check_writable(path, option)
    for output in outputs:
        if output.path is not None and _target(output.path) == _target(path):
            raise UsageError(
                f"{option}: {_shown(path)} is where --format {output.format} goes, too; give each its own file"
            )


def write_outputs(
    outputs: Iterable[Output],
    evaluation: Evaluation,
    options: ReportOptions,
    stdout: BinaryIO,
    extra: Sequence[tuple[str, Path, bytes]] = (),
) -> None:
    """Render and write every output, as UTF-8.

    Everything is rendered and staged beside its target, then written to devices and pipes, before the first file is
    replaced, so that a failure leaves the old files as they were and no new ones behind; standard output comes last.
    `options` hold for standard output; text in a file has no colour and a fixed width, whatever the terminal is.
    `extra` are more files, as the option that names one, its path and its content, written in the same way. Raises
    UsageError when a file cannot be written, and OSError (BrokenPipeError) when standard output cannot.
    """
    plain = options._replace(style=Style(), width=DEFAULT_WIDTH)
    rendered = [
        (output.path, FORMATS[output.format].render(evaluation, options if output.path is None else plain).encode())
        for output in outputs
    ]
    _write_files([*(("--format", path, content) for path, content in rendered if path is not None), *extra])
    for content in (content for path, content in rendered if path is None):
        stdout.write(content)
        stdout.flush()


def _parse(spec: str, plane: Plane) -> Output:
    name, separator, file = spec.partition("=")
    if name not in FORMATS:
        raise UsageError(f"--format: {_shown(name)} is not a format; use one of {', '.join(formats_of(plane))}")
    if FORMATS[name].module(plane) is None:
        command, subject = ("scan", "code") if plane is Plane.CODE else ("audit", "live accounts")
        raise UsageError(
            f"--format: {name} cannot express findings on {subject}; use one of {', '.join(formats_of(plane))} "
            f"with keyrules {command}"
        )
    if separator and not file:
        raise UsageError(f"--format: {name}= names no file; write {name}=FILE, or {name} alone for standard output")
    return Output(name, Path(file) if separator and file != "-" else None)


def _check_writable(path: Path, option: str = "--format") -> None:
    with _sentence(path, option):
        folder = _target(path).parent
        if path.is_dir():
            raise UsageError(f"{option}: {_shown(path)} is a directory; name a file in it")
        if not folder.is_dir():
            raise UsageError(f"{option}: the directory of {_shown(path)} does not exist; create {_shown(folder)} first")
        allowed = os.access(path, os.W_OK) if _is_special(path) else os.access(folder, os.W_OK | os.X_OK)
        if not allowed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _write_files(files: Sequence[tuple[str, Path, bytes]]) -> None:
    staged: list[tuple[str, Path, Path]] = []
    special = [file for file in files if _is_special(file[1])]
    try:
        for option, path, content in files:
            if not _is_special(path):
                target = _target(path)
                temporary = target.with_name(f".{secrets.token_hex(8)}.keyrules-tmp")
                staged.append((option, path, temporary))
                with _sentence(path, option):
                    _write_durably(temporary, content)
        for option, path, content in special:
            with _sentence(path, option):
                path.write_bytes(content)
        for option, path, temporary in staged:
            with _sentence(path, option):
                temporary.chmod(_mode(_target(path)))
                temporary.replace(_target(path))
    finally:
        for _, _, temporary in staged:
            temporary.unlink(missing_ok=True)


def _write_durably(path: Path, content: bytes) -> None:
    """A new file that nobody else can read before it is whole, on disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those that the umask leaves a new one."""
    try:
        return stat.S_IMODE(target.stat().st_mode) & 0o666
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def _target(path: Path) -> Path:
    """The file that is replaced: where a symbolic link points, so that the link itself stays."""
    return path.resolve()


def _is_special(path: Path) -> bool:
    """Whether a device or pipe has that name (/dev/null, >(command)): it is written to, never replaced by a file."""
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)


@contextmanager
def _sentence(path: Path, option: str = "--format") -> Iterator[None]:
    """Turns an error of the operating system on `path` into the UsageError that names it and its option."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{option}: {_shown(path)} cannot be written: {error.strerror or error}") from error
    except RuntimeError as error:
        # What Path.resolve raises for a loop of symbolic links before Python 3.13.
        raise UsageError(f"{option}: {_shown(path)} cannot be written: {error}") from error


def _shown(name: Path | str) -> str:
    return printable(str(name))
