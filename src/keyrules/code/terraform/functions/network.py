"""Functions on address ranges."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from keyrules.code.terraform.functions.signature import Function, function, whole
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import MAX_ITEMS, ListValue, Refused

_Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


def _network(text: str) -> _Network:
    if re.search(r"(?:^|\.)0[0-9]|/0[0-9]|%", text) or ("." in text and ":" in text):
        # Leading zeros are decimal for one reader and an error for another.
        raise NotComputed
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal():
        raise Refused
    try:
        return ipaddress.ip_network(f"{address}/{length}", strict=False)
    except ValueError:
        raise Refused from None


def _address(network: _Network, offset: int) -> Any:
    return type(network.network_address)(int(network.network_address) + offset)


def _cidrhost(prefix: str, number: Any) -> str:
    network, host = _network(prefix), whole(number)
    size = network.num_addresses
    if host >= size or host < -size:
        raise Refused
    return str(_address(network, host if host >= 0 else size + host))


def _cidrnetmask(prefix: str) -> str:
    network = _network(prefix)
    if network.version != 4:
        raise Refused
    return str(network.netmask)


def _part(network: _Network, length: int, start: int) -> str:
    return f"{_address(network, start)}/{length}"


def _cidrsubnet(prefix: str, more: Any, number: Any) -> str:
    network, bits, chosen = _network(prefix), whole(more), whole(number)
    length = network.prefixlen + bits
    if length > network.max_prefixlen or bits < 0 or chosen < 0 or chosen >= 1 << bits:
        raise Refused
    return _part(network, length, chosen << (network.max_prefixlen - length))


def _cidrsubnets(prefix: str, *more: Any) -> Any:
    network = _network(prefix)
    if len(more) > MAX_ITEMS:
        raise NotComputed
    found: list[str] = []
    start = 0
    for each in more:
        bits = whole(each)
        length = network.prefixlen + bits
        if bits < 1 or bits > 32 or length > network.max_prefixlen:
            raise Refused
        size = 1 << (network.max_prefixlen - length)
        start = -(-start // size) * size
        if start + size > network.num_addresses:
            raise Refused
        found.append(_part(network, length, start))
        start += size
    return ListValue(found, "string")


FUNCTIONS: Mapping[str, Function] = {
    "cidrhost": function(_cidrhost, "string", "number"),
    "cidrnetmask": function(_cidrnetmask, "string"),
    "cidrsubnet": function(_cidrsubnet, "string", "number", "number"),
    "cidrsubnets": function(_cidrsubnets, "string", "*number"),
}
