"""The instances in Terraform's state, however it is written: versions 3 and 4, and what `terraform show -json` prints.

The first two formats are not documented; they are read as Terraform's own code writes them, in
https://github.com/hashicorp/terraform/tree/main/internal/states/statefile. OpenTofu writes version 4 as well, and says
at an instance which of a provider's instances it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from keyrules.code.addresses import without_keys
from keyrules.model import InputError


class Instance(NamedTuple):
    """One instance of a resource or data source. `values` are its attributes, as far as the document holds them.

    `block` is the address of its declaration, without instance keys, and `address` its own. `provider` is the provider
    configuration, empty where the format does not tell two of them apart. `deposed` names a former object that still
    exists beside the one that replaced it.
    """

    address: str
    block: str
    kind: str
    data: bool
    provider: str
    deposed: str
    depends_on: tuple[str, ...]
    values: Sequence[Mapping[str, object]]


def is_state(text: str) -> bool:
    """Whether a text is worth reading as a state of version 3 or 4."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and '"serial"' in text and '"terraform_version"' in text


def check_layout(document: Mapping[str, object]) -> None:
    """InputError, a sentence that follows its name, for a state of version or layout that `instances` does not read."""
    version = document.get("version")
    if version not in (3, 4):
        raise InputError("is a state of a version that is not read; those are 3 and 4: pull it with a newer Terraform")
    held = document.get("resources" if version == 4 else "modules")
    parts = held if isinstance(held, list) else [None]
    whole = all(isinstance(part, dict) for part in parts) and all(map(_is_whole, parts if version == 4 else ()))
    if not whole:
        raise InputError("has something that no state holds in the place of a resource: pull it again")


def _is_whole(resource: Mapping[str, object]) -> bool:
    found = resource.get("instances", [])
    return isinstance(found, list) and all(
        isinstance(each, dict) and _present(each.get("attributes"), each.get("attributes_flat")) for each in found
    )


def instances(document: Mapping[str, object]) -> Iterator[Instance]:
    """Every instance in a state."""
    yield from _of_4(document)
    yield from _of_3(document)
    values = document.get("values")
    if isinstance(values, dict):
        yield from _of_module(values.get("root_module"))


def _of_4(document: Mapping[str, object]) -> Iterator[Instance]:
    """`instances` hold `attributes`, or `attributes_flat` of a state that was upgraded."""
    for resource in _objects(document.get("resources")):
        kind, data = str(resource.get("type")), resource.get("mode") == "data"
        module = str(resource.get("module") or "")
        name = ".".join(filter(None, (module, "data" if data else "", kind, str(resource.get("name")))))
        for instance in _objects(resource.get("instances")):
            index = instance.get("index_key")
            key = "" if index is None else f"[{json.dumps(index, ensure_ascii=False)}]"
            provider = instance.get("provider") or resource.get("provider") or ""
            yield Instance(
                name + key,
                without_keys(name),
                kind,
                data,
                str(provider),
                str(instance.get("deposed") or ""),
                _texts(instance.get("dependencies") or instance.get("depends_on")),
                _present(instance.get("attributes"), instance.get("attributes_flat")),
            )


def _of_3(document: Mapping[str, object]) -> Iterator[Instance]:
    """`modules` have a `path` and `resources` by name; the index of `count` stands behind a dot."""
    for module in _objects(document.get("modules")):
        path = module.get("path")
        prefix = "".join(f"module.{part}." for part in path[1:]) if isinstance(path, list) else ""
        resources = module.get("resources")
        for full, resource in resources.items() if isinstance(resources, dict) else ():
            if not isinstance(resource, dict):
                continue
            name = full.removeprefix("data.")
            kind, _, rest = name.partition(".")
            own, dot, index = rest.rpartition(".")
            key = f"[{index}]" if dot and index.isdecimal() else ""
            data = full != name
            block = f"{prefix}{'data.' if data else ''}{kind}.{own if key else rest}"
            former = _objects(resource.get("deposed"))
            for number, state in enumerate((resource.get("primary"), *former)):
                if isinstance(state, dict):
                    values = _present({"id": state.get("id")}, state.get("attributes"))
                    yield Instance(
                        block + key,
                        block,
                        kind,
                        data,
                        str(resource.get("provider") or ""),
                        str(number) if number else "",
                        _texts(resource.get("depends_on")),
                        values,
                    )


def _of_module(module: object) -> Iterator[Instance]:
    """`show -json` names a provider and none of its configurations."""
    if not isinstance(module, dict):
        return
    for resource in _objects(module.get("resources")):
        address = str(resource.get("address"))
        yield Instance(
            address,
            without_keys(address),
            str(resource.get("type")),
            resource.get("mode") == "data",
            "",
            str(resource.get("deposed_key") or ""),
            _texts(resource.get("depends_on")),
            _present(resource.get("values")),
        )
    for child in _objects(module.get("child_modules")):
        yield from _of_module(child)


def _objects(value: object) -> Iterator[dict[str, object]]:
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _present(*values: object) -> tuple[Mapping[str, object], ...]:
    return tuple(item for item in values if isinstance(item, dict))
