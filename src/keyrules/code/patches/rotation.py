"""Mends KEY_AWS_001 on Terraform: a clock, what carries it, and the key that names the carrier.

What the key names already is used, as far as it is a clock or can carry one; what would keep it from firing is taken
away. Each call does the next step for a key as it is judged now, and the rules judge again after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, count
from math import inf
from pathlib import Path

from keyrules.code.patches.files import BlockEditor, Files, Left, Marks, block_at, indent, line_start, newline
from keyrules.code.patches.layout import ArgumentAt
from keyrules.code.patches.periods import days_within, repair_clock, shorten, shorten_expiry
from keyrules.code.patches.providers import declare_time, refuse_old_terraform
from keyrules.code.rotation.clock import Clock, Kind
from keyrules.code.rotation.entries import named_part, reaches, trigger_reference
from keyrules.code.rotation.lifecycle import keeps_replaced, prevents_destroy, trigger_entries
from keyrules.code.rotation.manual import TWO_SLOTS
from keyrules.code.rotation.rotation import NO_ARGUMENTS
from keyrules.code.rotation.sources import Tracer
from keyrules.code.terraform.evaluate import instance_keys
from keyrules.code.terraform.evidence import expressions_of
from keyrules.code.terraform.hcl.ast import Access, Attr, Expr, Name
from keyrules.code.terraform.identity import leading_key
from keyrules.code.terraform.keys import DeclaredKey, keys_of
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import Reference, references
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.verdict import Verdict

NAME = "access_key_rotation"
"""What a new clock and its carrier are called, with a number where that is taken."""

_REFUSED = frozenset({"data", "var", "local", "module", "each", "count", "path", "self", "terraform"})
_CLOCK = "time_rotating."
_HIDING = ("all", "input", "keepers", "rfc3339", "triggers")
_MAX_CHAIN = 50


class RotationMender:
    """Mends keys of a unit. `limit` is the longest period in days."""

    def __init__(self, files: Files, limit: int) -> None:
        self._files = files
        self._limit = limit

    def step(self, key: DeclaredKey, verdict: Verdict, marks: Marks, *, alone: bool) -> None:
        """The next change for a key that fails. `alone` says that its user surely has no other key. Raises Left."""
        declared, files = key.declared, self._files
        if declared.overrides:
            raise Left("is changed by an override file, which a patch does not touch")
        if verdict.reason == "rotation_keeps_the_old_key":
            self._key(declared, marks).inside("lifecycle").remove("destroy")
            files.say(marks, "removes lifecycle.destroy")
        elif declared.name.startswith("awsutils_") and verdict.reason in ("rotation_missing", "rotation_too_slow"):
            shorten_expiry(declared, key.frame, files, marks, self._limit)
        elif verdict.reason == "rotation_too_slow":
            if not shorten(str(verdict.facts["rotation_source"]), key.frame.scope.root, files, marks, self._limit):
                self._attach(key, marks, [], alone=alone, within=self._limit)
        elif TWO_SLOTS in verdict.message:
            raise Left("is one of two keys that a switch chooses between; who turns it decides when they change")
        else:
            self._fire(key, marks, alone=alone)

    def _key(self, declared: Declaration, marks: Marks) -> BlockEditor:
        return BlockEditor(self._files, declared.path, block_at("resource", declared.name, declared.start_line), marks)

    def _fire(self, key: DeclaredKey, marks: Marks, *, alone: bool) -> None:
        declared, scope = key.declared, key.frame.scope
        editor = self._key(declared, marks)
        changed = False
        self._remove_refused(declared, editor, marks)
        if prevents_destroy(declared, key.frame):
            editor.inside("lifecycle").remove("prevent_destroy")
            self._files.say(marks, "removes prevent_destroy, which forbids the replacement")
            changed = True
        if keeps_replaced(declared, key.frame):
            editor.inside("lifecycle").remove("destroy")
            changed = True
        dropped: list[int] = []
        for position, entry in enumerate(trigger_entries(declared)):
            reference = trigger_reference(entry)
            name = f"{reference.root}.{reference.name}" if reference is not None else ""
            target = scope.module.resources.get(name)
            if reference is None or target is None or not _may_fire(target, reference, key.frame):
                dropped.append(position)
            elif self._unblock(target, scope, marks):
                changed = True
            elif _fires(target, scope) and not _periodic(Tracer().trigger(target, reference.steps[1:], key.frame)):
                dropped.append(position)
        if not changed:
            self._attach(key, marks, dropped, alone=alone)

    def _remove_refused(self, declared: Declaration, editor: BlockEditor, marks: Marks) -> None:
        """Removes what Terraform refuses in a key because a key has no such argument."""
        nested = {block.type for block in declared.body.blocks}
        for name in sorted((set(declared.body.attributes) | nested) & NO_ARGUMENTS):
            if name in nested:
                editor.remove_block(name)
            else:
                editor.remove(name)
            self._files.say(marks, f"removes {name}, which is no argument of a key")

    def _unblock(self, carrier: Declaration, scope: Scope, marks: Marks) -> bool:
        """Takes away what keeps a carrier with a clock behind it from carrying; whether there was anything."""
        around = list(_chain(carrier, scope))
        clocks = [each for each in around if each.name.startswith(_CLOCK)]
        if not clocks:
            return False
        changed = False
        for each in around:
            if each in clocks:
                itself = Access(Name("time_rotating"), (Attr(each.name.removeprefix(_CLOCK)), Attr("id")))
                if not _periodic(Tracer().clocks(itself, Frame(scope), each.path)):
                    changed |= repair_clock(each, Frame(scope, None, each), self._files, marks, self._limit)
                continue
            lifecycle = self._key(each, marks).inside("lifecycle")
            if prevents_destroy(each, Frame(scope, None, each)):
                lifecycle.remove("prevent_destroy")
                self._files.say(marks, f"removes prevent_destroy of {each.name}, which carries the rotation")
                changed = True
            ignores = any("ignore_changes" in block.body.attributes for block in each.blocks("lifecycle"))
            if ignores and not _periodic(Tracer().trigger(each, (), Frame(scope))):
                _stop_ignoring(lifecycle)
                self._files.say(marks, f"has {each.name} ignore no change of its clock")
                changed = True
        return changed

    def _attach(self, key: DeclaredKey, marks: Marks, dropped: list[int], *, alone: bool, within: float = inf) -> None:
        """Has a key replaced by what fires: what it names already, or a new carrier."""
        declared = key.declared
        carrier = self._carrier(key, within, marks)
        editor = self._key(declared, marks)
        lifecycle = editor.block.nested("lifecycle")
        own = ["create_before_destroy = true"] if alone else []
        named = f"replace_triggered_by = [{carrier}]"
        if lifecycle is None:
            editor.nest("lifecycle", [*own, named])
        elif lifecycle.argument("replace_triggered_by") is None:
            there = lifecycle.argument("create_before_destroy") is not None
            editor.inside("lifecycle").add([named] if there else [*own, named])
        else:
            self._name(declared, carrier, dropped, marks)
        self._files.say(marks, f"has it replaced by {carrier}")

    def _name(self, declared: Declaration, carrier: str, dropped: list[int], marks: Marks) -> None:
        """Puts a carrier into replace_triggered_by, in the place of what does nothing there."""
        find = block_at("resource", declared.name, declared.start_line)
        whole = self._files.layout(declared.path)
        block = find(whole)
        lifecycle = block.nested("lifecycle") if block is not None else None
        argument = lifecycle.argument("replace_triggered_by") if lifecycle is not None else None
        if argument is None:
            raise Left("does not stand in its file as it is judged")
        items = whole.items(argument)
        text, path = whole.text, declared.path
        if items is None:
            self._files.replace(path, argument.value, argument.end, f"[{carrier}]", marks)
            return
        if not items:
            self._append(declared.path, argument, argument.value + 1, carrier, marks)
            return
        kept = [n for n in range(len(items)) if n not in dropped]
        there = any(text[start:end] == carrier for start, end in (items[n] for n in kept))
        for position in reversed(dropped[0 if there else 1 :]):
            start, end = items[position]
            if position + 1 < len(items):
                end = items[position + 1][0]
            elif position:
                start = items[position - 1][1]
            if "#" in text[start:end] or "//" in text[start:end] or "/*" in text[start:end]:
                # The comment stays, and a comma that is too many is none to Terraform.
                start, end = items[position]
                end += len(text[end:]) - len(text[end:].removeprefix(",").lstrip(" "))
            self._files.replace(path, start, end, "", marks)
        if there:
            return
        if dropped:
            start, end = items[dropped[0]]
            self._files.replace(path, start, end, carrier, marks)
            return
        self._append(declared.path, argument, items[-1][1], carrier, marks)

    def _append(self, path: str, argument: ArgumentAt, end: int, carrier: str, marks: Marks) -> None:
        """Puts a carrier behind the last member of a list, which ends there; of an empty list, that is its bracket."""
        text, empty = self._files.text(path), end == argument.value + 1
        bracket = argument.end - 1
        if "\n" not in text[end:bracket]:
            self._files.replace(path, end, end, carrier if empty else f", {carrier}", marks)
            return
        comma = text[end:bracket].lstrip().startswith(",")
        place = line_start(text, bracket)
        inner = indent(text, bracket) + "  " if empty else indent(text, end)
        self._files.replace(path, place, place, f"{inner}{carrier}{',' if comma else ''}{newline(text, end)}", marks)
        if not (comma or empty):
            self._files.replace(path, end, end, ",", marks)

    def _carrier(self, key: DeclaredKey, within: float, marks: Marks) -> str:
        """The name of what fires and can be named by the key: one that it names, one of its module's, or a new one."""
        declared, scope = key.declared, key.frame.scope
        clock: Declaration | None = None
        for meant in _meant(declared, scope):
            if meant.name.startswith(_CLOCK):
                clock = clock or (meant if _is_one(meant) else None)
            elif _fires(meant, scope, within):
                return meant.name
        known = self._known(scope, clock, marks)
        if known is not None:
            return known
        if clock is None:
            for other in keys_of(scope):
                for meant in _entries(other.declared, scope):
                    least = days_within(self._limit) / 2
                    if not meant.name.startswith(_CLOCK) and _fires(meant, scope, self._limit, least):
                        return meant.name
        return self._new(key, clock, marks)

    def _known(self, scope: Scope, clock: Declaration | None, marks: Marks) -> str | None:
        """The carrier that was added for another key of the module, where the same program reads it."""
        name, path = self._files.carriers.get((scope.module.path, clock.name if clock is not None else ""), ("", ""))
        if Path(path).name not in scope.module.files:
            return None
        there = self._files.share(path, f'resource "terraform_data" "{name}"', marks)
        return f"terraform_data.{name}" if there else None

    def _new(self, key: DeclaredKey, clock: Declaration | None, marks: Marks) -> str:
        declared, scope = key.declared, key.frame.scope
        refuse_old_terraform(scope, self._files)
        folder = scope.module.path
        new = self._files.names.setdefault(folder, set())
        taken = set(scope.module.resources) | new
        first = clock.name.partition(".")[2] if clock is not None else NAME
        second = f"{first}_carrier" if clock is not None else f"{first}_2"
        kinds = ("terraform_data",) if clock is not None else ("terraform_data", "time_rotating")
        numbered = (f"{first}_{number}" for number in count(2))
        free = next(n for n in chain((first, second), numbered) if taken.isdisjoint(f"{kind}.{n}" for kind in kinds))
        blocks = []
        behind = clock.name if clock is not None else f"{_CLOCK}{free}"
        if clock is None:
            declare_time(scope, self._files, marks)
            blocks.append(f'resource "time_rotating" "{free}" {{\n  rotation_days = {days_within(self._limit)}\n}}')
            self._files.say(marks, f"adds {behind} of {days_within(self._limit)} days")
        blocks.append(f'resource "terraform_data" "{free}" {{\n  triggers_replace = {behind}.id\n}}')
        self._key(declared, marks).follow(blocks)
        new |= {f"{kind}.{free}" for kind in kinds}
        self._files.carriers[folder, clock.name if clock is not None else ""] = (free, declared.path)
        return f"terraform_data.{free}"


