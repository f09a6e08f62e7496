"""`keyrules keys` as people and machines use it: its formats, what it refuses, and that no secret leaves."""

from __future__ import annotations

import csv
import gc
import hashlib
import io
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from canaries import leaks, make_canary
from credential_reports import ACCOUNT
from joined_cases import OTHER, ROTATING, World, user, with_key
from states import key_values, resource, state_3, state_4, user_values

from keyrules.cli import main
from keyrules.keys.documents import COLUMNS

KEY = "aws_iam_access_key.k"
USER = resource("aws_iam_user.u", user_values("ci"))
FORMATS = ("text", "json", "csv", "html", "markdown")
CANARY = make_canary("state")


@pytest.fixture
def joined(world: World) -> World:
    """A key that is declared to rotate and does not, one made by hand, and a declaration without a key."""
    world.write("code/main.tf", ROTATING + 'resource "aws_iam_access_key" "gone" {\n  user = "gone"\n}\n')
    used = {"key_1_last_used_service": "s3", "key_1_last_used_region": "eu-west-1"}
    world.report(
        [
            user("ci", **with_key(used="2026-05-31T00:00:00Z"), **used),
            user("hand", **with_key(created="2026-05-20T00:00:00Z")),
        ]
    )
    world.write(
        "s.tfstate",
        state_4(
            USER,
            resource(KEY, key_values("ci")),
            resource("aws_iam_access_key.gone", key_values("gone", id="AKIAGONE777777777777")),
        ),
    )
    return world


class TestJson:
    def test_the_document_is_the_one_that_is_promised(self, joined: World) -> None:
        document = joined.run().document
        assert list(document) == ["schema", "as_of", "keys", "unjoined", "errors"]
        assert document["schema"] == "keyrules/keys/1"
        row = document["keys"][0]
        assert list(row) == [
            "account",
            "user",
            "slot",
            "key_id",
            "active",
            "created_at",
            "last_used_at",
            "last_used_service",
            "owner",
            "declared",
            "rotation",
            "drift",
            "findings",
            "stage",
            "since",
            "next",
            "alternative",
        ]
        assert list(row["declared"][0]) == ["path", "line", "address", "state", "certainty", "evidence"]
        assert list(row["next"]) == ["action", "command", "not_before", "check", "rollback"]

    def test_the_next_step_of_a_declared_key_is_in_its_code(self, joined: World) -> None:
        step = joined.run().row("ci")["next"]
        assert (step["action"], joined.run().row("ci")["stage"]) == ("create", "due")
        assert "code/main.tf:4" in step["command"] and "aws iam" not in step["command"]

    def test_of_one_made_by_hand_it_is_a_command(self, world: World) -> None:
        world.report([user("-rf $(id)".replace(" $(id)", ""), **with_key(used="2026-05-31T00:00:00Z"))])
        assert world.run().row("-rf")["next"]["command"] == "aws iam create-access-key --user-name=-rf"

    def test_what_is_assumed_is_said(self, joined: World) -> None:
        assert "may rest 31 days (assumed" in joined.run().row("ci")["next"]["check"]

    def test_the_same_input_gives_the_same_bytes(self, joined: World) -> None:
        assert joined.run().out == joined.run().out


