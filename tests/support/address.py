"""The project's address and version, which stand in setup.cfg, in every file that names them.

`PYTHONPATH=src python tests/support/address.py` writes them there; a test says when one is stale.
"""

from __future__ import annotations

import configparser
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_ENDS = {".cfg", ".csv", ".jsonschema", ".md", ".py", ".yaml", ".yml"}
_HISTORY = "CHANGELOG.md"


def _metadata() -> tuple[str, str]:
    configuration = configparser.ConfigParser()
    configuration.read(PROJECT / "setup.cfg", encoding="utf-8")
    metadata = configuration["metadata"]
    return metadata["url"].removeprefix("https://github.com/"), metadata["version"]


def rewritten(text: str, repository: str, version: str) -> str:
    """A text in which every address of the project is that of `repository` (owner/name) at `version`."""
    name = r"[\w.-]+/keyrules(?![\w-])"
    text = re.sub(rf"(?<=https://github\.com/){name}", repository, text)
    text = re.sub(rf"(?<=https://raw\.githubusercontent\.com/){name}", repository, text)
    text = re.sub(rf"(?<=uses: ){name}(?=@)", repository, text)
    text = re.sub(r"(?<=KEYRULES_VERSION: )v\d+\.\d+\.\d+", f"v{version}", text)
    after = rf"{re.escape(repository)}(?:@|/archive/|/)"
    text = re.sub(rf"({after})v\d+\.\d+\.\d+", rf"\g<1>v{version}", text)
    return re.sub(rf"({re.escape(repository)}\n +rev: )v\d+\.\d+\.\d+", rf"\g<1>v{version}", text)


def files() -> Iterator[Path]:
    """The files of the repository that may name it."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if name != _HISTORY and Path(name).suffix in _ENDS and not name.startswith(("fixtures/", "tests/")):
            yield PROJECT / name


def stale() -> list[str]:
    """The files that name another address or version."""
    repository, version = _metadata()
    texts = ((path, path.read_text(encoding="utf-8")) for path in files() if path.is_file())
    return [str(path.relative_to(PROJECT)) for path, text in texts if rewritten(text, repository, version) != text]


if __name__ == "__main__":
    for name in stale():
        path = PROJECT / name
        path.write_text(rewritten(path.read_text(encoding="utf-8"), *_metadata()), encoding="utf-8")
