"""The inventory as one HTML page that a person works with: sortable and filterable, complete without its script.

The page loads nothing; the one script on it is allowed by its hash (https://www.w3.org/TR/CSP3/#external-hash).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from keyrules.keys.inventory import Inventory, KeyRow
from keyrules.keys.stages import Action, Stage
from keyrules.keys.text import (
    age,
    declared,
    groups,
    last_use,
    not_before,
    rotation,
    summary,
    unjoined_place,
    unjoined_why,
)
from keyrules.reports.html_parts import badge, prose, table, text, words
from keyrules.reports.html_style import stacked, style_sheet
from keyrules.reports.svg_charts import buckets, histogram, older_than_limit
from keyrules.reports.text_style import count_of, iso_utc

_COLUMNS: Final = ("Key", "Stage", "Age", "Last use", "Owner", "Declared", "Drift and findings", "Next step")
_TONES: Final = {
    Stage.NONE: "good",
    Stage.DUE: "bad",
    Stage.IDLE: "bad",
    Stage.BLOCKED: "bad",
    Stage.ROLL_BACK: "bad",
    Stage.UNCLEAR: "none",
}
_SHARES: Final = (14, 10, 10, 10, 8, 15, 11, 22)
_STYLE: Final = (
    f"@media screen and (max-width:76rem){{\n{stacked('.keys')}}}\n"
    + """\
