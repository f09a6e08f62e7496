"""The arguments of `keyrules config`; nothing that reads a configuration is imported for them."""

from __future__ import annotations

import argparse

from keyrules.run.configuration.exclude_option import add_exclude_option
from keyrules.run.options import add_shared_options

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


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
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
