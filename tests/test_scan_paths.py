"""What a scan looks at: folders, files and plans by any path give the same findings, each once, under its path."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scanning import FIXTURES, PROJECT, Scanned, run, scan, write

from keyrules.iac.discovery import MAX_FILE_BYTES, Unit, discover
from keyrules.iac.relevance import concerns_cloudformation, concerns_terraform

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
MODULE = """\
variable "days" {}
resource "time_rotating" "clock" {
  rotation_days = var.days
}
resource "terraform_data" "trigger" {
  input = time_rotating.clock.id
}
resource "aws_iam_access_key" "k" {
  user = "svc"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.trigger]
  }
}
"""
TEMPLATE = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc\n"
ROTATION = "KEY_AWS_001"


def call(source: str, days: int) -> str:
    return f'module "m" {{\n  source = "{source}"\n  days   = {days}\n}}\n'


def places(scanned: Scanned, rule: str = ROTATION) -> dict[tuple[str, str], str]:
    """Status by path and address; every finding of the rule must have its own place."""
    found = [(f["location"]["path"], f["location"]["address"], f["status"]) for f in scanned.findings(rule)]
    assert len({(path, address) for path, address, _ in found}) == len(found)
    return {(path, address): status for path, address, status in found}


def paths(scanned: Scanned) -> set[str]:
    return {f["location"]["path"] for f in scanned.findings()}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two environments that call one module with different periods, and a template."""
    return write(
        tmp_path_factory.mktemp("repository"),
        {
            "envs/prod/main.tf": call("../../modules/user", 30) + KEY.replace('"k"', '"own"'),
            "envs/prod/other.tf": KEY.replace('"k"', '"other"'),
            "envs/dev/main.tf": call("../../modules/user", 365),
            "modules/user/main.tf": MODULE,
            "stacks/t.yaml": TEMPLATE,
        },
    )


@pytest.fixture(scope="module")
def whole(repository: Path) -> Scanned:
    return scan(repository)


