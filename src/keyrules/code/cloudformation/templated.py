"""Reads past the directives of text templates (Jinja, Go, Mustache, ERB, Terraform's `%{ if }`) around a document.

A file that a program renders first is no YAML and no JSON, but its directives only decide which lines stand in the
result. So they are taken out, every branch stays, each line remembers the branches that it stands in, and a value that
only the rendering knows becomes a placeholder. What does not nest is refused: then nothing can be said soundly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from keyrules.records import dataclass, field

OPENING, CLOSING = "\ue000", "\ue001"
"""What stands around a placeholder's number: characters that YAML allows and nobody writes."""

_START = re.compile(r"\{#|\{\{|\{%|<%|%\{|\$\{")
_PLACEHOLDER = re.compile(f"{OPENING}([0-9]+){CLOSING}")
_WORD = re.compile(r"[-+~=\s]*([#^/>&!]?)\s*([A-Za-z_]\w*|\$\w+\s*(?::?=)|\})?")
_STRUCTURE = re.compile(r"[:{}\n]|^\s*[-,]?\s*$")
_TERRAFORM = re.compile(r"%\{~?\s*(?:if|else|endif|for|endfor)\b")
_INTERPOLATION = re.compile(r"\$\{[^{}:\n]{1,200}\}")
_RAW_END = re.compile(r"\{%[-+]?\s*end(?:raw|verbatim)\s*[-+]?%\}")
_WINDOW = 1000
"""How much of one line is looked at around a directive, so that a file on one line costs no more than others."""

_LOOPS = frozenset({"for", "range", "each", "macro", "call", "while", "until"})
_CHOICES = frozenset({"if", "unless", "with", "case", "trans", "switch"})
_PLAIN_BLOCKS = frozenset({"define", "block", "filter", "autoescape", "capture", "raw", "verbatim"})
_OTHERWISE = frozenset({"else", "elif", "elsif", "elseif", "when", "in", "inverse"})


class UnsoundError(Exception):
    """The directives do not nest, so that no reading of the text is sound."""


@dataclass(frozen=True)
class Branch:
    """One way through a block of directives: the block's number, which of its ways, and whether it may repeat."""

    block: int
    way: int
    loop: bool


@dataclass(frozen=True)
class Plain:
    """A text without its directives, line for line where it was."""

    text: str = field(repr=False)
    branches: tuple[tuple[Branch, ...], ...] = ()
    """The branches that each line stands in, outermost first."""
    ways: Mapping[int, int] = field(default_factory=dict)
    """The number of ways of the blocks that take one of them in every case."""
    open_lines: tuple[tuple[int, int], ...] = ()
    """Where the rendering puts something of its own: 1-based lines in order, each with the indentation."""
    values: tuple[str, ...] = field(default=(), repr=False)
    """What the placeholders stand for, as reports show it."""

    def at(self, line: int) -> tuple[Branch, ...]:
        """The branches that a 1-based line stands in."""
        return self.branches[line - 1] if 0 < line <= len(self.branches) else ()

    def restored(self, text: str) -> str:
        """A text of the document with its placeholders written as `{{ expression }}` or `${expression}`."""
        return _PLACEHOLDER.sub(lambda match: self.values[int(match[1])], text)


def is_templated(text: str) -> bool:
    """Whether a text holds what could be a directive."""
    return _START.search(text) is not None


def has_directives(text: str) -> bool:
    """Whether a text holds a directive that is none of CloudFormation's own `${name}`."""
    return next(_tags(text, interpolated=False), None) is not None


def has_blocks(text: str) -> bool:
    """Whether a text holds directives that decide which lines stand in the result, so that it only seems plain."""
    return any(tag.role in ("open", "comment") for tag in _tags(text, interpolated=False))


def plain_text(text: str, interpolated: bool = False) -> Plain:
    """The text without its directives. Raises UnsoundError when they do not nest.

    `${name}` is CloudFormation's own, unless Terraform renders the text: it has directives of Terraform, or it is
    `interpolated`.
    """
    return _Reader(text, interpolated or _TERRAFORM.search(text) is not None).read()


@dataclass
class _Tag:
    """A directive from `start` to `end`. `role` is comment, value, none, open, other or close."""

    start: int
    end: int
    role: str
    word: str
    inner: str
    partner: _Tag | None = None
    loop: bool = False


