"""Lets Checkov report on Terraform outputs: it knows no lines for them, and skips what has none."""

from __future__ import annotations

from typing import Any

from checkov.terraform.context_parsers.base_parser import BaseContextParser

from keyrules.iac.hcl.hcl_ast import HclSyntaxError
from keyrules.iac.hcl.hcl_syntax import parse_hcl


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
