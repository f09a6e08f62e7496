"""Dataclasses as the standard library has them, without the price of declaring them.

The standard library compiles up to six functions for each class, half a millisecond: for the classes of a scan that is
a third of a run on one file. Here only `__init__` is compiled, and nothing is imported. For type checkers, these are
those of the standard library.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
"""Known to type checkers by this name: typing takes longer to import than a run with nothing to evaluate needs."""

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import Any

_UNSET: Any = object()


class _Field:
    """What `field` says of one."""

    def __init__(self, default: Any, default_factory: Any, compare: bool, repr: bool) -> None:
        self.default, self.default_factory = default, default_factory
        self.compare, self.repr = compare, repr


def _field(*, default: Any = _UNSET, default_factory: Any = _UNSET, compare: bool = True, repr: bool = True) -> Any:
    return _Field(default, default_factory, compare, repr)


def _dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True, repr: bool = True) -> Any:
    def declare(cls: type) -> type:
        found: dict[str, _Field] = {}
        for base in cls.__mro__[:0:-1]:
            found |= getattr(base, "_fields_", {})
        for name, kind in cls.__annotations__.items():
            if not kind.startswith("ClassVar"):
                default = cls.__dict__.get(name, _UNSET)
                found[name] = default if isinstance(default, _Field) else _Field(default, _UNSET, True, True)
        for name, item in found.items():
            if isinstance(cls.__dict__.get(name), _Field):
                delattr(cls, name)
                if item.default is not _UNSET:
                    setattr(cls, name, item.default)
        methods: dict[str, Any] = {"_fields_": found, "__match_args__": tuple(found), "__init__": _init(found, frozen)}
        if repr:
            methods["__repr__"] = _repr
        if eq:
            methods["__eq__"], hashed = _comparison([name for name, item in found.items() if item.compare])
            methods["__hash__"] = hashed if frozen else None
        if frozen:
            methods["__setattr__"] = methods["__delattr__"] = _refuse
        for name, method in methods.items():
            if name not in cls.__dict__:
                setattr(cls, name, method)
        return cls

    return declare if cls is None else declare(cls)


def _init(found: Mapping[str, _Field], frozen: bool) -> Any:
    """`__init__`, compiled, because that is what runs most."""
    variables: dict[str, Any] = {"_UNSET": _UNSET}
    # What is frozen refuses `self.name = …`, and its dictionary takes half as long as object.__setattr__ would.
    parameters, lines = ["self"], [" _own = self.__dict__"] if frozen else []
    for name, item in found.items():
        variables[f"_{name}_"], value, default = item.default, name, f"=_{name}_"
        if item.default_factory is not _UNSET:
            variables[f"_{name}_"], value = item.default_factory, f"_{name}_() if {name} is _UNSET else {name}"
            default = "=_UNSET"
        elif item.default is _UNSET:
            default = ""
        parameters.append(name + default)
        lines.append(f" _own[{name!r}] = {value}" if frozen else f" self.{name} = {value}")
    exec(f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or " pass"), variables)
    return variables["__init__"]


def _comparison(names: list[str]) -> tuple[Callable[[Any, Any], Any], Callable[[Any], int]]:
    """`__eq__` and `__hash__`."""
    # Of a single name attrgetter gives no tuple.
    values: Callable[[Any], Any] = attrgetter(*names, "__class__")

    def equal(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return equal, hashed


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, item in self._fields_.items() if item.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *_: Any) -> None:
    raise AttributeError(f"{type(self).__qualname__} is frozen: {name}")


def _replace(record: Any, /, **changes: Any) -> Any:
    return record.__class__(**{name: getattr(record, name) for name in record._fields_} | changes)


def values_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass of this module by their names; nothing for what is none."""
    return {name: getattr(record, name) for name in getattr(type(record), "_fields_", ())}


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _field, _replace
