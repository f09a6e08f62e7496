"""What skip comments and `Metadata` skips apply to, with the meaning that Checkov 3.3 gives them.

A comment counts for the blocks that it lies in. In Terraform that is strictly between the lines of a block; one in a
module call counts for the resources, data sources and calls of the module, too. In CloudFormation the first and the
last line count as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from keyrules.code.addresses import module_prefix, without_keys
from keyrules.code.cloudformation.document import Listing, Node, Scalar, Table
from keyrules.code.cloudformation.template import Block, Template
from keyrules.code.skip_comments import NO_REASON, SkipComment, safe_reason, skip_comments
from keyrules.code.terraform.scope import Scope, walk
from keyrules.code.verdict import Verdict
from keyrules.records import dataclass

_RULE = re.compile(r"KEY_AWS_(?:\d{3}\b|\*)|key_aws_\d{3}\b")


@dataclass(frozen=True)
class _Block:
    path: str
    first: int
    last: int


class Skips:
    """The skips of one unit."""

    def __init__(self) -> None:
        self._comments: dict[str, list[SkipComment]] = {}
        self._blocks: dict[str, list[_Block]] = {}
        self._inherited: dict[str, list[SkipComment]] = {}
        self._stated: dict[tuple[str, str], str] = {}
        self._separated = False

    @classmethod
    def of_terraform(cls, root: Scope, comments: Mapping[str, Sequence[SkipComment]]) -> Skips:
        """The skips of a root module; `comments` by file. Terraform in JSON has none."""
        skips = cls()
        skips._separated = True
        skips._comments = {path: list(found) for path, found in comments.items() if found}
        if skips._comments:
            for scope in walk(root):
                skips._add(scope)
        return skips

    def _add(self, scope: Scope) -> None:
        module = scope.module
        for declared in (*(found for _, found in module.blocks), module.calls, module.outputs):
            for block in declared.values():
                if not block.path.endswith(".json"):
                    lines = _Block(block.path, block.start_line + 1, block.end_line - 1)
                    self._blocks.setdefault(block.path, []).append(lines)
        call = scope.call
        if call is not None and scope.parent is not None:
            found = list(self._inherited.get(without_keys(scope.parent.prefix), ()))
            found += self._within(call.path, call.start_line + 1, call.end_line - 1)
            if found:
                self._inherited[without_keys(scope.prefix)] = found

    @classmethod
    def of_template(cls, template: Template, path: str, text: str) -> Skips:
        """The skips of a template: its comments, and those in the `Metadata` of its resources."""
        skips = cls()
        skips._comments = {path: comments} if (comments := skip_comments(text)) else {}
        if skips._comments:
            skips._blocks[path] = [_Block(path, *_extent(block, text)) for block in _resources(template)]
        for block in _resources(template):
            for rule, reason in _metadata_skips(block.part("Metadata")):
                skips._stated.setdefault((block.logical_id, rule), safe_reason(reason))
        return skips

    def reason(self, verdict: Verdict) -> str | None:
        """Why a verdict's block is skipped for its rule, or None when it is not."""
        if not self._comments and not self._stated:
            return None
        stated = self._stated.get((verdict.address, verdict.rule))
        if stated is not None:
            return stated
        first, last = verdict.start_line + 1, verdict.end_line - 1
        if not self._separated:
            first, last = next(
                (
                    (block.first, block.last)
                    for block in self._blocks.get(verdict.path, ())
                    if block.first <= verdict.start_line + 1 and verdict.end_line - 1 <= block.last
                ),
                (1, 0),
            )
        near = self._within(verdict.path, first, last) if not verdict.path.endswith(".tf.json") else []
        modules = module_prefix(verdict.address)
        if modules and not verdict.address.removeprefix(modules).startswith("output."):
            near = [*near, *self._inherited.get(without_keys(modules), ())]
        return next((comment.reason for comment in near if self._names(comment, verdict.rule)), None)

    def without_effect(self) -> Iterator[tuple[str, SkipComment]]:
        """The comments about this pack's rules that stand where they have no effect, with their files."""
        for path, comments in sorted(self._comments.items()):
            for comment in comments:
                if _RULE.search(comment.ids) and not (self._is_inside(path, comment) and self._is_exact(comment)):
                    yield path, comment

    def _is_inside(self, path: str, comment: SkipComment) -> bool:
        return any(block.first <= comment.line <= block.last for block in self._blocks.get(path, ()))

    def _is_exact(self, comment: SkipComment) -> bool:
        return any(
            self._names(comment, rule) for rule in _RULE.findall(comment.ids) if rule.isupper() and "*" not in rule
        )

    def _names(self, comment: SkipComment, rule: str) -> bool:
        return rule in (comment.ids.split(",") if self._separated else (comment.ids,))

    def _within(self, path: str, first: int, last: int) -> list[SkipComment]:
        return [comment for comment in self._comments.get(path, ()) if first <= comment.line <= last]


def _resources(template: Template) -> Iterable[Block]:
    return template.resources.values()


def _extent(block: Block, text: str) -> tuple[int, int]:
    """The lines that Checkov counts as a resource's: all of its own, and in flow style the one before its first instead
    of the last, which in JSON counts, too."""
    if block.body.line > block.start_line:
        return block.start_line, block.end_line
    return block.body.line - 1, block.body.end_line - (not text.lstrip().startswith("{"))


def _metadata_skips(metadata: Node | None) -> Iterator[tuple[str, str]]:
    """(rule id, reason) of `Metadata: {checkov: {skip: [{id: …, comment: …}]}}`."""
    for tool in ("checkov", "bridgecrew"):
        part = metadata.get(tool) if isinstance(metadata, Table) else None
        listed = part.get("skip") if isinstance(part, Table) else None
        for item in listed.items if isinstance(listed, Listing) else ():
            rule = item.get("id") if isinstance(item, Table) else None
            comment = item.get("comment") if isinstance(item, Table) else None
            if isinstance(rule, Scalar):
                yield rule.text, comment.text if isinstance(comment, Scalar) else NO_REASON
