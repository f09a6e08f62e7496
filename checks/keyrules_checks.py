"""What Checkov loads: finds the engine that belongs to this folder and puts the pack's rules into Checkov's registries.

Checkov executes this file by its bare name and passes over whatever goes wrong in it, with exit code 0 for code that
nobody judged. So a pack that cannot be loaded ends the run instead, with one sentence and exit code 2.
"""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NoReturn

from checkov.common.checks_infra.registry import Registry

_HERE = Path(__file__).resolve().parent
_INSTALLED, _CHECKOUT, _BUNDLE = _HERE.parent.parent, _HERE.parent / "src", _HERE.parent / "keyrules.zip"


def _end(sentence: str) -> NoReturn:
    """Ends the run with 2. Checkov runs several frameworks in forked processes and takes one that exits for one without
    results; an exception it carries over, and prints once in each process that may log."""
    if multiprocessing.parent_process() is not None:
        logging.disable(logging.CRITICAL)
        raise RuntimeError(f"keyrules: {sentence}")
    sys.stderr.write(f"keyrules: {sentence}\n")
    sys.exit(2)


def _refuse(sentence: str) -> None:
    """Ends the run at Checkov's next step, loading the policies of the same folder, where it passes over nothing."""

    def refused(registry: object, dir: str) -> NoReturn:
        _end(sentence)

    Registry.load_external_checks = refused


def _engine() -> Path | None:
    """Where the engine of this folder's own version lies: never another one that may be installed beside it."""
    if _BUNDLE.is_file():
        return _BUNDLE
    if (_CHECKOUT / "keyrules" / "__init__.py").is_file():
        return _CHECKOUT
    return _INSTALLED if (_INSTALLED / "keyrules" / "__init__.py").is_file() else None


def _load(engine: Path) -> None:
    """Makes `import keyrules` mean that engine, or ends the run: two versions must not merge."""
    own = engine / "keyrules" / "__init__.py"
    loaded: Any = sys.modules.get("keyrules")
    if loaded is None:
        spec = PathFinder.find_spec("keyrules", [str(engine)])
        if spec is None or spec.loader is None:
            raise ImportError(f"{engine} holds no keyrules")
        loaded = sys.modules["keyrules"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    found = Path(str(loaded.__file__)).resolve()
    if found != own.resolve():
        _refuse(f"{_HERE} belongs to {own}, but {found} is loaded already; give Checkov checks of one keyrules only")
        return
    from keyrules.code.checkov.checks import register_all
    from keyrules.code.checkov.guard import watch_folders

    watch_folders(_HERE, _end)
    register_all()


def _start() -> None:
    engine = _engine()
    if engine is None:
        _refuse(
            f"no engine lies beside {_HERE}; `keyrules dirs` names folders that Checkov takes, and --bundle writes one"
        )
        return
    try:
        _load(engine)
    except Exception as error:
        _refuse(f"{engine} cannot be loaded, so no rule was evaluated ({type(error).__name__}: {error})")


_start()
