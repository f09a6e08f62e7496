"""Every file that holds a word of the rules ends as judged, absent with a reason, or unknown; never in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from generated_code import repositories
from hypothesis import HealthCheck, given, settings
from scanned_without import AS_OF, files_below
from scanning import FIXTURES, write

from keyrules.code import discovery, module_calls
from keyrules.code.cloudformation import reading, view
from keyrules.code.cloudformation import unit as template_unit
from keyrules.code.plan import unit as plan_unit
from keyrules.code.plan import view as plans
from keyrules.code.relevance import names_subjects
from keyrules.code.scan import ScanRequest, scan
from keyrules.code.terraform import module
from keyrules.code.terraform import unit as terraform_unit
from keyrules.model import CoverageOutcome, Evaluation, Selection
from keyrules.pack.catalog import load_pack
from keyrules.records import replace

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
DOCUMENT = json.dumps({"resource": [{"aws_iam_access_key": {"k": {"user": "svc"}, "j": {"user": "other"}}}]})
TEMPLATE = "Resources:\n" + "".join(
    f"  {name}:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: {name}\n" for name in ("J", "K")
)
PLAN = FIXTURES / "KEY_AWS_001/terraform_plan/new_keys.json"


def evaluated(folder: Path) -> Evaluation:
    pack = load_pack()
    return scan(ScanRequest((folder,), pack, Selection(pack.rules), AS_OF, folder, keep_passing=True))


def holds(evaluation: Evaluation, folder: Path) -> None:
    """The invariant, for one scan of a whole folder."""
    paths = [item.path for item in evaluation.coverage]
    assert paths == sorted(set(paths))
    named = set(discovery.discover([folder], folder).named)
    assert {str((Path.cwd() / path).resolve()) for path in paths} == {str(Path(path).resolve()) for path in named}
    failed = {error.input for error in evaluation.errors}
    unknown = {f.location.path for f in evaluation.findings if f.location and f.status.value == "UNKNOWN"}
    for item in evaluation.coverage:
        assert (item.outcome is CoverageOutcome.JUDGED) is (item.reason == "")
        assert item.outcome is not CoverageOutcome.UNKNOWN or item.path in failed | unknown
    if not (evaluation.counts.evaluated or evaluation.errors):
        assert evaluation.notes or evaluation.coverage


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=repositories())
def test_generated_repositories(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as name:
        folder = write(Path(name).resolve(), files)
        evaluation = evaluated(folder)
        holds(evaluation, folder)
        assert not [error for error in evaluation.errors if error.kind == "not_evaluated"]


def test_fixtures() -> None:
    evaluation = evaluated(FIXTURES)
    holds(evaluation, FIXTURES)
    words = [path for path in files_below(FIXTURES) if names_subjects(path.read_bytes())]
    assert len(words) == len(evaluation.coverage) > 80
    assert not evaluation.errors


Files = dict[str, "str | bytes"]


def _builder_drops(patch: pytest.MonkeyPatch) -> None:
    add = module._Builder.add

    def without(self: Any, body: Any, path: str, override: bool) -> None:
        blocks = [block for block in body.blocks if block.type != "resource"]
        add(self, replace(body, blocks=tuple(blocks)), path, override)

    patch.setattr(module._Builder, "add", without)


def _parser_drops(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def change(patch: pytest.MonkeyPatch) -> None:
        parse = getattr(module, name)

        def without(text: str) -> Any:
            body = parse(text)
            return replace(body, blocks=body.blocks[1:])

        patch.setattr(module, name, without)

    return change


def _irrelevant(patch: pytest.MonkeyPatch) -> None:
    def no(data: bytes) -> bool:
        return False

    patch.setattr(module_calls, "concerns_terraform", no)
    patch.setattr(discovery, "concerns_cloudformation", no)


def _set_drops(module: Any) -> Callable[[pytest.MonkeyPatch], None]:
    def change(patch: pytest.MonkeyPatch) -> None:
        whole = module.key_set

        def without(*arguments: Any) -> Any:
            keys = whole(*arguments)
            return replace(keys, keys=keys.keys[1:])

        patch.setattr(module, "key_set", without)

    return change


def _template_drops(patch: pytest.MonkeyPatch) -> None:
    whole = reading.read_template

    def without(text: str) -> Any:
        template = whole(text)
        return replace(template, resources=dict(list(template.resources.items())[1:]))

    patch.setattr(view, "read_template", without)


def _view_drops(patch: pytest.MonkeyPatch) -> None:
    whole = plans.read_plan

    def without(data: bytes) -> Any:
        plan = whole(data)
        return replace(plan, planned=plan.planned[:0])

    patch.setattr(plan_unit, "read_plan", without)


MUTATIONS: dict[str, tuple[Files, Callable[[pytest.MonkeyPatch], None]]] = {
    "the builder of a module drops resources": ({"main.tf": KEY}, _builder_drops),
    "the same in OpenTofu's files": ({"main.tofu": KEY}, _builder_drops),
    "the same in JSON": ({"main.tf.json": DOCUMENT}, _builder_drops),
    "the parser drops a block": ({"main.tf": KEY + KEY.replace('"k"', '"j"')}, _parser_drops("parse_hcl")),
    "the parser of JSON drops a block": ({"main.tf.json": DOCUMENT}, _parser_drops("parse_terraform_json")),
    "relevance says no to Terraform": ({"main.tf": KEY}, _irrelevant),
    "relevance says no to JSON": ({"main.tf.json": DOCUMENT}, _irrelevant),
    "relevance says no to a template": ({"stack.yaml": TEMPLATE}, _irrelevant),
    "the keys of a configuration lack one": ({"main.tf": KEY}, _set_drops(terraform_unit)),
    "the keys of a template lack one": ({"stack.yaml": TEMPLATE}, _set_drops(template_unit)),
    "the keys of a plan lack one": ({"plan.json": PLAN.read_bytes()}, _set_drops(plan_unit)),
    "the reader of plans drops everything": ({"plan.json": PLAN.read_bytes()}, _view_drops),
    "the reader of templates drops a resource": ({"stack.yaml": TEMPLATE}, _template_drops),
}


class TestMutations:
    """A reader or a filter that loses a key makes an error, which is exit 3, and not silence."""

    @pytest.mark.parametrize("name", MUTATIONS)
    def test_nothing_goes_missing_unseen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        files, change = MUTATIONS[name]
        write(tmp_path, files)
        sound = evaluated(tmp_path)
        assert sound.counts.evaluated and not sound.errors
        assert {item.outcome for item in sound.coverage} <= {CoverageOutcome.JUDGED, CoverageOutcome.UNKNOWN}
        change(monkeypatch)
        errors = evaluated(tmp_path).errors
        assert errors and {error.kind for error in errors} == {"not_evaluated"}


class TestWhatIsNoDeclaration:
    """Text that looks like a key and declares none is no error, and the reason says what it is."""

    NONE = "names what is judged without declaring it"
    COMMENTS = "names what is judged in comments only"
    QUOTED = "is a program or prose, in which what is named is not judged"
    OFF = "declares keys whose count, for_each or condition comes to none"

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (f"locals {{\n  text = <<EOT\n{KEY}EOT\n}}\n", NONE),
            (f"locals {{\n  text = <<-EOT\n    {KEY}    EOT\n}}\n", NONE),
            (f"/*\n{KEY}*/\n", COMMENTS),
            ("".join(f"# {line}\n" for line in KEY.splitlines()), COMMENTS),
            ('locals {\n  a = "arn:aws:s3:::b/*"\n}\n/* */\ndata "x" "aws_iam_access_key" {}\n', NONE),
            (KEY.replace("user", "count = 0\n  user"), OFF),
            ('variable "on" {\n  default = false\n}\n' + KEY.replace("user", "count = var.on ? 1 : 0\n  user"), OFF),
        ],
    )
    def test_terraform(self, tmp_path: Path, text: str, reason: str) -> None:
        evaluation = evaluated(write(tmp_path, {"main.tf": text}))
        assert evaluation.errors == () and not evaluation.counts.evaluated
        (item,) = evaluation.coverage
        assert (item.outcome, item.reason) == (CoverageOutcome.ABSENT, reason)

    @pytest.mark.parametrize(
        ("name", "text", "reason"),
        [
            ("deploy.sh", "cat > t.yaml <<EOF\nResources:\n  K:\n    Type: AWS::IAM::AccessKey\nEOF\n", QUOTED),
            ("deploy.sh", f"cat > main.tf <<EOF\n{KEY}EOF\n", QUOTED),
            ("guide.md", f"```hcl\n{KEY}```\n", QUOTED),
            ("deploy.sh", "# An AWS::IAM::AccessKey is made elsewhere.\n", COMMENTS),
        ],
    )
    def test_programs_and_prose(self, tmp_path: Path, name: str, text: str, reason: str) -> None:
        (item,) = evaluated(write(tmp_path, {name: text})).coverage
        assert (item.outcome, item.reason) == (CoverageOutcome.ABSENT, reason)

    def test_a_call_that_comes_to_none(self, tmp_path: Path) -> None:
        call = 'module "m" {\n  source = "./m"\n  count = 0\n}\n'
        evaluation = evaluated(write(tmp_path, {"main.tf": call, "m/main.tf": KEY}))
        assert evaluation.errors == ()
        assert [(item.outcome, item.reason) for item in evaluation.coverage] == [(CoverageOutcome.ABSENT, self.OFF)]

    def test_a_module_whose_every_instance_comes_to_none(self, tmp_path: Path) -> None:
        call = 'module "m" {\n  source = "./m"\n  for_each = { a = 0, b = 0 }\n  n = each.value\n}\n'
        inner = 'variable "n" {}\n' + KEY.replace("user", "count = var.n\n  user")
        evaluation = evaluated(write(tmp_path, {"main.tf": call, "m/main.tf": inner}))
        assert evaluation.errors == ()
        assert [(item.outcome, item.reason) for item in evaluation.coverage] == [(CoverageOutcome.ABSENT, self.OFF)]

    def test_an_override_file_is_no_key_of_its_own(self, tmp_path: Path) -> None:
        evaluation = evaluated(write(tmp_path, {"main.tf": KEY, "a_override.tf": KEY.replace("svc", "other")}))
        assert evaluation.errors == ()

    def test_a_key_behind_an_asterisk_in_a_string_is_looked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _builder_drops(monkeypatch)
        text = f'locals {{\n  a = "b/*"\n}}\n{KEY}# */\n'
        assert evaluated(write(tmp_path, {"main.tf": text})).errors

    def test_a_loop_and_the_rest_of_a_template(self, tmp_path: Path) -> None:
        loop = (
            "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Keys:\n    - N\n    - [A, B]\n"
            "    - K${N}:\n        Type: AWS::IAM::AccessKey\n        Properties:\n          UserName: !Ref N\n"
        )
        evaluation = evaluated(write(tmp_path, {"stack.yaml": loop}))
        assert evaluation.errors == () and evaluation.counts.evaluated

    @pytest.mark.parametrize("name", ["{{ .Release.Name }}Key", "{{ a/b.c }}", "Key{{ x | f(1.5) }}"])
    def test_a_name_with_the_separators_of_addresses(self, tmp_path: Path, name: str) -> None:
        text = f"Resources:\n  {name}:\n    Type: AWS::IAM::AccessKey\n"
        evaluation = evaluated(write(tmp_path, {"t.yaml": text}))
        assert evaluation.errors == () and evaluation.counts.evaluated

    def test_a_call_that_is_told_to_create_none_is_said(self, tmp_path: Path) -> None:
        call = 'module "u" {\n  source = "terraform-aws-modules/iam/aws//modules/iam-user"\n  create = false\n}\n'
        evaluation = evaluated(write(tmp_path, {"main.tf": call}))
        assert evaluation.errors == () and not evaluation.counts.evaluated
        assert any("declares an access key" in note for note in evaluation.notes)
