"""Keeps Checkov from loading at start-up what it only needs for things that keyrules never asks of it.

Half of Checkov's start is its own 1,100 built-in checks and clients of services: a container registry, its platform's
API, AWS, git. Nothing is replaced by an imitation: a module named here is registered unloaded and loads in full at
the first use of anything in it, so that a Checkov that does use it behaves as ever, only later.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

SUPPORTED = ((3, 3, 30), (3, 4))
"""The versions of Checkov, first included and last not, whose imports these lists were made for."""

_CLIENTS = frozenset({"aiohttp", "boto3", "docker"})
"""Imported by name only, and used when Checkov calls its platform or looks into container images."""

_PACKAGES = frozenset({"detect_secrets", "detect_secrets.core"})
"""Packages of which Checkov needs one leaf, and whose own first lines load all the others."""

_OPTIONAL = ("git", "numpy")
"""Their importers do without them: Checkov's download of modules from git (which also starts `git` twice on import),
and asteval's NumPy functions, which Checkov turns off."""

_CHECKS = (
    "checkov.cloudformation.checks.resource.",
    "checkov.terraform.checks.data.",
    "checkov.terraform.checks.module.",
    "checkov.terraform.checks.provider.",
    "checkov.terraform.checks.resource.",
)
"""Each package below these holds the built-in checks of one provider, and its parent imports all of `__all__`."""


class _Deferred(ModuleType):
    """A module that runs its own code when the first attribute that it has not got is asked for."""

    def __getattr__(self, name: str) -> Any:
        loader: Loader | None = vars(self).pop("_deferred_loader", None)
        if loader is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        vars(self).pop("__all__", None)
        loader.exec_module(self)
        return getattr(self, name)


class _Deferring(Loader):
    """Makes deferred modules of what another loader would load."""

    def __init__(self, loader: Loader, exports_nothing: bool) -> None:
        self._loader = loader
        self._exports_nothing = exports_nothing

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Deferred(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["_deferred_loader"] = self._loader
        if self._exports_nothing:
            vars(module)["__all__"] = []


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        is_checks = name.startswith(_CHECKS) and name.count(".") == _CHECKS[0].count(".")
        if not is_checks and name not in _CLIENTS and name not in _PACKAGES:
            return None
        found = PathFinder.find_spec(name, path, target)
        # Of the checks only the packages are put off; a module beside them is a base class or a registry.
        if found is None or found.loader is None or found.submodule_search_locations is None:
            return None
        found.loader = _Deferring(found.loader, exports_nothing=is_checks)
        return found


def defer_imports(version: str) -> bool:
    """Puts off what this version of Checkov does not need. Returns whether it did: other versions load as they are."""
    if not _is_supported(version):
        return False
    sys.meta_path.insert(0, _Finder())
    for name in _OPTIONAL:
        vars(sys)["modules"].setdefault(name, None)
    return True


def _is_supported(version: str) -> bool:
    parts = version.split(".")
    if not all(part.isdigit() for part in parts):
        return False
    first, last = SUPPORTED
    return first <= tuple(int(part) for part in parts) < last
