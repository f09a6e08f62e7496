"""A Terraform plan as the rules need it: what is planned, what was there before, and what the configuration refers to.

Checkov's plan runner keeps the planned resources and drops configuration, outputs and prior state, so the rules on
plans read the file themselves. Values may hold the secrets of existing keys and stay sealed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from keyrules.code.plan.addresses import module_path
from keyrules.code.plan.configuration import ConfigBlock, ConfigModule, ProviderConfig, read_configuration
from keyrules.code.plan.json import (
    PlanError,
    Sealed,
    as_flag,
    as_list,
    as_object,
    as_text,
    as_texts,
    is_plan,
    load_plan,
)
from keyrules.code.plan.marks import hides_members, marked, part
from keyrules.code.terraform.keys import KEY_TYPES
from keyrules.records import dataclass

__all__ = ["Plan", "PlanError", "Planned", "PlannedOutput", "is_plan", "read_plan"]

_FORGOTTEN = ("forget",)


@dataclass(frozen=True)
class Prior:
    """A resource in the state before the plan; `depends_on` are addresses without instance keys, indirect ones too."""

    values: Sealed
    depends_on: tuple[str, ...]


@dataclass(frozen=True)
class Planned:
    """One resource instance that exists after the plan is applied, or a data source.

    `mode` is managed, data, or action for the invocation of an action, whose values are what it is configured with.
    `actions` is empty when the plan lists no change for it. `unknown` and `sensitive` mirror the shape of the values
    with true at the marked leaves; `sensitive` is None where the plan has no marks (Terraform before 0.15).
    """

    address: str
    module: str
    mode: str
    type: str
    name: str
    index: int | str | None
    values: Sealed
    before: Sealed
    unknown: object
    sensitive: object
    actions: tuple[str, ...]
    action_reason: str
    replaced_for: tuple[str, ...]
    prior: Prior | None

    @property
    def is_new(self) -> bool:
        """Whether applying the plan makes a new object: a creation, or a replacement in either order."""
        return "create" in self.actions

    @property
    def is_forgotten(self) -> bool:
        """Whether it stays where it is and leaves Terraform's management and state, as `removed` blocks ask for."""
        return self.actions == _FORGOTTEN

    @property
    def changes(self) -> bool:
        """Whether applying the plan changes it."""
        return not set(self.actions) <= {"no-op"}

    @property
    def path(self) -> tuple[str, ...]:
        """The module calls on the way, without instance keys."""
        return module_path(self.module)

    @property
    def block(self) -> str:
        """The name of its block in the configuration of its module."""
        prefix = "" if self.mode == "managed" else f"{self.mode}."
        return f"{prefix}{self.type}.{self.name}"

    def known(self, attribute: str) -> object:
        """The planned value of one attribute; None when it is null, absent, or known only after the plan is applied."""
        values = self.values.value
        return values.get(attribute) if isinstance(values, Mapping) else None

    def blocks_beside(self, written: Container[str]) -> tuple[str, ...]:
        """The nested blocks that are planned although no expression of them is written: `dynamic` made them."""
        values = self.values.value
        return tuple(
            name
            for name, value in (values.items() if isinstance(values, Mapping) else ())
            if name not in written and isinstance(value, list) and any(isinstance(each, Mapping) for each in value)
        )

    def is_unknown(self, attribute: str) -> bool:
        """Whether the attribute, or a part of it, is known only after the plan is applied."""
        return marked(part(self.unknown, attribute))

    def is_sensitive(self, attribute: str) -> bool | None:
        """Whether the attribute, or a part of it, is marked sensitive; None when the plan has no such marks."""
        return None if self.sensitive is None else marked(part(self.sensitive, attribute))

    def hides_marks(self, attribute: str) -> bool:
        """Whether a collection in the attribute is unknown as a whole, so that the plan has no marks of its members."""
        return hides_members(part(self.unknown, attribute), part(self.sensitive, attribute))


