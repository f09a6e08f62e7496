"""Judges a unit on its own declarations, without Checkov: the verdicts of the Python rules, and every key by name.

What Checkov then adds (the rules written in YAML, skip comments) is held against this list of keys, so that a key that
Checkov did not see is missed by nobody.
"""

from __future__ import annotations

import hashlib
import os.path
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from keyrules.code.checkov.graph import without_keys
from keyrules.code.cloudformation import exposure as cloudformation_exposure
from keyrules.code.cloudformation import keys as cloudformation_keys
from keyrules.code.cloudformation.document import decode_template
from keyrules.code.cloudformation.parts import template_files
from keyrules.code.cloudformation.template import ACCESS_KEY
from keyrules.code.cloudformation.view import CloudFormationView, TemplateFile
from keyrules.code.flow import flow as secret_flow
from keyrules.code.plan import literals as plan_literals
from keyrules.code.plan import outputs as plan_outputs
from keyrules.code.plan import rotation as plan_rotation
from keyrules.code.plan import sinks as plan_sinks
from keyrules.code.plan import users as plan_state
from keyrules.code.plan import users as plan_users
from keyrules.code.plan.view import Plan, PlanError, read_plan
from keyrules.code.session import CheckSession
from keyrules.code.terraform import rules as terraform_rules
from keyrules.code.terraform.evaluate import instance_keys
from keyrules.code.terraform.hcl.ast import Literal
from keyrules.code.terraform.keys import KEY_TYPES, declared_keys
from keyrules.code.terraform.module import Module, ModuleReader
from keyrules.code.terraform.scope import Scope, walk
from keyrules.code.trigger_words import MODULE_SOURCES
from keyrules.code.unit_results import Declared, Place, Problem
from keyrules.code.verdict import Context, TimedContext, Verdict
from keyrules.files import read_regular

SourceJudge: TypeAlias = Callable[[Scope, Context], list[Verdict]]
PlanJudge: TypeAlias = Callable[[Plan, str, TimedContext], list[Verdict]]
TemplateJudge: TypeAlias = Callable[[CloudFormationView, Context], list[Verdict]]

SOURCE_JUDGES: Mapping[str, SourceJudge] = {
    "KEY_AWS_001": terraform_rules.rotation,
    "KEY_AWS_003": terraform_rules.one_active_key,
    "KEY_AWS_004": terraform_rules.no_console_user,
    "KEY_AWS_008": terraform_rules.encrypted_in_state,
    "KEY_AWS_009": secret_flow.judge_outputs,
    "KEY_AWS_010": secret_flow.judge_sinks,
}
PLAN_JUDGES: Mapping[str, PlanJudge] = {
    "KEY_AWS_001": plan_rotation.judge_rotation,
    "KEY_AWS_003": plan_users.judge_single_key,
    "KEY_AWS_004": plan_users.judge_console,
    "KEY_AWS_008": plan_state.judge_state,
    "KEY_AWS_009": plan_outputs.judge_outputs,
    "KEY_AWS_010": plan_sinks.judge_sinks,
    "KEY_AWS_011": plan_literals.judge_literals,
}
TEMPLATE_JUDGES: Mapping[str, TemplateJudge] = {
    "KEY_AWS_001": cloudformation_keys.judge_rotation,
    "KEY_AWS_003": cloudformation_keys.judge_single_key,
    "KEY_AWS_004": cloudformation_keys.judge_console,
    "KEY_AWS_009": cloudformation_exposure.judge_outputs,
    "KEY_AWS_010": cloudformation_exposure.judge_sinks,
}

_RESOURCE = re.compile(rf'^\s*resource\s+"?({"|".join(KEY_TYPES)})"?\s+"?([^"\s{{]+)"?', re.MULTILINE)

_KEY_MODULES = tuple(word.decode() for word in MODULE_SOURCES)
"""In the sources of the registry modules that KEY_AWS_007 knows; the rule file says which they are exactly."""


def judge_unit(kind: str, path: str, session: CheckSession) -> Declared:
    """Judges one root module folder, template or plan. Raises OSError when the file itself cannot be read."""
    judge = {"terraform": _terraform, "cloudformation": _cloudformation, "plan": _planned}[kind]
    return judge(path, session)


def _terraform(folder: str, session: CheckSession) -> Declared:
    reader = ModuleReader()
    root = Scope(reader.module(folder), reader)
    found = Declared()
    for key in declared_keys(root):
        found.keys.append(Place(key.declared.path, key.address, key.declared.start_line, key.declared.end_line))
    present = {f"{place.path}\n{without_keys(place.address)}" for place in found.keys}
    modules: dict[str, Module] = {}
    for scope in walk(root):
        modules.setdefault(scope.module.path, scope.module)
        found.calls += _calls_of_key_modules(scope)
        for name, declared in sorted(scope.module.resources.items()):
            named = f"{declared.path}\n{without_keys(scope.prefix)}{name}"
            if name.split(".")[0] in KEY_TYPES and named not in present:
                found.absent.append(named)
    for module in modules.values():
        for error in module.errors:
            found.problems.append(Problem(error.path, error.message))
            found.keys += _named_in_text(error.path)
    for rule_id, judge in SOURCE_JUDGES.items():
        if session.selection.rule(rule_id):
            found.verdicts += judge(root, session.context(rule_id))
    lines = (f"{_relative(path, folder)}\0{digest}" for path, digest in sorted(reader.digests.items()))
    found.sha256 = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return found


def _calls_of_key_modules(scope: Scope) -> Iterator[Place]:
    for name, call in sorted(scope.module.calls.items()):
        source = call.value("source")
        text = source.value if isinstance(source, Literal) else None
        if isinstance(text, str) and any(word in text for word in _KEY_MODULES) and instance_keys(call, scope) != ():
            yield Place(call.path, f"{scope.prefix}module.{name}", call.start_line, call.end_line)


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


def _cloudformation(path: str, session: CheckSession) -> Declared:
    data = Path(path).read_bytes()
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    for file in template_files(path, decode_template(data)):
        _add_template(found, file, session)
    return found


def _add_template(found: Declared, file: TemplateFile, session: CheckSession) -> None:
    found.keys += [Place(file.path, file.address(key.logical_id), key.start_line, key.end_line) for key in file.access_keys]
    found.keys += [
        Place(file.path, file.address(key.logical_id), key.start_line, key.end_line, judged=False, why=key.why)
        for key in file.unread
    ]
    if file.problem and file.unread:
        found.problems.append(Problem(file.path, file.problem))
    if file.template is not None:
        if file.access_keys:
            found.notes += [Problem(file.path, note) for note in file.template.notes]
        for block in file.template.malformed_keys:
            message = f"line {block.start_line}: this resource names {ACCESS_KEY} and has no Type that is text"
            found.problems.append(
                Problem(file.path, f"{message}, so no rule can judge it; write `Type: {ACCESS_KEY}`")
            )
        view = CloudFormationView((file,))
        for rule_id, judge in TEMPLATE_JUDGES.items():
            if session.selection.rule(rule_id):
                found.verdicts += judge(view, session.context(rule_id))


def _planned(path: str, session: CheckSession) -> Declared:
    data = Path(path).read_bytes()
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    try:
        plan = read_plan(data)
    except PlanError as error:
        found.problems.append(Problem(path, str(error)))
        return found
    found.keys += [Place(path, key.address, 1, 1) for key in plan.keys]
    found.problems += [Problem(path, gap) for gap in plan.gaps]
    for rule_id, judge in PLAN_JUDGES.items():
        if session.selection.rule(rule_id):
            found.verdicts += judge(plan, path, session.timed_context(rule_id))
    return found
