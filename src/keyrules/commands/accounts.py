"""`keyrules accounts`: the accounts of an organisation, as the file that `keyrules audit --accounts` reads."""

from __future__ import annotations

import argparse
import sys

from keyrules.run.live_options import add_connection_options, add_organization_options
from keyrules.terms import UsageError

EPILOG = """\
examples:
  keyrules accounts --organization --role keyrules-audit > accounts.yaml
  keyrules audit --accounts accounts.yaml

exit codes: 0 listed, 2 wrong usage, 3 the organization could not be read
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules accounts`."""
    parser.usage = "%(prog)s --organization [OPTION ...]"
    add_organization_options(parser)
    add_connection_options(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the file. Raises InputError where AWS does not say the accounts."""
    from keyrules.live.accounts_file import render_accounts
    from keyrules.live.collection import Address, Reach
    from keyrules.live.instants import UNITS
    from keyrules.live.wanted import wanted

    accounts = wanted(args)
    if not args.organization:
        raise UsageError("there is nothing to list; add --organization")
    reach = Reach(
        Address(args.profile, args.region, args.endpoint_url, UNITS["minutes"], 1, accounts.via), accounts.default
    )
    sys.stdout.write(render_accounts(accounts.listed(reach)))
    return 0
