"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from keyrules.code.cache.cache_folder import VARIABLE


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder for the verdicts of this run, so that no test uses or changes the user's."""
    folder = str(tmp_path_factory.mktemp("cache", numbered=True) / "verdicts")
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = folder
    yield folder
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before
