"""Which declaration a live key belongs to, and where code, state and account drift apart."""

from __future__ import annotations

import pytest
from credential_reports import ACCOUNT
from joined_cases import CREATED, OTHER, ROTATING, World, user, with_key
from states import PROVIDER, key_values, resource, shown, state_3, state_4, user_values

KEY = "aws_iam_access_key.k"
USER = resource("aws_iam_user.u", user_values("ci"))
PLAIN = 'resource "aws_iam_access_key" "k" {\n  user = "ci"\n}\n'
YOUNG = "2026-05-20T00:00:00Z"


class TestCertainty:
    def test_account_user_and_second_are_certain(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        assert world.run().joins() == {f"{ACCOUNT}/ci/1": [(KEY, "certain", "account_user_created")]}

    @pytest.mark.parametrize("created", ["2026-01-02T03:04:06Z", "2026-01-02T03:04:04Z"])
    def test_a_second_beside_is_another_key(self, world: World, created: str) -> None:
        world.report([user("ci", **with_key(created=created))])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        assert all(each[1] != "certain" for joins in world.run().joins().values() for each in joins)

    def test_without_an_account_it_is_probable(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        assert world.run().joins() == {f"{ACCOUNT}/ci/1": [(KEY, "probable", "user_created")]}

    def test_the_account_of_the_command_line(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        joins = world.run("--account", ACCOUNT).joins()
        assert joins == {f"{ACCOUNT}/ci/1": [(KEY, "certain", "account_user_created")]}

    def test_the_account_that_the_provider_allows(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("code/main.tf", f'provider "aws" {{\n  allowed_account_ids = ["{ACCOUNT}"]\n}}\n{PLAIN}')
        world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        assert world.run().joins()[f"{ACCOUNT}/ci/1"] == [(KEY, "certain", "account_user_created")]

    def test_the_account_of_the_role_that_is_assumed(self, world: World) -> None:
        world.report([user("ci", OTHER, **with_key())], account=OTHER)
        role = f'assume_role {{\n role_arn = "arn:aws:iam::{OTHER}:role/deploy"\n }}'
        world.write("code/main.tf", f'provider "aws" {{\n  {role}\n}}\n{PLAIN}')
        world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        assert world.run().joins()[f"{OTHER}/ci/1"] == [(KEY, "certain", "account_user_created")]

    def test_another_account_is_never_joined(self, world: World) -> None:
        world.report([user("ci", OTHER, **with_key())], account=OTHER)
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run()
        assert run.joins() == {f"{OTHER}/ci/1": []}
        assert run.unjoined() == [(KEY, [], "account_not_reported")]

    def test_users_of_one_name_in_two_accounts_are_not_mixed(self, world: World) -> None:
        other = f"{PROVIDER}.other"
        world.report([user("ci", **with_key())], "a.csv")
        world.report([user("ci", OTHER, **with_key())], "b.csv", OTHER)
        world.write(
            "s.tfstate",
            state_4(
                USER,
                resource("aws_iam_user.o", user_values("ci", OTHER), provider=other),
                resource(KEY, key_values("ci")),
                resource("aws_iam_access_key.o", key_values("ci", id="AKIAOTHER77777777777"), provider=other),
            ),
        )
        assert world.run().joins() == {
            f"{ACCOUNT}/ci/1": [(KEY, "certain", "account_user_created")],
            f"{OTHER}/ci/1": [("aws_iam_access_key.o", "certain", "account_user_created")],
        }

    @pytest.mark.parametrize("with_state", [True, False])
    def test_what_may_be_of_two_accounts_is_joined_to_neither(self, world: World, with_state: bool) -> None:
        world.report([user("ci", **with_key())], "a.csv")
        world.report([user("ci", OTHER, **with_key())], "b.csv", OTHER)
        if with_state:
            world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        else:
            world.write("code/main.tf", PLAIN)
        run = world.run()
        assert not any(run.joins().values())
        assert run.unjoined() == [(KEY, [], "in_several_accounts")]

    def test_names_differ_in_more_than_case(self, world: World) -> None:
        """IAM has no two users whose names differ in case only."""
        world.report([user("Ci", **with_key())])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        assert world.run().joins() == {f"{ACCOUNT}/Ci/1": [(KEY, "certain", "account_user_created")]}

    def test_a_name_in_the_code_is_possible(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("code/main.tf", PLAIN)
        run = world.run()
        assert run.joins() == {f"{ACCOUNT}/ci/1": [(KEY, "possible", "user_name")]}
        assert (run.row("ci")["declared"][0]["path"], run.row("ci")["declared"][0]["line"]) == ("code/main.tf", 1)

    def test_a_name_with_two_keys_is_none(self, world: World) -> None:
        world.report([user("ci", **with_key(), **with_key(2, YOUNG))])
        world.write("code/main.tf", PLAIN)
        run = world.run()
        assert not any(run.joins().values())
        assert run.drift() == {"ci/1": ["two_keys_one_declared"], "ci/2": ["two_keys_one_declared"]}

    def test_a_name_that_the_code_leaves_open_is_none(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("code/main.tf", PLAIN.replace('"ci"', "var.u") + 'variable "u" {}\n')
        assert world.run().unjoined() == [(KEY, [], "user_not_known")]

    def test_version_3_has_no_date(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        attributes = {"user": "ci", "status": "Active"}
        key = {"type": "aws_iam_access_key", "primary": {"id": "AKIACI77777777777777", "attributes": attributes}}
        world.write("s.tfstate", state_3({("root",): {KEY: key}}))
        assert world.run().joins() == {f"{ACCOUNT}/ci/1": [(KEY, "possible", "user_name")]}

    def test_keys_of_one_second(self, world: World) -> None:
        world.report([user("ci", **with_key(), **with_key(2))])
        keys = [key_values("ci", **{"@": {"index_key": n}}, id=f"AKIACI777777777777{n}7") for n in (0, 1)]
        world.write("s.tfstate", state_4(USER, resource(KEY, *keys)))
        assert world.run().joins() == {
            f"{ACCOUNT}/ci/1": [(f"{KEY}[0]", "probable", "same_second")],
            f"{ACCOUNT}/ci/2": [(f"{KEY}[1]", "probable", "same_second")],
        }

    def test_two_keys_of_one_second_and_one_declared(self, world: World) -> None:
        world.report([user("ci", **with_key(), **with_key(2))])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run("--state-complete")
        assert not any(run.joins().values())
        assert run.drift() == {"ci/1": ["two_keys_one_declared"], "ci/2": ["two_keys_one_declared"]}

    def test_a_shown_state_without_its_user_is_probable(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        key = {"mode": "managed", "type": "aws_iam_access_key", "address": KEY, "values": key_values("ci")}
        world.write("s.tfstate", shown([key]))
        assert world.run().joins()[f"{ACCOUNT}/ci/1"] == [(KEY, "probable", "user_created")]

    def test_a_deposed_key_is_declared(self, world: World) -> None:
        world.report([user("ci", **with_key(), **with_key(2, YOUNG))])
        old = key_values("ci", id="AKIAOLD7777777777777", **{"@": {"deposed": "00000001"}})
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci", create_date=YOUNG), old)))
        run = world.run("--state-complete")
        assert {each[0][1] for each in run.joins().values()} == {"certain"}
        assert run.drift() == {}


class TestPlaces:
    def test_count_for_each_and_modules(self, world: World) -> None:
        users = ("a", "b", "c", "d")
        world.report([user(name, **with_key()) for name in users])
        world.write(
            "code/main.tf",
            'resource "aws_iam_access_key" "cnt" {\n  count = 2\n  user = ["a", "b"][count.index]\n}\n'
            'resource "aws_iam_access_key" "fe" {\n  for_each = toset(["c"])\n  user = each.key\n}\n'
            'module "m" {\n  source = "./m"\n  for_each = { x = "d" }\n  user = each.value\n}\n',
        )
        world.write(
            "code/m/main.tf", '\n\nvariable "user" {}\nresource "aws_iam_access_key" "k" {\n  user = var.user\n}\n'
        )
        world.write(
            "s.tfstate",
            state_4(
                *(resource(f"aws_iam_user.{name}", user_values(name)) for name in users),
                resource(
                    "aws_iam_access_key.cnt",
                    *(key_values(name, **{"@": {"index_key": n}}) for n, name in enumerate("ab")),
                ),
                resource("aws_iam_access_key.fe", key_values("c", **{"@": {"index_key": "c"}})),
                resource('module.m["x"].aws_iam_access_key.k', key_values("d")),
            ),
        )
        run = world.run()
        places = {name: run.row(name)["declared"][0] for name in users}
        assert {name: (place["path"], place["line"], place["address"]) for name, place in places.items()} == {
            "a": ("code/main.tf", 1, "aws_iam_access_key.cnt[0]"),
            "b": ("code/main.tf", 1, "aws_iam_access_key.cnt[1]"),
            "c": ("code/main.tf", 5, 'aws_iam_access_key.fe["c"]'),
            "d": ("code/m/main.tf", 4, 'module.m["x"].aws_iam_access_key.k'),
        }
        assert {place["certainty"] for place in places.values()} == {"certain"}
        assert run.unjoined() == []

    def test_a_module_that_is_not_here_leads_to_its_call(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("code/main.tf", '\nmodule "m" {\n  source = "terraform-aws-modules/iam/aws//modules/iam-user"\n}\n')
        world.write("s.tfstate", state_4(resource("module.m.aws_iam_access_key.this", key_values("ci"))))
        place = world.run().row("ci")["declared"][0]
        assert (place["path"], place["line"]) == ("code/main.tf", 2)

    def test_of_two_roots_the_one_that_shares_more(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        more = 'resource "aws_sqs_queue" "q" {}\n'
        world.write("code/a/main.tf", PLAIN.replace('"ci"', "var.u") + 'variable "u" {}\n')
        world.write("code/b/main.tf", more + PLAIN.replace('"ci"', "var.u") + 'variable "u" {}\n')
        queue = resource("aws_sqs_queue.q", {"arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"})
        world.write("s.tfstate", state_4(queue, resource(KEY, key_values("ci"))))
        place = world.run().row("ci")["declared"][0]
        assert (place["path"], place["certainty"]) == ("code/b/main.tf", "certain")

    def test_of_two_roots_alike_none(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        for name in "ab":
            world.write(f"code/{name}/main.tf", PLAIN.replace('"ci"', "var.u") + 'variable "u" {}\n')
        world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        assert world.run().row("ci")["declared"][0]["path"] is None

    def test_of_two_roots_alike_the_one_with_the_state(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        for name in "ab":
            world.write(f"code/{name}/main.tf", PLAIN.replace('"ci"', "var.u") + 'variable "u" {}\n')
        state = world.write("code/b/terraform.tfstate", state_4(resource(KEY, key_values("ci"))))
        assert world.run("--state", state).row("ci")["declared"][0]["path"] == "code/b/main.tf"

    def test_an_input_that_is_not_here_may_have_given_another_user(self, world: World) -> None:
        world.report([user("ci", **with_key()), user("dev", OTHER, **with_key())])
        world.write("code/main.tf", PLAIN.replace('"ci"', "var.u") + 'variable "u" {\n  default = "dev"\n}\n')
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run()
        place = run.row("ci")["declared"][0]
        assert (place["path"], place["certainty"]) == ("code/main.tf", "certain")
        assert run.joins()[f"{OTHER}/dev/1"] == [(KEY, "possible", "user_name")]

    def test_of_two_roots_alike_the_one_with_the_user(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        for name, who in (("a", "somebody"), ("b", "ci")):
            world.write(f"code/{name}/main.tf", PLAIN.replace('"ci"', f'"{who}"'))
        world.write("s.tfstate", state_4(resource(KEY, key_values("ci"))))
        assert world.run().row("ci")["declared"][0]["path"] == "code/b/main.tf"

    def test_the_code_of_another_account_is_not_the_place(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("code/main.tf", f'provider "aws" {{\n  allowed_account_ids = ["{OTHER}"]\n}}\n{PLAIN}')
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        (place,) = world.run().row("ci")["declared"]
        assert (place["path"], place["certainty"]) == (None, "certain")

    def test_an_instance_that_the_code_no_longer_has_leads_to_its_block(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("code/main.tf", 'resource "aws_iam_access_key" "k" {\n  count = 1\n  user = "u${count.index}"\n}\n')
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci", **{"@": {"index_key": 1}}))))
        place = world.run().row("ci")["declared"][0]
        assert (place["path"], place["line"], place["address"]) == ("code/main.tf", 1, f"{KEY}[1]")

    def test_a_template_by_its_user(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        template = (
            "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  U:\n    Type: AWS::IAM::User\n    Properties:\n"
            "      UserName: ci\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: !Ref U\n"
        )
        world.write("code/t.yaml", template)
        place = world.run().row("ci")["declared"][0]
        assert (place["path"], place["line"], place["certainty"]) == ("code/t.yaml", 7, "possible")


class TestDrift:
    def _rotating(self, world: World, **live: str) -> None:
        world.write("code/main.tf", ROTATING)
        world.report([user("ci", **{**with_key(), **live})])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))

    def test_a_declared_rotation_that_does_not_happen(self, world: World) -> None:
        self._rotating(world)
        row = world.run().row("ci")
        assert row["drift"] == ["declared_and_stale"]
        assert row["rotation"] == {"declared_days": 30.0, "status": "overdue"}
        assert "KEY_AWS_018" in row["findings"]

    @pytest.mark.parametrize(
        ("as_of", "drift"),
        [("2026-02-08T03:04:05", []), ("2026-02-08T03:04:06", ["declared_and_stale"])],
        ids=["37 days", "a second more"],
    )
    def test_the_tolerance_is_exact(self, world: World, as_of: str, drift: list[str]) -> None:
        self._rotating(world)
        assert world.run(as_of=as_of).row("ci")["drift"] == drift

    def test_the_tolerance_can_be_set(self, world: World) -> None:
        self._rotating(world)
        row = world.run("--set", "KEY_AWS_018.tolerance_days=400").row("ci")
        assert (row["drift"], row["rotation"]["status"], row["findings"]) == (
            [],
            "on_time",
            ["KEY_AWS_001", "KEY_AWS_002"],
        )

    def test_an_inactive_key_waits_for_no_rotation(self, world: World) -> None:
        self._rotating(world, key_1_active="false")
        assert world.run().row("ci")["drift"] == ["active_in_code_inactive_live"]

    def test_an_old_key_without_a_rotation_is_no_drift(self, world: World) -> None:
        world.write("code/main.tf", PLAIN)
        world.report([user("ci", **with_key())])
        row = world.run().row("ci")
        assert (row["drift"], row["rotation"]["status"]) == ([], "missing")

    def test_inactive_in_code(self, world: World) -> None:
        world.write("code/main.tf", PLAIN.replace("}", '  status = "Inactive"\n}'))
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        assert world.run().row("ci")["drift"] == ["inactive_in_code_active_live"]

    def test_inactive_in_the_state_alone(self, world: World) -> None:
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci", status="Inactive"))))
        assert world.run().row("ci")["drift"] == ["inactive_in_code_active_live"]

    def test_gone(self, world: World) -> None:
        world.report([user("ci")])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        assert world.run().unjoined() == [(KEY, ["declared_but_gone"], "no_such_key")]

    def test_a_report_older_than_the_key_says_nothing(self, world: World) -> None:
        world.report([user("ci")])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci", create_date="2026-06-02T00:00:00Z"))))
        assert world.run().unjoined() == [(KEY, [], "younger_than_report")]

    def test_moved_outside(self, world: World) -> None:
        world.report([user("ci", **with_key(created=YOUNG))])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run()
        assert run.drift() == {"ci/1": ["moved_outside"]}
        assert run.joins() == {f"{ACCOUNT}/ci/1": [(KEY, "possible", "younger_key")]}
        assert run.unjoined() == []

    def test_moved_outside_twice(self, world: World) -> None:
        world.report([user("ci", **with_key(created=YOUNG), **with_key(2, "2026-05-21T00:00:00Z"))])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run()
        assert run.drift() == {"ci/1": ["moved_outside"], "ci/2": ["moved_outside"]}

    def test_an_older_key_was_not_moved(self, world: World) -> None:
        world.report([user("ci", **with_key(created="2025-01-01T00:00:00Z"))])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run()
        assert (run.drift(), run.unjoined()) == ({}, [(KEY, ["declared_but_gone"], "no_such_key")])

    def test_two_keys_one_declared(self, world: World) -> None:
        world.report([user("ci", **with_key(), **with_key(2, YOUNG))])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        run = world.run()
        assert run.drift() == {"ci/1": ["two_keys_one_declared"], "ci/2": ["two_keys_one_declared"]}
        assert run.joins()[f"{ACCOUNT}/ci/2"] == []

    def test_two_keys_both_declared(self, world: World) -> None:
        world.report([user("ci", **with_key(), **with_key(2, YOUNG))])
        second = resource("aws_iam_access_key.k2", key_values("ci", create_date=YOUNG, id="AKIATWO7777777777777"))
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci")), second))
        assert world.run("--state-complete").drift() == {}

    def test_not_declared_is_said_only_where_all_states_are_here(self, world: World) -> None:
        world.report([user("hand", **with_key()), user("ci", **with_key())])
        world.write("s.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        assert world.run().drift() == {}
        run = world.run("--state-complete")
        assert run.drift() == {"hand/1": ["not_declared"]}
        assert "KEY_AWS_019" in run.row("hand")["findings"] and "KEY_AWS_019" not in run.row("ci")["findings"]

    def test_an_unreadable_state_makes_them_incomplete(self, world: World) -> None:
        world.report([user("hand", **with_key())])
        world.write("a.tfstate", state_4(USER, resource(KEY, key_values("ci"))))
        world.write("b.tfstate", '{"encrypted_data": "x"}')
        run = world.run("--state-complete")
        assert (run.code, run.drift()) == (3, {})

    def test_code_that_its_state_does_not_hold_is_not_joined(self, world: World) -> None:
        world.write("code/main.tf", PLAIN + 'resource "aws_iam_user" "u" {\n  name = "ci"\n}\n')
        world.report([user("ci", **with_key())])
        world.write("s.tfstate", state_4(USER))
        run = world.run()
        assert (run.joins(), run.unjoined()) == ({f"{ACCOUNT}/ci/1": []}, [(KEY, [], "not_in_state")])

    def test_a_root_key_is_nobody_s_to_declare(self, world: World) -> None:
        root = user("<root_account>", **with_key())
        world.write("report.csv", world.report([]).read_text().splitlines()[0] + f"\n{root}\n")
        world.write("s.tfstate", state_4(USER))
        row = world.run("--state-complete").row("<root_account>")
        assert (row["drift"], row["next"]["action"], row["alternative"]) == ([], "delete", None)


def test_every_key_of_a_report_is_a_row(world: World) -> None:
    world.report([user("a", **with_key(), **with_key(2, YOUNG, active=False)), user("b"), user("c", **with_key(2))])
    keys = [(row["user"], row["slot"], row["active"], row["created_at"]) for row in world.run().document["keys"]]
    assert keys == [("a", 1, True, CREATED), ("a", 2, False, YOUNG), ("c", 2, True, CREATED)]
