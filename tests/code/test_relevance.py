"""Relevance may say yes too often, never no too often: held against a scan that evaluates every file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trigger_vocabulary
from generated_code import repositories
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scanned_without import (
    AS_OF,
    LITERALS,
    Fact,
    everything_relevant,
    files_below,
    with_relevance,
    without_relevance,
)
from scanning import FIXTURES, write

from keyrules.code import relevance, trigger_words
from keyrules.code.discovery import discover
from keyrules.code.judging import RULES
from keyrules.code.literals import candidates as literal_candidates
from keyrules.code.relevance import (
    computes_sources,
    concerns_cloudformation,
    concerns_terraform,
    could_be_plan,
    local_sources,
)
from keyrules.code.scan import ScanRequest, scan
from keyrules.code.scan_unit import Unit
from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.model import Plane, Selection
from keyrules.pack.catalog import load_pack

KEY = 'resource "aws_iam_access_key" "k" {}\n'
CODE_RULES = [rule.id for rule in load_pack().rules if Plane.CODE in rule.planes]


class TestTheVocabulary:
    def test_it_is_derived_from_the_rules(self) -> None:
        text = trigger_vocabulary.render(trigger_vocabulary.vocabulary(load_pack()))
        stale = trigger_vocabulary.TARGET.read_text("utf-8") != text
        assert not stale, f"iac/trigger_words.py is stale; run {trigger_vocabulary.REGENERATE}"


class TestBytes:
    @pytest.mark.parametrize(
        "data",
        [
            KEY.encode(),
            b"resource aws_iam_access_key k {}",
            rb'{"resource": {"aws_iam\u005faccess_key": {}}}',
            rb'{"resource": {"\u0061ws_iam_access_key": {}}}',
            rb'resource "\U00000061ws_iam_access_key" "k" {}',
            b'resource "awsutils_expiring_iam_access_key" "k" {}',
            b'module "u" { source = "terraform-aws-modules/iam/aws//modules/iam-user" }',
            rb'{"module": {"u": {"source": "terraform-aws-modules\/iam\/aws\/\/modules\/iam\u002duser"}}}',
            b'module "u" { source = "git@github.com:cloudposse/terraform-aws-iam-system-user.git" }',
            KEY.encode("utf-16"),
            KEY.encode("utf-16-be"),
            rb"# \x4aws_iam_access_key",
            b'module "u" {\n  source = "acme/u/aws"\n  create_access_key = true\n}\n',
            b'output "s" {\n  value = module.u.secret\n}\n',
            b'output "s" {\n  value = module.u["a"].my_iam_access_key_secret\n}\n',
            b'{"output": {"s": {"value": "${module.u[0].ses_smtp_password_v4}"}}}',
            b'output "s" {\n  value = local.m.secret\n}\n',
            b'output "s" {\n  value = lookup(var.given, "secret_key", "")\n}\n',
            b'{"output": {"s": {"value": "${local.m[\\"secret\\"]}"}}}',
            b"x = { for n, m in local.several :\n  n => m . iam_access_key_secret\n}\n",
            b'x = data.tfe_outputs.s.values["CiSecretAccessKey"]',
            b"x = data.terraform_remote_state.s.outputs.SmtpPassword",
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
            *(f'"AWS::IAM\\{end}  \t::AccessKey"' for end in ("\n", "\r\n", "\r", "\x85", "\u2028", "\u2029")),
        ],
    )
    def test_templates(self, text: str) -> None:
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"):
            if encoding != "latin-1" or max(text) <= "\xff":
                assert concerns_cloudformation(text.encode(encoding)), encoding

    @pytest.mark.parametrize(
        "text",
        [
            "Type: My::Iam::AccessKey::MODULE",
            "Type: My::Iam::User::MODULE\nx: !GetAtt M.Key.SecretAccessKey",
            "Type: AWS::CloudFormation::Stack\nx: !GetAtt M.Outputs.Secret\n",
            'Type: AWS::CloudFormation::Stack\nx: !GetAtt [M, "Outputs.SmtpPassword"]',
            "Type: AWS::CloudFormation::Stack\nParameters: {CreateAccessKey: true}",
            "Type: AWS::Serverless::Application\nx: !Sub ${M.Outputs.CiSecretAccessKey}",
        ],
    )
    def test_templates_that_are_elsewhere(self, text: str) -> None:
        assert concerns_cloudformation(text.encode())
        assert concerns_cloudformation(text.encode("utf-16"))

    @pytest.mark.parametrize(
        ("text", "sources"),
        [
            ('source = "./a"', ["./a"]),
            ('source="../a/b"', ["../a/b"]),
            ("source\t=\t/* the old one */ './a'", ["./a"]),
            (r'"source": ".\/a\/\u002e./b"', ["./a/../b"]),
            (r'source = ".\\modules\\a"', [".//modules//a"]),
            (r'source = "\u002e/a"', ["./a"]),
            ('source = "/srv/a"', ["/srv/a"]),
            ('source = "file:///srv/a"', ["file:///srv/a"]),
            ('source = ("./a")', []),
            ('source = "hashicorp/consul/aws"', []),
            ("resource = 1", []),
        ],
    )
    def test_local_sources(self, text: str, sources: list[str]) -> None:
        assert local_sources(text.encode()) == sources
        assert local_sources(text.encode("utf-16")) == sources

    @pytest.mark.parametrize(
        ("text", "computed"),
        [
            ('module "a" {\n  source = "./a"\n}', False),
            ('module "a" { source = "./a" }', False),
            ('{"module": {"a": {"source": "./a"}}}', False),
            ('module "a" {\n  source = "acme/a/aws" # why\n}', False),
            ('module "a" {\n  source = ("./a")\n}', True),
            ('module "a" {\n  source = true ? "./a" : ""\n}', True),
            ('module "a" {\n  source = "./a" == "" ? "./b" : "./c"\n}', True),
            ('module "a" {\n  source = "./${"a"}"\n}', True),
            ("module a {\n  source = local.a\n}", True),
            ('{"module": {"a": {"source": "${local.a}"}}}', True),
            ('resource "aws_s3_object" "o" {\n  source = "${path.module}/x"\n  key = module.a.b\n}', False),
        ],
    )
    def test_computed_sources(self, text: str, computed: bool) -> None:
        assert computes_sources(text.encode()) is computed

    @pytest.mark.parametrize("word", ['{"format_version": 1', '{"terraform_version":', '{"@level":"info"'])
    def test_files_of_terraform_itself(self, word: str) -> None:
        assert could_be_plan(word.encode()) and could_be_plan(word.encode("utf-16"))

    def test_other_text_is_left_alone(self) -> None:
        assert not concerns_terraform(b'resource "aws_iam_user" "u" {}\n# \\u0041 \\x41\n')
        assert not concerns_terraform(b'module "v" { source = "terraform-aws-modules/vpc/aws" }\n')
        assert not concerns_terraform(b"x = module.db.secret_arn + module.db.secrets\n")
        assert not concerns_terraform(b'x = [var.secret, local.secret_key, each.secret, "the secret"]\nsecret = "a"\n')
        assert not concerns_cloudformation(b'Type: AWS::IAM::User\nx: "\\u0041 \\x41"\n')
        assert not concerns_cloudformation(b"Type: AWS::CloudFormation::Stack\nx: !GetAtt M.Outputs.SecretArn\n")
        assert not concerns_cloudformation(b"Type: My::Iam::User::MODULE\n")
        assert not could_be_plan(b'{"version": 1}')


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=repositories(), data=st.data())
def test_nothing_is_missed_in_generated_repositories(files: dict[str, bytes], data: st.DataObject) -> None:
    """Whole, a folder of it, and files named one by one, as a hook does."""
    with TemporaryDirectory() as name:
        root = write(Path(name).resolve(), files)
        folders = sorted({str(Path(file).parent) for file in files})
        named = data.draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=3, unique=True))
        for paths in (["."], [data.draw(st.sampled_from(folders))], named):
            where = [root / path for path in paths]
            assert with_relevance(where, root) == without_relevance(where, root), paths


def test_nothing_is_missed_with_checkov(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules that Checkov decides, over a repository of which half is relevant."""
    key = 'resource "aws_iam_access_key" "k" {\n  user   = var.user\n  status = "Inactive"\n}\nvariable "user" {}\n'
    call = 'module "m" {\n  source = "../modules/user"\n  user   = "root"\n}\n'
    registry = 'module "u" {\n  source = "terraform-aws-modules/iam/aws//modules/iam-user"\n  name = "x"\n}\n'
    other = 'module "vpc" {\n  source = "terraform-aws-modules/vpc/aws"\n}\nresource "aws_vpc" "v" {}\n'
    kinds = ("aws_iam_account_password_policy", "aws_iam_service_specific_credential")
    settings = "".join(f'resource "{kind}" "b" {{\n  service_name = "x"\n}}\n' for kind in kinds)
    template = '{"Resources": {"K": {"Type": "AWS::IAM::%s", "Properties": {"UserName": "svc"}}}}'
    write(
        tmp_path,
        {
            **{"live/main.tf": call, "modules/user/main.tf": key, "registry/main.tf": registry, "net/main.tf": other},
            **{"json/main.tf.json": '{"resource": {"aws_iam\\u005faccess_key": {"k": {"user": "root"}}}}'},
            **{"key.json": template % "Access\\u004bey", "user.json": template % "User"},
            **{"settings/main.tf": settings, "policy.json": template % "\\u0055serPolicy"},
            **{"deploy.sh": "AWS_SECRET_ACCESS_KEY=wJ8rXUtnqEM1kK7MDEN9bPxRfiCYzQf4LmT2vWs5\n"},
        },
    )
    monkeypatch.chdir(tmp_path)
    pack = load_pack()
    request = ScanRequest((Path(),), pack, Selection(pack.rules), AS_OF, tmp_path, keep_passing=True)
    ours = scan(request)
    with everything_relevant():
        everything = scan(request)
    assert len(everything.inputs) > len(ours.inputs)
    assert ours.findings == everything.findings and ours.errors == everything.errors == ()
    assert {finding.rule for finding in ours.findings} == set(CODE_RULES)


