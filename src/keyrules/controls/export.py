"""The control map as a data set: one record for each row of each edition, as CSV and as JSON.

A record keeps its id as long as edition, control and rule stay what they are, whatever becomes of its words, its bound,
its relation and its sources: `cis_aws_3.0.0:1.14:KEY_AWS_001`, with `-` where no rule bears on the control. No edition
has a control and a rule twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keyrules.controls.listing import level_of
from keyrules.controls.model import ControlRow, FrameworkEdition, Frameworks, Relation
from keyrules.controls.tables import CONTROL_COLUMNS
from keyrules.pack.csv_table import write_rows
from keyrules.reports.json import dump

COLUMNS = ("id", "framework", *CONTROL_COLUMNS, "set_theory", "confidence", "level", "assessment")
SET_THEORY = {
    Relation.IMPLEMENTS: "equivalent-to",
    Relation.PARTIAL: "subset-of",
    Relation.SUPPORTS: "intersects-with",
    Relation.CONTRADICTS: "no-relationship",
}
"""How a rule relates to its control, in the words of NIST IR 8477; a row without a rule relates nothing."""

# These say what a control is, or that a reading is ours, and not which check belongs to it.
_NO_MAPPING = {"keyrules", "ciso_assistant", "fedramp_rules_2026", "gsa_fedramp_r5", "nist_800_171_r3"}


def row_id(framework: str, row: ControlRow) -> str:
    """The id of a row, which lasts."""
    return f"{framework}:{row.control}:{row.rule or '-'}"


def confidence(row: ControlRow) -> str:
    """How far others bear a row out: `high` where two or more map the check to the control, `medium` where one does,
    `low` where the reading is ours alone."""
    others = len(set(row.sources) - _NO_MAPPING)
    return "high" if others > 1 else "medium" if others else "low"


def records(frameworks: Frameworks) -> Iterator[tuple[str, ...]]:
    """The cells of COLUMNS for every row, edition after edition."""
    for edition in frameworks.editions:
        for row in edition.rows:
            bound = ";".join(map(str, row.bounds))
            cells = (row.control, row.title, row.relation.value, row.rule, bound, row.statement)
            more = (SET_THEORY.get(row.relation, ""), confidence(row), *level_of(frameworks, edition, row.control))
            yield (row_id(edition.key, row), edition.key, *cells, ";".join(row.sources), row.why, *more)


def as_csv(frameworks: Frameworks) -> str:
    """Every row as a line."""
    return write_rows([COLUMNS, *records(frameworks)])


def as_json(frameworks: Frameworks, head: Mapping[str, str]) -> str:
    """The same as objects, with the editions, the sources, what was removed, and why a rule has no control."""
    return dump(
        {
            **head,
            "frameworks": [_edition(each) for each in frameworks.editions],
            "sources": [{"key": key, "title": each.title, "url": each.url} for key, each in frameworks.sources.items()],
            "rows": [dict(zip(COLUMNS, cells, strict=True)) for cells in records(frameworks)],
            "removed": [
                {
                    **{"framework": each.framework, "control": each.control, "removed_in": each.removed_in},
                    **{"sources": list(each.sources), "why": each.why},
                }
                for each in frameworks.removed
            ],
            "unmapped": [
                {"rule": each.rule, "publisher": each.publisher, "why": each.why} for each in frameworks.unmapped
            ],
        }
    )


def _edition(edition: FrameworkEdition) -> dict[str, str]:
    return {
        **{"key": edition.key, "title": edition.title, "edition": edition.edition, "publisher": edition.publisher},
        **{"url": edition.url, "published": edition.published, "checked_on": str(edition.checked_on)},
        **{"status": edition.status.value, "superseded_by": edition.superseded_by, "retired_on": edition.retired_on},
        "note": edition.note,
    }
