"""`keyrules controls`: frameworks, and how the rules relate to their controls, read when they are asked for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from keyrules.terms import UsageError

if TYPE_CHECKING:
    from keyrules.controls.listing import Table
    from keyrules.pack.pack import Pack

TABLE_FORMATS = ("text", "csv", "json", "markdown")
"""The formats that every view has."""

OSCAL = "oscal"
FORMATS = (*TABLE_FORMATS, OSCAL)
EPILOG = """\
examples:
  keyrules controls                                     every framework edition
  keyrules controls cis_aws_3.0.0                       one edition
  keyrules controls cis_aws_3.0.0:1.14                  one control
  keyrules controls --rule KEY_AWS_001                  one rule across editions
  keyrules controls --diff cis_aws_3.0.0 cis_aws_5.0.0  what moved
  keyrules controls --matrix --format csv               rules against frameworks
  keyrules controls cis_aws_3.0.0 --format oscal        an OSCAL component
  keyrules controls cis_aws_3.0.0 --format oscal=DIR/   and its catalog, too
  keyrules controls --export map                        the whole map as data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what selects a view and its format."""
    parser.add_argument(
        "framework", nargs="?", metavar="FRAMEWORK[:ID]", help="show this edition, or one control of it"
    )
    parser.add_argument("--rule", metavar="ID", help="show its controls in every edition")
    parser.add_argument("--matrix", action="store_true", help="show rules against frameworks")
    parser.add_argument("--diff", nargs=2, metavar=("OLD", "NEW"), help="show what moved between two editions")
    parser.add_argument("--export", metavar="DIR", help="write the whole map as CSV, JSON and an OSCAL mapping")
    parser.add_argument(
        "-f", "--format", default="text", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: text)"
    )
    parser.add_argument("--oscal-version", default="1.1.2", metavar="VERSION", help="1.1.2 or 1.2 (default: 1.1.2)")


def run(args: argparse.Namespace) -> int:
    """Prints one view to standard output and returns 0. Raises UsageError for anything that does not exist."""
    form, equals, folder = args.format.partition("=")
    if form not in FORMATS or (equals and not (folder and form == OSCAL)):
        raise UsageError(f"--format: {args.format!r} is not a format; use one of {', '.join(FORMATS)}.")
    asked = [name for name in ("framework", "rule", "matrix", "diff", "export") if getattr(args, name)]
    if len(asked) > 1:
        names = " and ".join("FRAMEWORK" if name == "framework" else f"--{name}" for name in asked)
        raise UsageError(f"{names} are different views; ask for one at a time.")
    from keyrules.controls.listing import render
    from keyrules.pack.catalog import load_pack

    pack = load_pack()
    if form == OSCAL:
        _oscal(args, pack, folder)
        return 0
    if args.export:
        return _export(args.export, pack)
    head = _head("keyrules-controls/1", pack)
    print(render(_table(args, pack), args.format, head), end="")
    return 0


def _head(schema: str, pack: Pack) -> dict[str, str]:
    return {"schema": schema, "pack": pack.stamp.version, "pack_sha256": pack.stamp.sha256}


def _export(name: str, pack: Pack) -> int:
    """Writes the map into a folder, all files or none, and says where."""
    from pathlib import Path

    from keyrules.controls.export import as_csv, as_json
    from keyrules.controls.tables import load_frameworks
    from keyrules.reports.json import dump
    from keyrules.reports.oscal import mapping
    from keyrules.reports.outputs import check_folder, write_files
    from keyrules.reports.text_style import printable

    folder = Path(name)
    check_folder(folder, "--export")
    frameworks = load_frameworks(pack)
    texts = {"mapping.csv": as_csv(frameworks), "mapping.json": as_json(frameworks, _head("keyrules-mapping/1", pack))}
    texts |= {name: dump(made) for name, made in mapping.documents(frameworks, pack.rules, pack.stamp).items()}
    write_files(("--export", folder / name, text.encode()) for name, text in texts.items())
    rows = sum(len(edition.rows) for edition in frameworks.editions)
    print(f"{rows:,} rows of {len(frameworks.editions)} editions are in {printable(str(folder))}.")
    return 0


def _oscal(args: argparse.Namespace, pack: Pack, folder: str) -> None:
    """Prints the component definition, or writes it into a folder with the catalogs and profiles that it refers to."""
    from pathlib import Path

    from keyrules.controls.tables import load_frameworks
    from keyrules.reports.json import dump
    from keyrules.reports.oscal.catalogs import edition_of
    from keyrules.reports.oscal.documents import pack_documents
    from keyrules.reports.outputs import check_folder, write_files
    from keyrules.reports.report_formats import OSCAL_VERSIONS

    if args.rule or args.matrix or args.diff or ":" in (args.framework or ""):
        raise UsageError("--format oscal describes whole frameworks; give one FRAMEWORK, or none for all of them.")
    if folder:
        check_folder(Path(folder))
    if args.oscal_version not in OSCAL_VERSIONS:
        shown = repr(args.oscal_version[:40])
        raise UsageError(f"--oscal-version: {shown} is not written; use {' or '.join(OSCAL_VERSIONS)}")
    frameworks = load_frameworks(pack)
    editions = (frameworks.edition(args.framework),) if args.framework else frameworks.editions
    checked = max(edition.checked_on for edition in editions)
    made = pack_documents(
        [edition_of(each) for each in editions], pack.rules, pack.stamp, f"{checked}T00:00:00Z", args.oscal_version
    )
    if folder:
        write_files(("--format", Path(folder) / name, dump(document).encode()) for name, document in made.items())
    else:
        print(dump(made["component-definition.json"]), end="")


def _table(args: argparse.Namespace, pack: Pack) -> Table:
    from keyrules.controls import listing
    from keyrules.controls.selection import find_control
    from keyrules.controls.tables import load_frameworks
    from keyrules.pack.selection import find_rule

    frameworks = load_frameworks(pack)
    if args.rule:
        return listing.rule_table(frameworks, find_rule(pack, args.rule))
    if args.matrix:
        return listing.matrix_table(pack, frameworks, letters=args.format == "text")
    if args.diff:
        old, new = (frameworks.edition(key) for key in args.diff)
        return listing.diff_table(frameworks, old, new)
    if args.framework:
        key, colon, control = args.framework.partition(":")
        edition = frameworks.edition(key)
        if colon:
            return listing.control_table(frameworks, edition, find_control(frameworks, edition, control))
        return listing.framework_table(frameworks, edition)
    return listing.list_table(frameworks)
