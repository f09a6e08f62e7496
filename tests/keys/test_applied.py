"""What real Terraform and the AWS provider write, joined with the reports of the accounts that it wrote to.

The recorded states and reports were made by `test_the_real_thing` on another day; their secrets are taken out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from joined_cases import OTHER, Run, World
from moto.server import ThreadedMotoServer
from terraform_accounts import PLUGINS, TERRAFORM, Applied, credential_report, plugins

RECORDED = Path(__file__).parent / "recorded"
CODE = RECORDED / "code"
ACCOUNTS = {"123456789012": None, OTHER: OTHER}
ADDRESSES = {
    ("123456789012", "plain"): ("aws_iam_access_key.plain", "main.tf"),
    ("123456789012", "counted-0"): ("aws_iam_access_key.counted[0]", "main.tf"),
    ("123456789012", "counted-1"): ("aws_iam_access_key.counted[1]", "main.tf"),
    ("123456789012", "each-ci"): ('aws_iam_access_key.each["ci"]', "main.tf"),
    ("123456789012", "encrypted"): ("aws_iam_access_key.encrypted", "main.tf"),
    ("123456789012", "resting"): ("aws_iam_access_key.resting", "main.tf"),
    ("123456789012", "rotated"): ("aws_iam_access_key.rotated", "main.tf"),
    ("123456789012", "member-a.b"): ('module.member["a.b"].aws_iam_access_key.this', "member/main.tf"),
    (OTHER, "plain"): ("aws_iam_access_key.other", "main.tf"),
}


def assert_all_are_joined(run: Run, code: Path, certainty: str = "certain") -> None:
    """Each key is declared at its address, in its file, and nothing is left over."""
    assert run.code == 0, run.out
    found = {}
    for row in run.document["keys"]:
        (declared,) = row["declared"]
        assert declared["certainty"] == certainty, row
        place = (declared["address"], Path(declared["path"]).resolve().relative_to(code.resolve()).as_posix())
        found[row["account"], row["user"]] = place
    assert found == ADDRESSES
    assert (run.document["unjoined"], run.drift()) == ([], {})


def recorded(generation: str) -> list[Path]:
    return sorted(RECORDED.glob(f"{generation}-*.csv"))


def created(run: Run, user: str) -> Any:
    return run.row(user)["created_at"]


class TestRecorded:
    AS_OF = "2026-11-29"

    @pytest.mark.parametrize("generation", ["first", "second"])
    def test_the_state(self, world: World, generation: str) -> None:
        state = RECORDED / f"{generation}.tfstate"
        run = world.run("--code", CODE, "--state", state, "--state-complete", *recorded(generation), as_of=self.AS_OF)
        assert_all_are_joined(run, CODE)

    def test_the_state_as_it_is_shown(self, world: World) -> None:
        """It names no provider configuration, but users and what depends on them."""
        run = world.run("--code", CODE, "--state", RECORDED / "first.show.json", *recorded("first"), as_of=self.AS_OF)
        assert_all_are_joined(run, CODE)

    def test_a_state_of_before_the_rotation(self, world: World) -> None:
        state = RECORDED / "first.tfstate"
        run = world.run("--code", CODE, "--state", state, *recorded("second"), as_of=self.AS_OF)
        assert run.drift() == {"rotated/1": ["moved_outside"]}

    def test_a_report_of_before_the_rotation(self, world: World) -> None:
        state = RECORDED / "second.tfstate"
        run = world.run("--code", CODE, "--state", state, *recorded("first"), as_of="2026-11-28T18:33:00Z")
        assert run.unjoined() == [("aws_iam_access_key.rotated", [], "younger_than_report")]


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host.replace('0.0.0.0', '127.0.0.1')}:{port}"
    server.stop()


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH, and the recorded states have to do")
@pytest.mark.skipif(plugins() is None, reason=f"the AWS provider is not here; {PLUGINS} names a mirror with it")
def test_the_real_thing(world: World, endpoint: str) -> None:
    """An apply, then one that rotates: the next run sees the new key, and the earlier one is history."""
    mirror = plugins()
    assert mirror is not None
    applied = Applied(CODE, world.folder / "infra", endpoint, mirror)

    def run(generation: int, *more: str) -> Run:
        state = applied.apply(generation=generation)
        for number, account in ACCOUNTS.items():
            (world.folder / f"{number}.csv").write_text(credential_report(endpoint, account))
        # moto's reports say 2015 of themselves.
        moment = (datetime.now(timezone.utc) + timedelta(minutes=1)).isoformat()
        found = world.run("--code", applied.folder, "--state", state, "--state-complete", *more, as_of=moment)
        assert_all_are_joined(found, applied.folder)
        assert json.loads(state.read_text())["lineage"] not in found.out
        return found

    first = run(1)
    (world.folder / "first.json").write_text(first.out)
    second = run(2, "--since", "first.json")
    assert created(second, "rotated") > created(first, "rotated")
    assert created(second, "plain") == created(first, "plain")