@dataclass(frozen=True)
class PlannedOutput:
    """A root output as planned."""

    value: Sealed
    unknown: bool


@dataclass(frozen=True)
class Plan:
    """A plan. `gaps` are sentences that name what the plan itself says it leaves out.

    `relevant` are the (resource, attribute) pairs that the planned changes refer to, with "" for a whole resource; None
    where the plan does not list them (Terraform before 1.2). `prior` is what exists before the plan, by address.
    `invoked` are the actions that run when the plan is applied (Terraform 1.14).
    """

    format_version: str
    planned: tuple[Planned, ...]
    prior: Mapping[str, Prior]
    outputs: Mapping[str, PlannedOutput]
    variables: Mapping[str, Sealed]
    configuration: ConfigModule | None
    providers: tuple[ProviderConfig, ...]
    relevant: frozenset[tuple[str, str]] | None
    gaps: tuple[str, ...]
    invoked: tuple[Planned, ...] = ()

    @cached_property
    def keys(self) -> tuple[Planned, ...]:
        """The access keys that exist after the plan is applied."""
        return tuple(item for item in self.planned if item.mode == "managed" and item.type in KEY_TYPES)

    @cached_property
    def by_block(self) -> Mapping[tuple[tuple[str, ...], str], tuple[Planned, ...]]:
        """The instances of each block, by module path and block name."""
        found: dict[tuple[tuple[str, ...], str], list[Planned]] = {}
        for item in (*self.planned, *self.invoked):
            found.setdefault((item.path, item.block), []).append(item)
        return {block: tuple(items) for block, items in found.items()}

    def config_block(self, item: Planned) -> ConfigBlock | None:
        """The block that declares an instance."""
        module = self.configuration.at(item.path) if self.configuration else None
        return module.blocks.get(item.block) if module else None

    def arguments(self, item: Planned) -> Mapping[str, object]:
        """The planned values of what an instance's block sets, `dynamic` blocks included; the rest is what its provider
        makes of them. Where the plan does not show the block, all values of a resource, and none of a data source.
        """
        values = item.values.value
        known = values if isinstance(values, Mapping) else {}
        block = self.config_block(item)
        if block is None:
            return {} if item.mode == "data" else known
        written = {leaf.path[0] for leaf in block.leaves}
        written.update(item.blocks_beside(written))
        return {name: value for name, value in known.items() if name in written}

    def instances(self, path: tuple[str, ...], block: str) -> tuple[Planned, ...]:
        """The planned instances of one block, and the invocations of an action."""
        return self.by_block.get((path, block), ())


def read_plan(data: bytes) -> Plan:
    """Reads the output of `terraform show -json PLANFILE` or of `tofu show -json`. Raises PlanError."""
    document = load_plan(data)
    changes = _changes(document)
    prior = _prior(document)
    planned = _planned(document, changes, prior)
    configuration, providers = read_configuration(as_object(document.get("configuration"), "configuration"))
    return Plan(
        format_version=as_text(document.get("format_version"), "format_version"),
        planned=planned,
        prior=prior,
        outputs=_outputs(document),
        variables={
            name: Sealed(as_object(variable, "variables").get("value"))
            for name, variable in sorted(as_object(document.get("variables"), "variables").items())
        },
        configuration=configuration if "configuration" in document else None,
        providers=providers,
        relevant=_relevant(document),
        gaps=_gaps(document, prior.keys() - changes.keys() - {item.address for item in planned}),
        invoked=tuple(_invocations(document)),
    )


@dataclass(frozen=True)
class _Change:
    entry: Mapping[str, object]
    change: Mapping[str, object]
    actions: tuple[str, ...]


def _changes(document: Mapping[str, object]) -> dict[str, _Change]:
    """The change of each current object; deposed ones are what an interrupted replacement left to delete."""
    found = {}
    for item in as_list(document.get("resource_changes"), "resource_changes"):
        entry = as_object(item, "resource_changes")
        address = as_text(entry.get("address"), "resource_changes.address")
        change = as_object(entry.get("change"), "resource_changes.change")
        actions = as_texts(change.get("actions"), "resource_changes.change.actions")
        if address and not as_text(entry.get("deposed"), "resource_changes.deposed"):
            found[address] = _Change(entry, change, actions)
    return found


