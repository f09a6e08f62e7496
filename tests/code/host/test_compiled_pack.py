"""The pack from the cache is the pack of the rule files, whatever has happened to either."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from scanning import PROJECT, write

from keyrules.code.cache.cache_folder import VARIABLE
from keyrules.code.cache.scan_cache import open_cache
from keyrules.pack.catalog import load_pack

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'


def test_the_compiled_pack_is_the_pack(tmp_path: Path) -> None:
    cache = open_cache(str(tmp_path / "cache"))
    assert cache is not None
    assert cache.pack() == load_pack() == cache.pack()
    (entry,) = (tmp_path / "cache").iterdir()
    # The second one comes from the entry.
    folder, name = cache.folder, entry.name.removesuffix(".entry")
    changed = (folder.read(name) or b"").replace(b"KEY_AWS_001", b"KEY_AWS_999")
    folder.write(name, changed)
    assert cache.pack() != load_pack()
    for damaged in (b"", b"[]", b"{}", b'{"rules": [{}]}', b'{"rules": null}'):
        folder.write(name, damaged)
        assert cache.pack() == load_pack()


def test_another_pack_is_compiled_anew(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(PROJECT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "rules", copy / "rules")
    shutil.copy(PROJECT / "setup.cfg", copy)
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), VARIABLE: str(tmp_path / "cache")}
    command = [sys.executable, "-m", "keyrules.cli", "scan", str(write(tmp_path / "src", {"main.tf": KEY}))]

    def scanned() -> tuple[int, str]:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    first = scanned()
    assert first[0] == 1 and first == scanned()
    rule = copy / "rules/KEY_AWS_001.yaml"
    text = rule.read_text()
    rule.write_text(text.replace("severity: LOW", "severity: HIGH"))
    assert rule.read_text() != text and "HIGH " in scanned()[1]
    (copy / "rules/stray.json").write_text("{}")
    assert scanned()[0] == 2
