"""The evidence as one HTML file that an auditor reads and prints: no scripts, nothing loaded from anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from keyrules.controls.verdicts import describe
from keyrules.findings import findings_of, grouped, tally_of
from keyrules.model import ControlResult, Counts, Evaluation, Finding, Outcome, Plane, ResolvedFinding, Rule, Status
from keyrules.reports.evidence import (
    MAPPING_NOTE,
    accounts_sentence,
    declared_sentences,
    known_of,
    place,
    population,
    results,
    subject_name,
)
from keyrules.reports.html_parts import (
    OUTCOME_TONES,
    SEVERITY_TONES,
    STATUS_TONES,
    account_matrix,
    badge,
    link,
    parameter_table,
    prose,
    table,
    text,
    words,
)
from keyrules.reports.html_style import style_sheet
from keyrules.reports.measured import Measures
from keyrules.reports.report_summary import ACCOUNT_COLUMNS, account_cells, severity_words, worst_account_first
from keyrules.reports.svg_charts import buckets, histogram, matrix, older_than_limit
from keyrules.reports.text_style import ReportOptions, advice_for, count_of, first_sentence, iso_utc

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PLANES = {Plane.CODE: "Code", Plane.LIVE: "Live accounts"}
_MOST = 5_000
"""Findings in one list of a page that a browser still opens at once."""
_MOST_OF_ACCOUNT = 200
_MEANINGS = {
    Outcome.SATISFIED: "The rules decide the whole control, everything was evaluated, and nothing fails.",
    Outcome.WITH_EXCEPTIONS: "The same, but for what accepted exceptions cover.",
    Outcome.NOT_SATISFIED: "A rule that decides the control, or a part of it, fails.",
    Outcome.PARTLY_ASSESSED: "Nothing that decides it fails, but a part was not, or could not be, evaluated.",
    Outcome.ADVERSE_EVIDENCE: "Nothing that ran decides it; a rule that is evidence for it fails or is excepted.",
    Outcome.CLEAN_EVIDENCE: "Nothing that ran decides it; every rule that is evidence for it passes.",
    Outcome.NOT_ASSESSED: "Nothing looked, nothing was there, or what was there could not be judged.",
}


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The evaluation as HTML; `options` change nothing. A list that is too long for a page says what it leaves out."""
    del options
    return _Page(evaluation).build()


