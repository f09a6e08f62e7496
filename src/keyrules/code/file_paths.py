"""Paths as a scan compares and shows them: absolute, without `..`, with forward slashes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache

STDIN = "<stdin>"
"""What reports show in place of the file that stands for standard input."""

_FOLDER_URL = r"(?:file::)?(?:file://(?:localhost)?)?(?=/)"
"""What may stand before the absolute path of a module's folder; anything else before it is another kind of source."""


def absolute(path: str) -> str:
    """An absolute path without `..`. A link to a folder keeps its name, unless `..` leads out of where it points to."""
    lexical = os.path.abspath(path)
    try:
        return lexical if os.path.samefile(lexical, path) else os.path.realpath(path)
    except OSError:
        return os.path.realpath(path)


def module_folder(folder: str, source: str) -> str | None:
    """The folder on this machine that a module's source names for a caller in `folder`, None for any other source.

    Links are followed as the operating system follows them, as Terraform does: `../x` in a folder that is a link leads
    out of where the link points to. A folder has its real name, however it is called, unless that lies outside of the
    working directory and the written one does not.
    """
    # Terraform takes backslashes for slashes on every platform.
    path = source.replace("\\", "/")
    local = path.startswith(("./", "../"))
    url = None if local else re.match(_FOLDER_URL, path)
    if url is not None:
        path = path[url.end() :].partition("?")[0]
        # Few files name one, and a run that finds nothing is to cost no more than its start.
        from urllib.parse import unquote

        path = unquote(path) if "://" in url[0] else path
    elif not local:
        return None
    whole = os.path.join(folder, path)
    lexical, real = os.path.normpath(whole), os.path.realpath(whole)
    if lexical == real:
        return real
    here = [os.getcwd()]
    inside = below(lexical, here) and not below(real, here)
    return lexical if inside and os.path.realpath(lexical) == real else real


def shown(path: str) -> str:
    """A path for people and reports: relative to the working directory where it is below it."""
    return _relative(path, os.getcwd())


@cache
def _relative(path: str, here: str) -> str:
    return os.path.relpath(path, here) if below(path, [here]) else path


def below(path: str, folders: Sequence[str]) -> bool:
    """Whether an absolute path is one of the folders or lies below one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
