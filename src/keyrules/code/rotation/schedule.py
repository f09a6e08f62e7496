"""Schedule expressions of AWS Secrets Manager: the longest time between two runs.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from keyrules.code.rotation.clock import NO_MAX_AGE, SECONDS_PER_DAY, Clock, Kind
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, number
from keyrules.code.terraform.evidence import settings_behind
from keyrules.code.terraform.keys import DeclaredKey


def expiry(key: DeclaredKey) -> tuple[Clock, ...]:
    """The clock that is the key's own age; none for a key that does not expire."""
    declared = key.declared
    if not declared.name.startswith("awsutils_expiring_iam_access_key."):
        return ()
    label, settings = f"{declared.name} max_age", settings_behind([declared.value("max_age")], key.frame)
    value = evaluate(declared.value("max_age"), key.frame)
    if value is UNKNOWN:
        return (Clock(Kind.UNRESOLVED, label, declared.path, declared.line_of("max_age"), settings=settings),)
    seconds = number(value)
    if seconds is None or not 0 < seconds < NO_MAX_AGE:
        return ()
    days = seconds / SECONDS_PER_DAY
    return (Clock(Kind.PERIODIC, label, declared.path, declared.line_of("max_age"), days, settings=settings),)


_RATE = re.compile(r"\s*rate\(\s*([1-9]\d{0,5})\s+(minute|hour|day)s?\s*\)\s*")
_CRON = re.compile(r"\s*cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)\s*")
_PARTS_OF_DAY = {"minute": 1440, "hour": 24, "day": 1}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIRST, _LAST = date(2024, 1, 1), date(2033, 12, 31)
"""Ten years, so that every leap day and every weekday of a month's ends comes up."""


@lru_cache(maxsize=256)
def longest_gap(expression: str) -> float | None:
    """Days between two runs of a rate() or cron() expression, the longest where they differ; None when it has no
    regular run or a form that is not known here."""
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        return int(rate[1]) / _PARTS_OF_DAY[rate[2]]
    cron = _CRON.fullmatch(expression)
    if cron is None or cron[6] != "*":
        return None
    try:
        days = [day for day in _every_day() if _runs_on(day, cron[3].upper(), cron[4].upper(), cron[5].upper())]
    except ValueError:
        return None
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return float(max(gaps)) if gaps else None


def _every_day() -> list[date]:
    return [_FIRST + timedelta(days=number) for number in range((_LAST - _FIRST).days + 1)]


def _runs_on(day: date, of_month: str, month: str, weekday: str) -> bool:
    return day.month in _numbers(month, 12) and _is_day_of_month(day, of_month) and _is_weekday(day, weekday)


def _is_day_of_month(day: date, field: str) -> bool:
    if field == "L":
        return (day + timedelta(days=1)).month != day.month
    return day.day in _numbers(field, 31)


def _is_weekday(day: date, field: str) -> bool:
    number = day.isoweekday() % 7 + 1
    if field.endswith("L") and field != "L":
        return number in _numbers(field[:-1], 7) and (day + timedelta(days=7)).month != day.month
    if "#" in field:
        name, _, week = field.partition("#")
        return number in _numbers(name, 7) and (day.day - 1) // 7 + 1 == int(week)
    return number in _numbers("SAT" if field == "L" else field, 7)


@lru_cache(maxsize=256)
def _numbers(field: str, most: int) -> frozenset[int]:
    """The values that a field allows: a list of numbers, names, ranges and steps. Raises ValueError."""
    names = {12: _MONTHS, 7: _WEEKDAYS}.get(most, {})
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            start, end = 1, most
        else:
            start = names.get(first) or int(first)
            end = (names.get(last) or int(last)) if last else most if step else start
        if not 1 <= start <= end <= most:
            raise ValueError
        found.update(range(start, end + 1, int(step) if step else 1))
    return frozenset(found)
