"""The pieces of the HTML report: escaped text, badges, links and tables with the roles that stacking takes away."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

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
_SHORT_WORD = 22
_LONG = re.compile(rf"[^ ]{{{_SHORT_WORD + 1},}}")
_HYPHENED = re.compile(rf"(?<![^ ])(?=[^ ]*-)[^ ]{{3,{_SHORT_WORD}}}(?![^ ])")
_SEAMS = tuple(
    re.compile(seam)
    for seam in (r"(?<=/)(?=[^/])", r"(?<=[.:=,])(?=[^.:=,/])", r"(?<=[_-])(?=[^_-])", r"(?<=[a-z0-9])(?=[A-Z])")
)
"""Where a word may be broken, the best places first: in a path, an address, a name, a name in capitals and not."""
_PIECE = 20
_BREAK, _HOLD, _END = "\ue000", "\ue001", "\ue002"
"""Characters of private use, which `printable` leaves in no text."""


def text(value: object) -> str:
    """Anything as text that is only text: on one line, and escaped for content and attributes."""
    return html.escape(printable(str(value)), quote=True)


def words(value: object) -> str:
    """The same for content, with lines that end between words: a date, a region or an option stays whole, and what
    is too long for that, a path or an address, breaks after its punctuation. What is copied has nothing added."""
    marked = _LONG.sub(lambda found: _BREAK.join(_pieces(found[0])), printable(str(value)))
    marked = html.escape(_HYPHENED.sub(lambda found: f"{_HOLD}{found[0]}{_END}", marked), quote=True)
    return marked.replace(_BREAK, "<wbr>").replace(_HOLD, '<span class="w">').replace(_END, "</span>")


def _pieces(word: str, seams: Sequence[re.Pattern[str]] = _SEAMS) -> Iterator[str]:
    """A word cut at the best seams that leave no piece too long to stand in a column."""
    for piece in seams[0].split(word):
        if len(piece) > _PIECE and seams[1:]:
            yield from _pieces(piece, seams[1:])
        else:
            yield piece


def prose(value: str) -> str:
    """The same, with what stands between backticks as code."""
    parts = (words(part) for part in _CODE.split(value))
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def badge(tone: str, label: str) -> str:
    """A word in the colours of a verdict; the word says what the colour does."""
    return f'<span class="badge {tone}">{text(label)}</span>'


def link(anchor: str, label: str) -> str:
    """A link within the page."""
    return f'<a href="#{text(anchor)}">{text(label)}</a>'


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[int] = (),
    shares: Sequence[int] = (),
) -> str:
    """A table of cells that are HTML already; the first cell of a row is its header, `numbers` are aligned right.

    `shares` of the width, in percent, keep columns of prose readable whatever the longest word is; without them
    columns are as wide as what they hold. A narrow screen shows rows as blocks, which makes browsers forget that it is
    a table; hence the roles.
    """
    widths = "".join(f'<col style="width:{share}%">' for share in shares)
    fixed, widths = (" shared", f"<colgroup>{widths}</colgroup>\n") if shares else ("", "")
    head = "".join(
        f'<th scope="col" role="columnheader"{_right(index, numbers)}>{text(name)}</th>'
        for index, name in enumerate(columns)
    )
    body = "\n".join(f'<tr role="row">{"".join(_cells(columns, row, numbers))}</tr>' for row in rows)
    return (
        f'<table class="stack{fixed}" role="table"><caption>{caption}</caption>\n{widths}'
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
    return f'<div class="scroll matrix">{body}</div>' + (more if left > 0 else "")


def parameter_table(parameters: Sequence[ParameterInForce]) -> str:
    """What each parameter of each rule is set to, and who said so; nothing where the rules have none."""
    rows = (
        (
            text(each.rule),
            words(each.name),
            text(f"{show_value(each.value)} {each.unit}" if isinstance(each.value, int) else show_value(each.value))
            + (f"<small>{words(each.users)}</small>" if each.users else ""),
            text(show_value(each.default)),
            words(provenance(each)),
        )
        for each in parameters
    )
    columns = ("Rule", "Parameter", "Value", "Default", "From")
    caption = "What the rules ran with, those that pass, too"
    return table(caption, columns, rows, shares=(20, 22, 15, 12, 31)) if parameters else ""


def _cells(columns: Sequence[str], row: Sequence[str], numbers: Sequence[int]) -> Iterable[str]:
    yield f'<th scope="row" role="rowheader">{row[0]}</th>'
    for index, (name, cell) in enumerate(zip(columns[1:], row[1:], strict=True), start=1):
        label = f' data-label="{text(name)}"' if cell else ""
        yield f'<td role="cell"{label}{_right(index, numbers)}>{cell}</td>'


def _right(index: int, numbers: Sequence[int]) -> str:
    return ' class="num"' if index in numbers else ""
