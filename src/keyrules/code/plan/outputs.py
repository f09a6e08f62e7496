"""KEY_AWS_009 on plans: outputs that print a key's secret."""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.code.flow.sinks import SENSITIVE_OUTPUT, Sink
from keyrules.code.plan.addresses import static_address
from keyrules.code.plan.configuration import ConfigModule, ConfigOutput
from keyrules.code.plan.evidence import KnownSecrets, may_hold
from keyrules.code.plan.flow import FlowTracer, Way
from keyrules.code.plan.leaks import Leaks, no_configuration
from keyrules.code.plan.references import leading, parse_reference
from keyrules.code.plan.view import Plan
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Status

_OPEN_OUTPUT = Sink(
    Status.FAIL,
    "secret_in_output",
    "is printed by an output that is not sensitive; remove the output or set sensitive = true without nonsensitive()",
)


def judge_outputs(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """One verdict for each output that carries a secret or may, and for each key that no output carries."""
    if plan.configuration is None:
        return no_configuration(plan, path, context)
    judge = _Outputs(plan, plan.configuration, Leaks(plan, path, context))
    for module_path, module in plan.configuration.walk():
        for name, output in module.outputs.items():
            judge.output(module_path, name, output)
    return judge.leaks.verdicts("secret_not_in_outputs", "no output shows the secret")


class _Outputs:
    def __init__(self, plan: Plan, configuration: ConfigModule, leaks: Leaks) -> None:
        self.leaks = leaks
        self._plan = plan
        self._configuration = configuration
        self._tracer = FlowTracer(plan, configuration)
        self._secrets = KnownSecrets(plan)

    def output(self, path: tuple[str, ...], name: str, output: ConfigOutput) -> None:
        """Judges one output of one module."""
        address = static_address(path, f"output.{name}")
        ways = self._tracer.ways(path, output.expression.references)
        planned = self._plan.outputs.get(name) if not path else None
        shown = planned.value.value if planned and not planned.unknown else None
        certain = [way for way in ways if way.certain and not self._secrets.rules_out(shown, way)]
        held = self._secrets.found_in(planned.value.value) if planned else None
        sink = SENSITIVE_OUTPUT if output.sensitive else _OPEN_OUTPUT
        if certain:
            self.leaks.arrives(address, address, certain, sink)
        elif held is not None:
            self.leaks.held(address, address, held, sink)
        elif not output.sensitive and (possible := self._undecided(path, name, ways)):
            self.leaks.may_arrive(address, address, possible)

    def _undecided(self, path: tuple[str, ...], name: str, ways: tuple[Way, ...]) -> tuple[Way, ...]:
        """The possible ways that neither the planned value nor the places that take the output further rule out.

        That a root output is not marked sensitive proves nothing here: nonsensitive() is what takes the mark off.
        """
        if path:
            takers = list(self._takers(path, name))
            return tuple(way for way in ways if any(self._may_take_secret(place, way) for place in takers))
        planned = self._plan.outputs.get(name)
        if planned is not None and not planned.unknown:
            return tuple(way for way in ways if self._secrets.may_be_hidden_in(planned.value.value, way))
        return tuple(way for way in ways if self._tracer.is_relevant(way))

    def _takers(self, path: tuple[str, ...], name: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Module path, block and argument of each expression that takes an output of a called module.

        Outputs and inputs have no argument. Root outputs in plain text are left out: they are judged themselves.
        """
        caller = self._configuration.at(path[:-1])
        if caller is None:
            return
        for block_name, block in caller.blocks.items():
            for leaf in block.leaves:
                if _names_output(leaf.references, path[-1], name):
                    yield path[:-1], block_name, leaf.path[0]
        for output_name, output in caller.outputs.items():
            shown = not path[:-1] and not output.sensitive
            if not shown and _names_output(output.expression.references, path[-1], name):
                yield path[:-1], output_name, ""
        for call_name, call in caller.calls.items():
            if any(_names_output(leaf.references, path[-1], name) for leaf in call.block.leaves):
                yield path[:-1], call_name, ""

    def _may_take_secret(self, taker: tuple[tuple[str, ...], str, str], way: Way) -> bool:
        path, block, argument = taker
        if not argument:
            return True
        return any(
            self._secrets.found_in(item.known(argument)) is not None or may_hold(item, argument, way, self._secrets)
            for item in self._plan.instances(path, block)
        )


def _names_output(references: tuple[str, ...], call: str, output: str) -> bool:
    named = (parse_reference(text) for text in leading(references))
    return any(
        reference.root == "module" and reference.name == call and reference.rest[:1] in ((), (output,))
        for reference in named
    )
