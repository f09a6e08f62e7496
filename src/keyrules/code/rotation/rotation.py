"""KEY_AWS_001 on Terraform: does a declared key have a rotation that fires, and how often.

`replace_triggered_by` reacts to an update or a replacement of what it names. An expired `time_rotating` is neither: the
provider drops it from the state, so the plan shows a create (hashicorp/terraform-provider-time#118,
hashicorp/terraform#31644). A rotation therefore needs a managed resource between the clock and the key.
"""

from __future__ import annotations

from keyrules.code.rotation.clock import SECONDS_PER_DAY, Clock, Kind, earliest, period_text
from keyrules.code.rotation.entries import trigger_reference
from keyrules.code.rotation.lifecycle import keeps_replaced, prevents_destroy, trigger_entries
from keyrules.code.rotation.manual import manual_signs
from keyrules.code.rotation.outside import outside_rotation
from keyrules.code.rotation.schedule import expiry
from keyrules.code.rotation.sources import Tracer
from keyrules.code.terraform.evaluate import instance_keys
from keyrules.code.terraform.evidence import files_behind
from keyrules.code.terraform.hcl.ast import Block, Expr
from keyrules.code.terraform.hcl.render import render
from keyrules.code.terraform.identity import leading_key
from keyrules.code.terraform.keys import DeclaredKey, needs
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import Reference, references
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Status, TraceStep
from keyrules.records import dataclass, field, replace

WORKING_FORM = "time_rotating → terraform_data (or time_static) → replace_triggered_by, with create_before_destroy"
_WORKS = f"What works: {WORKING_FORM}."
_TRIGGER_TYPES = frozenset({"null_resource", "terraform_data", "time_rotating", "time_static"})
NO_ARGUMENTS = frozenset(
    {"keepers", "triggers", "triggers_replace", "replace_triggered_by", "time_rotating", "rotation", "rotation_days"}
    | {"rotation_period", "rotate_after_days"}
)
"""What people write into a key although it has no such argument."""


@dataclass
class _Triggers:
    """What the entries of `replace_triggered_by` come to."""

    clocks: list[Clock] = field(default_factory=list)
    named: list[TraceStep] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    manual: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)


def judge_rotation(key: DeclaredKey, context: Context) -> Verdict:
    """PASS when the earliest clock that replaces the key fires within `max_age_days`; else FAIL or UNKNOWN with why."""
    verdict = _judged(key, context)
    lifecycle = [value for block in key.declared.blocks("lifecycle") for value in block.body.attributes.values()]
    named = [key.declared.value(name) for name in ("depends_on", "max_age", "status")]
    # The user matters only to the rotation that is meant to go through it.
    named += [key.declared.value("user")] if verdict.reason == "rotation_never_fires" else []
    files = files_behind([*named, *(value.value for value in lifecycle)], key.frame)
    files |= {step.path for step in verdict.trace} | {*verdict.evidence, *key.declared.overrides}
    facts = {**verdict.facts, "max_age_days": context.limit("max_age_days")}
    return replace(verdict, facts=facts, evidence=tuple(sorted(files - {verdict.path})))


