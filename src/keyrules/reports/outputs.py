"""Where reports go: `--format FORMAT[=FILE]`, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO, Final

from keyrules.model import Evaluation, Plane, UsageError
from keyrules.nearest import did_you_mean
from keyrules.records import dataclass, replace
from keyrules.reports.report_formats import FORMATS, formats_of
from keyrules.reports.text_style import ReportOptions, Style, printable
from keyrules.terminal import DEFAULT_WIDTH

_BLOCK: Final = 1 << 16
_IN_MEMORY: Final = 1 << 22


@dataclass(frozen=True)
class Output:
    """One report of a run; `path` is None for standard output, and with `folder` that of the folder of its files."""

    format: str
    path: Path | None
    folder: bool = False


def parse_outputs(specs: Sequence[str], plane: Plane = Plane.CODE) -> tuple[Output, ...]:
    """The outputs that `--format` asks for, checked as far as is possible before the evaluation starts.

    A spec is `FORMAT` or `FORMAT=-` for standard output, `FORMAT=FILE`, or for a format that has such `FORMAT=DIR/`,
    without the slash where the folder exists. When no spec names standard output, text
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
        if output.folder:
            check_folder(output.path)
        else:
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
    progress: Callable[[str], None] | None = None,
) -> None:
    """Render and write every output, as UTF-8, piece by piece.

    Everything is rendered and staged beside its target, or held back where it goes to standard output, a device or a
    pipe; then devices and pipes are written, before the first file is replaced, so that a failure leaves the old files
    as they were and no new ones behind; standard output comes last.
    `options` hold for standard output; text in a file has no colour and a fixed width, whatever the terminal is.
    `extra` are more files, as the option that names one, its path and its content, written in the same way. `progress`
    is told how far it is, and the empty text before anything is printed. Raises UsageError when a file cannot be
    written, and OSError (BrokenPipeError) when standard output cannot.
    """
    plain = replace(options, style=Style(), width=DEFAULT_WIDTH, terminal=False)

    def blocks(output: Output) -> Iterator[bytes]:
        rendered = FORMATS[output.format].render(evaluation, options if output.path is None else plain)
        return _blocks(rendered, output.format, progress)

    def of_folder(output: Output, folder: Path) -> Iterator[tuple[str, Path, Iterator[bytes]]]:
        for name, rendered in FORMATS[output.format].render_folder(evaluation, plain, folder).items():
            yield "--format", folder / name, _blocks(rendered, output.format, progress)

    named = [(output, output.path) for output in outputs if output.path is not None]
    files = [("--format", path, blocks(output)) for output, path in named if not output.folder]
    files += chain.from_iterable(of_folder(output, path) for output, path in named if output.folder)
    try:
        with _staged([*files, *((option, path, iter([content])) for option, path, content in extra)]) as staged:
            held = [_Held(blocks(output)) for output in outputs if output.path is None]
            staged.put_in_place()
    finally:
        if progress is not None:
            progress("")
    for block in chain.from_iterable(held):
        stdout.write(block)
    stdout.flush()


def write_files(files: Iterable[tuple[str, Path, bytes]]) -> None:
    """Writes files whole or not at all, each with the option that names it. Raises UsageError as write_outputs does."""
    with _staged([(option, path, iter([content])) for option, path, content in files]) as staged:
        staged.put_in_place()


def _blocks(pieces: Iterable[str], name: str, progress: Callable[[str], None] | None) -> Iterator[bytes]:
    """The pieces of a report as larger ones."""
    gathered: list[str] = []
    size = written = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield "".join(gathered).encode()
            gathered.clear()
            written, size = written + size, 0
            if progress is not None:
                progress(f"writing {name}: {written / 1e6:,.1f} MB")
    yield "".join(gathered).encode()