class TestFormats:
    @pytest.mark.parametrize("form", FORMATS)
    def test_every_format_names_each_key(self, joined: World, form: str) -> None:
        run = joined.run(form=form)
        assert run.code == 0
        for word in ("hand", "declared_and_stale", "KEY_AWS_018", "aws_iam_access_key.gone"):
            assert word in re.sub("<wbr>|</?span[^<>]*>", "", run.out) or (form == "csv" and word.endswith("gone")), (
                word
            )

    def test_csv(self, joined: World) -> None:
        rows = list(csv.DictReader(io.StringIO(joined.run(form="csv").out)))
        assert tuple(rows[0]) == COLUMNS
        assert [(row["user"], row["stage"], row["certainty"]) for row in rows] == [
            ("ci", "due", "certain"),
            ("hand", "none", ""),
        ]

    def test_several_formats_in_one_run(self, joined: World) -> None:
        run = joined.run("--format", "html=keys.html", "--format", "csv=keys.csv")
        assert run.document["keys"] and Path("keys.html").read_text().startswith("<!doctype html>")
        Path("keys.csv").unlink()

    def test_the_script_of_the_page_is_the_one_that_is_allowed(self, joined: World) -> None:
        page = joined.run(form="html").out
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src &#x27;sha256-{digest}&#x27;" in page
        assert not re.search(r"(?:src|href)=\"?https?:", page)

    def test_a_name_cannot_become_markup(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci", **{"@": {"index_key": "<script>x"}}))))
        assert "<script>x" not in world.run(form="html").out

    @pytest.mark.parametrize(
        ("group", "heading"), [("account", ACCOUNT), ("path", "code/main.tf"), ("owner", "no owner")]
    )
    def test_groups(self, joined: World, group: str, heading: str) -> None:
        assert heading in joined.run("--group-by", group, form="text").out.splitlines()[0] or group == "owner"


class TestOwners:
    def test_codeowners(self, joined: World) -> None:
        joined.write("CODEOWNERS", "* @everybody\n/code/ @platform # all of it\n")
        assert joined.run().row("ci")["owner"] == {"name": "@platform", "source": "codeowners"}

    def test_the_tag_in_the_state(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(resource("aws_iam_user.u", user_values("ci", tags_all={"owner": "team"}))))
        assert world.run().row("ci")["owner"] == {"name": "team", "source": "state_tag"}

    def test_the_configuration(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        config = world.write("c.yaml", f"owners:\n  {ACCOUNT}/c*: Team C\nlongest_cycles:\n  ci: 92\n")
        world.capfd.readouterr()
        assert main(["keys", "--config", str(config), "--format", "json", "--as-of", "2026-06-01", "report.csv"]) == 0
        row = json.loads(world.capfd.readouterr().out)["keys"][0]
        assert row["owner"] == {"name": "Team C", "source": "configuration"}


def test_the_thresholds_of_a_user_are_those_of_its_stage(world: World) -> None:
    world.report([user(name, **with_key(used="2026-05-31T00:00:00Z")) for name in ("svc-a", "b")])
    override = "{subject: svc-*, rules: {KEY_AWS_001: {max_age_days: 400}}, reason: x, owner: o}"
    config = world.write("c.yaml", f"audit:\n  overrides:\n    - {override}\n")
    world.capfd.readouterr()
    assert main(["keys", "--config", str(config), "--format", "json", "--as-of", "2026-06-01", "report.csv"]) == 0
    rows = json.loads(world.capfd.readouterr().out)["keys"]
    assert {row["user"]: (row["stage"], row["findings"]) for row in rows} == {
        "b": ("due", ["KEY_AWS_001"]),
        "svc-a": ("none", []),
    }


class TestSince:
    def _later(self, world: World, *moments: str) -> list[str]:
        names = []
        for number, moment in enumerate(moments):
            Path(f"{number}.json").write_text(world.run(as_of=moment).out)
            names += ["--since", f"{number}.json"]
        return names

    def test_a_quiet_key_takes_observations_over_the_cycle(self, world: World) -> None:
        old, new = (
            with_key(1, "2025-01-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            with_key(2, "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"),
        )
        world.report([user("x", **old, **new)])
        row = world.run(as_of="2026-06-20").row("x")
        assert (row["stage"], row["next"]["action"]) == ("unclear", "observe")
        since = self._later(world, "2026-05-15", "2026-06-01")
        row = world.run(*since, as_of="2026-06-20").row("x")
        assert (row["stage"], row["next"]["action"]) == ("quiet", "deactivate")
        assert row["next"]["rollback"].endswith("--status Active")

    def test_an_audit_is_an_observation(self, world: World) -> None:
        world.report([user("x", **with_key(1, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"))])
        names = []
        for number, moment in enumerate(("2026-04-20", "2026-05-15")):
            main(["audit", "--no-config", "report.csv", "--as-of", moment, "--format", f"json={number}.json"])
            names += ["--since", f"{number}.json"]
        assert world.run(*names, as_of="2026-06-10").row("x")["stage"] == "idle"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('{"schema": "keyrules/2"}', "has the schema 'keyrules/2'"),
            ("[]", "is no JSON report"),
            ('{"schema": "keyrules/1", "plane": "code"}', "no earlier report on live keys"),
            ('{"schema": "keyrules/keys/1", "as_of": "x", "keys": []}', "is damaged"),
            (
                '{"schema": "keyrules/keys/1", "as_of": "2026-05-01T00:00:00Z", "keys": [{"created_at": 1}]}',
                "is damaged",
            ),
            (
                '{"schema": "keyrules/keys/1", "as_of": "2027-05-01T00:00:00Z", "keys": []}',
                "later than what it is compared",
            ),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, world: World, text: str, says: str) -> None:
        world.report([user("x", **with_key())])
        Path("s.json").write_text(text)
        run = world.run("--since", "s.json")
        assert (run.code, run.out) == (2, "") and says in run.err and run.err.count("\n") == 1


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--account", "12"], "12 digits"),
            (["--state", "-", "-"], "can be given once"),
            (["--state-complete"], "name them with --state"),
            (["--code", "nowhere"], "does not exist"),
            (["--state", "nowhere"], "does not exist"),
            (["--group-by", "colour"], "account, owner, path"),
            (["--format", "sarif"], "text, json, csv, html, markdown"),
            (["--format", "json"], "both go to standard output"),
            (["--format", "csv=report.csv"], "would be replaced"),
            (["--since", "nowhere"], "cannot be read"),
        ],
    )
    def test_a_wrong_command_is_one_sentence(self, world: World, arguments: list[str], says: str) -> None:
        world.report([user("ci", **with_key())])
        run = world.run(*arguments)
        assert (run.code, run.out) == (2, "") and says in run.err and run.err.count("\n") == 1

    def test_one_bad_state_does_not_hold_up_the_rest(self, joined: World) -> None:
        joined.write("bad.tfstate", '{"encrypted_data": "x"}')
        run = joined.run()
        assert run.code == 3 and run.row("ci")["declared"][0]["certainty"] == "certain"
        assert [error["message"].count("encrypted") for error in run.document["errors"]] == [1]

    def test_two_reports_of_one_account(self, world: World) -> None:
        world.report([user("ci", **with_key())], "a.csv")
        world.report([user("ci", **with_key())], "b.csv")
        run = world.run()
        assert run.code == 3 and len(run.document["keys"]) == 1
        assert "both of account" in run.document["errors"][0]["message"]

    def test_a_report_of_another_account(self, world: World) -> None:
        world.report([user("ci", OTHER, **with_key())], account=OTHER)
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        for arguments, said in (([], "the states are of"), (["--account", ACCOUNT], "--account says")):
            run = world.run(*arguments)
            (error,) = run.document["errors"]
            assert run.code == 3 and len(run.document["keys"]) == 1
            assert error["message"].startswith(f"{world.folder}/report.csv is of account {OTHER}, and {said} {ACCOUNT}")

    def test_reports_of_further_accounts_are_none_of_its_business(self, joined: World) -> None:
        joined.report([user("x", OTHER, **with_key())], "other.csv", OTHER)
        assert joined.run().code == 0

    def test_code_that_cannot_be_read(self, joined: World) -> None:
        joined.write("code/broken/main.tf", 'resource "aws_iam_access_key" "x" {\n')
        run = joined.run()
        assert run.code == 3 and run.row("ci")["declared"] and "code/broken" in run.document["errors"][0]["input"]

    def test_a_damaged_report(self, world: World) -> None:
        world.write("report.csv", "user,arn\n")
        run = world.run()
        assert run.code == 3 and run.document["keys"] == [] and len(run.document["errors"]) == 1


def test_an_audit_cannot_judge_what_is_joined(world: World) -> None:
    world.report([user("ci", **with_key())])
    assert main(["audit", "--no-config", "report.csv", "--rule", "KEY_AWS_018", "--rule", "KEY_AWS_001"]) == 2
    assert "judge it with `keyrules keys`" in world.capfd.readouterr().err


class TestExit:
    def test_findings_count_where_somebody_says_so(self, joined: World) -> None:
        assert (joined.run().code, joined.run("--fail-on", "medium").code) == (0, 1)
        assert joined.run("--fail-on", "critical").code == 0

    def test_an_exception_covers(self, joined: World) -> None:
        rules = ("KEY_AWS_001", "KEY_AWS_018")
        entries = "".join(
            f"  - {{rule: {rule}, subject: ci, reason: x, owner: o, expires: '2027-01-01'}}\n" for rule in rules
        )
        joined.write("e.yaml", f"exceptions:\n{entries}")
        run = joined.run("--exceptions", "e.yaml")
        assert run.row("ci")["findings"] == []


@pytest.mark.parametrize("version", ["4", "3"])
def test_no_secret_of_a_state_leaves(world: World, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no format, no file beside them, no message, and no object that is left in memory."""
    secrets = {
        "secret": CANARY.secret,
        "ses_smtp_password_v4": CANARY.secret + "abcd",
        "encrypted_secret": CANARY.secret,
    }
    values = key_values("ci", **secrets)
    world.report([user("ci", **with_key())])
    text = {
        "4": state_4(
            USER,
            # What is known to be a secret is masked where it is a name, too.
            resource(KEY, values, {**key_values("ci", id="AKIATWO7777777777777"), "@": {"index_key": CANARY.secret}}),
            outputs={"o": {"value": CANARY.secret}},
        ),
        "3": state_3({("root",): {KEY: {"primary": {"id": values["id"], "attributes": values}}}}),
    }[version]
    before = set(Path("/tmp").iterdir()) | set(world.folder.rglob("*"))
    outputs: list[tuple[str, str | bytes]] = []
    for name, state in (("good", text), ("cut", text[:-20])):
        world.write("s.tfstate", state)
        for form in FORMATS:
            run = world.run(form=form)
            outputs += [(f"{name} {form} out", run.out), (f"{name} {form} err", run.err)]
    world.run("--format", "html=page.html")
    written = [path for path in world.folder.rglob("*") if path not in before and path.suffix != ".tfstate"]
    outputs += [(str(path), path.read_bytes()) for path in written if path.is_file()]
    assert not leaks(outputs, [CANARY])
    (world.folder / "s.tfstate").unlink()
    del text
    values.clear()
    gc.collect()
    ours = [each for each in gc.get_objects() if str(type(each).__module__).startswith("keyrules")]
    held = [item for each in ours for item in gc.get_referents(each) if isinstance(item, str) and CANARY.secret in item]
    assert held == []


def test_accounts_are_told_apart(world: World) -> None:
    world.report([user("ci", **with_key())], "a.csv")
    world.report([user("ci", OTHER, **with_key())], "b.csv", OTHER)
    assert [row["account"] for row in world.run().document["keys"]] == sorted((ACCOUNT, OTHER))
