"""The child process that runs Checkov: no network, bounded memory, nothing of its own on standard output or error.

It judges each unit's declarations first and reports them before Checkov touches the unit, so that what crashes or hangs
Checkov costs no more than Checkov's part.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from keyrules.iac.host.worker_protocol import (
    CRASHED,
    READY,
    Checked,
    CheckRecord,
    Request,
    dump_checked,
    dump_declared,
    load_request,
)
from keyrules.iac.terraform.terraform_module import normalize

_SECRET_ATTRIBUTES = {"secret", "ses_smtp_password_v4", "ses_smtp_password"}


class NetworkRefused(OSError):
    """Something tried to reach the network from inside the worker."""


def main() -> int:
    """Reads one request from standard input and answers on what was standard output when the process started."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogateescape")
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    _refuse_network()
    logging.getLogger().addHandler(logging.NullHandler())
    request = load_request(sys.stdin.readline())
    resource.setrlimit(resource.RLIMIT_AS, (request.memory_bytes, request.memory_bytes))
    # A core file would hold what the plans hold.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    host = _Checkov(request)
    _say(answers, {"kind": READY, "missing": host.missing})
    for index, (kind, path, readable) in enumerate(request.units):
        try:
            host.forget()
            answers.write(dump_declared(index, host.judge(kind, path)) + "\n")
            answers.flush()
            checked = host.check(kind, path) if readable else Checked()
            answers.write(dump_checked(index, checked) + "\n")
            answers.flush()
        except MemoryError:
            _say(answers, {"kind": CRASHED, "unit": index, "error": "MemoryError"})
            return 1
        except (Exception, SystemExit) as error:
            _say(answers, {"kind": CRASHED, "unit": index, "error": type(error).__name__})
    return 0


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _refuse_network() -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NetworkRefused("keyrules evaluates code without the network")

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
        setattr(socket, name, refuse)


class _Checkov:
    """Checkov's runners with the pack loaded; a new one for each unit, because a used one repeats its first answer."""

    def __init__(self, request: Request) -> None:
        from checkov.cloudformation.runner import Runner as CloudFormationRunner
        from checkov.common.checks_infra.registry import get_graph_checks_registry
        from checkov.runner_filter import RunnerFilter
        from checkov.terraform import plan_runner, tf_parser
        from checkov.terraform.plan_runner import Runner as PlanRunner
        from checkov.terraform.runner import Runner as TerraformRunner
        from checkov.terraform_json.runner import TerraformJsonRunner

        from keyrules.catalog import load_pack
        from keyrules.iac.host.check_session import CheckSession, start_session
        from keyrules.iac.pack_folders import check_folders
        from keyrules.model import Plane, Selection

        rules = {rule.id: rule for rule in load_pack().rules}
        overrides = {(rule, name): value for rule, name, value in request.overrides}
        selection = Selection(tuple(rules[rule_id] for rule_id in request.rules), overrides)
        self.session = CheckSession(rules, selection, request.as_of, hosted=True)
        start_session(self.session)
        self._runners: dict[str, Callable[[], Any]] = {
            "terraform": lambda: _root_only(TerraformRunner()),
            "terraform_json": TerraformJsonRunner,
            "plan": PlanRunner,
            "cloudformation": CloudFormationRunner,
        }
        self._filter: Callable[[], Any] = lambda: RunnerFilter(
            checks=list(request.rules),
            show_progress_bar=False,
            download_external_modules=False,
            resource_attr_to_omit={
                name: set(_SECRET_ATTRIBUTES) for name in ("aws_iam_access_key", "awsutils_expiring_iam_access_key")
            },
        )
        # Its only purpose is to find modules to download, and for that it parses every file below the root.
        tf_parser.load_tf_modules = lambda *_, **__: None
        plan_runner.create_definitions = _plan_definitions
        self.missing: list[str] = []
        wanted = {rule_id for rule_id in request.rules if Plane.CODE in rules[rule_id].planes}
        for framework in ("terraform", "cloudformation"):
            registry = get_graph_checks_registry(framework)
            registry.internal_checks_dir_loaded = True
            _load(registry, [str(folder) for folder in check_folders()])
            loaded = {check.id for check in registry.checks}
            self.missing += sorted(f"{rule_id} ({framework})" for rule_id in wanted - loaded)
            self.missing += _sentinels_left(registry, framework)

    def forget(self) -> None:
        """Drops what the checks remembered of the unit before."""
        from keyrules.iac.host.checkov_checks import forget_sources

        forget_sources()
        self.session.failures.clear()

    def judge(self, kind: str, path: str) -> Any:
        """The unit's own declarations, judged without Checkov."""
        from keyrules.iac.declared import judge_unit

        return judge_unit(kind, path, self.session)

    def check(self, kind: str, path: str) -> Checked:
        """Checkov's records on the unit."""
        checked = Checked()
        if kind == "terraform":
            self._run("terraform", checked, root_folder=path)
            json_files = sorted(str(file) for file in Path(path).glob("*.tf.json"))
            if json_files:
                self._run("terraform_json", checked, files=json_files)
        else:
            self._run(kind, checked, files=[path])
        checked.failures = sorted({rule_id for rule_id, _ in self.session.failures})
        return checked

    def _run(self, framework: str, checked: Checked, root_folder: str | None = None, files: Any = None) -> None:
        reports = self._runners[framework]().run(
            root_folder=root_folder, external_checks_dir=None, files=files, runner_filter=self._filter()
        )
        for report in reports if isinstance(reports, list) else [reports]:
            checked.unparsed += sorted(normalize(Path(path)) for path in report.parsing_errors)
            checked.records += _records([*report.passed_checks, *report.failed_checks, *report.skipped_checks])


