"""`keyrules config`: what is in force for scan and audit here, and where each value comes from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from keyrules.run.options import Asked, add_exclude_option, add_shared_options
from keyrules.terms import UsageError

if TYPE_CHECKING:
    from keyrules.pack.pack import Pack

FORMATS = ("text", "json")
SCHEMAS = ("configuration", "exceptions")
"""The files whose schema can be printed; the first one unless another is named."""

EPILOG = """\
examples:
  keyrules config                     what is in force, and where it comes from
  keyrules config --fail-on high      the same with an option of scan or audit
  keyrules config --format json       for a script
  keyrules config --schema            the schema of .keyrules.yaml, for editors

exit codes: 0 shown, 2 wrong usage or a wrong file
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules config`."""
    parser.usage = "%(prog)s [OPTION ...]"
    parser.description = "Takes the options of scan and audit; --format is how it prints: text or json."
    add_shared_options(parser)
    add_exclude_option(parser)
    parser.add_argument(
        "--schema",
        nargs="?",
        const=SCHEMAS[0],
        choices=SCHEMAS,
        metavar="FILE",
        help="print a JSON schema: configuration (default) or exceptions",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the configuration or its schema. Raises UsageError for a wrong file or option."""
    from keyrules.pack.catalog import load_pack
    from keyrules.reports.json import dump
    from keyrules.run.configuration.in_force import as_json, as_text, in_force

    pack = load_pack()
    if args.schema:
        print(dump(_schema(args.schema, pack)), end="")
        return 0
    form = (args.format or ["text"])[-1]
    if form not in FORMATS:
        raise UsageError(f"--format: keyrules config cannot print {form!r}; use one of {', '.join(FORMATS)}")
    # --format says how to print here; the reports of a run are as the file has them.
    found = in_force(Asked.of(vars(args))._replace(format=()), pack)
    print(as_json(found) if form == "json" else as_text(found), end="")
    return 0


def _schema(name: str, pack: Pack) -> dict[str, object]:
    from keyrules.run.configuration.schema import configuration_schema
    from keyrules.run.exceptions.schema import exceptions_schema

    return dict(zip(SCHEMAS, (configuration_schema, exceptions_schema), strict=True))[name](pack)