def _judged(key: DeclaredKey, context: Context) -> Verdict:
    limit = context.limit("max_age_days")
    triggers = _read_triggers(key)
    expires = expiry(key)
    rotates = bool(triggers.clocks or expires)
    prevented = prevents_destroy(key.declared, key.frame) if rotates else False
    kept = keeps_replaced(key.declared, key.frame) if rotates else False
    if prevented:
        message = (
            "lifecycle.prevent_destroy forbids the replacement that its rotation asks for, so the plan fails instead. "
            f"Remove prevent_destroy. {_WORKS}"
        )
        return _traced(key.verdict(context, Status.FAIL, "rotation_never_fires", message), triggers)
    if kept:
        message = (
            "lifecycle.destroy = false forgets a replaced key in place of deleting it, so each rotation leaves the old "
            "key alive, outside of the state; remove the argument"
        )
        return _traced(key.verdict(context, Status.FAIL, "rotation_keeps_the_old_key", message), triggers)
    clocks = [_settled(clock, key) for clock in (*triggers.clocks, *expires, *outside_rotation(key))]
    forbidden = sorted({f"{clock.label} {clock.why}" for clock in clocks if clock.kind is Kind.FORBIDDEN})
    if forbidden:
        message = f"{'; '.join(forbidden)}, so the plan fails and replaces nothing. Remove prevent_destroy. {_WORKS}"
        return _traced(key.verdict(context, Status.FAIL, "rotation_never_fires", message), triggers)
    first = earliest(clocks)
    if prevented is False and kept is False and first is not None and (first.days or 0.0) <= limit:
        return _passes(key, context, first)
    undecided = triggers.unresolved + [_doubt(clock) for clock in clocks if clock.kind is Kind.UNRESOLVED]
    undecided += ["whether lifecycle.prevent_destroy lets the key be replaced"] if prevented is None else []
    undecided += ["whether lifecycle.destroy lets the replaced key be deleted"] if kept is None else []
    if undecided:
        message = (
            f"whether and how often {'; '.join(sorted(set(undecided)))} fires cannot be resolved from the code; give "
            "it a value or a default, or scan the plan"
        )
        return _traced(key.verdict(context, Status.UNKNOWN, "rotation_unknown", message), triggers)
    if first is not None:
        return _too_slow(key, context, first, limit)
    return _traced(_without_rotation(key, context, triggers), triggers)


def _doubt(clock: Clock) -> str:
    return f"{clock.label} ({clock.why})" if clock.why else clock.label


def _traced(verdict: Verdict, triggers: _Triggers) -> Verdict:
    """A verdict with the clocks that were found and the triggers that the key names."""
    steps = dict.fromkeys([*(step for clock in triggers.clocks for step in clock.source), *triggers.named])
    return replace(verdict, trace=tuple(steps))


def _settled(clock: Clock, key: DeclaredKey) -> Clock:
    """A clock that exists only under conditions that the key does not share may not be there."""
    if clock.needs <= needs(key.declared, key.frame):
        return clock
    return replace(clock, kind=Kind.UNRESOLVED, days=None)


def _passes(key: DeclaredKey, context: Context, clock: Clock) -> Verdict:
    way = " → ".join(step.label for step in clock.steps)
    often = "at every apply" if not clock.days else f"every {period_text(clock.days)}"
    verdict = key.verdict(
        context,
        Status.PASS,
        "rotation_fires",
        f"replaced {often}: {way}",
        {"rotation_days": round(clock.days or 0.0, 4), "rotation_source": clock.label},
    )
    return replace(verdict, trace=clock.steps, evidence=tuple(clock.files))


def _too_slow(key: DeclaredKey, context: Context, clock: Clock, limit: int) -> Verdict:
    days = clock.days or 0.0
    verdict = key.verdict(
        context,
        Status.FAIL,
        "rotation_too_slow",
        f"rotates every {period_text(days)} ({clock.label}), more than the {limit} days allowed; shorten the period",
        {"rotation_days": round(days, 4), "rotation_source": clock.label},
    )
    return replace(verdict, trace=clock.steps, evidence=tuple(clock.files))


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
    message = f"nothing replaces this key, so it lives until somebody does. {_WORKS}"
    if key.declared.name.startswith("awsutils_"):
        longest = context.limit("max_age_days") * SECONDS_PER_DAY
        message = f"max_age sets no age, so the key does not expire; set it to at most {longest} seconds"
    return key.verdict(context, Status.FAIL, "rotation_missing", message)


def _read_triggers(key: DeclaredKey) -> _Triggers:
    triggers = _Triggers()
    for entry in trigger_entries(key.declared):
        reference = trigger_reference(entry)
        if reference is not None:
            _read_trigger(reference, render(entry), key, triggers)
        else:
            triggers.dead.append(
                f"replace_triggered_by holds {render(entry)}; Terraform takes only the plain name of a resource there, "
                "of one instance (count.index and each.key included), or of an attribute"
            )
    return triggers


