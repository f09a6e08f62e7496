"""Checkov's own runners with the pack loaded, asked about one unit at a time."""

from __future__ import annotations

import encodings.utf_8_sig  # noqa: F401  needed by every unit
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from keyrules.code.host.pack_folders import check_folders
from keyrules.code.host.worker_protocol import Request
from keyrules.code.judging import SOURCE_JUDGES, TEMPLATE_JUDGES, judge_unit
from keyrules.code.session import CheckSession, start_session
from keyrules.code.skip_reasons import safe_reason
from keyrules.code.terraform.module import normalize
from keyrules.code.unit_results import Checked, CheckRecord, Declared
from keyrules.model import Plane, Selection
from keyrules.pack.catalog import load_pack

_RESULTS = ("UNKNOWN", "PASSED", "FAILED", "SKIPPED")
_SECRET_ATTRIBUTES = {"secret", "ses_smtp_password_v4", "ses_smtp_password"}


class CheckovRunners:
    """Loads what the kinds of unit in a request need; `missing` names the rules that Checkov did not take, `asked_time`
    says whether a value was made of the moment of evaluation."""

    def __init__(self, request: Request) -> None:
        rules = {rule.id: rule for rule in load_pack().rules}
        overrides = {(rule, name): value for rule, name, value in request.overrides}
        selection = Selection(tuple(rules[rule_id] for rule_id in request.rules), overrides)
        self.session = CheckSession(rules, selection, request.as_of, hosted=True)
        start_session(self.session)
        self.asked_time = False
        self._rules = list(request.rules)
        self._runners: dict[str, Callable[[], Any]] = {}
        kinds = {kind for kind, _, _ in request.units}
        if kinds - {"cloudformation"}:
            self._runners.update(_terraform_runners(self._time))
        if "cloudformation" in kinds:
            self._runners.update(_cloudformation_runners())
        self.missing: list[str] = []
        wanted = {rule_id for rule_id in request.rules if Plane.CODE in rules[rule_id].planes}
        for framework in sorted({"terraform", "cloudformation"} & set(self._runners)):
            self.missing += _load(framework, wanted)

    def judge(self, kind: str, path: str) -> Declared:
        """The unit's own declarations, judged without Checkov."""
        return judge_unit(kind, path, self.session)

    def check(self, kind: str, path: str) -> Checked:
        """Checkov's records on the unit."""
        checked = Checked()
        if kind == "terraform":
            self._run("terraform", checked, root_folder=path)
            json_files = sorted(str(file) for file in Path(path).glob("*.tf.json") if file.is_file())
            if json_files:
                self._run("terraform_json", checked, files=json_files)
        else:
            self._run(kind, checked, files=[path])
        # Checkov runs checks on threads, and says things in the order in which they come.
        checked.records.sort(key=_record_order)
        checked.failures = sorted({rule_id for rule_id, _ in self.session.failures})
        return checked

    def _run(self, framework: str, checked: Checked, root_folder: str | None = None, files: Any = None) -> None:
        reports = self._runners[framework]().run(
            root_folder=root_folder, external_checks_dir=None, files=files, runner_filter=self._filter()
        )
        for report in reports if isinstance(reports, list) else [reports]:
            checked.unparsed += sorted(normalize(Path(path)) for path in report.parsing_errors)
            checked.records += _records([*report.passed_checks, *report.failed_checks, *report.skipped_checks])

    def _time(self) -> str:
        """Terraform's timestamp(), of which Checkov takes the present moment, not the one of this evaluation."""
        self.asked_time = True
        return f"{self.session.as_of:%Y-%m-%dT%H:%M:%SZ}"

    def _filter(self) -> Any:
        from checkov.runner_filter import RunnerFilter

        return RunnerFilter(
            checks=self._rules,
            show_progress_bar=False,
            download_external_modules=False,
            resource_attr_to_omit={
                name: set(_SECRET_ATTRIBUTES) for name in ("aws_iam_access_key", "awsutils_expiring_iam_access_key")
            },
        )


def _terraform_runners(timestamp: Callable[[], str]) -> dict[str, Callable[[], Any]]:
    """What makes a runner; a new one for each run, because a used one repeats its first answer."""
    from checkov.terraform import plan_runner, tf_parser
    from checkov.terraform.graph_builder.variable_rendering.safe_eval_functions import SAFE_EVAL_DICT
    from checkov.terraform.plan_runner import Runner as PlanRunner
    from checkov.terraform.runner import Runner as TerraformRunner
    from checkov.terraform_json.runner import TerraformJsonRunner

    # Its only purpose is to find modules to download, and for that it parses every file below the root.
    tf_parser.load_tf_modules = lambda *_, **__: None
    plan_runner.create_definitions = _plan_definitions
    SAFE_EVAL_DICT["timestamp"] = timestamp
    return {
        "terraform": lambda: _root_only(TerraformRunner()),
        "terraform_json": TerraformJsonRunner,
        "plan": PlanRunner,
    }


def _cloudformation_runners() -> dict[str, Callable[[], Any]]:
    from checkov.cloudformation.runner import Runner

    return {"cloudformation": Runner}


def _records(found: Iterable[Any]) -> list[CheckRecord]:
    return [
        CheckRecord(
            rule=record.check_id,
            result=record.check_result["result"].name,
            path=normalize(Path(record.file_abs_path)),
            address=record.resource,
            start_line=record.file_line_range[0] or 1,
            end_line=record.file_line_range[1] or 1,
            comment=safe_reason(record.check_result.get("suppress_comment") or ""),
        )
        for record in found
    ]


def _record_order(record: CheckRecord) -> tuple[str, str, str, int, int, int, str]:
    """Of several records on one subject the one that counts comes last."""
    place = (record.path, record.address, record.start_line, record.end_line)
    return (record.rule, *place, _RESULTS.index(record.result), record.comment)


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


def _load(framework: str, wanted: set[str]) -> list[str]:
    """Does what Checkov's runners do with --external-checks-dir. Returns the rules that it did not get to know."""
    from checkov.common.checks_infra.registry import get_graph_checks_registry
    from checkov.common.graph.db_connectors.rustworkx import rustworkx_db_connector  # noqa: F401  needed by every unit
    from checkov.terraform.checks.resource.registry import resource_registry

    registry = get_graph_checks_registry(framework)
    # The built-in policies are no rules of this pack.
    registry.internal_checks_dir_loaded = True
    for folder in map(str, check_folders()):
        resource_registry.load_external_checks(folder)
        registry.load_external_checks(folder)
    loaded = {check.id for check in registry.checks}
    return sorted(f"{rule_id} ({framework})" for rule_id in wanted - loaded) + _sentinels_left(registry, framework)


def _sentinels_left(registry: Any, framework: str) -> list[str]:
    """Rules that Python decides, for which only the rule file's empty definition was loaded."""
    from keyrules.code.checkov.checks import is_pack_check

    judges = SOURCE_JUDGES if framework == "terraform" else TEMPLATE_JUDGES
    decided = {check.id for check in registry.checks if is_pack_check(check)}
    return sorted(f"{rule_id} ({framework} check)" for rule_id in set(judges) - decided)