def _records(found: Iterable[Any]) -> list[CheckRecord]:
    return [
        CheckRecord(
            rule=record.check_id,
            result=record.check_result["result"].name,
            path=normalize(Path(record.file_abs_path)),
            address=record.resource,
            start_line=record.file_line_range[0] or 1,
            end_line=record.file_line_range[1] or 1,
            comment=record.check_result.get("suppress_comment") or "",
        )
        for record in found
    ]


def _root_only(runner: Any) -> Any:
    """Makes a Terraform runner parse its root folder and the modules that it calls, not the folders below it."""
    parser = runner.graph_manager.parser
    parse = parser._parse_directory

    def parse_root(*args: Any, **kwargs: Any) -> Any:
        return parse(*args, **{**kwargs, "include_sub_dirs": False})

    parser._parse_directory = parse_root
    return runner


def _plan_definitions(
    _: Any, files: list[str], __: Any, errors: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Checkov's function of this place does, for a plan of any name, under the name that it was given.

    Checkov passes over a plan whose name, or the name that its link leads to, does not end in .json.
    """
    from checkov.terraform.plan_parser import parse_tf_plan

    found = {file: parse_tf_plan(file, errors) for file in files}
    read = {file: parts for file, parts in found.items() if all(parts)}
    return {file: parts[0] for file, parts in read.items()}, {file: parts[1] for file, parts in read.items()}


def _load(registry: Any, folders: list[str]) -> None:
    """What Checkov's runners do with --external-checks-dir."""
    from checkov.terraform.checks.resource.registry import resource_registry

    for folder in folders:
        resource_registry.load_external_checks(folder)
        registry.load_external_checks(folder)


def _sentinels_left(registry: Any, framework: str) -> list[str]:
    """Rules that Python decides, for which only the rule file's empty definition was loaded."""
    from keyrules.iac.declared import SOURCE_JUDGES, TEMPLATE_JUDGES
    from keyrules.iac.host.checkov_checks import is_pack_check

    judges = SOURCE_JUDGES if framework == "terraform" else TEMPLATE_JUDGES
    decided = {check.id for check in registry.checks if is_pack_check(check)}
    return sorted(f"{rule_id} ({framework} check)" for rule_id in set(judges) - decided)


if __name__ == "__main__":
    sys.exit(main())
