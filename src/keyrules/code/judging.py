"""Judges one unit (root module, template or plan): its keys by name, and every rule's verdicts on it.

Both doors come here: `keyrules scan`, and the checks that Checkov loads.
"""

from __future__ import annotations

import hashlib
import os.path
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from keyrules.code.addresses import without_keys
from keyrules.code.cloudformation import exposure
from keyrules.code.cloudformation.document import decode_template
from keyrules.code.cloudformation.key_set import key_set as template_keys
from keyrules.code.cloudformation.parts import template_files, text_inside
from keyrules.code.cloudformation.template import ACCESS_KEY, Template
from keyrules.code.cloudformation.view import TemplateFile
from keyrules.code.file_paths import shown
from keyrules.code.flow import flow
from keyrules.code.joined_readings import joined
from keyrules.code.key_rules import (
    KeyRule,
    as_the_rule_says,
    call_verdicts,
    encrypted_in_state,
    key_verdicts,
    no_console_user,
    no_key_by_call,
    one_active_key,
    rotation,
)
from keyrules.code.keys import KeySet
from keyrules.code.plan import literals as plan_literals
from keyrules.code.plan import outputs as plan_outputs
from keyrules.code.plan import sinks as plan_sinks
from keyrules.code.plan.key_set import key_set as planned_keys
from keyrules.code.plan.view import Plan, PlanError, read_plan
from keyrules.code.session import CheckSession
from keyrules.code.skips import Skips
from keyrules.code.terraform.embedded import EmbeddedTemplate, templates_in
from keyrules.code.terraform.evaluate import instance_keys
from keyrules.code.terraform.key_set import key_set as declared_keys
from keyrules.code.terraform.keys import KEY_TYPES, module_instances
from keyrules.code.terraform.module import Declaration, Module
from keyrules.code.terraform.readings import Readings
from keyrules.code.terraform.scope import Scope, format_key, walk
from keyrules.code.terraform.sources import module_source
from keyrules.code.unit_results import Declared, Place, Problem
from keyrules.code.verdict import Context, TimedContext, Verdict
from keyrules.files import read_regular
from keyrules.model import Status

_TERRAFORM = ("terraform", "plan")
_EVERYWHERE = (*_TERRAFORM, "cloudformation")


@dataclass(frozen=True)
class CodeRule:
    """How a rule is decided on code: key by key in the kinds of unit named, and on the calls of modules that are not
    here; or on the whole of each kind. `rests_on` are the arguments of a key that it looks at, in Terraform's names."""

    on_keys: KeyRule | None = None
    rests_on: tuple[str, ...] = ()
    on_calls: KeyRule | None = None
    on_unknown_calls: bool = False
    kinds: tuple[str, ...] = _EVERYWHERE
    terraform: Callable[[Scope, Context], list[Verdict]] | None = None
    plan: Callable[[Plan, str, Context], list[Verdict]] | None = None
    cloudformation: Callable[[TemplateFile, Context], list[Verdict]] | None = None


RULES: Mapping[str, CodeRule] = {
    "KEY_AWS_001": CodeRule(rotation, ("status",), rotation, on_unknown_calls=True),
    "KEY_AWS_003": CodeRule(one_active_key, ("user", "status")),
    "KEY_AWS_004": CodeRule(no_console_user, ("user", "status")),
    "KEY_AWS_005": CodeRule(as_the_rule_says, ("user",)),
    "KEY_AWS_006": CodeRule(as_the_rule_says, ("status",)),
    "KEY_AWS_007": CodeRule(as_the_rule_says, on_calls=no_key_by_call),
    # State is Terraform's.
    "KEY_AWS_008": CodeRule(encrypted_in_state, ("pgp_key",), encrypted_in_state, kinds=_TERRAFORM),
    "KEY_AWS_009": CodeRule(
        terraform=flow.judge_outputs, plan=plan_outputs.judge_outputs, cloudformation=exposure.judge_outputs
    ),
    "KEY_AWS_010": CodeRule(
        terraform=flow.judge_sinks, plan=plan_sinks.judge_sinks, cloudformation=exposure.judge_sinks
    ),
    # In text it is decided by keyrules.code.literals.
    "KEY_AWS_011": CodeRule(plan=plan_literals.judge_literals),
}
"""Every rule that declarations decide; this is the one place where a rule is entered."""

