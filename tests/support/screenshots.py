"""The pictures of docs/screenshots: terminals as SVG, pages as PNG, both from fixtures and as of one moment.

`PYTHONPATH=src python tests/support/screenshots.py` makes them anew; look at them before they are committed. It needs
chromium, and no test runs it: fonts differ from machine to machine.
"""

from __future__ import annotations

import fcntl
import html
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from browser import Tab, browser

PROJECT = Path(__file__).resolve().parents[2]
PICTURES = PROJECT / "docs/screenshots"
REPORT = "fixtures/example_report/report.csv --as-of 2026-06-01"
TERMINALS = {
    "scan": ("scan fixtures/example", 100, 40),
    "audit": (f"audit {REPORT}", 100, 34),
}
"""Command, columns, and lines that are shown at most."""
PAGES = {
    "evidence": (f"audit {REPORT} --framework cis_aws_3.0.0", 1100, "light", "body", 1000),
    "findings": (f"audit {REPORT} --framework cis_aws_3.0.0", 1100, "dark", "#findings", 900),
    "keys": (f"keys {REPORT} --code fixtures/example", 1400, "light", "section:nth-of-type(2)", 900),
}
"""Command, width, scheme, the element that the picture begins with, and its height at most."""
MOST_BYTES = 150_000

_ENVIRONMENT = {"PYTHONPATH": str(PROJECT / "src"), "PATH": "/usr/bin:/bin"}
_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
_ADVANCE, _LINE, _EDGE = 8.4, 19, 16
_INKS = {"31": "red", "32": "green", "33": "yellow", "35": "purple", "36": "cyan"}
_STYLE = """\
.back{fill:#fbfcfd;stroke:#d3dae1}text{fill:#18222d;white-space:pre;
font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.bold{font-weight:700}.dim{fill:#5b6875}.red{fill:#a81a1f}.green{fill:#14603a}.yellow{fill:#754700}.purple{fill:#7a2f8f}
.cyan{fill:#0a5670}
@media (prefers-color-scheme:dark){.back{fill:#12181f;stroke:#33404d}text{fill:#e8edf2}.dim{fill:#95a2af}
.red{fill:#ff8d87}.green{fill:#8fdcb0}.yellow{fill:#f4cd82}.purple{fill:#dca8ec}.cyan{fill:#7cc7e0}}
"""


def in_a_terminal(arguments: str, columns: int) -> str:
    """What a command writes to a terminal of so many columns, with its escapes."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**_ENVIRONMENT, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "keyrules", *shlex.split(arguments)]
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL
    ):
        os.close(theirs)
        read = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:
                # So Linux says that the other side is closed.
                break
            if not part:
                break
            read += part
    os.close(ours)
    return read.decode().replace("\r\n", "\n")


def as_svg(lines: list[str], columns: int, title: str) -> str:
    """Lines with escapes as a picture that follows the reader's light or dark."""
    width, height = columns * _ADVANCE + 2 * _EDGE, len(lines) * _LINE + 2 * _EDGE
    body = "\n".join(piece for row, line in enumerate(lines) for piece in _pieces(line, _EDGE + 14 + row * _LINE))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img">\n<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n'
        f'<rect class="back" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>\n{body}\n</svg>\n'
    )


def _pieces(line: str, y: int) -> Iterator[str]:
    column, end, ink = 0, 0, ""
    for mark in [*_ESCAPE.finditer(line), None]:
        piece = line[end : mark.start() if mark else len(line)]
        if piece.strip():
            start = column + len(piece) - len(piece.lstrip())
            shown = piece.strip()
            yield (
                f'<text x="{_EDGE + start * _ADVANCE:g}" y="{y}" textLength="{len(shown) * _ADVANCE:g}"'
                f"{f' class={ink!r}' if ink else ''}>{html.escape(shown, quote=False)}</text>"
            )
        column += len(piece)
        if mark is not None:
            end = mark.end()
            if mark[1] is not None:
                codes = mark[1].split(";")
                named = {"1": "bold", "2": "dim", **_INKS}
                ink = " ".join(named[code] for code in codes if code in named)


def small_png(picture: bytes) -> bytes:
    """The same picture in a palette: the 256 most frequent colours, and for any other the nearest of them."""
    width, height, rows = _rows(picture)
    counts: dict[bytes, int] = {}
    for row in rows:
        for at in range(0, len(row), 3):
            colour = row[at : at + 3]
            counts[colour] = counts.get(colour, 0) + 1
    palette = sorted(counts, key=lambda colour: (-counts[colour], colour))[:256]
    nearest = {colour: number for number, colour in enumerate(palette)}
    for colour in counts:
        if colour not in nearest:
            nearest[colour] = min(
                range(len(palette)),
                key=lambda number: sum((a - b) ** 2 for a, b in zip(colour, palette[number], strict=True)),
            )
    data = b"".join(b"\0" + bytes(nearest[row[at : at + 3]] for at in range(0, len(row), 3)) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _rows(picture: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of RGB of a PNG with eight bits a channel, as the browser makes them."""
    at, packed, width, height, size = 8, b"", 0, 0, 3
    while at < len(picture):
        (length,), name = struct.unpack(">I", picture[at : at + 4]), picture[at + 4 : at + 8]
        body = picture[at + 8 : at + 8 + length]
        if name == b"IHDR":
            width, height, _, kind = struct.unpack(">IIBB", body[:10])
            size = {2: 3, 6: 4}[kind]
        elif name == b"IDAT":
            packed += body
        at += length + 12
    data, rows, above = zlib.decompress(packed), [], bytearray(width * size)
    for start in range(0, len(data), width * size + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + width * size])
        for index in range(len(row)):
            left = row[index - size] if index >= size else 0
            corner = above[index - size] if index >= size else 0
            row[index] = (row[index] + _predicted(kind, left, above[index], corner)) & 255
        rows.append(bytes(value for index, value in enumerate(row) if index % size < 3))
        above = row
    return width, height, rows


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    """The filters of https://www.w3.org/TR/png-3/#9Filter-types."""
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2)[kind]


def page_picture(tab: Tab, arguments: str, width: int, scheme: str, begins: str, most: int) -> bytes:
    """A part of the page that a command makes, as wide as a window."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        command = [sys.executable, "-m", "keyrules", *shlex.split(arguments), "--format", f"html={page}"]
        subprocess.run(
            command,
            cwd=PROJECT,
            env=_ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        tab.open(page, width=width, scheme=scheme)
        top, height = tab.value(
            f"(() => {{const box = document.querySelector({begins!r}).getBoundingClientRect();"
            "return [Math.max(0, Math.round(box.top) - 16), Math.round(box.height) + 32]})()"
        )
        return small_png(tab.picture(top, min(height, most)))


def main() -> int:
    """Makes all of them; 1 where one has grown too large."""
    PICTURES.mkdir(exist_ok=True)
    made = {}
    for name, (arguments, columns, most) in TERMINALS.items():
        lines = in_a_terminal(arguments, columns).rstrip("\n").split("\n")
        shown = [f"$ keyrules {arguments}", *lines[:most], *(["…"] if len(lines) > most else [])]
        made[f"{name}.svg"] = as_svg(shown, columns, f"keyrules {arguments}").encode()
    with browser() as tab:
        for name, (arguments, width, scheme, begins, most) in PAGES.items():
            made[f"{name}.png"] = page_picture(tab, arguments, width, scheme, begins, most)
    for name, content in made.items():
        (PICTURES / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")
    return int(any(len(content) > MOST_BYTES for content in made.values()))


if __name__ == "__main__":
    sys.exit(main())
