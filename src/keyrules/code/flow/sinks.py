"""What becomes of a secret that an argument of a Terraform block receives.

Three answers. It is stored in plain text where whoever may read the resource reads the secret: FAIL. It is kept by
something made for secrets: PASS. Or nobody can tell from the code: UNKNOWN. A fourth: the block only passes it on.

What decides, in this order:

1. Provisioners and connections, metadata (name, description, tags, labels), user data: plain text on any type.
2. Types that only pass on, types made for secrets, and types with a switch between the two (SecureString, masked).
3. Arguments that their schema names as a credential (`password`, `secret_key`, `set_sensitive`, `value_wo` …): services
   take those in and do not give them back. Names that somebody chose, in a map of environment variables, do not count.
4. Any other argument of a type of the large clouds, Kubernetes and Helm: plain text, because their Describe and Get
   calls show it. So are the other types listed here, and environments on any type.
5. Any other argument of a type that is not known here: UNKNOWN, because a finding would be a guess and silence too.

Terraform's state holds the secret anyway, wherever it goes; that is KEY_AWS_008 and no sink here. The same goes for a
provider's configuration, which is kept nowhere. A module that is not here to be read is UNKNOWN as a whole, except two
well-known ones whose inputs are stores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from keyrules.code.terraform.evaluate import UNKNOWN, truth
from keyrules.model import Status
from keyrules.records import dataclass


@dataclass(frozen=True)
class Sink:
    """A verdict on a place, its stable reason word, and the end of a sentence about the secret."""

    status: Status
    reason: str
    fate: str


Setting: TypeAlias = Callable[[str], Any]
"""The value of another argument of the same block; None when it is not set, UNKNOWN when it is not decided."""

STORE = Sink(Status.PASS, "secret_in_store", "is kept by something made for secrets")
SENSITIVE_OUTPUT = Sink(Status.PASS, "output_sensitive", "is in an output that is sensitive")
_UNREAD_MODULE = Sink(Status.UNKNOWN, "secret_leaves_view", "goes into a module that is not here to be read")
_UNKNOWN_TYPE = Sink(
    Status.UNKNOWN, "secret_leaves_view", "goes into an argument of which it is not known who reads it"
)
_UNKNOWN_SWITCH = Sink(
    Status.UNKNOWN, "secret_protection_unknown", "is protected or not by a setting that cannot be resolved"
)


def _plain(reason: str, fate: str) -> Sink:
    return Sink(Status.FAIL, reason, f"ends up in {fate}")


_PROVISIONER = _plain(
    "secret_in_provisioner", "a provisioner, which shows it to the machine it runs on, and in its logs"
)
_METADATA = _plain("secret_in_metadata", "a name, description or label, which everyone reads who may list the resource")
_USER_DATA = _plain("secret_in_user_data", "user data, which every process on the machine and Describe calls can read")
_ENVIRONMENT = _plain("secret_in_environment", "environment variables, which the service's Get and Describe calls show")
_CONTAINERS = _plain(
    "secret_in_container_definition", "container definitions, which Describe calls show, old revisions included"
)
_BUILD = _plain("secret_in_build_project", "a build project, which everyone reads who may read the project or its logs")
_FILE = _plain("secret_in_file", "a file or archive in plain text")
_OBJECT = _plain("secret_in_object", "an object, item or entry, which everyone reads who may read the store")
_PARAMETER = _plain(
    "secret_in_string_parameter", "a parameter that is not a SecureString, which ssm:GetParameter shows"
)
_CI_VARIABLE = _plain("secret_in_ci_variable", "a CI variable that is not masked, which readers and job logs show")
_CODE = _plain("secret_in_code", "code or a definition, which the service's Get and Describe calls show")
_PROGRAM = _plain("secret_in_program", "the command line of a program, which every process on the machine can read")
_CONFIG = _plain("secret_in_configuration", "configuration that is not encrypted, which everyone reads who may get it")
_OTHER = _plain(
    "secret_in_other_argument", "an argument that is not made for secrets, which Get and Describe calls show"
)

_REGISTRY_MODULE = re.compile(r"(?:registry\.(?:terraform\.io|opentofu\.org)/)?(?P<name>[\w-]+/[\w-]+)/aws")
"""A registry's address of a module, with or without the host."""

