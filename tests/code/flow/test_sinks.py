"""KEY_AWS_010: which places keep a secret in plain text, which protect it, and which nobody can judge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from secret_cases import KEY, by_address, sinks, write

from keyrules.model import Status

S = "aws_iam_access_key.k.secret"

PLAIN: Mapping[str, str] = {
    "aws_instance": f"user_data = {S}",
    "aws_launch_template": f"user_data = base64encode({S})",
    "aws_launch_configuration": f"user_data_base64 = {S}",
    "aws_spot_instance_request": f"user_data = {S}",
    "aws_lightsail_instance": f"user_data = {S}",
    "hcloud_server": f"user_data = {S}",
    "azurerm_linux_virtual_machine": f"custom_data = {S}",
    "google_compute_instance": f"metadata_startup_script = {S}",
    "aws_lambda_function": f"environment {{\n variables = {{ AWS_SECRET_ACCESS_KEY = {S} }}\n }}",
    "aws_ecs_task_definition": f"container_definitions = jsonencode([{{ environment = [{{ value = {S} }}] }}])",
    "aws_batch_job_definition": f"container_properties = jsonencode({{ secret = {S} }})",
    "aws_apprunner_service": (
        "source_configuration {\n image_repository {\n image_configuration {\n"
        f" runtime_environment_variables = {{ secret = {S} }}\n }}\n }}\n }}"
    ),
    "aws_elastic_beanstalk_environment": f'setting {{\n name = "SECRET"\n value = {S}\n }}',
    "aws_elastic_beanstalk_configuration_template": f"dynamic setting {{\n for_each = [{S}]\n content {{\n"
    " value = setting.value\n }\n }",
    "aws_amplify_app": f"environment_variables = {{ secret = {S} }}",
    "aws_sagemaker_model": f"primary_container {{\n environment = {{ secret = {S} }}\n }}",
    "aws_glue_job": f'default_arguments = {{ "--secret" = {S} }}',
    "aws_sfn_state_machine": f"definition = {S}",
    "fastly_service_vcl": f"snippet {{\n content = {S}\n }}",
    "aws_codebuild_project": f'environment {{\n environment_variable {{\n name = "S"\n value = {S}\n }}\n }}',
    "aws_cloudformation_stack": f"parameters = {{ password = {S} }}",
    "aws_s3_object": f"content = {S}",
    "aws_s3_bucket_object": f"content_base64 = base64encode({S})",
    "aws_dynamodb_table_item": f"item = jsonencode({{ secret = {S} }})",
    "aws_something_new": f"ordinary = {S}",
    "google_cloudfunctions_function": f"environment_variables = {{ secret = {S} }}",
    "google_cloud_run_v2_service": f"template {{\n containers {{\n env {{\n value = {S}\n }}\n }}\n }}",
    "azurerm_linux_function_app": f"app_settings = {{ secret = {S} }}",
    "local_file": f"content = {S}",
    "local_sensitive_file": f"content = {S}",
    "archive_file": f"source_content = {S}",
    "null_resource": f'provisioner "local-exec" {{\n command = "echo ${{{S}}}"\n }}',
    "terraform_data": f'provisioner "local-exec" {{\n environment = {{ S = {S} }}\n }}',
    "kubernetes_config_map": f"data = {{ secret = {S} }}",
    "kubernetes_deployment": (
        f"spec {{\n template {{\n spec {{\n container {{\n env {{\n value = {S}\n }}\n }}\n }}\n }}\n }}"
    ),
    "helm_release": f'set {{\n name = "s"\n value = {S}\n }}',
    "github_actions_variable": f"value = {S}",
    "gitlab_project_variable": f"value = {S}",
    "tfe_variable": f"value = {S}",
    "travis_env_var": f"public_value = {S}",
    "heroku_app": f"config_vars = {{ secret = {S} }}",
    "consul_keys": f'key {{\n path = "p"\n value = {S}\n }}',
    "docker_container": f'env = ["S=${{{S}}}"]',
    "unheard_of_thing": f"environment = {{ secret = {S} }}",
    "aws_iam_user": f"tags = {{ secret = {S} }}",
    "aws_secretsmanager_secret": f"description = {S}",
}

KEPT: Mapping[str, str] = {
    "fastly_service_compute": f"logging_s3 {{\n s3_secret_key = {S}\n }}",
    "aws_secretsmanager_secret_version": f"secret_string = jsonencode({{ secret = {S} }})",
    "aws_db_instance": f"password = {S}",
    "aws_elasticsearch_domain": (
        f"advanced_security_options {{\n master_user_options {{\n master_user_password = {S}\n }}\n }}"
    ),
    "aws_dms_endpoint": f"s3_settings {{\n bucket_folder = 1\n }}\n password = {S}",
    "aws_codebuild_source_credential": f"token = {S}",
    "google_secret_manager_secret_version": f"secret_data = {S}",
    "google_storage_transfer_job": (
        f"transfer_spec {{\n aws_s3_data_source {{\n aws_access_key {{\n secret_access_key = {S}\n }}\n }}\n }}"
    ),
    "azurerm_key_vault_secret": f"value = {S}",
    "azurerm_container_group": f"container {{\n secure_environment_variables = {{ S = {S} }}\n }}",
    "kubernetes_secret": f"data = {{ description = {S} }}",
    "kubernetes_manifest": f'manifest = {{ kind = "Secret", stringData = {{ s = {S} }} }}',
    "helm_release": f'set_sensitive {{\n name = "s"\n value = {S}\n }}',
    "github_actions_secret": f"plaintext_value = {S}",
    "circleci_environment_variable": f"value = {S}",
    "vault_generic_secret": f"data_json = jsonencode({{ s = {S} }})",
    "vault_aws_secret_backend": f"secret_key = {S}",
    "grafana_data_source": f"secure_json_data_encoded = {S}",
    "unheard_of_connection": f"client_secret = {S}",
}

PASSES_ON: Mapping[str, str] = {
    "null_resource": f"triggers = {{ a = {S} }}",
    "terraform_data": f"input = {S}",
    "random_id": f"keepers = {{ a = {S} }}",
}

UNDECIDED: Mapping[str, str] = {
    "unheard_of_thing": f"ordinary = {S}",
    "kubernetes_manifest": f"manifest = {{ kind = var.unset, stringData = {{ s = {S} }} }}",
}

DATA: Mapping[str, tuple[str, Status]] = {
    "archive_file": (f"source {{\n content = {S}\n }}", Status.FAIL),
    "external": (f'program = ["sh", "-c", {S}]', Status.FAIL),
    "http": (f"request_body = {S}", Status.UNKNOWN),
    "aws_lambda_invocation": (f"input = {S}", Status.UNKNOWN),
}

# The value that decides, and the verdict.
SWITCHED = [
    ("aws_ssm_parameter", 'type = "String"', Status.FAIL),
    ("aws_ssm_parameter", 'type = "StringList"', Status.FAIL),
    ("aws_ssm_parameter", "", Status.FAIL),
    ("aws_ssm_parameter", 'type = "SecureString"', Status.PASS),
    ("aws_ssm_parameter", "type = var.secure", Status.PASS),
    ("aws_ssm_parameter", "type = var.unset", Status.UNKNOWN),
    ("gitlab_project_variable", "masked = true", Status.PASS),
    ("gitlab_project_variable", "hidden = true", Status.PASS),
    ("gitlab_project_variable", "protected = true", Status.FAIL),
    ("gitlab_group_variable", "masked = false", Status.FAIL),
    ("gitlab_instance_variable", "masked = var.unset", Status.UNKNOWN),
    ("tfe_variable", "sensitive = true", Status.PASS),
    ("tfe_variable", "sensitive = false", Status.FAIL),
    ("spacelift_environment_variable", "", Status.PASS),
    ("spacelift_environment_variable", "write_only = false", Status.FAIL),
    ("bitbucket_repository_variable", "secured = true", Status.PASS),
    ("azurerm_automation_variable_string", "encrypted = true", Status.PASS),
    (
        "kubernetes_manifest",
        'manifest = { kind = "ConfigMap", data = { a = aws_iam_access_key.k.secret } }',
        Status.FAIL,
    ),
]

VARIABLES = 'variable "unset" {}\nvariable "secure" {\n default = "SecureString"\n}\n'


def resource(block_type: str, body: str, kind: str = "resource") -> str:
    return f'{KEY}{VARIABLES}{kind} "{block_type}" "x" {{\n {body}\n}}\n'


@pytest.mark.parametrize("block_type", PLAIN)
def test_plain_text(tmp_path: Path, block_type: str) -> None:
    folder = write(tmp_path / "secret", {"main.tf": resource(block_type, PLAIN[block_type])})
    assert by_address(sinks(folder)) == {f"{block_type}.x": Status.FAIL}
    folder = write(tmp_path / "id", {"main.tf": resource(block_type, PLAIN[block_type].replace(".k.secret", ".k.id"))})
    assert by_address(sinks(folder)) == {"aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize("block_type", KEPT)
def test_made_for_secrets(tmp_path: Path, block_type: str) -> None:
    folder = write(tmp_path, {"main.tf": resource(block_type, KEPT[block_type])})
    assert by_address(sinks(folder)) == {f"{block_type}.x": Status.PASS, "aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize("block_type", PASSES_ON)
def test_passing_on_is_no_place(tmp_path: Path, block_type: str) -> None:
    folder = write(tmp_path, {"main.tf": resource(block_type, PASSES_ON[block_type])})
    assert by_address(sinks(folder)) == {"aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize("block_type", UNDECIDED)
def test_a_place_that_is_not_known_is_named(tmp_path: Path, block_type: str) -> None:
    folder = write(tmp_path, {"main.tf": resource(block_type, UNDECIDED[block_type])})
    assert by_address(sinks(folder)) == {f"{block_type}.x": Status.UNKNOWN}


@pytest.mark.parametrize("block_type", DATA)
def test_data_sources(tmp_path: Path, block_type: str) -> None:
    body, status = DATA[block_type]
    folder = write(tmp_path, {"main.tf": resource(block_type, body, "data")})
    assert by_address(sinks(folder)) == {f"data.{block_type}.x": status}


@pytest.mark.parametrize(("block_type", "setting", "status"), SWITCHED)
def test_another_argument_decides(tmp_path: Path, block_type: str, setting: str, status: Status) -> None:
    value = "" if setting.startswith("manifest") else f"value = {S}\n "
    verdicts = by_address(sinks(write(tmp_path, {"main.tf": resource(block_type, value + setting)})))
    assert verdicts[f"{block_type}.x"] is status


def test_insecure_value_is_plain_whatever_the_type(tmp_path: Path) -> None:
    text = resource("aws_ssm_parameter", f'type = "SecureString"\n insecure_value = {S}')
    assert by_address(sinks(write(tmp_path, {"main.tf": text}))) == {"aws_ssm_parameter.x": Status.FAIL}


def test_variable_group_keeps_secret_values(tmp_path: Path) -> None:
    for argument, status in (("value", Status.FAIL), ("secret_value", Status.PASS)):
        text = resource("azuredevops_variable_group", f'variable {{\n name = "s"\n {argument} = {S}\n }}')
        assert (
            by_address(sinks(write(tmp_path / argument, {"main.tf": text})))["azuredevops_variable_group.x"] is status
        )


@pytest.mark.parametrize(
    "body",
    [
        f'provisioner "local-exec" {{\n command = "echo ${{{S}}}"\n }}',
        'provisioner "local-exec" {\n command = "echo ${self.secret}"\n }',
        'provisioner "local-exec" {\n environment = { S = self.ses_smtp_password_v4 }\n }',
        'provisioner "remote-exec" {\n inline = ["echo ${self.secret}"]\n }',
        'provisioner "file" {\n content = self.secret\n destination = "/x"\n }',
        "connection {\n password = self.secret\n }",
    ],
)
def test_provisioners_of_the_key_itself(tmp_path: Path, body: str) -> None:
    text = f'resource "aws_iam_access_key" "k" {{\n user = "ci"\n {body}\n}}\n'
    assert by_address(sinks(write(tmp_path / "secret", {"main.tf": text}))) == {"aws_iam_access_key.k": Status.FAIL}
    clean = text.replace(".secret", ".id").replace("ses_smtp_password_v4", "id")
    assert by_address(sinks(write(tmp_path / "id", {"main.tf": clean}))) == {"aws_iam_access_key.k": Status.PASS}


def test_a_provider_configuration_is_no_place(tmp_path: Path) -> None:
    text = f'{KEY}provider "aws" {{\n alias = "x"\n secret_key = {S}\n}}\n'
    assert by_address(sinks(write(tmp_path, {"main.tf": text}))) == {"aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize(
    ("pgp_key", "status"),
    [
        ('"keybase:someone"', Status.PASS),
        ('file("key.asc")', Status.PASS),
        ("filebase64(var.unset)", Status.PASS),
        ("data.local_file.pgp.content_base64", Status.PASS),
        ("local.pgp", Status.PASS),
        ('""', Status.FAIL),
        ("null", Status.FAIL),
        ("var.unset", Status.FAIL),
        ('var.unset == "" ? null : var.unset', Status.FAIL),
    ],
)
def test_an_encrypted_key_has_no_secret_to_leak(tmp_path: Path, pgp_key: str, status: Status) -> None:
    text = (
        f'variable "unset" {{}}\nlocals {{\n pgp = trimspace(file("key.asc"))\n}}\n'
        f'resource "aws_iam_access_key" "k" {{\n user = "ci"\n pgp_key = {pgp_key}\n}}\n'
        f'resource "aws_s3_object" "x" {{\n content = {S}\n}}\n'
    )
    verdicts = by_address(sinks(write(tmp_path, {"main.tf": text})))
    assert verdicts == ({"aws_s3_object.x": status} if status is Status.FAIL else {"aws_iam_access_key.k": status})


def test_instances_are_judged_and_reported_one_by_one(tmp_path: Path) -> None:
    mixed = (
        f'{KEY}locals {{\n all = {{\n  s = {{ value = {S}, type = "%s" }}\n'
        '  i = { value = aws_iam_access_key.k.id, type = "String" }\n }\n}\n'
        'resource "aws_ssm_parameter" "p" {\n for_each = local.all\n'
        " type = each.value.type\n value = each.value.value\n}\n"
        'module "m" {\n for_each = local.all\n source = "./m"\n type = each.value.type\n value = each.value.value\n}\n'
    )
    inner = (
        'variable "type" {}\nvariable "value" {}\n'
        'resource "aws_ssm_parameter" "p" {\n type = var.type\n value = var.value\n}\n'
    )
    for parameter_type, status in (("SecureString", Status.PASS), ("String", Status.FAIL)):
        folder = write(tmp_path / parameter_type, {"main.tf": mixed % parameter_type, "m/main.tf": inner})
        verdicts = by_address(sinks(folder))
        # Beside the secret the other instance holds an id, which is none.
        assert verdicts == {'aws_ssm_parameter.p["s"]': status, 'module.m["s"].aws_ssm_parameter.p': status} | (
            {"aws_iam_access_key.k": Status.PASS} if status is Status.PASS else {}
        )


def test_chained_for_each(tmp_path: Path) -> None:
    text = (
        'resource "aws_iam_access_key" "k" {\n for_each = toset(["a", "b"])\n user = each.key\n}\n'
        'resource "aws_s3_object" "fail" {\n for_each = aws_iam_access_key.k\n content = each.value.secret\n}\n'
        'resource "aws_s3_object" "pass" {\n for_each = aws_iam_access_key.k\n content = "${each.value.id}"\n}\n'
        'resource "aws_s3_object" "one" {\n content = aws_iam_access_key.k["a"].secret\n}\n'
        'resource "aws_s3_object" "all" {\n content = join(",", values(aws_iam_access_key.k)[*].secret)\n}\n'
        'resource "aws_s3_object" "ids" {\n content = join(",", values(aws_iam_access_key.k)[*].id)\n}\n'
    )
    verdicts = by_address(sinks(write(tmp_path, {"main.tf": text})))
    failing = ("all", 'fail["a"]', 'fail["b"]', "one")
    assert verdicts == {f"aws_s3_object.{name}": Status.FAIL for name in failing}


def test_what_is_not_declared_is_no_place_and_no_key(tmp_path: Path) -> None:
    text = (
        'resource "aws_iam_access_key" "none" {\n count = 0\n user = "x"\n}\n'
        'resource "aws_s3_object" "of_none" {\n content = join("", aws_iam_access_key.none[*].secret)\n}\n'
        f'{KEY}resource "aws_s3_object" "none" {{\n count = 0\n content = {S}\n}}\n'
        f'module "none" {{\n count = 0\n source = "./m"\n value = {S}\n}}\n'
    )
    inner = 'variable "value" {}\nresource "aws_s3_object" "x" {\n content = var.value\n}\n'
    verdicts = by_address(sinks(write(tmp_path, {"main.tf": text, "m/main.tf": inner})))
    assert verdicts == {"aws_iam_access_key.k": Status.PASS}


@pytest.mark.parametrize(
    ("source", "arguments", "status"),
    [
        ("example/thing/aws", f"value = {S}", Status.UNKNOWN),
        ("git::https://example.com/m.git", f"value = {S}", Status.UNKNOWN),
        ("./missing", f"value = {S}", Status.UNKNOWN),
        ("./there", f"other = {S}", Status.UNKNOWN),
        ("terraform-aws-modules/secrets-manager/aws", f"secret_string = {S}", Status.PASS),
        ("terraform-aws-modules/secrets-manager/aws", f"description = {S}", Status.UNKNOWN),
        (
            "cloudposse/ssm-parameter-store/aws",
            f'parameter_write = [{{ value = {S}, type = "SecureString" }}]',
            Status.PASS,
        ),
        (
            "cloudposse/ssm-parameter-store/aws",
            f'parameter_write = [{{ value = {S}, type = "String" }}]',
            Status.UNKNOWN,
        ),
    ],
)
def test_modules_that_cannot_be_read(tmp_path: Path, source: str, arguments: str, status: Status) -> None:
    text = f'{KEY}module "far" {{\n source = "{source}"\n {arguments}\n}}\n'
    files = {"main.tf": text, "there/main.tf": 'variable "value" {}\n'}
    assert by_address(sinks(write(tmp_path, files)))["module.far"] is status


@pytest.mark.parametrize(
    ("block", "address"),
    [
        (f'ephemeral "aws_lambda_invocation" "x" {{\n payload = {S}\n}}', "ephemeral.aws_lambda_invocation.x"),
        (f'check "c" {{\n data "http" "x" {{\n url = {S}\n }}\n}}', "data.http.x"),
    ],
)
def test_what_is_invoked_with_a_secret_is_not_known_to_keep_it(tmp_path: Path, block: str, address: str) -> None:
    write(tmp_path, {"main.tf": KEY + block})
    assert by_address(sinks(tmp_path))[address] is Status.UNKNOWN
