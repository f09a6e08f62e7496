"""Which rules a run over reports in files judges, by what was given beside them and who asked for the rules."""

from __future__ import annotations

from collections.abc import Set

from keyrules.live.around.documents import Document, documents_of
from keyrules.model import Selection
from keyrules.records import replace
from keyrules.reports.text_style import first_of
from keyrules.run.framework import Chosen
from keyrules.run.settings import Settings


def asked_for(settings: Settings, chosen: Chosen) -> frozenset[str]:
    """The rules that somebody asked for: by name, here or in the configuration, or as those of a framework."""
    selected = frozenset(rule.id for rule in chosen.selection.rules)
    return selected if settings.rules.choice else selected & settings.rules.switched.keys()


def with_documents(
    selection: Selection, given: Set[Document] | None, asked: Set[str]
) -> tuple[Selection, tuple[str, ...]]:
    """The rules without those for which nothing was given and nobody asked, and a note on these. `given` is None where
    everything can be asked of the account."""
    if given is None:
        return selection, ()
    left = [rule.id for rule in selection.rules if rule.id not in asked and not given >= set(documents_of(rule))]
    if not left:
        return selection, ()
    commands = dict.fromkeys(
        each.command for rule in selection.rules if rule.id in left for each in documents_of(rule) if each not in given
    )
    note = (
        f"Not evaluated: {first_of(left, len(left))}, which need more than a credential report, and no folder of a "
        f"report holds what the AWS CLI prints for {first_of(list(commands), len(commands))}."
    )
    return replace(selection, rules=tuple(rule for rule in selection.rules if rule.id not in left)), (note,)
