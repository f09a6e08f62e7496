"""What a package says of itself to people: a page on how to check it, and a table of the facts of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from keyrules.evidence.manifest import Manifest
from keyrules.reports.findings_csv import csv_lines
from keyrules.reports.text_style import iso_utc

_READ_ME: Final = """\
Evidence on long-lived AWS credentials, made by keyrules.

  manifest.json            what was judged, when, by which version, and the SHA-256 of every file
  statement.intoto.json    the same in short, for a signature
  facts.csv                the facts of the run as a table
  inputs/                  what was received, byte for byte; of code the list of its files, each with its SHA-256
  configuration/           the configuration and the exceptions as they were used
  results/FRAMEWORK/live/  what the credentials of the accounts come to
  results/FRAMEWORK/code/  what the code comes to
    report.html            for people
    controls.csv           each control with its verdict and its findings
    population.csv         everybody who was looked at, in scope or not and why, and each verdict
    accounts.csv           accounts by controls
    parameters.csv         the thresholds in force, each with who set it
    findings.csv           the findings; report.json has them in full
    oscal/                 plan, results, POA&M, component definition and profile, for GRC tools
    summary.json           the verdicts, for programs

To check that nothing was changed, and that the same inputs still give the same verdicts:

  keyrules evidence verify FOLDER

To see what stands behind one control:

  keyrules evidence show FOLDER --framework FRAMEWORK --control ID

Without keyrules, compare the sums that the manifest lists with those of `sha256sum`.
"""


def texts_of(manifest: Manifest) -> dict[str, str]:
    """The files that a manifest alone decides, by name."""
    return {"README.txt": _READ_ME, "facts.csv": "".join(csv_lines(_facts(manifest)))}


def _facts(manifest: Manifest) -> Iterator[Sequence[str]]:
    request = manifest.request
    yield ("fact", "value")
    yield ("frameworks", ", ".join(request.frameworks))
    yield ("as_of", moment_of(manifest))
    yield ("started", iso_utc(request.started))
    yield from _flat(manifest.about)
    yield ("pack_version", manifest.pack.version)
    yield ("pack_sha256", manifest.pack.sha256)
    for threshold in request.thresholds:
        yield ("set", threshold)
    for folder in request.code.folders if request.code is not None else ():
        yield ("code", folder)
    for path, source in sorted(manifest.sources.items()):
        yield (f"source of {path}", source)


def moment_of(manifest: Manifest) -> str:
    """The moment that ages count to."""
    as_of = manifest.request.as_of
    return iso_utc(as_of) if as_of is not None else "the moment of each report"


def _flat(about: Mapping[str, Any], before: str = "") -> Iterator[Sequence[str]]:
    for name, value in about.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}_")
        elif isinstance(value, list):
            yield (f"{before}{name}", " ".join(map(str, value)))
        else:
            yield (f"{before}{name}", value if isinstance(value, str) else json.dumps(value))
