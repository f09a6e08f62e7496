"""The folder of cached verdicts: whole entries or none, from this user alone, within its bounds, and never an error."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanning import PROJECT

from keyrules.code.cache import cache_folder
from keyrules.code.cache.cache_folder import VARIABLE, CacheFolder, Usage, cache_place

CONTENT = b'{"some": "content"}' * 50


@pytest.fixture
def folder(tmp_path: Path) -> CacheFolder:
    made = CacheFolder(str(tmp_path / "home/.cache/keyrules"))
    made.write("a", CONTENT)
    return made


def names(folder: CacheFolder) -> list[str]:
    return sorted(path.name for path in Path(folder.path).iterdir())


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({VARIABLE: "/x/y", "HOME": "/home/u"}, "/x/y"),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/home/u"}, "/c/keyrules"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/home/u"}, "/home/u/.cache/keyrules"),
        ({"XDG_CACHE_HOME": "", "HOME": "/home/u", VARIABLE: ""}, "/home/u/.cache/keyrules"),
        ({"HOME": ""}, None),
        ({}, None),
    ],
)
def test_place(environment: dict[str, str], place: str | None) -> None:
    assert cache_place(environment) == place


def test_what_is_written_is_read(folder: CacheFolder) -> None:
    assert folder.read("a") == CONTENT
    assert folder.read("b") is None
    folder.write("a", b"")
    assert folder.read("a") == b""


def test_modes(folder: CacheFolder) -> None:
    assert stat.S_IMODE(Path(folder.path).stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(folder.path, "a.entry").stat().st_mode) == 0o600


def test_any_damage_is_a_miss(folder: CacheFolder) -> None:
    path = Path(folder.path, "a.entry")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert folder.read("a") is None, length
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert folder.read("a") is None, position
    path.write_bytes(whole + b" ")
    assert folder.read("a") is None
    path.write_bytes(whole)
    assert folder.read("a") == CONTENT


def test_what_others_can_write_is_not_read(folder: CacheFolder) -> None:
    path = Path(folder.path, "a.entry")
    for target in (path, Path(folder.path)):
        before = stat.S_IMODE(target.stat().st_mode)
        for mode in (0o020, 0o002):
            target.chmod(before | mode)
            assert folder.read("a") is None
        target.chmod(before)
    assert folder.read("a") == CONTENT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_others_is_not_read(folder: CacheFolder) -> None:
    for target in (f"{folder.path}/a.entry", folder.path):
        os.chown(target, 12345, 12345)
        assert folder.read("a") is None
        os.chown(target, 0, 0)
    assert folder.read("a") == CONTENT


def test_links_pipes_and_folders_are_not_read(folder: CacheFolder, tmp_path: Path) -> None:
    path = Path(folder.path, "a.entry")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert folder.read("a") is None
    path.unlink()
    os.mkfifo(path)
    assert folder.read("a") is None
    path.unlink()
    path.mkdir()
    assert folder.read("a") is None
    folder.write("a", CONTENT)
    assert names(folder) == ["a.entry"] and folder.read("a") is None


def test_a_folder_that_is_a_link_is_not_used(folder: CacheFolder, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder.path)
    linked = CacheFolder(str(link))
    assert linked.read("a") is None
    linked.write("b", CONTENT)
    assert names(folder) == ["a.entry"]


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file/below"):
        folder = CacheFolder(str(path))
        folder.write("a", CONTENT)
        assert folder.read("a") is None
        assert folder.usage() == folder.clear() == Usage(0, 0)
        folder.shrink()


@pytest.mark.parametrize("step", ["open", "replace", "fdopen", "makedirs"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
def test_a_disk_that_takes_nothing(folder: CacheFolder, step: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, fail)
    folder.write("b", CONTENT)
    monkeypatch.undo()
    assert [name for name in names(folder) if name != "b.entry"] == ["a.entry"]
    assert folder.read("a") == CONTENT


def test_a_disk_that_is_full_in_the_middle_of_an_entry(folder: CacheFolder) -> None:
    """The limit on a file's size fails the write itself, as a full disk does, after a part of it is written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        folder.write("a", CONTENT + b"new")
        folder.write("b", CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert names(folder) == ["a.entry"]
    assert folder.read("a") == CONTENT


def test_an_interrupted_write_leaves_nothing(folder: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        folder.write("b", CONTENT)
    assert names(folder) == ["a.entry"]


def test_an_entry_beyond_all_measure_is_not_kept(folder: CacheFolder) -> None:
    folder.write("b", bytes(9 * 2**20))
    assert names(folder) == ["a.entry"]


def test_the_oldest_go_first(folder: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, name in enumerate("abcdef"):
        folder.write(name, CONTENT)
        os.utime(f"{folder.path}/{name}.entry", (1_000_000 - age, 1_000_000 - age))
    size = Path(folder.path, "a.entry").stat().st_size
    # Being used makes an entry new.
    assert folder.read("f") == CONTENT
    monkeypatch.setattr(cache_folder, "MAX_BYTES", 3 * size)
    folder.shrink()
    assert names(folder) == ["a.entry", "b.entry", "f.entry"]
    assert folder.usage() == Usage(3, 3 * size)


def test_what_a_killed_run_left_goes_in_time(folder: CacheFolder) -> None:
    left = Path(folder.path, "b.1.0.unfinished")
    left.write_bytes(b"half")
    folder.shrink()
    assert left.exists()
    os.utime(left, (time.time() - 7200,) * 2)
    folder.shrink()
    assert names(folder) == ["a.entry"]


def test_only_what_is_ours_is_cleared(folder: CacheFolder) -> None:
    Path(folder.path, "b.1.0.unfinished").write_bytes(b"half")
    Path(folder.path, "notes.txt").write_text("mine")
    assert folder.clear().files == 2
    assert names(folder) == ["notes.txt"]


WRITER = """
import sys
sys.path.insert(0, {source!r})
from keyrules.code.cache.cache_folder import CacheFolder
folder = CacheFolder({path!r})
print("ready", flush=True)
for number in range({count}):
    name = "abcd"[number % 4]
    content = name.encode() * ({size} + number)
    folder.write(name, content)
    found = folder.read(name)
    # Another run may have replaced it in between, but never by a part of one.
    assert found is not None and set(found) == set(name.encode()), found
    folder.shrink()
"""


def writer(path: Path, count: int, size: int) -> subprocess.Popen[str]:
    code = WRITER.format(source=str(PROJECT / "checks"), path=str(path), count=count, size=size)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_runs_beside_each_other(tmp_path: Path) -> None:
    runs = [writer(tmp_path / "cache", 300, 5000) for _ in range(4)]
    errors = [run.communicate()[1] for run in runs]
    assert errors == [""] * 4
    assert names(CacheFolder(str(tmp_path / "cache"))) == [f"{name}.entry" for name in "abcd"]


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[CacheFolder]:
    """A folder in which a run was killed while it wrote, several times."""
    for pause in (0.0, 0.02, 0.05):
        run = writer(tmp_path / "cache", 100_000, 1_000_000)
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
        time.sleep(pause)
        run.kill()
        run.communicate()
    yield CacheFolder(str(tmp_path / "cache"))


def test_a_killed_run_leaves_whole_entries(killed: CacheFolder) -> None:
    for name in "abcd":
        found = killed.read(name)
        assert found is None or (len(found) >= 1_000_000 and set(found) == set(name.encode()))
    killed.write("a", CONTENT)
    assert killed.read("a") == CONTENT
