"""Collects the verdicts of a rule about leaks on a plan: one for each place, PASS for each key that leaks nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from keyrules.code.flow.sinks import Sink
from keyrules.code.plan.addresses import static_address
from keyrules.code.plan.flow import Way
from keyrules.code.plan.verdicts import SCAN_THE_SOURCE, plan_verdict
from keyrules.code.plan.view import Plan
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Status, TraceStep
from keyrules.terms import WORST_FIRST


class Leaks:
    """Verdicts by address; of several for one address, the worst stays."""

    def __init__(self, plan: Plan, path: str, context: Context) -> None:
        self._plan = plan
        self._path = path
        self._context = context
        self._found: dict[str, Verdict] = {}
        self._leaking: set[str] = set()

    def arrives(self, address: str, place: str, ways: Sequence[Way], sink: Sink) -> None:
        """Secrets come to `address` by these ways. `place` is its name for people, which ends the arrows."""
        self._add(address, place, ways, sink.status, sink.reason, f"the secret {sink.fate}")

    def held(self, address: str, place: str, way: Way, sink: Sink) -> None:
        """The planned value of a place holds a secret; how it came there is not known."""
        self._add(
            address, place, [way], sink.status, sink.reason, f"the planned value holds the secret, which {sink.fate}"
        )

    def may_arrive(self, address: str, place: str, ways: Sequence[Way]) -> None:
        """The plan does not show whether secrets take these ways."""
        hidden = min(ways, key=_length).hidden
        reason = "local_not_in_plan" if hidden == "a local" else "way_not_in_plan"
        message = f"the secret may come here, but the plan hides its way behind {hidden}; {SCAN_THE_SOURCE}"
        self._add(address, place, ways, Status.UNKNOWN, reason, message)

    def verdicts(self, reason: str, message: str) -> list[Verdict]:
        """Everything found, and PASS with this reason and message for each key that is in none of it."""
        found = dict(self._found)
        for key in self._plan.keys:
            if static_address(key.path, key.block) not in self._leaking:
                verdict = plan_verdict(self._context, self._path, key.address, Status.PASS, reason, message)
                found.setdefault(key.address, verdict)
        return [found[address] for address in sorted(found)]

    def _add(self, address: str, place: str, ways: Sequence[Way], status: Status, reason: str, message: str) -> None:
        if status is not Status.PASS:
            self._leaking |= {static_address(*way.key) for way in ways}
        known = self._found.get(address)
        if known is not None and WORST_FIRST[known.status] <= WORST_FIRST[status]:
            return
        way = min(ways, key=_length)
        stops = (*way.stops, place)
        self._found[address] = plan_verdict(
            self._context,
            self._path,
            address,
            status,
            reason,
            f"{' → '.join(stops)}: {message}",
            {"key": static_address(*way.key), "sink": place},
            tuple(TraceStep(stop, self._path, 0) for stop in stops),
        )


def no_configuration(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """UNKNOWN for each key of a plan whose configuration was taken out."""
    message = f"the plan has no configuration, so nobody can tell where the secret goes; {SCAN_THE_SOURCE}"
    return [
        plan_verdict(context, path, key.address, Status.UNKNOWN, "configuration_missing", message) for key in plan.keys
    ]


def _length(way: Way) -> tuple[int, tuple[str, ...]]:
    return len(way.stops), way.stops