def _prior(document: Mapping[str, object]) -> dict[str, Prior]:
    state = as_object(document.get("prior_state"), "prior_state")
    values = as_object(state.get("values"), "prior_state.values")
    found = {}
    for _, entry in _resources(values.get("root_module"), "prior_state"):
        address = as_text(entry.get("address"), "prior_state resource address")
        if not as_text(entry.get("deposed_key"), "prior_state resource deposed_key"):
            depends_on = as_texts(entry.get("depends_on"), "prior_state resource depends_on")
            found[address] = Prior(Sealed(as_object(entry.get("values"), "prior_state resource values")), depends_on)
    return found


def _planned(
    document: Mapping[str, object], changes: Mapping[str, _Change], prior: Mapping[str, Prior]
) -> tuple[Planned, ...]:
    """What planned_values lists, what only resource_changes has, as in plans that were cut down for a policy, and the
    data sources that were read while planning, which only the prior state has. What is forgotten stays as it was.
    """
    values = as_object(document.get("planned_values"), "planned_values")
    found: dict[str, Planned] = {}
    for module, entry in _resources(values.get("root_module"), "planned_values"):
        item = _resource(module, entry, changes, prior)
        found[item.address] = item
    for address, change in changes.items():
        after = change.change.get("before" if change.actions == _FORGOTTEN else "after")
        if address not in found and after is not None:
            module = as_text(change.entry.get("module_address"), "resource_changes.module_address")
            entry = {**change.entry, "values": after}
            found[address] = _resource(module, entry, changes, prior)
    state = as_object(as_object(document.get("prior_state"), "prior_state").get("values"), "prior_state.values")
    for module, entry in _resources(state.get("root_module"), "prior_state"):
        address = as_text(entry.get("address"), "prior_state resource address")
        if address not in found and as_text(entry.get("mode"), "prior_state resource mode") == "data":
            found[address] = _resource(module, entry, changes, prior)
    return tuple(found[address] for address in sorted(found))


def _resource(
    module: str, entry: Mapping[str, object], changes: Mapping[str, _Change], prior: Mapping[str, Prior]
) -> Planned:
    address = as_text(entry.get("address"), "planned resource address")
    change = changes.get(address)
    details = change.change if change else {}
    after = as_object(details.get("after"), "resource_changes.change.after")
    values = {**after, **as_object(entry.get("values"), "planned resource values")}
    sensitive = details.get("after_sensitive", entry.get("sensitive_values"))
    index = entry.get("index")
    return Planned(
        address=address,
        module=module,
        mode=as_text(entry.get("mode"), "planned resource mode") or "managed",
        type=as_text(entry.get("type"), "planned resource type"),
        name=as_text(entry.get("name"), "planned resource name"),
        index=index if isinstance(index, (int, str)) and not isinstance(index, bool) else None,
        values=Sealed(values),
        before=Sealed(as_object(details.get("before"), "resource_changes.change.before")),
        unknown=details.get("after_unknown"),
        sensitive=sensitive,
        actions=change.actions if change else (),
        action_reason=as_text(change.entry.get("action_reason"), "resource_changes.action_reason") if change else "",
        replaced_for=_replaced_for(details),
        prior=prior.get(address),
    )


