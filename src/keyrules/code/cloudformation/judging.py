"""From an opinion on one key's secret to verdicts on all keys of a template, the same way for every rule on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyrules.code.cloudformation.conditions import Conditions
from keyrules.code.cloudformation.key_set import never_created
from keyrules.code.cloudformation.template import Block
from keyrules.code.cloudformation.view import TemplateFile
from keyrules.code.verdict import Context, Opinion, Verdict
from keyrules.model import Status

Judge = Callable[[Block], Opinion]


def verdicts(file: TemplateFile, context: Context, judge: Judge, givers: Iterable[str]) -> list[Verdict]:
    """One verdict on each declared key and on each other resource of `givers`, which seem to give a key's secret out.

    What is never created passes.
    """
    if file.template is None:
        return []
    conditions = Conditions(file.template)
    found = []
    keys = file.template.access_keys
    others = {*givers} - {key.logical_id for key in keys}
    for key in (*keys, *(block for name, block in file.template.resources.items() if name in others)):
        never = never_created(key, conditions)
        opinion = Opinion(Status.PASS, "never_created", never) if never else judge(key)
        found.append(
            Verdict(
                context.rule.id,
                opinion.status,
                file.path,
                key.logical_id,
                key.start_line,
                key.end_line,
                opinion.reason,
                opinion.message,
                opinion.facts,
                opinion.trace,
            )
        )
    return found
