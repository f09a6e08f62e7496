"""Functions on lists, sets, maps, tuples and objects, and the conversions between types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

from keyrules.code.terraform.functions.graphemes import clusters
from keyrules.code.terraform.functions.signature import Function, function, whole
from keyrules.code.terraform.hcl.kinds import convert, equal, in_order, kind_of, set_of, shared_kind
from keyrules.code.terraform.hcl.numbers import NotComputed, narrow
from keyrules.code.terraform.hcl.values import (
    MAX_ITEMS,
    MAX_PARTS,
    UNKNOWN,
    Kind,
    ListValue,
    MapValue,
    Null,
    Partial,
    Refused,
    SetValue,
    decided,
    is_null,
    ordered,
)


def _length(value: Any) -> Any:
    if isinstance(value, Partial):
        return UNKNOWN
    if isinstance(value, (list, dict)):
        return narrow(len(value))
    if isinstance(value, str):
        return narrow(len(clusters(value)))
    raise Refused


def _sequence(value: Any) -> list[Any]:
    """A list or tuple. Raises Refused for anything else."""
    if not isinstance(value, list) or isinstance(value, SetValue):
        raise Refused
    return value


def _members(value: Any) -> list[Any]:
    """The members of a list, set or tuple in their order."""
    if not isinstance(value, list):
        raise Refused
    found: list[Any] = in_order(value)
    return found


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Partial):
        raise NotComputed
    if not isinstance(value, dict):
        raise Refused
    return value


def _like(source: Any, items: Iterable[Any]) -> list[Any]:
    """Some of a list's members as a list of the same type, a tuple's as a tuple."""
    return ListValue(items, source.kind) if isinstance(source, (ListValue, SetValue)) else list(items)


def _concat(*lists: Any) -> Any:
    if not lists:
        raise Refused
    items = [item for each in lists for item in _sequence(each)]
    if not all(isinstance(each, ListValue) for each in lists):
        return items
    kinds: list[Kind] = [each.kind for each in lists]
    if len(set(kinds)) > 1:
        raise NotComputed
    return ListValue(items, kinds[0])


def _element(items: Any, index: Any) -> Any:
    position = whole(index)
    if position < 0:
        # From 1.10 on it counts from the end, before it was an error.
        raise NotComputed
    if not _sequence(items):
        raise Refused
    return items[position % len(items)]


def _slice(items: Any, start: Any, end: Any) -> Any:
    first, last = whole(start), whole(end)
    if not 0 <= first <= last <= len(_sequence(items)):
        raise Refused
    return _like(items, items[first:last])


def _keys(value: Any) -> Any:
    names = sorted(_mapping(value))
    return ListValue(names, "string") if isinstance(value, MapValue) else names


def _values(value: Any) -> Any:
    items = [value[name] for name in sorted(_mapping(value))]
    return ListValue(items, value.kind) if isinstance(value, MapValue) else items


def _lookup(items: Any, key: str, *default: Any) -> Any:
    if len(default) > 1:
        raise NotComputed
    if key in _mapping(items):
        return items[key]
    if not default:
        raise Refused
    return convert(default[0], items.kind) if isinstance(items, MapValue) else default[0]


def _merge(*items: Any) -> Any:
    given = [_mapping(item) for item in items if not is_null(item)]
    merged = ordered({name: value for item in given for name, value in item.items()})
    kinds = {item.kind if isinstance(item, MapValue) else "" for item in given}
    if len(given) == len(items) and len(kinds) == 1 and "" not in kinds:
        return MapValue(merged, kinds.pop())
    if any(isinstance(item, Null) for item in items):
        raise NotComputed
    return merged


def _flatten(items: Any) -> list[Any]:
    flat: list[Any] = []
    waiting = [iter(_members(items))]
    seen = 0
    while waiting:
        for item in waiting[-1]:
            seen += 1
            if seen > MAX_PARTS:
                raise NotComputed
            if isinstance(item, list):
                waiting.append(iter(in_order(item)))
                break
            if item is UNKNOWN:
                raise NotComputed
            flat.append(item)
        else:
            waiting.pop()
    return flat


def _index_of(items: Iterable[Any], wanted: Any) -> int | None:
    """Where the first equal member stands. Raises NotComputed where that is open."""
    for position, item in enumerate(items):
        same = equal(item, wanted)
        if same is None:
            raise NotComputed
        if same:
            return position
    return None


def _contains(items: Any, wanted: Any) -> bool:
    if not isinstance(items, list):
        raise Refused
    same = [equal(item, wanted) for item in items]
    if True not in same and None in same:
        raise NotComputed
    return True in same


def _index(items: Any, wanted: Any) -> int:
    found = _index_of(_sequence(items), wanted)
    if found is None:
        raise Refused
    return narrow(found)


def _distinct(items: Any) -> Any:
    found: list[Any] = []
    if len(items) > 256 and not all(isinstance(item, str) for item in items):
        raise NotComputed
    if all(isinstance(item, str) for item in items):
        return ListValue(dict.fromkeys(items), items.kind)
    for item in items:
        if _index_of(found, item) is None:
            found.append(item)
    return ListValue(found, items.kind)


def _chunklist(items: Any, size: Any) -> Any:
    count = whole(size)
    if count < 0:
        raise Refused
    inner: Kind = ("list", items.kind)
    if not items:
        return ListValue([], inner)
    starts = range(0, len(items), count) if count else range(1)
    return ListValue([ListValue(items[n : n + count] if count else items, items.kind) for n in starts], inner)


def _coalesce(*values: Any) -> Any:
    if not values:
        raise Refused
    if any(not is_null(value) and not decided(value) for value in values):
        raise NotComputed
    kind = shared_kind([kind_of(value) for value in values])
    for value in values:
        found = value if kind is None else convert(value, kind)
        if not is_null(found) and found != "":
            if kind is None and len(values) > 1:
                raise NotComputed
            return found
    raise Refused


def _coalescelist(*lists: Any) -> Any:
    for items in [_sequence(items) for items in lists]:
        if items:
            return items
    raise Refused


def _matchkeys(values: Any, keys: Any, wanted: Any) -> Any:
    if len(values) != len(keys):
        raise Refused
    kind = shared_kind([keys.kind, wanted.kind])
    searched = [convert(item, kind) for item in wanted]
    kept = [v for v, key in zip(values, keys, strict=True) if _index_of(searched, convert(key, kind)) is not None]
    return ListValue(kept, values.kind)


def _one(items: Any) -> Any:
    if not isinstance(items, list) or len(items) > 1:
        raise Refused
    return items[0] if items else Null(items.kind) if isinstance(items, (ListValue, SetValue)) else None


def _setproduct(*collections: Any) -> Any:
    if len(collections) < 2:
        raise Refused
    total = 1
    columns: list[list[Any]] = []
    kinds: list[Kind] = []
    for items in collections:
        if not isinstance(items, list):
            raise Refused
        total *= len(items)
        kind = items.kind if isinstance(items, (ListValue, SetValue)) else shared_kind([kind_of(x) for x in items])
        kinds.append(kind)
        columns.append([convert(item, kind) for item in in_order(items)])
    if total > MAX_ITEMS:
        raise NotComputed
    pairs = [list(pair) for pair in product(*columns)]
    inner: Kind = None if None in kinds else ("tuple", tuple(kinds))
    if any(isinstance(items, SetValue) for items in collections):
        return set_of(pairs, inner)
    return ListValue(pairs, inner)


def _of_sets(keep: Callable[[list[Any], list[Any]], list[Any]]) -> Callable[..., Any]:
    def work(*sets: Any) -> Any:
        kind = shared_kind([each.kind for each in sets])
        first, *rest = [set_of([convert(item, kind) for item in each], kind) for each in sets]
        for other in rest:
            first = set_of(keep(first, other), kind)
        return first

    return work


def _within(items: list[Any], other: list[Any], inside: bool) -> list[Any]:
    if len(items) * len(other) > MAX_PARTS and not all(isinstance(item, str) for item in (*items, *other)):
        raise NotComputed
    if all(isinstance(item, str) for item in (*items, *other)):
        known = set(other)
        return [item for item in items if (item in known) is inside]
    return [item for item in items if (_index_of(other, item) is not None) is inside]


def _transpose(lists: Any) -> Any:
    found: dict[str, list[str]] = {}
    for name in sorted(lists):
        for item in lists[name]:
            found.setdefault(item, []).append(name)
    inner: Kind = ("list", "string")
    return MapValue({name: ListValue(sorted(found[name]), "string") for name in sorted(found)}, inner)


def _zipmap(names: Any, values: Any) -> Any:
    if len(_sequence(values)) != len(names):
        raise Refused
    if any(is_null(name) for name in names):
        raise Refused
    found = ordered(dict(zip(names, values, strict=True)))
    return MapValue(found, values.kind) if isinstance(values, ListValue) else found


def _alltrue(items: Any) -> bool:
    return all(item is True for item in items)


def _reverse(items: Any) -> Any:
    return _like(items, _members(items)[::-1])


def _sort(items: Any) -> Any:
    if any(is_null(item) for item in items):
        raise Refused
    return ListValue(sorted(items), "string")


def _to(kind: Kind) -> Callable[[Any], Any]:
    return lambda value: convert(in_order(value), kind)


FUNCTIONS: Mapping[str, Function] = {
    "alltrue": function(_alltrue, "bools"),
    "anytrue": function(lambda items: any(item is True for item in items), "bools"),
    "chunklist": function(_chunklist, "list", "number"),
    "coalesce": function(_coalesce, "*any?", tolerant=True),
    "coalescelist": function(_coalescelist, "*any", tolerant=True),
    "compact": function(lambda items: ListValue([i for i in items if not is_null(i) and i], "string"), "strings"),
    "concat": function(_concat, "*any", tolerant=True),
    "contains": function(_contains, "any", "any", tolerant=True),
    "distinct": function(_distinct, "list"),
    "element": function(_element, "any", "number", tolerant=True),
    "ephemeralasnull": function(lambda value: value, "any?", tolerant=True),
    "flatten": function(_flatten, "any", tolerant=True),
    "index": function(_index, "any", "any", tolerant=True),
    "keys": function(_keys, "any", tolerant=True),
    "length": function(_length, "any", tolerant=True),
    "lookup": function(_lookup, "any", "string", "*any?", tolerant=True),
    "matchkeys": function(_matchkeys, "list", "list", "list"),
    "merge": function(_merge, "*any?", tolerant=True),
    "nonsensitive": function(lambda value: value, "any?", tolerant=True),
    "one": function(_one, "any", tolerant=True),
    "reverse": function(_reverse, "any", tolerant=True),
    "sensitive": function(lambda value: value, "any?", tolerant=True),
    "setintersection": function(_of_sets(lambda a, b: _within(a, b, True)), "set", "*set"),
    "setproduct": function(_setproduct, "*any"),
    "setsubtract": function(_of_sets(lambda a, b: _within(a, b, False)), "set", "set"),
    "setunion": function(_of_sets(lambda a, b: [*a, *b]), "set", "*set"),
    "slice": function(_slice, "any", "number", "number", tolerant=True),
    "sort": function(_sort, "strings"),
    "tobool": function(_to("bool"), "bool?"),
    "tolist": function(_to(("list", "dynamic")), "any?", tolerant=True),
    "tomap": function(_to(("map", "dynamic")), "any?", tolerant=True),
    "tonumber": function(_to("number"), "number?"),
    "toset": function(_to(("set", "dynamic")), "any?", tolerant=True),
    "tostring": function(_to("string"), "string?"),
    "transpose": function(_transpose, "string lists"),
    "values": function(_values, "any", tolerant=True),
    "zipmap": function(_zipmap, "strings", "any", tolerant=True),
}
