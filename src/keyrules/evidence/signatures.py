"""Checks the detached signature of a package's statement with ssh-keygen, which nearly every machine has."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from keyrules.model import InputError
from keyrules.reports.text_style import printable

NAMESPACE: Final = "keyrules-evidence"
"""What a signature is for, so that one that somebody made of other things is none of a package."""

_SECONDS: Final = 30


def signer(statement: bytes, signature: Path, allowed: Path) -> str | None:
    """Who signed a statement, by the name that the file of allowed signers has; None where that is nobody of these.

    Raises InputError where it cannot be checked.
    """
    for path in (signature, allowed):
        if not path.is_file():
            raise InputError(f"{printable(str(path))} is no file, so the signature was not checked")
    files = ("-s", str(signature.absolute()), "-f", str(allowed.absolute()))
    found = _keygen(["-Y", "find-principals", *files], b"")
    name = found.stdout.decode("utf-8", "replace").split("\n")[0].strip()
    if found.returncode or not name:
        return None
    checked = _keygen(["-Y", "verify", "-n", NAMESPACE, "-I", name, *files], statement)
    return name if checked.returncode == 0 else None


def _keygen(arguments: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=data, capture_output=True, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise InputError("ssh-keygen is not installed, so the signature was not checked") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"ssh-keygen failed ({type(error).__name__}), so the signature was not checked") from None
