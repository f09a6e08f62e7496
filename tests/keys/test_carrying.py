"""`keyrules audit` that was given code and states: each finding on a key says what declares it, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from canaries import disguises, make_canary
from credential_reports import ACCOUNT
from joined_cases import OTHER, ROTATING, World, user, with_key
from states import key_values, resource, state_4, user_values

KEY = "aws_iam_access_key.k"
USER = resource("aws_iam_user.u", user_values("ci"))
USED = "2026-05-31T00:00:00Z"
CERTAIN = {
    "path": "code/main.tf",
    "line": 4,
    "address": KEY,
    "state": "s.tfstate",
    "certainty": "certain",
    "evidence": "account_user_created",
}
CANARY = make_canary("carried").secret


@pytest.fixture
def declared(world: World) -> World:
    """A key that is declared and too old, and one that nobody declares."""
    world.write("code/main.tf", ROTATING)
    world.report([user("ci", **with_key(used=USED)), user("hand", **with_key(used=USED))])
    world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci", secret=CANARY))))
    return world


def declared_of(world: World, *arguments: str) -> list[list[dict[str, Any]]]:
    return [finding["declared"] for finding in world.audit("--state", "s.tfstate", *arguments).findings("ci")]


class TestJoin:
    def test_each_finding_on_a_key_has_what_declares_it(self, declared: World) -> None:
        found = declared_of(declared)
        assert found and all(each == [CERTAIN] for each in found)

    def test_a_key_that_nothing_declares_says_so(self, declared: World) -> None:
        found = declared.audit("--state", "s.tfstate").findings("hand")
        assert found and all(each["declared"] == [] for each in found)

    def test_it_is_what_the_inventory_says(self, declared: World) -> None:
        row = declared.run("--state", "s.tfstate").row("ci")
        assert declared_of(declared)[0] == row["declared"]

    def test_only_keys_are_declared(self, declared: World) -> None:
        declared.report([user("ci", password_enabled="true", mfa_active="false", **with_key())])
        (password,) = {"declared" in each for each in declared.audit().findings("ci", "console_password")}
        assert not password

    def test_without_code_and_states_nothing_is_said(self, declared: World) -> None:
        declared.folder.joinpath("code/main.tf").unlink()
        declared.folder.joinpath("code").rmdir()
        declared.folder.joinpath("s.tfstate").unlink()
        assert all("declared" not in each for each in declared.audit().document["findings"])

    def test_a_name_in_two_accounts_joins_neither_without_an_account(self, world: World) -> None:
        world.write("code/main.tf", 'resource "aws_iam_access_key" "k" {\n  user = "ci"\n}\n')
        world.report([user("ci", **with_key())])
        world.report([user("ci", OTHER, **with_key())], "other.csv", OTHER)
        assert {str(each["declared"]) for each in world.audit().findings("ci")} == {"[]"}
        found = world.audit("--account", ACCOUNT, "report.csv", "other.csv")
        assert {each["input"] for each in found.document["errors"]} == {"other.csv"}
        of = {each["subject"]["account"]: each["declared"] for each in found.findings("ci")}
        assert of[OTHER] == []
        assert [(each["certainty"], each["evidence"]) for each in of[ACCOUNT]] == [("possible", "user_name")]

    def test_of_two_reports_of_an_account_the_newest_is_joined(self, declared: World) -> None:
        declared.report([user("ci", **with_key())], "again.csv")
        run = declared.audit("--state", "s.tfstate", "report.csv", "again.csv")
        assert {str(each["declared"]) for each in run.findings("ci")} == {str([CERTAIN])}

    def test_a_report_that_ends_too_soon_joins_nothing(self, declared: World) -> None:
        lines = declared.folder.joinpath("report.csv").read_text().replace("account_id", "x").splitlines()
        declared.write("report.csv", "\n".join([lines[0].replace("user,", "nobody,"), *lines[1:]]) + "\n")
        run = declared.audit("--state", "s.tfstate")
        assert (run.code, run.document["findings"]) == (3, [])

    def test_the_moved_key_is_younger_than_the_one_in_the_state(self, declared: World) -> None:
        declared.report([user("ci", **with_key(created="2026-02-02T00:00:00Z"))])
        assert {each["evidence"] for (each,) in declared_of(declared)} == {"younger_key"}


class TestFormats:
    def test_text(self, declared: World) -> None:
        out = declared.audit("--state", "s.tfstate", form="text").out
        assert "Declared at code/main.tf:4 (certain)" in out
        assert out.count("Declared at") == 1

    def test_text_says_why_a_join_is_not_certain(self, declared: World) -> None:
        declared.folder.joinpath("s.tfstate").unlink()
        assert "Declared at code/main.tf:4 (possible by user name)" in declared.audit(form="text").out

    def test_text_of_a_state_without_its_code(self, declared: World) -> None:
        out = declared.run("--state", "s.tfstate", "--code", "s.tfstate", form="text", command="audit").out
        assert f"Declared as {KEY} in s.tfstate (certain)" in out

    def test_json_lines(self, declared: World) -> None:
        lines = map(json.loads, declared.audit("--state", "s.tfstate", form="jsonl").out.splitlines())
        assert [CERTAIN] in [line["declared"] for line in lines if line["type"] == "finding"]

    def test_sarif(self, declared: World) -> None:
        results = json.loads(declared.audit("--state", "s.tfstate", form="sarif").out)["runs"][0]["results"]
        (result,) = [each for each in results if each["properties"].get("declared")]
        assert result["properties"]["declared"] == [CERTAIN]
        (place,) = result["relatedLocations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "code/main.tf"
        assert place["physicalLocation"]["region"]["startLine"] == 4
        assert place["logicalLocations"][0]["fullyQualifiedName"] == KEY
        assert place["message"]["text"] == "Declared at code/main.tf:4 (certain)"

    def test_asff(self, declared: World) -> None:
        found = json.loads(declared.audit("--state", "s.tfstate", form="asff").out)
        others = [each["Details"]["Other"] for one in found for each in one["Resources"] if "Other" in each["Details"]]
        assert others == [{f"declared/1/{name}": str(value) for name, value in CERTAIN.items()}]
        fields = [one["ProductFields"].get("keyrules/declared") for one in found]
        assert "Declared at code/main.tf:4 (certain)" in fields

    def test_ocsf(self, declared: World) -> None:
        found = json.loads(declared.audit("--state", "s.tfstate", form="ocsf").out)
        assert [CERTAIN] in [each["unmapped"].get("declared") for each in found]

    def test_csv(self, declared: World) -> None:
        rows = list(csv.DictReader(io.StringIO(declared.audit("--state", "s.tfstate", form="csv").out)))
        assert list(rows[0])[-7:-1] == [f"declared_{name}" for name in CERTAIN]
        by_user = {row["user"]: [row[f"declared_{name}"] for name in CERTAIN] for row in rows}
        assert by_user["ci"] == [str(value) for value in CERTAIN.values()]
        assert by_user["hand"] == [""] * 6

    @pytest.mark.parametrize("form", ["markdown", "html", "junit", "github"])
    def test_pages(self, declared: World, form: str) -> None:
        out = declared.audit("--state", "s.tfstate", form=form).out.replace("`", "")
        assert "eclared at code/main.tf:4 (certain)" in out

    @pytest.mark.parametrize("form", ["text", "csv", "oscal", "html"])
    def test_evidence_by_control(self, declared: World, form: str) -> None:
        out = declared.audit("--state", "s.tfstate", "--framework", "cis_aws_3.0.0", form=form).out
        assert "Declared at code/main.tf:4 (certain)" in out

    @pytest.mark.parametrize(
        "form",
        ["text", "json", "jsonl", "sarif", "asff", "ocsf", "csv", "markdown", "html", "junit", "github", "oscal"],
    )
    def test_a_secret_of_a_state_is_in_none(self, declared: World, form: str) -> None:
        state = state_4(USER, resource(KEY, key_values("ci", secret=CANARY, **{"@": {"index_key": CANARY}})))
        declared.write("s.tfstate", state)
        run = declared.audit("--state", "s.tfstate", form=form)
        assert not [name for name, form in disguises(CANARY).items() if form in (run.out + run.err).encode()]


class TestComplete:
    def test_a_key_in_no_state_is_named_where_all_states_are_there(self, declared: World) -> None:
        run = declared.audit("--state", "s.tfstate", "--state-complete")
        assert {each["facts"]["held_by_a_state"] for each in run.findings("ci")} == {True}
        assert {each["facts"]["held_by_a_state"] for each in run.findings("hand")} == {False}
        assert "In no state" in declared.audit("--state", "s.tfstate", "--state-complete", form="text").out

    def test_nothing_is_concluded_when_not_all_was_read(self, declared: World) -> None:
        declared.write("broken.tfstate", "{")
        run = declared.audit("--state", "s.tfstate", "--state", "broken.tfstate", "--state-complete")
        assert run.code == 3
        assert {each["facts"]["held_by_a_state"] for each in run.findings("hand")} == {None}

    def test_nothing_is_concluded_where_it_was_not_said(self, declared: World) -> None:
        assert all("held_by_a_state" not in each["facts"] for each in declared.audit().findings("hand"))


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--state-complete", "report.csv"), "name them with --state"),
            (("--state", "gone.tfstate"), "does not exist"),
            (("--code", "gone"), "does not exist"),
            (("--account", "12", "--state", "s.tfstate"), "give its 12 digits"),
            (("--state", "-", "-"), "can be given once"),
            (("--state", "s.tfstate", "--counts-only"), "keeps none"),
        ],
    )
    def test_they_are_one_sentence(self, declared: World, arguments: tuple[str, ...], words: str) -> None:
        declared.folder.joinpath("code/main.tf").unlink()
        declared.folder.joinpath("code").rmdir()
        if "s.tfstate" not in arguments:
            declared.folder.joinpath("s.tfstate").unlink()
        run = declared.audit(*arguments)
        assert run.code == 2 and words in run.err and run.out == ""

    def test_a_state_that_is_none_is_an_error_and_the_rest_is_joined(self, declared: World) -> None:
        declared.write("broken.tfstate", "{")
        run = declared.audit("--state", "s.tfstate", "--state", "broken.tfstate")
        assert run.code == 3 and [each["input"] for each in run.document["errors"]] == ["broken.tfstate"]
        assert run.findings("ci")[0]["declared"] == [CERTAIN]

    def test_a_report_is_not_written_over_a_state(self, declared: World) -> None:
        before = Path("s.tfstate").read_text()
        run = declared.audit("--format", "csv=s.tfstate")
        assert run.code == 2 and Path("s.tfstate").read_text() == before


class TestRulesOfTheInventory:
    def test_what_only_the_inventory_judges_is_named_once(self, declared: World) -> None:
        (note,) = [note for note in declared.audit().document["notes"] if "KEY_AWS_018" in note]
        assert "keyrules keys" in note and "KEY_AWS_019" not in note

    def test_by_a_framework(self, declared: World) -> None:
        notes = declared.audit("--framework", "nist_800_53_r5").document["notes"]
        assert len([note for note in notes if "KEY_AWS_018" in note]) == 1

    def test_nothing_is_said_where_they_were_not_asked_for(self, declared: World) -> None:
        notes = declared.audit("--rule", "KEY_AWS_001").document["notes"]
        assert not [note for note in notes if "KEY_AWS_018" in note]
