"""Watches which folders Checkov is given beside the loader: rules of this engine's version, and nothing around it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from checkov.common.checks_infra.registry import Registry, get_graph_checks_registry

from keyrules.pack.stamp import rules_path

_RULE_FILE = re.compile(r"KEY_AWS_\d{3}\.ya?ml")


def watch_folders(checks: Path, end: Callable[[str], NoReturn]) -> None:
    """Ends the run through `end` when Checkov loads a folder that would give half of the rules, or rules of another
    version; `checks` is the loader's folder.

    Checkov loads the policies of each folder after its Python checks and takes the first of an id, silently.
    """
    rules = Path(rules_path())
    bundle = rules.parent if rules.parent == checks.parent and not (rules.parent / "src").is_dir() else None
    load = getattr(Registry.load_external_checks, "unwatched", Registry.load_external_checks)
    foreign = [path for path in _loaded() if not _is_own(path, rules)]

    def watched(registry: Registry, dir: str) -> None:
        folder = Path(dir).expanduser().resolve()
        if checks.is_relative_to(folder) and folder not in (checks, bundle):
            end(
                f"{folder} is more than a folder of checks: Checkov executes every package below it and reads every "
                "YAML file as a policy; write a folder for it with `keyrules dirs --bundle DIR` and name that"
            )
        for path in (*foreign, *_rule_files(folder)):
            if not _is_own(path, rules):
                end(f"{path} is not of the version of {checks}; give Checkov rules and checks of one keyrules only")
        load(registry, dir)

    watched.unwatched = load  # type: ignore[attr-defined]
    Registry.load_external_checks = watched


def _is_own(path: Path, rules: Path) -> bool:
    own = rules / f"{path.stem}.yaml"
    return own.is_file() and own.read_bytes() == path.read_bytes()


def _loaded() -> list[Path]:
    """The rule files that Checkov loaded before the loader."""
    known = (check for name in ("terraform", "cloudformation") for check in get_graph_checks_registry(name).checks)
    return [Path(check.check_path) for check in known if _RULE_FILE.fullmatch(Path(check.check_path).name)]


def _rule_files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in sorted(names) if _RULE_FILE.fullmatch(name))
