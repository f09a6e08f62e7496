"""Markdown for a pull request's comment or a job's summary: the verdict, the worst first, and what to change.

GitHub takes 65,536 characters in a comment and 1 MiB in a step's summary. The page stays below MAXIMUM, and says how
many lines of which list were left out and where the whole list is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from keyrules.findings import findings_of
from keyrules.model import BaselineReport, Evaluation, Finding, ParameterInForce, Plane, ResolvedFinding, Rule, Status
from keyrules.pack.parameters import show_value
from keyrules.reports.evidence import declared_sentences, place, subject_name
from keyrules.reports.parameters import provenance
from keyrules.reports.report_summary import headline, not_listed, with_status, worst_first
from keyrules.reports.text_style import (
    ReportOptions,
    advice_for,
    block_text,
    count_of,
    first_sentence,
    iso_utc,
    printable,
)

_OPENING, _STOPS, _CLOSING = "(\"'", ".,;:!?", ".,;:!?)\"'"
# A word, a number, an abbreviation or a dash. `GH-1` is a reference to an issue on GitHub.
_PLAIN = re.compile(
    r"""(?![Gg][Hh]-\d)(?:[^\W_]+(?:[-–/’'][^\W_]+)*|\d+(?:[.,]\d+)*%?|(?:[^\W\d_]\.)+[^\W\d_]|[-–—→…]+)"""
)
_RUN_OF_BACKTICKS = re.compile("`+")
# cmark-gfm takes no longer run for the beginning of a code span than 80 (MAXBACKTICKS of its inlines.c).
_TOO_MANY_BACKTICKS = re.compile("`{40,}")
_ELLIPSIS = "…"


def code(text: str) -> str:
    """`text` as a code span, whatever it holds; nothing for nothing."""
    text = _TOO_MANY_BACKTICKS.sub(lambda run: "\\x60" * len(run[0]), printable(text))
    if not text.strip():
        return ""
    longest = max(map(len, _RUN_OF_BACKTICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def prose(text: str) -> str:
    """A sentence with foreign names in it: what stands between backticks, and what is no plain word, as code spans."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:
        # The last backtick has no partner and is a character like any other.
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    pieces: list[tuple[bool, str]] = []
    for number, part in enumerate(parts):
        for is_code, piece in [(True, part)] if number % 2 else _pieces(part):
            if is_code and pieces and pieces[-1][0]:
                # Two code spans cannot touch.
                pieces[-1] = (True, pieces[-1][1] + piece)
            elif piece:
                pieces.append((is_code, piece))
    return "".join(code(piece) if is_code else piece for is_code, piece in pieces).strip()


def cut(text: str, length: int) -> str:
    """`text` with at most that many characters, and an ellipsis where it was longer."""
    text = printable(text)
    return text if len(text) <= length else text[: length - 1] + _ELLIPSIS


def row(cells: Iterable[str]) -> str:
    """A line of a table. Inside tables `\\|` is a bar in code spans, too (GitHub Flavored Markdown, 4.10)."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(columns: Sequence[str], rows: Iterable[str]) -> str:
    """A table of lines that `row` has made."""
    return "\n".join([row(columns), row("---" for _ in columns), *rows])


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The words of a text with the blanks and the punctuation between them, and whether each must be a code span."""
    for word in re.findall(" +|[^ ]+", text):
        core = word.lstrip(_OPENING).rstrip(_CLOSING)
        if set("()\"'") & set(core):
            # Quotes and parentheses that belong to a name stay with it.
            core = word.rstrip(_STOPS)
        if not core.strip() or _PLAIN.fullmatch(core):
            yield False, word
        else:
            before, _, after = word.partition(core)
            yield from ((False, before), (True, core), (False, after))


MAXIMUM = 60_000
"""Characters of the whole page."""

_FOR_ROWS = 52_000
_UNFOLDED = 20
_LONGEST_NAME = 200
_LONGEST_PROSE = 600
_SAFE_URL = re.compile(r"https://[\w./#%-]+")


class _Section:
    """A table of `total` rows under a heading; `folded` hides it until somebody opens it.

    `rows` are those that a page has room for if it holds no other section.
    """

    def __init__(
        self, title: str, columns: Sequence[str], total: int, rows: Iterable[str], folded: bool = False
    ) -> None:
        self.title, self.columns, self.total, self.folded = title, columns, total, folded
        self.rows: list[str] = []
        self.wanted = 0
        for line in rows:
            self.rows.append(line)
            self.wanted += len(line) + 1
            if self.wanted > _FOR_ROWS:
                break


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The whole page; `options` change nothing."""
    del options
    page = _Page(evaluation)
    blocks = [f"## keyrules: {headline(evaluation)}", page.counts()]
    blocks += _shown([section for section in page.sections() if section.total])
    blocks.append(page.footer())
    return block_text([[block] for block in blocks])


class _Page:
    """What the page says, part by part."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._rules: dict[str, Rule] = {rule.id: rule for rule in evaluation.rules}
        live = evaluation.plane is Plane.LIVE
        self._where = ("Account", "Credential") if live else ("Place", "Address")
        self._advice = "Next" if live else "Change"

    def counts(self) -> str:
        """What was evaluated, and what came out."""
        counts = self._evaluation.counts
        verdicts = [f"{counts.failed:,} failed", f"{counts.passed:,} passed", f"{counts.exempt:,} exempt"]
        verdicts.append(f"{counts.unknown:,} unknown")
        lines = [f"{count_of(counts.evaluated, 'check')}: {', '.join(verdicts)}."]
        if self._evaluation.baseline is not None:
            lines.append(self._baseline(self._evaluation.baseline))
        if unlisted := not_listed(self._evaluation):
            lines.append(f"**{count_of(unlisted, 'verdict was', 'verdicts were')} counted and not listed.**")
        return "\n\n".join(lines)

    def sections(self) -> Iterator[_Section]:
        """Every list, the ones that somebody has to act on first."""
        evaluation, baseline = self._evaluation, self._evaluation.baseline
        new = "New findings" if baseline is not None else "Findings"
        failed = map(self._failed, self._of(Status.FAIL))
        what = ("Severity", "Rule", *self._where, "What is wrong, and what to change")
        yield _Section(new, what, with_status(evaluation, Status.FAIL), failed)
        unread = chain(
            (row(["", code(cut(e.input, _LONGEST_NAME)), "", _prose(e.message)]) for e in evaluation.errors),
            (row([*self._subject(finding), self._what(finding)]) for finding in self._of(Status.UNKNOWN)),
        )
        total = len(evaluation.errors) + with_status(evaluation, Status.UNKNOWN)
        yield _Section("Could not be evaluated", ("Rule", *self._where, "Why"), total, unread)
        yield self._texts("Warning", evaluation.warnings)
        columns = ("Rule", *self._where, "Reason", "Owner", "Expires", "Ticket")
        exempt = map(self._exempt, self._of(Status.EXEMPT))
        yield _Section("Exempt", columns, with_status(evaluation, Status.EXEMPT), exempt, folded=True)
        if baseline is not None:
            yield from self._compared(baseline)
        yield self._texts("Note", evaluation.notes, folded=True)
        parameters = evaluation.parameters
        heads = ("Rule", "Parameter", "Value", "From")
        yield _Section("Parameters in force", heads, len(parameters), map(self._parameter, parameters), folded=True)

    def _parameter(self, each: ParameterInForce) -> str:
        value = f"{show_value(each.value)} {each.unit}"
        return row([self._rule(each.rule), code(each.name), prose(value), _prose(provenance(each))])

    def _of(self, status: Status) -> Iterator[Finding]:
        return findings_of(worst_first(self._evaluation.findings), (status,))

    def _texts(self, noun: str, texts: Sequence[str], folded: bool = False) -> _Section:
        return _Section(f"{noun}s", (noun,), len(texts), (row([_prose(text)]) for text in texts), folded)

    def footer(self) -> str:
        """What the verdict rests on."""
        pack, as_of = self._evaluation.pack, iso_utc(self._evaluation.as_of)
        return f"keyrules {prose(cut(pack.version, 40))}, pack {code(pack.sha256)}, as of {code(as_of)}"

    def _baseline(self, baseline: BaselineReport) -> str:
        parts = [f"{len(baseline.known):,} known", f"{len(baseline.resolved):,} resolved"]
        parts += [f"{baseline.changed:,} with another verdict"] if baseline.changed else []
        parts += [f"{baseline.kept:,} not looked at"] if baseline.kept else []
        name = code(cut(baseline.name, _LONGEST_NAME))
        new = f"{self._evaluation.counts.failed:,} new"
        made = f" of {code(iso_utc(baseline.as_of))}" if baseline.as_of is not None else ""
        return f"Against the baseline {name}{made}: {', '.join([new, *parts])}."

    def _compared(self, baseline: BaselineReport) -> Iterator[_Section]:
        known = (
            row([*self._subject(item.finding), code(f"{item.first_seen.date()}"), _name(item.moved_from or "")])
            for item in baseline.known
        )
        columns = ("Rule", *self._where, "Since", "Moved from")
        yield _Section("Known", columns, len(baseline.known), known, folded=True)
        resolved = (
            row(
                [
                    self._rule(item.rule),
                    _name(_resolved_place(item)),
                    _name(item.name),
                    code(f"{item.first_seen.date()}"),
                ]
            )
            for item in baseline.resolved
        )
        yield _Section("Resolved", ("Rule", *self._where, "Since"), len(baseline.resolved), resolved, folded=True)

    def _failed(self, finding: Finding) -> str:
        change = first_sentence(advice_for(finding.plane, finding.remediation))
        parts = [self._what(finding), *([f"**{self._advice}:** {_prose(change)}"] if change else [])]
        return row([finding.severity.name, *self._subject(finding), "<br>".join(parts)])

    def _what(self, finding: Finding) -> str:
        path = " → ".join(_step(step.label, step.path, step.line) for step in finding.trace)
        declared = "".join(f"<br>{_prose(sentence)}" for sentence in declared_sentences(finding))
        return _prose(finding.message) + (f"<br>Its path: {path}" if path else "") + declared

    def _exempt(self, finding: Finding) -> str:
        entry = finding.exception
        reason = _prose(finding.exemption or "no reason given")
        if entry is None:
            return row([*self._subject(finding), reason, "", "", ""])
        last = [_prose(entry.owner), code(entry.expires.isoformat()), _prose(entry.ticket or "")]
        return row([*self._subject(finding), reason, *last])

    def _subject(self, finding: Finding) -> tuple[str, str, str]:
        """Rule, place and name, the first three cells of most tables."""
        name = _name(subject_name(finding))
        if finding.subject is not None and finding.subject.owner:
            name += f"<br>owner {_name(finding.subject.owner)}"
        return self._rule(finding.rule), _name(place(finding)), name

    def _rule(self, rule_id: str) -> str:
        rule = self._rules.get(rule_id)
        linked = rule is not None and _SAFE_URL.fullmatch(rule.guideline)
        return f"[{code(rule_id)}]({rule.guideline})" if rule is not None and linked else code(rule_id)


def _shown(sections: Sequence[_Section]) -> Iterator[str]:
    """The sections with as many rows as the page has room for.

    A section gets what the later ones leave, and never less than half of what is left.
    """
    left = _FOR_ROWS
    for index, section in enumerate(sections):
        allowed = max(left // 2, left - sum(later.wanted for later in sections[index + 1 :]))
        rows: list[str] = []
        for line in section.rows:
            allowed -= len(line) + 1
            if allowed < 0:
                break
            rows.append(line)
            left -= len(line) + 1
        yield _section(section, rows)


def _section(section: _Section, rows: Sequence[str]) -> str:
    total = section.total
    heading = f"{section.title} ({total:,})"
    missing = total - len(rows)
    shown = "" if section.folded else f"### {heading}\n\n"
    first = 0 if section.folded else _UNFOLDED
    blocks = [table(section.columns, rows[:first])] if rows[:first] else []
    if rows[first:]:
        summary = heading if section.folded else f"{len(rows) - first:,} more"
        blocks.append(_folded(summary, table(section.columns, rows[first:])))
    if missing:
        blocks.append(
            f"**{section.title}: {missing:,} of {total:,} are left out of this page.** "
            "`--format json=FILE` and `--format csv=FILE` list all of them."
        )
    return shown + "\n\n".join(blocks)


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _resolved_place(item: ResolvedFinding) -> str:
    return item.path or (item.subject.account if item.subject is not None else None) or ""


def _step(label: str, path: str, line: int) -> str:
    return _name(label) + (f" ({_name(f'{path}:{line}')})" if path and line else "")


def _name(text: str) -> str:
    return code(cut(text, _LONGEST_NAME))


def _prose(text: str) -> str:
    return prose(cut(text, _LONGEST_PROSE))