class _Page:
    """Builds the sections of one report."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._framework = evaluation.framework
        self._results = results(evaluation)
        self._measures = Measures(evaluation.rules)
        self._rules = {rule.id: rule for rule in evaluation.rules}
        self._tally = tally_of(evaluation.findings)
        self._by_account = len({state.account for state in evaluation.accounts}) > 1
        self._verdicts = "controls" if evaluation.framework is not None else "rules"

    def build(self) -> Iterator[str]:
        """The whole document, a piece for each section."""
        sections = {
            "summary": ("Summary", self._summary()),
            "accounts": ("Accounts", self._account_table()),
            "verdicts": (f"Verdict per {self._verdicts.removesuffix('s')}", self._verdict_table()),
            "controls-by-account": (
                f"{self._verdicts.capitalize()} by account",
                account_matrix([(self._label(result), result.by_account) for result in self._results]),
            ),
            "figures": ("Figures", self._figures()),
            "findings": ("Findings", self._failed()),
            "baseline": ("Since the baseline", self._since_baseline()),
            "exceptions": ("Exceptions", self._list(Status.EXEMPT, "There are no exceptions.")),
            "parameters": ("Parameters in force", parameter_table(self._evaluation.parameters)),
            "open": ("What could not be evaluated", self._open()),
            "passed": ("Passed", self._list(Status.PASS, "")),
            "basis": ("What was looked at", self._basis()),
        }
        shown = {anchor: (name, body) for anchor, (name, body) in sections.items() if body}
        subject = self._framework.name if self._framework is not None else "Long-lived AWS credentials"
        plane = _PLANES[self._evaluation.plane]
        links = "".join(f"<li>{link(anchor, name)}</li>" for anchor, (name, _) in shown.items())
        stamp = self._evaluation.pack
        yield (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{text(_POLICY)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{text(subject)}: keyrules evidence, {text(iso_utc(self._evaluation.as_of))}</title>\n"
            f"<style>\n{style_sheet()}</style>\n</head>\n<body>\n"
            '<a class="skip" href="#main">Skip to the report</a>\n'
            f'<header>\n<p class="brand">keyrules evidence</p>\n<h1>{text(subject)}</h1>\n'
            f'<p class="lead">{plane}, as of {self._moment()}</p>\n</header>\n'
            f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main id="main">\n'
        )
        for anchor, (name, part) in shown.items():
            yield (
                f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
                f'<h2 id="{anchor}-title">{text(name)}</h2>\n{part}\n</section>\n'
            )
        yield (
            f"</main>\n<footer>\n<p>keyrules {text(stamp.version)}. {text(MAPPING_NOTE)}</p>\n</footer>\n"
            "</body>\n</html>\n"
        )

    def _moment(self) -> str:
        moment = self._evaluation.as_of
        shown = f"{moment.day} {moment:%B %Y, %H:%M} UTC"
        return f'<time datetime="{text(iso_utc(moment))}">{text(shown)}</time>'

    def _summary(self) -> str:
        outcomes = Counter(result.outcome for result in self._results)
        tiles = "".join(
            f'<li class="{tone}"><b>{outcomes[outcome]:,}</b> {outcome.value}</li>'
            for outcome, tone in OUTCOME_TONES.items()
        )
        counts, errors = self._evaluation.counts, self._evaluation.errors
        missing = [count_of(counts.unknown, "verdict") + " UNKNOWN"] if counts.unknown else []
        missing += [count_of(len(errors), "error")] if errors else []
        call = (
            f'<p class="call">Not everything was evaluated: {", ".join(missing)}. {link("open", "See what")}</p>\n'
            if missing
            else ""
        )
        there = ", ".join(f"{number:,} {noun}" for number, noun in population(self._evaluation))
        return (
            f'{call}<ul class="tiles" aria-label="{self._verdicts.capitalize()} by verdict">{tiles}</ul>\n'
            f"<dl><dt>Population</dt><dd>{text(there)}</dd>"
            f"<dt>Checks</dt><dd>{counts.evaluated:,}: {text(describe(counts))}</dd></dl>"
        )

    def _verdict_table(self) -> str:
        if not self._results:
            return "<p>No rule ran.</p>"
        head = self._verdicts.removesuffix("s").capitalize()
        caption = f"{count_of(len(self._results), head.lower())}, each with its verdict and why"
        columns = (head, "Verdict", "Why", *(("Rules",) if self._framework is not None else ()))
        shares = (21, 21, 33, 25) if self._framework is not None else (30, 20, 50)
        body = table(caption, columns, (self._verdict_row(result) for result in self._results), shares=shares)
        meanings = "".join(
            f"<dt>{badge(OUTCOME_TONES[outcome], outcome.value)}</dt><dd>{text(meaning)}</dd>"
            for outcome, meaning in _MEANINGS.items()
        )
        notes = "".join(f"<p>{prose(note)}</p>" for note in (self._framework.notes if self._framework else ()))
        return f"{notes}{body}\n<h3>What the verdicts mean</h3>\n<dl>{meanings}</dl>"

    def _verdict_row(self, result: ControlResult) -> tuple[str, ...]:
        rest = "".join(f"<small>{words(said)}</small>" for said in [accounts_sentence(result)] if said)
        rest += "".join(
            f"<small>{text(each.statement)}: {badge(OUTCOME_TONES[each.outcome], each.outcome.value)} "
            f"{prose(each.reason)}</small>"
            for each in result.statements
        )
        rest += "".join(f"<small>Not decided: {prose(each)}</small>" for each in result.rest if result.parts)
        rest += "".join(self._known_of(part.rule) for part in result.parts)
        verdict = badge(OUTCOME_TONES[result.outcome], result.outcome.value)
        why = f"{prose(result.reason)}{rest}"
        if self._framework is None:
            return f"{self._rule(result.control)}<small>{words(result.title)}</small>", verdict, why
        parts = (
            f"{self._rule(part.rule)}<small>{words(' '.join(filter(None, (part.relation, part.bound))))}</small>"
            for part in result.parts
        )
        return f"{words(self._label(result))}<small>{words(result.title)}</small>", verdict, why, "".join(parts)

    def _label(self, result: ControlResult) -> str:
        return self._framework.label(result) if self._framework is not None else result.control

    def _rule(self, rule: str) -> str:
        """A rule's id, as a link where the page lists its failures."""
        listed = any(number and (of, status) == (rule, Status.FAIL) for (of, _, status), number in self._tally.items())
        anchor = "findings" if self._by_account else f"fail-{rule}"
        return link(anchor, rule) if listed else text(rule)

    def _known_of(self, rule: str) -> str:
        """How much of what a verdict counts the baseline holds, so that it adds up with the new findings."""
        known = len(known_of(self._evaluation, rule))
        shown = link("baseline", "known since the baseline")
        return f"<small>Of {text(rule)}, {count_of(known, 'finding')} {shown}</small>" if known else ""

    def _figures(self) -> str:
        counts = {rule.id: self._evaluation.rule_counts.get(rule.id, Counts()) for rule in self._evaluation.rules}
        figures = []
        ages = self._evaluation.key_ages
        if ages is not None:
            older, total = older_than_limit(ages), sum(ages.counts) + ages.undated
            undated = f" {count_of(ages.undated, 'key')} without a usable date." if ages.undated else ""
            rows = [(text(name), f"{number:,}") for name, number in buckets(ages)]
            numbers = table("Active access keys by age", ("Age in days", "Keys"), rows, numbers=(1,))
            figures.append(
                f"<figure><figcaption>Active access keys by age<small>{older:,} of {count_of(total, 'key')} "
                f"{'is' if older == 1 else 'are'} older than {ages.limit_days:,} days.{text(undated)}</small>"
                f"</figcaption>\n{histogram(ages)}\n"
                f"<details><summary>The numbers</summary>{numbers}</details></figure>"
            )
        known = ", with what the baseline holds" if self._evaluation.baseline is not None else ""
        figures.append(
            f"<figure><figcaption>Rules by verdict<small>How many subjects each rule judged, and how{known}.</small>"
            f"</figcaption>\n{matrix(counts)}</figure>"
        )
        return f'<div class="charts">{"".join(figures)}</div>' if counts else ""

    def _account_table(self) -> str:
        """What became of each account, the worst first; nothing where there is one."""
        if not self._by_account:
            return ""
        failing = {group.name for group in grouped(self._evaluation.findings, "account", (Status.FAIL,))}
        states = sorted(self._evaluation.accounts, key=worst_account_first)
        rows = (
            (
                (link(f"account-{state.account}", state.account) if state.account in failing else text(state.account))
                + (f"<small>{text(state.name)}</small>" if state.name else ""),
                *(text(cell) for cell in account_cells(state, self._evaluation.as_of)),
                text(state.state) + (f"<small>{text(state.cause)}</small>" if state.cause else ""),
            )
            for state in states
        )
        numbers = range(1, len(ACCOUNT_COLUMNS) + 1)
        caption = count_of(len(states), "account")
        return f'<div class="scroll">{table(caption, ("Account", *ACCOUNT_COLUMNS, "State"), rows, numbers)}</div>'

    def _failed(self) -> str:
        """What fails, by account where there are several; what is less severe can be put out of sight."""
        body = self._accounts() if self._by_account else self._list(Status.FAIL, "Nothing failed.")
        there = {severity for (_, severity, status), number in self._tally.items() if number and status is Status.FAIL}
        if len(there) < 2:
            return body
        names = ["all", *(f"{severity.name.lower()}" for severity in sorted(there, reverse=True)[:-1])]
        choices = "".join(
            f'<input type="radio" name="severity" id="show-{name}"{" checked" if name == "all" else ""}>'
            f'<label for="show-{name}">{name if name in ("all", "critical") else f"{name} and above"}</label>'
            for name in names
        )
        return f'<div class="choice"><span>Show</span>{choices}<div class="chosen">{body}</div></div>'

    def _accounts(self) -> str:
        blocks, left = [], _MOST
        for group in grouped(self._evaluation.findings, "account", (Status.FAIL,)):
            number = sum(group.numbers.values())
            found = list(islice(group.findings, min(left, _MOST_OF_ACCOUNT)))
            left -= len(found)
            words = severity_words({severity: count for (severity, _), count in group.numbers.items()})
            tables = [
                self._finding_table(self._rules[rule], Status.FAIL, list(own), "")
                for rule, own in groupby(found, key=lambda finding: finding.rule)
            ]
            tables += [_left_out(number - len(found), "finding", "findings")] if number > len(found) else []
            summary = f"<summary>account {text(group.name)} ({words})</summary>"
            blocks.append(f'<details id="account-{text(group.name)}">{summary}{"".join(tables)}</details>')
        return "\n".join(blocks) or "<p>Nothing failed.</p>"

    def _list(self, status: Status, nothing: str) -> str:
        """A table per rule. Findings that a run only counted are said to be missing."""
        blocks, left = [], _MOST
        for rule in self._evaluation.rules:
            listed = sum(number for (of, _, was), number in self._tally.items() if (of, was) == (rule.id, status))
            counted = dict(_by_status(self._evaluation.rule_counts.get(rule.id, Counts())))[status]
            found = list(islice(findings_of(self._evaluation.findings, (status,), rule.id), left)) if listed else []
            left -= len(found)
            if found:
                anchor = f' id="{status.value.lower()}-{text(rule.id)}"'
                blocks.append(self._finding_table(rule, status, found, anchor))
            if listed > len(found):
                blocks.append(_left_out(listed - len(found), f"finding of {rule.id}", f"findings of {rule.id}"))
            known = sum(each.finding.status is status for each in known_of(self._evaluation, rule.id))
            if status is not Status.PASS and counted > listed + known:
                blocks.append(f"<p>{text(rule.id)}: {counted - listed - known:,} more, counted and not listed.</p>")
            if known:
                blocks.append(f"<p>{text(rule.id)}: {known:,} {link('baseline', 'known since the baseline')}.</p>")
        return "\n".join(blocks) or (f"<p>{text(nothing)}</p>" if nothing else "")

    def _finding_table(self, rule: Rule, status: Status, found: list[Finding], anchor: str) -> str:
        label = rule.severity.name if status is Status.FAIL else status.value
        tone = SEVERITY_TONES[rule.severity] if status is Status.FAIL else STATUS_TONES[status]
        caption = f'{badge(tone, label)} {text(rule.id)}<span class="lead">{text(rule.name)} ({len(found):,})</span>'
        last = {Status.FAIL: "Next step", Status.EXEMPT: "Why it is excepted"}.get(status)
        columns = ("Subject", "What was found", *([last] if last else ()))
        rows = ((*self._cells(item), *([self._last(item)] if last else ())) for item in found)
        body = table(caption, columns, rows, shares=(28, 40, 32) if last else (28, 72))
        return f'<div{anchor} class="scroll is-{rule.severity.name.lower()}">{body}</div>'

    def _cells(self, finding: Finding) -> tuple[str, str]:
        owner = finding.subject.owner if finding.subject is not None else None
        where = place(finding) if finding.location is not None else f"account {place(finding) or 'unknown'}"
        more = f"<small>{words(where)}</small>" + (f"<small>owner {words(owner)}</small>" if owner else "")
        more += "".join(f"<small>{words(sentence)}</small>" for sentence in declared_sentences(finding))
        measured = self._measures.beyond_message(finding)
        found = prose(finding.message) + (f"<small>{words(measured)}</small>" if measured else "")
        return f"{words(subject_name(finding))}{more}", found

    def _last(self, finding: Finding) -> str:
        if finding.status is Status.EXEMPT:
            return words(finding.exemption_text)
        return prose(first_sentence(advice_for(finding.plane, finding.remediation)))

    def _since_baseline(self) -> str:
        """What the baseline holds and is still there, and what of it is gone. The verdicts count what is there."""
        report = self._evaluation.baseline
        if report is None:
            return ""
        known = (
            (*self._cells(each.finding), text(each.finding.rule), words(iso_utc(each.first_seen)))
            for each in report.known[:_MOST]
        )
        resolved = (
            (
                f"{words(each.name)}<small>{words(each.path or _account(each))}</small>",
                text(each.rule),
                words(iso_utc(each.first_seen)),
            )
            for each in report.resolved[:_MOST]
        )
        made = f", as of {text(iso_utc(report.as_of))}" if report.as_of is not None else ""
        parts = [f"<p>Compared with {text(report.name)}{made}.</p>"]
        if report.known:
            columns = ("Subject", "What was found", "Rule", "First seen")
            parts.append(table(f"Known ({len(report.known):,})", columns, known, shares=(28, 36, 16, 20)))
        if report.resolved:
            head = ("Subject", "Rule", "First seen")
            parts.append(table(f"Resolved ({len(report.resolved):,})", head, resolved, shares=(56, 20, 24)))
        over = max(0, len(report.known) - _MOST) + max(0, len(report.resolved) - _MOST)
        parts += [_left_out(over, "finding of the baseline", "findings of the baseline")] if over else []
        if report.kept:
            parts.append(f"<p>{report.kept:,} of the baseline not looked at in this run.</p>")
        return "\n".join(parts)

    def _open(self) -> str:
        parts = []
        if self._evaluation.errors:
            rows = ((words(e.input), prose(e.message)) for e in self._evaluation.errors)
            caption = "Errors: what these inputs hold is not in the verdicts"
            parts.append(table(caption, ("Input", "What happened"), rows, shares=(36, 64)))
        gaps = [
            f"<p>{text(rule)} could not judge {text(', '.join(names))}.</p>"
            for rule, names in self._evaluation.gaps.items()
        ]
        unknown = self._list(Status.UNKNOWN, "")
        return "\n".join([*parts, *gaps, *([unknown] if unknown else [])]) or "<p>Everything was evaluated.</p>"

    def _basis(self) -> str:
        evaluation, stamp = self._evaluation, self._evaluation.pack
        facts = [("As of", text(iso_utc(evaluation.as_of))), ("Rule pack", f"keyrules {text(stamp.version)}")]
        facts.append(("SHA-256 of the pack", f'<span class="hash">{text(stamp.sha256)}</span>'))
        if self._framework is not None:
            facts.append(("Framework", f"{text(self._framework.name)} ({text(self._framework.key)})"))
            facts.append(("Published at", words(self._framework.url)))
        basis = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
        inputs = table(
            f"{count_of(len(evaluation.inputs), 'input')}, each with the hash of what was read",
            ("Input", "Kind", "Account", "Made", "SHA-256"),
            self._inputs(),
            shares=(25, 13, 19, 18, 25),
        )
        notes = "".join(f"<li>{prose(note)}</li>" for note in (*evaluation.warnings, *evaluation.notes))
        return f"<dl>{basis}</dl>\n<h3>Inputs</h3>\n{inputs}" + (f"\n<h3>Notes</h3>\n<ul>{notes}</ul>" if notes else "")

    def _inputs(self) -> Iterator[tuple[str, ...]]:
        for item in self._evaluation.inputs:
            made = iso_utc(item.generated_at) if item.generated_at is not None else ""
            digest = f'<span class="hash">{text(item.sha256)}</span>' if item.sha256 else "not read"
            yield words(item.name), text(item.kind.replace("_", " ")), text(item.account or ""), words(made), digest


def _left_out(number: int, one: str, many: str) -> str:
    shown = text(count_of(number, f"more {one}", f"more {many}"))
    return f"<p>{shown} left out of this page; <code>--format csv=FILE</code> and <code>json=FILE</code> list all.</p>"


def _account(gone: ResolvedFinding) -> str:
    return f"account {gone.subject.account or 'unknown'}" if gone.subject is not None else ""


def _by_status(counts: Counts) -> Iterable[tuple[Status, int]]:
    return (
        (Status.FAIL, counts.failed),
        (Status.UNKNOWN, counts.unknown),
        (Status.EXEMPT, counts.exempt),
        (Status.PASS, counts.passed),
    )
