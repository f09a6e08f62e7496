"""The pieces of the HTML report: escaped text, badges, links and tables with the roles that stacking takes away."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence

from keyrules.model import Outcome, ParameterInForce, Severity, Status
from keyrules.pack.parameters import show_value
from keyrules.reports.parameters import provenance
from keyrules.reports.text_style import printable

OUTCOME_TONES = {
    Outcome.SATISFIED: "good",
    Outcome.WITH_EXCEPTIONS: "part",
    Outcome.NOT_SATISFIED: "bad",
    Outcome.PARTLY_ASSESSED: "part",
    Outcome.ADVERSE_EVIDENCE: "bad",
    Outcome.CLEAN_EVIDENCE: "none",
    Outcome.NOT_ASSESSED: "none",
}
STATUS_TONES = {Status.PASS: "good", Status.FAIL: "bad", Status.EXEMPT: "part", Status.UNKNOWN: "none"}
SEVERITY_TONES = {Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.MEDIUM: "part", Severity.LOW: "none"}
_CODE = re.compile(r"`([^`]+)`")


def text(value: object) -> str:
    """Anything as text that is only text: on one line, and escaped for content and attributes."""
    return html.escape(printable(str(value)), quote=True)


def prose(value: str) -> str:
    """The same, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", text(value))


def badge(tone: str, label: str) -> str:
    """A word in the colours of a verdict; the word says what the colour does."""
    return f'<span class="badge {tone}">{text(label)}</span>'


def link(anchor: str, label: str) -> str:
    """A link within the page."""
    return f'<a href="#{text(anchor)}">{text(label)}</a>'


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of cells that are HTML already; the first cell of a row is its header, `numbers` are aligned right.

    A narrow screen shows rows as blocks, which makes browsers forget that it is a table; hence the roles.
    """
    head = "".join(
        f'<th scope="col" role="columnheader"{_right(index, numbers)}>{text(name)}</th>'
        for index, name in enumerate(columns)
    )
    body = "\n".join(f'<tr role="row">{"".join(_cells(columns, row, numbers))}</tr>' for row in rows)
    return (
        f'<table class="stack" role="table"><caption>{caption}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n<tbody role="rowgroup">\n{body}\n</tbody></table>'
    )


_SHORT = {
    Outcome.SATISFIED: "yes",
    Outcome.WITH_EXCEPTIONS: "except",
    Outcome.NOT_SATISFIED: "no",
    Outcome.PARTLY_ASSESSED: "partly",
    Outcome.ADVERSE_EVIDENCE: "adverse",
    Outcome.CLEAN_EVIDENCE: "clean",
    Outcome.NOT_ASSESSED: "–",
}
_MOST_ACCOUNTS = 500


def account_matrix(controls: Sequence[tuple[str, Mapping[Outcome, Sequence[str]]]]) -> str:
    """Accounts by controls, a word for each verdict; nothing where there are not several accounts."""
    verdicts: dict[str, dict[str, Outcome]] = {}
    for control, by_account in controls:
        for outcome, accounts in by_account.items():
            for account in accounts:
                verdicts.setdefault(account, {})[control] = outcome
    if not verdicts:
        return ""
    names = [control for control, _ in controls]
    rows = (
        (text(account), *(badge(OUTCOME_TONES[own[name]], _SHORT[own[name]]) if name in own else "" for name in names))
        for account, own in sorted(verdicts.items())[:_MOST_ACCOUNTS]
    )
    legend = ", ".join(f"{short}: {outcome.value}" for outcome, short in _SHORT.items())
    left = len(verdicts) - _MOST_ACCOUNTS
    more = f"<p>{left:,} more accounts left out of this page; <code>--format csv=FILE</code> lists all.</p>"
    body = table(text(legend), ("Account", *names), rows)
    return f'<div class="scroll">{body}</div>' + (more if left > 0 else "")


def parameter_table(parameters: Sequence[ParameterInForce]) -> str:
    """What each parameter of each rule is set to, and who said so; nothing where the rules have none."""
    rows = (
        (
            text(each.rule),
            text(each.name),
            text(f"{show_value(each.value)} {each.unit}")
            + (f"<small>{text(each.users)}</small>" if each.users else ""),
            text(show_value(each.default)),
            text(provenance(each)),
        )
        for each in parameters
    )
    columns = ("Rule", "Parameter", "Value", "Default", "From")
    return table("What the rules ran with, those that pass, too", columns, rows) if parameters else ""


def _cells(columns: Sequence[str], row: Sequence[str], numbers: Sequence[int]) -> Iterable[str]:
    yield f'<th scope="row" role="rowheader">{row[0]}</th>'
    for index, (name, cell) in enumerate(zip(columns[1:], row[1:], strict=True), start=1):
        label = f' data-label="{text(name)}"' if cell else ""
        yield f'<td role="cell"{label}{_right(index, numbers)}>{cell}</td>'


def _right(index: int, numbers: Sequence[int]) -> str:
    return ' class="num"' if index in numbers else ""
