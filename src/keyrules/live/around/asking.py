"""Asks a live account for its documents: each call once, page by page, and nothing is held that is not needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from keyrules.live.around.documents import PASSWORD_POLICY, Document
from keyrules.live.around.json_items import Member, Started
from keyrules.live.around.judging import NotAsked, Whose
from keyrules.model import Input, InputError

if TYPE_CHECKING:
    from keyrules.live.account import Account


class LiveGiver:
    """Gives the documents of one account, which `account` reaches, or raises InputError; `label` is what messages call
    it. Users are asked about by up to `parallel` threads."""

    read: Sequence[Input] = ()

    def __init__(self, account: Callable[[], Account], label: str, parallel: int) -> None:
        self._account = account
        self._parallel = parallel
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
            account = self._account()
            if document.since and (lacking := account.lacks(document.action, document.names, document.answered)):
                raise NotAsked(
                    f"{lacking} does not know {' or '.join((*document.names, *document.answered))} of "
                    f"{document.action}, without which credentials that have an end look as if they had none: botocore "
                    f"{document.since} and newer do (pip install -U boto3, in an environment without Checkov, which "
                    "pins an older one)"
                )
            for number, answer in enumerate(self._answers(account, document, whose)):
                yield from _members(document, number, answer)
        except Refused as error:
            if document is not PASSWORD_POLICY or not error.gone:
                raise InputError(f"could not be read in full: {error}") from None
            yield Member(0, document.single, None)
        except NotAsked:
            raise
        except InputError as error:
            raise InputError(f"could not be read in full: {error}") from None

    def _answers(self, account: Account, document: Document, whose: Whose) -> Iterator[dict[str, Any]]:
        parameters = {
            name: value.format(partition=whose.partition) if isinstance(value, str) else value
            for name, value in document.parameters
        }
        if not document.per_user:
            return account.answers(document.action, parameters)
        return account.answers_of_users(document.action, whose.users, self._parallel)


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
