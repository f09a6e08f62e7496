"""What became of every file that holds a word of the rules: judged, absent for a decided reason, or not evaluated.

This is a net under the readers. It looks at the text of a file by itself, and a file of which it cannot say what became
of it is an error, whatever the readers say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from keyrules.code.addresses import without_keys
from keyrules.code.block_rules import TEMPLATE_BLOCKS, TERRAFORM_BLOCKS
from keyrules.code.cloudformation.declared import declared_keys
from keyrules.code.cloudformation.document import decode_template
from keyrules.code.discovery import Discovery
from keyrules.code.file_names import SOURCE_SUFFIXES, is_program, is_set_aside
from keyrules.code.file_paths import shown
from keyrules.code.trigger_words import TEMPLATE_TYPES, TERRAFORM_TYPES
from keyrules.code.unit_results import UnitOutcome
from keyrules.files import read_regular
from keyrules.model import Coverage, CoverageOutcome, EvaluationError

_KEY_TYPES = tuple(word.decode() for word in TERRAFORM_TYPES)
_TYPES = "|".join(_KEY_TYPES)
_RESOURCE = re.compile(rf'^[ \t]*resource[ \t]+"?({_TYPES})"?[ \t]+"?([^"\s{{]+)"?', re.MULTILINE)
_NO_CODE = re.compile(
    r"""("(?:[^"\\\n]|\\.)*")                                         # a string, which stays
      | /\*.*?\*/ | (?:\#|//)[^\n]*                                   # comments
      | <<-?[ \t]*([\w-]+)[ \t]*\r?\n(?:.*?\n)??[ \t]*\2[ \t]*\r?$    # a heredoc
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_COMMENT = re.compile(r"/\*.*?\*/|^[ \t]*(?:#|//)[^\n]*$", re.DOTALL | re.MULTILINE)
_VARIABLE = re.compile(r"[$&]\{")

_NONE_DECLARED = "names what is judged without declaring it"
_QUOTED = "is a program or prose, in which what is named is not judged"
_ONLY_COMMENTS = "names what is judged in comments only"
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
    keys, others, open_paths, absent = _said(outcomes)
    failed = {error.input for error in errors}
    # Nobody knows which files a unit would have spoken of that did not come to its end, which is an error already.
    crashed = any(outcome.declared is None for outcome in outcomes)
    not_read = {path for _, path in found.not_read}
    literals = set(literal_places)
    entries: list[Coverage] = []
    unseen: list[EvaluationError] = []
    for path in sorted(set(found.named)):
        declared = keys.get(path, set())
        missing = _missing(path, declared | absent.get(path, set()))
        count = len(declared | others.get(path, set()))
        if missing or path in open_paths or shown(path) in failed:
            outcome, reason = CoverageOutcome.UNKNOWN, "could not be evaluated"
            if missing and path not in open_paths and shown(path) not in failed and not crashed:
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


_Addresses: TypeAlias = Mapping[str, set[str]]


def _said(outcomes: Sequence[UnitOutcome]) -> tuple[_Addresses, _Addresses, set[str], _Addresses]:
    """By file: the keys, what else was judged, whether something stayed open, and the keys that are not there.

    A key counts as such only where its reader enters it as one, not where the way of its secret is followed.
    """
    keys: dict[str, set[str]] = {}
    others: dict[str, set[str]] = {}
    absent: dict[str, set[str]] = {}
    open_paths: set[str] = set()
    for outcome in outcomes:
        declared = outcome.declared
        if declared is None:
            open_paths.add(outcome.unit.path)
            continue
        for place in declared.keys:
            keys.setdefault(place.path, set()).add(place.address)
            if not place.judged:
                open_paths.add(place.path)
        for verdict in declared.verdicts:
            others.setdefault(verdict.path, set()).add(verdict.address)
        for place in declared.absent:
            absent.setdefault(place.path, set()).add(place.address)
        open_paths |= {problem.path for problem in declared.problems}
    return keys, others, open_paths, absent


def _missing(path: str, known: set[str]) -> str:
    """A key that the text of a file declares at first sight and that no reader speaks of, or nothing."""
    if _is_passed_over(path):
        return ""
    text = _text(path)
    if path.endswith(SOURCE_SUFFIXES):
        if _is_override(path):
            return ""
        blocks = {".".join(without_keys(address).split(".")[-2:]) for address in known}
        names = _in_document(text) if path.endswith(".json") else _in_source(text)
        return next((name for name in names if name not in blocks), "")
    if "planned_values" in text and any(word in text for word in _KEY_TYPES):
        return next((address for address in _in_plan(text) if address not in known), "")
    if not any(word.decode() in text for word in TEMPLATE_TYPES):
        return ""
    for key in declared_keys(text):
        name = key.logical_id
        # The name of what a loop declares is not that of any of its resources.
        spoken_of = (
            not name or _VARIABLE.search(name) or any(f"/{each}".endswith((f"/{name}", f".{name}")) for each in known)
        )
        if not known or not spoken_of:
            return key.logical_id or TEMPLATE_TYPES[0].decode()
    return ""


def _in_source(text: str) -> Iterator[str]:
    """The keys that a native file declares, what is quoted in heredocs and comments left out."""
    bare = _NO_CODE.sub(lambda match: match[1] or " ", text)
    return (f"{match[1]}.{match[2]}" for match in _RESOURCE.finditer(bare))


def _in_document(text: str) -> Iterator[str]:
    """The keys that a file in Terraform's JSON declares; objects may stand in lists there."""
    for section in _members(_json(text), "resource"):
        for kind in _KEY_TYPES:
            for blocks in _members(section, kind):
                yield from (f"{kind}.{name}" for name in blocks if name != "//")


def _in_plan(text: str) -> Iterator[str]:
    """The keys that there are once a plan is applied."""
    todo = _members(_members(_json(text), "planned_values"), "root_module")
    while todo:
        module = todo.pop()
        for resource in _objects(module.get("resources")):
            if resource.get("mode") == "managed" and resource.get("type") in _KEY_TYPES:
                yield str(resource.get("address"))
        todo += _objects(module.get("child_modules"))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # A reader says so.
        return None


def _members(value: Any, name: str) -> list[dict[str, Any]]:
    return [found for item in _objects(value) for found in _objects(item.get(name))]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _is_passed_over(path: str) -> bool:
    """Whether the name says that nothing is declared: of prose and programs, which quote templates, and of what
    Terraform does not read."""
    name = path.rpartition("/")[2]
    return _is_unread(name) or (is_program(name) and ".template." not in name.lower())


def _is_unread(name: str) -> bool:
    """Whether a file of Terraform's is hidden, or was renamed to be out of the way."""
    return is_set_aside(name) or (name.endswith(SOURCE_SUFFIXES) and name.startswith("."))


def _is_override(path: str) -> bool:
    """Whether a file changes blocks of other files, which are judged where they stand."""
    name = path.rpartition("/")[2]
    stem = name.removesuffix(".json").rpartition(".")[0]
    return stem == "override" or stem.endswith("_override")


def _reason(path: str) -> str:
    if _is_unread(path.rpartition("/")[2]):
        return _PASSED_OVER
    text = _text(path)
    bare = _COMMENT.sub("", text)
    words = (*_KEY_TYPES, *(word.decode() for word in TEMPLATE_TYPES), *TERRAFORM_BLOCKS, *TEMPLATE_BLOCKS)
    in_comments = any(word in text for word in words) and not any(word in bare for word in words)
    if in_comments:
        return _ONLY_COMMENTS
    return _QUOTED if _is_passed_over(path) else _NONE_DECLARED


def _text(path: str) -> str:
    try:
        return decode_template(read_regular(path))
    except OSError:
        return ""
