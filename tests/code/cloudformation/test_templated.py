"""Templates with the directives of a text template around them: what each rendering would hold, never more nor less."""

from __future__ import annotations

import time

import pytest
from cloudformation_cases import judged, statuses

from keyrules.code.cloudformation.document import TemplateError
from keyrules.code.cloudformation.key_set import key_set
from keyrules.code.cloudformation.reading import read_template
from keyrules.code.cloudformation.templated import UnsoundError, plain_text
from keyrules.code.keys import Unread

KEY = "    Type: AWS::IAM::AccessKey\n"
USER = "    Properties:\n      UserName: {user}\n"


def resource(name: str, user: str = "ann", more: str = "") -> str:
    return f"  {name}:\n{KEY}{USER.format(user=user)}{more}"


def template(*parts: str) -> str:
    return "Resources:\n" + "".join(parts)


DIALECTS = {
    "jinja": ("{% if x %}", "{% else %}", "{% endif %}", "{% for y in z %}", "{% endfor %}"),
    "jinja, trimmed": ("{%- if x -%}", "{%- else -%}", "{%- endif -%}", "{%- for y in z -%}", "{%- endfor -%}"),
    "go": ("{{ if .X }}", "{{ else }}", "{{ end }}", "{{ range .Z }}", "{{ end }}"),
    "go, trimmed": ("{{- if .X }}", "{{- else }}", "{{- end }}", "{{- range .Z }}", "{{- end }}"),
    "mustache": ("{{#if x}}", "{{else}}", "{{/if}}", "{{#each z}}", "{{/each}}"),
    "erb": ("<% if x %>", "<% else %>", "<% end %>", "<% z.each do |y| %>", "<% end %>"),
    "terraform": ("%{ if x }", "%{ else }", "%{ endif }", "%{ for y in z ~}", "%{ endfor ~}"),
}
dialects = pytest.mark.parametrize("marks", DIALECTS.values(), ids=DIALECTS)


@dialects
def test_a_resource_inside_a_condition_is_declared(marks: tuple[str, ...]) -> None:
    test, otherwise, end, *_ = marks
    text = template(test, "\n", resource("A"), otherwise, "\n", resource("B"), end, "\n", resource("C"))
    assert statuses("KEY_AWS_001", text) == {"A": "FAIL", "B": "FAIL", "C": "FAIL"}


@dialects
def test_keys_of_two_ways_never_stand_together(marks: tuple[str, ...]) -> None:
    test, otherwise, end, *_ = marks
    apart = template(test, "\n", resource("A"), otherwise, "\n", resource("B"), end, "\n")
    assert statuses("KEY_AWS_003", apart) == {"A": "PASS", "B": "PASS"}
    beside = template(test, "\n", resource("A"), end, "\n", test, "\n", resource("B"), end, "\n")
    assert statuses("KEY_AWS_003", beside) == {"A": "FAIL", "B": "FAIL"}


@dialects
def test_a_property_of_one_way_only_may_be_missing(marks: tuple[str, ...]) -> None:
    test, otherwise, end, *_ = marks
    serial = f"{test}\n      Serial: 1\n{end}\n"
    assert statuses("KEY_AWS_001", template(resource("K", more=serial))) == {"K": "FAIL"}
    both = f"{test}\n      Serial: 1\n{otherwise}\n      Serial: 2\n{end}\n"
    assert statuses("KEY_AWS_001", template(resource("K", more=both))) == {"K": "PASS"}
    one_line = f"{test}      Serial: 1{end}\n"
    assert statuses("KEY_AWS_001", template(resource("K", more=one_line))) == {"K": "FAIL"}


@dialects
def test_a_loop_stands_for_an_unknown_number(marks: tuple[str, ...]) -> None:
    *_, loop, end = marks
    keys = read_template(template(loop, "\n", resource("K"), end, "\n", resource("L"))).access_keys
    assert [(key.logical_id, key.looped) for key in keys] == [("K", True), ("L", False)]
    serial = f"{loop}\n      Serial: 1\n{end}\n"
    assert statuses("KEY_AWS_001", template(resource("K", more=serial))) == {"K": "FAIL"}


@dialects
def test_directives_that_do_not_nest_are_refused(marks: tuple[str, ...]) -> None:
    test, otherwise, end, *_ = marks
    for broken in (test, end, otherwise, f"{test}{test}{end}"):
        with pytest.raises(UnsoundError):
            plain_text(template(broken, "\n", resource("K")))
    with pytest.raises(TemplateError):
        read_template(template(test, "\n", resource("K"), "}\n"))


def test_a_chain_of_ways_excludes_each_other() -> None:
    text = template(
        "{% if a %}\n", resource("A"), "{% elif b %}\n", resource("B"), "{% else %}\n", resource("C"), "{% endif %}\n"
    )
    assert set(statuses("KEY_AWS_003", text).values()) == {"PASS"}
    serial = "{% if a %}\n      Serial: 1\n{% elif b %}\n      Serial: 2\n{% endif %}\n"
    assert statuses("KEY_AWS_001", template(resource("K", more=serial))) == {"K": "FAIL"}


def test_a_directive_in_a_yaml_comment_is_one() -> None:
    text = template(resource("K", more="#{% if x %}\n      Serial: 1\n#{% endif %}\n"))
    assert statuses("KEY_AWS_001", text) == {"K": "FAIL"}