_Whole: TypeAlias = Callable[[CodeRule, TimedContext], list[Verdict]]

_RESOURCE = re.compile(rf'^\s*resource\s+"?({"|".join(KEY_TYPES)})"?\s+"?([^"\s{{]+)"?', re.MULTILINE)


def judge_unit(kind: str, path: str, session: CheckSession, callers: Sequence[str] = ()) -> Declared:
    """Judges one root module folder, template or plan; `callers` as a Unit has them. Raises OSError when the file
    itself cannot be read."""
    if kind == "terraform":
        return _terraform(path, session, callers)
    judges = {"cloudformation": _cloudformation, "plan": _planned, "text": _terraform_text}
    return judges[kind](path, session)


def _verdicts(kind: str, session: CheckSession, keys: KeySet, whole: _Whole) -> Iterator[Verdict]:
    """The verdicts of every rule in force; `whole` asks those that are not decided key by key."""
    for rule_id, rule in RULES.items():
        if session.selection.rule(rule_id):
            context = session.timed_context(rule_id)
            if rule.on_keys is None:
                yield from whole(rule, context)
            elif kind in rule.kinds:
                yield from key_verdicts(rule.on_keys, keys, context, rule.rests_on)
                if rule.on_calls is not None:
                    yield from call_verdicts(rule.on_calls, keys, context, unknown=rule.on_unknown_calls)


def _unread(kind: str, places: Iterable[Place], session: CheckSession, why: str) -> Iterator[Verdict]:
    """A key that only its name is known of is UNKNOWN to every rule that could have judged it."""
    for rule_id, rule in RULES.items():
        concerned = kind in rule.kinds if rule.on_keys else getattr(rule, kind) is not None
        if concerned and session.selection.rule(rule_id):
            for place in places:
                message = f"{place.address or 'an access key'} cannot be judged: {why}"
                lines = (place.start_line, place.end_line)
                yield Verdict(rule_id, Status.UNKNOWN, place.path, place.address, *lines, "not_evaluated", message)


