"""What the branches of a text template make of a document: what stands in some only becomes an `Fn::If`.

An entry inside `{% if %}` may be missing, and one that stands twice has two values. Both read as CloudFormation's own
choice between values on a condition that nobody can decide, so that no rule needs to know of text templates.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyrules.code.cloudformation.document import Entry, Listing, Node, Scalar, Table, listing, table
from keyrules.code.cloudformation.templated import Branch, Plain

NO_VALUE = "AWS::NoValue"


def extra(plain: Plain, line: int, around: Iterable[Branch]) -> tuple[Branch, ...]:
    """The branches that a line stands in beyond those that are around it already."""
    known = set(around)
    return tuple(branch for branch in plain.at(line) if branch not in known)


def condition_name(branch: Branch) -> str:
    """The name of the condition that stands for a branch; it cannot be one of the template's own."""
    return f"directive {branch.block} takes way {branch.way}"


def condition(branch: Branch) -> Node:
    """The condition itself: of the ways through one block at most one is taken."""
    named = table((Entry("Ref", 0, Scalar(f"directive {branch.block}", False, 0, 0)),), 0, 0)
    return table((Entry("Fn::Equals", 0, listing((named, Scalar(str(branch.way), False, 0, 0)), 0, 0)),), 0, 0)


def settled(root: Node, plain: Plain) -> Node:
    """The document with its placeholders as people wrote them and every entry of some branches only as a choice.

    The entries of a section (`Resources`, `Outputs` …) stay what they are, one for each time that they stand there.
    """
    if not isinstance(root, Table):
        return _node(root, plain, ())
    if root.get("Resources") is None:
        return _blocks(root, plain)
    sections = [
        Entry(
            plain.restored(entry.key),
            entry.line,
            _blocks(entry.node, plain)
            if isinstance(entry.node, Table)
            else _node(entry.node, plain, plain.at(entry.line)),
        )
        for entry in root.entries
    ]
    return table(_joined_sections(sections), root.line, root.end_line)


def _blocks(section: Table, plain: Plain) -> Table:
    entries = tuple(
        Entry(plain.restored(block.key), block.line, _node(block.node, plain, plain.at(block.line)))
        for block in section.entries
    )
    return table(entries, section.line, section.end_line)


def _joined_sections(sections: list[Entry]) -> tuple[Entry, ...]:
    """Each section once: what two branches say of one stands in both."""
    found: dict[str, Entry] = {}
    for entry in sections:
        before = found.get(entry.key)
        if before is not None and isinstance(before.node, Table) and isinstance(entry.node, Table):
            both = (*before.node.entries, *entry.node.entries)
            node = table(both, before.node.line, max(before.node.end_line, entry.node.end_line))
            found[entry.key] = Entry(entry.key, before.line, node)
        else:
            found[entry.key] = entry
    return tuple(found.values())


def _node(node: Node, plain: Plain, around: tuple[Branch, ...]) -> Node:
    if isinstance(node, Scalar):
        text = plain.restored(node.text)
        return node if text == node.text else Scalar(text, False, node.line, node.end_line)
    if isinstance(node, Listing):
        items = tuple(_node(item, plain, plain.at(item.line) or around) for item in node.items)
        return listing(items, node.line, node.end_line)
    groups: dict[str, list[tuple[tuple[Branch, ...], Entry]]] = {}
    for entry in node.entries:
        value = _node(entry.node, plain, plain.at(entry.line))
        restored = Entry(plain.restored(entry.key), entry.line, value)
        groups.setdefault(restored.key, []).append((extra(plain, entry.line, around), restored))
    entries = tuple(
        Entry(name, group[0][1].line, _choice(group, plain)) if len(group) > 1 or group[0][0] else group[0][1]
        for name, group in groups.items()
    )
    return table(entries, node.line, node.end_line)


def _choice(group: list[tuple[tuple[Branch, ...], Entry]], plain: Plain) -> Node:
    *earlier, last = group
    line = last[1].line
    if _is_complete([branches for branches, _ in group], plain):
        node = last[1].node
    else:
        earlier = group
        node = table((Entry("Ref", line, Scalar(NO_VALUE, False, line, line)),), line, line)
    for branches, entry in reversed(earlier):
        name = condition_name(branches[-1]) if branches else "always"
        choice = listing((Scalar(name, False, entry.line, entry.line), entry.node, node), entry.line, node.end_line)
        node = table((Entry("Fn::If", entry.line, choice),), entry.line, node.end_line)
    return node


def _is_complete(group: list[tuple[Branch, ...]], plain: Plain) -> bool:
    """Whether one of the alternatives stands in every result."""
    if any(not branches for branches in group):
        return True
    blocks = {branches[0].block for branches in group}
    ways = {branches[0].way for branches in group if len(branches) == 1}
    return len(blocks) == 1 and len(ways) == plain.ways.get(blocks.pop())
