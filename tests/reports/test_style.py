"""Text helpers that the reports share."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.model import Plane, Severity, Status
from keyrules.reports.text_style import (
    Style,
    advice_for,
    count_of,
    display_width,
    first_sentence,
    human_duration,
    iso_utc,
    pad,
    printable,
    relative_date,
    wrap,
)

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("modules/app/main.tf", "modules/app/main.tf"),
        ("schlüssel/鍵.tf", "schlüssel/鍵.tf"),
        ("a\nb", "a\\nb"),
        ("a\r\tb", "a\\r\\tb"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x07\x7f", "\\x07\\x7f"),
        ("\x9b31m", "\\u009b31m"),
        ("a\u202etxt.exe", "a\\u202etxt.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028end", "line\\u2028end"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("caf\udce9.tf", "caf\\xe9.tf"),
        ("json\ud800", "json\\ud800"),
    ],
)
def test_printable_shows_what_a_terminal_would_obey(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(ANY_TEXT)
def test_printable_text_is_one_harmless_encodable_line(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1


@given(ANY_TEXT.map(printable), st.integers(1, 60), st.integers(0, 8), st.integers(0, 8))
def test_wrap_keeps_every_word_and_the_width(text: str, width: int, indent: int, hanging: int) -> None:
    lines = wrap(text, width, indent, hanging)
    words = [word for word in text.split(" ") if word]
    assert [word for line in lines for word in line.split(" ") if word] == words
    for number, line in enumerate(lines):
        margin = hanging if number else indent
        assert line.startswith(" " * margin)
        assert display_width(line) <= width or line[margin:] in words


def test_wrap_fills_a_line_to_the_last_column() -> None:
    assert wrap("aaa bbb cc", 7) == ["aaa bbb", "cc"]
    assert wrap("aaa bbb cc", 6) == ["aaa", "bbb cc"]


def test_wide_characters_take_two_columns_and_combining_marks_none() -> None:
    assert display_width("鍵") == 2
    assert display_width(unicodedata.normalize("NFD", "é")) == 1
    assert pad("鍵", 4) == "鍵  "
    assert pad("longer", 3) == "longer"


def test_colour_is_only_there_when_it_is_on() -> None:
    assert Style(colour=False).severity(Severity.CRITICAL, "x") == "x"
    assert Style(colour=True).severity(Severity.CRITICAL, "x") == "\x1b[1;31mx\x1b[0m"
    assert Style(colour=True).bold("") == ""
    assert all(Style(colour=True).status(status, "x").endswith("x\x1b[0m") for status in Status)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Delete the key. Then look again.", "Delete the key."),
        ("Delete\n  the key", "Delete the key"),
        ("Use a role, e.g. OIDC, instead. Then stop.", "Use a role, e.g. OIDC, instead."),
        ("Set rotation_days = 60.5 at most. Apply.", "Set rotation_days = 60.5 at most."),
        ("Run `aws iam x`. `aws iam y` is next.", "Run `aws iam x`."),
        ("Really? Yes.", "Really?"),
        ("", ""),
    ],
)
def test_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_advice_is_the_paragraph_of_the_plane() -> None:
    both = "For both.\nCode: edit the file. Apply.\nLive: use the console."
    assert advice_for(Plane.CODE, both) == "Edit the file. Apply."
    assert advice_for(Plane.LIVE, both) == "Use the console."
    assert advice_for(Plane.CODE, "Live: only there.") == "Live: only there."


def test_counts_have_their_plural_and_separators() -> None:
    assert [count_of(0, "key"), count_of(1, "key"), count_of(1_000, "key")] == ["0 keys", "1 key", "1,000 keys"]
    assert count_of(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=59, microseconds=999_999), "59 seconds"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=729), "729 days"),
        (timedelta(days=730), "2 years"),
        (timedelta(days=730 + 30), "2 years 1 month"),
        (timedelta(days=3 * 365 + 364), "3 years"),
        (timedelta(days=-5), "5 days"),
    ],
)
def test_human_duration_rounds_down_at_each_unit(duration: timedelta, words: str) -> None:
    assert human_duration(duration) == words


def test_relative_dates_look_both_ways() -> None:
    now = datetime(2026, 1, 31, tzinfo=timezone.utc)
    assert relative_date(now - timedelta(days=412), now) == "412 days ago"
    assert relative_date(now + timedelta(days=12), now) == "in 12 days"
    assert relative_date(now, now) == "now"


def test_times_are_utc_with_z() -> None:
    elsewhere = datetime(2026, 1, 31, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    assert iso_utc(elsewhere) == "2026-01-31T09:30:00Z"
    assert iso_utc(elsewhere.replace(microsecond=250_000)) == "2026-01-31T09:30:00.250000Z"
    with pytest.raises(ValueError, match="no time zone"):
        iso_utc(datetime(2026, 1, 31))
