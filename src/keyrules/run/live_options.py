"""The options that `keyrules audit` and `keyrules accounts` share: where AWS is, and which accounts are meant."""

from __future__ import annotations

import argparse


def add_connection_options(group: argparse._ActionsContainer) -> None:
    """Adds what says where AWS is and who asks."""
    group.add_argument("--profile", metavar="NAME", help="AWS profile")
    group.add_argument("--region", metavar="REGION", help="a region of the partition (GovCloud, China)")
    group.add_argument("--endpoint-url", metavar="URL", help="another address for AWS")


def add_organization_options(group: argparse._ActionsContainer) -> None:
    """Adds what says which accounts of an organisation are meant, and how each is reached."""
    group.add_argument("--organization", action="store_true", help="every account of the organization")
    group.add_argument("--ou", action="append", default=[], metavar="UNIT", help="only those in this unit; repeatable")
    group.add_argument(
        "--exclude-account", action="append", default=[], metavar="NUMBER", help="leave this account out; repeatable"
    )
    group.add_argument("--role", metavar="ROLE", help="role to assume in each account")
    group.add_argument("--external-id", metavar="VALUE", help="external id that the roles want")
    group.add_argument("--via", action="append", default=[], metavar="ARN", help="role to assume first; repeatable")
