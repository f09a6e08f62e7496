"""KEY_AWS_011 on plans: access keys that are written out in the configuration, in a variable or in a planned value.

What providers computed is no literal: the secrets of keys, what data sources read, and what any resource returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from keyrules.code.literals.literals import LiteralCredential, find_literals
from keyrules.code.literals.text import base64_texts
from keyrules.code.plan.addresses import static_address
from keyrules.code.plan.configuration import ConfigModule, Leaf
from keyrules.code.plan.evidence import KnownSecrets
from keyrules.code.plan.json import texts
from keyrules.code.plan.references import leading, parse_reference
from keyrules.code.plan.verdicts import plan_verdict
from keyrules.code.plan.view import Plan
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Status

_SECRET_SHAPE = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")


def judge_literals(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """One FAIL for each address that holds a literal credential, a PASS where it is temporary; none for the others."""
    computed = _Computed(plan)
    verdicts = []
    places: dict[str, list[tuple[str, object]]] = {}
    for address, named in _places(plan):
        places.setdefault(address, []).extend(named)
    for address, named in sorted(places.items()):
        literals = find_literals(computed.cut_from(_as_text(named)))
        found = [item for item in literals if item.kind != "session"]
        if literals and not found:
            message = f"only a temporary access key is hard-coded in {address}: it expires by itself"
            verdicts.append(plan_verdict(context, path, address, Status.PASS, "temporary_key", message))
        if found:
            facts = {"kind": found[0].kind, "key_id": found[0].masked_key_id}
            message = f"{' and '.join(dict.fromkeys(_what(item) for item in found))} is hard-coded in {address}"
            verdicts.append(plan_verdict(context, path, address, Status.FAIL, "literal_access_key", message, facts))
    return verdicts


class _Computed:
    """What providers computed and looks like a secret, in a form that only cuts it out of text."""

    __slots__ = ("_keys", "_values")

    def __init__(self, plan: Plan) -> None:
        self._keys = KnownSecrets(plan)
        written = {found for value in _written(plan) for found in _shaped(value)}
        self._values = sorted({*_computed(plan)} - written)

    def __repr__(self) -> str:
        return "_Computed"

    def cut_from(self, text: str) -> str:
        """The text without them; base64 that holds some of them stands decoded in it."""
        for start, end, decoded in reversed([*base64_texts(text)]):
            if (cut := self._without(decoded)) != decoded:
                text = text[:start] + cut + text[end:]
        return self._without(text)

    def _without(self, text: str) -> str:
        text = self._keys.without(text)
        for value in self._values:
            text = text.replace(value, "")
        return text


def _shaped(value: object) -> Iterator[str]:
    for text in texts(value):
        yield from _SECRET_SHAPE.findall(text)


def _written(plan: Plan) -> Iterator[object]:
    """Every constant of the configuration and every variable."""
    for variable in plan.variables.values():
        yield variable.value
    for provider in plan.providers:
        yield from (leaf.constant.value for leaf in provider.leaves)
    for _, module in plan.configuration.walk() if plan.configuration else ():
        yield from (default.value for default in module.defaults.values())
        yield from (output.expression.constant.value for output in module.outputs.values())
        for block in (*module.blocks.values(), *(call.block for call in module.calls.values())):
            yield from (leaf.constant.value for leaf in block.leaves)


def _computed(plan: Plan) -> Iterator[str]:
    """What data sources read and what resources return, but for copies of what they were given: an argument of their
    own, or of what they refer to.
    """
    for item in plan.planned:
        block = plan.config_block(item)
        values = item.values.value
        if not isinstance(values, Mapping) or (block is None and item.mode != "data"):
            continue
        own = plan.arguments(item)
        named = [text for leaf in block.leaves for text in leading(leaf.references)] if block else []
        blocks = [parse_reference(text).block for text in (*named, *(block.depends_on if block else ()))]
        sources = [each for name in blocks for each in plan.instances(item.path, name)]
        given = {found for value in (own, *map(plan.arguments, sources)) for found in _shaped(value)}
        yield from (
            found for name in values.keys() - own.keys() for found in _shaped(values[name]) if found not in given
        )


def _places(plan: Plan) -> Iterator[tuple[str, list[tuple[str, object]]]]:
    """Addresses with names and values that stand there; a root output has its expression and its planned value."""
    for name, variable in plan.variables.items():
        yield f"var.{name}", [(name, variable.value)]
    for provider in plan.providers:
        yield f"provider.{provider.key}", _constants(provider.leaves)
    for name, output in plan.outputs.items():
        yield f"output.{name}", [(name, output.value.value)]
    for item in plan.invoked:
        values = item.values.value
        yield item.address, list(values.items()) if isinstance(values, Mapping) else []
    if plan.configuration is None:
        for item in plan.planned:
            yield item.address, list(plan.arguments(item).items())
        return
    for path, module in plan.configuration.walk():
        yield from _module_places(plan, path, module)


def _module_places(
    plan: Plan, path: tuple[str, ...], module: ConfigModule
) -> Iterator[tuple[str, list[tuple[str, object]]]]:
    for name, block in module.blocks.items():
        instances = plan.instances(path, name)
        for item in instances:
            yield item.address, [*_constants(block.leaves), *plan.arguments(item).items()]
        if not instances:
            yield static_address(path, name), _constants(block.leaves)
    for name, call in module.calls.items():
        yield static_address(path, f"module.{name}"), _constants(call.block.leaves)
    for name, output in module.outputs.items():
        yield static_address(path, f"output.{name}"), [(name, output.expression.constant.value)]
    for name, default in module.defaults.items() if path else ():
        yield static_address(path, f"var.{name}"), [(name, default.value)]


def _constants(leaves: Sequence[Leaf]) -> list[tuple[str, object]]:
    return [(leaf.path[-1], leaf.constant.value) for leaf in leaves]


def _as_text(named: Sequence[tuple[str, object]]) -> str:
    """The values as the assignments that the finder of literals knows from Terraform."""
    lines = (
        f"{name} = {json.dumps(value, indent=2, ensure_ascii=False)}" for name, value in named if value is not None
    )
    return "\n".join(lines)


def _what(credential: LiteralCredential) -> str:
    if credential.masked_key_id is None:
        return "a secret access key" if credential.kind == "secret_access_key" else "an SMTP password of Amazon SES"
    return f"the access key {credential.masked_key_id} with its secret"