@pytest.mark.parametrize(
    "comment",
    ["{# %s #}", "{{/* %s */}}", "{{- /* %s */ -}}", "{{! %s }}", "{{!-- %s --}}", "<%%# %s %%>"],
)
def test_what_a_comment_hides_is_not_there(comment: str) -> None:
    hidden = comment % resource("H").replace("\n", "\n ")
    text = template(hidden, "\n", resource("K"), "{% if x %}\n{% endif %}\n" if comment.startswith("{#") else "")
    assert list(statuses("KEY_AWS_001", text)) == ["K"]


def test_values_are_open_and_equal_to_themselves() -> None:
    same = template(resource("A", "{{ who }}"), resource("B", "{{who}}"), resource("C", "{{ other }}"))
    assert statuses("KEY_AWS_003", same) == {"A": "FAIL", "B": "FAIL", "C": "PASS"}
    status = template(resource("K", more="      Status: {% if x %}In{% else %}A{% endif %}active\n"))
    assert statuses("KEY_AWS_001", status) == {"K": "FAIL"}


def test_a_status_that_the_rendering_decides_is_open() -> None:
    read = read_template(template(resource("K", more="      Status: {{ status }}\n")))
    assert key_set(read, "/t").keys[0].status is Unread.OPEN


def test_addresses_show_what_the_file_says() -> None:
    text = template("{% for u in users %}\n", resource("Key{{ u.name | title }}", "{{ u }}"), "{% endfor %}\n")
    verdict = judged("KEY_AWS_001", text)["Key{{ u.name | title }}"]
    assert (verdict.status.value, verdict.start_line) == ("FAIL", 3)


def test_long_names_that_differ_at_their_ends_are_two_keys() -> None:
    names = [f'{{{{ name_of("{"long " * 20}", "{end}") }}}}' for end in ("one", "two")]
    text = template(resource(names[0], "a", "      Serial: 1\n"), resource(names[1], "b"))
    assert statuses("KEY_AWS_001", text) == {names[0]: "PASS", names[1]: "FAIL"}


@pytest.mark.parametrize("line", ["{{ properties }}", "{{ include 'x' . | nindent 6 }}", '<%= render "x" %>'])
def test_text_of_the_renderings_own_among_the_properties_leaves_serial_open(line: str) -> None:
    assert statuses("KEY_AWS_001", template(resource("K", more=f"      {line}\n"))) == {"K": "UNKNOWN"}
    assert statuses("KEY_AWS_001", template(resource("K"), f"  {line}\n", resource("L")))["L"] == "FAIL"


def test_a_value_below_its_key_is_that_keys_value() -> None:
    assert statuses("KEY_AWS_001", template(resource("K", more="      Serial:\n        {{ serial }}\n"))) == {
        "K": "PASS"
    }


def test_a_type_that_the_rendering_builds_is_open() -> None:
    text = template("  K:\n    Type: AWS::IAM::{{ kind }}\n", "  B:\n    Type: AWS::S3::{{ kind }}\n")
    read = read_template(text)
    assert [block.logical_id for block in read.open_keys] == ["K"]
    assert read.access_keys == ()


@pytest.mark.parametrize(
    "text",
    [
        '{"Resources": {{{ if .A }}"A": {"Type": "AWS::IAM::AccessKey"},{{ end }}'
        '"B": {"Type": "AWS::IAM::AccessKey"}}}',
        '{"Resources": {\n{{ if .A }}\n"A": {"Type": "AWS::IAM::AccessKey"}\n{{ else }}\n"B": '
        '{"Type": "AWS::IAM::AccessKey"}\n{{ end }}\n}}',
        '{{ define "x" }}{"Resources": {"A": {"Type": "AWS::IAM::AccessKey"}, "B": {"Type": "AWS::IAM::AccessKey", '
        '"n": {{ .N }}}}}{{ end }}',
        '{"Resources": {"A": {"Type": "AWS::IAM::AccessKey"} {{ if .B }}, "B": {"Type": "AWS::IAM::AccessKey"}'
        "{{ end }}}}",
    ],
)
def test_json_loses_and_gains_commas(text: str) -> None:
    assert [key.logical_id for key in read_template(text).access_keys] == ["A", "B"]


def test_raw_text_is_no_directive() -> None:
    text = template("{% raw %}\n", resource("K", "x{% if %}y"), "{% endraw %}\n")
    assert list(statuses("KEY_AWS_001", text)) == ["K"]


def test_a_shells_length_of_an_array_is_no_comment() -> None:
    data = "  I:\n    Type: AWS::EC2::Instance\n    Properties:\n      UserData: |\n        n=${#list[@]}\n        #}\n"
    assert list(statuses("KEY_AWS_001", template(data, resource("K")))) == ["K"]


@pytest.mark.parametrize(
    "part", ["{{ x", "{% if x %}", "{{ x }} ", "{#", "{% raw %}", "<% do |", "${x}", "{{{", "%{ if x }"]
)
def test_hostile_repetition_takes_linear_time(part: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateError):
        read_template("AWS::IAM::AccessKey: [" + part * 60_000)
    assert time.process_time() - started < 10


def test_what_only_looks_like_a_comment_hides_no_key() -> None:
    text = template(
        "  I:\n    Type: X\n    Properties: {A: '{{resolve:ssm:x}}', B: 'a{#b'}\n", resource("K"), "  J: {A: '#}'}\n"
    )
    assert list(statuses("KEY_AWS_001", text)) == ["K"]
