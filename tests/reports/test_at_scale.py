"""What reports on many accounts look like, and that they are made piece by piece."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from credential_reports import AS_OF, evaluate, key, line, pack, report, selection
from evaluations import every_kind_of_live_result, live_finding, make_evaluation

from keyrules.live.account_audit import AuditRequest, audit_report, combine
from keyrules.live.limits import Limits
from keyrules.live.report_inputs import from_stream
from keyrules.model import AccountState, ConfigurationUse, Evaluation, Plane, Status
from keyrules.records import replace
from keyrules.reports import html as html_report
from keyrules.reports.oscal import observed
from keyrules.reports.report_formats import FORMATS, formats_of
from keyrules.reports.text_style import ReportOptions

ACCOUNTS = [f"{number:012}" for number in (1, 2, 3)]


def content(account: str, users: int) -> bytes:
    rows = [line(f"u{n:02}", **key(1, 100 + n, used=1), **key(2, 300, used=n)) for n in range(users)]
    return report(*rows).replace(b"123456789012", account.encode())


def several(*reports: tuple[str, int]) -> Evaluation:
    asked = AuditRequest(pack().stamp, Limits(selection()), now=AS_OF, as_of=AS_OF, max_age=None)
    results = [
        audit_report(f"{n}.csv", from_stream(io.BytesIO(content(*each))), asked) for n, each in enumerate(reports)
    ]
    return combine(results, asked).evaluation


def credentials(text: str) -> list[str]:
    """The lines of credentials, but for what stands below each of them and for notes that go on."""
    lines = [line for line in text.splitlines() if line.startswith("  ") and line[2] != " "]
    return [line for line in lines if "key 1" in line or "key 2" in line or "root" in line]


def written(evaluation: Evaluation, form: str = "text", **options: object) -> str:
    return "".join(FORMATS[form].render(evaluation, ReportOptions(**options)))  # type: ignore[arg-type]


def test_text_begins_with_the_accounts_the_worst_first() -> None:
    evaluation = several((ACCOUNTS[0], 1), (ACCOUNTS[1], 9), (ACCOUNTS[2], 2))
    unreached = AccountState("000000000009", "throttled", "Rate exceeded.")
    table = written(replace(evaluation, accounts=(*evaluation.accounts, unreached))).split("\n\n")[0].splitlines()
    assert [row.split()[0] for row in table] == [
        "Accounts",
        "account",
        "000000000009",
        *map(ACCOUNTS.__getitem__, (1, 2, 0)),
    ]
    assert table[1].split()[1:5] == ["users", "active", "keys", "oldest"]
    assert table[2].split()[-1] == "throttled"
    assert table[3].split()[1:3] == ["9", "18"]
    assert "Accounts" not in written(several((ACCOUNTS[0], 2)))
    assert "Accounts" not in written(evaluation, quiet=True)


@pytest.mark.parametrize("by", ["rule", "user", "account", "owner"])
def test_each_grouping_lists_every_finding_once(by: str) -> None:
    evaluation = several((ACCOUNTS[0], 2), (ACCOUNTS[1], 3))
    blocks = written(evaluation, group_by=by).split("\n\n")[1:-2]
    assert sum(len(credentials(block)) for block in blocks) == len(evaluation.findings)
    if by == "user":
        heads = [block.split(" (")[0] for block in blocks]
        assert heads[0] == f"user <root_account> in account {ACCOUNTS[0]}", "of the worst finding"
        assert len(set(heads)) == len(heads) == 2 + 5
    if by == "account":
        assert [block.split()[1] for block in blocks] == [ACCOUNTS[0], ACCOUNTS[1]]


def test_a_group_is_found_in_what_was_spilled_and_in_a_tuple(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = several((ACCOUNTS[0], 3), (ACCOUNTS[1], 4))
    text = [written(plain, group_by=by) for by in ("user", "account", "owner", "rule")]
    monkeypatch.setattr("keyrules.live.sorted_runs.SortedRuns.__init__.__defaults__", (3,))
    spilled = several((ACCOUNTS[0], 3), (ACCOUNTS[1], 4))
    assert [written(spilled, group_by=by) for by in ("user", "account", "owner", "rule")] == text
    in_memory = replace(plain, findings=tuple(plain.findings))
    assert [written(in_memory, group_by=by) for by in ("user", "account", "owner", "rule")] == text


def test_a_terminal_gets_the_first_and_the_way_to_the_rest() -> None:
    evaluation = several((ACCOUNTS[0], 30))
    shown, whole = written(evaluation, terminal=True), written(evaluation)
    assert "and 20 more findings: a file or a pipe gets all" in shown
    assert shown.count("Next:") > 0
    assert len(credentials(whole)) == len(evaluation.findings)
    assert "more finding" not in whole
    users = written(evaluation, terminal=True, group_by="user")
    assert "and 6 more users" in users


def test_a_rule_with_many_findings_gives_its_advice_once() -> None:
    block = next(each for each in written(several((ACCOUNTS[0], 30))).split("\n\n") if "KEY_AWS_003" in each)
    assert block.count("Next:") == 1
    assert len(block.splitlines()) < 30 + 6


def test_statistics_count_by_rule_account_and_owner() -> None:
    text = written(several((ACCOUNTS[0], 2)), statistics=True, quiet=True)
    assert [head for head in ("Accounts (1)", "Verdicts by rule", "Findings by owner") if head in text] == [
        "Accounts (1)", "Verdicts by rule", "Findings by owner",
    ]  # fmt: skip
    assert "--verify asks the account" in text
    owned = [live_finding(), replace(live_finding(), subject=replace(live_finding().subject, owner="ops"))]  # type: ignore[type-var]
    assert "ops                           1" in written(make_evaluation(*owned, plane=Plane.LIVE), statistics=True)


@pytest.mark.parametrize("form", ["asff", "ocsf"])
def test_the_same_account_of_two_days_has_each_identity_once(form: str) -> None:
    records = json.loads(written(several((ACCOUNTS[0], 3), (ACCOUNTS[0], 3), (ACCOUNTS[1], 2)), form))
    ids = [each["Id"] if form == "asff" else each["finding_info"]["uid"] for each in records]
    assert len(set(ids)) == len(ids)
    alone = json.loads(written(several((ACCOUNTS[0], 3), (ACCOUNTS[1], 2)), form))
    assert len(ids) == len(alone) > 5


@pytest.mark.parametrize("form", formats_of(Plane.LIVE))
def test_every_format_says_what_a_configuration_did(form: str) -> None:
    use = ConfigurationUse("team.yaml", by_itself=True, rules_off=("KEY_AWS_003",))
    evaluation = replace(every_kind_of_live_result(), configuration=use)
    # The run itself puts the sentence among its notes.
    text = written(replace(evaluation, notes=(*evaluation.notes, use.sentence)), form)
    assert "team.yaml" in text
    assert "KEY_AWS_003" in text
    assert "team.yaml" not in written(replace(evaluation, configuration=None), form)


@pytest.mark.parametrize("form", formats_of(Plane.LIVE))
def test_a_report_is_not_made_before_it_is_asked_for(form: str) -> None:
    pieces = FORMATS[form].render(several((ACCOUNTS[0], 40)), ReportOptions())
    first = next(iter(pieces))
    assert len(first) < len(first + "".join(pieces)) or form == "oscal"


class Details(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.inputs: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag == "input":
            self.inputs += [value or "" for name, value in attrs if name == "id"]


def test_html_has_a_section_for_each_account_and_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = several((ACCOUNTS[0], 2), (ACCOUNTS[1], 3))
    page = Details(written(evaluation, "html"))
    assert sorted(page.ids) == [f"account-{account}" for account in ACCOUNTS[:2]]
    assert page.inputs == ["show-all", "show-medium"]
    monkeypatch.setattr(html_report, "_MOST", 4)
    assert "left out of this page" in written(evaluation, "html")


def test_oscal_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed, "MOST", 4)
    evaluation = several((ACCOUNTS[0], 3))
    (result,) = json.loads(written(evaluation, "oscal"))["assessment-results"]["results"]
    assert f"{len(evaluation.findings) - 4} findings are left out here" in result["remarks"]
    assert sum(len(each.get("subjects", ())) for each in result["observations"]) == 4


def test_json_has_the_accounts() -> None:
    (account,) = json.loads(written(several((ACCOUNTS[0], 2)), "json"))["accounts"]
    assert (account["account"], account["state"], account["users"], account["active_keys"]) == (
        ACCOUNTS[0],
        "evaluated",
        2,
        4,
    )
    assert account["fail"]["LOW"] == 4
    assert account["oldest_active_key"] == "2025-08-05T00:00:00Z"


def test_csv_is_what_a_reader_of_csv_takes_it_for() -> None:
    evaluation = make_evaluation(live_finding(message='a "b", c\nd\r;=e', reason="x,y"), plane=Plane.LIVE)
    (_, row) = csv.reader(io.StringIO(written(evaluation, "csv"), newline=""))
    assert row[13:15] == ["x,y", 'a "b", c\\nd\\r;=e']


def test_counting_only_lists_nothing_and_says_so() -> None:
    evaluation = evaluate(content("123456789012", 3), request={"keep_findings": False, "keep_passing": False})
    assert list(evaluation.findings) == []
    rows = list(csv.DictReader(io.StringIO(written(evaluation, "csv"))))
    assert [row["status"] for row in rows] == ["NOT_LISTED"]
    assert evaluation.counts.failed > 0
    assert Status.FAIL not in {finding.status for finding in evaluation.findings}
