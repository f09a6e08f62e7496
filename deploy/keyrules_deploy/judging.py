"""Judges one account with the engine of keyrules: its rules, thresholds and exceptions, and nothing of our own.

A `.keyrules.yaml` and a `.keyrules-exceptions.yaml` that the zip holds are in force: they lie in the function's working
directory, and are named as with `--config` and `--exceptions`, because whoever deploys it put them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from keyrules.live.account_audit import AuditRequest, combine
from keyrules.live.collection import Reach, gather, judged_accounts
from keyrules.live.limits import Limits, overrides_of
from keyrules.live.targets import Target
from keyrules.model import Evaluation, Plane
from keyrules.pack.catalog import load_pack
from keyrules.run.configuration.merge import settle
from keyrules.run.exceptions.chosen import chosen_exceptions
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.framework import choose
from keyrules.run.options import Asked
from keyrules.terms import CONFIGURATION_FILE, EXCEPTIONS_FILE


class Judge:
    """The rules of one invocation, which began `now`; `thresholds` as in `--set`. `chosen` is what it evaluates.

    Raises UsageError for what `keyrules audit` refuses.
    """

    def __init__(self, now: datetime, thresholds: Sequence[str] = ()) -> None:
        config, exceptions = (name if Path(name).is_file() else None for name in (CONFIGURATION_FILE, EXCEPTIONS_FILE))
        settings = settle(Asked(set=tuple(thresholds), config=config, exceptions=exceptions), Plane.LIVE)
        pack = load_pack()
        self.chosen = choose(settings, pack)
        selection = self.chosen.selection
        entries = chosen_exceptions(settings, pack, now)

        def request() -> AuditRequest:
            return AuditRequest(
                pack=pack.stamp,
                limits=Limits(selection, overrides_of(settings.overrides, selection)),
                now=now,
                keep_passing=True,
                exceptions=ExceptionUse(entries, Plane.LIVE) if entries else None,
            )

        self._request = request

    def judged(self, number: str, reach: Reach) -> Evaluation:
        """Every verdict on an account, passing ones included. What cannot be evaluated is an error in it.

        How the report was had goes to the log: it differs from run to run, and the same report is to give the same.
        """
        # Findings and the use of exceptions are noted in it, so every account has its own.
        request = self._request()
        targets = [Target(number)]
        gathered = gather(targets, reach, None, request)
        prefix = f"account {number}: "
        for note in gathered.notes:
            print(prefix + note.removeprefix(prefix))
        return self.chosen.judged(
            combine(list(judged_accounts(targets, gathered, request, reach.giver)), request).evaluation
        )
