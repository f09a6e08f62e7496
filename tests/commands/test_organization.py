"""An organisation in one run, against a fake of AWS: what becomes of each account, and of what stands in the way."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from canaries import leaks, make_canary
from credential_reports import AS_OF, ROOT, key, line, report
from fake_aws import CALLER, FakeAws, FakeKey
from fake_documents import PASSING
from organization_runs import DAY, ONE, ORGANIZATION, THREE, TWO, Runs, clean, csv, errors, inputs

from keyrules.model import UsageError


class TestAccounts:
    def test_every_report_is_had_with_five_calls_at_most(self, fake: FakeAws, run: Runs) -> None:
        fake.accounts[TWO].made = None
        fake.accounts[THREE].made = AS_OF - timedelta(days=2)
        fake.accounts[THREE].new = csv(THREE)
        code, document = run(*ORGANIZATION)
        assert code == 1
        assert inputs(document) == [ONE, TWO, THREE, CALLER]
        assert {finding["subject"]["account"] for finding in document["findings"]} == {THREE}
        assert "For 2 accounts the report that AWS had already" in str(document["notes"])
        for number in (ONE, TWO, THREE):
            # AssumeRole is noted for who asks.
            asked = [action for account, action in fake.calls if account == number]
            assert len([action for action in asked if action not in PASSING]) <= 5
            assert sorted(action for action in asked if action in PASSING) == sorted(PASSING)

    def test_reports_are_ordered_everywhere_before_one_is_waited_for(self, fake: FakeAws, run: Runs) -> None:
        for number in (ONE, TWO, THREE):
            fake.accounts[number].made, fake.accounts[number].generation = None, 1
        assert run(*ORGANIZATION, "--parallel", "1")[0] == 0
        actions = [action for _, action in fake.calls if "CredentialReport" in action]
        last = max(i for i, action in enumerate(actions) if action.startswith("Generate"))
        assert actions[:last].count("GetCredentialReport") == 3, "one look in each account"

    def test_lists_are_read_to_their_end(self, fake: FakeAws, run: Runs) -> None:
        fake.page = 1
        assert inputs(run(*ORGANIZATION)[1]) == [ONE, TWO, THREE, CALLER]

    def test_accounts_that_are_not_active_are_skipped_and_named(self, fake: FakeAws, run: Runs) -> None:
        for position, state in enumerate(["SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"], start=4):
            fake.add(f"{position}" * 12, name="x", state=state)
        code, document = run(*ORGANIZATION)
        assert (code, len(inputs(document))) == (0, 4)
        (note,) = [note for note in document["notes"] if "not active" in note]
        assert [number * 12 in note for number in "45678"] == [True] * 4 + [False]
        assert "(suspended)" in note
        assert "(pending closure)" in note
        assert [number for number, _ in fake.calls if number[0] in "4567"] == []

    def test_units_are_taken_with_those_below_them(self, fake: FakeAws, run: Runs) -> None:
        fake.units = {
            "ou-ab12-11111111": "r-root",
            "ou-ab12-22222222": "ou-ab12-11111111",
            "ou-ab12-33333333": "r-root",
        }
        fake.accounts[ONE].unit, fake.accounts[TWO].unit = "ou-ab12-11111111", "ou-ab12-22222222"
        fake.accounts[THREE].unit = "ou-ab12-33333333"
        assert inputs(run(*ORGANIZATION, "--ou", "ou-ab12-11111111")[1]) == [ONE, TWO]
        assert inputs(run(*ORGANIZATION, "--ou", "r-root", "--ou", "ou-ab12-22222222")[1]) == [ONE, TWO, THREE, CALLER]
        code, document = run(*ORGANIZATION, "--ou", "ou-ab12-99999999")
        assert (code, len(document["errors"])) == (3, 1)

    def test_accounts_are_left_out(self, run: Runs) -> None:
        code, document = run(*ORGANIZATION, "--exclude-account", TWO, "--exclude-account", "888888888888")
        assert (code, inputs(document)) == (0, [ONE, THREE, CALLER])
        assert "Excluded, but not in the list of accounts: 888888888888." in document["notes"]

    def test_an_organization_that_may_not_be_read_is_one_error(self, fake: FakeAws, run: Runs) -> None:
        fake.accounts[CALLER].denied = {"ListAccounts": "SCP"}
        code, document = run(*ORGANIZATION)
        assert code == 3
        assert "organizations:ListAccounts is denied by a service control policy" in document["errors"][0]["message"]

    def test_nothing_to_evaluate_is_no_success(self, fake: FakeAws, run: Runs) -> None:
        for account in fake.accounts.values():
            account.state = "SUSPENDED"
        assert run(*ORGANIZATION)[0] == 3

    def test_other_partitions(self, address: str, fake: FakeAws, run: Runs) -> None:
        fake.partition = "aws-us-gov"
        for account in fake.accounts.values():
            account.report = account.report.replace(b"arn:aws:", b"arn:aws-us-gov:")
        code, document = run(*ORGANIZATION, "--region", "us-gov-west-1")
        assert (code, len(inputs(document))) == (0, 4)
        assert {asked["RoleArn"].split(":")[1] for asked in fake.assumed} == {"aws-us-gov"}


class TestRoles:
    def test_roles_are_assumed_one_after_the_other_and_the_first_one_once(self, fake: FakeAws, run: Runs) -> None:
        for account in fake.accounts.values():
            account.external_id = "an-external-id"
        fake.accounts[TWO].role = "path/audit"
        via = f"arn:aws:iam::{TWO}:role/path/audit"
        for number in (ONE, THREE, CALLER):
            fake.accounts[number].role = "path/audit"
        code, document = run(
            "--organization",
            "--role",
            f"arn:aws:iam::{ONE}:role/path/audit",
            "--via",
            via,
            "--external-id",
            "an-external-id",
        )
        assert (code, errors(document)) == (0, {})
        assert [asked["RoleArn"] for asked in fake.assumed].count(via) == 2, (
            "to begin with, and as the role of its account"
        )
        assert len(fake.assumed) == 5
        assert all("DurationSeconds" not in asked for asked in fake.assumed), "a chain lasts an hour at most"
        assert next(number for number, action in fake.calls if action == "ListAccounts") == TWO

    def test_the_session_policy_narrows_the_last_role_only(self, fake: FakeAws, run: Runs, tmp_path: Path) -> None:
        policy = tmp_path / "policy.json"
        policy.write_text('{"Version": "2012-10-17",\n "Statement": []}')
        run(*ORGANIZATION, "--via", f"arn:aws:iam::{TWO}:role/audit", "--session-policy", str(policy))
        first, *others = fake.assumed
        assert "Policy" not in first
        assert {asked["Policy"] for asked in others} == {'{"Version":"2012-10-17","Statement":[]}'}

    def test_the_account_that_asks_needs_no_role(self, fake: FakeAws, run: Runs) -> None:
        assert CALLER in inputs(run(*ORGANIZATION)[1])
        fake.accounts[CALLER].denied = {"AssumeRole": "SCP"}
        assert CALLER in errors(run(*ORGANIZATION)[1])["account 999999999999 (manager)"]

    def test_sessions_that_expire_are_renewed(self, fake: FakeAws, run: Runs) -> None:
        fake.session_calls = 1
        assert run(*ORGANIZATION, "--rule", "KEY_AWS_001")[0] == 0
        assert len(fake.assumed) == 6

    def test_one_account_through_a_role(self, fake: FakeAws, run: Runs) -> None:
        code, document = run("--role", f"arn:aws:iam::{TWO}:role/audit")
        assert (code, inputs(document)) == (0, [TWO])


class TestFailures:
    @pytest.mark.parametrize(
        ("settings", "state", "words"),
        [
            ({"role": None}, "role missing", "cannot be assumed: it does not exist"),
            ({"external_id": "another"}, "role missing", "wants another external id"),
            ({"denied": {"AssumeRole": "trust policy"}}, "denied by trust policy", "cannot be assumed: sts:AssumeRole"),
            ({"denied": {"AssumeRole": "SCP"}}, "denied by SCP", "organization's policies"),
            ({"denied": {"GetCredentialReport": "SCP"}}, "denied by SCP", "organization's policies"),
            ({"denied": {"GetCredentialReport": "RCP"}}, "denied by RCP", "organization's policies"),
            ({"denied": {"GetCredentialReport": "permissions boundary"}}, "denied by permissions boundary", "boundary"),
            ({"denied": {"GetCredentialReport": "session policy"}}, "denied by session policy", "--session-policy"),
            ({"denied": {"GetCredentialReport": ""}}, "denied", "grant the permission iam:GetCredentialReport"),
            ({"answers_as": THREE}, "wrong account", f"belong to account {THREE} and not to {TWO}"),
            ({"made": None, "generation": 99}, "timeout", "within 0 seconds"),
            ({"made": None, "errors": {"GenerateCredentialReport": ["LimitExceeded"] * 9}}, "throttled", "at once"),
            ({"report": b"nonsense"}, "report not read", "no credential report"),
            ({"report": clean(THREE)}, "report not read", f"of account {THREE} and not the report of account {TWO}"),
            ({"made": AS_OF - 2 * DAY, "denied": {"GenerateCredentialReport": "SCP"}, "report": csv(TWO, 5, 3)},
             "stale", "2 days ago"),
        ],
    )  # fmt: skip
    def test_each_is_one_sentence_and_the_rest_is_evaluated(
        self,
        fake: FakeAws,
        run: Runs,
        monkeypatch: pytest.MonkeyPatch,
        settings: dict[str, Any],
        state: str,
        words: str,
    ) -> None:
        states = seen_states(monkeypatch)
        for name, value in settings.items():
            setattr(fake.accounts[TWO], name, value)
        code, document = run(*ORGANIZATION, "--deadline", "0s")
        assert code == 3
        (message,) = errors(document).values()
        assert words in message
        assert message.startswith(f"account {TWO} (name-2) ")
        assert {number: word for number, word in states.items() if word != "evaluated"} == {TWO: state}
        assert set(inputs(document)) >= {ONE, THREE, CALLER}

    def test_failing_accounts_may_be_allowed_and_are_named_all_the_same(self, fake: FakeAws, run: Runs) -> None:
        fake.accounts[ONE].role = fake.accounts[TWO].role = None
        for allowed, code in ((0, 3), (1, 3), (2, 0)):
            found, document = run(*ORGANIZATION, "--max-failed-accounts", str(allowed))
            assert found == code
            said = document["notes"] if code == 0 else list(errors(document).values())
            assert [number for number in (ONE, TWO) if any(f"account {number}" in text for text in said)] == [ONE, TWO]

    def test_a_run_that_reaches_nobody_is_never_allowed(self, fake: FakeAws, run: Runs) -> None:
        for account in fake.accounts.values():
            account.denied = {"GetCredentialReport": "SCP"}
        assert run(*ORGANIZATION, "--max-failed-accounts", "9")[0] == 3

    def test_no_secret_and_no_message_of_aws_is_passed_on(self, fake: FakeAws, run: Runs) -> None:
        for kind, account in zip(("SCP", "", "session policy"), fake.accounts.values(), strict=False):
            account.denied = {"GetCredentialReport": kind}
        text = json.dumps(run(*ORGANIZATION)[1])
        assert "is not authorized" not in text
        assert "arn:aws:organizations" not in text


def seen_states(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The states of the accounts of the runs that follow."""
    from keyrules.run.conclusion import Conclusion

    states: dict[str, str] = {}
    conclude = Conclusion.conclude

    def noting(self: Conclusion, evaluation: Any, *others: Any) -> int:
        states.update({each.account: each.state for each in evaluation.accounts})
        return conclude(self, evaluation, *others)

    monkeypatch.setattr(Conclusion, "conclude", noting)
    return states


