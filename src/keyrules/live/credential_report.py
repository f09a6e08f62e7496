"""IAM credential reports: bytes to rows, one at a time, strict about everything it does not understand.

Where recorded reports of real accounts differ from AWS's documentation, both forms are read:

- Columns are found by name, in any order; columns that are not known are ignored, so that a new one breaks nothing,
  but for those of a third key or certificate and `additional_credentials_info`: they tell of what the report does not
  show, which cannot be evaluated, so it is a problem that says where to look.
- Flags are `true`/`false` in recordings and `TRUE`/`FALSE` in the documentation: any casing is read.
- A missing date is `N/A`, `no_information` or `not_supported`; anything else that is no date is a problem.
- `*_last_rotated` is the creation time of a key or certificate and stays when it is made inactive, so a date means that
  there is one, whatever its status.
- The names of users may hold commas, quoted or not (see keyrules.live.csv_fields).
- UTF-8 with or without byte order mark (UTF-16 with one), LF or CRLF, with or without a final line break. Empty lines
  are skipped.

A row that cannot be read is a problem of its own and reading goes on; what is no report at all is an InputError.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from keyrules.live.csv_fields import ACCOUNT_PREFIX, FieldError, header_fields, split_fields
from keyrules.live.instants import ABSENT, Instant, parse
from keyrules.live.report_columns import COLUMNS, NO_DATE, NO_VALUE, NOT_SUPPORTED, common_form, tells_of_more
from keyrules.live.report_inputs import SeenUsers
from keyrules.live.shown_values import shown
from keyrules.model import InputError

ROOT_USER: Final = "<root_account>"
"""What the column `user` has for the root user."""


class Row(NamedTuple):
    """One user, every value as text, because that is what a report of a million users costs least to hold.

    Dates are instants of keyrules.live.instants; the empty text stands for no date. Flags are the report's word where
    it says true, and the empty text where it says false; the root user's `password_enabled` can be NOT_SUPPORTED.
    `account_prefix` is the ARN up to the resource, as in `arn:aws:iam::123456789012:`.
    """

    user: str
    arn: str
    account_prefix: str
    user_created: Instant
    password_enabled: str
    password_used: Instant
    password_changed: Instant
    mfa_active: str
    key_1_active: str
    key_1_created: Instant
    key_1_used: Instant
    key_1_region: str
    key_1_service: str
    key_2_active: str
    key_2_created: Instant
    key_2_used: Instant
    key_2_region: str
    key_2_service: str
    certificate_1_active: str
    certificate_1_created: Instant
    certificate_2_active: str
    certificate_2_created: Instant

    @property
    def account(self) -> str:
        """The account number, as the ARN has it."""
        return account_of(self.account_prefix)

    @property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov …"""
        return partition_of(self.account_prefix)


@lru_cache(maxsize=16)
def account_of(account_prefix: str) -> str:
    """The account number in the ARN prefix of a row."""
    return account_prefix.split(":")[4]


def partition_of(account_prefix: str) -> str:
    """The partition in the ARN prefix of a row."""
    return account_prefix.split(":")[1]


_LONGEST_HEADER: Final = 1 << 16
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BASE64_OF_HEADER: Final = "dXNlcixhcm4s"
# What `aws iam get-credential-report > FILE 2>&1` leaves in the file when it fails, after an empty line.
_CLI_ERROR: Final = re.compile(r"An error occurred \(")


_JOINED: Final = (
    "repeats the header, so several reports were joined into one file: give each report as a file of its own, or their "
    "folder"
)
_SPREADSHEET: Final = (
    "has dates as a spreadsheet writes them, and this row and others like it were not evaluated: judge the report as "
    "`aws iam get-credential-report` gave it"
)
_SPREADSHEET_DATE: Final = re.compile(
    r"(?:[0-9]{1,4}([/.])[0-9]{1,2}\1[0-9]{1,4}|[0-9]{1,4}(?:-[0-9]{1,2}){2}(?= ))"
    r"(?:,? [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[AP]M)?)?",
    re.IGNORECASE,
)


class RowProblem(NamedTuple):
    """Something in a row that was not understood: `kind` is a stable word, `message` a sentence without its subject.

    `arn` is set where the row is given all the same, because only its user had one before.
    """

    line: int
    kind: str
    message: str
    arn: str = ""


