"""KEY_AWS_001 on Terraform: which declared rotations fire, how often, and what is said of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terraform_cases import judged, module, root_scope, write

from keyrules.code.rotation.schedule import longest_gap
from keyrules.code.verdict import Verdict

RULE = "KEY_AWS_001"
CLOCK = 'resource "time_rotating" "r" {\n  rotation_days = 30\n}\n'
KEY = "aws_iam_access_key.k"


def key(trigger: str | None = None, body: str = "", lifecycle: str = "") -> str:
    inside = f"    replace_triggered_by = [{trigger}]\n" if trigger is not None else ""
    return (
        f'resource "aws_iam_access_key" "k" {{\n  user = "bot"\n{body}\n  lifecycle {{\n{inside}{lifecycle}\n  }}\n}}\n'
    )


def verdict(folder: Path, text: str, **overrides: int) -> Verdict:
    return judged(RULE, module(folder, text), **overrides)[KEY]


def carrier(arguments: str, kind: str = "terraform_data") -> str:
    return f'resource "{kind}" "c" {{\n  {arguments}\n}}\n'


VARIABLE = 'variable "unset" {}\n'
CASES = [
    ("nothing", key(), "FAIL", "rotation_missing", "lives until"),
    ("R1 null_resource", CLOCK + carrier("triggers = { a = time_rotating.r.id }", "null_resource")
     + key("null_resource.c"),
     "PASS", "rotation_fires", "every 30 days: time_rotating.r → null_resource.c"),
    ("R1 triggers_replace", CLOCK + carrier("triggers_replace = time_rotating.r.id") + key("terraform_data.c"),
     "PASS", "rotation_fires", "time_rotating.r → terraform_data.c"),
    ("R1 input", CLOCK + carrier("input = time_rotating.r.id") + key("terraform_data.c"), "PASS", "rotation_fires", ""),
    ("input and .id", CLOCK + carrier("input = time_rotating.r.id") + key("terraform_data.c.id"),
     "FAIL", "rotation_never_fires", "terraform_data.c.id, which stays the same"),
    ("R1 time_static", CLOCK + carrier("rfc3339 = time_rotating.r.rfc3339", "time_static") + key("time_static.c"),
     "PASS", "rotation_fires", ""),
    ("R2", CLOCK + key("time_rotating.r"), "FAIL", "rotation_never_fires", "comes back as a create"),
    ("R2 attribute", CLOCK + key("time_rotating.r.rotation_rfc3339"), "FAIL", "rotation_never_fires", "directly"),
    ("R3", CLOCK + key(body="  depends_on = [time_rotating.r]"), "FAIL", "rotation_never_fires", "depends_on"),
    ("R4 data", key("data.http.x.body"), "FAIL", "rotation_never_fires", "only managed resources"),
    ("R4 local", "locals {\n  x = 1\n}\n" + key("local.x"), "FAIL", "rotation_never_fires", "local.x"),
    ("R4 var", VARIABLE + key("var.unset"), "FAIL", "rotation_never_fires", "var.unset"),
    ("R5", CLOCK + carrier('triggers = { user = "bot", at = time_rotating.r.id }', "null_resource")
     + 'resource "aws_iam_access_key" "k" {\n  user = null_resource.c.triggers.user\n}\n',
     "FAIL", "rotation_never_fires", "user passes through a trigger"),
    ("R8", key(lifecycle="    create_before_destroy = true"), "FAIL", "rotation_missing", ""),
    ("R14 keepers", key(body='  keepers = { a = "b" }'), "FAIL", "rotation_never_fires", "keepers is not an argument"),
    ("unset period", VARIABLE + 'resource "time_rotating" "r" {\n  rotation_days = var.unset\n}\n'
     + carrier("triggers_replace = time_rotating.r.id") + key("terraform_data.c"),
     "UNKNOWN", "rotation_unknown", "time_rotating.r"),
    ("serial", VARIABLE + carrier("triggers_replace = var.unset") + key("terraform_data.c"),
     "FAIL", "rotation_manual", "changes only when an input does"),
    ("prevent_destroy", CLOCK + carrier("triggers_replace = time_rotating.r.id")
     + key("terraform_data.c", lifecycle="    prevent_destroy = true"),
     "FAIL", "rotation_never_fires", "prevent_destroy"),
    ("count zero", CLOCK + carrier("count = 0\n  triggers_replace = time_rotating.r.id") + key("terraform_data.c"),
     "FAIL", "rotation_never_fires", "is empty"),
    ("fixed date", carrier('triggers_replace = "2024-02-03"') + key("terraform_data.c"),
     "FAIL", "rotation_never_fires", "2024-02-03 is a fixed date"),
    ("time_static alone", carrier("", "time_static") + key("time_static.c"),
     "FAIL", "rotation_never_fires", "keeps the timestamp of its creation"),
    ("period as value", CLOCK + carrier("triggers_replace = time_rotating.r.rotation_days") + key("terraform_data.c"),
     "FAIL", "rotation_never_fires", "is an argument"),
    ("every apply", carrier("triggers_replace = timestamp()") + key("terraform_data.c"),
     "PASS", "rotation_fires", "at every apply: timestamp() → terraform_data.c"),
    ("not declared", key("terraform_data.nowhere"), "FAIL", "rotation_never_fires", "not declared"),
    ("inactive", key(body='  status = "Inactive"'), "PASS", "not_active", ""),
    ("attribute of another type", CLOCK + 'resource "aws_s3_object" "c" {\n  content = time_rotating.r.id\n}\n'
     + key("aws_s3_object.c.etag"), "UNKNOWN", "rotation_unknown", "time_rotating.r"),
    ("another type as a whole", CLOCK + 'resource "aws_s3_object" "c" {\n  content = time_rotating.r.id\n}\n'
     + key("aws_s3_object.c"), "PASS", "rotation_fires", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "status", "reason", "said"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_idioms(tmp_path: Path, text: str, status: str, reason: str, said: str) -> None:
    found = verdict(tmp_path, text)
    assert (found.status.value, found.reason) == (status, reason)
    assert said in found.message


def test_json_syntax_in_arrays(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.tf.json": """{"resource": [
              {"time_rotating": {"r": {"rotation_days": 30}}},
              {"terraform_data": {"c": [{"input": "${time_rotating.r.id}"}]}},
              {"aws_iam_access_key": {"k": [{"lifecycle": [{"replace_triggered_by": ["terraform_data.c"]}]}]}}
            ]}"""
        },
    )
    assert judged(RULE, root_scope(tmp_path))[KEY].reason == "rotation_fires"


FORMS = {
    "two slots turned by another provider's resource": (
        'resource "flipflop" "c" {\n  value = time_rotating.r.id\n}\n'
        "locals {\n  values = [flipflop.c.a, flipflop.c.b]\n}\n"
        'resource "null_resource" "c" {\n  count = length(local.values)\n'
        '  triggers = {\n    user = "bot"\n    value = local.values[count.index]\n  }\n}\n'
        'resource "aws_iam_access_key" "k" {\n  count = length(local.values)\n'
        "  user  = null_resource.c[count.index].triggers.user\n}\n",
        {"[0]": "rotation_never_fires", "[1]": "rotation_never_fires"},
    ),
    "periods in the objects of an input, clocks chained by for_each": (
        'variable "keys" {\n  type = map(object({ days = optional(number), status = optional(string, "Active") }))\n'
        "  default = { none = {}, fast = { days = 30 }, slow = { days = 91 } }\n}\n"
        'resource "time_rotating" "c" {\n  for_each = { for k, v in var.keys : k => v if v.days != null }\n'
        "  rotation_days = each.value.days\n}\n"
        'resource "time_static" "c" {\n  for_each = time_rotating.c\n  rfc3339 = each.value.rfc3339\n}\n'
        'resource "aws_iam_access_key" "k" {\n  for_each = { for k, v in var.keys : k => v if v.days != null }\n'
        '  user = "bot"\n  status = each.value.status\n'
        "  lifecycle {\n    replace_triggered_by = [time_static.c[each.key]]\n  }\n}\n",
        {'["fast"]': "rotation_fires", '["slow"]': "rotation_too_slow"},
    ),
    "the same with an input that nobody sets": (
        'variable "keys" {}\nresource "time_rotating" "c" {\n  for_each = var.keys\n  rotation_days = 30\n}\n'
        'resource "time_static" "c" {\n  for_each = time_rotating.c\n  rfc3339 = each.value.rfc3339\n}\n'
        'resource "aws_iam_access_key" "k" {\n  for_each = var.keys\n  user = each.key\n'
        "  lifecycle {\n    replace_triggered_by = [time_static.c[each.key]]\n  }\n}\n",
        {"": "rotation_fires"},
    ),
    "a counted clock named directly": (
        'variable "on" {\n  default = true\n}\n'
        'resource "time_rotating" "c" {\n  count = var.on ? 1 : 0\n  rotation_days = 30\n}\n'
        'resource "aws_iam_access_key" "k" {\n  count = var.on ? 1 : 0\n  user = "bot"\n'
        "  lifecycle {\n    replace_triggered_by = [time_rotating.c[0].id]\n  }\n}\n",
        {"[0]": "rotation_never_fires"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), FORMS.values(), ids=FORMS)
def test_forms_found_in_public_repositories(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    found = {address.removeprefix(KEY): v.reason for address, v in judged(RULE, module(tmp_path, CLOCK + text)).items()}
    assert found == expected


@pytest.mark.parametrize("name", ["key_v3", "deploy-v12", "key_2023", "key20230614", "key_2023_september", "KEY_V2"])
def test_names_with_a_version_or_a_date_are_a_rotation_by_hand(tmp_path: Path, name: str) -> None:
    (found,) = judged(RULE, module(tmp_path, f'resource "aws_iam_access_key" "{name}" {{\n  user = "u"\n}}\n')).values()
    assert found.reason == "rotation_manual"


@pytest.mark.parametrize("name", ["this", "s3_user", "key2", "ipv4", "ses_smtp", "version", "k8s_v", "port_443"])
def test_other_names_with_numbers_are_none(tmp_path: Path, name: str) -> None:
    (found,) = judged(RULE, module(tmp_path, f'resource "aws_iam_access_key" "{name}" {{\n  user = "u"\n}}\n')).values()
    assert found.reason == "rotation_missing"


def test_what_does_not_fire_is_told_the_form_that_works(tmp_path: Path) -> None:
    found = verdict(tmp_path, CLOCK + key("time_rotating.r"))
    assert "time_rotating → terraform_data (or time_static) → replace_triggered_by" in found.message
    assert "create_before_destroy" in found.message


def test_a_verdict_names_the_clock_and_the_limit(tmp_path: Path) -> None:
    text = CLOCK + carrier("triggers_replace = time_rotating.r.id") + key("terraform_data.c")
    found = verdict(tmp_path, text, max_age_days=29)
    assert (found.status.value, found.reason) == ("FAIL", "rotation_too_slow")
    assert found.facts == {"rotation_days": 30.0, "rotation_source": "time_rotating.r", "max_age_days": 29}
    assert [(step.label, step.line) for step in found.trace] == [("time_rotating.r", 2), ("terraform_data.c", 4)]
    assert verdict(tmp_path, text, max_age_days=30).status.value == "PASS"


def test_one_second_over_the_limit_shows(tmp_path: Path) -> None:
    text = 'resource "awsutils_expiring_iam_access_key" "k" {\n  user    = "bot"\n  max_age = 7776001\n}\n'
    (found,) = judged(RULE, module(tmp_path, text)).values()
    assert found.reason == "rotation_too_slow"
    assert "every 90.0000116 days" in found.message


@pytest.mark.parametrize("entry", ["terraform_data.c", "terraform_data.c.id", "terraform_data.c.triggers_replace"])
def test_what_triggers_replace_changes_shows_in_the_whole_and_the_parts(tmp_path: Path, entry: str) -> None:
    text = CLOCK + carrier("triggers_replace = time_rotating.r.id") + key(entry)
    assert verdict(tmp_path, text).status.value == "PASS"


def test_unreadable_files_leave_an_undeclared_trigger_undecided(tmp_path: Path) -> None:
    write(tmp_path, {"broken.tf": 'resource "terraform_data" "c" {\n'})
    assert verdict(tmp_path, key("terraform_data.c")).reason == "rotation_unknown"


def test_a_module_that_is_not_here_leaves_the_period_undecided(tmp_path: Path) -> None:
    text = 'module "m" {\n  source = "acme/clock/aws"\n}\n' + carrier("triggers_replace = module.m.id")
    assert verdict(tmp_path, text + key("terraform_data.c")).reason == "rotation_unknown"


def test_instances_of_a_module_have_their_own_periods(tmp_path: Path) -> None:
    child = 'variable "days" {}\nresource "time_rotating" "r" {\n  rotation_days = var.days\n}\n'
    child += carrier("triggers_replace = time_rotating.r.id") + key("terraform_data.c")
    text = 'module "m" {\n  source   = "./m"\n  for_each = { a = 90, b = 91 }\n  days     = each.value\n}\n'
    found = judged(RULE, module(tmp_path, text, m__main=child))
    assert {address: v.reason for address, v in found.items()} == {
        f'module.m["a"].{KEY}': "rotation_fires",
        f'module.m["b"].{KEY}': "rotation_too_slow",
    }


def test_equally_named_inputs_of_two_calls_are_not_mixed_up(tmp_path: Path) -> None:
    child = (
        'variable "id" {}\n'
        + carrier("triggers_replace = var.id")
        + 'output "id" {\n  value = terraform_data.c.id\n}\n'
    )
    text = CLOCK + 'resource "time_rotating" "slow" {\n  rotation_days = 365\n}\n'
    for name, clock in (("a", "slow"), ("b", "r")):
        text += f'module "{name}" {{\n  source = "./m"\n  id     = time_rotating.{clock}.id\n}}\n'
    text += carrier("triggers_replace = [module.a.id, module.b.id]") + key("terraform_data.c")
    text += 'resource "terraform_data" "slow" {\n  triggers_replace = module.a.id\n}\n'
    text += key("terraform_data.slow").replace('"k"', '"slow"')
    found = judged(RULE, module(tmp_path, text, m__main=child))
    reasons = {address: v.reason for address, v in found.items()}
    assert reasons == {KEY: "rotation_fires", "aws_iam_access_key.slow": "rotation_too_slow"}


def test_a_module_folder_that_is_missing_leaves_the_period_undecided(tmp_path: Path) -> None:
    text = 'module "m" {\n  source = "./missing"\n}\n' + carrier("triggers_replace = module.m.id")
    assert verdict(tmp_path, text + key("terraform_data.c")).reason == "rotation_unknown"


@settings(deadline=None, max_examples=40)
@given(
    days=st.integers(1, 200),
    wraps=st.lists(
        st.sampled_from(
            ["{0}", '"x-${{{0}}}"', "[{0}]", "{{ a = {0} }}", "jsonencode({0})", "sha256(jsonencode({0}))"]
        ),
        max_size=5,
    ),
    kinds=st.lists(
        st.sampled_from(
            [
                ("terraform_data", "triggers_replace", "id"),
                ("terraform_data", "input", "output"),
                ("null_resource", "triggers", "id"),
                ("time_static", "triggers", "rfc3339"),
                ("random_id", "keepers", "hex"),
            ]
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_chain_of_carriers_keeps_the_period(
    tmp_path_factory: pytest.TempPathFactory, days: int, wraps: list[str], kinds: list[tuple[str, str, str]]
) -> None:
    text = f'resource "time_rotating" "r" {{\n  rotation_days = {days}\n}}\n'
    value = "time_rotating.r.id"
    for number, wrap in enumerate(wraps):
        text += f"locals {{\n  l{number} = {wrap.format(value)}\n}}\n"
        value = f"local.l{number}"
    name = ""
    for number, (kind, argument, attribute) in enumerate(kinds):
        name = f"{kind}.c{number}"
        shown = f"{{ a = jsonencode({value}) }}" if argument in ("triggers", "keepers") else value
        text += f'resource "{kind}" "c{number}" {{\n  {argument} = {shown}\n}}\n'
        value = f"{name}.{attribute}"
    found = verdict(tmp_path_factory.mktemp("chain"), text + key(name))
    assert found.facts["rotation_days"] == days
    assert found.reason == ("rotation_fires" if days <= 90 else "rotation_too_slow")


RANK = {"FAIL": 0, "UNKNOWN": 1, "PASS": 2}
TRIGGERS = [
    *(f"terraform_data.{name}" for name in ("fast", "slow", "unset", "none", "nowhere", "date")),
    "time_rotating.fast",
    "data.http.x.body",
]


@settings(deadline=None, max_examples=60)
@given(first=st.lists(st.sampled_from(TRIGGERS), max_size=3), second=st.sampled_from(TRIGGERS))
def test_another_trigger_never_makes_it_worse(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], second: str
) -> None:
    text = VARIABLE + 'resource "terraform_data" "none" {}\n'
    text += 'resource "terraform_data" "date" {\n  input = "2024-01-01"\n}\n'
    for name, days in (("fast", "30"), ("slow", "300"), ("unset", "var.unset")):
        text += f'resource "time_rotating" "{name}" {{\n  rotation_days = {days}\n}}\n'
        text += f'resource "terraform_data" "{name}" {{\n  input = time_rotating.{name}.id\n}}\n'
    folder = tmp_path_factory.mktemp("more")
    before = verdict(folder, text + key(", ".join(first)))
    after = verdict(folder, text + key(", ".join([*first, second])))
    assert RANK[after.status.value] >= RANK[before.status.value]


HOSTILE = {
    "locals in a circle": "locals {\n  a = local.b\n  b = local.a\n}\n"
    + carrier("triggers_replace = local.a") + key("terraform_data.c"),
    "carriers in a circle": 'resource "terraform_data" "a" {\n  input = terraform_data.c.id\n}\n'
    + carrier("triggers_replace = terraform_data.a.output") + key("terraform_data.c"),
    "a clock that triggers itself": 'resource "time_rotating" "c" {\n  lifecycle {\n'
    "    replace_triggered_by = [time_rotating.c]\n  }\n}\n" + key("time_rotating.c"),
    "a key that triggers itself": key("aws_iam_access_key.k"),
    "doubling locals": "locals {\n  l0 = [time_rotating.r.id]\n"
    + "".join(f"  l{n} = [local.l{n - 1}, local.l{n - 1}]\n" for n in range(1, 60)) + "}\n"
    + CLOCK + carrier("triggers_replace = local.l59") + key("terraform_data.c"),
    "doubling strings": 'locals {\n  l0 = "${time_rotating.r.id}"\n'
    + "".join(f'  l{n} = "${{local.l{n - 1}}}${{local.l{n - 1}}}"\n' for n in range(1, 60)) + "}\n"
    + CLOCK + carrier("triggers_replace = local.l59") + key("terraform_data.c"),
    "a chain of a thousand locals": "locals {\n  l0 = time_rotating.r.id\n"
    + "".join(f"  l{n} = local.l{n - 1}\n" for n in range(1, 1000)) + "}\n"
    + CLOCK + carrier("triggers_replace = local.l999") + key("terraform_data.c"),
    "doubling conditionals": VARIABLE + "locals {\n  l0 = time_rotating.r.id\n"
    + "".join(f"  l{n} = var.unset == {n} ? local.l{n - 1} : [local.l{n - 1}]\n" for n in range(1, 40)) + "}\n"
    + CLOCK + carrier("triggers_replace = local.l39") + key("terraform_data.c"),
    "a power": 'resource "time_rotating" "r" {\n  rotation_days = pow(10, 1e9)\n}\n'
    + carrier("triggers_replace = time_rotating.r.id") + key("terraform_data.c"),
    "a number beyond floats": 'resource "time_rotating" "r" {\n  rotation_days = 1e300 * 1e300\n}\n'
    + carrier("triggers_replace = time_rotating.r.id") + key("terraform_data.c"),
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_modules_end_and_never_pass_by_mistake(tmp_path: Path, text: str) -> None:
    found = verdict(tmp_path, text)
    if found.status.value == "PASS":
        assert found.facts["rotation_days"] == 30
    assert found.message


def test_modules_that_call_each_other_end(tmp_path: Path) -> None:
    call = 'module "{0}" {{\n  source = "../{1}"\n}}\n'
    files = {"main.tf": call.format("a", "x/a").replace("../", "./") + key()}
    files["x/a/main.tf"] = call.format("b", "b") + call.format("b2", "b") + key()
    files["x/b/main.tf"] = call.format("a", "a") + call.format("self", "b") + key()
    assert all(v.reason == "rotation_missing" for v in judged(RULE, root_scope(write(tmp_path, files))).values())


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("rate(10 days)", 10),
        ("rate(1 day)", 1),
        ("rate(2160 hours)", 90),
        ("rate(30 minutes)", 30 / 1440),
        ("rate(0 days)", None),
        ("rate(3 weeks)", None),
        ("cron(0 8 * * ? *)", 1),
        ("cron(0 */4 * * ? *)", 1),
        ("cron(0 8 ? * SUN *)", 7),
        ("cron(0 8 ? * 2,5 *)", 4),
        ("cron(0 8 1 * ? *)", 31),
        ("cron(0 8 1,15 * ? *)", 17),
        ("cron(0 8 L * ? *)", 31),
        ("cron(0 8 31 * ? *)", 61),
        ("cron(0 8 1 */3 ? *)", 92),
        ("cron(0 8 1 JAN,APR,JUL,OCT ? *)", 92),
        ("cron(0 8 29 2 ? *)", 1461),
        ("cron(0 8 ? * MON#1 *)", 35),
        ("cron(0 8 ? * 6L *)", 35),
        ("cron(0 8 1 * ? 2030)", None),
        ("cron(0 8 15W * ? *)", None),
        ("cron(0 8 1 13 ? *)", None),
        ("cron(0 8 30 2 ? *)", None),
        ("cron(0 8 1/0 * ? *)", None),
        ("every day", None),
    ],
)
def test_schedules_of_secrets_manager(expression: str, days: float | None) -> None:
    assert longest_gap(expression) == days