def _invocations(document: Mapping[str, object]) -> Iterator[Planned]:
    """The actions that are to run (hashicorp/terraform internal/command/jsonplan/action_invocations.go)."""
    for item in as_list(document.get("action_invocations"), "action_invocations"):
        entry = as_object(item, "action_invocations")
        address = as_text(entry.get("address"), "action_invocations.address")
        yield Planned(
            address=address,
            module=address.partition("action.")[0].rstrip(".") if address.startswith("module.") else "",
            mode="action",
            type=as_text(entry.get("type"), "action_invocations.type"),
            name=as_text(entry.get("name"), "action_invocations.name"),
            index=None,
            values=Sealed(as_object(entry.get("config_values"), "action_invocations.config_values")),
            before=Sealed({}),
            unknown=entry.get("config_unknown"),
            sensitive=entry.get("config_sensitive"),
            actions=(),
            action_reason="",
            replaced_for=(),
            prior=None,
        )


def _replaced_for(details: Mapping[str, object]) -> tuple[str, ...]:
    """The attributes whose change makes Terraform replace the resource."""
    where = "resource_changes.change.replace_paths"
    paths = [as_list(path, where) for path in as_list(details.get("replace_paths"), where)]
    return tuple(sorted({path[0] for path in paths if path and isinstance(path[0], str)}))


def _resources(module: object, where: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    entry = as_object(module, f"{where} module")
    address = as_text(entry.get("address"), f"{where} module address")
    for resource in as_list(entry.get("resources"), f"{where} resources"):
        yield address, as_object(resource, f"{where} resource")
    for child in as_list(entry.get("child_modules"), f"{where} child_modules"):
        yield from _resources(child, where)


def _outputs(document: Mapping[str, object]) -> dict[str, PlannedOutput]:
    values = as_object(document.get("planned_values"), "planned_values")
    planned = as_object(values.get("outputs"), "planned_values.outputs")
    changes = as_object(document.get("output_changes"), "output_changes")
    found = {}
    for name in sorted({*planned, *changes}):
        entry = as_object(planned.get(name), "planned_values.outputs")
        change = as_object(changes.get(name), "output_changes")
        value = entry["value"] if "value" in entry else change.get("after")
        found[name] = PlannedOutput(Sealed(value), marked(change.get("after_unknown")))
    return found


def _relevant(document: Mapping[str, object]) -> frozenset[tuple[str, str]] | None:
    if "relevant_attributes" not in document:
        return None
    found = set()
    for item in as_list(document["relevant_attributes"], "relevant_attributes"):
        entry = as_object(item, "relevant_attributes")
        steps = as_list(entry.get("attribute"), "relevant_attributes.attribute")
        names = [step for step in steps if isinstance(step, str)]
        found.add((as_text(entry.get("resource"), "relevant_attributes.resource"), names[0] if names else ""))
    return frozenset(found)


def _gaps(document: Mapping[str, object], unplanned: AbstractSet[str]) -> tuple[str, ...]:
    """What the plan leaves out. `unplanned` are the addresses of what exists and has no place in the plan.

    Terraform says since version 1.8 whether a plan is complete, and calls one complete that only refreshes.
    """
    gaps = []
    if as_flag(document.get("errored"), "errored"):
        gaps.append("planning ended with an error, so the plan leaves out resources; plan again and scan that plan")
    deferred = (as_list(document.get(name), name) for name in ("deferred_changes", "deferred_action_invocations"))
    if any(deferred):
        gaps.append("the plan defers resources or actions to a later run; scan the source as well")
    complete = "complete" not in document or as_flag(document["complete"], "complete")
    if not gaps and (not complete or unplanned):
        gaps.append(
            "the plan leaves out resources, as with -target and -refresh-only; plan everything and scan that plan"
        )
    for item in as_list(document.get("resource_changes"), "resource_changes"):
        entry = as_object(item, "resource_changes")
        actions = as_list(as_object(entry.get("change"), "resource_changes.change").get("actions"), "actions")
        hidden = "create" in actions or entry.get("deposed")
        if "forget" in actions and hidden and entry.get("type") in KEY_TYPES:
            address = as_text(entry.get("address"), "resource_changes.address")
            gaps.append(
                f"the plan leaves an old key of {address} in its account and forgets it, so nobody can judge that key "
                "here; run `keyrules audit` on the account"
            )
    return tuple(gaps)
