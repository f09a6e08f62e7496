"""Asks a live account for its documents: each call once, page by page, and nothing is held that is not needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeAlias

from keyrules.live.around.documents import PASSWORD_POLICY, Document
from keyrules.live.around.json_items import Member, Started
from keyrules.live.around.judging import NotAsked, Whose
from keyrules.live.workers import in_parallel
from keyrules.model import Input, InputError

_Begun: TypeAlias = Iterator[Member | Started]

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
        self._begun: dict[Document, _Begun | InputError] = {}

    def begin(self, document: Document, whose: Whose) -> None:
        """Asks for the first page, which is then given first."""
        items = self._asked(document, whose)
        try:
            self._begun[document] = chain(list(islice(items, 1)), items)
        except InputError as error:
            self._begun[document] = error

    def offers(self, document: Document) -> bool:
        """Everything can be asked for."""
        return True

    def place(self, document: Document) -> str:
        """The account."""
        return self._label

    def items(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        """What AWS answers, page by page. Raises InputError, a sentence that follows the place."""
        begun = self._begun.pop(document, None)
        if isinstance(begun, InputError):
            raise begun
        yield from self._asked(document, whose) if begun is None else begun

    def _asked(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
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


class Ahead:
    """Gives the documents of the accounts of a run, and has asked for their first pages some accounts before one is
    judged: a run that asks one after the other waits most of the time.

    `make` has who asks each account, in the order in which they are judged, and `is_kept` says which documents nobody
    needs to ask for. `partition` may raise InputError.
    """

    def __init__(
        self,
        make: Mapping[str, LiveGiver],
        documents: Sequence[Document],
        is_kept: Callable[[str, Document], bool],
        partition: Callable[[], str],
        parallel: int,
    ) -> None:
        self._accounts = list(make)
        self._make = make
        self._documents = [each for each in documents if not each.per_user]
        self._is_kept = is_kept
        self._partition = partition
        self._parallel = parallel
        self._at = 0

    def giver(self, account: str) -> LiveGiver:
        """For an account; in the order in which they were given."""
        if account in self._accounts[self._at :]:
            window = self._accounts[self._at : self._at + self._parallel]
            self._at += len(window)
            jobs = [(each, document) for each in window for document in self._documents]
            for _ in in_parallel(jobs, self._begin, self._parallel):
                pass
        return self._make[account]

    def _begin(self, job: tuple[str, Document]) -> None:
        account, document = job
        if not self._is_kept(account, document):
            with suppress(InputError):
                self._make[account].begin(document, Whose(account, self._partition(), ()))


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
