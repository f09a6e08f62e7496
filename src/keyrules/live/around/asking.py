"""Asks a live account for its documents: each call once, page by page, and nothing is held that is not needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keyrules.live.around.documents import PASSWORD_POLICY, Document
from keyrules.live.around.json_items import Member, Started
from keyrules.live.around.judging import Whose
from keyrules.model import Input, InputError

if TYPE_CHECKING:
    from keyrules.live.account import Account


class LiveGiver:
    """Gives the documents of one account, which `account` reaches, or raises InputError; `label` is what messages call
    it."""

    read: Sequence[Input] = ()

    def __init__(self, account: Callable[[], Account], label: str) -> None:
        self._account = account
        self._label = label

    def offers(self, document: Document) -> bool:
        """Everything can be asked for."""
        return True

    def place(self, document: Document) -> str:
        """The account."""
        return self._label

    def items(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        """What AWS answers, page by page. Raises InputError, a sentence that follows the place."""
        from keyrules.live.aws import Refused

        try:
            for number, answer in enumerate(self._account().answers(document.action, dict(document.parameters))):
                yield from _members(document, number, answer)
        except Refused as error:
            if document is not PASSWORD_POLICY or not error.gone:
                raise InputError(f"could not be read in full: {error}") from None
            yield Member(0, document.single, None)
        except InputError as error:
            raise InputError(f"could not be read in full: {error}") from None


def _members(document: Document, number: int, answer: dict[str, Any]) -> Iterator[Member | Started]:
    """What one page holds. InputError where that is not an answer to the call."""
    if document.single:
        yield Member(number, document.single, answer[document.single])
        return
    found = [name for name in document.lists if name in answer] or document.lists[:1]
    for name in found:
        yield Started(number, name)
        for item in answer[name]:
            yield Member(number, name, item)
