"""A world to join in, for every test here."""

from __future__ import annotations

from pathlib import Path

import pytest
from joined_cases import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> World:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, capfd)
