"""Where a plan's configuration takes the secrets of its keys: references followed back through modules to the key.

A plan names what an expression refers to, not what it does with it. So some ways are certain and others only possible:
locals are not written, an index that is computed or a splat hides the attribute, and Terraform before 1.1 wrote no
attributes at all. Possible ways are settled by planned values and sensitive marks (plan_evidence).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TypeAlias

from keyrules.code.flow.place import MIRRORS, RENDERED
from keyrules.code.flow.value import SECRET_ATTRIBUTES, SECRETS
from keyrules.code.plan.addresses import local_address, module_path, static_address
from keyrules.code.plan.configuration import ConfigBlock, ConfigModule
from keyrules.code.plan.references import PlanReference, leading, parse_reference
from keyrules.code.plan.view import Plan, Planned
from keyrules.records import dataclass, replace

Block: TypeAlias = tuple[tuple[str, ...], str]
"""Module path and name of a block."""

_SAYS_SECRET = re.compile(r"(?!.*_(?:arn|id|name|version)\Z).*(?:secret|password)", re.IGNORECASE)
_HARMLESS_ATTRIBUTES = frozenset(
    [
        "id",
        "user",
        "status",
        "create_date",
        "pgp_key",
        "key_fingerprint",
        "encrypted_secret",
        "encrypted_ses_smtp_password_v4",
    ]
)
_SEVERAL = "a value that is made of several"
_MAX_STOPS = 40
"""Bounds the recursion; a longer chain is only possible, never certain."""


@dataclass(frozen=True)
class Way:
    """A way of a secret: the key's block, and the stops from the key on.

    `certain` is False when the plan does not show that the secret itself is taken. `whole` says that the value is the
    key resource with all its attributes, and `marks_lost` that Terraform's sensitive marks end on the way. `hidden`
    names what hides the rest of an uncertain way.
    """

    key: Block
    stops: tuple[str, ...]
    certain: bool
    whole: bool = False
    marks_lost: bool = False
    hidden: str = ""

    def then(self, stop: str) -> Way:
        """The way with one more stop."""
        return replace(self, stops=(*self.stops, stop))


@dataclass(frozen=True)
class _Place:
    """Where a reference stands: the module, and the block for `each` and `self`."""

    path: tuple[str, ...]
    module: ConfigModule
    name: str = ""
    block: ConfigBlock | None = None


class FlowTracer:
    """Follows references in one plan. Results are kept, so that shared modules are followed once."""

    def __init__(self, plan: Plan, configuration: ConfigModule) -> None:
        self._plan = plan
        self._configuration = configuration
        self._attributes_written = plan.format_version != "0.1" or _shows_attributes(configuration)
        self._found: dict[tuple[str, tuple[str, ...], str], tuple[Way, ...]] = {}
        self._reach: dict[tuple[str, ...], tuple[Way, ...]] = {}
        self._open: set[tuple[str, tuple[str, ...], str]] = set()

    def ways(
        self, path: tuple[str, ...], references: tuple[str, ...], name: str = "", block: ConfigBlock | None = None
    ) -> tuple[Way, ...]:
        """The ways that end in an expression with these references; `name` and `block` are the block it stands in."""
        module = self._configuration.at(path)
        if module is None:
            return ()
        place = _Place(path, module, name, block)
        return _distinct(way for text in leading(references) for way in self._follow(parse_reference(text), place))

    def reach(self, path: tuple[str, ...]) -> tuple[Way, ...]:
        """What a local of a module may hold: keys of the module and below it, and any key of the plan when the module
        is called with references.
        """
        if path not in self._reach:
            self._reach[path] = self._reached(path)
        return self._reach[path]

    def _reached(self, path: tuple[str, ...]) -> tuple[Way, ...]:
        blocks = {(key.path, key.block) for key in self._plan.keys if key.path[: len(path)] == path}
        caller = self._configuration.at(path[:-1]) if path else None
        call = caller.calls.get(path[-1]) if caller else None
        if call is not None and any(leaf.references for leaf in call.block.leaves):
            blocks = {(key.path, key.block) for key in self._plan.keys}
        return _distinct(
            replace(way, certain=False, whole=False)
            for key_path, name in sorted(blocks)
            for way in self._key_ways(parse_reference(f"{name}.secret"), key_path, repeated=False)
        )

    def is_relevant(self, way: Way) -> bool:
        """Whether anything that changes refers to the secret at all, or to what holds it, as far as the plan lists what
        changes refer to.

        Terraform looks through locals, inputs and outputs for that list, but not into provisioners.
        """
        return self._relevant is None or way.key in self._relevant

    @cached_property
    def _relevant(self) -> frozenset[Block] | None:
        if self._plan.relevant is None:
            return None
        return frozenset(
            way.key
            for resource, attribute in self._plan.relevant
            for way in self.ways(module_path(resource), (".".join(filter(None, (local_address(resource), attribute))),))
        )

    def behind_dynamic(self, path: tuple[str, ...]) -> tuple[Way, ...]:
        """What the content of a `dynamic` block may hold, which the plan does not write."""
        return tuple(replace(way, hidden="a dynamic block") for way in self.reach(path))

    def _follow(self, reference: PlanReference, place: _Place) -> Iterator[Way]:
        path, root = place.path, reference.root
        if root in SECRETS:
            config = place.module.blocks.get(reference.block)
            repeated = config is not None and config.repetition is not None
            yield from self._key_ways(reference, path, repeated)
        elif root == "self" and place.name:
            yield from self._follow(parse_reference(".".join((place.name, *reference.rest))), place)
        elif root == "var":
            yield from _narrowed(self._variable(path, reference.name), reference.rest)
        elif root == "local":
            label = static_address(path, f"local.{reference.name}")
            for way in self.reach(path):
                yield replace(way, certain=False, whole=False, hidden="a local").then(label)
        elif root == "module":
            yield from self._module(reference, place)
        elif root == "each" and reference.name == "value" and place.block and place.block.repetition:
            ways = self.ways(path, place.block.repetition.references)
            yield from _narrowed((replace(way, certain=way.certain or way.whole) for way in ways), reference.rest)
        else:
            yield from self._carried(reference, place)

    def _key_ways(self, reference: PlanReference, path: tuple[str, ...], repeated: bool) -> Iterator[Way]:
        block = (path, reference.block)
        if not any(_has_secret(key) for key in self._plan.instances(*block)):
            return
        attribute = reference.rest[0] if reference.rest else None
        if attribute is None and not repeated and reference.index in SECRET_ATTRIBUTES:
            attribute = str(reference.index)
        if attribute is None:
            certain = self._attributes_written and (not repeated or reference.index is not None)
            hidden = "" if certain else "a reference without its attribute"
            yield Way(block, (static_address(path, reference.text),), certain, whole=True, hidden=hidden)
        elif attribute in SECRET_ATTRIBUTES:
            yield Way(block, (static_address(path, reference.text),), certain=True)

    def _variable(self, path: tuple[str, ...], name: str) -> tuple[Way, ...]:
        return self._once("var", path, name, self._given) if path else ()

    def _given(self, path: tuple[str, ...], name: str) -> Iterator[Way]:
        caller = self._configuration.at(path[:-1])
        call = caller.calls.get(path[-1]) if caller else None
        if call is not None:
            label = static_address(path[:-1], f"module.{path[-1]}.{name}")
            for way in self.ways(path[:-1], call.block.references(name), f"module.{path[-1]}", call.block):
                yield way.then(label)

    def _module(self, reference: PlanReference, place: _Place) -> Iterator[Way]:
        child = (*place.path, reference.name)
        call = place.module.calls.get(reference.name)
        if call is None:
            return
        if reference.rest:
            yield from _narrowed(self._output(child, reference.rest[0]), reference.rest[1:])
            return
        for output in call.module.outputs:
            for way in self._output(child, output):
                yield replace(way, certain=False, whole=False, hidden="a reference without its output")

    def _output(self, path: tuple[str, ...], name: str) -> tuple[Way, ...]:
        return self._once("output", path, name, self._published)

    def _published(self, path: tuple[str, ...], name: str) -> Iterator[Way]:
        module = self._configuration.at(path)
        output = module.outputs.get(name) if module else None
        if output is not None:
            label = static_address(path, name)
            for way in self.ways(path, output.expression.references):
                yield way.then(label)

    def _carried(self, reference: PlanReference, place: _Place) -> Iterator[Way]:
        """What another block holds in what is taken of it: in an argument, or in what is made from its arguments."""
        block = place.module.blocks.get(reference.block)
        if block is None:
            return
        names = tuple(step for step in reference.rest if not step.isdecimal())
        label = static_address(place.path, ".".join((reference.block, *names[:1])))
        hidden = "a reference without its attribute" if not names and block.repetition else ""
        node = ".".join((reference.block, *names))
        for way in self._once("carrier", place.path, node, lambda *_: self._held(place, reference.block, names)):
            carried = replace(way, whole=way.whole and bool(names), marks_lost=True)
            if hidden and reference.index is None:
                carried = replace(carried, certain=False, hidden=hidden)
            yield carried.then(label)

    def _held(self, place: _Place, name: str, names: tuple[str, ...]) -> Iterator[Way]:
        """The ways that end in the part of a block that these names lead to, in all of it when there are none."""
        block = place.module.blocks[name]
        block_type = name.removeprefix("data.").split(".")[0]
        written = {leaf.path[0] for leaf in block.leaves}
        dynamic = {each for item in self._plan.instances(place.path, name) for each in item.blocks_beside(written)}
        if names and names[0] not in written:
            names = (MIRRORS.get((block_type, names[0]), names[0]), *names[1:])
        made_of_all = not names or (names[0] not in written | dynamic and names[0] in RENDERED)
        for leaf in block.leaves:
            if leaf.path[0] == "provisioner":
                continue
            ways = self.ways(place.path, leaf.references, name, block)
            if made_of_all:
                yield from (replace(way, whole=False) for way in ways)
            elif all(one == other for one, other in zip(leaf.path, names, strict=False)):
                if len(list(leading(leaf.references))) > 1:
                    ways = tuple(replace(way, certain=False, hidden=way.hidden or _SEVERAL) for way in ways)
                yield from _narrowed(ways, names[len(leaf.path) :])
        if dynamic and (made_of_all or names[0] in dynamic):
            yield from self.behind_dynamic(place.path)

    def _once(self, kind: str, path: tuple[str, ...], name: str, find: _Finder) -> tuple[Way, ...]:
        """Finds the ways of one node, once. Terraform allows no cycles, so a node that is still open adds nothing."""
        node = (kind, path, name)
        if node in self._open:
            return ()
        if len(self._open) >= _MAX_STOPS:
            return tuple(replace(way, hidden="a chain that is too long") for way in self.reach(()))
        if node not in self._found:
            self._open.add(node)
            self._found[node] = _distinct(find(path, name))
            self._open.remove(node)
        return self._found[node]


_Finder: TypeAlias = Callable[[tuple[str, ...], str], Iterable[Way]]


def _narrowed(ways: Iterable[Way], rest: tuple[str, ...]) -> Iterator[Way]:
    """What is left of the ways when only a part of the value is taken."""
    names = [step for step in rest if not step.isdecimal()]
    for way in ways:
        if not names:
            yield way
        elif way.whole and names[-1] in SECRET_ATTRIBUTES:
            yield replace(way, certain=True, whole=False, hidden="")
        elif way.whole and names[-1] in _HARMLESS_ATTRIBUTES:
            continue
        elif way.whole or not _SAYS_SECRET.match(names[-1]):
            yield replace(way, certain=False, hidden=way.hidden or "an object of which only a part is taken")
        else:
            yield way


def _distinct(ways: Iterable[Way]) -> tuple[Way, ...]:
    """One way for each key and kind of way, the shortest."""
    found: dict[tuple[object, ...], Way] = {}
    for way in ways:
        mark = (way.key, way.certain, way.whole, way.marks_lost)
        if mark not in found or len(way.stops) < len(found[mark].stops):
            found[mark] = way
    return tuple(found.values())


def _has_secret(key: Planned) -> bool:
    """With pgp_key the secret is only stored encrypted, and an imported key has none at all."""
    if key.known("pgp_key"):
        return False
    return key.is_new or not key.actions or any(key.known(attribute) for attribute in SECRET_ATTRIBUTES)


def _shows_attributes(configuration: ConfigModule) -> bool:
    leaves = (leaf for _, module in configuration.walk() for block in module.blocks.values() for leaf in block.leaves)
    references = (parse_reference(text) for leaf in leaves for text in leaf.references)
    return any(reference.rest and reference.root.startswith("aws_") for reference in references)
