"""Expressions of Terraform's language made at random from a seed, over a small world of inputs, locals and files."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from keyrules.code.terraform.functions.calls import everything

WORLD = r"""
variable "strings" {
  type    = list(string)
  default = ["b", "a", "b", ""]
}
variable "names" {
  type    = set(string)
  default = ["b", "a", "c"]
}
variable "numbers" {
  type    = list(number)
  default = [3, 1, 2.5]
}
variable "amounts" {
  type    = map(number)
  default = { b = 2, a = "1" }
}
variable "user" {
  type    = object({ name = string, age = optional(number, 3), tags = optional(list(string)) })
  default = { name = "ann", extra = true }
}
variable "no_text" {
  type    = string
  default = null
}
variable "no_number" {
  type    = number
  default = null
}
variable "nothing" { default = null }
variable "text" {
  type    = string
  default = 7
}
variable "mixed" { default = [1, "1", true, null] }
variable "empty" {
  type    = list(string)
  default = []
}
locals {
  records = [{ id = "1", name = "ann" }, { id = "2", name = "bob" }]
  table   = { b = 2, a = 1 }
  pair    = ["x", 1]
  users   = jsondecode(file("${path.module}/users.json"))
}
"""

FILES: Mapping[str, str] = {
    "users.json": '[{"id": "1", "name": "ann", "tags": []}, {"id": "2", "name": "ann", "tags": ["x", 1.50]}]',
    "team.yaml": 'users:\n  - name: ann\n    admin: true\n    age: 30\n  - name: "bob"\n    age: 1.5\n  - {name: cy}\n',
    "users.csv": 'id,name\n1,ann\n2,"bob, jr"\n',
    "hello.tftpl": 'Hi ${name}!\n%{ for n in list ~}\n- ${n}\n%{ endfor ~}\n%{ if name == "ann" }x%{ else }y%{ endif }',
    "conf/a.txt": "a\n",
    "conf/deep/b.txt": "b",
    "conf/c.json": "{}",
}

_SECTION = re.compile(r"= ([a-z_]+)")


@cache
def pool(name: str) -> tuple[str, ...]:
    """The expressions of one section of terraform_expressions.txt."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if heading := _SECTION.fullmatch(line):
            section = found.setdefault(heading[1], [])
        elif line and not line.startswith("#"):
            section.append(line)
    return tuple(found[name])


def expressions(seed: int, count: int) -> list[str]:
    """The edges of the language, each function's own, then expressions made at random."""
    made = _made(random.Random(seed))
    return [*pool("edges"), *pool("calls"), *(next(made) for _ in range(count))]


def _made(source: random.Random) -> Iterator[str]:
    maker = Maker(source)
    while True:
        yield maker.expression(2)


class Maker:
    """Makes expressions of a random source."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._names = sorted(everything())
        self._forms: list[Callable[[int], str]] = [
            *[self._call] * 3,
            self._arithmetic,
            self._comparison,
            self._conditional,
            self._loop,
            self._access,
            self._template,
            self._logic,
            self._present,
            self._object,
        ]

    def expression(self, depth: int) -> str:
        """An expression of at most so many levels."""
        if depth <= 0:
            return self._atom("any")
        return self._source.choice(self._forms)(depth - 1)

    def _atom(self, kind: str) -> str:
        pools = {
            "string": pool("strings"),
            "number": pool("numbers"),
            "bool": pool("bools"),
            "list": pool("lists") + pool("sets"),
            "set": pool("sets") + pool("lists"),
            "strings": pool("lists") + pool("sets"),
            "bools": pool("lists"),
            "map": pool("maps"),
        }
        if kind not in pools or self._source.random() < 0.06:
            kind = self._source.choice(["string", "number", "bool", "list", "list", "map", "set"])
        return "null" if self._source.random() < 0.02 else self._source.choice(pools[kind])

    def _value(self, kind: str, depth: int) -> str:
        return self.expression(depth) if depth > 0 and self._source.random() < 0.4 else self._atom(kind)

    def _call(self, depth: int) -> str:
        name = self._source.choice(self._names)
        own = [call for call in pool("calls") if call.startswith(f"{name}(")]
        if own and self._source.random() < 0.5:
            return self._source.choice(own)
        params = list(everything()[name].params)
        if params and params[-1].startswith("*"):
            params[-1:] = [params[-1][1:]] * self._source.choice([1, 1, 2, 3])
        words = [param.rstrip("?") for param in params]
        return f"{name}({', '.join(self._value(word, depth) for word in words)})"

    def _arithmetic(self, depth: int) -> str:
        op = self._source.choice("+-*/%")
        return f"({self._value('number', depth)} {op} {self._value('number', depth)})"

    def _comparison(self, depth: int) -> str:
        op = self._source.choice(["==", "==", "!=", "<", ">="])
        kind = self._source.choice(["number", "string", "list", "map"]) if op in ("==", "!=") else "number"
        return f"({self._value(kind, depth)} {op} {self._value(kind, depth)})"

    def _logic(self, depth: int) -> str:
        op = self._source.choice(["&&", "||"])
        return f"({self._value('bool', depth)} {op} {self._value('bool', depth)})"

    def _conditional(self, depth: int) -> str:
        kind = self._source.choice(["string", "number", "list", "map", "any"])
        return f"({self._value('bool', depth)} ? {self._value(kind, depth)} : {self._value(kind, depth)})"

    def _loop(self, depth: int) -> str:
        items = self._value(self._source.choice(["list", "map"]), depth)
        value = self._source.choice(
            ["x", "k", "[k, x]", '"${k}-x"', "{ v = x }", "try(x.name, x)", "x == k", "upper(x)", "x * 2"]
        )
        test = self._source.choice(["", "", " if x != null", ' if k != "a"', " if can(x + 1)"])
        if self._source.random() < 0.6:
            return f"[for k, x in {items} : {value}{test}]"
        grouped = self._source.choice(["", "..."])
        return (
            f"{{ for k, x in {items} : {self._source.choice(['k', 'x', 'try(x.id, k)'])} => {value}{grouped}{test} }}"
        )

    def _access(self, depth: int) -> str:
        form = self._source.choice(["[0]", '["a"]', "[1]", ".a", "[*]", "[*].name", ".*.name", ".name", '["name"]'])
        return f"{self._value(self._source.choice(['list', 'map']), 0)}{form}".replace("]}[", "]}[")

    def _template(self, depth: int) -> str:
        inner = self._value(self._source.choice(["number", "string", "bool"]), depth)
        return (
            self._source.choice(['"${%s}"', '"a${%s}b"', '"  ${~ %s ~} c"', '"%%{ if can(%s) }x%%{ endif }"']) % inner
        )

    def _present(self, depth: int) -> str:
        if self._source.random() < 0.5:
            return f"can({self._value('any', depth)})"
        return f"try({self._value('any', depth)}, {self._atom('any')})"

    def _object(self, depth: int) -> str:
        if self._source.random() < 0.5:
            return f"[{self._value('any', depth)}, {self._value('any', depth)}]"
        return f"{{ a = {self._value('any', depth)}, b = {self._value('any', depth)} }}"
