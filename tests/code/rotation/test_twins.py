"""The verdicts of KEY_AWS_001 against what the real Terraform does on the day when the clocks have expired.

No verdict is PASS where Terraform keeps the key, and none is FAIL where it replaces it. UNKNOWN is allowed only for the
idioms that are listed as open.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from rotation_idioms import OPEN, SURE, Idiom
from rotation_twins import Twins
from terraform_cases import judged, root_scope, write

from keyrules.code.verdict import Verdict

BATCH = 80
RULE = "KEY_AWS_001"


def verdicts(folder: Path, idioms: Mapping[str, Idiom]) -> dict[str, Verdict]:
    found = {}
    for number, (name, files) in enumerate(idioms.items()):
        by_address = judged(RULE, root_scope(write(folder / str(number), files)))
        # Where a module is called several times, one key that rotates says all that the twin says.
        found[name] = min(by_address.values(), key=lambda verdict: verdict.status.value != "PASS")
    return found


@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs the terraform program")
def test_what_terraform_replaces_passes_and_what_it_keeps_fails(tmp_path: Path) -> None:
    idioms = {**SURE, **OPEN}
    assert len(idioms) > 300
    names = list(idioms)
    replaced: dict[str, bool] = {}
    # What a plan costs grows faster than what it holds.
    for start in range(0, len(names), BATCH):
        batch = {name: idioms[name] for name in names[start : start + BATCH]}
        replaced |= Twins(tmp_path / f"twins{start}", batch).replaced()
    assert {True, False} <= set(replaced.values())
    found = verdicts(tmp_path / "ours", idioms)
    contradicted = {
        name: (replaced[name], verdict.status.value, verdict.message)
        for name, verdict in found.items()
        if verdict.status.value == ("FAIL" if replaced[name] else "PASS")
    }
    assert contradicted == {}
    undecided = {name: verdict.message for name, verdict in found.items() if verdict.status.value == "UNKNOWN"}
    assert {name: message for name, message in undecided.items() if name in SURE} == {}
