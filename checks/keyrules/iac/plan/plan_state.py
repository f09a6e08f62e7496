"""KEY_AWS_008 on a plan: does each key name a PGP key, without which its secret stands in plain text in the state."""

from __future__ import annotations

from keyrules.iac.plan.plan_verdicts import SCAN_THE_SOURCE, plan_verdict
from keyrules.iac.plan.plan_view import Plan, Planned
from keyrules.iac.verdict import Context, Verdict
from keyrules.model import Status


def judge_state(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """One verdict for each key that exists after the plan is applied."""
    return [_judge(key, path, context) for key in plan.keys]


def _judge(key: Planned, path: str, context: Context) -> Verdict:
    if key.is_unknown("pgp_key"):
        message = f"pgp_key is known only after the plan is applied; {SCAN_THE_SOURCE}"
        return plan_verdict(context, path, key.address, Status.UNKNOWN, "pgp_key_unknown", message)
    if not key.known("pgp_key"):
        message = "there is no pgp_key, so the secret stands in plain text in the Terraform state; set pgp_key"
        return plan_verdict(context, path, key.address, Status.FAIL, "no_pgp_key", message)
    message = "the state holds the secret encrypted"
    return plan_verdict(context, path, key.address, Status.PASS, "pgp_key_set", message)
