"""Foreign text in Markdown: nothing in it can become markup, a link, a mention or HTML.

Backslashes are not enough for that, because GitHub and GitLab look for mentions, references and addresses in the
rendered text. Only code spans are left alone (GitHub Flavored Markdown, 6.1 and 6.9), so a word that is not plainly a
word stands in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from keyrules.reports.text_style import printable

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