def _may_fire(target: Declaration, reference: Reference, frame: Frame) -> bool:
    """Whether an entry of replace_triggered_by is one that Terraform takes and that is more than a clock."""
    keys = instance_keys(target, frame.scope)
    wanted, _ = leading_key(reference.steps[1:], frame)
    there = keys is None or (keys != () and (wanted is None or wanted in keys))
    named = there and reference.root not in _REFUSED and not target.name.startswith(_CLOCK)
    return (
        named
        and named_part(target, reference.steps[1:]) is not None
        and reaches(target, reference.steps[1:], frame) is not False
    )


def _meant(declared: Declaration, scope: Scope) -> Iterator[Declaration]:
    """The resources that a key names where a rotation is meant: clocks, and what may carry them."""
    for found in _entries(declared, scope):
        yield found
        yield from (each for each in _chain(found, scope) if each.name.startswith(_CLOCK))
    meant = [declared.value(name) for name in ("depends_on", "user", *sorted(NO_ARGUMENTS))]
    meant += [value.value for block in declared.blocks("triggers") for value in block.body.attributes.values()]
    for expr in meant:
        for found in _behind(expr, scope):
            if found.name.split(".")[0] in ("null_resource", "terraform_data", "time_static") or found.name.startswith(
                _CLOCK
            ):
                yield found