class TestVerification:
    def test_each_account_is_asked_with_its_own_credentials(self, fake: FakeAws, run: Runs) -> None:
        created = AS_OF - timedelta(days=500)
        for number in (ONE, TWO):
            fake.accounts[number].report = csv(number)
            fake.accounts[number].keys = {"ann": [FakeKey(f"AKIA{number}ANNA", created, AS_OF - timedelta(days=1))]}
        code, document = run(*ORGANIZATION, "--verify")
        assert (code, errors(document)) == (1, {})
        found = {(finding["subject"]["account"], finding["subject"]["key_id"]) for finding in document["findings"]}
        assert found == {(number, f"AKIA{number}ANNA") for number in (ONE, TWO)}
        assert {number for number, action in fake.calls if action == "ListAccessKeys"} == {ONE, TWO}

    @pytest.mark.parametrize(("hours", "found"), [(1, 0), (3, 1)])
    def test_what_is_new_is_newer_than_the_report(self, fake: FakeAws, run: Runs, hours: int, found: int) -> None:
        account = fake.accounts[ONE]
        account.report, account.made = csv(ONE, used=2), AS_OF - timedelta(hours=2)
        account.keys = {"ann": [FakeKey("AKIAIOSFODNN7EXAMPLE", AS_OF - timedelta(hours=hours))]}
        code, document = run(*ORGANIZATION, "--verify")
        assert (code, len(document["findings"])) == (found, found)

    def test_reports_in_files_are_verified_through_a_role(self, fake: FakeAws, run: Runs, tmp_path: Path) -> None:
        for number in (ONE, TWO):
            (tmp_path / f"{number}.csv").write_bytes(csv(number))
            fake.accounts[number].keys = {"ann": []}
        code, document = run(str(tmp_path), "--verify", "--role", "audit", "--as-of", "2026-06-01")
        assert (code, document["findings"]) == (0, [])
        code, document = run(str(tmp_path), "--verify", "--as-of", "2026-06-01")
        assert (code, len(document["findings"])) == (3, 2)
        assert all("--role NAME" in message for message in errors(document).values())

    def test_one_user_that_cannot_be_asked_about_costs_no_other(self, fake: FakeAws, run: Runs) -> None:
        prefix = f"arn:aws:iam::{ONE}:"
        rows = [line(name, **{**key(1, 500, 1), "arn": f"{prefix}user/{name}"}) for name in ("ann", "bob", "eve")]
        account = fake.accounts[ONE]
        account.report = report(line(ROOT, arn=f"{prefix}root"), *rows)
        account.keys = {"bob": [], "eve": []}
        account.errors = {"ListAccessKeys": ["ServiceFailure"] * 3}
        code, document = run(*ORGANIZATION, "--verify", "--parallel", "1")
        assert code == 3
        assert [finding["subject"]["user"] for finding in document["findings"]] == ["ann"]
        (message,) = errors(document).values()
        assert "could not be verified for ann: iam:ListAccessKeys failed inside AWS" in message


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--organization",), "add --role NAME"),
        (("--organization", "--role", "a role"), "is no role"),
        (("--organization", "--role", "x", "--accounts", "f"), "two lists"),
        (("--ou", "ou-ab12-12345678"), "add --organization"),
        ((*ORGANIZATION, "--ou", "Sandbox"), "no organizational unit"),
        (("--exclude-account", ONE), "add --organization or --accounts"),
        ((*ORGANIZATION, "--exclude-account", "12"), "no account"),
        ((*ORGANIZATION, "--via", "role"), "no ARN of a role"),
        ((*ORGANIZATION, "--external-id", "x"), "--external-id"),
        (("--external-id", "an-id"), "add --role"),
        (("--session-policy", "f"), "add --role"),
        ((*ORGANIZATION, "--session-policy", "/nonexistent"), "cannot be read"),
        ((*ORGANIZATION, "--session-policy", __file__), "is no JSON"),
        ((*ORGANIZATION, "--parallel", "0"), "from 1 to 128"),
        ((*ORGANIZATION, "--parallel", "many"), "from 1 to 128"),
        ((*ORGANIZATION, "--max-failed-accounts", "-1"), "from 0 to"),
        ((*ORGANIZATION, "--retry-failed"), "--keep-reports DIR"),
        (("--keep-reports", "d"), "add --organization or --accounts"),
        (("--max-failed-accounts", "1"), "add --organization or --accounts"),
        ((*ORGANIZATION, __file__), "two inputs"),
        (("--accounts", ""), "--accounts: the value is empty"),
        ((*ORGANIZATION, "--keep-reports", ""), "--keep-reports: the value is empty"),
        ((*ORGANIZATION, "--session-policy", ""), "--session-policy: the value is empty"),
        (("--role", ""), "--role: the value is empty"),
        (("--profile", ""), "--profile: the value is empty"),
        (("--max-report-age", ""), "--max-report-age: the value is empty"),
        (("--owner-tag", ""), "--owner-tag: the value is empty"),
        (("",), "one of the reports is named by the empty text"),
    ],
)
def test_wrong_usage(fake: FakeAws, run: Runs, argv: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(*argv)
    assert fake.calls == []


def test_a_session_policy_is_checked(run: Runs, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    for text, words in (("[]", "no Statement"), ('{"Statement": "' + "x" * 2048 + '"}', "2,048")):
        file.write_text(text)
        with pytest.raises(UsageError, match=words):
            run(*ORGANIZATION, "--session-policy", str(file))


def test_the_external_id_is_in_no_output(fake: FakeAws, run: Runs) -> None:
    canary = make_canary("external id")
    fake.accounts[ONE].denied = {"AssumeRole": "trust policy"}
    text = json.dumps(run(*ORGANIZATION, "--external-id", canary.session_token)[1])
    assert leaks([("json", text)], [canary]) == []


class TestTimeThatPasses:
    """The clock is read once, when the run begins."""

    LATER = AS_OF + timedelta(minutes=9)

    @pytest.fixture(autouse=True)
    def slow(self, fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reports take nine minutes, in which nobody has to wait."""
        passed = [0.0]
        monkeypatch.setattr(
            "keyrules.live.collection.time",
            SimpleNamespace(monotonic=lambda: passed[0], sleep=lambda _: passed.append(passed.pop() + 540)),
        )
        fake.now = self.LATER
        fake.accounts[ONE].made, fake.accounts[ONE].generation = None, 2

    @pytest.mark.parametrize("kept", [False, True])
    def test_a_report_that_aws_makes_meanwhile_is_not_from_the_future(
        self, tmp_path: Path, run: Runs, kept: bool
    ) -> None:
        code, document = run(*ORGANIZATION, *(("--keep-reports", str(tmp_path / "kept")) if kept else ()))
        assert (code, document["errors"]) == (0, [])
        made = {item["account"]: item["generated_at"] for item in document["inputs"]}
        assert made[ONE] == "2026-06-01T00:09:00Z"

    def test_neither_is_one_that_somebody_else_had_made(self, fake: FakeAws, run: Runs) -> None:
        fake.accounts[TWO].made = self.LATER
        assert run(*ORGANIZATION, "--parallel", "1")[0] == 0

    def test_one_from_later_than_now_is(self, fake: FakeAws, run: Runs) -> None:
        fake.now += timedelta(minutes=6)
        code, document = run(*ORGANIZATION)
        assert code == 3
        assert "in the future" in errors(document)[f"account {ONE} (name-0)"]

    def test_one_from_later_than_the_moment_that_was_asked_for_is(self, run: Runs) -> None:
        code, document = run(*ORGANIZATION, "--as-of", "2026-06-01T00:00:00Z", "--max-report-age", "24h")
        assert code == 3
        assert "in the future" in errors(document)[f"account {ONE} (name-0)"]

    def test_a_key_that_was_used_meanwhile_is_in_use(self, fake: FakeAws, run: Runs) -> None:
        fake.accounts[ONE].report = csv(ONE, 100, 95)
        created = AS_OF - timedelta(days=100)
        fake.accounts[ONE].keys = {"ann": [FakeKey("AKIAIOSFODNN7EXAMPLE", created, self.LATER)]}
        _, document = run(*ORGANIZATION, "--verify", "--rule", "KEY_AWS_002")
        assert (document["findings"], document["errors"]) == ([], [])