_PASSES_ON = re.compile(
    r"null_resource|null_data_source|terraform_data|template_file|(template_)?cloudinit_config|template_cloudinit_config"
    r"|time_\w+|random_\w+|aws_iam_policy_document|ct_config|ignition_\w+"
)
_STORES = re.compile(
    r"\w+_secrets?(_version|_v1)?|\w+_credentials?|vault_\w+|onepassword_item|bitwarden_\w+|aws_kms_ciphertext"
    r"|aws_cloudwatch_event_connection|google_kms_secret_ciphertext|jenkins_credential_\w+|nomad_variable"
    r"|circleci_(context_)?environment_variable|cloudfoundry_user_provided_service|lastpass_\w+|infisical_\w+"
)
_METADATA_ARGUMENTS = frozenset(
    {"annotations", "comment", "description", "labels", "name", "name_prefix", "tags", "tags_all"}
)
_USER_DATA_ARGUMENT = re.compile(r"user_?data(_base64)?|custom_data|(metadata_)?startup_script|cloud_?init\w*")
_ENVIRONMENT_ARGUMENT = re.compile(
    r"env|env_vars?|environment|(\w+_)?environment_variables?|config_vars|\w*app_settings"
)
_CREDENTIAL_ARGUMENT = re.compile(
    r"(\w+_)?(passw(or)?d|passphrase|secrets?|secret_(access_)?key|secret_(string|text|value|data)|access_key|private_key"
    r"|api_key|tokens?|credentials?|plaintext(_value)?|sensitive)(_wo|_base64|_json)?"
    r"|(secure|sensitive|protected)_\w+|\w+_wo"
)
_CHOSEN_NAMES = re.compile(
    r"\w*(env|variable|argument|parameter|setting|propert|metadata|label|tag|annotation)\w*|data|(config_)?vars"
)
_CLOUDS = re.compile(r"(aws|awscc|azapi|azuread|azurerm|google|helm|kubernetes|oci)_\w+")

_SWITCHES: Sequence[tuple[str, tuple[str, ...], bool]] = (
    ("azurerm_automation_variable_.*", ("encrypted",), False),
    ("bitbucket_.*_variable", ("secured",), False),
    ("env0_configuration_variable", ("is_sensitive",), False),
    ("gitlab_(project|group|instance)_variable", ("masked", "hidden"), False),
    ("scalr_variable|tfe_variable|vercel_project_environment_variable", ("sensitive",), False),
    ("spacelift_environment_variable", ("write_only",), True),
)
"""CI variables: the type, the arguments that mask the value when one of them is true, and what it is without them."""

_PLAIN: Sequence[tuple[str, str, Sink]] = (
    ("(github|gitlab)_repository_file", "", _FILE),
    ("github_actions_.*variable", "", _CI_VARIABLE),
    ("buildkite_pipeline|jenkins_job|aws_codebuild_project|google_cloudbuild_trigger", "", _BUILD),
    ("aws_lambda_function", "environment", _ENVIRONMENT),
    ("aws_(ecs_task_definition|batch_job_definition|lightsail_container_service_deployment_version)", "", _CONTAINERS),
    ("aws_(amplify_|apprunner_|elastic_beanstalk_|emr|mwaa_|sagemaker_).*", "", _ENVIRONMENT),
    ("google_(cloud_?run|cloudfunctions|app_engine)\\w*|azurerm_\\w*(app|container)\\w*", "", _ENVIRONMENT),
    (
        "kubernetes_(env|pod|deployment|daemon_set|daemonset|stateful_set|job|cron_job|replication_controller)\\w*",
        "",
        _ENVIRONMENT,
    ),
    ("docker_(container|service|image)|heroku_(app|config)|cloudfoundry_app|nomad_job", "", _ENVIRONMENT),
    ("shell_(sensitive_)?script(_resource)?", "", _PROVISIONER),
    ("aws_s3_(bucket_)?object|google_storage_bucket_object|aws_dynamodb_table_item", "", _OBJECT),
    ("azurerm_(storage_blob|app_configuration_key)|cloudflare_workers_kv|consul_key(s|_prefix)", "", _OBJECT),
    (
        "kubernetes_config_map\\w*|docker_config|helm_release|cloudflare_worker_script|cloudflare_workers_script",
        "",
        _CONFIG,
    ),
    ("aws_(sfn_state_machine|ssm_document|cloudformation_stack|cloudfront_function|glue_job)", "", _CODE),
    ("fastly_service_\\w+", "", _CODE),
    ("external", "program", _PROGRAM),
)
"""Type, the top-level argument (empty: any), and what it is."""


