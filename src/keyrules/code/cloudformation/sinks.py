"""Which properties of CloudFormation resources keep what they are given in plain text, and which protect it.

Nearly every property value can be read back with a Describe or Get call of its service, so a property that is not
known to protect a secret counts as a place that stores it in plain text. Two kinds do protect it: stores that exist
for secrets, and fields that are named as a credential by the resource's own schema (`MasterUserPassword`,
`SecretKey`), which services take in but do not give back.
"""

from __future__ import annotations

import re

from keyrules.records import dataclass


@dataclass(frozen=True)
class Sink:
    """A place in plain text: a stable reason word, and who reads it, for the end of a sentence."""

    reason: str
    readers: str


METADATA = Sink("secret_in_metadata", "metadata, which cloudformation:DescribeStackResource shows")

_USER_DATA = Sink(
    "secret_in_user_data", "user data, which ec2:Describe calls and every process on the instance can read"
)
_ENVIRONMENT = Sink("secret_in_environment", "environment variables, which the service's Get and Describe calls show")
_CODE = Sink("secret_in_code", "code or a definition, which the service's Get and Describe calls show")
_CONTAINERS = Sink(
    "secret_in_container_definition", "container definitions, which Describe calls show, old revisions included"
)
_BUILD = Sink("secret_in_build_project", "a build project, which codebuild:BatchGetProjects shows and builds can log")
_PARAMETER = Sink("secret_in_string_parameter", "a parameter that is not a SecureString, which ssm:GetParameter shows")
_NESTED = Sink(
    "secret_in_stack_parameter",
    "a parameter of another stack, which DescribeStacks shows unless that template hides it and never passes it on",
)
_CUSTOM = Sink("secret_in_custom_resource", "a custom resource, whose handler gets it in its event and can log it")
_ARGUMENT = Sink("secret_in_arguments", "arguments or settings, which the service's Get and Describe calls show")
OTHER = Sink("secret_in_other_property", "a property that is not known to protect it")

_SINKS: tuple[tuple[str, str, Sink], ...] = (
    ("AWS::EC2::", "UserData", _USER_DATA),
    ("AWS::AutoScaling::LaunchConfiguration", "UserData", _USER_DATA),
    ("AWS::Lightsail::Instance", "UserData", _USER_DATA),
    ("AWS::Lambda::Function", "Environment", _ENVIRONMENT),
    ("AWS::Serverless::Function", "Environment", _ENVIRONMENT),
    ("AWS::Lambda::Function", "Code", _CODE),
    ("AWS::Serverless::Function", "InlineCode", _CODE),
    ("AWS::CloudFront::Function", "FunctionCode", _CODE),
    ("AWS::StepFunctions::StateMachine", "", _CODE),
    ("AWS::Serverless::StateMachine", "", _CODE),
    ("AWS::SSM::Document", "Content", _CODE),
    ("AWS::ECS::TaskDefinition", "ContainerDefinitions", _CONTAINERS),
    ("AWS::Batch::JobDefinition", "", _CONTAINERS),
    ("AWS::Lightsail::Container", "", _CONTAINERS),
    ("AWS::AppRunner::Service", "SourceConfiguration", _ENVIRONMENT),
    ("AWS::Amplify::", "EnvironmentVariables", _ENVIRONMENT),
    ("AWS::SageMaker::", "Environment", _ENVIRONMENT),
    ("AWS::CodeBuild::Project", "", _BUILD),
    ("AWS::ElasticBeanstalk::", "OptionSettings", _ENVIRONMENT),
    ("AWS::SSM::Parameter", "Value", _PARAMETER),
    ("AWS::CloudFormation::Stack", "Parameters", _NESTED),
    ("AWS::CloudFormation::StackSet", "", _NESTED),
    ("AWS::Serverless::Application", "Parameters", _NESTED),
    ("AWS::ServiceCatalog::CloudFormationProvisionedProduct", "ProvisioningParameters", _NESTED),
    ("AWS::CloudFormation::CustomResource", "", _CUSTOM),
    ("Custom::", "", _CUSTOM),
    ("AWS::Glue::", "", _ARGUMENT),
    ("AWS::ApiGateway::", "", _ARGUMENT),
    ("AWS::ApiGatewayV2::", "", _ARGUMENT),
    ("AWS::Serverless::Api", "Variables", _ARGUMENT),
    ("AWS::Serverless::HttpApi", "StageVariables", _ARGUMENT),
    ("AWS::Events::Rule", "Targets", _ARGUMENT),
    ("AWS::SSM::Association", "Parameters", _ARGUMENT),
    ("AWS::MWAA::Environment", "AirflowConfigurationOptions", _ARGUMENT),
    ("AWS::EMR::Cluster", "", _ARGUMENT),
    ("AWS::CodePipeline::Pipeline", "Stages", _ARGUMENT),
)
"""Type (a prefix where it ends in `::`), property that lies on the way (empty: any), and what it is."""

_STORES: tuple[tuple[str, str], ...] = (
    ("AWS::SecretsManager::Secret", "SecretString"),
    ("AWS::SecretsManager::Secret", "GenerateSecretString"),
)

_CHOSEN_NAMES = re.compile(
    r"Environment|\w*Variables|\w+Map|MapValue|\w*Tags|\w*Labels|Annotations|\w*Headers|Metadata|Attributes|Options|Fields"
    r"|Arguments|Overrides|Output|Context|Configuration|Properties|Parameters|(?:Request|Response|Header|QueryString)Parameters"
    r"|(?:Exchange|External|Custom|Type)Parameters|AdditionalParams|AirflowConfigurationOptions"
    r"|(?:Athena|Binding|Client|Configuration|Connection|Custom|Python|Spark)Properties"
)
"""Properties whose own names somebody chooses, as the resources' schemas have them. None of them lies above a
credential that a schema names."""

# Schema names are written in camel case; SECRET_KEY is a name that somebody chose.
_CREDENTIAL_FIELD = re.compile(
    r"[A-Z][A-Za-z0-9]*[a-z0-9](?:Password|SecretKey|SecretAccessKey|ClientSecret|Token|PrivateKey|ApiKeyValue)"
    r"|Password|SecretKey|SecretAccessKey|ClientSecret|PrivateKey|ApiKeyValue"
)


def sink(resource_type: str, properties: tuple[str, ...], parameter_type: str = "") -> Sink | None:
    """What a property is to a secret: a Sink, or None where it is protected.

    `properties` are the property names on the way from the resource to the value; `parameter_type` is the `Type`
    of an AWS::SSM::Parameter. CloudFormation refuses to create a SecureString, so that one never stores anything.
    """
    if resource_type == "AWS::SSM::Parameter" and properties[:1] == ("Value",) and parameter_type == "SecureString":
        return None
    if any(resource_type == store and properties[:1] == (name,) for store, name in _STORES):
        return None
    for kind, name, found in _SINKS:
        same = resource_type.startswith(kind) if kind.endswith("::") else resource_type == kind
        if same and (not name or name in properties):
            return found
    of_the_schema = resource_type.startswith("AWS::") and not any(map(_CHOSEN_NAMES.fullmatch, properties[:-1]))
    if of_the_schema and properties and _CREDENTIAL_FIELD.fullmatch(properties[-1]):
        return None
    return OTHER
