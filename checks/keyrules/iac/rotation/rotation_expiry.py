"""Keys that expire by themselves: awsutils_expiring_iam_access_key of cloudposse/awsutils.

`max_age` is in seconds; its default is 2^31 - 1 (internal/service/iam/access_key.go).
"""

from __future__ import annotations

from keyrules.iac.rotation.rotation_clock import Clock, Kind
from keyrules.iac.terraform.hcl_evaluate import UNKNOWN, evaluate, number
from keyrules.iac.terraform.terraform_keys import DeclaredKey

_SECONDS_PER_DAY = 86_400
_NO_MAX_AGE = 2**31 - 1


def expiry(key: DeclaredKey) -> tuple[Clock, ...]:
    """The clock that is the key's own age; none for a key that does not expire."""
    declared = key.declared
    if not declared.name.startswith("awsutils_expiring_iam_access_key."):
        return ()
    label = f"{declared.name} max_age"
    value = evaluate(declared.value("max_age"), key.frame)
    if value is UNKNOWN:
        return (Clock(Kind.UNRESOLVED, label, declared.path, declared.line_of("max_age")),)
    seconds = number(value)
    if seconds is None or not 0 < seconds < _NO_MAX_AGE:
        return ()
    return (Clock(Kind.PERIODIC, label, declared.path, declared.line_of("max_age"), seconds / _SECONDS_PER_DAY),)