def _entries(declared: Declaration, scope: Scope) -> Iterator[Declaration]:
    for entry in trigger_entries(declared):
        yield from _behind(entry, scope)


def _behind(expr: Expr | None, scope: Scope) -> Iterator[Declaration]:
    """The resources that an expression names, through locals too."""
    seen: set[str] = set()
    waiting = list(references(expr))
    while waiting:
        reference = waiting.pop(0)
        name = f"{reference.root}.{reference.name}"
        if name in seen:
            continue
        seen.add(name)
        if reference.root == "local" and reference.name is not None and reference.name in scope.module.locals:
            waiting += references(scope.module.locals[reference.name].value("value"))
        found = scope.module.resources.get(name)
        if found is not None:
            yield found


def _is_one(declared: Declaration) -> bool:
    return declared.value("count") is None and declared.value("for_each") is None and declared.enabled is None


def _chain(first: Declaration, scope: Scope) -> Iterator[Declaration]:
    """A resource and what it names, at any distance within the module."""
    seen: dict[str, Declaration] = {first.name: first}
    todo = [first]
    while todo and len(seen) < _MAX_CHAIN:
        current = todo.pop()
        yield current
        for expr in expressions_of(current):
            for reference in references(expr):
                found = scope.module.resources.get(f"{reference.root}.{reference.name}")
                if found is not None and found.name not in seen:
                    seen[found.name] = found
                    todo.append(found)


