"""Terragrunt's units and the components of stacks call modules with values: those are judged as they call them."""

from __future__ import annotations

from pathlib import Path

import pytest
from scanning import Scanned, scan, write

ROTATION = "KEY_AWS_001"
SWITCHED = """variable "create" {
  type    = bool
  default = false
}
resource "aws_iam_access_key" "k" {
  count = var.create ? 1 : 0
  user  = "robot"
}
"""
SOURCE = 'terraform {\n  source = "../../user"\n}\n'
FAILS = {"aws_iam_access_key.k[0]": "FAIL"}


def said(done: Scanned, rule: str = ROTATION) -> dict[str, str]:
    return {f["location"]["address"]: f["status"] for f in done.findings(rule)}


def notes(done: Scanned, rule: str = ROTATION) -> list[str]:
    return [f["message"][f["message"].rindex("(") :] for f in done.findings(rule)]


class TestTerragrunt:
    def test_a_unit_without_a_source_runs_where_it_stands(self, tmp_path: Path) -> None:
        files = {"live/main.tf": SWITCHED, "live/terragrunt.hcl": "inputs = { create = true }\n"}
        assert said(scan(write(tmp_path, files))) == FAILS

    def test_arguments_that_do_not_resolve_are_said(self, tmp_path: Path) -> None:
        extra = 'extra_arguments "a" {\n    arguments = [run_cmd("x")]\n  }\n}\n'
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/x/terragrunt.hcl": SOURCE[:-2] + extra}))
        assert done.code == 3

    def test_json_in_place_of_its_language_is_said(self, tmp_path: Path) -> None:
        unit = '{"terraform": {"source": "../user"}, "inputs": {"create": true}}'
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/terragrunt.hcl.json": unit}))
        assert done.code == 3

    @pytest.mark.parametrize(
        "text",
        [
            SOURCE + "inputs = {\n  create = true\n}\n",
            SOURCE + "inputs = { create = local.on }\nlocals { on = true }\n",
            SOURCE + "inputs = merge({ create = false }, { create = true })\n",
            SOURCE + "inputs = merge(local.unresolved, { create = true })\n",
            SOURCE + 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n',
            SOURCE + 'include {\n  path = find_in_parent_folders("root.hcl")\n}\n',
            SOURCE + 'include "root" {\n  path   = "../root.hcl"\n  expose = true\n}\n'
            "inputs = { create = include.root.locals.on }\n",
            SOURCE + 'locals {\n  shared = read_terragrunt_config(find_in_parent_folders("root.hcl"))\n}\n'
            "inputs = { create = local.shared.locals.on }\n",
            SOURCE + 'inputs = read_terragrunt_config("../root.hcl").inputs\n',
            'terraform {\n  source = "../..//user?ref=x"\n}\ninputs = { create = true }\n',
            SOURCE[:-2] + '  extra_arguments "a" {\n    arguments = ["-lock=false", "-var", "create=true"]\n  }\n}\n',
            SOURCE[:-2] + '  extra_arguments "a" {\n    arguments = ["-var-file=on.tfvars"]\n  }\n}\n',
            SOURCE[:-2] + '  extra_arguments "a" {\n    env_vars = { TF_VAR_create = true }\n  }\n}\n',
            SOURCE[:-2] + '  extra_arguments "a" {\n'
            '    required_var_files = ["${get_terragrunt_dir()}/on.tfvars"]\n  }\n}\n',
            'include "root" {\n  path = "../from_parent.hcl"\n}\ninputs = { create = true }\n',
            'terraform {\n  source = "${get_terragrunt_dir()}/../..//user"\n}\ninputs = { create = true }\n',
            'terraform {\n  source = "${get_repo_root()}//user?ref=x"\n}\ninputs = { create = true }\n',
            'terraform {\n  source = "${dirname(find_in_parent_folders("root.hcl"))}/../user"\n}\n'
            "inputs = { create = true }\n",
        ],
    )
    def test_inputs(self, tmp_path: Path, text: str) -> None:
        root = "inputs = {\n  create = true\n}\nlocals {\n  on = true\n}\n"
        parent = 'terraform {\n  source = "${get_parent_terragrunt_dir()}/../user"\n}\n'
        write(tmp_path, {"user/main.tf": SWITCHED, "live/root.hcl": root, "live/from_parent.hcl": parent})
        write(tmp_path, {"live/staging/on.tfvars": "create = true\n"})
        done = scan(write(tmp_path, {"live/staging/terragrunt.hcl": text, ".git/HEAD": ""}))
        assert said(done) == FAILS
        assert notes(done) == ["(with live/staging/terragrunt.hcl)"]
        assert done.errors() == {}

    @pytest.mark.parametrize(
        "inputs",
        ["", "inputs = {}\n", "inputs = { create = false }\n", "inputs = { other = true }\n"],
    )
    def test_inputs_that_turn_nothing_on(self, tmp_path: Path, inputs: str) -> None:
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/a/terragrunt.hcl": SOURCE + inputs}))
        assert said(done) == {} and done.code == 0

    def test_an_input_that_does_not_resolve_counts_as_open(self, tmp_path: Path) -> None:
        inputs = "inputs = { create = dependency.vpc.outputs.on }\n"
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/a/terragrunt.hcl": SOURCE + inputs}))
        assert said(done) == {"aws_iam_access_key.k": "FAIL"}

    @pytest.mark.parametrize("inputs", ["inputs = local.unknown\n", "inputs = merge({ x = 1 }, local.unknown)\n"])
    def test_inputs_that_do_not_resolve_are_no_clean_run(self, tmp_path: Path, inputs: str) -> None:
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/a/terragrunt.hcl": SOURCE + inputs}))
        assert done.code == 3
        assert done.errors()["live/a/terragrunt.hcl"].startswith("Line 1: not all inputs resolve")

    def test_several_units_with_one_verdict_are_one_finding(self, tmp_path: Path) -> None:
        units = {f"live/{name}/terragrunt.hcl": SOURCE + "inputs = { create = true }\n" for name in ("a", "b")}
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, **units}))
        assert notes(done) == ["(with live/a/terragrunt.hcl, live/b/terragrunt.hcl)"]

    def test_a_named_unit_leads_to_its_module(self, tmp_path: Path) -> None:
        write(tmp_path, {"user/main.tf": SWITCHED, "live/a/terragrunt.hcl": SOURCE + "inputs = { create = true }\n"})
        assert said(scan(tmp_path, paths=["live/a/terragrunt.hcl"])) == FAILS
        assert said(scan(tmp_path, paths=["user/main.tf"])) == FAILS
        assert said(scan(tmp_path, paths=["live"])) == FAILS

    @pytest.mark.parametrize(
        ("named", "how"),
        [
            ("live/root.hcl", 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'),
            ("live/terragrunt.hcl", "include {\n  path = find_in_parent_folders()\n}\n"),
            ("live/root.hcl", 'inputs = read_terragrunt_config("../root.hcl").inputs\n'),
        ],
    )
    def test_a_named_file_that_units_read_leads_to_their_module(self, tmp_path: Path, named: str, how: str) -> None:
        """It bears on all of the module as the unit's own file does, and no other unit is looked at."""
        write(tmp_path, {"user/main.tf": SWITCHED, named: "inputs = { create = true }\n"})
        write(tmp_path, {"live/a/terragrunt.hcl": SOURCE + how, "live/b/terragrunt.hcl": "terraform {\n"})
        assert said(scan(tmp_path, paths=[named])) == FAILS
        assert notes(scan(tmp_path, paths=[named])) == ["(with live/a/terragrunt.hcl)"]

    def test_a_named_file_that_no_unit_reads(self, tmp_path: Path) -> None:
        write(tmp_path, {"user/main.tf": SWITCHED, "live/other.hcl": "inputs = { create = true }\n"})
        done = scan(write(tmp_path, {"live/a/terragrunt.hcl": SOURCE}), paths=["live/other.hcl"])
        assert (done.code, said(done)) == (0, {})

    @pytest.mark.parametrize("paths", [["."], ["root.hcl"]])
    @pytest.mark.parametrize(
        "shared",
        [
            'terraform {\n  source = "tfr:///terraform-aws-modules/iam/aws//modules/iam-user?version=5.3.0"\n}\n',
            'terraform {\n  source = "git::https://example.com/acme/user.git"\n}\n'
            "inputs = { create_access_key = true }\n",
        ],
    )
    def test_what_calls_a_module_that_is_not_here_may_be_included(
        self, tmp_path: Path, shared: str, paths: list[str]
    ) -> None:
        unit = 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'
        done = scan(write(tmp_path, {"root.hcl": shared, "a/terragrunt.hcl": unit}), paths=paths)
        assert [f["location"]["path"] for f in done.findings(ROTATION)] == ["a/terragrunt.hcl"]
        assert done.code != 0

    def test_a_named_deployment_leads_to_the_module_of_its_component(self, tmp_path: Path) -> None:
        component = 'component "user" {\n  source = "./user"\n  inputs = { create = var.on }\n}\nvariable "on" {}\n'
        deployment = 'deployment "prod" {\n  inputs = { on = true }\n}\n'
        files = {"user/main.tf": SWITCHED, "a.tfcomponent.hcl": component, "a.tfdeploy.hcl": deployment}
        assert said(scan(write(tmp_path, files), paths=["a.tfdeploy.hcl"])) == FAILS

    def test_a_module_that_others_call_too(self, tmp_path: Path) -> None:
        call = 'module "m" {\n  source = "../user"\n}\n'
        unit = SOURCE + "inputs = { create = true }\n"
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "root/main.tf": call, "live/a/terragrunt.hcl": unit}))
        assert said(done) == FAILS

    def test_a_known_module_that_is_not_here(self, tmp_path: Path) -> None:
        source = 'terraform {\n  source = "tfr:///terraform-aws-modules/iam/aws//modules/iam-user?version=5.3.0"\n}\n'
        write(tmp_path, {"a/terragrunt.hcl": source, "b/terragrunt.hcl": source + "inputs = { create_user = false }\n"})
        done = scan(tmp_path)
        assert [(f["location"]["path"], f["status"]) for f in done.findings(ROTATION)] == [("a/terragrunt.hcl", "FAIL")]

    @pytest.mark.parametrize(
        "text", ["terraform {\n", "include {\n  path = 1 +\n}\n", 'include "a" {\n  path = "terragrunt.hcl"\n}\n']
    )
    def test_files_that_are_broken_or_include_themselves(self, tmp_path: Path, text: str) -> None:
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/a/terragrunt.hcl": text}))
        assert done.code in (0, 3) and said(done) == {}

    def test_a_unit_that_cannot_be_read_is_no_clean_run(self, tmp_path: Path) -> None:
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, "live/a/terragrunt.hcl": SOURCE + "inputs = {\n"}))
        assert done.code == 3 and list(done.errors()) == ["live/a/terragrunt.hcl"]

    def test_a_source_that_does_not_resolve(self, tmp_path: Path) -> None:
        """It is no clean run where the inputs ask for a key; else nothing says that it has to do with keys."""
        text = "terraform {\n  source = local.unknown\n}\ninputs = {\n  %s = true\n}\n"
        write(tmp_path, {"a/terragrunt.hcl": text % "create_access_key", "b/terragrunt.hcl": text % "create"})
        done = scan(tmp_path)
        assert done.code == 3 and list(done.errors()) == ["a/terragrunt.hcl"]

    def test_a_stack_of_units(self, tmp_path: Path) -> None:
        stack = 'unit "robot" {\n  source = "../units/user"\n  path   = "robot"\n  values = {\n    on = true\n  }\n}\n'
        unit = 'terraform {\n  source = "../../user"\n}\ninputs = {\n  create = values.on\n}\n'
        write(
            tmp_path, {"user/main.tf": SWITCHED, "live/terragrunt.stack.hcl": stack, "units/user/terragrunt.hcl": unit}
        )
        done = scan(tmp_path)
        assert "aws_iam_access_key.k[0]" in said(done)
        assert "(with live/terragrunt.stack.hcl unit robot)" in notes(done)


