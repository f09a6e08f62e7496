"""A root module is judged once for each program and set of values that makes a difference; messages say which."""

from __future__ import annotations

from pathlib import Path

import pytest
from scanning import Scanned, scan, write

from keyrules.code.terraform.readings import MAX_SETS, Readings
from keyrules.code.terraform.values_files import MAX_FILES

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
PERIOD = """variable "days" {%s}
variable "other" { default = 1 }
resource "time_rotating" "t" { rotation_days = var.days }
resource "terraform_data" "d" { triggers_replace = time_rotating.t.id }
resource "aws_iam_access_key" "k" {
  user = "robot"
  lifecycle { replace_triggered_by = [terraform_data.d] }
}
"""
KEY = 'resource "aws_iam_access_key" "%s" {\n  user   = "robot"\n  %s\n}\n'


def said(done: Scanned, rule: str = ROTATION) -> dict[str, tuple[str, str]]:
    """Status and what the message ends with in parentheses, by address."""
    found = {}
    for finding in done.findings(rule):
        message = finding["message"]
        note = message[message.rindex("(") :] if message.endswith(")") else ""
        found[finding["location"]["address"]] = (finding["status"], note)
    return found


class TestValues:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("staging.tfvars", "create = true\n"),
            ("staging.tfvars.json", '{"create": true}'),
            ("env/staging.tfvars", "create = true\n"),
            ("environments/staging/terraform.tfvars", "create = true\n"),
            ("environments/staging/eu/x.auto.tfvars", "create = true\n"),
            ("../environments/staging.tfvars", "create = true\n"),
            ("../../vars/eu/staging.tfvars", "create = true\n"),
        ],
    )
    def test_what_is_off_by_default_is_judged_with_the_values_that_turn_it_on(
        self, tmp_path: Path, name: str, text: str
    ) -> None:
        write(tmp_path, {"a/root/main.tf": SWITCHED, f"a/root/{name}": text})
        path = Path(f"a/root/{name}").as_posix()
        shown = (tmp_path / path).resolve().relative_to(tmp_path).as_posix()
        done = scan(tmp_path)
        assert said(done) == {"aws_iam_access_key.k[0]": ("FAIL", f"(with {shown})")}
        assert done.code == 1

    @pytest.mark.parametrize(
        "files",
        [
            {"prod.tfvars": "create = false\n"},
            {"prod.tfvars": "other = true\n"},
            {"prod.tfvars": "created = true\n"},
            {"m/main.tf": "", "m/prod.tfvars": "create = true\n"},
            {".terraform/prod.tfvars": "create = true\n"},
            {"../environments/prod.tfvars": "create = true\nsomebody_elses = 1\n"},
            {"../other/prod.tfvars": "create = true\n"},
        ],
    )
    def test_values_that_change_nothing_or_belong_to_others(self, tmp_path: Path, files: dict[str, str]) -> None:
        write(tmp_path, {"root/main.tf": SWITCHED, **{f"root/{name}": text for name, text in files.items()}})
        assert said(scan(tmp_path)) == {}

    def test_the_same_verdict_with_several_sets_is_one_finding(self, tmp_path: Path) -> None:
        sets = {f"{name}.tfvars": f"days = {days}\n" for name, days in (("a", 365), ("b", 400), ("c", 30), ("d", 30))}
        done = scan(write(tmp_path, {"main.tf": PERIOD % " default = 60 ", **sets}))
        assert said(done) == {"aws_iam_access_key.k": ("FAIL", "(with a.tfvars, b.tfvars)")}

    def test_what_holds_by_default_names_no_values(self, tmp_path: Path) -> None:
        done = scan(write(tmp_path, {"main.tf": PERIOD % " default = 365 ", "a.tfvars": "days = 400\n"}))
        assert said(done) == {"aws_iam_access_key.k": ("FAIL", "")}

    def test_an_input_that_every_set_gives_needs_no_default(self, tmp_path: Path) -> None:
        """Nobody can run such a root without one of them."""
        write(tmp_path, {"main.tf": PERIOD % "", "a.tfvars": "days = 30\n", "b.tfvars": "days = 60\n"})
        assert said(scan(tmp_path)) == {"aws_iam_access_key.k": ("PASS", "(with a.tfvars, b.tfvars)")}
        write(tmp_path, {"c.tfvars": "other = 2\n"})
        assert said(scan(tmp_path))["aws_iam_access_key.k"][0] == "PASS", "other bears on nothing"
        write(tmp_path, {"a.tfvars": "days = 365\n"})
        assert said(scan(tmp_path)) == {"aws_iam_access_key.k": ("FAIL", "(with a.tfvars)")}

    def test_an_open_count_and_a_decided_one_are_one_finding(self, tmp_path: Path) -> None:
        files = {"main.tf": SWITCHED.replace("  default = false\n", ""), "a.tfvars": "create = true\n"}
        assert list(said(scan(write(tmp_path, files)))) == ["aws_iam_access_key.k[0]"]
        write(tmp_path, {"b/b.tfvars": "zone = 1\n", "zone.tf": 'variable "zone" {\n  default = 0\n}\n'})
        assert list(said(scan(tmp_path))) == ["aws_iam_access_key.k[0]"]

    def test_values_that_cannot_be_read_are_no_clean_run(self, tmp_path: Path) -> None:
        done = scan(write(tmp_path, {"main.tf": SWITCHED, "prod.tfvars": "create =\n"}))
        assert done.code == 3 and list(done.errors()) == ["prod.tfvars"]
        write(tmp_path, {"main.tf": KEY % ("k", 'pgp_key = "keybase:b"')})
        assert scan(tmp_path).errors() == {}, "no input matters"

    def test_too_many_sets_are_no_clean_run(self, tmp_path: Path) -> None:
        sets = {f"{number:03}.tfvars": f"days = {number}\n" for number in range(1, MAX_SETS + 2)}
        write(tmp_path, {"main.tf": PERIOD % " default = 0 ", **sets})
        assert f"more than {MAX_SETS} different sets" in str(scan(tmp_path).errors())
        (tmp_path / "001.tfvars").unlink()
        assert scan(tmp_path).errors() == {}

    def test_a_root_that_asks_for_no_input_is_read_once(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": SWITCHED, "prod.tfvars": "create = true\n"})
        assert len(list(Readings(str(tmp_path)))) == 1

    def test_a_named_file_of_values_leads_to_its_root(self, tmp_path: Path) -> None:
        write(tmp_path, {"root/main.tf": SWITCHED, "root/env/prod.tfvars": "create = true\n"})
        write(tmp_path, {"environments/prod.tfvars": "create = true\n"})
        for name in ("root/env/prod.tfvars", "environments/prod.tfvars"):
            assert list(said(scan(tmp_path, paths=[name]))) == ["aws_iam_access_key.k[0]"], name


class TestPrograms:
    def test_twins(self, tmp_path: Path) -> None:
        files = {"a.tf": KEY % ("k", ""), "a.tofu": KEY % ("k", 'status = "Inactive"'), "b.tf": KEY % ("both", "")}
        done = scan(write(tmp_path, files), "--rule", ROTATION, "--rule", "KEY_AWS_006")
        places = {(f["location"]["path"], f["rule"], f["status"]) for f in done.findings() if f["status"] == "FAIL"}
        assert places == {("a.tf", ROTATION, "FAIL"), ("a.tofu", "KEY_AWS_006", "FAIL"), ("b.tf", ROTATION, "FAIL")}
        assert said(done)["aws_iam_access_key.both"] == ("FAIL", "")
        (terraform,) = (
            f["message"] for f in done.findings() if f["location"]["path"] == "a.tf" and f["status"] == "FAIL"
        )
        assert terraform.endswith("(for Terraform only)")

    def test_json_twins(self, tmp_path: Path) -> None:
        tofu = '{"resource": {"aws_iam_access_key": {"k": {"user": "robot"}}}}'
        done = scan(write(tmp_path, {"a.tf.json": "{}", "a.tofu.json": tofu, "b.tf": ""}))
        assert said(done) == {"aws_iam_access_key.k": ("FAIL", "(for OpenTofu only)")}

    def test_a_twin_in_a_called_module(self, tmp_path: Path) -> None:
        call = 'module "m" {\n  source = "./m"\n}\n'
        done = scan(write(tmp_path, {"main.tf": call, "m/a.tf": KEY % ("k", ""), "m/a.tofu": ""}))
        assert said(done) == {"module.m.aws_iam_access_key.k": ("FAIL", "(for Terraform only)")}

    def test_a_folder_of_tofu_files_is_opentofus(self, tmp_path: Path) -> None:
        assert said(scan(write(tmp_path, {"a.tofu": KEY % ("k", "")}))) == {"aws_iam_access_key.k": ("FAIL", "")}

    @pytest.mark.parametrize(
        ("switch", "declared"),
        [
            ("false", False),
            ("true", True),
            ("var.on", True),
            ("!var.on", False),
            ('var.open == "x"', True),
        ],
    )
    def test_opentofus_switch(self, tmp_path: Path, switch: str, declared: bool) -> None:
        inputs = 'variable "on" {\n  default = true\n}\nvariable "open" {}\n'
        lifecycle = f"lifecycle {{\n    enabled = {switch}\n  }}"
        write(tmp_path, {"r/main.tf": inputs + KEY % ("k", lifecycle)})
        call = f'module "m" {{\n  source = "../m"\n  {lifecycle}\n}}\n'
        write(tmp_path, {"c/main.tf": inputs + call, "m/main.tf": KEY % ("k", "")})
        expected = {"aws_iam_access_key.k", "module.m.aws_iam_access_key.k"} if declared else set()
        assert set(said(scan(tmp_path))) == expected

    def test_switches_that_exclude_each_other(self, tmp_path: Path) -> None:
        keys = KEY % ("a", "lifecycle { enabled = var.x }") + KEY % ("b", "lifecycle { enabled = !var.x }")
        done = scan(write(tmp_path, {"main.tf": 'variable "x" {}\n' + keys}))
        assert {status for status, _ in said(done, "KEY_AWS_003").values()} == {"PASS"}


def test_values_beyond_what_is_read_are_said(tmp_path: Path) -> None:
    files = {f"v{number:03}.tfvars": "create = false\n" for number in range(MAX_FILES)}
    few = scan(write(tmp_path / "few", {"main.tf": SWITCHED, **files}))
    assert (few.code, few.errors()) == (0, {})
    many = scan(write(tmp_path / "many", {"main.tf": SWITCHED, **files, "w.tfvars": "create = true\n"}))
    assert many.code == 3
    assert list(many.errors().values()) == [
        f"Has more than {MAX_FILES} files of values; those after them are not judged"
    ]