def _read_trigger(reference: Reference, shown: str, key: DeclaredKey, triggers: _Triggers) -> None:
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
    triggers.named.append(TraceStep(f"{scope.prefix}{name}", declared.path, declared.start_line))
    if instance_keys(declared, scope) == ():
        triggers.dead.append(f"replace_triggered_by names {shown}, whose count or for_each is empty")
        return
    tracer = Tracer()
    clocks = tracer.trigger(declared, reference.steps[1:], key.frame)
    triggers.clocks += clocks
    if tracer.truncated:
        triggers.unresolved.append(shown)
    elif not clocks:
        _explain(declared, reference, shown, key, triggers)


def _explain(declared: Declaration, reference: Reference, shown: str, key: DeclaredKey, triggers: _Triggers) -> None:
    """Why a trigger without a clock does not rotate anything."""
    name = declared.name
    if reference.root == "time_rotating":
        triggers.dead.append(
            f"replace_triggered_by names {shown} directly; an expired time_rotating comes back as a create, and "
            "replace_triggered_by reacts only to updates and replacements"
        )
    elif not _has_instance(declared, reference, key):
        triggers.dead.append(f"replace_triggered_by names {shown}, an instance that {name} does not have")
    elif Tracer().trigger(declared, (), key.frame):
        triggers.dead.append(
            f"replace_triggered_by names {shown}, which stays the same when the clock behind {name} fires; name {name}"
        )
    elif any(_ignored(block) for block in declared.blocks("lifecycle")):
        triggers.dead.append(f"replace_triggered_by names {shown}, whose ignore_changes hides changes")
    elif any(_depends_on_input(attribute.value) for attribute in declared.body.attributes.values()):
        triggers.manual.append(f"{shown} changes only when an input does")
    elif _has_clock(key) or not declared.body.attributes.keys() - {"count", "for_each", "depends_on", "provider"}:
        triggers.dead.append(f"replace_triggered_by names {shown}, which no clock reaches")
    else:
        triggers.manual.append(f"{shown} has no clock behind it")


def _has_clock(key: DeclaredKey) -> bool:
    scope = key.frame.scope
    if "has a clock" not in scope.memo:
        scope.memo["has a clock"] = any(name.startswith("time_rotating.") for name in scope.module.resources)
    return bool(scope.memo["has a clock"])


def _has_instance(declared: Declaration, reference: Reference, key: DeclaredKey) -> bool:
    wanted, _ = leading_key(reference.steps[1:], key.frame)
    keys = instance_keys(declared, key.frame.scope)
    return wanted is None or keys is None or wanted in keys


def _ignored(block: Block) -> bool:
    return "ignore_changes" in block.body.attributes


def _depends_on_input(expr: Expr) -> bool:
    return any(reference.root in ("var", "local") for reference in references(expr))


def _dead_elsewhere(key: DeclaredKey) -> list[str]:
    """Rotations that are only meant: a clock in depends_on, in the user name, or in an argument that does not exist."""
    declared, resources = key.declared, key.frame.scope.module.resources
    dead = []
    ordered = [resources.get(f"{r.root}.{r.name}") for r in references(declared.value("depends_on"))]
    if any(other is not None and _rotates(other, key) for other in ordered):
        dead.append("depends_on only orders the resources; it never replaces the key")
    user = declared.value("user")
    through = [f"{r.root}.{r.name}" for r in references(user)]
    if _has_clock(key) and any(name in resources and name.split(".")[0] in _TRIGGER_TYPES for name in through):
        dead.append("user passes through a trigger, but its value stays the same, so nothing is replaced")
    kind = declared.name.split(".")[0]
    blocks = {block.type for block in declared.body.blocks}
    for argument in sorted((set(declared.body.attributes) | blocks) & NO_ARGUMENTS):
        dead.append(f"{argument} is not an argument of {kind}, so Terraform refuses it")
    return dead


def _rotates(declared: Declaration, key: DeclaredKey) -> bool:
    return declared.name.startswith("time_rotating.") or bool(Tracer().trigger(declared, (), key.frame))
