"""Judges what a package holds. Making one and verifying one do the same, so that the same bytes come of it.

Each framework is judged by itself: two may set different limits for a rule, and under the stricter one a failure would
not decide the other's control.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from keyrules.code.scan import ScanRequest, scan
from keyrules.evidence.answers import ANSWERS
from keyrules.evidence.code_tree import COLUMNS, CodeFile, inventory
from keyrules.evidence.folder import ACCOUNTS, CODE, REPORTS, RESULTS, content, held, within, write_text
from keyrules.evidence.inputs import StoredReports
from keyrules.evidence.manifest import CodeGround, Request
from keyrules.evidence.population import MEASURED, Annex, Census
from keyrules.live.account_audit import AuditRequest, ReportResult, combine
from keyrules.live.around.wanted_documents import asked_for
from keyrules.live.audit_notes import left_to_keys
from keyrules.live.credential_report import read_rows
from keyrules.live.limits import Limits, overrides_of
from keyrules.live.plan import reads_reports
from keyrules.live.report_inputs import ReportSource, opened
from keyrules.model import Evaluation, InputError, ParameterInForce, Plane, ScanScope
from keyrules.pack.pack import Pack
from keyrules.pack.parameters import show_value
from keyrules.records import dataclass, field, replace
from keyrules.reports import control_csv, findings_csv, html
from keyrules.reports import json as json_report
from keyrules.reports.findings_csv import csv_lines
from keyrules.reports.measured import Measures
from keyrules.reports.oscal.documents import EvidenceFile, documents
from keyrules.reports.text_style import ReportOptions
from keyrules.run.configuration.exclude_globs import Excluder, is_glob
from keyrules.run.configuration.merge import settle
from keyrules.run.configuration.use import configuration_use
from keyrules.run.exceptions.apply import exempted
from keyrules.run.exceptions.chosen import chosen_exceptions
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.paths import Ground
from keyrules.run.framework import Chosen, choose
from keyrules.run.options import Asked
from keyrules.run.parameters import parameters_in_force
from keyrules.run.settings import Setting, Settings

_MOST: Final = 1 << 26
_OPTIONS: Final = ReportOptions()
_MEDIA_TYPES: Final = {".csv": "text/csv", ".json": "application/json", ".gz": "application/gzip"}
_NOWHERE: Final = ScanScope()
_UNUSED: Final = "none"
"""In place of a file that a configuration may name, and that only the run had."""


@dataclass(frozen=True)
class Judgement:
    """What is judged: the package in `folder`, which may hold no more than its inputs, under `request`; `tree` is where
    the code is, None where there is none or nobody has it. `received` are the paths of its inputs, `facts` what else is
    known of the run."""

    folder: Path
    request: Request
    pack: Pack
    received: Sequence[str]
    tree: str | None = None
    assessor: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[str], None] | None = None


class Judged(NamedTuple):
    """What was judged, by plane and framework, and the files of the code."""

    evaluations: Sequence[Evaluation]
    files: Sequence[CodeFile]


def judge(judgement: Judgement, out: Path) -> Judged:
    """Writes the results of every framework below `out`, and the list of the code's files.

    Raises UsageError for a configuration or an exceptions file that is wrong, and InputError for what is no input.
    """
    evaluations: list[Evaluation] = []
    files: Sequence[CodeFile] = ()
    out = out.absolute()
    for framework in judgement.request.frameworks:
        where = out / RESULTS / framework
        if judgement.request.live:
            evaluations.append(_live(judgement, framework, where / "live"))
        if judgement.request.code is not None and judgement.tree is not None:
            evaluation, files = _code(judgement, judgement.request.code, judgement.tree, framework)
            write_text(where / "code/population.csv", csv_lines(_declared(evaluation)))
            _write(judgement, evaluation, where / "code", {})
            evaluations.append(evaluation)
    if judgement.request.code is not None and judgement.tree is not None:
        listed = ((file.name, str(file.held.size), file.held.sha256) for file in files)
        write_text(out / CODE, csv_lines([COLUMNS, *listed]))
    return Judged(evaluations, files)


def settings_of(judgement: Judgement, plane: Plane, framework: str) -> Settings:
    """What is in force for a plane and a framework, by the files that the package holds, which is the working
    directory; nothing else is looked for. Raises UsageError."""
    place = f"configuration/{plane.value}"
    configuration, exceptions = f"{place}/keyrules.yaml", f"{place}/exceptions.yaml"
    asked = Asked(
        set=judgement.request.thresholds,
        framework=(framework,),
        config=configuration if configuration in judgement.received else None,
        no_config=configuration not in judgement.received,
        exceptions=exceptions,
        baseline=_UNUSED,
    )
    settings = settle(asked, plane)
    there = exceptions if exceptions in judgement.received else None
    return replace(settings, exceptions=Setting(there), as_of=judgement.request.as_of, notes=())


def _chosen(judgement: Judgement, plane: Plane, framework: str) -> tuple[Settings, Chosen]:
    settings = settings_of(judgement, plane, framework)
    return settings, choose(settings, judgement.pack)


def _finished(evaluation: Evaluation, settings: Settings, chosen: Chosen, pack: Pack, left_out: int = 0) -> Evaluation:
    """With the parameters in force, the verdicts on the controls, and what the configuration did."""
    parameters = parameters_in_force(settings, chosen, evaluation.rules)
    judged = chosen.judged(replace(evaluation, parameters=parameters))
    if settings.file is None:
        return judged
    plane = settings.plane
    default_on = frozenset(rule.id for rule in pack.rules if rule.default_on and plane in rule.planes)
    use = configuration_use(settings.file, settings, chosen.selection, default_on, judged, left_out)
    return replace(judged, configuration=use, notes=(*judged.notes, use.sentence))


def _live(judgement: Judgement, framework: str, out: Path) -> Evaluation:
    request, folder = judgement.request, judgement.folder
    accounts = content(folder, ACCOUNTS, _MOST) if ACCOUNTS in judgement.received else None
    with within(folder):
        stored = StoredReports(accounts, judgement.received, request.now)
        settings, chosen = _chosen(judgement, Plane.LIVE, framework)
        exceptions = chosen_exceptions(settings, judgement.pack, request.now)
        limits = Limits(chosen.selection, overrides_of(settings.overrides, chosen.selection))
        census = Census()
        audit = AuditRequest(
            pack=judgement.pack.stamp,
            limits=limits,
            now=request.now,
            as_of=request.as_of,
            max_age=request.max_age,
            keep_passing=True,
            exceptions=ExceptionUse(exceptions, Plane.LIVE) if exceptions else None,
            kept=census,
            asked=asked_for(settings, chosen),
            progress=judgement.progress,
        )
        annex = Annex(tuple(filter(reads_reports, chosen.selection.rules)), limits)
        results: list[ReportResult] = []

        def population() -> Iterator[Sequence[str]]:
            yield annex.head
            for result in stored.judged(audit):
                results.append(result)
                if result.counts:
                    yield from _population(result, annex, census)

        write_text(out / "population.csv", csv_lines(population()))
        said = (*request.notes, *stored.notes, *left_to_keys(chosen.selection))
        evaluation = combine(results, audit, said, stored.skipped, stored.problems).evaluation
        evaluation = _finished(evaluation, settings, chosen, judgement.pack)
        by_account = _by_account(evaluation, list(map(_name, results)))
        write_text(out / "accounts.csv", csv_lines(_matrix(results, by_account, evaluation)))
        _write(judgement, evaluation, out, by_account)
    return evaluation


def _population(result: ReportResult, annex: Annex, census: Census) -> Iterator[Sequence[str]]:
    source = ReportSource(result.item.name, Path(result.item.name))
    with opened(source) as report:
        yield from annex.rows(read_rows(report.stream, lambda problem: None), census, result.as_of)


def _by_account(evaluation: Evaluation, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """The verdict on each control in each account; where there is one, it is that of the run."""
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for control in evaluation.framework.controls if evaluation.framework is not None else ():
        for outcome, accounts in (control.by_account or {control.outcome: tuple(found)}).items():
            for account in accounts:
                found.setdefault(account, {})[control.control] = outcome.value
    return found


def _name(result: ReportResult) -> str:
    if result.account is not None and result.account.account:
        return result.account.account
    return result.item.account or result.item.name


def _matrix(
    results: Sequence[ReportResult], by_account: Mapping[str, Mapping[str, str]], evaluation: Evaluation
) -> Iterator[Sequence[str]]:
    """Accounts by controls; the last line is all of them together."""
    together = evaluation.framework
    controls = together.controls if together is not None else ()
    yield ("account", "name", "state", "report", "as_of", *(control.control for control in controls))
    for result in results:
        state, outcomes = result.account, by_account[_name(result)]
        yield (
            _name(result),
            state.name if state is not None else "",
            state.state if state is not None else "not evaluated",
            result.item.name,
            json_report.time_or_none(result.as_of) or "",
            *(outcomes.get(control.control, "") for control in controls),
        )
    yield ("all", "", "", "", "", *(control.outcome.value for control in controls))


def _code(judgement: Judgement, ground: CodeGround, tree: str, framework: str) -> tuple[Evaluation, Sequence[CodeFile]]:
    request = judgement.request
    with within(judgement.folder):
        settings, chosen = _chosen(judgement, Plane.CODE, framework)
        exceptions = chosen_exceptions(settings, judgement.pack, request.now)
    globs = _excluder(ground, tree)
    own = f"{os.path.realpath(judgement.folder)}/"

    def excluded(path: str) -> bool:
        # The package may lie in the tree that it is about, and is no part of it.
        return path.startswith(own) or (globs is not None and globs(path))

    with within(Path(tree)):
        folders = tuple(Path(os.path.normpath(Path(tree, folder))) for folder in ground.folders)
        evaluation = scan(
            ScanRequest(
                paths=folders,
                pack=judgement.pack,
                selection=chosen.selection,
                as_of=request.as_of or request.now,
                context=Path(tree),
                keep_passing=True,
                excluded=excluded,
            )
        )
        if exceptions:
            home = os.path.normpath(Path(tree, ground.exceptions_from))
            left_out = None if ground.exclude_is_configured else globs
            evaluation = exempted(evaluation, exceptions, Ground(home, left_out))
        files = list(inventory(list(map(str, folders)), evaluation.scope or _NOWHERE, excluded))
    number = globs.left_out if globs is not None else 0
    return _finished(evaluation, settings, chosen, judgement.pack, number), files


def _excluder(ground: CodeGround, tree: str) -> Excluder | None:
    if not all(map(is_glob, ground.exclude)):
        raise InputError("the manifest leaves out what no glob names, so the code was not judged")
    return Excluder(ground.exclude, os.path.normpath(Path(tree, ground.exclude_from))) if ground.exclude else None


def _declared(evaluation: Evaluation) -> Iterator[Sequence[str]]:
    """Every place in code that a rule asked of, with each verdict."""
    rules = [rule.id for rule in evaluation.rules]
    measures = Measures(evaluation.rules)
    places: dict[tuple[str, int, str], dict[str, str]] = {}
    for finding in evaluation.findings:
        if finding.location is not None:
            where = finding.location
            cells = places.setdefault((where.path, where.start_line, where.address), {})
            cells[finding.rule] = finding.status.value
            cells[MEASURED.format(finding.rule)] = measures.of(finding)
    columns = [*rules, *map(MEASURED.format, rules)]
    yield ("path", "line", "address", *columns)
    for (path, line, address), cells in sorted(places.items()):
        yield (path, str(line), address, *(cells.get(column, "") for column in columns))


def _write(
    judgement: Judgement, evaluation: Evaluation, out: Path, by_account: Mapping[str, Mapping[str, str]]
) -> None:
    """The reports on a framework. `summary.json` is the JSON report without its findings, for what compares."""
    request = judgement.request
    evaluation = replace(evaluation, ran=(request.started, request.now))
    # As seen from the folder of an edition: results/FRAMEWORK/PLANE/oscal/KEY.
    evidence = {
        name: EvidenceFile(f"../../../../../{name}", held(judgement.folder, name).sha256, _media_type(name))
        for name in judgement.received
        if name.startswith((f"{REPORTS}/", f"{ANSWERS}/"))
    }
    write_text(out / "report.html", html.render(evaluation, _OPTIONS))
    write_text(out / "controls.csv", control_csv.render(evaluation, _OPTIONS))
    write_text(out / "findings.csv", findings_csv.render(evaluation, _OPTIONS))
    write_text(out / "report.json", json_report.render(evaluation, _OPTIONS))
    write_text(out / "parameters.csv", csv_lines(chain([_PARAMETER], map(_parameter, evaluation.parameters))))
    members = [each for each in json_report.members(evaluation) if each[0] != "findings"]
    write_text(out / "summary.json", json_report.laid_out(json_report.Members([*members, ("by_account", by_account)])))
    found = documents(evaluation, evidence=evidence, assessor=judgement.assessor, facts=judgement.facts)
    for name, document in found.items():
        inner = ((key, json_report.Members(value.items())) for key, value in document.items())
        write_text(out / "oscal" / name, json_report.laid_out(json_report.Members(inner)))


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")


_PARAMETER: Final = (
    "rule", "parameter", "users", "value", "unit", "default", "origin", "place", "owner", "reason", "looser_than"
)  # fmt: skip


def _parameter(each: ParameterInForce) -> Sequence[str]:
    """A parameter with its origin, for whom it holds, and the limits of the framework that it exceeds."""
    return (
        each.rule,
        each.name,
        each.users,
        show_value(each.value),
        each.unit,
        show_value(each.default),
        each.origin,
        each.place,
        each.owner,
        each.reason,
        "; ".join(map(str, each.looser_than)),
    )
