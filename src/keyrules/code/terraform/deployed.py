"""Judges the CloudFormation templates that a Terraform configuration deploys."""

from __future__ import annotations

from keyrules.code.cloudformation.parts import template_files, text_inside
from keyrules.code.cloudformation.unit import judge_file
from keyrules.code.judging import add, unread_verdicts
from keyrules.code.session import CheckSession
from keyrules.code.skips import Skips
from keyrules.code.terraform.embedded import EmbeddedTemplate
from keyrules.code.terraform.module import Declaration
from keyrules.code.unit_results import Declared, Place
from keyrules.code.verdict import Verdict
from keyrules.model import Status
from keyrules.records import replace


def judge_embedded(stack: Declaration, embedded: EmbeddedTemplate, skips: Skips, session: CheckSession) -> Declared:
    """What a template declares that Terraform deploys. A template that is a file of its own is judged as that file.

    A skip comment in the stack counts for what it deploys.
    """
    found = Declared()
    if embedded.text is None:
        unread = [Place(embedded.path, embedded.address, embedded.start_line, embedded.end_line, judged=False)]
        found.keys += unread
        found.verdicts += unread_verdicts(
            "cloudformation", unread, session, "the configuration does not show its template"
        )
        return found
    if embedded.whole_file:
        files = template_files(embedded.path, embedded.text)
    else:
        lines = (embedded.start_line, embedded.end_line)
        files = text_inside(embedded.path, embedded.text, *lines, f"{embedded.address}/")
    for file in files:
        add(found, judge_file(file, embedded.text if embedded.whole_file else "", session))
    if not embedded.whole_file:
        found.verdicts = [_skipped_with(stack, verdict, skips) for verdict in found.verdicts]
    return found


def _skipped_with(stack: Declaration, verdict: Verdict, skips: Skips) -> Verdict:
    if verdict.status is Status.PASS or verdict.skipped is not None:
        return verdict
    at_stack = replace(verdict, path=stack.path, start_line=stack.start_line, end_line=stack.end_line)
    return replace(verdict, skipped=skips.reason(at_stack))