class TestFoldersAndFiles:
    def test_a_module_is_judged_by_each_of_its_callers(self, whole: Scanned) -> None:
        assert places(whole) == {
            ("envs/prod/main.tf", "aws_iam_access_key.own"): "FAIL",
            ("envs/prod/other.tf", "aws_iam_access_key.other"): "FAIL",
            ("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL",
            ("stacks/t.yaml", "K"): "FAIL",
        }
        assert [i["name"] for i in whole.report["inputs"]] == ["envs/dev", "envs/prod", "stacks/t.yaml"]

    def test_a_folder_alone_follows_its_calls_out_of_it(self, repository: Path) -> None:
        prod = scan(repository, paths=["envs/prod"])
        assert places(prod)["modules/user/main.tf", "module.m.aws_iam_access_key.k"] == "PASS"
        dev = scan(repository, paths=["envs/dev"])
        assert places(dev) == {("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL"}

    def test_a_file_is_judged_in_its_module_and_reported_alone(self, repository: Path) -> None:
        done = scan(repository, paths=["envs/prod/other.tf"])
        assert paths(done) == {"envs/prod/other.tf"}
        # The user has a second key in the file next to it.
        assert places(done, "KEY_AWS_003")["envs/prod/other.tf", "aws_iam_access_key.other"] == "FAIL"

    def test_a_modules_file_is_judged_as_its_callers_call_it(self, repository: Path) -> None:
        done = scan(repository, paths=["modules/user/main.tf"])
        assert places(done) == {("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL"}
        assert paths(done) == {"modules/user/main.tf"}

    def test_callers_outside_of_the_working_directory_are_not_asked(self, repository: Path) -> None:
        done = scan(repository / "modules", paths=["user/main.tf"])
        assert places(done) == {("user/main.tf", "aws_iam_access_key.k"): "UNKNOWN"}

    @pytest.mark.parametrize(
        "names",
        [
            [".", "."],
            [".", "envs", "envs/prod", "envs/prod/main.tf", "stacks/t.yaml"],
            ["stacks/t.yaml", "envs/../stacks/t.yaml", "./stacks", "modules", "envs", "{here}/envs/prod"],
        ],
    )
    def test_paths_that_overlap_count_once(self, repository: Path, whole: Scanned, names: list[str]) -> None:
        done = scan(repository, paths=[name.format(here=repository) for name in names])
        assert done.findings() == whole.findings()
        assert done.report["inputs"] == whole.report["inputs"]
        assert done.report["summary"] == whole.report["summary"]

    def test_a_folder_beside_a_file_is_reported_whole(self, repository: Path) -> None:
        """The modules outside of the folder, too, as they are when the folder is scanned alone."""
        done = scan(repository, paths=["envs/dev", "stacks/t.yaml"])
        assert paths(done) == {"modules/user/main.tf", "stacks/t.yaml"}

    def test_absolute_paths_are_shown_relative_to_the_working_directory(self, repository: Path, whole: Scanned) -> None:
        assert scan(repository, paths=[str(repository)]).report == whole.report

    def test_from_a_subfolder(self, repository: Path) -> None:
        done = scan(repository / "envs/prod")
        outside = (repository / "modules/user/main.tf").as_posix()
        assert places(done) == {
            ("main.tf", "aws_iam_access_key.own"): "FAIL",
            ("other.tf", "aws_iam_access_key.other"): "FAIL",
            (outside, "module.m.aws_iam_access_key.k"): "PASS",
        }


class TestModules:
    """A module that nobody evaluates is the worst kind of clean."""

    @pytest.mark.parametrize(
        "mention",
        [
            '# source = "../user"\n',
            '/*\nmodule "x" {\n  source = "../user"\n}\n*/\n',
            'resource "aws_s3_object" "o" {\n  source = "../user"\n}\n',
            'locals {\n  text = <<-EOT\n    source = "../user"\n  EOT\n}\n',
            'module "x" {\n  # source = "../user"\n  source = "git::https://example.com/user.git"\n}\n',
        ],
    )
    def test_only_a_real_call_makes_a_module(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mention: str
    ) -> None:
        write(tmp_path, {"user/main.tf": KEY, "other/main.tf": mention})
        monkeypatch.chdir(tmp_path)
        assert discover([Path()], tmp_path).units == [Unit("terraform", f"{tmp_path}/user")]

    def test_a_caller_that_cannot_be_parsed_does_not_hide_its_module(self, tmp_path: Path) -> None:
        write(tmp_path, {"user/main.tf": KEY, "app/main.tf": call("../user", 30) + "resource {{{\n"})
        done = scan(tmp_path)
        assert done.code == 3 and "app/main.tf" in done.errors()
        assert places(done) == {("user/main.tf", "aws_iam_access_key.k"): "FAIL"}

    def test_modules_in_a_ring(self, tmp_path: Path) -> None:
        write(tmp_path, {"a/main.tf": call("../b", 1) + KEY, "b/main.tf": call("../a", 1) + KEY})
        assert {path for path, _ in places(scan(tmp_path))} == {"a/main.tf", "b/main.tf"}

    def test_a_module_that_calls_itself(self, tmp_path: Path) -> None:
        write(tmp_path, {"main.tf": call("./", 1) + KEY})
        assert ("main.tf", "aws_iam_access_key.k") in places(scan(tmp_path))

    def test_a_module_behind_a_link(self, tmp_path: Path) -> None:
        write(tmp_path / "elsewhere", {"user/main.tf": KEY})
        write(tmp_path / "repo", {"main.tf": call("./modules/user", 30)})
        (tmp_path / "repo/modules").symlink_to(tmp_path / "elsewhere")
        done = scan(tmp_path / "repo")
        assert places(done) == {("modules/user/main.tf", "module.m.aws_iam_access_key.k"): "FAIL"}

    def test_unrelated_root_modules_share_no_users(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{name}/main.tf": KEY for name in ("a", "b", "a/examples", "a/b/c")})
        write(tmp_path, {"t1.yaml": TEMPLATE, "t2.yaml": TEMPLATE})
        done = scan(tmp_path, "--rule", "KEY_AWS_003")
        assert len(done.findings()) == 6
        assert {f["status"] for f in done.findings()} == {"PASS"}

    def test_a_module_that_is_called_twice_has_two_keys_of_one_user(self, tmp_path: Path) -> None:
        write(tmp_path, {"m/main.tf": KEY, "main.tf": call("./m", 1) + call("./m", 1).replace('"m"', '"n"', 1)})
        found = places(scan(tmp_path, "--rule", "KEY_AWS_003"), "KEY_AWS_003")
        assert found == {("m/main.tf", f"module.{name}.aws_iam_access_key.k"): "FAIL" for name in ("m", "n")}


PLAN = FIXTURES / "KEY_AWS_001/terraform_plan/existing_keys.json"


def relocated(findings: list[Mapping[str, Any]], path: str) -> list[Mapping[str, Any]]:
    """The findings as they are when the plan has another name."""
    moved: list[Mapping[str, Any]] = json.loads(json.dumps(findings).replace(path, "PLAN"))
    return [{name: value for name, value in f.items() if name != "fingerprint"} for f in moved]


class TestPlans:
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        (tmp_path / "tmp").mkdir()
        (tmp_path / "work").mkdir()

    def test_standard_input_is_the_file(self, tmp_path: Path) -> None:
        work, data = tmp_path / "work", PLAN.read_bytes()
        by_name = scan(write(work, {"plan.json": data}), paths=["plan.json"])
        piped = scan(work, paths=["-"], stdin=data, env={"TMPDIR": str(tmp_path / "tmp")})
        assert by_name.findings() and piped.code == by_name.code
        assert relocated(piped.findings(), "<stdin>") == relocated(by_name.findings(), "plan.json")
        assert paths(piped) == {"<stdin>"}
        assert [(i["kind"], i["name"]) for i in piped.report["inputs"]] == [("plan", "<stdin>")]
        assert piped.report["inputs"][0]["sha256"] == by_name.report["inputs"][0]["sha256"]
        # Checkov's HCL parser caches its grammar there, whatever it reads.
        assert [p for p in (tmp_path / "tmp").iterdir() if not p.name.startswith(".lark_cache")] == []

    @pytest.mark.parametrize("cwd", ["/", "{tmp}", "{tmp}/work"])
    def test_no_temporary_name_is_ever_shown(self, tmp_path: Path, cwd: str) -> None:
        """Wherever the working directory lies, above the temporary folder, too; and the same bytes in each run."""
        folder = Path(cwd.format(tmp=tmp_path))
        leaks = FIXTURES / "KEY_AWS_010/terraform_plan/new_keys.json"
        runs = [
            scan(folder, paths=["-"], stdin=leaks.read_bytes(), env={"TMPDIR": str(tmp_path / "tmp")}) for _ in range(2)
        ]
        assert "<stdin>" in runs[0].stdout and "keyrules-" not in runs[0].stdout
        assert runs[0].stdout == runs[1].stdout

    def test_a_refused_plan_is_standard_input_too(self, tmp_path: Path) -> None:
        done = scan(tmp_path, paths=["-"], stdin=b'{"format_version": "1.2", "planned_values": {}, "resource_changes"')
        assert done.code == 3 and list(done.errors()) == ["<stdin>"]

    @pytest.mark.parametrize("name", ["plan.json", "tfplan", "plan.out", "plan.txt"])
    def test_a_plan_has_any_name(self, tmp_path: Path, name: str) -> None:
        done = scan(write(tmp_path / "work", {name: PLAN.read_bytes()}), paths=[name])
        assert paths(done) == {name} and done.report["inputs"][0]["kind"] == "plan"
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}

    def test_a_folder_with_a_plan_and_its_source(self, tmp_path: Path) -> None:
        write(tmp_path / "work", {"main.tf": KEY, "tfplan": PLAN.read_bytes(), "plan.json": PLAN.read_bytes()})
        assert paths(scan(tmp_path / "work", "--rule", ROTATION)) == {"main.tf", "tfplan", "plan.json"}


NAMES = {
    "with space.tf": "with space.tf",
    "-x.tf": "-x.tf",
    "--fail-on.tf": "--fail-on.tf",
    "new\nline.tf": "new\nline.tf",
    "b\udcff.tf": "b\\xff.tf",
    "\u202eexe.tf": "\u202eexe.tf",
    "größe.tf": "größe.tf",
    "a'b\"c`d$e.tf": "a'b\"c`d$e.tf",
    "=1+1.tf": "=1+1.tf",
    "x.yaml.tf": "x.yaml.tf",
    "[0].tf": "[0].tf",
}


class TestNames:
    @pytest.fixture(scope="class")
    @classmethod
    def odd(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Each file in a folder of the same name, and a template of that name beside it."""
        folder = tmp_path_factory.mktemp("names")
        for name in NAMES:
            write(folder, {f"{name}/{name}": KEY, f"{name.removesuffix('.tf')}.yaml": TEMPLATE})
        return folder

    def expected(self) -> set[str]:
        shown = {f"{name}/{name}" for name in NAMES.values()}
        return shown | {f"{name.removesuffix('.tf')}.yaml" for name in NAMES.values()}

    def test_in_a_folder(self, odd: Path) -> None:
        done = scan(odd)
        assert paths(done) == self.expected() and done.errors() == {} and done.code == 1
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}

    def test_one_by_one_behind_two_dashes(self, odd: Path) -> None:
        names = [str(path.relative_to(odd)) for path in sorted(odd.rglob("*")) if path.is_file()]
        assert paths(scan(odd, paths=["--", *names])) == self.expected()

    @pytest.mark.parametrize("form", ["text", "sarif", "csv"])
    def test_in_every_format(self, odd: Path, form: str) -> None:
        done = run("scan", "--format", form, "--rule", ROTATION, cwd=odd)
        assert done.code == 1 and done.stderr == ""
        assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
        done.stdout.encode()


class TestWhatIsRead:
    def test_hidden_folders_and_tool_folders(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{name}/main.tf": KEY for name in (".infra", "a/.b", ".terraform", "node_modules", ".git/x")})
        done = scan(tmp_path, "--rule", ROTATION, "--rule", "KEY_AWS_005")
        assert paths(done) == {".infra/main.tf", "a/.b/main.tf"}
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}
        assert paths(scan(tmp_path, paths=[".terraform"])) == {".terraform/main.tf"}

    def test_encodings_sizes_and_damage(self, tmp_path: Path) -> None:
        """Each of these declares a key, or may; none may be taken for clean."""
        t_json = '{"Resources": {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "svc"}}}}'
        write(
            tmp_path,
            {
                "utf16/main.tf": KEY.encode("utf-16"),
                "bom/main.tf": b"\xef\xbb\xbf" + KEY.encode(),
                "crlf/main.tf": KEY.replace("\n", "\r\n"),
                "nul/main.tf": f"# a comment with \0 in it\n{KEY}",
                "latin1/main.tf": KEY.encode() + b"# \xe4\n",
                "t_utf16.yaml": TEMPLATE.encode("utf-16"),
                "t_utf16be.json": t_json.encode("utf-16-be"),
                "t_nul.yaml": f"# a comment with \0 in it\n{TEMPLATE}",
                "t_escape.json": r'{"Resources": {"K": {"Type": "AWS::IAM::Access\u004bey", "Properties": {}}}}',
                "t_fold.yaml": TEMPLATE.replace("AWS::IAM::AccessKey", '"AWS::IAM::\\\n      AccessKey"'),
                "empty/main.tf": b"",
                "empty.yaml": b"",
                "binary.json": bytes(range(256)) * 8,
                "random": random.Random(1).randbytes(4096),
            },
        )
        done = scan(tmp_path, "--rule", ROTATION)
        judged = {path.split("/")[0]: status for (path, _), status in places(done).items()}
        problems = {path.split("/")[0] for path in done.errors()}
        assert {name: judged.get(name) for name in ("bom", "crlf", "t_utf16.yaml", "t_escape.json", "t_fold.yaml")} == (
            dict.fromkeys(("bom", "crlf", "t_utf16.yaml", "t_escape.json", "t_fold.yaml"), "FAIL")
        )
        for name in ("utf16", "nul", "latin1", "t_utf16be.json", "t_nul.yaml"):
            assert judged.get(name) in ("FAIL", "UNKNOWN") or name in problems, name
        assert not problems & {"empty", "empty.yaml", "binary.json", "random"}
        assert done.code == 3

    def test_files_that_are_too_large(self, tmp_path: Path) -> None:
        for name, head in (("huge.tf", b""), ("huge.json", b"{"), ("huge.bin.json", b"\0\1"), ("huge", b"\x7fELF\0")):
            with (tmp_path / name).open("wb") as file:
                file.write(head)
                file.truncate(0)
                file.write(head or b"#")
                file.seek(2000)
                file.truncate(MAX_FILE_BYTES + 1)
        # A hole reads as NULs, so the text has to be text where it is looked at.
        for name in ("huge.tf", "huge.json"):
            with (tmp_path / name).open("r+b") as file:
                file.write(b"# text\n" * 200)
        done = scan(tmp_path)
        assert done.code == 3
        assert sorted(done.errors()) == ["huge.json", "huge.tf"]
        assert all("larger than 64 MiB" in message for message in done.errors().values())

    def test_links(self, tmp_path: Path) -> None:
        write(tmp_path / "real", {"main.tf": KEY})
        repo = tmp_path / "repo"
        (repo / "linked").mkdir(parents=True)
        (repo / "linked/main.tf").symlink_to("../../real/main.tf")
        (repo / "folder").symlink_to(tmp_path / "real")
        (repo / "loop").symlink_to("loop")
        (repo / "gone.yaml").symlink_to("nowhere.yaml")
        (repo / ".#main.tf").symlink_to("user@host.1234")
        (repo / "plan.json").symlink_to(PLAN)
        (repo / "t.yaml").symlink_to(write(tmp_path / "real", {"original.yaml": TEMPLATE}) / "original.yaml")
        done = scan(repo)
        assert paths(done) == {"linked/main.tf", "plan.json", "t.yaml"} and done.errors() == {}
        assert {f["status"] for f in done.findings("KEY_AWS_005")} == {"PASS"}
        assert paths(scan(repo, "--rule", ROTATION, paths=["folder"])) == {"folder/main.tf", "folder/original.yaml"}
        # Terraform refuses a module with a source file that leads nowhere.
        (repo / "linked/gone.tf").symlink_to("nowhere.tf")
        done = scan(repo, "--rule", ROTATION)
        assert done.code == 3 and list(done.errors()) == ["linked/gone.tf"]

    def test_parent_of_a_link(self, tmp_path: Path) -> None:
        """`link/..` is the parent of what the link points to, as for every other program."""
        write(tmp_path, {"a/inner/main.tf": "", "a/main.tf": KEY, "b/main.tf": ""})
        (tmp_path / "b/link").symlink_to("../a/inner")
        done = scan(tmp_path / "b", "--rule", ROTATION, paths=["link/.."])
        assert [path.rsplit("/", 2)[-2:] for path in paths(done)] == [["a", "main.tf"]]

    def test_what_permissions_close_is_named(self, tmp_path: Path) -> None:
        """As root without the capabilities that open every file, or as who runs the tests."""
        write(tmp_path, {f"{name}/main.tf": KEY for name in ("file", "unlisted", "unentered", "open")})
        write(tmp_path, {"env/.env": "AWS_SECRET_ACCESS_KEY=x\n", "data/picture.png": b"x"})
        closed = {"file/main.tf": 0, "unlisted": 0o311, "unentered": 0o644, "env/.env": 0, "data": 0o644}
        for name, mode in closed.items():
            (tmp_path / name).chmod(mode)
        try:
            done = unprivileged("scan", "--format", "json", cwd=tmp_path)
        finally:
            for name in closed:
                (tmp_path / name).chmod(0o755)
        assert done.returncode == 3, done.stderr
        report = json.loads(done.stdout)
        assert {e["input"] for e in report["errors"]} == {"file/main.tf", "unlisted", "unentered/main.tf", "env/.env"}
        assert {f["location"]["path"] for f in report["findings"]} == {"open/main.tf"}

    @pytest.mark.parametrize("what", ["folder", "folder/main.tf"])
    def test_a_closed_path_on_the_command_line(self, tmp_path: Path, what: str) -> None:
        write(tmp_path, {"folder/main.tf": KEY})
        (tmp_path / what).chmod(0)
        try:
            done = unprivileged("scan", what, cwd=tmp_path)
        finally:
            (tmp_path / what).chmod(0o755)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert f"{what} is a f" in done.stderr and "cannot be read" in done.stderr


def unprivileged(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`keyrules ARGUMENTS` without CAP_DAC_OVERRIDE (1) and CAP_DAC_READ_SEARCH (2), which root's children inherit
    through the bounding set (PR_CAPBSET_DROP, 24; prctl(2))."""
    script = (
        "import ctypes, os, sys\n"
        "libc = ctypes.CDLL(None)\n"
        "[libc.prctl(24, capability, 0, 0, 0) for capability in (1, 2)]\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'keyrules.cli', *sys.argv[1:]])\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "checks")},
        capture_output=True,
        text=True,
        check=False,
    )


class TestRelevance:
    """It may say yes too often, never no too often."""

    @pytest.mark.parametrize(
        "data",
        [
            b'resource "aws_iam_access_key" "k" {}',
            b"resource aws_iam_access_key k {}",
            rb'{"resource": {"aws_iam\u005faccess_key": {}}}',
            rb'{"resource": {"\u0061ws_iam_access_key": {}}}',
            b'resource "awsutils_expiring_iam_access_key" "k" {}',
            b'module "u" { source = "terraform-aws-modules/iam/aws//modules/iam-user" }',
            rb'{"module": {"u": {"source": "terraform-aws-modules\/iam\/aws\/\/modules\/iam\u002duser"}}}',
            KEY.encode("utf-16"),
        ],
    )
    def test_terraform(self, data: bytes) -> None:
        assert concerns_terraform(data)

    @pytest.mark.parametrize(
        "text",
        [
            "AWS::IAM::AccessKey",
            r'"AWS::\x49AM::AccessKey"',
            r'"AWS::\u0049AM::AccessKey"',
            r'"AWS::\U00000049AM::AccessKey"',
            '"AWS::IAM\\\n    ::AccessKey"',
            '"AWS::IAM\\\r\n\t::AccessKey"',
        ],
    )
    def test_templates(self, text: str) -> None:
        assert concerns_cloudformation(text.encode())
        assert concerns_cloudformation(text.encode("utf-16"))

    def test_other_text_is_left_alone(self) -> None:
        assert not concerns_terraform(b'resource "aws_iam_user" "u" {}\n# \\u0041 \\x41\n')
        assert not concerns_cloudformation(b'Type: AWS::IAM::User\nx: "\\u0041 \\x41"\n')


class TestOrder:
    @pytest.fixture(scope="class")
    @classmethod
    def files(cls) -> dict[str, bytes]:
        kept = [
            p for p in FIXTURES.rglob("*") if p.is_file() and ("KEY_AWS_010" in p.parts or "KEY_AWS_011" in p.parts)
        ]
        return {str(p.relative_to(FIXTURES)): p.read_bytes() for p in sorted(kept)}

    def test_two_runs_and_two_orders_of_creation_give_the_same_bytes(
        self, tmp_path: Path, files: dict[str, bytes]
    ) -> None:
        names = list(files)
        outputs = set()
        for number in range(2):
            folder = write(tmp_path / str(number), {name: files[name] for name in names})
            outputs.add(scan(folder, env={"PYTHONHASHSEED": str(number)}).stdout)
            names.reverse()
        assert len(outputs) == 1

    def test_the_order_of_the_arguments_does_not_matter(self, tmp_path: Path, files: dict[str, bytes]) -> None:
        folder = write(tmp_path, files)
        names = sorted(files)[:12]
        first = scan(folder, paths=names)
        assert first.findings() and first.stdout == scan(folder, paths=reversed(names)).stdout

    def test_the_order_of_a_listing_does_not_matter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]
    ) -> None:
        folder = write(tmp_path, files)
        straight = discover([folder], folder)
        walk = os.walk

        def shuffled(top: Path, **kwargs: Any) -> Any:
            for root, folders, names in walk(top, **kwargs):
                folders.reverse()
                yield root, folders, names[::-1]

        monkeypatch.setattr("keyrules.iac.discovery.os.walk", shuffled)
        turned = discover([folder], folder)
        assert (turned.units, turned.texts) == (straight.units, straight.texts)
        assert straight.units and straight.texts
