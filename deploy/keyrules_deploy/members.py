"""The way of the functions to AWS: in their own account, and through the role that every account has for keyrules."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Final

from keyrules.live.collection import Address, Reach
from keyrules.live.targets import Target

DEADLINE: Final = timedelta(minutes=10)
"""How long an account's report may take. The functions have 15 minutes, the most that Lambda gives one run."""


def reach(parallel: int = 1, role: str | None = None, external_id: str | None = None) -> Reach:
    """What `parallel` threads reach from the function's own credentials, other accounts through a role of that name.

    To be made when the clock is read. Services are those of the function's region.
    """
    address = Address(None, os.environ["AWS_REGION"], None, DEADLINE, parallel)
    return Reach(address, Target("", roles=(role,) if role else (), external_id=external_id))