class TestStacks:
    @pytest.mark.parametrize("ending", ["tfcomponent.hcl", "tfstack.hcl"])
    def test_a_component(self, tmp_path: Path, ending: str) -> None:
        component = 'component "robot" {\n  source = "./user"\n  inputs = {\n    create = true\n  }\n}\n'
        done = scan(write(tmp_path, {"user/main.tf": SWITCHED, f"main.{ending}": component}))
        assert said(done) == FAILS
        assert notes(done) == [f"(with component robot in main.{ending})"]

    def test_deployments(self, tmp_path: Path) -> None:
        component = 'component "robot" {\n  source = "./user"\n  inputs = {\n    create = var.on\n  }\n}\n'
        variables = 'variable "on" {\n  type = bool\n}\n'
        deployments = (
            'deployment "prod" {\n  inputs = { on = false }\n}\ndeployment "dev" {\n  inputs = { on = true }\n}\n'
        )
        write(tmp_path, {"user/main.tf": SWITCHED, "main.tfcomponent.hcl": component})
        done = scan(write(tmp_path, {"variables.tfcomponent.hcl": variables, "all.tfdeploy.hcl": deployments}))
        assert said(done) == FAILS
        assert notes(done) == ["(with component robot in main.tfcomponent.hcl, deployment dev)"]

    def test_a_component_of_a_known_module(self, tmp_path: Path) -> None:
        component = 'component "robot" {\n  source  = "cloudposse/iam-system-user/aws"\n  version = "1.0.0"\n}\n'
        done = scan(write(tmp_path, {"main.tfcomponent.hcl": component}))
        assert [f["status"] for f in done.findings(ROTATION)] == ["FAIL"]
