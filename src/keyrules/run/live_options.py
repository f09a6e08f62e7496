"""The options of commands on live accounts: where AWS is, which accounts are meant, what declares their keys."""

from __future__ import annotations

import argparse

from keyrules.run.options import add_exclude_option


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


def add_joined_options(group: argparse._ActionsContainer) -> None:
    """Adds what names the code and states that declare keys."""
    group.add_argument("--code", action="append", default=[], metavar="PATH", help="Terraform or templates; repeatable")
    group.add_argument("--state", action="append", default=[], metavar="FILE", help="a state, folder or -; repeatable")
    group.add_argument("--state-complete", action="store_true", help="these are all states of the accounts")
    group.add_argument("--account", metavar="ID", help="account of states and code that name none")
    add_exclude_option(group)
