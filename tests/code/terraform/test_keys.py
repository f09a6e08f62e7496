"""Which keys a configuration declares, whose they are (KEY_AWS_003, KEY_AWS_004), and which exclude each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from terraform_cases import judged, module, outcomes, root_scope, write

from keyrules.code.terraform.keys import declared_keys
from keyrules.model import InputError

INPUTS = """
variable "x" {}
variable "y" {}
variable "people" {
  type = set(string)
}
variable "others" {
  type = set(string)
}
variable "machines" {}
"""


def pair(first: str, second: str) -> str:
    return "".join(f'resource "aws_iam_access_key" "{n}" {{\n{body}\n}}\n' for n, body in (("a", first), ("b", second)))


def addresses(folder: Path, text: str) -> list[str]:
    return [key.address for key in declared_keys(module(folder, text))]


@pytest.mark.parametrize(
    ("arguments", "instances"),
    [
        ("", [""]),
        ("count = 0", []),
        ("count = 2", ["[0]", "[1]"]),
        ('count = "1"', ["[0]"]),
        ("count = var.x", [""]),
        ("count = -1", [""]),
        ("count = 1.5", [""]),
        ("count = 100000", [""]),
        ("count = null", [""]),
        ("count = length([1, 2, 3]) - 2", ["[0]"]),
        ('for_each = toset(["b", "a"])', ['["a"]', '["b"]']),
        ("for_each = { a = 1 }", ['["a"]']),
        ("for_each = {}", []),
        ("for_each = var.x", [""]),
        ("for_each = { (var.x) = 1 }", [""]),
        ("for_each = { for n in range(2) : n => n }", ['["0"]', '["1"]']),
        ("for_each = aws_iam_user.u", ['["a"]', '["b"]']),
        ("for_each = toset(keys(aws_iam_user.u))", ['["a"]', '["b"]']),
    ],
)
def test_instances(tmp_path: Path, arguments: str, instances: list[str]) -> None:
    users = 'resource "aws_iam_user" "u" {\n  for_each = toset(["a", "b"])\n  name = each.key\n}\n'
    text = INPUTS + users + f'resource "aws_iam_access_key" "k" {{\n  user = "u"\n  {arguments}\n}}\n'
    assert addresses(tmp_path, text) == [f"aws_iam_access_key.k{instance}" for instance in instances]


def test_an_unresolved_count_is_judged_once_and_says_so(tmp_path: Path) -> None:
    text = INPUTS + 'resource "aws_iam_access_key" "k" {\n  count = var.x\n  user  = "u"\n}\n'
    (verdict,) = judged("KEY_AWS_001", module(tmp_path, text)).values()
    assert verdict.status.value == "FAIL"
    assert "judged as if declared once" in verdict.message


def test_modules_declare_keys_for_each_of_their_instances(tmp_path: Path) -> None:
    text = "".join(
        f'module "{name}" {{\n  source = "./m"\n  {arguments}\n}}\n'
        for name, arguments in (("a", "count = 2"), ("b", "count = 0"), ("c", 'for_each = toset(["x"])'), ("d", ""))
    )
    child = 'resource "aws_iam_access_key" "k" {\n  user = "u"\n}\n'
    found = [key.address for key in declared_keys(module(tmp_path, text, m__main=child))]
    prefixes = ["module.a[0].", "module.a[1].", 'module.c["x"].', "module.d."]
    assert found == [f"{prefix}aws_iam_access_key.k" for prefix in prefixes]


def test_only_types_that_create_aws_keys_count(tmp_path: Path) -> None:
    kinds = (
        "aws_iam_access_key",
        "awsutils_expiring_iam_access_key",
        "alicloud_ram_access_key",
        "minio_iam_service_account",
    )
    text = "".join(f'resource "{kind}" "k" {{\n  user = "u"\n}}\n' for kind in kinds)
    text += 'data "aws_iam_access_keys" "k" {\n  user = "u"\n}\n'
    text += "moved {\n  from = aws_iam_access_key.o\n  to   = aws_iam_access_key.k\n}\n"
    assert addresses(tmp_path, text) == ["aws_iam_access_key.k", "awsutils_expiring_iam_access_key.k"]


SAME = [
    ('"u"', '"u"'),
    ('"u"', '"${"u"}"'),
    ("aws_iam_user.u.name", "aws_iam_user.u.id"),
    ("aws_iam_user.u.name", '"literal"'),
    ("aws_iam_user.v.name", "aws_iam_user.v.id"),
    ("aws_iam_user.v.name", "var.x"),
    ("var.x", "local.alias"),
    ('"${var.x}-a"', '"${local.alias}-a"'),
    ("lower(var.x)", "lower(local.alias)"),
    ("local.table.one", 'local.table["one"]'),
    ("module.registry.name", "module.registry.name"),
    ("module.m.user", "var.x"),
    ("data.aws_iam_user.d.user_name", '"existing"'),
    ("var.machines[0]", "var.machines[0]"),
]
DIFFERENT = [
    ('"u"', '"U"'),
    ("var.x", "var.y"),
    ('"${var.x}-a"', '"${var.x}-b"'),
    ('"a-${var.x}"', '"b-${var.x}"'),
    ("local.table.one", "local.table.two"),
    ("lower(var.x)", "upper(var.x)"),
    ("var.machines[0]", "var.machines[1]"),
    ("module.registry.name", "module.registry.other"),
    ("module.registry.name", "module.second.name"),
    ("module.m.user", "module.n.user"),
    ("aws_iam_user.v.name", "aws_iam_user.w.name"),
    ("var.x ? var.y : var.x", "var.x ? var.x : var.y"),
]
USERS = (("u", '"literal"'), ("v", "var.x"), ("w", "var.y"))
WORLD = (
    INPUTS
    + "locals {\n  alias = var.x\n  table = { one = var.x, two = var.y }\n}\n"
    + "".join(f'resource "aws_iam_user" "{name}" {{\n  name = {value}\n}}\n' for name, value in USERS)
    + 'data "aws_iam_user" "d" {\n  user_name = "existing"\n}\n'
    + "".join(f'module "{name}" {{\n  source = "acme/{name}/aws"\n}}\n' for name in ("registry", "second"))
    + "".join(f'module "{n}" {{\n  source = "./m"\n  name = var.{v}\n}}\n' for n, v in (("m", "x"), ("n", "y")))
)
CHILD = """
variable "name" {}
resource "aws_iam_user" "u" {
  name = var.name
}
output "user" {
  value = aws_iam_user.u.name
}
"""


def two_users(folder: Path, first: str, second: str) -> set[str]:
    text = WORLD + pair(f"user = {first}", f"user = {second}")
    return {status for status, _ in outcomes("KEY_AWS_003", module(folder, text, m__main=CHILD)).values()}


@pytest.mark.parametrize(("first", "second"), SAME)
def test_two_keys_of_one_user_fail_however_it_is_named(tmp_path: Path, first: str, second: str) -> None:
    assert two_users(tmp_path, first, second) == {"FAIL"}


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_keys_of_users_that_may_differ_pass(tmp_path: Path, first: str, second: str) -> None:
    assert two_users(tmp_path, first, second) == {"PASS"}


FOR_EACH = [
    ("for_each = var.people\nuser = each.value", "for_each = var.people\nuser = each.key", "FAIL"),
    ("for_each = var.people\nuser = each.value", "for_each = var.others\nuser = each.value", "PASS"),
    ("for_each = var.machines\nuser = each.value", "for_each = var.machines\nuser = each.key", "UNKNOWN PASS"),
    ('for_each = var.people\nuser = "${each.key}-a"', 'for_each = var.people\nuser = "${each.key}-b"', "PASS"),
    ("count = 2\nuser = var.machines[count.index]", 'user = "u"', "PASS"),
    ("count = 2\nuser = var.x", 'user = "u"', None),
]


MEMBERS = [
    ("count = length(keys(var.m))\nuser = element(keys(var.m), count.index)", "PASS"),
    ('count = "${length(keys(var.m))}"\nuser = "${element(keys(var.m), count.index)}"', "PASS"),
    ("count = length(var.m)\nuser = keys(var.m)[count.index]", "PASS"),
    ("count = length(local.people)\nuser = local.people[count.index]", "PASS"),
    # element() starts over, so a count of its own may come to a member twice.
    ("count = var.n\nuser = element(keys(var.m), count.index)", "UNKNOWN"),
    ("count = length(keys(var.o))\nuser = element(keys(var.m), count.index)", "UNKNOWN"),
    ("count = length(values(var.m))\nuser = element(values(var.m), count.index)", "UNKNOWN"),
    ("count = length(var.m)\nuser = values(var.m)[count.index]", "UNKNOWN"),
    ("count = length(var.m)\nuser = keys(var.m)[0]", "UNKNOWN"),
    ("count = length(var.m)\nuser = keys(var.m)[count.index % 2]", "UNKNOWN"),
]


@pytest.mark.parametrize(("block", "status"), MEMBERS)
def test_members_of_a_list_by_their_number(tmp_path: Path, block: str, status: str) -> None:
    inputs = 'variable "m" {}\nvariable "n" {}\nvariable "o" {}\nlocals {\n people = distinct(var.o)\n}\n'
    text = f'{inputs}resource "aws_iam_access_key" "a" {{\n{block}\n}}\n'
    found = outcomes("KEY_AWS_003", module(tmp_path, text))
    assert {one for one, _ in found.values()} == {status}


@pytest.mark.parametrize(("first", "second", "status"), FOR_EACH)
def test_instances_of_unresolved_collections(tmp_path: Path, first: str, second: str, status: str | None) -> None:
    found = {a: s for a, (s, _) in outcomes("KEY_AWS_003", module(tmp_path, INPUTS + pair(first, second))).items()}
    if status is None:
        expected = {
            "aws_iam_access_key.a[0]": "FAIL",
            "aws_iam_access_key.a[1]": "FAIL",
            "aws_iam_access_key.b": "PASS",
        }
        assert found == expected
    else:
        assert set(found.values()) == set(status.split())


EXCLUSIVE = [
    ("var.x ? 1 : 0", "var.x ? 0 : 1"),
    ("var.x ? 1 : 0", "!var.x ? 1 : 0"),
    ("!(!var.x) ? 1 : 0", "!var.x ? 1 : 0"),
    ("var.x == true ? 1 : 0", "var.x ? 0 : 1"),
    ('var.x == "a" ? 1 : 0', 'var.x == "b" ? 1 : 0'),
    ('var.x == "a" ? 1 : 0', 'var.x != "a" ? 1 : 0'),
    ('"a" == var.x ? 1 : 0', 'var.x == "b" ? 1 : 0'),
    ("var.x && var.y ? 1 : 0", "var.x && !var.y ? 1 : 0"),
    ("var.x || var.y ? 0 : 1", "var.x ? 1 : 0"),
    ("var.x ? (var.y ? 1 : 0) : 0", "var.y ? 0 : 1"),
    ("var.x == null ? 1 : 0", "var.x != null ? 1 : 0"),
    ("local.count", "var.x ? 0 : 1"),
    ("length(var.machines) > 0 ? 1 : 0", "length(var.machines) > 0 ? 0 : 1"),
]
TOGETHER = [
    ("var.x ? 1 : 0", "var.x ? 1 : 0"),
    ("var.x ? 1 : 0", "var.y ? 0 : 1"),
    ("var.x ? 1 : 0", "1"),
    ("var.x ? 1 : 1", "var.x ? 0 : 1"),
    ('var.x == "a" ? 1 : 0', 'var.x != "b" ? 1 : 0'),
    ("var.x || var.y ? 1 : 0", "var.x ? 0 : 1"),
    ("var.x && var.y ? 0 : 1", "var.x ? 1 : 0"),
    ("var.x", "!var.x ? 1 : 0"),
]


def counted(folder: Path, first: str, second: str) -> set[str]:
    text = INPUTS + "locals {\n  on = var.x\n  count = local.on ? 1 : 0\n}\n"
    text += pair(f'count = {first}\nuser = "u"', f'count = {second}\nuser = "u"')
    return {status for status, _ in outcomes("KEY_AWS_003", module(folder, text)).values()}


@pytest.mark.parametrize(("first", "second"), EXCLUSIVE)
def test_keys_that_are_never_declared_together_pass(tmp_path: Path, first: str, second: str) -> None:
    assert counted(tmp_path, first, second) == {"PASS"}


@pytest.mark.parametrize(("first", "second"), TOGETHER)
def test_keys_that_may_be_declared_together_fail(tmp_path: Path, first: str, second: str) -> None:
    assert "FAIL" in counted(tmp_path, first, second)


def test_an_input_of_a_module_is_not_the_root_input_of_that_name(tmp_path: Path) -> None:
    child = 'variable "x" {}\nresource "aws_iam_access_key" "k" {\n  count = var.x ? 1 : 0\n  user = "u"\n}\n'
    text = INPUTS + 'resource "aws_iam_access_key" "k" {\n  count = var.x ? 0 : 1\n  user = "u"\n}\n'
    other = text + 'module "m" {\n  source = "./m"\n  x = var.y\n}\n'
    assert {s for s, _ in outcomes("KEY_AWS_003", module(tmp_path, other, m__main=child)).values()} == {"FAIL"}
    same = text + 'module "m" {\n  source = "./m"\n  x = var.x\n}\n'
    assert {s for s, _ in outcomes("KEY_AWS_003", module(tmp_path, same, m__main=child)).values()} == {"PASS"}


def test_a_second_key_that_is_inactive_is_no_second_key(tmp_path: Path) -> None:
    text = pair('user = "u"', 'user = "u"\nstatus = "Inactive"')
    assert outcomes("KEY_AWS_003", module(tmp_path, text)) == {
        "aws_iam_access_key.a": ("PASS", "only_active_key"),
        "aws_iam_access_key.b": ("PASS", "not_active"),
    }


def test_the_message_names_the_other_key_and_no_text_of_the_code(tmp_path: Path) -> None:
    text = INPUTS + pair('user = "secretive-${var.x}"', 'user = "secretive-${var.x}"')
    verdict = judged("KEY_AWS_003", module(tmp_path, text))["aws_iam_access_key.a"]
    assert "aws_iam_access_key.b" in verdict.message
    assert verdict.facts == {"active_keys": 2, "others": "aws_iam_access_key.b"}
    assert "secretive" not in verdict.message


def test_many_keys_of_one_user_are_counted_quickly_and_not_all_named(tmp_path: Path) -> None:
    found = judged(
        "KEY_AWS_003", module(tmp_path, 'resource "aws_iam_access_key" "k" {\n  count = 300\n  user = "u"\n}\n')
    )
    assert {verdict.facts["active_keys"] for verdict in found.values()} == {300}
    assert all(len(verdict.message) < 1000 for verdict in found.values())


@pytest.mark.parametrize(
    ("profile", "key", "status"),
    [
        ('user = "u"', 'user = "u"', "FAIL"),
        ("user = var.x", "user = var.x", "FAIL"),
        ('user = "u"', 'user = "v"', "PASS"),
        ("user = var.x", "user = var.y", "PASS"),
        ('user = "u"', 'user = "u"\nstatus = "Inactive"', "PASS"),
        ('count = 0\nuser = "u"', 'user = "u"', "PASS"),
        ('count = var.x ? 1 : 0\nuser = "u"', 'count = var.x ? 0 : 1\nuser = "u"', "PASS"),
        ('count = var.x ? 1 : 0\nuser = "u"', 'user = "u"', "FAIL"),
        ("for_each = var.people\nuser = each.value", "for_each = var.people\nuser = each.key", "FAIL"),
        ("for_each = var.people\nuser = each.value", "for_each = var.machines\nuser = each.key", "PASS"),
    ],
)
def test_a_key_beside_a_console_password(tmp_path: Path, profile: str, key: str, status: str) -> None:
    text = f'{INPUTS}resource "aws_iam_user_login_profile" "p" {{\n{profile}\n}}\n'
    text += f'resource "aws_iam_access_key" "k" {{\n{key}\n}}\n'
    assert {s for s, _ in outcomes("KEY_AWS_004", module(tmp_path, text)).values()} == {status}


def test_module_calls_that_multiply_without_end_are_refused(tmp_path: Path) -> None:
    files = {}
    for level in range(20):
        calls = "".join(f'module "{name}" {{\n  source = "../m{level + 1}"\n}}\n' for name in ("a", "b"))
        files[f"m{level}/main.tf"] = calls
    files["m20/main.tf"] = 'resource "aws_iam_access_key" "k" {\n  user = "u"\n}\n'
    write(tmp_path, files)
    with pytest.raises(InputError, match="calls modules in more than"):
        list(declared_keys(root_scope(tmp_path / "m0")))
