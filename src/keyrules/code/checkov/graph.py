"""Checkov's graph as plain vertices, whichever library it was built with, and the addresses of those vertices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from checkov.terraform.context_parsers.base_parser import BaseContextParser

from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl


class OutputContextParser(BaseContextParser):  # type: ignore[misc]
    """Gives each `output` block of a file its first and last line, so that findings and skip comments attach to it."""

    def __init__(self) -> None:
        super().__init__(definition_type="output")

    def get_entity_context_path(self, entity_block: dict[str, dict[str, Any]]) -> list[str]:
        """The output's name, which is how Checkov looks its context up."""
        return [next(iter(entity_block))]

    def enrich_definition_block(self, definition_blocks: list[dict[str, Any]]) -> dict[str, Any]:
        """The context of every output block; one whose lines cannot be found spans the file's first line."""
        try:
            body = parse_hcl("".join(line for _, line in self.file_lines))
            lines = {b.labels[0]: (b.start_line, b.end_line) for b in body.blocks if b.type == "output" and b.labels}
        except HclSyntaxError:
            lines = {}
        for block in definition_blocks:
            name = next(iter(block))
            start, end = lines.get(name, (1, 1))
            lines_of_block = self.file_lines[start - 1 : end]
            self.context[name] = {"start_line": start, "end_line": end, "code_lines": lines_of_block}
        found: dict[str, Any] = self.context
        return found


Vertex: TypeAlias = Mapping[str, Any]


def vertices(graph: Any) -> list[Vertex]:
    """The attribute mappings of all vertices.

    Checkov builds with rustworkx (nodes are (hash, attributes)) or, when CHECKOV_GRAPH_FRAMEWORK says so, networkx.
    Raises TypeError for any other graph, because an empty answer would read as "nothing declared".
    """
    if hasattr(graph, "node_indices"):
        nodes: Iterable[Any] = graph.nodes()
    elif hasattr(graph, "adjacency"):
        nodes = graph.nodes(data=True)
    else:
        raise TypeError(f"graph library {type(graph).__module__} is not supported; unset CHECKOV_GRAPH_FRAMEWORK")
    return [attributes for _, attributes in nodes]


def module_chain(vertex: Vertex) -> list[Mapping[str, Any]]:
    """The module calls around a vertex, outermost first, as mappings with `path`, `name` and `foreach_idx`."""
    chain: list[Mapping[str, Any]] = []
    module = vertex.get("source_module_object_")
    while module:
        entry = module if isinstance(module, Mapping) else vars_of(module)
        chain.append(entry)
        module = entry.get("nested_tf_module")
    return chain[::-1]


def vars_of(module: Any) -> Mapping[str, Any]:
    """A TFModule object as the mapping that it serialises to."""
    return {name: getattr(module, name, None) for name in ("path", "name", "foreach_idx", "nested_tf_module")}


def root_folder(vertex: Vertex) -> str:
    """The root module folder that a vertex belongs to: where its outermost module call stands, else its own."""
    chain = module_chain(vertex)
    return str(Path(chain[0]["path"] if chain else vertex["file_path_"]).parent)


def address(vertex: Vertex) -> str:
    """The Terraform address of a block: `module.m.output.o`, `aws_iam_access_key.k[0]`, `data.x.y`, `module.m`."""
    block_type, name = vertex.get("block_type_"), str(vertex.get("block_name_", ""))
    known = vertex.get("__address__")
    if block_type == "resource" and known:
        return str(known)
    prefix = ""
    for call in module_chain(vertex):
        key = call.get("foreach_idx")
        shown = "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'
        prefix += f"module.{call['name']}{shown}."
    return f"{prefix}{name}" if block_type == "resource" else f"{prefix}{block_type}.{name}"