def _tags(text: str, interpolated: bool) -> Iterator[_Tag]:
    jinja = "{%" in text
    hashes = jinja or "{{" in text
    position = 0
    missing: set[str] = set()
    while match := _START.search(text, position):
        start, mark = match.start(), match[0]
        position = match.end()
        if mark == "${":
            found = _INTERPOLATION.match(text, start) if interpolated and text[start - 1 : start] != "$" else None
            if found:
                position = found.end()
                yield _Tag(start, position, "value", "", found[0])
            continue
        if mark == "{{" and text.startswith("{{{", start) and "}}" not in missing:
            # Three braces are Mustache's only where three close them; else the first is JSON's.
            closing = text.find("}}", position)
            missing.update(() if closing >= 0 else ("}}", "}}}", "--}}"))
            if closing >= 0 and not text.startswith("}}}", closing):
                start, position = start + 1, position + 1
        end, comment = _ending(text, start, mark, hashes)
        # What has no end behind one place has none behind a later one, which keeps this linear.
        if not end or end in missing:
            continue
        closing = text.find(end, position)
        if closing < 0:
            missing.add(end)
            continue
        inner = text[position:closing]
        position = closing + len(end)
        tag = _Tag(start, position, "comment", "", "") if comment else _classified(start, position, mark, inner, jinja)
        if tag is None:
            position = start + len(mark)
            continue
        yield tag
        if tag.role == "open" and tag.word in ("raw", "verbatim") and "raw" not in missing:
            over = _RAW_END.search(text, position)
            position = over.start() if over else position
            missing.update(() if over else ("raw",))


def _ending(text: str, start: int, mark: str, hashes: bool) -> tuple[str, bool]:
    """What ends the directive that starts there, and whether it is a comment."""
    head = text[start : start + 8]
    if mark == "{#":
        # Without Jinja's other marks this is a shell's ${#list[@]}.
        return ("#}", True) if hashes else ("", False)
    if mark == "{{":
        if re.match(r"\{\{-?\s*/\*", head):
            return "}}", True
        if head.startswith("{{!--"):
            return "--}}", True
        return ("}}}" if head.startswith("{{{") else "}}"), head.startswith("{{!")
    if mark == "%{":
        return ("}" if _TERRAFORM.match(text[start : start + 24]) else ""), False
    return ("%}" if mark == "{%" else "%>"), head.startswith("<%#")


def _classified(start: int, end: int, mark: str, inner: str, jinja: bool) -> _Tag | None:
    found = _WORD.match(inner)
    sign, word = (found[1], found[2] or "") if found else ("", "")
    tag = _Tag(start, end, "value", word, inner)
    if mark == "{{":
        if inner.startswith("{"):
            tag.inner = inner[1:]
        if jinja:
            return tag
        if sign in ("#", "^"):
            tag.role, tag.loop = "open", sign == "#" and word not in _CHOICES
        elif sign == "/" or (not sign and word == "end" and not inner.strip("-~ \t\n").partition("end")[2].strip()):
            tag.role = "close"
        elif "=" in word:
            tag.role = "none"
        elif not sign and word in (_LOOPS | _CHOICES | _PLAIN_BLOCKS | _OTHERWISE) and _stands_alone(inner, word):
            _give_role(tag, word)
        return tag
    if mark == "<%":
        if inner.startswith("="):
            tag.inner = inner[1:]
            return tag
        body = inner.strip("- \t\n")
        if re.search(r"(?:\bdo|\{)\s*(?:\|[^|]*\|)?$", body[-_WINDOW:]):
            tag.role, tag.loop = "open", True
            return tag
        tag.role = "close" if word in ("end", "}") else "none"
    elif word.startswith("end"):
        tag.role = "close"
    else:
        tag.role = "none"
    if word == "set" and "=" not in inner:
        tag.role = "open"
    _give_role(tag, word)
    return tag


def _stands_alone(inner: str, word: str) -> bool:
    """Whether a word in `{{ }}` is a statement's: `else` by itself, the others with what they are about."""
    rest = inner.strip("-~ \t\n")[len(word) :].strip()
    return word == "else" or bool(rest)


def _give_role(tag: _Tag, word: str) -> None:
    if word in _OTHERWISE:
        tag.role = "other"
    elif word in _LOOPS | _CHOICES | _PLAIN_BLOCKS:
        tag.role, tag.loop = "open", word in _LOOPS


