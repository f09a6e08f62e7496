"""What an audit says beside its findings: when reports were made, who was counted. What repeats is one note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from keyrules.live.audit import ABSENT_ROOT_PASSES, Population, asks_of_root, never_has_root
from keyrules.live.credential_report import account_of, partition_of
from keyrules.live.live_findings import Kept
from keyrules.live.plan import Plan, reads_reports
from keyrules.live.remediation import UNKNOWN_KEY_ID
from keyrules.model import Selection
from keyrules.reports.text_style import count_of, first_of, iso_utc

if TYPE_CHECKING:
    from keyrules.live.account_audit import ReportResult


def moment_notes(results: Sequence[ReportResult]) -> Iterator[str]:
    """When the reports were made and judged; the age of a CSV is not known. Several that agree are one note."""
    groups: dict[tuple[bool, datetime | None], list[ReportResult]] = {}
    for result in results:
        made = result.item.generated_at
        own_moment = made is not None and made == result.as_of
        groups.setdefault((made is None, None if own_moment else result.as_of), []).append(result)
    for (undated, judged), group in groups.items():
        one = len(group) == 1
        dates = sorted({iso_utc(moment) for each in group if (moment := each.item.generated_at) is not None})
        if undated:
            source = "which does not say when it was made" if one else "which do not say when they were made"
        else:
            source = f"made {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "")
        name = group[0].item.name if one else count_of(len(group), "report")
        at = iso_utc(group[0].as_of) if judged or len(dates) == 1 else "the moment when each was made"
        yield f"{name}, {source}, {'is' if one else 'are'} judged as of {at}."


def root_notes(results: Iterable[ReportResult], plan: Plan) -> Iterator[str]:
    """What it means that accounts have no row for the root user; a note for each partition."""
    asked = [rule.id for rule in plan.rules if asks_of_root(rule)]
    passes = [rule.id for rule in plan.rules if rule.id == ABSENT_ROOT_PASSES]
    by_partition: dict[str, list[str]] = {}
    for result in results:
        for prefix in result.without_root:
            by_partition.setdefault(partition_of(prefix), []).append(prefix)
    for partition, prefixes in sorted(by_partition.items()):
        never = never_has_root(prefixes[0])
        verdict = "not evaluated" if never else "UNKNOWN"
        said = [f"{' and '.join(asked)} {'is' if len(asked) == 1 else 'are'} {verdict} there"] if asked else []
        said += [f"{rule} passes, because it shows nobody to protect" for rule in passes]
        accounts = sorted(set(map(account_of, prefixes)))
        whose = (
            f"The report of account {accounts[0]} has"
            if len(accounts) == 1
            else f"The reports of {count_of(len(accounts), 'account')} ({first_of(accounts)}) have"
        )
        as_all = f", as all reports of the partition {partition}" if never else ""
        if said:
            yield f"{whose} no row for the root user{as_all}, so {', and '.join(said)}."


def gap_notes(results: Iterable[ReportResult]) -> Iterator[str]:
    """Of which accounts nothing was given for rules that had something of others; a note for each set of rules."""
    rules: dict[str, set[str]] = {}
    for result in results:
        for account in (result.item.account or "").split(","):
            if result.gaps:
                rules.setdefault(account, set()).update(result.gaps)
    accounts: dict[tuple[str, ...], list[str]] = {}
    for account, lacking in sorted(rules.items()):
        accounts.setdefault(tuple(sorted(lacking)), []).append(account)
    for missed, names in accounts.items():
        yield (
            f"{first_of(missed, len(missed))} could not judge {count_of(len(names), 'account')} ({first_of(names)}), "
            "of which nothing that says more than a credential report was given."
        )


def left_to_keys(selection: Selection) -> list[str]:
    """Which of the rules that were asked for no audit judges."""
    ids = [rule.id for rule in selection.rules if rule.runtime is not None and not reads_reports(rule)]
    if not ids:
        return []
    verb, them = ("asks", "it") if len(ids) == 1 else ("ask", "them")
    return [f"{' and '.join(ids)} {verb} about code as well, so no audit judges {them}: `keyrules keys` does."]


def key_id_note(kept: Kept) -> list[str]:
    """What the placeholders in the steps stand for, said once."""
    if not kept.names_no_key_id:
        return []
    return [
        f"Reports hold no access key ids. For {UNKNOWN_KEY_ID}1 and {UNKNOWN_KEY_ID}2 take those that `aws iam "
        "list-access-keys --user-name NAME` shows with the keys' creation dates, or run with --verify, which fills "
        "them in."
    ]


def repetition_notes(results: Sequence[ReportResult]) -> Iterator[str]:
    """Accounts of which several reports were given: their users are counted once per report."""
    reports: dict[str, list[str]] = {}
    for result in results:
        for account in (result.item.account or "").split(","):
            reports.setdefault(account, []).append(result.item.name)
    repeated = {account: names for account, names in sorted(reports.items()) if len(names) > 1}
    for account, names in repeated.items() if len(repeated) == 1 else ():
        yield (
            f"Account {account} is in {len(names)} reports ({first_of(names)}), so its users are counted once for each."
        )
    if len(repeated) > 1:
        yield (
            f"{count_of(len(repeated), 'account')} ({first_of(repeated)}) are in several reports each, so their users "
            "are counted once for each."
        )


def population_note(total: Population) -> list[str]:
    """How much there was, whatever the verdicts."""
    return [
        f"Population: {count_of(total.users, 'user')} and {count_of(total.root_users, 'root user')} with "
        f"{count_of(total.access_keys, 'access key')} ({total.active_access_keys:,} active), "
        f"{count_of(total.console_passwords, 'console password')} and "
        f"{count_of(total.signing_certificates, 'signing certificate')}."
    ]