main,header,footer,nav{max-width:110rem}
.tools{display:flex;flex-wrap:wrap;gap:.75rem 1.25rem;margin:0 0 1rem}
.tools label{color:var(--soft);font-size:.86rem}
.tools input,.tools select{display:block;font:inherit;padding:.35rem .5rem;border:1px solid var(--line);
border-radius:6px;background:var(--page);color:var(--ink)}
th button{all:unset;cursor:pointer;text-decoration:underline dotted}
th button:focus-visible{outline:3px solid var(--accent)}
.keys td:last-child>code{display:block}
[hidden]{display:none!important}
@media print{@page{size:A4 landscape}.tools{display:none}th button{text-decoration:none}}
"""
)
_SCRIPT: Final = """\
"use strict";
const tools = document.querySelector(".tools"), count = document.getElementById("count");
const tables = [...document.querySelectorAll("table.keys")];
const rows = tables.flatMap(table => [...table.tBodies[0].rows]);
const find = document.getElementById("find"), stage = document.getElementById("stage");
function filter() {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const said = [...row.cells].slice(0, 7).map(cell => cell.textContent).join(" ").toLowerCase();
    const is = row.cells[1].firstElementChild.textContent;
    row.hidden = !(words.every(word => said.includes(word)) && (stage.selectedIndex === 0 || is === stage.value));
    shown += !row.hidden;
  }
  for (const table of tables) table.hidden = [...table.tBodies[0].rows].every(row => row.hidden);
  count.textContent = shown + " of " + rows.length + " keys";
}
function sort(table, column, button) {
  const down = button.dataset.order === "up", body = table.tBodies[0];
  for (const other of table.querySelectorAll("th button")) {
    delete other.dataset.order;
    other.parentElement.removeAttribute("aria-sort");
  }
  button.dataset.order = down ? "down" : "up";
  button.parentElement.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = row => {
    const cell = row.cells[column], number = cell.querySelector("[data-value]");
    return number ? Number(number.dataset.value) : cell.textContent;
  };
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  [...body.rows].sort((a, b) => order(value(a), value(b)) * (down ? -1 : 1)).forEach(row => body.append(row));
}
for (const table of tables) {
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    button.addEventListener("click", () => sort(table, column, button));
    cell.replaceChildren(button);
  });
}
find.addEventListener("input", filter);
stage.addEventListener("change", filter);
tools.hidden = false;
filter();
"""


def as_html(inventory: Inventory, group_by: str = "account") -> str:
    """The whole page."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'"
    )
    sections = [
        ("Summary", f"<p>{text(summary(inventory))}</p>{_chart(inventory)}"),
        ("Keys", _keys(inventory, group_by)),
        ("Declared, without a live key", _unjoined(inventory)),
        ("What could not be read", "".join(f"<p>{prose(error.message)}</p>" for error in inventory.errors)),
        ("Notes", "".join(f"<p>{prose(note)}</p>" for note in inventory.notes)),
    ]
    body = "\n".join(f"<section><h2>{text(name)}</h2>\n{part}\n</section>" for name, part in sections if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Access keys, {text(iso_utc(inventory.as_of))}</title>\n"
        f"<style>\n{style_sheet()}{_STYLE}</style>\n</head>\n<body>\n"
        '<header>\n<p class="brand">keyrules keys</p>\n<h1>The life of each access key</h1>\n'
        f'<p class="lead">As of {_moment(inventory.as_of)}</p>\n</header>\n<main id="main">\n{body}\n</main>\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _moment(moment: datetime) -> str:
    return f'<time datetime="{text(iso_utc(moment))}">{text(iso_utc(moment))}</time>'


def _chart(inventory: Inventory) -> str:
    ages = inventory.ages
    total = sum(ages.counts) + ages.undated
    if not total:
        return ""
    older = older_than_limit(ages)
    rows = [(text(name), f"{number:,}") for name, number in buckets(ages)]
    numbers = table("Active access keys by age", ("Age in days", "Keys"), rows, numbers=(1,))
    return (
        f"<figure><figcaption>Active access keys by age<small>{older:,} of {count_of(total, 'key')} "
        f"{'is' if older == 1 else 'are'} older than {ages.limit_days:,} days.</small></figcaption>\n"
        f"{histogram(ages)}\n<details><summary>The numbers</summary>{numbers}</details></figure>"
    )


def _keys(inventory: Inventory, group_by: str) -> str:
    if not inventory.rows:
        return "<p>No user has an access key.</p>"
    present = [stage for stage in Stage if any(row.step.stage is stage for row in inventory.rows)]
    options = "".join(f"<option>{text(each.value.replace('_', ' '))}</option>" for each in present)
    tools = (
        '<div class="tools" hidden><label>Find <input id="find" type="search"></label>'
        f'<label>Stage <select id="stage"><option value="">all</option>{options}</select></label>'
        '<label>Shown <output id="count"></output></label></div>'
    )
    return tools + "\n".join(_table(name, rows) for name, rows in groups(inventory.rows, group_by))


def _table(name: str, rows: Iterable[KeyRow]) -> str:
    made = list(rows)
    whole = table(f"{words(name)} ({len(made):,})", _COLUMNS, map(_cells, made), shares=_SHARES)
    return f'<div class="scroll">{whole.replace("stack", "stack keys", 1)}</div>'


def _cells(row: KeyRow) -> tuple[str, ...]:
    live, step = row.live, row.step
    length, idle = live.age(), live.observed_at - live.used if live.used is not None else None
    key = f"{live.account} {live.user}"
    state = "active" if live.active else "inactive"
    more = f"<small>key {live.slot}{f' {text(live.key_id)}' if live.key_id else ''}, {state}</small>"
    since = f"<small>since {words(step.since.date().isoformat())}</small>" if step.since is not None else ""
    said = "".join(f"<div>{words(word)}</div>" for word in (*row.joined.drift, *row.findings))
    exempt = f"<small>exempt: {words(', '.join(live.exempt))}</small>" if live.exempt else ""
    owner = row.owner
    return (
        f"{words(key)}{more}",
        f"{badge(_TONES.get(step.stage, 'part'), step.stage.value.replace('_', ' '))}{since}",
        _number(length.total_seconds() if length is not None else -1, age(row)),
        _number(idle.total_seconds() if idle is not None else 1e12, last_use(row)),
        f"{words(owner.name)}<small>{text(owner.source.replace('_', ' '))}</small>"
        if owner is not None
        else "not known",
        "".join(f"<div>{words(declared(join))}</div>" for join in row.joined.declared)
        + f"<small>{words(rotation(row))}</small>",
        f"{said}{exempt}" or "none",
        _next(row),
    )


def _number(value: float, shown: str) -> str:
    return f'<span data-value="{value:.0f}">{words(shown)}</span>'


def _next(row: KeyRow) -> str:
    step = row.next
    instead = (
        f"<details><summary>Instead of a key</summary><p>{prose(row.alternative)}</p></details>"
        if row.alternative
        else ""
    )
    if step.action == Action.NOTHING.value:
        return f"nothing to do{instead}"
    when = f"<small>{words(not_before(row).removeprefix(', '))}</small>" if not_before(row) else ""
    back = f"<small>Way back: {prose(step.rollback)}</small>" if step.rollback else ""
    return (
        f"{text(step.action.replace('_', ' '))}{when}<code>{words(step.command)}</code>"
        f"<small>Check: {prose(step.check)}</small>{back}{instead}"
    )


def _unjoined(inventory: Inventory) -> str:
    if not inventory.unjoined:
        return ""
    rows = ((words(unjoined_place(each)), words(unjoined_why(each))) for each in inventory.unjoined)
    caption = "Declarations that no live key was found for"
    return table(caption, ("Declaration", "Why"), rows, shares=(50, 50))