def sink(kind: str, block_type: str, path: tuple[str, ...], setting: Setting) -> Sink | None:
    """What becomes of a secret in an argument; None where it is only passed on.

    `kind` is one of Module.blocks, `block_type` such as `aws_lambda_function`, and `path` leads to the argument
    through nested blocks and objects: `("environment", "variables", "NAME")`. What an action is configured with is
    taken as a resource takes it, and what an ephemeral resource is asked with as a data source.
    """
    if kind == "action" and path[0] == "config":
        path = path[1:] or path
    if path[0] in ("provisioner", "connection"):
        return _PROVISIONER
    if _USER_DATA_ARGUMENT.fullmatch(path[-1]) or _USER_DATA_ARGUMENT.fullmatch(path[0]):
        return _USER_DATA
    if _PASSES_ON.fullmatch(block_type):
        return None
    if path[0] in _METADATA_ARGUMENTS or (path[0] == "metadata" and len(path) > 1 and path[1] in _METADATA_ARGUMENTS):
        return _METADATA
    special = _BY_TYPE.get(block_type)
    if special is not None:
        return special(path, setting)
    if _STORES.fullmatch(block_type):
        return STORE
    for types, switches, default in _SWITCHES:
        if re.fullmatch(types, block_type):
            return _switched(switches, default, setting, _CI_VARIABLE)
    if _is_credential(path):
        return STORE
    for types, argument, found in _PLAIN:
        if argument in ("", path[0]) and re.fullmatch(types, block_type):
            return found
    if kind in ("data", "ephemeral"):
        return _UNKNOWN_TYPE
    if _CLOUDS.fullmatch(block_type):
        return _OTHER
    return _ENVIRONMENT if any(_ENVIRONMENT_ARGUMENT.fullmatch(name) for name in path) else _UNKNOWN_TYPE


def module_sink(source: Any, path: tuple[str, ...], setting: Setting) -> Sink:
    """What becomes of a secret in an argument of a module that is not here to be read; `source` is its address."""
    named = _REGISTRY_MODULE.fullmatch(source) if isinstance(source, str) else None
    name = named["name"] if named is not None else ""
    if name == "terraform-aws-modules/secrets-manager" and _is_credential(path):
        return STORE
    if name == "terraform-aws-modules/ssm-parameter" and path[0] == "value":
        return _ssm_parameter_module(setting)
    if name == "cloudposse/ssm-parameter-store" and path[0] == "parameter_write":
        written = setting("parameter_write")
        if isinstance(written, list) and all(isinstance(item, dict) for item in written):
            # The module's own default is SecureString.
            types = [item.get("type", "SecureString") for item in written]
            return STORE if all(one == "SecureString" for one in types) else _UNREAD_MODULE
    return _UNREAD_MODULE


def _ssm_parameter_module(setting: Setting) -> Sink:
    """`type` decides, else `secure_type`; without both it is a String.

    https://github.com/terraform-aws-modules/terraform-aws-ssm-parameter/blob/master/main.tf
    """
    kind, secure = setting("type"), setting("secure_type")
    if kind is None and secure is not None:
        kind = UNKNOWN if (switch := truth(secure)) is None else "SecureString" if switch else "String"
    if kind is UNKNOWN:
        return _UNKNOWN_SWITCH
    return STORE if kind == "SecureString" else _PARAMETER


def _is_credential(path: tuple[str, ...]) -> bool:
    """Whether the schema names the argument as a credential, before a map whose names somebody chose."""
    for name in path:
        if _CREDENTIAL_ARGUMENT.fullmatch(name):
            return True
        if _CHOSEN_NAMES.fullmatch(name):
            return False
    return False


def _switched(switches: tuple[str, ...], default: bool, setting: Setting, otherwise: Sink) -> Sink:
    values = [setting(name) for name in switches]
    tests = [default if value is None else truth(value) for value in values]
    if True in tests:
        return STORE
    return _UNKNOWN_SWITCH if None in tests else otherwise


def _ssm_parameter(path: tuple[str, ...], setting: Setting) -> Sink:
    if path[0] == "insecure_value":
        return _PARAMETER
    parameter_type = setting("type")
    if parameter_type is UNKNOWN:
        return _UNKNOWN_SWITCH
    return STORE if parameter_type == "SecureString" else _PARAMETER


def _file(path: tuple[str, ...], setting: Setting) -> Sink:
    """A file on disk, `sensitive_content` too: that is only kept out of the plan's output."""
    return _FILE


def _variable_group(path: tuple[str, ...], setting: Setting) -> Sink:
    return STORE if "secret_value" in path else _CI_VARIABLE


def _kubernetes_manifest(path: tuple[str, ...], setting: Setting) -> Sink:
    manifest = setting("manifest")
    kind = manifest.get("kind") if isinstance(manifest, dict) else UNKNOWN
    if kind is UNKNOWN:
        return _UNKNOWN_TYPE
    return STORE if kind == "Secret" else _CONFIG


_BY_TYPE: Mapping[str, Callable[[tuple[str, ...], Setting], Sink]] = {
    "archive_file": _file,
    "aws_ssm_parameter": _ssm_parameter,
    "azuredevops_build_definition": _variable_group,
    "azuredevops_variable_group": _variable_group,
    "kubernetes_manifest": _kubernetes_manifest,
    "local_file": _file,
    "local_sensitive_file": _file,
    "template_dir": _file,
    "travis_env_var": lambda path, setting: _CI_VARIABLE if path[0] == "public_value" else STORE,
}
