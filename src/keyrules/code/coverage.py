"""What became of every file that holds a word of the rules: judged, absent for a decided reason, or not evaluated.

This is a net under the readers. It looks at the text of a file by itself, and a file of which it cannot say what became
of it is an error, whatever the readers say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from keyrules.code.addresses import without_keys
from keyrules.code.cloudformation.declared import declared_keys
from keyrules.code.cloudformation.document import decode_template
from keyrules.code.discovery import Discovery
from keyrules.code.file_names import SOURCE_SUFFIXES, is_program
from keyrules.code.file_paths import shown
from keyrules.code.terraform.keys import KEY_TYPES
from keyrules.code.trigger_words import TEMPLATE_TYPES
from keyrules.code.unit_results import UnitOutcome
from keyrules.files import read_regular
from keyrules.model import Coverage, CoverageOutcome, EvaluationError

_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TYPES = "|".join(KEY_TYPES)
_RESOURCE = re.compile(rf'^[ \t]*resource[ \t]+"?({_TYPES})"?[ \t]+"?([^"\s{{]+)"?', re.MULTILINE)
_COMMENT_LINE = re.compile(r"^[ \t]*(?:#|//).*$", re.MULTILINE)

_NONE_DECLARED = "names access keys without declaring one"
_ONLY_COMMENTS = "names access keys in comments only"
_PASSED_OVER = "has a name that Terraform passes over"
_NO_INSTANCE = "declares keys whose count, for_each or condition comes to none"
_NOT_READ = "creates keys in a language that is not read"
_UNSEEN = "names {} as something that it declares, and no reader judged it; scan a plan, and please report this"


def coverage(
    found: Discovery, outcomes: Sequence[UnitOutcome], errors: Iterable[EvaluationError], literal_places: Iterable[str]
) -> tuple[tuple[Coverage, ...], list[EvaluationError]]:
    """What became of each file, in the order of the paths, and an error for each of which nobody knows.

    `literal_places` are the files in which a hard-coded credential was found.
    """
    subjects, open_paths, absent = _said(outcomes)
    failed = {error.input for error in errors}
    not_read = {path for _, path in found.not_read}
    literals = set(literal_places)
    entries: list[Coverage] = []
    unseen: list[EvaluationError] = []
    for path in sorted(set(found.named)):
        addresses = subjects.get(path, set())
        missing = _missing(path, addresses | absent.get(path, set()))
        count = len(addresses)
        if missing or path in open_paths or shown(path) in failed:
            outcome, reason = CoverageOutcome.UNKNOWN, "could not be evaluated"
            if missing and path not in open_paths and shown(path) not in failed:
                reason = _UNSEEN.format(missing)
                unseen.append(EvaluationError(shown(path), "not_evaluated", reason[:1].upper() + reason[1:]))
        elif count or path in literals:
            outcome, reason = CoverageOutcome.JUDGED, ""
        elif path in absent:
            outcome, reason = CoverageOutcome.ABSENT, _NO_INSTANCE
        elif path in not_read:
            outcome, reason = CoverageOutcome.ABSENT, _NOT_READ
        else:
            outcome, reason = CoverageOutcome.ABSENT, _reason(path)
        entries.append(Coverage(shown(path), outcome, reason, count))
    return tuple(entries), unseen


def _said(outcomes: Sequence[UnitOutcome]) -> tuple[dict[str, set[str]], set[str], Mapping[str, set[str]]]:
    """By file: the addresses that were judged, whether something stayed open, and the keys that are not there."""
    subjects: dict[str, set[str]] = {}
    absent: dict[str, set[str]] = {}
    open_paths: set[str] = set()
    for outcome in outcomes:
        declared = outcome.declared
        if declared is None:
            open_paths.add(outcome.unit.path)
            continue
        for place in declared.keys:
            subjects.setdefault(place.path, set()).add(place.address)
            if not place.judged:
                open_paths.add(place.path)
        for verdict in declared.verdicts:
            subjects.setdefault(verdict.path, set()).add(verdict.address)
        for place in declared.absent:
            absent.setdefault(place.path, set()).add(place.address)
        open_paths |= {problem.path for problem in declared.problems}
    return subjects, open_paths, absent


def _missing(path: str, known: set[str]) -> str:
    """A key that the text of a file declares at first sight and that no reader speaks of, or nothing."""
    if _is_passed_over(path):
        return ""
    text = _text(path)
    if path.endswith(SOURCE_SUFFIXES):
        blocks = {without_keys(address) for address in known}
        for match in _RESOURCE.finditer(_BLOCK_COMMENT.sub("", text)):
            name = f"{match[1]}.{match[2]}"
            if not any(block == name or block.endswith(f".{name}") for block in blocks) and not _is_override(path):
                return name
        return ""
    if known or not any(word.decode() in text for word in TEMPLATE_TYPES):
        return ""
    first = next(iter(declared_keys(text)), None)
    return "" if first is None else (first.logical_id or TEMPLATE_TYPES[0].decode())


def _is_passed_over(path: str) -> bool:
    """Whether the name says that nothing is declared: of prose and programs, which quote templates, and of hidden files
    and editors' copies, which Terraform does not read."""
    name = path.rpartition("/")[2]
    if name.endswith(SOURCE_SUFFIXES):
        return name.startswith(".")
    return is_program(name) and ".template." not in name.lower()


def _is_override(path: str) -> bool:
    """Whether a file changes blocks of other files, which are judged where they stand."""
    name = path.rpartition("/")[2]
    stem = name.removesuffix(".json").rpartition(".")[0]
    return stem == "override" or stem.endswith("_override")


def _reason(path: str) -> str:
    if path.endswith(SOURCE_SUFFIXES) and _is_passed_over(path):
        return _PASSED_OVER
    text = _text(path)
    bare = _BLOCK_COMMENT.sub("", _COMMENT_LINE.sub("", text))
    words = (*KEY_TYPES, *(word.decode() for word in TEMPLATE_TYPES))
    in_comments = any(word in text for word in words) and not any(word in bare for word in words)
    return _ONLY_COMMENTS if in_comments else _NONE_DECLARED


def _text(path: str) -> str:
    try:
        return decode_template(read_regular(path))
    except OSError:
        return ""
