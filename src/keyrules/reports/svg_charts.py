"""Inline SVG: ages of keys against their limit, and rules by verdict. Each drawing says in words what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keyrules.model import Counts, KeyAges
from keyrules.reports.html_parts import text
from keyrules.reports.text_style import count_of

_WIDTH = 420
_HEIGHT = 220
_TOP, _BOTTOM, _LEFT = 42, 36, 6
_ROW = 26
_NAMES = 118
_VERDICTS = (("failed", "bad"), ("unknown", "none"), ("exempt", "part"), ("passed", "good"))


def buckets(ages: KeyAges) -> list[tuple[str, int]]:
    """The age ranges in days, such as `over 15 to 30`, with the number of keys in each; those without a date last."""
    width = ages.limit_days / KeyAges.PER_LIMIT
    last = len(ages.counts) - 1
    names = [f"over {width * index:g} to {width * (index + 1):g}" for index in range(last)]
    names[0] = f"up to {width:g}"
    rows = list(zip([*names, f"over {width * last:g}"], ages.counts, strict=True))
    return [*rows, ("no usable date", ages.undated)] if ages.undated else rows


def older_than_limit(ages: KeyAges) -> int:
    """How many keys are beyond the limit."""
    return sum(ages.counts[KeyAges.PER_LIMIT :])


def histogram(ages: KeyAges) -> str:
    """Active keys by age; the dashed line is the limit, bars behind it have another colour."""
    count = len(ages.counts)
    step = (_WIDTH - 2 * _LEFT) / count
    base, tallest = _HEIGHT - _BOTTOM, max(*ages.counts, 1)
    shapes = []
    for index, number in enumerate(ages.counts):
        if not number:
            continue
        height = max(2.0, (base - _TOP) * number / tallest)
        x, y = _LEFT + index * step, base - height
        tone = "over" if index >= KeyAges.PER_LIMIT else "bar"
        shapes.append(
            f'<rect class="{tone}" x="{x + 1:.1f}" y="{y:.1f}" width="{step - 2:.1f}" height="{height:.1f}"/>'
        )
        shapes.append(f'<text x="{x + step / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle">{_short(number)}</text>')
    shapes.append(f'<line class="axis" x1="{_LEFT}" y1="{base}" x2="{_WIDTH - _LEFT}" y2="{base}"/>')
    limit = _LEFT + KeyAges.PER_LIMIT * step
    shapes.append(f'<line class="limit" x1="{limit:.1f}" y1="20" x2="{limit:.1f}" y2="{base}"/>')
    shapes.append(f'<text class="strong" x="{limit:.1f}" y="14" text-anchor="middle">limit</text>')
    for multiple in range((count - 1) // KeyAges.PER_LIMIT + 1):
        x = _LEFT + multiple * KeyAges.PER_LIMIT * step
        anchor = "middle" if multiple else "start"
        days = f"{multiple * ages.limit_days:,}"
        shapes.append(f'<text class="soft" x="{x:.1f}" y="{base + 16}" text-anchor="{anchor}">{days}</text>')
    shapes.append(f'<text class="soft" x="{_WIDTH - _LEFT}" y="{base + 32}" text-anchor="end">age in days</text>')
    words = "; ".join(f"{name} days: {number:,}" for name, number in buckets(ages) if number) or "no key"
    return _svg("ages", _HEIGHT, f"Active access keys by age; the limit is {ages.limit_days:,} days", words, shapes)


def matrix(counts: Mapping[str, Counts]) -> str:
    """Rules by verdict: a number in each cell, coloured where it is not zero."""
    step = (_WIDTH - _NAMES) / len(_VERDICTS)
    shapes = [
        f'<text class="soft" x="{_NAMES + (index + 0.5) * step:.1f}" y="14" text-anchor="middle">{name}</text>'
        for index, (name, _) in enumerate(_VERDICTS)
    ]
    words = []
    for row, (rule, each) in enumerate(counts.items()):
        y = 22 + row * _ROW
        shapes.append(f'<text class="strong" x="0" y="{y + 17}">{text(rule)}</text>')
        for index, (name, tone) in enumerate(_VERDICTS):
            number = getattr(each, name)
            shapes += _cell(number, tone if number else "", _NAMES + index * step, y, step)
        words.append(f"{rule}: {', '.join(f'{getattr(each, name):,} {name}' for name, _ in _VERDICTS)}")
    height = 26 + _ROW * len(counts)
    title = f"{count_of(len(counts), 'rule')} by verdict"
    return _svg("matrix", height, title, "; ".join(words) or "no rule", shapes)


def _cell(number: int, tone: str, x: float, y: int, width: float) -> Sequence[str]:
    middle = f'x="{x + width / 2:.1f}" y="{y + 17}" text-anchor="middle"'
    if not tone:
        return [f'<text class="soft" {middle}>0</text>']
    return [
        f'<rect class="cell-{tone}" x="{x + 2:.1f}" y="{y + 1}" width="{width - 4:.1f}" height="{_ROW - 3}" rx="4"/>',
        f'<text class="strong on-{tone}" {middle}>{_short(number)}</text>',
    ]


def _svg(name: str, height: int, title: str, description: str, shapes: Sequence[str]) -> str:
    body = "\n".join(shapes)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-text">\n'
        f'<title id="{name}-title">{text(title)}</title>\n<desc id="{name}-text">{text(description)}</desc>\n'
        f"{body}\n</svg>"
    )


def _short(number: int) -> str:
    """At most four characters, so that neighbours do not overlap: `999`, `1.2k`, `34k`, `1.5M`."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number / unit:.1f}{name}" if number < 9.95 * unit else f"{number // unit}{name}"
    return str(number)
