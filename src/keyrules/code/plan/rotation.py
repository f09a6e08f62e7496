"""KEY_AWS_001 on plans: an existing key is judged by its age, a new one by the rotation that the plan proves.

A plan has no `lifecycle` blocks. It proves a rotation in one case: Terraform replaces the key because a trigger fired
(`action_reason` replace_by_triggers), and the state shows that the trigger hangs on a `time_rotating`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone

from keyrules.code.plan.addresses import module_path, static_address
from keyrules.code.plan.references import leading, parse_reference
from keyrules.code.plan.verdicts import SCAN_THE_SOURCE
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.rotation.clock import NO_MAX_AGE, PERIOD_ARGUMENTS, SECONDS_PER_DAY, period_text
from keyrules.code.verdict import Opinion, TimedContext
from keyrules.model import FactValue, Status

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)")

_LEFT = Opinion(
    Status.UNKNOWN,
    "leaves_management",
    "the key stays in its account and leaves Terraform's management with this plan, so what replaces it from now on is "
    "not known; delete it, or run `keyrules audit` on the account",
)


def judge_rotation(plan: Plan, key: Planned, context: TimedContext) -> Opinion:
    """What a plan says of the rotation of an active key that exists after it is applied."""
    if key.is_forgotten:
        verdict = _judge_age(key, context)
        return verdict if verdict.status is not Status.PASS else _LEFT
    if key.type == "awsutils_expiring_iam_access_key":
        verdict = _judge_expiring(key, context)
        return verdict if verdict.status is not Status.PASS or key.is_new else _judge_age(key, context)
    if not key.is_new and (key.actions or _created(key) is not None):
        return _judge_age(key, context)
    if key.action_reason == "replace_by_triggers":
        clocks = sorted(_clocks_that_fired(plan, key))
        if clocks:
            days, label = clocks[0]
            return _judge_period(days, label, context)
    replaced = f" (replaced because {', '.join(key.replaced_for)} changes)" if key.replaced_for else ""
    return Opinion(
        Status.UNKNOWN,
        "rotation_not_in_plan",
        f"the plan creates this key{replaced}, and plans do not hold the lifecycle block that would rotate it; "
        f"{SCAN_THE_SOURCE}",
    )


def _judge_age(key: Planned, context: TimedContext) -> Opinion:
    created = _created(key)
    if created is None:
        return Opinion(
            Status.UNKNOWN,
            "create_date_missing",
            "the key exists, but the plan has no create_date of it that can be read; plan again with a refresh",
        )
    limit = context.limit("max_age_days")
    age = context.as_of - created
    facts: dict[str, FactValue] = {
        "create_date": created.isoformat().replace("+00:00", "Z"),
        "age_days": round(age / timedelta(days=1), 4),
        "max_age_days": limit,
    }
    shown = f"created {facts['create_date']}"
    if age < timedelta(0):
        status, reason = Status.UNKNOWN, "created_after_as_of"
        message = f"{shown}, after the moment that ages are counted to; check the clock or --as-of"
    elif age > timedelta(days=limit):
        status, reason = Status.FAIL, "key_too_old"
        past = age if age.days == limit else f"{age.days} days"
        message = f"{shown}, {past} ago; {limit} days are allowed, so replace it"
    else:
        status, reason = Status.PASS, "age_within_limit"
        message = f"{shown}, {age.days} days ago, within the {limit} days allowed"
    return Opinion(status, reason, message, facts)


def _created(key: Planned) -> datetime | None:
    prior = key.prior.values.value if key.prior else None
    for values in (key.values.value, key.before.value, prior):
        text = values.get("create_date") if isinstance(values, Mapping) else None
        match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            continue
        zone = "+00:00" if match[3] in "Zz" else match[3]
        try:
            return datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(timezone.utc)
        except (ValueError, OverflowError):
            continue
    return None


def _judge_expiring(key: Planned, context: TimedContext) -> Opinion:
    seconds = key.known("max_age")
    limit = context.limit("max_age_days")
    if key.is_unknown("max_age"):
        message = f"max_age is known only after the plan is applied; {SCAN_THE_SOURCE}"
        return Opinion(Status.UNKNOWN, "rotation_unknown", message)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds < NO_MAX_AGE:
        message = f"the key has no max_age, so it does not expire; set at most {limit * SECONDS_PER_DAY} seconds"
        return Opinion(Status.FAIL, "rotation_missing", message)
    return _judge_period(seconds / SECONDS_PER_DAY, f"{key.address} max_age", context)


def _judge_period(days: float, label: str, context: TimedContext) -> Opinion:
    limit = context.limit("max_age_days")
    facts: dict[str, FactValue] = {"rotation_days": round(days, 4), "rotation_source": label, "max_age_days": limit}
    if days <= limit:
        message = f"replaced every {period_text(days)}: {label}"
        return Opinion(Status.PASS, "rotation_fires", message, facts)
    message = f"rotates every {period_text(days)} ({label}), more than the {limit} days allowed; shorten the period"
    return Opinion(Status.FAIL, "rotation_too_slow", message, facts)


def _clocks_that_fired(plan: Plan, key: Planned) -> Iterator[tuple[float, str]]:
    """Period in days and address of each time_rotating behind a trigger of this key that changes in this plan.

    The state lists all that the key depended on, also what its arguments refer to; what only `lifecycle` can have
    named is the rest.
    """
    before = set(key.prior.depends_on) if key.prior else set()
    before -= _named_by_arguments(plan, key)
    for trigger in plan.planned:
        address = static_address(trigger.path, trigger.block)
        fired = trigger.is_new or "update" in trigger.actions
        if address in before and fired and trigger.type != "time_rotating":
            behind = set(trigger.prior.depends_on) if trigger.prior else set()
            behind |= set(_direct(plan, trigger.path, trigger.block))
            yield from _periods(plan, behind)


def _periods(plan: Plan, addresses: set[str]) -> Iterator[tuple[float, str]]:
    for clock in plan.planned:
        if clock.type == "time_rotating" and static_address(clock.path, clock.block) in addresses:
            days = None
            for argument, length, parts in PERIOD_ARGUMENTS:
                amount = clock.known(argument)
                if isinstance(amount, (int, float)) and not isinstance(amount, bool) and amount > 0:
                    days = amount * length / parts
            # One that counts from a moment that the code fixes expires once, and is then always expired.
            fixed = clock.known("rotation_rfc3339") is not None or clock.known("rfc3339") is not None
            if days is not None and not fixed:
                yield days, clock.address


def _named_by_arguments(plan: Plan, key: Planned) -> set[str]:
    """Everything that the key's own arguments and depends_on lead to, by way of other resources of its module."""
    found: set[str] = set()
    todo = list(_direct(plan, key.path, key.block))
    while todo:
        address = todo.pop()
        if address not in found:
            found.add(address)
            path = module_path(address)
            block = address.removeprefix(static_address(path, ""))
            todo.extend(_direct(plan, path, block))
    return found


def _direct(plan: Plan, path: tuple[str, ...], block: str) -> Iterator[str]:
    module = plan.configuration.at(path) if plan.configuration else None
    config = module.blocks.get(block) if module else None
    if config is None:
        return
    named = [text for leaf in config.leaves for text in leading(leaf.references)]
    for text in (*named, *config.depends_on):
        yield static_address(path, parse_reference(text).block)
