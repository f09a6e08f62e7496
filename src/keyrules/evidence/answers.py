"""What AWS says of an account beside its credential report: recorded as the AWS CLI prints it, and given again from
there. The reading of it is that of documents in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from keyrules.evidence.folder import write
from keyrules.evidence.secrets import refuse_secrets
from keyrules.live.around.documents import DOCUMENTS, Document, DocumentFile, without_secrets
from keyrules.live.around.files import FileGiver
from keyrules.live.around.json_items import Member, Started
from keyrules.live.around.judging import Giver, Whose
from keyrules.model import Input, InputError
from keyrules.reports.json import dump

ANSWERS: Final = "inputs/documents"


def record(giver: Giver, whose: Whose, wanted: Sequence[Document], folder: Path) -> dict[str, str]:
    """Asks for the documents of an account and stores each; gives why where one could not be read, by command.

    Raises InputError for an answer that holds a secret.
    """
    failures = {}
    for document in wanted:
        try:
            answer = _answer(document, giver.items(document, whose))
        except InputError as error:
            failures[document.command] = str(error)
            continue
        data = dump(answer).encode()
        refuse_secrets(f"what account {whose.account} answers to {document.command}", data)
        write(folder / _path(whose.account, document), [data])
    return failures


def _path(account: str, document: Document) -> str:
    return f"{ANSWERS}/{account}/{document.command}.json"


def _answer(document: Document, items: Iterator[Member | Started]) -> dict[str, Any]:
    """One object with all pages, as the AWS CLI prints it."""
    answer: dict[str, Any] = {}
    for each in items:
        if isinstance(each, Started):
            answer.setdefault(each.name, [])
        elif each.name == document.single:
            answer[each.name] = _plain(each.value)
        else:
            answer.setdefault(each.name, []).append(_plain(each.value))
    return answer


def _plain(value: Any) -> Any:
    """A value of an answer as JSON has it, without the members that hold secrets."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in without_secrets(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


class Recorded:
    """Gives what was recorded of an account; `label` is what messages call it, `failures` is as `record` gave it, and
    `received` are the paths of the package, which is the working directory."""

    def __init__(self, account: str, label: str, failures: Mapping[str, str], received: Sequence[str]) -> None:
        self._label = label
        self._failures = failures
        there = [(_path(account, document), document) for document in DOCUMENTS]
        files = [DocumentFile(path, Path(path), each) for path, each in there if path in received]
        self._files = FileGiver(files, of_all_users=True)

    @property
    def read(self) -> Sequence[Input]:
        """The files that were read so far."""
        return self._files.read

    def offers(self, document: Document) -> bool:
        """Whether the account was asked for it."""
        return document.command in self._failures or self._files.offers(document)

    def place(self, document: Document) -> str:
        """The file, or the account where there is none."""
        return self._label if document.command in self._failures else self._files.place(document)

    def items(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        """What it holds. Raises InputError, a sentence that follows its place."""
        if document.command in self._failures:
            raise InputError(self._failures[document.command])
        yield from self._files.items(document, whose)
