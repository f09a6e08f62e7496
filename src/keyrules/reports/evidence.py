"""What the evidence formats share (text and CSV by control, HTML, OSCAL): names, places, populations, results."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from keyrules.controls.verdicts import rule_results
from keyrules.findings import Listing, findings_of, tally_of
from keyrules.model import ControlResult, Evaluation, Finding, KnownFinding, Outcome, RulePart, Status
from keyrules.reports.text_style import count_of

_POPULATION = {
    "users": ("user", "users"),
    "root_users": ("root user", "root users"),
    "access_keys": ("access key", "access keys"),
    "active_access_keys": ("active access key", "active access keys"),
    "console_passwords": ("console password", "console passwords"),
    "signing_certificates": ("signing certificate", "signing certificates"),
    "terraform_modules": ("Terraform root module", "Terraform root modules"),
    "plans": ("Terraform plan", "Terraform plans"),
    "cloudformation_templates": ("CloudFormation template", "CloudFormation templates"),
}

PROJECT = "https://github.com/keyrules/keyrules"

_MOST_ACCOUNTS = 10
_UNDECIDED = {Outcome.ADVERSE_EVIDENCE, Outcome.CLEAN_EVIDENCE, Outcome.NOT_ASSESSED}

MAPPING_NOTE = "Mappings of rules to controls are readings, not an assessor's opinion."


def results(evaluation: Evaluation) -> tuple[ControlResult, ...]:
    """The controls of the framework, or each rule as a control of its own where the run has none."""
    return evaluation.framework.controls if evaluation.framework is not None else rule_results(evaluation)


def population(evaluation: Evaluation) -> list[tuple[int, str]]:
    """How many of what was there, with the noun in its number; exceptions last."""
    counted = [
        (number, _POPULATION[name][number != 1])
        for name, number in evaluation.population.items()
        if name in _POPULATION
    ]
    exempt = evaluation.counts.exempt
    return [*counted, (exempt, "exception" if exempt == 1 else "exceptions")]


def population_line(evaluation: Evaluation) -> str:
    """The same as one line."""
    return ", ".join(f"{number:,} {noun}" for number, noun in population(evaluation))


def accounts_sentence(result: ControlResult) -> str:
    """How many accounts satisfy a control, and which do not, the first of them by name; empty for one account."""
    found = result.by_account
    # How many satisfy it is said even where none does, but not where no rule could have decided it.
    parts = ["0 satisfied"] if found and Outcome.SATISFIED not in found and not found.keys() <= _UNDECIDED else []
    for outcome, accounts in found.items():
        names = ", ".join(accounts[:_MOST_ACCOUNTS])
        names += f" and {len(accounts) - _MOST_ACCOUNTS:,} more" if len(accounts) > _MOST_ACCOUNTS else ""
        named = "" if outcome in (Outcome.SATISFIED, Outcome.CLEAN_EVIDENCE) else f" ({names})"
        parts.append(f"{len(accounts):,} {outcome.value}{named}")
    return f"Of {sum(map(len, found.values())):,} accounts {'; '.join(parts)}." if parts else ""


def of_part(evaluation: Evaluation, part: RulePart, *statuses: Status) -> Iterator[Finding]:
    """The findings that a rule has, of those statuses, in their order."""
    return findings_of(evaluation.findings, statuses, part.rule)


def unlisted(evaluation: Evaluation, part: RulePart) -> str:
    """How many verdicts other than PASS the report does not list, and why; empty where it lists all."""
    counts = part.counts
    kept = sum(
        number
        for (rule, _, status), number in tally_of(evaluation.findings).items()
        if rule == part.rule and status is not Status.PASS
    )
    known = len(known_of(evaluation, part.rule))
    missing = counts.failed + counts.unknown + counts.exempt - kept - known
    more = [f"{count_of(missing, 'more verdict')} of {part.rule} not listed"] if missing > 0 else []
    more += [f"{count_of(known, 'finding')} of {part.rule} known since the baseline"] if known else []
    return "; ".join(more)


def known_of(evaluation: Evaluation, rule: str) -> list[KnownFinding]:
    """The findings of a rule that the baseline of the run holds, which are not among those of the evaluation."""
    known = evaluation.baseline.known if evaluation.baseline is not None else ()
    return [each for each in known if each.finding.rule == rule]


def with_known(evaluation: Evaluation) -> Iterator[Finding]:
    """All findings, those last that the baseline of the run holds."""
    known = evaluation.baseline.known if evaluation.baseline is not None else ()
    return chain(evaluation.findings, (each.finding for each in known))


def accounts_in(evaluation: Evaluation) -> set[str]:
    """The accounts of a live run: those whose reports were judged, and those of findings that are there already."""
    named = {account for item in evaluation.inputs for account in (item.account or "").split(",") if account}
    known = evaluation.baseline.known if evaluation.baseline is not None else ()
    at_hand = () if isinstance(evaluation.findings, Listing) else evaluation.findings
    subjects = (finding.subject for finding in chain(at_hand, (each.finding for each in known)))
    return named | {subject.account for subject in subjects if subject is not None and subject.account}


def subject_name(finding: Finding) -> str:
    """What a finding is about: a credential's name, or an address in code."""
    if finding.location is not None:
        return finding.location.address
    return finding.subject.name if finding.subject is not None else ""


def declared_sentences(finding: Finding) -> list[str]:
    """What declares the key that a finding is about, a sentence for each; and that no state holds it, where it was said
    that all of them were given."""
    found = [each.sentence for each in finding.declared or ()]
    return [*found, "In no state that was given"] if finding.facts.get("held_by_a_state") is False else found


def place(finding: Finding) -> str:
    """Where that is: `path:line`, or the account."""
    if finding.location is not None:
        return f"{finding.location.path}:{finding.location.start_line}"
    return (finding.subject.account or "") if finding.subject is not None else ""
