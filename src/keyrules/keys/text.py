"""The inventory for people: text for a terminal, Markdown for a ticket or a summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from keyrules.code.file_paths import shown
from keyrules.keys.advice import UNKNOWN_CALLER
from keyrules.keys.inventory import Inventory, KeyRow
from keyrules.keys.join import Join, Unjoined
from keyrules.keys.stages import Action, Stage
from keyrules.live.instants import CLOCK_TOLERANCE
from keyrules.reports.markdown import code as markdown_code
from keyrules.reports.markdown import prose as markdown_text
from keyrules.reports.markdown import row as markdown_row
from keyrules.reports.markdown import table as markdown_table
from keyrules.reports.text_style import (
    ReportOptions,
    Style,
    count_of,
    human_duration,
    iso_utc,
    printable,
    remarks,
    wrap,
)
from keyrules.terms import Status

GROUPS: Final = ("owner", "account", "path")
_INDENT: Final = 2
_LABEL: Final = 10
_WHY: Final[Mapping[str, str]] = {
    "account_not_known": "the account is not known, and no account has its user; give --account",
    "account_not_reported": "no report of its account was given",
    "in_several_accounts": "users of several accounts have its name; give --account, or the state",
    "key_without_date": "the user has a key without a date of creation",
    "no_such_key": "the account has no such key",
    "no_such_user": "no report has a key of its user",
    "not_in_state": "the state of its code does not hold it: not applied, or removed",
    "same_second": "keys of one second, which nothing tells apart; run with --verify",
    "several_declarations": "more is declared for its user than there are keys",
    "several_keys": "its user has several keys, and nothing tells which",
    "user_not_known": "the code does not decide its user; give the state",
    "younger_than_report": "it is younger than the report",
}
"""Why a declaration has no live key."""


def as_text(inventory: Inventory, options: ReportOptions, group_by: str = "account") -> str:
    """A paragraph per key under its group, then what has no key, what could not be read, and a summary."""
    style, width = options.style, options.width
    lines: list[str] = []
    for name, rows in groups(inventory.rows, group_by):
        lines += [style.bold(printable(name)), ""]
        for row in rows:
            lines += [*_paragraph(row, style, width), ""]
    if inventory.unjoined:
        lines += [style.bold("Declared, without a live key"), ""]
        for each in inventory.unjoined:
            lines += wrap(printable(f"{unjoined_place(each)}: {unjoined_why(each)}"), width, _INDENT, 2 * _INDENT)
        lines.append("")
    lines += [line for error in inventory.errors for line in remarks("Error", [error.message], width)]
    if not options.quiet:
        callers = any(row.alternative == UNKNOWN_CALLER for row in inventory.rows)
        lines += remarks("Note", [*inventory.notes, *([UNKNOWN_CALLER] if callers else [])], width)
    lines += wrap(summary(inventory), width)
    return "\n".join(lines) + "\n"


def groups(rows: Sequence[KeyRow], group_by: str) -> Iterator[tuple[str, list[KeyRow]]]:
    """The rows by a heading, in its order; those without one come last."""
    found: dict[tuple[bool, str], list[KeyRow]] = defaultdict(list)
    for row in rows:
        name = {
            "account": f"account {row.live.account}",
            "owner": row.owner.name if row.owner is not None else "",
            "path": next((shown(join.declaration.path) for join in row.joined.declared if join.declaration.path), ""),
        }[group_by]
        found[not name, name].append(row)
    for (unnamed, name), same in sorted(found.items()):
        yield (f"no {group_by}" if unnamed else name), same


def _paragraph(row: KeyRow, style: Style, width: int) -> list[str]:
    live, step = row.live, row.step
    head = f"{live.account}  {live.user}  key {live.slot}{f' {live.key_id}' if live.key_id else ''}"
    stage = step.stage.value.replace("_", " ") + (f" since {step.since.date().isoformat()}" if step.since else "")
    tone = Status.PASS if step.stage is Stage.NONE else Status.UNKNOWN if step.stage is Stage.UNCLEAR else Status.FAIL
    state = "active" if live.active else "inactive"
    lines = [f"{' ' * _INDENT}{style.bold(printable(head))}  {state}  {style.status(tone, stage.upper())}"]
    for label, text in facts(row):
        indent = 2 * _INDENT + _LABEL
        first, *rest = wrap(printable(text), width, indent, indent)
        lines += [f"{' ' * 2 * _INDENT}{style.dim(label.ljust(_LABEL))}{first[indent:]}", *rest]
    return lines


def facts(row: KeyRow) -> Iterator[tuple[str, str]]:
    """What there is to say of a key, each with its label."""
    yield "age", f"{age(row)}, {last_use(row)}"
    owner = row.owner
    yield "owner", f"{owner.name} ({owner.source.replace('_', ' ')})" if owner is not None else "not known"
    for join in row.joined.declared:
        yield "declared", declared(join)
    if row.joined.declared:
        yield "rotation", rotation(row)
    else:
        yield "declared", "by nothing that was given"
    for label, words in (("drift", row.joined.drift), ("findings", row.findings), ("exempt", row.live.exempt)):
        if words:
            yield label, ", ".join(words)
    if row.next.action != Action.NOTHING.value:
        yield "next", f"{row.next.action.replace('_', ' ')}{not_before(row)}"
        yield "how", row.next.command
        for label, text in (("check", row.next.check), ("way back", row.next.rollback)):
            if text:
                yield label, text
    if row.alternative and row.alternative != UNKNOWN_CALLER:
        yield "instead", row.alternative


def not_before(row: KeyRow) -> str:
    """When the next step can be taken, where that is not now."""
    moment = row.next.not_before
    if moment is None or moment <= row.live.observed_at:
        return ""
    return f", not before {iso_utc(moment.replace(microsecond=0))}"


def age(row: KeyRow) -> str:
    """How old a key is."""
    length = row.live.age()
    if length is None:
        return "of an unknown age"
    return f"{human_duration(length)} old" if length > -CLOCK_TOLERANCE else "created after the observation"


def last_use(row: KeyRow) -> str:
    """When and with what it was used last."""
    live = row.live
    if live.used is None:
        return "never used"
    place = (f" with {live.service}" if live.service else "") + (f" in {live.region}" if live.region else "")
    return f"last used {human_duration(live.observed_at - live.used)} ago{place}"


def place(join: Join) -> str:
    """Where a key is declared."""
    declaration = join.declaration
    where = f"{shown(declaration.path)}:{declaration.line} " if declaration.path is not None else ""
    state = f" in {declaration.state}" if declaration.state is not None else ""
    return f"{where}{declaration.address}{' (deposed)' if declaration.deposed else ''}{state}"


def declared(join: Join) -> str:
    """The same, and how sure that is."""
    return f"{place(join)}; {join.certainty.value} by {join.evidence.replace('_', ' ')}"


def rotation(row: KeyRow) -> str:
    """What is declared of its rotation, and whether it happens."""
    word = row.rotation.replace("_", " ")
    declaration = row.joined.rotation
    if declaration is None or declaration.rotation_days is None:
        return word
    return f"declared every {declaration.rotation_days:g} days, {word}"


def unjoined_place(each: Unjoined) -> str:
    """Where a declaration without a key stands."""
    declaration = each.declaration
    where = f"{shown(declaration.path)}:{declaration.line} " if declaration.path is not None else ""
    user = f" of {declaration.user}" if declaration.user else ""
    state = f" in {declaration.state}" if declaration.state is not None else ""
    return f"{where}{declaration.address}{user}{state}"


def unjoined_why(each: Unjoined) -> str:
    """Why it has none."""
    drift = f" ({', '.join(each.drift)})" if each.drift else ""
    return f"{_WHY[each.why]}{drift}"


def summary(inventory: Inventory) -> str:
    """All of it in one line."""
    rows = inventory.rows
    users = {row.live.arn for row in rows}
    accounts = {row.live.account for row in rows}
    stages = Counter(row.step.stage.value for row in rows)
    named = ", ".join(f"{stages[each.value]:,} {each.value.replace('_', ' ')}" for each in Stage if stages[each.value])
    drift = sum(bool(row.joined.drift) for row in rows) + sum(bool(each.drift) for each in inventory.unjoined)
    counted = (
        f"{count_of(len(rows), 'key')} of {count_of(len(users), 'user')} in {count_of(len(accounts), 'account')}"
        + (f": {named}" if named else "")
    )
    errors = f"; {count_of(len(inventory.errors), 'error')}" if inventory.errors else ""
    return f"{counted}; {drift:,} with drift{errors}"


def as_markdown(inventory: Inventory, group_by: str = "account") -> str:
    """A table per group."""
    blocks = [f"## Access keys as of {iso_utc(inventory.as_of)}", summary(inventory)]
    columns = ("User", "Key", "Age, last use", "Owner", "Declared", "Rotation", "Drift, findings", "Stage", "Next")
    for name, rows in groups(inventory.rows, group_by):
        blocks.append(f"### {markdown_text(name)}")
        blocks.append(markdown_table(columns, [markdown_row(_cells(row)) for row in rows]))
    if inventory.unjoined:
        blocks.append("### Declared, without a live key")
        lines = [
            markdown_row((markdown_text(unjoined_place(each)), markdown_text(unjoined_why(each))))
            for each in inventory.unjoined
        ]
        blocks.append(markdown_table(("Declaration", "Why"), lines))
    if inventory.errors:
        blocks.append("### Not read")
        blocks.append("\n".join(f"- {markdown_text(error.message)}" for error in inventory.errors))
    return "\n\n".join(blocks) + "\n"


def _cells(row: KeyRow) -> list[str]:
    live = row.live
    texts = (
        f"{live.account} {live.user}",
        f"{live.slot}{f' {live.key_id}' if live.key_id else ''} {'active' if live.active else 'inactive'}",
        f"{age(row)}, {last_use(row)}",
        row.owner.name if row.owner is not None else "not known",
        "; ".join(map(declared, row.joined.declared)) or "no",
        rotation(row),
        ", ".join((*row.joined.drift, *row.findings)) or "none",
        row.step.stage.value.replace("_", " "),
        f"{row.next.action.replace('_', ' ')}{not_before(row)}",
    )
    *cells, step = (markdown_text(each) for each in texts)
    how = markdown_code(row.next.command) if row.next.command.startswith("aws ") else markdown_text(row.next.command)
    return [*cells, f"{step}: {how}" if how else step]
