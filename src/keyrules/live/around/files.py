"""The documents of an account in files, as the AWS CLI prints them: a folder for each account, beside its report.

A folder belongs to the account whose credential report it holds, or whose number is its name. Few documents say whose
they are, so nothing else tells.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from keyrules.live.around.documents import PASSWORD_POLICY, Document, DocumentFile, refusal_in
from keyrules.live.around.json_items import Member, Started, read_items
from keyrules.live.around.judging import Whose
from keyrules.live.found_reports import Reports
from keyrules.live.report_inputs import HEAD, ReportSource, unpacked
from keyrules.model import EvaluationError, Input, InputError
from keyrules.reports.text_style import count_of, printable

_BLOCK: Final = 1 << 20


class FileGiver:
    """Gives the documents of one account from files; `read` are those that were read, with their digests.

    `of_all_users` says that every user was asked about, whose answers need not stand apart.
    """

    def __init__(self, files: Sequence[DocumentFile], of_all_users: bool = False) -> None:
        self._of_all_users = of_all_users
        self._files: dict[Document, list[DocumentFile]] = defaultdict(list)
        self._at: dict[Document, DocumentFile] = {}
        self.read: list[Input] = []
        for file in files:
            self._files[file.document].append(file)

    def offers(self, document: Document) -> bool:
        """Whether there is a file with it."""
        return bool(self._files.get(document))

    def place(self, document: Document) -> str:
        """The file that was read last, or the first."""
        return self._at.get(document, self._files[document][0]).name

    def items(self, document: Document, whose: Whose) -> Iterator[Member | Started]:
        """What all files together hold. Raises InputError, a sentence that follows the place."""
        first = 0
        named: set[str] = set()
        empty: set[int] = set()
        for file in self._files[document]:
            self._at[document] = file
            last = -1
            for each in self._of_file(file, whose):
                last = each.number
                if isinstance(each, Started):
                    empty.update([first + last] if each.name else [])
                elif isinstance(each.value, dict):
                    empty.discard(first + last)
                    named.add(str(each.value.get("UserName")))
                yield each._replace(number=first + last)
            first += last + 1
        lacking = len(set(whose.users) - named) - len(empty)
        if document.per_user and lacking > 0 and not self._of_all_users:
            raise InputError(
                f"has no answer for {count_of(lacking, 'user')} of the report's {len(whose.users):,}: run "
                f"`aws iam {document.command} --user-name NAME` for each of them, and put all answers into the folder"
            )

    def _of_file(self, file: DocumentFile, whose: Whose) -> Iterator[Member | Started]:
        try:
            with file.path.open("rb") as raw:
                digest = hashlib.sha256()
                for block in iter(lambda: raw.read(_BLOCK), b""):
                    digest.update(block)
                self.read.append(Input("account_document", file.name, digest.hexdigest(), whose.account))
                raw.seek(0)
                content = unpacked(raw)
                if content.peek(1).lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in (b"{", b"["):
                    yield from read_items(content)
                else:
                    yield _refused(content, file.document, whose)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or type(error).__name__}") from None


def _refused(content: io.BufferedReader, document: Document, whose: Whose) -> Member:
    """What the error message of the AWS CLI that stands in the place of an answer means."""
    refusal = refusal_in(content.read(HEAD).replace(b"\0", b"").decode("utf-8", "replace"))
    code = refusal.code if refusal is not None else "no code"
    if document is not PASSWORD_POLICY or refusal is None or code not in ("NoSuchEntity", "NoSuchEntityException"):
        raise InputError(
            f"is an error message of the AWS CLI ({printable(code)}): fix what it names, with the permission "
            f"{document.action} if that is missing, and run `aws iam {document.command}` again"
        )
    if "domain name" in refusal.message and whose.account not in refusal.message:
        raise InputError(f"is the answer of another account and not of {whose.account}")
    return Member(0, document.single, None)


class Folders:
    """The documents of a run, by folder. `problems` are about those that belong to no report that is judged."""

    def __init__(self, found: Reports) -> None:
        self._of: dict[Path, list[DocumentFile]] = defaultdict(list)
        self._beside: dict[Path, list[ReportSource]] = defaultdict(list)
        for document in found.documents:
            self._of[document.path.parent].append(document)
        for source in found:
            if source.path is not None:
                self._beside[source.path.parent].append(source)
        accounts = {source.account for source in found}
        self.problems: list[EvaluationError] = []
        for folder in sorted(self._of):
            beside = self._beside.get(folder, [])
            of_folder = {source.account or source.name for source in beside}
            if len(of_folder) > 1:
                self._refuse(
                    folder, "lies beside the reports of several accounts: give each account a folder of its own"
                )
            elif not beside and not any(folder.name == account for account in accounts):
                self._refuse(
                    folder,
                    "lies beside no credential report: put it into the folder of its account's report, or into one "
                    "that is named by the account's number",
                )

    def documents(self) -> frozenset[Document]:
        """What there is, of any account."""
        return frozenset(file.document for files in self._of.values() for file in files)

    def giver(self, source: ReportSource) -> FileGiver | None:
        """What gives the documents of a report's account; None where there are none."""
        own = list(self._of.get(source.path.parent, ())) if source.path is not None else []
        for folder, files in self._of.items():
            if source.account and folder.name == source.account and folder not in self._beside:
                own += files
        return FileGiver(own) if own else None

    def _refuse(self, folder: Path, sentence: str) -> None:
        for file in self._of.pop(folder):
            self.problems.append(EvaluationError(file.name, "account_document", f"{printable(file.name)} {sentence}."))
