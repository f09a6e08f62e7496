"""What is known of keys in texts that no parser reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from scanned_without import session
from scanning import write

from keyrules.code.terraform import named
from keyrules.model import Status

TEXT = 'name: x\nresource "aws_iam_access_key" "k" {\n'


def test_keys_are_unknown_by_name_and_the_digest_is_of_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes meanwhile is one or the other, and not a bit of both."""
    path = write(tmp_path, {"k.tpl": ""}) / "k.tpl"
    texts = iter([TEXT.encode()])
    monkeypatch.setattr(named, "read_regular", lambda path: next(texts))
    found = named.judge(str(path), session(), ())
    assert [(key.address, key.start_line, key.judged) for key in found.keys] == [("aws_iam_access_key.k", 2, False)]
    assert {verdict.status for verdict in found.verdicts} == {Status.UNKNOWN}
    assert found.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_a_file_that_cannot_be_read_is_no_file_without_keys(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        named.judge(str(tmp_path / "gone.tpl"), session(), ())