def read_rows(raw: io.BufferedReader, report: Callable[[RowProblem], None]) -> Iterator[Row]:
    """The rows of one credential report, in its order, in memory that does not grow with their number.

    `raw` is read once, from its current position, and stays open. What is not understood goes to `report`: a row that
    cannot be read is left out, a user that appears twice is given twice. InputError when this is no credential report,
    or one without rows; its sentence follows the name of the input.
    """
    encoding = "utf-16" if raw.peek(2).startswith(_UTF16_MARKS) else "utf-8"
    lines = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    try:
        empty, first = _first_line(lines)
        reader = _Reader(_header(first), report, first_row=empty + 2)
        yield from reader.rows(lines)
    except UnicodeError:
        raise InputError("is not UTF-8 text, so it is damaged or no credential report: get the report again") from None
    except OverflowError:
        raise InputError("has more users than any account can: it is no credential report of one account") from None
    finally:
        lines.detach()
    if reader.lines == 0:
        raise InputError("has a header but no rows, so nothing could be evaluated: get the report again")


def _first_line(lines: io.TextIOBase) -> tuple[int, str]:
    """How many empty lines there are before the first that is not, and that one; the empty text at the end."""
    empty = 0
    line = lines.readline(_LONGEST_HEADER)
    while line and not line.strip():
        empty += 1
        line = lines.readline(_LONGEST_HEADER)
    return empty, line