def _fires(carrier: Declaration, scope: Scope, most: float = inf, least: float = 0.0) -> bool:
    """Whether something that can be named in replace_triggered_by is replaced by a clock of a period in days."""
    if not _is_one(carrier):
        return False
    clocks = Tracer().trigger(carrier, (), Frame(scope))
    return _periodic(tuple(clock for clock in clocks if not clock.needs and least <= (clock.days or 0.0) <= most))


def _periodic(clocks: tuple[Clock, ...]) -> bool:
    return any(clock.kind is Kind.PERIODIC for clock in clocks)


def _stop_ignoring(lifecycle: BlockEditor) -> None:
    """Removes from ignore_changes what hides a clock; all of it where that is not one of the names in a list."""
    argument = lifecycle.block.argument("ignore_changes")
    if argument is None:
        return
    text = lifecycle.text_of(argument)
    kept = [item.strip() for item in text.strip("[] \n\t").split(",")] if text.startswith("[") else []
    shown = [item for item in kept if re.match(r"[A-Za-z_]\w*", item) and not item.startswith(_HIDING)]
    if shown and len(shown) < len([item for item in kept if item]) and "\n" not in text:
        lifecycle.set("ignore_changes", f"[{', '.join(shown)}]")
    else:
        lifecycle.remove("ignore_changes")
