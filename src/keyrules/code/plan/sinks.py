"""KEY_AWS_010 on plans: places outside the state that get a key's secret in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keyrules.code.flow.sinks import Setting, sink
from keyrules.code.flow.value import SECRETS
from keyrules.code.plan.addresses import static_address
from keyrules.code.plan.configuration import ConfigBlock, ConfigModule, Leaf
from keyrules.code.plan.evidence import KnownSecrets, may_hold
from keyrules.code.plan.flow import FlowTracer, Way
from keyrules.code.plan.leaks import Leaks, no_configuration
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.terraform.evaluate import UNKNOWN
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Status
from keyrules.records import replace


def judge_sinks(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """One verdict for each block that takes a secret in or may, its instances together, and for each key that leaks
    nowhere.
    """
    if plan.configuration is None:
        return no_configuration(plan, path, context)
    judge = _Sinks(plan, plan.configuration, Leaks(plan, path, context))
    for module_path, module in plan.configuration.walk():
        for name, block in module.blocks.items():
            judge.block(module_path, name, block)
    for item in plan.planned:
        if item.type not in SECRETS:
            judge.values(item)
    for item in plan.invoked:
        judge.invocation(item)
    return judge.leaks.verdicts("secret_not_in_plain_text", "the secret is stored nowhere in plain text")


class _Sinks:
    def __init__(self, plan: Plan, configuration: ConfigModule, leaks: Leaks) -> None:
        self.leaks = leaks
        self._plan = plan
        self._tracer = FlowTracer(plan, configuration)
        self._secrets = KnownSecrets(plan)

    def block(self, path: tuple[str, ...], name: str, block: ConfigBlock) -> None:
        """Judges what the arguments of a block refer to."""
        for leaf in block.leaves:
            ways = self._tracer.ways(path, leaf.references, name, block)
            if ways:
                self._argument(path, name, leaf, ways)
        written = {leaf.path[0] for leaf in block.leaves}
        for item in self._plan.instances(path, name):
            for attribute in item.blocks_beside(written):
                self._possible(item, (attribute,), self._tracer.behind_dynamic(path))

    def values(self, item: Planned) -> None:
        """Judges the planned values of a resource, for ways that no reference shows."""
        address = static_address(item.path, item.block)
        values = self._plan.arguments(item) if item.mode == "data" else item.values.value
        for path, text in _named_texts(values):
            held = self._secrets.found_in(text)
            found = sink(*_type_of(item.block), path, _settings(item)) if held else None
            if held is not None and found is not None:
                self.leaks.held(address, _place(address, path), held, found)

    def invocation(self, item: Planned) -> None:
        """Judges what an action is configured with and no expression shows what it is made of."""
        self.values(item)
        values = item.values.value
        known = values if isinstance(values, Mapping) else {}
        unknown = item.unknown if isinstance(item.unknown, Mapping) else {}
        ways = tuple(replace(way, hidden="an action", marks_lost=True) for way in self._tracer.reach(item.path))
        block = self._plan.config_block(item)
        shown = {leaf.path[0] for leaf in block.leaves} if block else set()
        for attribute in sorted({*known, *unknown} - shown):
            self._possible(item, (attribute,), ways)

    def _argument(self, path: tuple[str, ...], name: str, leaf: Leaf, ways: tuple[Way, ...]) -> None:
        address = static_address(path, name)
        certain = [way for way in ways if way.certain]
        instances = self._plan.instances(path, name)
        if not certain:
            for item in instances:
                self._possible(item, leaf.path, ways)
            return
        for item in instances:
            found = sink(*_type_of(name), leaf.path, _settings(item))
            arriving = [way for way in certain if not self._is_ruled_out(item, leaf.path[0], way)]
            if found is not None and arriving:
                self.leaks.arrives(address, _place(address, leaf.path), arriving, found)
        if name.startswith("data.") and not instances:
            # A data source that was read while planning is only in the prior state, which a plan can lack.
            found = sink(*_type_of(name), leaf.path, lambda _: UNKNOWN)
            if found is not None:
                self.leaks.arrives(address, _place(address, leaf.path), certain, found)

    def _is_ruled_out(self, item: Planned, attribute: str, way: Way) -> bool:
        return not item.is_unknown(attribute) and self._secrets.rules_out(item.known(attribute), way)

    def _possible(self, item: Planned, path: tuple[str, ...], ways: tuple[Way, ...]) -> None:
        found = sink(*_type_of(item.block), path, _settings(item))
        if found is None or found.status is Status.PASS:
            return
        undecided = [way for way in ways if self._is_undecided(item, path[0], way)]
        if undecided:
            address = static_address(item.path, item.block)
            self.leaks.may_arrive(address, _place(address, path), undecided)

    def _is_undecided(self, item: Planned, attribute: str, way: Way) -> bool:
        """Provisioners run when a resource is created, and have no planned value. What changes refer to is listed for
        resources that change.
        """
        if attribute == "provisioner":
            return item.is_new
        if not may_hold(item, attribute, way, self._secrets):
            return False
        return not item.changes or self._tracer.is_relevant(way)


def _type_of(name: str) -> tuple[str, str]:
    """`resource`, `data` or `action`, and the type of a block."""
    steps = name.split(".")
    return (steps[0], steps[1]) if steps[0] in ("data", "action") else ("resource", steps[0])


def _settings(item: Planned) -> Setting:
    return lambda name: UNKNOWN if item.is_unknown(name) else item.known(name)


def _place(address: str, path: tuple[str, ...]) -> str:
    return f"{address} {' '.join(path[:2]) if path[0] == 'provisioner' else path[0]}"


def _named_texts(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string in the values of a resource with the names on the way to it."""
    if isinstance(value, str) and path:
        yield path, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _named_texts(part, (*path, name))
    elif isinstance(value, list):
        for part in value:
            yield from _named_texts(part, path)
