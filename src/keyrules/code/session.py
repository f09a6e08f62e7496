"""What the checks judge with: the rules, their parameters, and the moment.

Under `keyrules scan` the run says so. Under Checkov nobody does, and the first check that asks gets the pack's defaults
with every rule selected, because there Checkov itself filters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache

from keyrules.cli import current_time
from keyrules.code.verdict import Context, TimedContext
from keyrules.files import read_regular
from keyrules.model import Rule, Selection
from keyrules.pack.catalog import load_pack
from keyrules.records import dataclass


@dataclass
class CheckSession:
    """One run: the rules by id, those in force with their parameters, and the moment that ages are counted to.

    `read` gives the bytes of a source file by its absolute path and raises OSError.
    """

    rules: dict[str, Rule]
    selection: Selection
    as_of: datetime
    read: Callable[[str], bytes] = read_regular

    def context(self, rule_id: str) -> Context:
        """The input of a rule's logic. Raises KeyError when the pack has no such rule."""
        return Context(self.rules[rule_id], self.selection)

    def timed_context(self, rule_id: str) -> TimedContext:
        """The input of a rule's logic on a plan. Raises KeyError when the pack has no such rule."""
        return TimedContext(self.rules[rule_id], self.selection, self.as_of)


_lock = threading.Lock()


def current_session() -> CheckSession:
    """The session of a process that Checkov runs: one for all its checks and threads."""
    with _lock:
        return _default_session()


@cache
def _default_session() -> CheckSession:
    pack = load_pack()
    return CheckSession({rule.id: rule for rule in pack.rules}, Selection(pack.rules), current_time())
