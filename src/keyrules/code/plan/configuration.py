"""The `configuration` of a plan: each module's blocks with what their expressions refer to.

Terraform writes a constant expression as `constant_value` and any other as `references`: each reference in full,
followed by its shorter forms (`aws_iam_access_key.k.secret`, then `aws_iam_access_key.k`). Locals are not written, nor
the content of `dynamic` blocks (hashicorp/terraform internal/command/jsonconfig).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keyrules.code.plan.json import Sealed, as_flag, as_list, as_object, as_text, as_texts
from keyrules.records import dataclass, replace


@dataclass(frozen=True)
class Leaf:
    """One expression of a block. `path` are the names on the way to it, positions in lists left out."""

    path: tuple[str, ...]
    references: tuple[str, ...]
    constant: Sealed


@dataclass(frozen=True)
class ConfigBlock:
    """A resource, data source, action or module call: its expressions, and its provisioners' under `provisioner`.

    `provider` is the key of the ProviderConfig that a resource uses.
    """

    leaves: tuple[Leaf, ...]
    repetition: Leaf | None = None
    depends_on: tuple[str, ...] = ()
    provider: str = ""

    def references(self, name: str) -> tuple[str, ...]:
        """The references of every expression under one argument or block."""
        return tuple(reference for leaf in self.leaves if leaf.path[0] == name for reference in leaf.references)


@dataclass(frozen=True)
class ConfigOutput:
    """An output block."""

    expression: Leaf
    sensitive: bool


@dataclass(frozen=True)
class ModuleCall:
    """A call of a module, and the module."""

    block: ConfigBlock
    module: ConfigModule


@dataclass(frozen=True)
class ConfigModule:
    """A module's blocks by name; data sources have `data.` before theirs, and actions (Terraform 1.14) `action.`.
    `defaults` are those of its variables.
    """

    blocks: Mapping[str, ConfigBlock]
    outputs: Mapping[str, ConfigOutput]
    calls: Mapping[str, ModuleCall]
    defaults: Mapping[str, Sealed]

    def at(self, path: tuple[str, ...]) -> ConfigModule | None:
        """The module that the calls of `path` lead to."""
        module: ConfigModule | None = self
        for name in path:
            call = module.calls.get(name) if module else None
            module = call.module if call else None
        return module

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ConfigModule]]:
        """This module and all below it, each with its path."""
        yield path, self
        for name, call in self.calls.items():
            yield from call.module.walk((*path, name))


@dataclass(frozen=True)
class ProviderConfig:
    """A provider block. `key` names it: `aws`, `aws.alias`, or `module.m:aws`."""

    key: str
    leaves: tuple[Leaf, ...]


def read_configuration(configuration: Mapping[str, object]) -> tuple[ConfigModule, tuple[ProviderConfig, ...]]:
    """The root module and the provider blocks of all modules. Raises PlanError."""
    providers = as_object(configuration.get("provider_config"), "configuration.provider_config")
    return _module(configuration.get("root_module")), tuple(
        ProviderConfig(key, tuple(_leaves(as_object(entry, "configuration.provider_config").get("expressions"))))
        for key, entry in sorted(providers.items())
    )


def _module(value: object) -> ConfigModule:
    entry = as_object(value, "configuration module")
    outputs = as_object(entry.get("outputs"), "configuration outputs")
    calls = as_object(entry.get("module_calls"), "configuration module_calls")
    variables = as_object(entry.get("variables"), "configuration variables")
    return ConfigModule(
        blocks=_blocks(entry),
        outputs={name: _output(outputs[name]) for name in sorted(outputs)},
        calls={name: _call(calls[name]) for name in sorted(calls)},
        defaults={
            name: Sealed(as_object(variables[name], "configuration variable").get("default"))
            for name in sorted(variables)
        },
    )


def _blocks(entry: Mapping[str, object]) -> dict[str, ConfigBlock]:
    found = {}
    for item in as_list(entry.get("resources"), "configuration resources"):
        resource = as_object(item, "configuration resource")
        kind = as_text(resource.get("type"), "configuration resource type")
        name = as_text(resource.get("name"), "configuration resource name")
        mode = as_text(resource.get("mode"), "configuration resource mode")
        found[f"data.{kind}.{name}" if mode == "data" else f"{kind}.{name}"] = _block(resource)
    for item in as_list(entry.get("actions"), "configuration actions"):
        action = as_object(item, "configuration action")
        kind = as_text(action.get("type"), "configuration action type")
        found[f"action.{kind}.{as_text(action.get('name'), 'configuration action name')}"] = _action(action)
    return dict(sorted(found.items()))


def _action(entry: Mapping[str, object]) -> ConfigBlock:
    """An action's arguments stand in its `config` block, whose name an invocation does not repeat."""
    block = _block(entry)
    leaves = ((leaf, leaf.path[0] == "config" and len(leaf.path) > 1) for leaf in block.leaves)
    return replace(block, leaves=tuple(replace(leaf, path=leaf.path[1:]) if inner else leaf for leaf, inner in leaves))


def _block(entry: Mapping[str, object]) -> ConfigBlock:
    leaves = list(_leaves(entry.get("expressions")))
    for item in as_list(entry.get("provisioners"), "configuration provisioners"):
        provisioner = as_object(item, "configuration provisioner")
        kind = as_text(provisioner.get("type"), "configuration provisioner type")
        leaves += _leaves(provisioner.get("expressions"), ("provisioner", kind))
    repetition = entry.get("for_each_expression", entry.get("count_expression"))
    return ConfigBlock(
        leaves=tuple(leaves),
        repetition=_leaf((), as_object(repetition, "configuration repetition")) if repetition is not None else None,
        depends_on=as_texts(entry.get("depends_on"), "configuration depends_on"),
        provider=as_text(entry.get("provider_config_key", ""), "configuration provider_config_key"),
    )


def _output(value: object) -> ConfigOutput:
    entry = as_object(value, "configuration output")
    expression = as_object(entry.get("expression"), "configuration output expression")
    return ConfigOutput(_leaf((), expression), as_flag(entry.get("sensitive"), "configuration output sensitive"))


def _call(value: object) -> ModuleCall:
    entry = as_object(value, "configuration module call")
    return ModuleCall(_block(entry), _module(entry.get("module")))


def _leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """The expressions of a block: an attribute is an expression, a nested block a list or an object of more."""
    for name, item in as_object(value, "configuration expressions").items():
        yield from _leaves_of(item, (*path, name))


def _leaves_of(item: object, path: tuple[str, ...]) -> Iterator[Leaf]:
    if isinstance(item, list):
        for block in item:
            yield from _leaves(block, path)
        return
    entry = as_object(item, "configuration expression")
    if _is_expression(entry):
        yield _leaf(path, entry)
    else:
        yield from _leaves(entry, path)


def _is_expression(entry: Mapping[str, object]) -> bool:
    """A nested block may have an argument named like one of the two keys; its value is then an object, not a list."""
    if not entry.keys() <= {"constant_value", "references"}:
        return False
    references = entry.get("references")
    return references is None or (isinstance(references, list) and all(isinstance(item, str) for item in references))


def _leaf(path: tuple[str, ...], entry: Mapping[str, object]) -> Leaf:
    references = as_texts(entry.get("references"), "configuration references")
    return Leaf(path, references, Sealed(entry.get("constant_value")))