class _Reader:
    def __init__(self, text: str, interpolated: bool) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tags = list(_tags(text, interpolated))
        self._out: list[str] = []
        self._values: dict[str, int] = {}
        self._ways: dict[int, int] = {}
        self._changes: list[tuple[int, tuple[Branch, ...]]] = [(0, ())]
        self._inline: list[tuple[int, Branch]] = []
        self._open: list[int] = []
        self._json = False

    def read(self) -> Plain:
        starts = self._starts
        self._pair()
        self._json = self._first_character() in "{["
        self._write()
        text = "".join(self._out)
        if self._json:
            text = re.sub(r",(\s*),", r" \1,", text)
        offsets = [offset for offset, _ in self._changes]
        branches: list[tuple[Branch, ...]] = []
        for number, start in enumerate(starts):
            end = starts[number + 1] if number + 1 < len(starts) else len(self._text)
            line = self._text[start:end]
            first = start + len(line) - len(line.lstrip())
            branches.append(self._changes[bisect_right(offsets, first) - 1][1])
        for offset, branch in self._inline:
            number = bisect_right(starts, offset) - 1
            branches[number] = (*branches[number], branch)
        opened = tuple((self._line(offset), offset - starts[self._line(offset) - 1]) for offset in self._open)
        return Plain(text, tuple(branches), self._ways, opened, tuple(self._values))

    def _first_character(self) -> str:
        position = 0
        for tag in self._tags:
            if before := self._text[position : tag.start].strip("\ufeff \t\r\n"):
                return before[0]
            if tag.role == "value":
                return OPENING
            position = tag.end
        return self._text[position:].strip()[:1] or " "

    def _pair(self) -> None:
        stack: list[_Tag] = []
        for tag in self._tags:
            if tag.role == "open":
                stack.append(tag)
            elif tag.role == "close":
                if not stack:
                    raise UnsoundError
                stack.pop().partner = tag
            elif tag.role == "other" and not stack:
                raise UnsoundError
        if stack:
            raise UnsoundError

    def _write(self) -> None:
        position = 0
        stack: list[tuple[Branch, bool]] = []
        block = 0
        for tag in self._tags:
            if tag.start < position:
                continue
            self._out.append(self._text[position : tag.start])
            position = tag.end
            if tag.partner and self._line(tag.start) == self._line(tag.partner.end):
                if self._is_fragment(tag, tag.partner):
                    position = tag.partner.end
                    self._value(self._text[tag.start : position], "")
                    continue
                block += 1
                self._inline.append((tag.start, Branch(block, 0, tag.loop)))
            if tag.role == "value":
                self._one_value(tag)
                continue
            self._blank(tag)
            if tag.role == "open":
                block += 1
                stack.append((Branch(block, 0, tag.loop), tag.word in _PLAIN_BLOCKS))
            elif tag.role == "other":
                current, transparent = stack[-1]
                stack[-1] = (Branch(current.block, current.way + 1, current.loop), transparent)
                if tag.word in ("else", "inverse") and not re.search(r"\b(?:if|with)\b", tag.inner):
                    self._ways[current.block] = current.way + 2
            elif tag.role == "close":
                stack.pop()
            if tag.role in ("open", "other", "close"):
                self._changes.append((tag.end, tuple(branch for branch, transparent in stack if not transparent)))
        self._out.append(self._text[position:])

    def _line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def _is_fragment(self, tag: _Tag, partner: _Tag) -> bool:
        """Whether a block on one line is a part of a value, and neither a delimiter nor entries of their own."""
        if tag.word in _PLAIN_BLOCKS or partner.end - tag.start > _WINDOW:
            return False
        inner = re.sub(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}", "", self._text[tag.end : partner.start])
        return not _STRUCTURE.search(inner)

    def _one_value(self, tag: _Tag) -> None:
        first, last = self._line(tag.start), self._line(tag.end)
        start = self._starts[first - 1]
        end = self._starts[last] if last < len(self._starts) else len(self._text)
        line = self._text[start:end] if end - start <= _WINDOW else "long"
        alone = not re.sub(r"\{\{.*\}\}|<%.*%>|\$\{.*\}", "", line, flags=re.DOTALL).strip(" \t\r\n,")
        before = "".join(self._out[-3:]).rstrip(" \t\r\n")
        if alone and not before.endswith(":"):
            self._open.append(tag.start)
            self._blank(tag)
            return
        self._value(
            tag.inner if tag.inner.startswith("${") else tag.inner.strip("-~& \t\r\n"), self._text[tag.start : tag.end]
        )

    def _value(self, expression: str, original: str) -> None:
        words = " ".join(expression.split())
        shown = words if words.startswith("${") else f"{{{{ {words} }}}}"
        number = self._values.setdefault(shown, len(self._values))
        self._out.append(f"{OPENING}{number}{CLOSING}" + "\n" * original.count("\n"))

    def _blank(self, tag: _Tag) -> None:
        """Takes a directive out; between two values of JSON that only stand in different branches goes a comma."""
        hidden = "\n" * self._text.count("\n", tag.start, tag.end)
        if self._json and tag.role in ("other", "close"):
            before = "".join(self._out[-3:]).rstrip()[-1:]
            after = self._text[tag.end : tag.end + 500].lstrip()[:1]
            if before in ("}", "]", '"', CLOSING) and after in ('"', "{", "["):
                hidden = "," + hidden
        self._out.append(hidden)
