"""The changes that mend what a scan found, as one unified diff; `git apply` passes over the lines before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyrules.findings import findings_of
from keyrules.model import Evaluation, Finding, PatchReport, Status
from keyrules.reports.text_style import ReportOptions, count_of, printable


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """What is mended and what is left, each on a line that begins with `#`, and the diff."""
    del options
    if evaluation.patch is None:
        yield "# keyrules: only a scan of code makes a patch\n"
        return
    patch, failures = evaluation.patch, list(findings_of(evaluation.findings, (Status.FAIL,)))
    mended = [finding for finding in failures if finding.fingerprint in patch.mended]
    yield f"# keyrules: {_summary(len(mended), len(failures))}\n"
    yield from _listed(mended, "", patch)
    left = [finding for finding in failures if finding.fingerprint in patch.left]
    yield from _listed(left, "left: ", patch)
    if any("adds time_rotating" in patch.mended[finding.fingerprint] for finding in mended):
        yield "# A new time_rotating needs the provider hashicorp/time: run `terraform init` before the next plan.\n"
    for file in patch.files:
        yield file.diff


def _summary(mended: int, failures: int) -> str:
    if not failures:
        return "nothing to mend"
    return f"this patch mends {mended} of {count_of(failures, 'finding')}" + (
        "; apply it with `git apply`" if mended else ""
    )


def _listed(findings: Iterable[Finding], word: str, patch: PatchReport) -> Iterator[str]:
    for finding in findings:
        what = patch.left[finding.fingerprint] if word else patch.mended[finding.fingerprint]
        place = finding.location
        where = f"{place.path}:{place.start_line} {place.address}" if place is not None else ""
        yield f"# {printable(f'{word}{finding.rule} {where}: {what}')}\n"
