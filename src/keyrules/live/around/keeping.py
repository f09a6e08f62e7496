"""Keeps what an account was asked for beside its report, and gives it again instead of asking.

A document is kept page by page while it is read, as the AWS CLI prints it, and without the seeds of MFA devices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from keyrules.live.around.asking import Ahead
from keyrules.live.around.documents import Document, needed, without_secrets
from keyrules.live.around.json_items import Member, Started, read_items
from keyrules.live.around.judging import Giver, Whose
from keyrules.live.kept_reports import KeptDocument, KeptReports
from keyrules.live.targets import Target
from keyrules.model import Input, InputError, Rule

if TYPE_CHECKING:
    from keyrules.live.collection import Reach

_Result = TypeVar("_Result")


def givers_of(
    targets: Sequence[Target], reach: Reach, kept: KeptReports | None, rules: Iterable[Rule]
) -> Callable[[Target], Giver]:
    """What gives the documents of each of some accounts, in their order, and keeps them where reports are kept."""
    ahead = Ahead(
        {target.account: reach.giver(target) for target in targets},
        needed(rules),
        lambda account, document: kept is not None and kept.holds(account, document.command),
        lambda: reach.identity[1],
        reach.parallel,
    )

    def giver(target: Target) -> Giver:
        live = ahead.giver(target.account) if target in targets else reach.giver(target)
        return live if kept is None else KeepingGiver(live, kept, target.account)

    return giver


class KeepingGiver:
    """Gives the documents of an account that are kept, and asks `giver` for the others. `not_kept` is why one that was
    asked for could not be kept, and the empty text where all were."""

    read: Sequence[Input] = ()

    def __init__(self, giver: Giver, kept: KeptReports, account: str) -> None:
        self._giver = giver
        self._kept = kept
        self._account = account
        self._from_file: set[Document] = set()
        self.not_kept = ""

    def offers(self, document: Document) -> bool:
        """Whether it is kept or can be asked for."""
        return self._giver.offers(document)

    def place(self, document: Document) -> str:
        """The file, where it was read from one."""
        if document in self._from_file:
            return (self._kept.path / self._account / f"{document.command}.json").as_posix()
        return self._giver.place(document)

    def items(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        """What it holds. Raises InputError, a sentence that follows its place."""
        try:
            file = self._kept.document(self._account, document.command)
        except OSError as error:
            self._from_file.add(document)
            raise InputError(f"cannot be read: {error.strerror or type(error).__name__}") from None
        if file is None:
            yield from self._asked(document, whose)
            return
        self._from_file.add(document)
        with file:
            yield from read_items(file)

    def _asked(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        file = self._try(lambda: self._kept.keeping(self._account, document.command))
        page: dict[str, Any] = {}
        number, whole = 0, False
        try:
            for each in self._giver.items(document, whose):
                if each.number != number:
                    self._write(file, page)
                    page, number = {}, each.number
                if isinstance(each, Started):
                    page[each.name] = []
                elif isinstance(page.get(each.name), list):
                    page[each.name].append(without_secrets(each.value) if isinstance(each.value, dict) else each.value)
                else:
                    page[each.name] = each.value
                yield each
            self._write(file, page)
            whole = True
        finally:
            if file is not None:
                keep = whole and not self.not_kept
                self._try(lambda: file.end(keep))

    def _write(self, file: KeptDocument | None, page: Mapping[str, Any]) -> None:
        if file is not None and not self.not_kept:
            self._try(lambda: file.write(json.dumps(page, indent=4, default=_date).encode() + b"\n"))

    def _try(self, work: Callable[[], _Result]) -> _Result | None:
        try:
            return work()
        except OSError as error:
            self.not_kept = error.strerror or type(error).__name__
            return None


def _date(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError
