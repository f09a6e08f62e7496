"""The formats there are, and the modules that write them; none of those is imported before it is to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyrules.terms import Plane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from keyrules.model import Evaluation
    from keyrules.reports.text_style import ReportOptions

OSCAL_VERSIONS = {"1.1.2": "1.1.2", "1.2": "1.2.1"}
"""What --oscal-version takes, the default first, and what the documents say then."""


class Format(NamedTuple):
    """The modules of keyrules.reports whose `render(Evaluation, ReportOptions) -> Iterator[str]` writes a format.

    A plane without a module cannot be expressed in the format. `controls` takes the place of both where the run was
    asked for a framework and the format then goes by control. `cites` says that it uses `Evaluation.controls`,
    `patches` that it uses `Evaluation.patch`, and `counts` that it tells of verdicts that were counted but not kept.
    `folder` is the module whose `render_folder` writes the files of a folder. `mark` is an expression that matches the
    first and last lines of such a report, with a dot for any character, line breaks too, and of no other file. Only the
    modules that a run needs are imported.
    """

    mark: str
    code: str | None = None
    live: str | None = None
    controls: str | None = None
    cites: bool = False
    counts: bool = True
    folder: str | None = None
    patches: bool = False

    def module(self, plane: Plane) -> str | None:
        """The module for a plane, or None where the format cannot express it."""
        return self.code if plane is Plane.CODE else self.live

    def render(self, evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
        """The whole report piece by piece. The format must express the evaluation's plane."""
        from importlib import import_module

        name = self.controls if self.controls and evaluation.framework else self.module(evaluation.plane)
        pieces: Iterator[str] = import_module(f"keyrules.reports.{name}").render(evaluation, options)
        return pieces

    def render_folder(
        self, evaluation: Evaluation, options: ReportOptions, folder: Path
    ) -> Mapping[str, Iterator[str]]:
        """The files of a folder by their names in it; only for a format that has such."""
        from importlib import import_module

        files: Mapping[str, Iterator[str]] = import_module(f"keyrules.reports.{self.folder}").render_folder(
            evaluation, options, folder
        )
        return files


_FIRST_LINES = (
    r"(?:[^\n]*\n)? *(?:(?:CRITICAL|HIGH|MEDIUM|LOW|UNKNOWN) +KEY_[A-Z]+_[0-9]{3} |Could not be evaluated\n)"
    r"|(?:NOT SATISFIED|PARTLY ASSESSED|EVIDENCE ONLY, ADVERSE)  "
)
"""Of a quiet report, which has no last line of its own."""

_LAST_LINE = (
    r"(?:Nothing to evaluate\.|[^\n]*\d(?: checks?| evaluated): [^\n]*\d failed[^\n]*|\w+, \d+ controls?: [^\n]*)"
)
_ARRAY = r"\[\s*(?:\]\s*\Z|\{"

FORMATS: dict[str, Format] = {
    "text": Format(rf"(?:{_FIRST_LINES}|(?:.*\n)?{_LAST_LINE}\n\Z)", "text", "audit_text", "control_text"),
    "json": Format(r'\{\s*"schema": "keyrules/', "json", "json"),
    "sarif": Format(
        r'\{\s*"\$schema": "[^"]*sarif.*"driver": \{\s*"name": "keyrules"',
        "sarif",
        "sarif",
        cites=True,
        counts=False,
        patches=True,
    ),
    "csv": Format(r"(?:rule,severity,status|framework,control,title),", "findings_csv", "findings_csv", "control_csv"),
    "html": Format(r"<!doctype html>.*<title>[^<]*keyrules evidence", "html", "html"),
    "oscal": Format(
        r'\{\s*"assessment-results": .*"title": "keyrules evidence',
        "oscal.results",
        "oscal.results",
        folder="oscal.documents",
    ),
    "gitlab-codequality": Format(_ARRAY + r'.*"check_name": "KEY_)', "codequality"),
    "gitlab-sast": Format(r'\{\s*"version": .*"scanner": \{\s*"id": "keyrules"', "gitlab_sast"),
    "junit": Format(r'<\?xml [^>]*>\s*<testsuites name="keyrules"', "junit", "junit"),
    "github": Format(
        r"(?:::(?:error|warning|notice) .*)?::notice title=keyrules::", "github_annotations", "github_annotations"
    ),
    "markdown": Format(r"## keyrules: ", "markdown", "markdown"),
    "jsonl": Format(r'\{"type": "run", "schema": "keyrules-lines/', "json_lines", "json_lines"),
    "patch": Format(r"# keyrules: ", "patch", patches=True, counts=False),
    "ocsf": Format(_ARRAY + r'\s*"activity_id": .*"vendor_name": "keyrules")', live="ocsf", cites=True, counts=False),
    "asff": Format(_ARRAY + r'\s*"SchemaVersion": .*"ProductName": "keyrules")', live="asff", cites=True, counts=False),
}
"""A new format is one module with a pure writer, and one entry here."""


def formats_of(plane: Plane) -> tuple[str, ...]:
    """The names of the formats that can express a plane, in their order."""
    return tuple(name for name, form in FORMATS.items() if form.module(plane))
