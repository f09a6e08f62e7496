"""`--config` and `--no-config`, and how a refusal names the configuration file; nothing that reads one is imported."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from keyrules.terms import UsageError

CONFIGURATION_FILE = ".keyrules.yaml"
MISSPELT_FILE = ".keyrules.yml"
"""The name that is refused, because it would be passed over."""


def add_configuration_options(group: argparse._ActionsContainer) -> None:
    """Adds --config and --no-config."""
    group.add_argument("--config", metavar="FILE", help=f"default: {CONFIGURATION_FILE}, found upwards")
    group.add_argument("--no-config", action="store_true", help="read no configuration file")


@contextmanager
def blaming_the_file(args: argparse.Namespace, key: str) -> Iterator[None]:
    """Names the place in the configuration file in a refusal of an option that came from there."""
    try:
        yield
    except UsageError as error:
        if key not in args.origins:
            raise
        raise UsageError(f"{args.origins[key]}: {error}") from None