class _Held:
    """What is to be written at the end: in memory, beyond a bound in a temporary file without a name."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._file: IO[bytes] | None = None
        self._blocks: list[bytes] = []
        size = 0
        for block in blocks:
            self._blocks.append(block)
            size += len(block)
            if size >= _IN_MEMORY:
                self._move_to_file()
                size = 0

    def _move_to_file(self) -> None:
        # Few runs print so much, and the import takes as long as a small one of them.
        from tempfile import TemporaryFile, gettempdir

        with _sentence(Path(gettempdir()), "temporary files"):
            if self._file is None:
                self._file = TemporaryFile()  # noqa: SIM115 - for as long as this object
            self._file.writelines(self._blocks)
            self._file.flush()
        self._blocks.clear()

    def __iter__(self) -> Iterator[bytes]:
        if self._file is not None:
            self._file.seek(0)
            while block := self._file.read(_BLOCK):
                yield block
        yield from self._blocks


def _parse(spec: str, plane: Plane) -> Output:
    name, separator, file = spec.partition("=")
    known = formats_of(plane)
    if name not in FORMATS:
        raise UsageError(
            f"--format: {_shown(name)} is not a format; {did_you_mean(name, known)}use one of {', '.join(known)}"
        )
    if FORMATS[name].module(plane) is None:
        command, subject = ("scan", "code") if plane is Plane.CODE else ("audit", "live accounts")
        raise UsageError(
            f"--format: {name} cannot express findings on {subject}; use one of {', '.join(formats_of(plane))} "
            f"with keyrules {command}"
        )
    if separator and not file:
        raise UsageError(f"--format: {name}= names no file; write {name}=FILE, or {name} alone for standard output")
    if not separator or file == "-":
        return Output(name, None)
    path = Path(file)
    if FORMATS[name].folder is not None:
        return Output(name, path, file.endswith(os.sep) or path.is_dir())
    if file.endswith(os.sep):
        raise UsageError(f"--format: {_shown(file)} is a folder, and {name} is one file; name a file in it")
    return Output(name, path)


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


def check_folder(path: Path, option: str = "--format") -> None:
    """Raises UsageError for a folder of an option that cannot be made or written."""
    with _sentence(path, option):
        folder = _target(path)
        if not folder.is_dir():
            _check_writable(path, option)
        elif not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{option}: {_shown(path)} is a file; name a folder")


class _Staging:
    """Files that are written beside their targets, and what is held back for devices and pipes."""

    def __init__(self) -> None:
        self._files: list[tuple[str, Path, Path]] = []
        self._special: list[tuple[str, Path, _Held]] = []
        self._folders: list[Path] = []

    def add(self, option: str, path: Path, blocks: Iterator[bytes]) -> None:
        """Writes a file that nobody else can read before it is whole, and that is on disk when this returns."""
        if _is_special(path):
            self._special.append((option, path, _Held(blocks)))
            return
        self._make_folders(option, path)
        temporary = _target(path).with_name(f".{os.urandom(8).hex()}.keyrules-tmp")
        self._files.append((option, path, temporary))
        with _sentence(path, option):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            for block in blocks:
                # What fails in the making of a block is not the file's fault.
                with _sentence(path, option):
                    _write(descriptor, block)
            with _sentence(path, option):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def put_in_place(self) -> None:
        """Writes to devices and pipes, and then replaces the targets."""
        for option, path, held in self._special:
            with _sentence(path, option), path.open("wb") as file:
                file.writelines(held)
        for option, path, temporary in self._files:
            with _sentence(path, option):
                # Some file systems know no permissions, and refuse to change them.
                with suppress(PermissionError):
                    temporary.chmod(_mode(_target(path)))
                temporary.replace(_target(path))

    def clear(self) -> None:
        """Removes what was not put in place, and the folders that were made for it."""
        for _, _, temporary in self._files:
            temporary.unlink(missing_ok=True)
        for folder in reversed(self._folders):
            # Those that hold a file stay.
            with suppress(OSError):
                folder.rmdir()

    def _make_folders(self, option: str, path: Path) -> None:
        missing = [folder for folder in _target(path).parents if not folder.exists()]
        for folder in reversed(missing):
            with _sentence(path, option):
                folder.mkdir()
            self._folders.append(folder)
        with _sentence(path, option):
            if not _target(path).parent.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def _write(descriptor: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(descriptor, left) :]


@contextmanager
def _staged(files: Iterable[tuple[str, Path, Iterator[bytes]]]) -> Iterator[_Staging]:
    staging = _Staging()
    try:
        for file in files:
            staging.add(*file)
        yield staging
    finally:
        staging.clear()


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
