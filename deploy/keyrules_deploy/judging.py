"""Judges one account with the engine of keyrules: its rules, thresholds and exceptions, and nothing of our own.

A `.keyrules.yaml` and a `.keyrules-exceptions.yaml` that the zip holds are in force: they lie in the function's working
directory, and are named as with `--config` and `--exceptions`, because whoever deploys it put them there.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from keyrules.live.account_audit import AuditRequest, audit_report, combine, unreadable
from keyrules.live.aws import Account
from keyrules.live.report_inputs import from_stream
from keyrules.model import Evaluation, InputError, Plane
from keyrules.pack.catalog import load_pack
from keyrules.run.configuration.merge import settle
from keyrules.run.exceptions.chosen import chosen_exceptions
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.framework import choose
from keyrules.run.options import CONFIGURATION_FILE, EXCEPTIONS_FILE, Asked


class Judge:
    """The rules of one invocation; `thresholds` as in `--set`. Raises UsageError for what `keyrules audit` refuses.

    `clock` is read again when a report is there: making one can take longer than clocks may differ.
    """

    def __init__(self, clock: Callable[[], datetime], thresholds: Sequence[str] = ()) -> None:
        config, exceptions = (name if Path(name).is_file() else None for name in (CONFIGURATION_FILE, EXCEPTIONS_FILE))
        settings = settle(Asked(set=tuple(thresholds), config=config, exceptions=exceptions), Plane.LIVE)
        self._clock = clock
        self._pack = load_pack()
        self._chosen = choose(settings, self._pack)
        self._exceptions = chosen_exceptions(settings, self._pack, clock())

    def judged(self, number: str, account: Account) -> Evaluation:
        """Every verdict on an account, passing ones included. What cannot be evaluated is an error in it."""
        try:
            report = account.report()
            if report.account != number:
                raise InputError(f"the credentials belong to account {report.account}")
        except InputError as error:
            return self.not_judged(number, str(error))
        request = self._request()
        opened = from_stream(io.BytesIO(report.content), report.generated_at)
        result = audit_report(f"account {number}", opened, request)
        return self._chosen.judged(combine([result], request).evaluation)

    def not_judged(self, number: str, sentence: str) -> Evaluation:
        """The same for an account that could not be asked at all, and why."""
        request = self._request()
        result = unreadable(f"account {number}", f"could not be evaluated: {sentence}", request)
        return self._chosen.judged(combine([result], request).evaluation)

    def _request(self) -> AuditRequest:
        # The use of exceptions is noted in it, so every account has its own.
        exceptions = ExceptionUse(self._exceptions, Plane.LIVE) if self._exceptions else None
        return AuditRequest(
            self._pack.stamp, self._chosen.selection, self._clock(), keep_passing=True, exceptions=exceptions
        )
