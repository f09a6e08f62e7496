"""A dataclass of keyrules.records does what one of the standard library does, in everything that the pack declares."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar

import pytest

from keyrules import records

Declared = dict[str, Any]


def declared(module: Any) -> Declared:
    """The same classes by the decorator of `module`."""

    @module.dataclass(frozen=True)
    class Point:
        limit: ClassVar[int] = 6
        x: int
        y: int = 2
        seen: dict[str, int] = module.field(default_factory=dict)

        @cached_property
        def total(self) -> int:
            return self.x + self.y

    @module.dataclass(frozen=True)
    class Named(Point):
        name: str = "n"
        note: str = module.field(default="", compare=False)
        secret: str = module.field(default="s", repr=False)

    @module.dataclass(frozen=True)
    class One:
        x: int

    @module.dataclass(frozen=True)
    class Nothing:
        pass

    @module.dataclass(frozen=True, eq=False)
    class Same:
        x: int

    @module.dataclass(frozen=True, repr=False)
    class Shown:
        x: int

        def __repr__(self) -> str:
            return "shown"

    @module.dataclass
    class Open:
        x: int
        items: list[int] = module.field(default_factory=list)

    return dict(locals())


OURS, THEIRS = declared(records), declared(dataclasses)


def shown(make: Callable[[Declared], object]) -> list[str]:
    """What comes of the same with both, in words."""
    outcomes = []
    for classes in (OURS, THEIRS):
        try:
            outcomes.append(repr(make(classes)))
        except (AttributeError, TypeError) as error:
            kind = AttributeError if isinstance(error, AttributeError) else TypeError
            outcomes.append(kind.__name__)
    return outcomes


def assigned(record: Any) -> object:
    record.x = 5
    return record


def deleted(record: Any) -> object:
    del record.x
    return record


def matched(record: Any, kind: Any) -> object:
    match record:
        case kind(x, y):
            return x, y
    return None


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c["Point"](1),
        lambda c: c["Point"](x=1, y=3, seen={"a": 1}),
        lambda c: c["Point"](),
        lambda c: c["Point"](1, 2, {}, 4),
        lambda c: c["Point"](1, z=4),
        lambda c: c["Point"].limit,
        lambda c: c["Point"].y,
        lambda c: c["Point"].seen,
        lambda c: c["Point"](1).seen is c["Point"](1).seen,
        lambda c: c["Point"](1).total,
        lambda c: c["Named"](1, name="m", note="k"),
        lambda c: c["Named"](1) == c["Named"](1, note="other"),
        lambda c: c["Named"](1) == c["Named"](1, secret="other"),
        lambda c: c["Named"](1) == c["Point"](1),
        lambda c: c["Point"](1) == 1,
        lambda c: c["Point"](1) == c["Point"](1),
        lambda c: c["Point"](1) != c["Point"](2),
        lambda c: hash(c["Point"](1)),
        lambda c: len({c["One"](1), c["One"](1), c["One"](2)}),
        lambda c: c["One"](float("nan")) == c["One"](float("nan")),
        lambda c: c["Nothing"]() == c["Nothing"](),
        lambda c: len({c["Nothing"](), c["Nothing"]()}),
        lambda c: c["Same"](1) == c["Same"](1),
        lambda c: len({c["Same"](1), c["Same"](1)}),
        lambda c: c["Shown"](1),
        lambda c: c["Open"](1),
        lambda c: hash(c["Open"](1)),
        lambda c: c["Open"](1) == c["Open"](1),
        lambda c: assigned(c["Open"](1)),
        lambda c: deleted(c["Open"](1)),
        lambda c: assigned(c["Point"](1)),
        lambda c: deleted(c["Point"](1)),
        lambda c: matched(c["Point"](1), c["Point"]),
    ],
)
def test_as_the_standard_library(make: Callable[[Declared], object]) -> None:
    ours, theirs = shown(make)
    assert ours == theirs


@pytest.mark.parametrize("module, classes", [(records, OURS), (dataclasses, THEIRS)])
def test_a_changed_copy(module: ModuleType, classes: Declared) -> None:
    old = classes["Named"](1, note="k")
    new = module.replace(old, y=7)
    assert (new.x, new.y, new.note, old.y) == (1, 7, "k", 2)
    with pytest.raises(TypeError):
        module.replace(old, z=1)


@records.dataclass(frozen=True)
class Sent:
    """What another process sends."""

    x: int
    items: list[int] = records.field(default_factory=list)


def test_a_record_goes_from_process_to_process() -> None:
    assert pickle.loads(pickle.dumps(Sent(1, [2]))) == Sent(1, [2])


def test_the_values_of_a_record() -> None:
    assert records.values_of(Sent(1)) == {"x": 1, "items": []}
    assert records.values_of("text") == {} == records.values_of(Sent)
