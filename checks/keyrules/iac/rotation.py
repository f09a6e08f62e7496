"""KEY_AWS_001 on Terraform: does a declared key have a rotation that fires, and how often.

`replace_triggered_by` reacts to an update or a replacement of what it names. An expired `time_rotating` is neither: the
provider drops it from the state, so the plan shows a create (hashicorp/terraform-provider-time#118,
hashicorp/terraform#31644). A rotation therefore needs a managed resource between the clock and the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from keyrules.iac.hcl_ast import Attr, Expr, ListExpr
from keyrules.iac.hcl_evaluate import UNKNOWN, evaluate, instance_keys, number, truth
from keyrules.iac.hcl_render import render
from keyrules.iac.rotation_manual import manual_signs
from keyrules.iac.rotation_outside import outside_rotation
from keyrules.iac.rotation_sources import Clock, Kind, Tracer, leading_key
from keyrules.iac.terraform_keys import DeclaredKey
from keyrules.iac.terraform_module import Declaration
from keyrules.iac.terraform_references import Reference, references
from keyrules.iac.terraform_scope import Frame
from keyrules.iac.verdict import Context, Verdict
from keyrules.model import FactValue, Status, TraceStep

WORKING_FORM = (
    "time_rotating → terraform_data (or time_static) → replace_triggered_by, with create_before_destroy"
)
_WORKS = f"What works: {WORKING_FORM}."
_SECONDS_PER_DAY = 86_400


@dataclass
class _Triggers:
    """What the entries of `replace_triggered_by` come to."""

    clocks: list[Clock] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    manual: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)


def judge_rotation(key: DeclaredKey, context: Context) -> Verdict:
    """PASS when the earliest clock that replaces the key fires within `max_age_days`; else FAIL or UNKNOWN with why."""
    limit = context.limit("max_age_days")
    if key.inactive:
        return key.verdict(context, Status.PASS, "not_active", "the key is declared Inactive")
    if key.declared.name.startswith("awsutils_expiring_iam_access_key."):
        return _expiring(key, context, limit)
    triggers = _read_triggers(key)
    if triggers.clocks and _prevents_destroy(key.declared):
        return key.verdict(
            context,
            Status.FAIL,
            "rotation_never_fires",
            "lifecycle.prevent_destroy forbids the replacement that replace_triggered_by asks for, so the plan fails "
            f"instead of rotating. Remove prevent_destroy. {_WORKS}",
        )
    periodic = [clock for clock in triggers.clocks if clock.kind is Kind.PERIODIC and clock.days is not None]
    if periodic:
        earliest = min(periodic, key=lambda clock: (clock.days or 0.0, clock.label))
        if (earliest.days or 0.0) <= limit:
            return _passes(key, context, earliest)
    else:
        earliest = None
    outside = outside_rotation(key)
    if outside is not None and outside.days is not None and outside.days <= limit:
        return _passes(key, context, outside)
    undecided = triggers.unresolved + [c.label for c in triggers.clocks if c.kind is Kind.UNRESOLVED]
    if outside is not None and outside.days is None:
        undecided.append(outside.label)
    if undecided:
        return key.verdict(
            context,
            Status.UNKNOWN,
            "rotation_unknown",
            f"the period of {', '.join(sorted(set(undecided)))} cannot be resolved from the code; give it a value or a "
            "default, or scan the plan",
        )
    slow = [clock for clock in (earliest, outside) if clock is not None]
    if slow:
        return _too_slow(key, context, min(slow, key=lambda clock: clock.days or 0.0), limit)
    return _without_rotation(key, context, triggers)


def _passes(key: DeclaredKey, context: Context, clock: Clock) -> Verdict:
    way = " → ".join((clock.label, *reversed(clock.way)))
    often = "at every apply" if not clock.days else f"every {_days(clock.days)}"
    verdict = key.verdict(
        context,
        Status.PASS,
        "rotation_fires",
        f"replaced {often}: {way}",
        {"rotation_days": round(clock.days or 0.0, 4), "rotation_source": clock.label},
    )
    return replace(verdict, trace=(TraceStep(clock.label, clock.path, clock.line),))


def _too_slow(key: DeclaredKey, context: Context, clock: Clock, limit: int) -> Verdict:
    days = clock.days or 0.0
    facts: dict[str, FactValue] = {"rotation_days": round(days, 4), "rotation_source": clock.label}
    verdict = key.verdict(
        context,
        Status.FAIL,
        "rotation_too_slow",
        f"rotates every {_days(days)} ({clock.label}), more than the {limit} days allowed; shorten the period",
        {**facts, "max_age_days": limit},
    )
    return replace(verdict, trace=(TraceStep(clock.label, clock.path, clock.line),))


def _without_rotation(key: DeclaredKey, context: Context, triggers: _Triggers) -> Verdict:
    dead = triggers.dead + [f"{clock.label} {clock.why}" for clock in triggers.clocks if clock.kind is Kind.CONSTANT]
    dead += _dead_elsewhere(key)
    if dead:
        return key.verdict(context, Status.FAIL, "rotation_never_fires", f"{'; '.join(sorted(set(dead)))}. {_WORKS}")
    manual = triggers.manual + manual_signs(key)
    if manual:
        return key.verdict(
            context,
            Status.FAIL,
            "rotation_manual",
            f"{'; '.join(sorted(set(manual)))}: the key is replaced only when somebody changes the code, and no period "
            f"can be shown. {_WORKS}",
        )
    return key.verdict(
        context, Status.FAIL, "rotation_missing", f"nothing replaces this key, so it lives until somebody does. {_WORKS}"
    )


def _expiring(key: DeclaredKey, context: Context, limit: int) -> Verdict:
    """cloudposse/awsutils gives a key an age in seconds; unset, it is 2^31-1 (internal/service/iam/access_key.go)."""
    value = evaluate(key.declared.value("max_age"), key.frame)
    if value is UNKNOWN:
        return key.verdict(
            context, Status.UNKNOWN, "rotation_unknown", "max_age cannot be resolved from the code; give it a default"
        )
    seconds = number(value)
    if not seconds:
        return key.verdict(
            context, Status.FAIL, "rotation_missing", f"no max_age is set, so the key does not expire. Set max_age to at "
            f"most {limit * _SECONDS_PER_DAY} seconds"
        )
    label = f"{key.declared.name} max_age"
    clock = Clock(Kind.PERIODIC, label, key.declared.path, key.declared.line_of("max_age"), seconds / _SECONDS_PER_DAY)
    if seconds <= limit * _SECONDS_PER_DAY:
        return _passes(key, context, clock)
    return _too_slow(key, context, clock, limit)


def _read_triggers(key: DeclaredKey) -> _Triggers:
    triggers = _Triggers()
    for entry in _trigger_entries(key.declared):
        found = list(references(entry))
        if not found:
            triggers.dead.append("replace_triggered_by holds no reference")
        for reference in found[:1]:
            _read_trigger(reference, entry, key, triggers)
    return triggers


def _trigger_entries(declared: Declaration) -> Iterator[Expr]:
    for block in declared.blocks("lifecycle"):
        attribute = block.body.attributes.get("replace_triggered_by")
        if attribute is not None:
            yield from attribute.value.items if isinstance(attribute.value, ListExpr) else (attribute.value,)


def _read_trigger(reference: Reference, entry: Expr, key: DeclaredKey, triggers: _Triggers) -> None:
    shown = render(entry)
    scope = key.frame.scope
    if reference.root in ("data", "var", "local", "module", "each", "count", "path"):
        triggers.dead.append(f"replace_triggered_by names {shown}, but Terraform accepts only managed resources there")
        return
    name = f"{reference.root}.{reference.name}"
    declared = scope.module.resources.get(name)
    if declared is None:
        if scope.module.errors:
            triggers.unresolved.append(shown)
        else:
            triggers.dead.append(f"replace_triggered_by names {shown}, which is not declared")
        return
    instance, rest = leading_key(reference.steps[1:], key.frame)
    if instance_keys(declared, scope) == ():
        triggers.dead.append(f"replace_triggered_by names {shown}, whose count or for_each is empty")
        return
    attribute = next((step.name for step in rest if isinstance(step, Attr)), None)
    tracer = Tracer()
    if reference.root == "time_rotating":
        _read_chained_clock(declared, shown, instance, key, tracer, triggers)
        return
    clocks = list(tracer.resource_clocks(_visible_through(declared, attribute), scope, instance, (name,)))
    if tracer.truncated:
        triggers.unresolved.append(shown)
    triggers.clocks += clocks
    if clocks:
        return
    if attribute is not None and any(Tracer().resource_clocks(declared, scope, instance, ())):
        triggers.dead.append(
            f"replace_triggered_by names {shown}, which does not change when {name} is updated in place; name {name}"
        )
    elif any(references(value.value) for value in declared.body.attributes.values() if _depends_on_input(value.value)):
        triggers.manual.append(f"{shown} changes only when an input does")
    else:
        triggers.manual.append(f"{shown} has no clock behind it")


def _read_chained_clock(
    declared: Declaration, shown: str, instance: int | str | None, key: DeclaredKey, tracer: Tracer, triggers: _Triggers
) -> None:
    """A time_rotating whose `triggers` hold another clock is replaced by that one, and a replacement does count."""
    trigger_map = declared.value("triggers")
    frame = Frame(key.frame.scope, instance, declared)
    clocks = list(tracer.clocks(trigger_map, frame, declared.path, (declared.name,)))
    triggers.clocks += clocks
    if not clocks:
        triggers.dead.append(
            f"replace_triggered_by names {shown} directly; an expired time_rotating comes back as a create, and "
            "replace_triggered_by reacts only to updates and replacements"
        )


def _visible_through(declared: Declaration, attribute: str | None) -> Declaration:
    """The arguments whose change shows in the named attribute: terraform_data keeps its id when `input` changes."""
    if not declared.name.startswith("terraform_data.") or attribute in (None, "output", "input"):
        return declared
    kept = {name: value for name, value in declared.body.attributes.items() if name != "input"}
    return replace(declared, body=replace(declared.body, attributes=kept))


def _depends_on_input(expr: Expr) -> bool:
    return any(reference.root in ("var", "local") for reference in references(expr))


def _dead_elsewhere(key: DeclaredKey) -> list[str]:
    """Rotations that are only meant: a clock in depends_on, in the user name, or in an argument that does not exist."""
    dead = []
    depends_on = key.declared.value("depends_on")
    if any(reference.root == "time_rotating" for reference in references(depends_on)):
        dead.append("depends_on only orders the resources; it never replaces the key")
    user = key.declared.value("user")
    through = [r for r in references(user) if f"{r.root}.{r.name}" in key.frame.scope.module.resources]
    if any(r.root in ("null_resource", "terraform_data", "time_rotating", "time_static") for r in through):
        if any(Tracer().clocks(user, key.frame, key.declared.path)):
            dead.append("user passes through a trigger, but its value stays the same, so nothing is replaced")
        elif _has_clock(key):
            dead.append("user passes through a trigger map, but its value stays the same, so nothing is replaced")
    for argument in ("keepers", "triggers"):
        if argument in key.declared.body.attributes:
            dead.append(f"{argument} is not an argument of {key.declared.name.split('.')[0]}")
    return dead


def _has_clock(key: DeclaredKey) -> bool:
    return any(name.startswith("time_rotating.") for name in key.frame.scope.module.resources)


def _prevents_destroy(declared: Declaration) -> bool:
    values = (block.body.attributes.get("prevent_destroy") for block in declared.blocks("lifecycle"))
    return any(value is not None and truth(getattr(value.value, "value", None)) is True for value in values)


def _days(days: float) -> str:
    if days >= 1:
        return f"{days:g} days" if days != 1 else "1 day"
    return f"{days * 24:g} hours"


