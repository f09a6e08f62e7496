"""Judges one file of CloudFormation templates: its keys by name, and every rule's verdicts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from keyrules.code.cloudformation.document import decode_template
from keyrules.code.cloudformation.key_set import key_set
from keyrules.code.cloudformation.parts import template_files
from keyrules.code.cloudformation.template import ACCESS_KEY, Template
from keyrules.code.cloudformation.view import TemplateFile
from keyrules.code.judging import add, idle_skips, unread_verdicts, verdicts_on, with_skips
from keyrules.code.session import CheckSession
from keyrules.code.skips import Skips
from keyrules.code.unit_results import Declared, Place, Problem
from keyrules.records import replace


def judge(path: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    """Judges one file of templates, which has no `callers`."""
    data = session.read(path)
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    text = decode_template(data)
    for file in template_files(path, text):
        add(found, judge_file(file, text, session))
    return found


def judge_file(file: TemplateFile, text: str, session: CheckSession) -> Declared:
    """What one template declares; `text` is that of the file that it stands in, for the skip comments."""
    found = Declared()
    for place in file.unread:
        unread = [Place(file.path, place.logical_id, place.line, place.line, judged=False)]
        found.keys += [] if place.kind else unread
        found.verdicts += unread_verdicts("cloudformation", unread, session, place.why, place.kind)
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
    keys = key_set(template, path)
    found.keys += [Place(path, key.address, key.start_line, key.end_line) for key in keys.keys]
    if found.keys:
        found.notes += [Problem(path, note) for note in template.notes]
    for block in template.malformed_keys:
        message = f"line {block.start_line}: this resource names {ACCESS_KEY} and has no Type that is text"
        found.problems.append(Problem(path, f"{message}, so no rule can judge it; write `Type: {ACCESS_KEY}`"))
    verdicts = verdicts_on("cloudformation", session, keys, file)
    skips = Skips.of_template(template, path, text)
    found.verdicts += with_skips(verdicts, skips)
    found.idle_skips = idle_skips(skips)