class TestFixtures:
    def test_nothing_is_missed(self) -> None:
        folders = [folder for folder in sorted(FIXTURES.glob("KEY_AWS_*/*")) if folder.name != "live"]
        assert len(folders) > 30
        for folder in folders:
            assert with_relevance([folder], folder) == without_relevance([folder], folder), folder

    def test_nothing_is_missed_in_files_named_one_by_one(self) -> None:
        missed = []
        for folder in (path for path in sorted(FIXTURES.glob("KEY_AWS_0*/*")) if path.name != "live"):
            for path in files_below(folder)[:4]:
                if with_relevance([path], folder) != without_relevance([path], folder):
                    missed.append(path)
        assert missed == []


def _only(word: str, rule: str) -> dict[str, bytes]:
    """The fixtures of a rule with no other word of the vocabulary than one: the blocks with others are cut out."""
    others = [w for words in WORDS.values() for w in words if w != word]
    kept: dict[str, bytes] = {}
    for path in files_below(FIXTURES / rule):
        if "live" in path.parts or "terraform_plan" in path.parts:
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".tf":
            text = _without_blocks(text, others)
        if not any(other in text for other in others):
            kept[path.relative_to(FIXTURES).as_posix()] = text.encode()
    return kept


def _without_blocks(text: str, words: list[str]) -> str:
    try:
        blocks = parse_hcl(text).blocks
    except HclSyntaxError:
        return text
    lines = text.split("\n")
    for block in blocks:
        inside = slice(block.start_line - 1, block.end_line)
        if any(word in line for line in lines[inside] for word in words):
            lines[inside] = [""] * (block.end_line - block.start_line + 1)
    return "\n".join(re.sub("#.*", "", line) if any(word in line for word in words) else line for line in lines)


WORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(word.decode() for word in getattr(relevance, name)) for name in ("TERRAFORM_TYPES", "TEMPLATE_TYPES")
}
TRIGGERS = [
    (rule, name, word)
    for rule in CODE_RULES
    for name, words in WORDS.items()
    for word in words
    if rule != LITERALS and any(word.encode() in data for data in _only(word, rule).values())
]


ON_BLOCKS = {rule for rule in CODE_RULES if rule in RULES and RULES[rule].on_keys is None and RULES[rule].on_blocks}
BLOCKS = [(name, row) for name in ("TERRAFORM_BLOCKS", "TEMPLATE_BLOCKS") for row in getattr(relevance, name)]


class TestMutations:
    """Each word that is taken away makes the comparison fail, for every rule that depends on it."""

    def test_every_rule_and_every_word_is_tried(self) -> None:
        assert {rule for rule, _, _ in TRIGGERS} == set(CODE_RULES) - {LITERALS} - ON_BLOCKS
        assert {word for _, _, word in TRIGGERS} == {word for words in WORDS.values() for word in words}
        types = {rule: {word for tried, _, word in TRIGGERS if tried == rule} for rule in CODE_RULES}
        assert all("aws_iam_access_key" in types[rule] for rule in set(CODE_RULES) - {LITERALS} - ON_BLOCKS)

    @pytest.mark.parametrize(("rule", "name", "word"), TRIGGERS)
    def test_without_a_word(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, name: str, word: str
    ) -> None:
        write(tmp_path, _only(word, rule))
        everything = without_relevance([tmp_path], tmp_path)
        assert _of(rule, everything), "the fixtures hold nothing that this rule judges"
        assert with_relevance([tmp_path], tmp_path) == everything
        rest = tuple(kept for kept in getattr(relevance, name) if kept != word.encode())
        monkeypatch.setattr(relevance, name, rest)
        # The fixtures take secrets from what might be a module as well, and declare what other rules judge.
        monkeypatch.setattr(relevance, "_TAKEN_SECRET", rb"(?!)")
        monkeypatch.setattr(relevance, "TERRAFORM_BLOCKS", ())
        monkeypatch.setattr(relevance, "TEMPLATE_BLOCKS", ())
        assert _of(rule, with_relevance([tmp_path], tmp_path)) < _of(rule, everything)

    @pytest.mark.parametrize(("name", "row"), BLOCKS)
    def test_without_a_block(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, row: tuple[bytes, ...]
    ) -> None:
        kind, *arguments = (word.decode() for word in row)
        rest = tuple(other for other in getattr(relevance, name) if other != row)
        for argument in arguments or [""]:
            given = {argument: ["x"]} if argument else {}
            files: dict[str, dict[str, object]] = {
                "TERRAFORM_BLOCKS": {"main.tf.json": {"resource": {kind: {"b": given}}}},
                "TEMPLATE_BLOCKS": {"t.json": {"Resources": {"B": {"Type": kind, "Properties": given}}}},
            }
            folder = write(tmp_path / argument, {path: json.dumps(text) for path, text in files[name].items()})
            found = with_relevance([folder], folder)
            assert found and found == without_relevance([folder], folder)
            with monkeypatch.context() as patch:
                patch.setattr(relevance, name, rest)
                assert with_relevance([folder], folder) == set()
        assert relevance.names_subjects(kind.encode()) is not bool(arguments)

    def test_every_type_has_its_head(self) -> None:
        terraform = [*trigger_words.TERRAFORM_TYPES, *(row[0] for row in trigger_words.TERRAFORM_BLOCKS)]
        assert all(relevance._TERRAFORM_HEAD in word for word in terraform)
        templates = [*trigger_words.TEMPLATE_TYPES, *(row[0] for row in trigger_words.TEMPLATE_BLOCKS)]
        assert all(word.startswith(relevance._TEMPLATE_HEAD) for word in templates)

    @pytest.mark.parametrize("name", ["_WORDS", "_ENCODED_KEY_IDS"])
    def test_literals_without_a_word(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        value, key = "wJ8rXUtnqEM1kK7MDEN9bPxRfiCYzQf4LmT2vWs5", "K7QF3ZT2M5XW6JNB"
        texts = {
            b"AKIA": f"AKIA{key}\n{value}\n",
            b"secret": f"secret_key = {value}\n",
            b"smtp": f"ses_smtp_password = BE{value}9x\n",
            b"QUtJQ": f"{base64.b64encode(f'AKIA{key}'.encode()).decode()}\n{value}\n",
        }
        # A temporary key is no finding, so nothing of this kind goes missing with its words.
        words = [word for word in getattr(literal_candidates, name) if word not in (b"ASIA", b"QVNJQ")]
        for word in words:
            write(tmp_path, {"notes.md": texts[word]})
            everything = without_relevance([tmp_path], tmp_path)
            assert len(everything) == 1 and with_relevance([tmp_path], tmp_path) == everything
            with monkeypatch.context() as patch:
                patch.setattr(literal_candidates, name, tuple(kept for kept in words if kept != word))
                assert with_relevance([tmp_path], tmp_path) == set()

    @pytest.mark.parametrize("word", relevance.PLAN_WORDS)
    def test_plans_without_a_word(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
        documents = {
            b'"format_version"': b'{"format_version": "1.2", "planned_values": {}}',
            b'"terraform_version"': b'{"version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "x"}',
            b'"@level"': b'{"@level":"info","@message":"x"}',
        }
        path = write(tmp_path, {"out.json": documents[word]}) / "out.json"
        assert [unit.kind for unit in _units(path)] == ["plan"]
        monkeypatch.setattr(relevance, "PLAN_WORDS", tuple(w for w in relevance.PLAN_WORDS if w != word))
        assert _units(path) == []


def _of(rule: str, facts: set[Fact]) -> set[Fact]:
    """What a rule says; of the rules that Checkov decides, its subjects."""
    own = {fact for fact in facts if fact.rule == rule}
    return own or {fact for fact in facts if fact.rule in ("key", "call")}


def _units(path: Path) -> list[Unit]:
    return discover([path], path.parent).units
