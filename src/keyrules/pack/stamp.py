"""What ties a verdict to the pack that gave it: where the rule files lie, their hash, and the version.

Nothing of the rules is read but their bytes, so `keyrules --version` names a damaged pack by a hash of its own.
"""

from __future__ import annotations

import os

from keyrules.terms import UsageError


def rules_path() -> str:
    """The folder of the rule files: beside this package when installed, two levels up in a checkout.

    Raises UsageError when there is neither.
    """
    package = _package()
    for folder in (os.path.join(package, "rules"), os.path.join(os.path.dirname(os.path.dirname(package)), "rules")):
        if os.path.isdir(folder):
            return folder
    raise UsageError(f"The rule files are missing: no folder `rules` in {package}; install keyrules again.")


def _package() -> str:
    """The folder of the package keyrules."""
    return os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def pack_digest(folder: str) -> str:
    """SHA-256 over the relative path, length and bytes of every rule, control and retirement file, in path order."""
    import hashlib

    files = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if name.endswith((".yaml", ".csv")) and os.path.isfile(path):
                files.append((os.path.relpath(path, folder).replace(os.sep, "/"), path))
    total = hashlib.sha256()
    for relative, path in sorted(files):
        with open(path, "rb") as file:
            content = file.read()
        total.update(f"{relative}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def pack_version() -> str:
    """What setup.cfg of this checkout states, else the installed version: a checkout may run beside a package."""
    package = _package()
    stated = os.path.join(os.path.dirname(os.path.dirname(package)), "setup.cfg")
    if os.path.isfile(stated):
        import configparser

        config = configparser.ConfigParser()
        config.read(stated, encoding="utf-8")
        if config.get("metadata", "name", fallback="") == "keyrules":
            return config.get("metadata", "version")
    return _recorded_version(os.path.dirname(package)) or _metadata_version()


def _recorded_version(folder: str) -> str | None:
    """The version in the name of the one folder that an installer leaves beside the package, NAME-VERSION.dist-info.

    https://packaging.python.org/en/latest/specifications/recording-installed-projects/ says so. Asking
    importlib.metadata takes as long as all the rest of `keyrules --version`.
    """
    start, end = "keyrules-", ".dist-info"
    recorded = [name for name in _names(folder) if name.startswith(start) and name.endswith(end)]
    return recorded[0][len(start) : -len(end)] if len(recorded) == 1 else None


def _names(folder: str) -> list[str]:
    """What lies in a folder, or at the top of the zip that a bundle for Checkov holds the engine in."""
    if os.path.isdir(folder):
        return os.listdir(folder)
    import zipfile

    with zipfile.ZipFile(folder) as archive:
        return sorted({name.partition("/")[0] for name in archive.namelist()})


def _metadata_version() -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version("keyrules")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
