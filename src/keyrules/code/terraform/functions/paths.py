"""Functions on the text of a path; no file is looked at."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from keyrules.code.terraform.functions.signature import Function, function
from keyrules.code.terraform.hcl.numbers import NotComputed


def _basename(path: str) -> str:
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def _dirname(path: str) -> str:
    found = posixpath.normpath(path.rpartition("/")[0] or ("/" if path.startswith("/") else "."))
    # POSIX keeps two slashes at the start, Go does not.
    return found[1:] if found.startswith("//") else found


def _pathexpand(path: str) -> str:
    if path.startswith("~"):
        raise NotComputed
    return path


FUNCTIONS: Mapping[str, Function] = {
    "basename": function(_basename, "string"),
    "dirname": function(_dirname, "string"),
    "pathexpand": function(_pathexpand, "string"),
}