def _terraform(folder: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    readings = Readings(folder, callers)
    found = joined([(reading, _read(reading.root, session)) for reading in readings])
    found.problems += [Problem(error.path, error.message) for error in readings.errors]
    digests = {path: digest for reader in readings.readers for path, digest in reader.digests.items()}
    lines = (f"{_relative(path, folder)}\0{digest}" for path, digest in sorted(digests.items()))
    found.sha256 = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return found


def _read(root: Scope, session: CheckSession) -> Declared:
    """What one reading of a root module says."""
    keys = declared_keys(root)
    found = Declared([Place(key.path, key.address, key.start_line, key.end_line) for key in keys.keys])
    present = {(place.path, without_keys(place.address)) for place in found.keys}
    modules: dict[str, Module] = {}
    for scope in walk(root):
        modules.setdefault(scope.module.path, scope.module)
        found.problems += _missing_folder(scope)
        found.problems += _unread_sources(scope)
        for name, declared in sorted(scope.module.resources.items()):
            address = f"{scope.prefix}{name}"
            if name.split(".")[0] in KEY_TYPES and (declared.path, without_keys(address)) not in present:
                found.absent.append(Place(declared.path, address, declared.start_line, declared.end_line))
    unread: list[Place] = []
    for module in modules.values():
        for error in module.errors:
            if error.path != module.path or module is root.module:
                found.problems.append(Problem(error.path, error.message))
            unread += _named_in_text(error.path)
    found.keys += unread
    verdicts = list(
        _verdicts("terraform", session, keys, lambda rule, context: (rule.terraform or _nothing)(root, context))
    )
    verdicts = _each_instance(verdicts, root)
    skips = Skips.of_terraform(root, root.reader.comments)
    found.verdicts = _with_skips(verdicts, skips)
    for declared, embedded in templates_in(root):
        _add(found, _embedded(declared, embedded, skips, session))
    found.verdicts += _unread("terraform", unread, session, "its file cannot be parsed, so it is known by name only")
    found.idle_skips = _idle(skips)
    return found


def _missing_folder(scope: Scope) -> Iterator[Problem]:
    """The call of a module whose folder cannot be read."""
    for error in scope.module.errors:
        if error.path == scope.module.path and scope.call is not None:
            where = f"line {scope.call.start_line}: the folder of module {scope.call.name}, {shown(error.path)},"
            yield Problem(scope.call.path, f"{where} {error.message}")


def _embedded(stack: Declaration, embedded: EmbeddedTemplate, skips: Skips, session: CheckSession) -> Declared:
    """What a template declares that Terraform deploys. A template that is a file of its own is judged as that file.

    A skip comment in the stack counts for what it deploys.
    """
    found = Declared()
    if embedded.text is None:
        unread = [Place(embedded.path, embedded.address, embedded.start_line, embedded.end_line, judged=False)]
        found.keys += unread
        found.verdicts += _unread("cloudformation", unread, session, "the configuration does not show its template")
        return found
    if embedded.whole_file:
        files = template_files(embedded.path, embedded.text)
    else:
        lines = (embedded.start_line, embedded.end_line)
        files = text_inside(embedded.path, embedded.text, *lines, f"{embedded.address}/")
    for file in files:
        _add(found, _template(file, embedded.text if embedded.whole_file else "", session))
    if not embedded.whole_file:
        found.verdicts = [_skipped_with(stack, verdict, skips) for verdict in found.verdicts]
    return found


def _skipped_with(stack: Declaration, verdict: Verdict, skips: Skips) -> Verdict:
    if verdict.status is Status.PASS or verdict.skipped is not None:
        return verdict
    at_stack = replace(verdict, path=stack.path, start_line=stack.start_line, end_line=stack.end_line)
    return replace(verdict, skipped=skips.reason(at_stack))


def _nothing(*_: object) -> list[Verdict]:
    return []


def _idle(skips: Skips) -> list[Place]:
    return [Place(path, comment.ids, comment.line, comment.line) for path, comment in skips.without_effect()]


def _with_skips(verdicts: Iterable[Verdict], skips: Skips) -> list[Verdict]:
    return [
        verdict if verdict.status is Status.PASS else replace(verdict, skipped=skips.reason(verdict))
        for verdict in verdicts
    ]


def _each_instance(verdicts: list[Verdict], root: Scope) -> list[Verdict]:
    """A verdict on a block that is repeated is one on each of its instances, as Checkov reports them."""
    whole = {verdict.address for verdict in verdicts if "[" not in verdict.address}
    instances: dict[tuple[str, str], list[str]] = {}
    for scope in module_instances(root):
        for kind, declared in (("", scope.module.resources), ("data.", scope.module.data)):
            for name, block in declared.items():
                plain = f"{without_keys(scope.prefix)}{kind}{name}"
                if plain in whole:
                    found = instances.setdefault((block.path, plain), [])
                    found += [
                        f"{scope.prefix}{kind}{name}{format_key(key)}" for key in instance_keys(block, scope) or (None,)
                    ]
    return [
        replace(verdict, address=address)
        for verdict in verdicts
        for address in instances.get((verdict.path, verdict.address)) or (verdict.address,)
    ]


def _unread_sources(scope: Scope) -> Iterator[Problem]:
    """The calls of which it is not known what they call, or which lead where they must not."""
    for name, call in sorted(scope.module.calls.items()):
        if call.value("source") is not None:
            source, where = module_source(call, scope), f"line {call.line_of('source')}: module {name}"
            if source.text is None:
                message = "has a source that does not resolve here, so what it declares is not judged; scan the plan"
                yield Problem(call.path, f"{where} {message}")
            elif source.skipped is not None:
                yield Problem(call.path, f"{where} is not read: {source.skipped}")


def _relative(path: str, folder: str) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _named_in_text(path: str) -> list[Place]:
    """The keys of a file that could not be parsed, by name."""
    try:
        text = read_regular(path).decode("utf-8", "replace")
    except OSError:
        return []
    return [
        Place(path, f"{match[1]}.{match[2]}", line, line, judged=False)
        for match in _RESOURCE.finditer(text)
        for line in (text.count("\n", 0, match.start(1)) + 1,)
    ]


def _terraform_text(path: str, session: CheckSession) -> Declared:
    """The keys of Terraform inside a text that becomes a configuration later, by name."""
    unread = _named_in_text(path)
    why = "it is Terraform in a text that another program writes out; scan the configuration that it becomes"
    verdicts = list(_unread("terraform", unread, session, why))
    return Declared(unread, verdicts=verdicts, sha256=hashlib.sha256(Path(path).read_bytes()).hexdigest())


def _cloudformation(path: str, session: CheckSession) -> Declared:
    data = Path(path).read_bytes()
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    text = decode_template(data)
    for file in template_files(path, text):
        _add(found, _template(file, text, session))
    return found


def _template(file: TemplateFile, text: str, session: CheckSession) -> Declared:
    """What one template declares; `text` is that of the file that it stands in, for the skip comments."""
    found = Declared()
    for place in file.unread:
        unread = [Place(file.path, place.logical_id, place.line, place.line, judged=False)]
        found.keys += unread
        found.verdicts += _unread("cloudformation", unread, session, place.why)
    if file.template is None:
        if file.unread:
            found.problems.append(Problem(file.path, file.problem))
    else:
        _judge_template(found, file, file.template, text, session)
    found.keys = [replace(place, address=file.prefix + place.address) for place in found.keys]
    found.verdicts = [replace(verdict, address=file.prefix + verdict.address) for verdict in found.verdicts]
    return found


def _judge_template(found: Declared, file: TemplateFile, template: Template, text: str, session: CheckSession) -> None:
    path = file.path
    keys = template_keys(template, path)
    found.keys += [Place(path, key.address, key.start_line, key.end_line) for key in keys.keys]
    if found.keys:
        found.notes += [Problem(path, note) for note in template.notes]
    for block in template.malformed_keys:
        message = f"line {block.start_line}: this resource names {ACCESS_KEY} and has no Type that is text"
        found.problems.append(Problem(path, f"{message}, so no rule can judge it; write `Type: {ACCESS_KEY}`"))
    verdicts = _verdicts(
        "cloudformation", session, keys, lambda rule, context: (rule.cloudformation or _nothing)(file, context)
    )
    skips = Skips.of_template(template, path, text)
    found.verdicts += _with_skips(verdicts, skips)
    found.idle_skips = _idle(skips)


def _add(found: Declared, part: Declared) -> None:
    found.keys += part.keys
    found.verdicts += part.verdicts
    found.problems += part.problems
    found.idle_skips += part.idle_skips
    found.notes += part.notes


def _planned(path: str, session: CheckSession) -> Declared:
    data = Path(path).read_bytes()
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    try:
        plan = read_plan(data)
    except PlanError as error:
        found.problems.append(Problem(path, str(error)))
        return found
    found.problems += [Problem(path, gap) for gap in plan.gaps]
    keys = planned_keys(plan, path)
    found.keys = [Place(path, key.address, 1, 1) for key in keys.keys]
    found.verdicts = list(
        _verdicts("plan", session, keys, lambda rule, context: (rule.plan or _nothing)(plan, path, context))
    )
    return found