def _header(line: str) -> list[str]:
    """The column names. InputError without quoting the line, because a wrong file may hold a secret."""
    text = line.removeprefix("\ufeff").rstrip("\r\n")
    if not text.strip():
        raise InputError("is empty, so nothing could be evaluated: get the report again")
    if text.lstrip().startswith("<"):
        raise InputError("is an XML or HTML document, probably an error message from AWS, and no credential report")
    if _CLI_ERROR.search(text):
        raise InputError(
            "is an error message of the AWS CLI and no credential report: fix what it names and get the report again"
        )
    if text.startswith(_BASE64_OF_HEADER):
        raise InputError(
            "is the report in base64: decode it (base64 --decode), or give the whole JSON that "
            "`aws iam get-credential-report` prints, which also says when the report was made"
        )
    try:
        names = header_fields(text)
    except FieldError:
        names = []
    missing = [name for name, column in COLUMNS.items() if column.required and name not in names]
    if missing and sum(text.count(f"{name};") for name in COLUMNS) > len(COLUMNS) // 2:
        raise InputError(
            "is no credential report as AWS writes it, but has semicolons between its columns, as spreadsheets save "
            "them: judge the report as `aws iam get-credential-report` gave it"
        )
    if missing:
        listed = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise InputError(
            f"is no credential report: its first line lacks the column{'s' if len(missing) > 1 else ''} {listed}. "
            "Get the report with `aws iam get-credential-report`"
        )
    twice = next((name for name in COLUMNS if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"has the column {twice} twice, so its values are ambiguous: get the report again")
    return names


class _Reader:
    """The state of reading one report.

    Nearly every line of a real report has the common form of each column, and one regular expression splits and checks
    such a line faster than any loop over its fields could. Every other line, the root user's always, is read value by
    value: with quotes, commas in a name, a 29 February, a fraction of a second, or something wrong.
    """

    def __init__(self, header: list[str], report: Callable[[RowProblem], None], first_row: int) -> None:
        self.lines = 0
        self._said: set[str] = set()
        self._first_row = first_row
        self._header = header
        self._report = report
        patterns = map(common_form, header)
        self._common = re.compile(",".join(patterns) + r"\r?\n?")
        groups = [field for name in header if name in COLUMNS for field in COLUMNS[name].fields]
        self._in_order: Callable[[tuple[str, ...]], tuple[str, ...]] | None = None
        if tuple(groups) != Row._fields:
            # The last position is that of the N/A which rows() appends for the columns that may be lacking.
            self._in_order = itemgetter(
                *(groups.index(field) if field in groups else len(groups) for field in Row._fields)
            )

    def rows(self, lines: Iterator[str]) -> Iterator[Row]:
        """One row per line that holds one."""
        match_common, in_order, new = self._common.fullmatch, self._in_order, tuple.__new__
        is_new = SeenUsers().add
        for number, line in enumerate(lines, self._first_row):
            match = match_common(line)
            if match is not None:
                values = match.groups(ABSENT)
                row = new(Row, values if in_order is None else in_order((*values, NO_VALUE)))
            else:
                text = line.rstrip("\r\n")
                if not text:
                    continue
                uncommon = self._uncommon(number, text)
                if uncommon is None:
                    continue
                row = uncommon
            self.lines = number
            if not is_new(row[2] + row[0]):
                self._problem(number, "duplicate", f"user {shown(row.user)} appears a second time", row.arn)
            yield row

    def _uncommon(self, number: int, text: str) -> Row | None:
        """The row of a line, value by value; None after reporting everything that is wrong with it."""
        self.lines = number
        if text.startswith(self._header[0]) and text.split(",") == self._header:
            self._once(number, "repeated_header", _JOINED)
            return None
        try:
            values = dict(zip(self._header, split_fields(text, self._header), strict=True))
        except FieldError as error:
            self._problem(number, "row", str(error))
            return None
        reading = _Values(values)
        row = reading.row()
        if reading.spreadsheet:
            self._once(number, "spreadsheet", _SPREADSHEET)
            return None
        for sentence in reading.wrong:
            self._problem(number, "value", sentence)
        if any(tells_of_more(*each) for each in values.items()):
            self._problem(
                number,
                "not_in_report",
                f"user {shown(values['user'])} has more keys or certificates than the report shows, and those were not "
                "evaluated: list them with `aws iam list-access-keys` and `aws iam list-signing-certificates`",
            )
        return None if reading.wrong else row

    def _once(self, number: int, kind: str, message: str) -> None:
        """What is wrong with the whole report is said where it is met first."""
        if kind not in self._said:
            self._said.add(kind)
            self._problem(number, kind, message)

    def _problem(self, number: int, kind: str, message: str, arn: str = "") -> None:
        self._report(RowProblem(number, kind, message, arn))


class _Values:
    """The values of one row by column; `wrong` collects a sentence about each that is not understood, and `spreadsheet`
    says whether one is a date as spreadsheets write them."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.wrong: list[str] = []
        self.spreadsheet = False

    def row(self) -> Row:
        """The row, with an empty text in the place of each wrong value."""
        self._date("password_next_rotation")
        return Row(
            user=self._values["user"],
            arn=self._values["arn"],
            account_prefix=self._account_prefix(),
            user_created=self._date("user_creation_time", needed=True),
            password_enabled=self._password(),
            password_used=self._date("password_last_used"),
            password_changed=self._date("password_last_changed"),
            mfa_active=self._flag("mfa_active"),
            key_1_active=self._flag("access_key_1_active"),
            key_1_created=self._date("access_key_1_last_rotated"),
            key_1_used=self._date("access_key_1_last_used_date"),
            key_1_region=self._text("access_key_1_last_used_region"),
            key_1_service=self._text("access_key_1_last_used_service"),
            key_2_active=self._flag("access_key_2_active"),
            key_2_created=self._date("access_key_2_last_rotated"),
            key_2_used=self._date("access_key_2_last_used_date"),
            key_2_region=self._text("access_key_2_last_used_region"),
            key_2_service=self._text("access_key_2_last_used_service"),
            certificate_1_active=self._flag("cert_1_active"),
            certificate_1_created=self._date("cert_1_last_rotated"),
            certificate_2_active=self._flag("cert_2_active"),
            certificate_2_created=self._date("cert_2_last_rotated"),
        )

    def _refuse(self, column: str, allowed: str) -> str:
        self.wrong.append(f"the column {column} has {shown(self._text(column))}: it must be {allowed}")
        return ""

    def _text(self, column: str) -> str:
        return self._values.get(column, NO_VALUE)

    def _is_root(self) -> bool:
        return self._values["user"] == ROOT_USER

    def _account_prefix(self) -> str:
        match = ACCOUNT_PREFIX.fullmatch(self._values["arn"])
        if match is None or not self._values["user"] or (match[2] == "root") != self._is_root():
            return self._refuse("arn", "the ARN of the row's user, or of the root user in the row <root_account>")
        return match[1]

    def _flag(self, column: str) -> str:
        text = self._text(column).casefold()
        if text not in {"true", "false"}:
            return self._refuse(column, "true or false")
        return text if text == "true" else ""

    def _password(self) -> str:
        text = self._text("password_enabled").casefold()
        if self._is_root() and text in {"not_supported", "n/a"}:
            return NOT_SUPPORTED if text == "not_supported" else ""
        return self._flag("password_enabled")

    def _date(self, column: str, needed: bool = False) -> Instant:
        text = self._text(column)
        if text in NO_DATE and not needed:
            return ABSENT
        try:
            return parse(text)
        except ValueError:
            self.spreadsheet |= _SPREADSHEET_DATE.fullmatch(text) is not None
            return self._refuse(column, "an ISO 8601 date such as 2026-05-31T12:00:00Z" + ("" if needed else " or N/A"))
