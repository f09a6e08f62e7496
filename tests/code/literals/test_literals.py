"""Hard-coded credentials in raw text: what is one, what only looks like one, and that a secret never comes back out.

Every credential here is generated when the tests run, from a fixed seed, so that this file itself holds none.
"""

from __future__ import annotations

import base64
import gzip
import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.literals.literals import NEAR_LINES, NEAR_LINES_NAMED, LiteralCredential, find_literals

ALPHABET = string.ascii_letters + string.digits + "/+"
FIXTURES = Path(__file__).parents[3] / "fixtures" / "KEY_AWS_011"


def secret_of(seed: int, length: int = 40) -> str:
    """A random value that begins with a letter, so that no test depends on how `//` reads.

    The few values that happen to consist of lower-case words are passed over; another test counts them.
    """
    source = random.Random(seed)
    while True:
        value = source.choice(string.ascii_letters) + "".join(source.choices(ALPHABET, k=length - 1))
        if len("".join(re.findall("[a-z]{4,}", value))) < 16:
            return value


def key_id_of(seed: int, prefix: str = "AKIA") -> str:
    return prefix + "".join(random.Random(seed).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))


S = secret_of(1)
S2 = secret_of(2)
K = key_id_of(1)
K2 = key_id_of(2)

# Each holds one secret that a name vouches for. {s} is the secret; doubled braces are single ones.
NAMED = {
    "HCL argument": 'provider "aws" {{\n  secret_key = "{s}"\n}}\n',
    "S3 backend": 'terraform {{\n  backend "s3" {{\n    secret_key = "{s}"\n  }}\n}}\n',
    "backend argument on a command line": 'terraform init -backend-config="secret_key={s}"\n',
    "tfvars": 'aws_secret_access_key = "{s}"\n',
    "tfvars JSON": '{{"aws_secret_access_key": "{s}"}}\n',
    "tf.json provider": '{{"provider": {{"aws": [{{"region": "x", "secret_key": "{s}"}}]}}}}\n',
    "variable default": 'variable "aws_secret_key" {{\n  type = string\n\n  default = "{s}"\n}}\n',
    "variable default after a nested block": (
        'variable "aws_secret_key" {{\n  validation {{\n    condition = true\n  }}\n  default = "{s}"\n}}\n'
    ),
    "variable default on one line": 'variable "aws_secret_key" {{ default = "{s}" }}\n',
    "variable named by its description": 'variable "k" {{\n  description = "AWS secret key"\n  default = "{s}"\n}}\n',
    "variable default inside a function": 'variable "aws_secret_key" {{\n  default = sensitive("{s}")\n}}\n',
    "value inside a function": 'secret_key = sensitive("{s}")\n',
    "conditional": 'secret_key = var.create ? "{s}" : ""\n',
    "lookup with a default": 'x = lookup(var.creds, "aws_secret_key", "{s}")\n',
    "map entry": 'environment {{\n  variables = {{\n    AWS_SECRET_ACCESS_KEY = "{s}"\n  }}\n}}\n',
    "name then value on one line": '[{{ name = "AWS_SECRET_ACCESS_KEY", value = "{s}" }}]\n',
    "value then name on one line": '[{{ value = "{s}", name = "AWS_SECRET_ACCESS_KEY" }}]\n',
    "name then value on two lines": '{{\n  name  = "AWS_SECRET_ACCESS_KEY"\n  value = "{s}"\n}}\n',
    "value then name on two lines": '{{\n  value = "{s}"\n  name  = "AWS_SECRET_ACCESS_KEY"\n}}\n',
    "opening brace on the line of the name": '  {{ name = "AWS_SECRET_ACCESS_KEY",\n    value = "{s}" }}\n',
    "no indentation": 'setting {{\nname = "AWS_SECRET_ACCESS_KEY"\nvalue = "{s}"\n}}\n',
    "SSM parameter": 'resource "aws_ssm_parameter" "p" {{\n  name  = "/x/aws_secret_access_key"\n  value = "{s}"\n}}\n',
    "escaped JSON": '"[{{\\"name\\": \\"AWS_SECRET_ACCESS_KEY\\", \\"value\\": \\"{s}\\"}}]"\n',
    "doubly escaped JSON": '"{{\\\\\\"secretKey\\\\\\": \\\\\\"{s}\\\\\\"}}"\n',
    "escaped newlines": '"[default]\\naws_secret_access_key = {s}\\nregion = x"\n',
    "YAML": "SecretAccessKey: {s}\n",
    "YAML block scalar": "AWS_SECRET_ACCESS_KEY: >-\n  {s}\n",
    "YAML list of name and value": "- Name: AWS_SECRET_ACCESS_KEY\n  Value: {s}\n",
    "YAML list of value and name": "- value: {s}\n  name: AWS_SECRET_ACCESS_KEY\n",
    "YAML arguments": "args:\n  - --secret-key\n  - {s}\n",
    "CloudFormation parameter": "Parameters:\n  AwsSecretAccessKey:\n    Type: String\n    Default: {s}\n",
    "CloudFormation parameter, JSON": (
        '{{"Parameters": {{"DeploySecretKey": {{"Type": "String", "Default": "{s}"}}}}}}'
    ),
    "CloudFormation parameter, printed JSON": (
        '{{\n  "AwsSecret": {{\n    "Type": "String",\n    "Default": "{s}"\n  }}\n}}\n'
    ),
    "CloudFormation Join": '"Fn::Join": ["", [\n  "aws_secret_access_key=",\n  "{s}",\n  "x"]]\n',
    "CloudFormation authentication": "S3Creds:\n  type: S3\n  secretKey: {s}\n",
    "ParameterKey and ParameterValue": '[{{"ParameterKey": "SecretAccessKey", "ParameterValue": "{s}"}}]\n',
    "credentials file": "[default]\nregion = x\naws_secret_access_key = {s}\n",
    "dotenv": "AWS_SECRET_ACCESS_KEY={s}\n",
    "shell export": "export AWS_SECRET_ACCESS_KEY={s}\n",
    "shell export, quoted": "export AWS_SECRET_ACCESS_KEY='{s}'; echo\n",
    "shell default": ': "${{AWS_SECRET_ACCESS_KEY:-{s}}}"\n',
    "heredoc": "user_data = <<-EOF\n  #!/bin/sh\n  export AWS_SECRET_ACCESS_KEY={s}\n  EOF\n",
    "aws configure": "aws configure set aws_secret_access_key {s} --profile p\n",
    "command line option": "s3cmd --secret-key {s} ls\n",
    "aws ssm put-parameter": "aws ssm put-parameter --name aws_secret_key --value {s}\n",
    "docker run": "docker run -e AWS_SECRET_ACCESS_KEY={s} image\n",
    "Dockerfile ENV": "ENV AWS_SECRET_ACCESS_KEY {s}\n",
    "Dockerfile ARG": "ARG AWS_SECRET_ACCESS_KEY={s}\n",
    "PowerShell": '$env:AWS_SECRET_ACCESS_KEY="{s}"\n',
    "PowerShell .NET": "[Environment]::SetEnvironmentVariable('AWS_SECRET_ACCESS_KEY', '{s}', 'Machine')\n",
    "XML attribute": '<add key="AWSSecretKey" value="{s}"/>\n',
    "XML element": "<SecretAccessKey>{s}</SecretAccessKey>\n",
    "comment": "# old secret_key = {s}\n",
    "words": "# The AWS secret access key: {s}\n",
    "AWS name beside another service's": 'minio_aws_secret_key = "{s}"\n',
    "name in the wrong order": 'AWS_ACCESS_KEY_SECRET = "{s}"\n',
    "NUL bytes": "\0AWS_SECRET_ACCESS_KEY=\0{s}\n",
}


@pytest.mark.parametrize("syntax", NAMED)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(min_value=1000, max_value=10**9))
def test_a_named_secret_is_found_in_every_syntax(syntax: str, seed: int) -> None:
    secret = secret_of(seed)
    text = NAMED[syntax].format(s=secret)
    found = find_literals(text)
    assert [(item.kind, item.masked_key_id) for item in found] == [("secret_access_key", None)]
    expected = text[: text.index(secret)].count("\n") + 1
    assert (found[0].line, found[0].end_line) == (expected, expected)
    assert find_literals(text.replace("\n", "\r\n")) == found
    assert contains_candidate(text.encode())


def test_next_to_no_random_secret_under_a_name_is_taken_for_words() -> None:
    source = random.Random(11)
    secrets = ["".join(source.choices(ALPHABET, k=40)) for _ in range(10_000)]
    assert sum(not find_literals(f"secret_key = {secret}\n") for secret in secrets) <= 10


PAIRED = {
    "credentials file": "[default]\naws_access_key_id = {k}\naws_secret_access_key = {s}\n",
    "no name at all": "{k}\n{s}\n",
    "comma separated": "deploy,{k},{s}\n",
    "state": '"id": "{k}",\n"secret": "{s}",\n',
    "URL": "sqs://{k}:{s}@\n",
    "secret first": 'secret_key = "{s}"\naccess_key = "{k}"\n',
    "cut by an escaped newline": '"{k}\\n{s}"\n',
}


@pytest.mark.parametrize("layout", PAIRED)
@pytest.mark.parametrize(("prefix", "kind"), [("AKIA", "access_key_pair"), ("ASIA", "session")])
def test_a_pair_is_one_finding_that_spans_both(layout: str, prefix: str, kind: str) -> None:
    key = key_id_of(9, prefix)
    text = "\n" + PAIRED[layout].format(k=key, s=S)
    (found,) = find_literals(text)
    assert found.kind == kind
    assert found.masked_key_id == f"{prefix}…{key[-4:]}"
    lines = sorted(text[: text.index(value)].count("\n") + 1 for value in (key, S))
    assert [found.line, found.end_line] == lines


@pytest.mark.parametrize("escape", [("/", "\\/"), ("/", "%2F"), ("+", "%2B")])
def test_an_escaped_secret_is_found(escape: tuple[str, str]) -> None:
    secret = "a/B+c/D+" + secret_of(3)[8:]
    assert find_literals(f"secret_key: {secret.replace(*escape)}\n")


NEGATIVE: dict[str, str] = {
    "key id alone": f'access_key = "{K}"\n',
    "key id as a name, a tag and in a comment": f'Name = "{K}"  # {K}\nresource "x" "{K}" {{}}\n',
    "key id beside a reference": f'access_key = "{K}"\nsecret_key = var.secret_key\n',
    "key id beside a git commit": f"# {K}\nref = {random.Random(5).randbytes(20).hex()}\n",
    "key id beside an upper-case hash": f"{K} {random.Random(5).randbytes(20).hex().upper()}\n",
    "key id beside a checksum of the right length": f"id = {K}\nchecksum = {S}\n",
    "key id beside a token": f'access_key = "{K}"\napi_token = "{S}"\n',
    "key id beside another service's key": f'access_key = "{K}"\ncloudflare_api_key = "{S}"\n',
    "key id beside an encrypted value": f"id: {K}\nkey: ENC[AES256_GCM,data:{S},iv:x,type:str]\n",
    "key id beside the last line of a key in PEM": f"{K}\n{secret_of(8, 64)}\n{S}\n",
    "key id beside a name in words": f"{K}\nTheDeploymentRoleOfTheBuildSystemInEU1a2\n",
    "key id with one character more": f"{K}A\n{S}\n",
    "key id beside padded base64": f"{K}\n{S}=\n",
    "documented pair": "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    "documented pair, second": "AKIAI44QH8DHBEXAMPLE\nsecret_key=je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n",
    "documented key id near a value without a name": f"AKIAIOSFODNN7EXAMPLE\n{S}\n",
    "filler key id near a value without a name": f"AKIA{'X' * 16}\n{S}\n",
    "secret that ends in EXAMPLEKEY": f"secret_key = {S[:30]}EXAMPLEKEY\n",
    "filler": f"secret_key = {'x' * 40}\n",
    "filler, mixed": f"secret_key = {'aB3/' * 10}\n",
    "sequence": f"secret_key = {'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0123456789'[:40]}\n",
    "sequence in alternating case": f"secret_key = {'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCd'}\n",
    "placeholder in words": "secret_key = YourAwsSecretAccessKeyGoesHereReplaceMe1\n",
    "placeholder in brackets": "secret_key = <your-secret-access-key-of-40-characters>\n",
    "interpolation": 'secret_key = "${var.secret_key_with_a_name_of_forty_char}"\n',
    "path": "secret_key = /prod/billing/Application1/Database/west\n",
    "one case only": f"secret_key = {S.lower()}\n",
    "hexadecimal": f"secret_key = {random.Random(6).randbytes(20).hex()}\n",
    "39 characters": f"secret_key = {secret_of(7, 39)}\n",
    "41 characters": f"secret_key = {secret_of(7, 41)}\n",
    "part of a token with dots": f"secret_key = x.{S}\nsecret_key = {S}.y\n",
    "part of a url-safe token": f"secret_key_1 = x_{S}\nsecret_key = {S}_x\nsecret_key-{S}\nsecret_key = {S}-x\n",
    "name of another thing": f"commit = {S}\n",
    "hash of a secret": f"secret_access_key_hash = {S}\naws_secret_arn = {S}\nsecret_key_sha1 = {S}\n",
    "another service by name": f"MINIO_SECRET_KEY={S}\nrecaptcha_secret_key={S}\nScalewaySecretKey: {S}\n",
    "another service by provider": f'provider "minio" {{\n  secret_key = "{S}"\n}}\n',
    "the neighbour's name, one line": f'{{ name = "AWS_SECRET_KEY", value = x }}, {{ name = "B", value = "{S}" }}\n',
    "the neighbour's name, next line": f'{{ name = "AWS_SECRET_KEY", value = x }},\n{{ name = "B", value = "{S}" }}\n',
    "the neighbour's name, YAML": f"- name: AWS_SECRET_ACCESS_KEY\n  valueFrom: x\n- name: B\n  value: {S}\n",
    "the next item's name, YAML": f"- name: B\n  value: {S}\n- name: AWS_SECRET_ACCESS_KEY\n  valueFrom: x\n",
    "an item without a name, YAML": f"- name: AWS_SECRET_KEY\n  valueFrom: x\n- id: 1\n  value: {S}\n",
    "a name further in": f"build:\n  other:\n    name: AWS_SECRET_KEY\n  value: {S}\n",
    "a name in a closed object without indentation": f'x {{\nname = "AWS_SECRET_KEY"\n}}\nvalue = "{S}"\n',
    "a name before an object without indentation": f'name = "AWS_SECRET_KEY"\nx {{\nvalue = "{S}"\n}}\n',
    "another parameter": f"  AwsSecretKey:\n    NoEcho: true\n  Build:\n    Default: {S}\n",
    "another variable": f'variable "aws_secret_key" {{}}\nvariable "b" {{\n  default = "{S}"\n}}\n',
    "Secrets Manager": f'resource "aws_secretsmanager_secret_version" "v" {{\n  secret_string = "{S}"\n}}\n',
    "Secrets Manager by its name": f"AwsSecretsPrefix:\n  Default: {S}\n",
    "SOPS": f"aws_secret_access_key: ENC[AES256_GCM,data:{S},iv:x,type:str]\n",
    "last line of a key in PEM": f"secret_key: |\n  {secret_of(8, 64)}\n  {S}\n",
    "gzip in base64": base64.b64encode(gzip.compress(f"secret_key={S}".encode() * 5, mtime=0)).decode() + "\n",
    "lock file": f'# {K}\n  hashes = [\n    "h1:{secret_of(4, 43)}=",\n    "zh:{K.encode().hex()}",\n  ]\n',
}


@pytest.mark.parametrize("reason", NEGATIVE)
def test_no_finding(reason: str) -> None:
    assert find_literals(NEGATIVE[reason]) == []


def test_the_foreign_provider_ends_with_its_block() -> None:
    text = f'provider "minio" {{\n}}\nsecret_key = {S2}\nprovider "aws" {{\n  secret_key = "{S}"\n}}\n'
    assert [item.line for item in find_literals(text)] == [3, 5]


@pytest.mark.parametrize(
    ("name", "reach"), [("", NEAR_LINES), ("secret_key = ", NEAR_LINES_NAMED)], ids=["unnamed", "named"]
)
def test_distance_between_key_id_and_secret(name: str, reach: int) -> None:
    def kinds(lines: int) -> list[str]:
        return [item.kind for item in find_literals(K + "\n" * lines + name + S + "\n")]

    assert kinds(reach) == ["access_key_pair"]
    assert kinds(reach + 1) == (["secret_access_key"] if name else [])


def test_each_secret_gets_its_own_key_id() -> None:
    for text in (f"{K},{'x' * 60},{S}\n{K2},{S2}\n", f"secret_key={S}\n{K}\nsecret_key={S2}\n{K2}\n"):
        assert [item.masked_key_id for item in find_literals(text)] == [f"AKIA…{K[-4:]}", f"AKIA…{K2[-4:]}"]


def test_a_named_secret_takes_the_key_id_from_a_value_without_a_name() -> None:
    assert [item.line for item in find_literals(f"{K}\n{S}\nsecret_key = {S2}\n")] == [1]


def test_a_secret_that_stands_twice_is_one_finding() -> None:
    (found,) = find_literals(f"secret_key = {S}\n\n\nx\n\n\n\n{K}\nsecret_key = {S}\n")
    assert found.kind == "access_key_pair"
    (found,) = find_literals(f"secret_key = {S}\n\nsecret_key = {S}\n")
    assert (found.line, found.message.endswith("again on line 3")) == (1, True)


def wrapped(encoded: str) -> str:
    return "\n".join("  " + encoded[start : start + 76] for start in range(0, len(encoded), 76))


@pytest.mark.parametrize("padding", range(6))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("shape", [str, wrapped, lambda text: text.rstrip("=")], ids=["line", "wrapped", "unpadded"])
def test_base64_is_looked_into(padding: int, encoding: str, shape: Callable[[str], str]) -> None:
    script = "#!/bin/sh\n" + "x" * padding + f"\nexport AWS_SECRET_ACCESS_KEY={S}\n"
    text = f'\nuser_data = "\n{shape(base64.b64encode(script.encode(encoding)).decode())}"\n'
    (found,) = find_literals(text)
    assert (found.kind, found.line, found.end_line) == ("secret_access_key", 3, text.count("\n"))
    assert find_literals(text.replace("\n", "\r\n")) == [found]
    assert contains_candidate(text.encode())


def test_bytes_of_utf16_are_read() -> None:
    data = f"secret_key = {S}\r\n".encode("utf-16")
    assert contains_candidate(data)
    assert find_literals(data.decode("utf-8", "replace"))


PIECES = st.one_of(
    st.sampled_from(
        ["secret_key = ", "AWS_SECRET_ACCESS_KEY=", "name: ", "value: ", "\n", "\r\n", "  ", "{", "}", '"', "\\n", "\0"]
    ),
    st.sampled_from([S, S2, K, K2, key_id_of(3, "ASIA"), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"]),
    st.text(max_size=8),
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


def hides(item: LiteralCredential, values: list[str]) -> bool:
    shown = f"{item!r} {item} {item.message} {item.masked_key_id}"
    return not any(value in shown or value[4:-4] in shown for value in values)


@settings(max_examples=300, deadline=None)
@given(
    text=TEXTS, layers=st.sampled_from(["plain", "base64", "base64 wrapped", "base64 utf-16"]), shift=st.integers(0, 3)
)
def test_over_any_text(text: str, layers: str, shift: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    if layers != "plain":
        data = ("x" * shift + text).encode("utf-16-le" if layers.endswith("16") else "utf-8")
        text = base64.b64encode(data).decode()
    if layers.endswith("wrapped"):
        text = wrapped(text)
    found = find_literals(text)
    assert not found or contains_candidate(text.encode())
    assert all(hides(item, [S, S2, K, K2, key_id_of(3, "ASIA")]) for item in found)
    assert found == sorted(found, key=lambda item: (item.line, item.end_line))
    assert all(1 <= item.line <= item.end_line <= text.count("\n") + 1 for item in found)
    unix = text.replace("\r\n", "\n")
    assert find_literals(unix.replace("\n", "\r\n")) == find_literals(unix) == found


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    shape=st.sampled_from(["hex", "sha1", "uuid", "base64", "words"]),
    label=st.sampled_from(["", "id = ", "value: ", "secret = ", "secret_key: "]),
)
def test_random_text_is_no_finding(seed: int, shape: str, label: str) -> None:
    """But 40 characters beside a key id under a secret's usual name are one, however they look."""
    source = random.Random(seed)
    longest = 39 if label.startswith("secret") else 40
    words = ["deploy", "Prod", "Key", "/aws", "Secret", "node", "Team"]
    makers: dict[str, Callable[[], str]] = {
        "hex": lambda: source.randbytes(source.randint(8, 40)).hex(),
        "sha1": lambda: source.randbytes(20).hex(),
        "uuid": lambda: "-".join(source.randbytes(n).hex() for n in (4, 2, 2, 2, 6)),
        "base64": lambda: base64.b64encode(source.randbytes(source.choice([20, 32, 48, 64]))).decode(),
        "words": lambda: "".join(source.choices(words, k=8))[:longest],
    }
    assert find_literals("".join(f"{label}{makers[shape]()}\n{K}\n" for _ in range(4))) == []


def test_the_prefilter_says_no_to_ordinary_files() -> None:
    assert not contains_candidate(b'resource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n')
    assert not contains_candidate(base64.b64encode(random.Random(3).randbytes(10_000)))
    assert not contains_candidate(b"")
    # Files that speak of secrets and hold hashes: a workflow that names actions by commit, a manifest with a digest.
    assert not contains_candidate(
        b"uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683\n${{ secrets.X }}\n"
    )
    assert not contains_candidate(b'{"secretKeyRef": "x", "image": "app@sha256:' + b"0123456789abcdef" * 4 + b'"}')


CASES = sorted(path for path in FIXTURES.glob("*/*") if path.name.startswith(("pass_", "fail_")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.relative_to(FIXTURES).as_posix())
def test_fixtures(case: Path) -> None:
    files = [case] if case.is_file() else sorted(path for path in case.rglob("*") if path.is_file())
    texts = [path.read_text(encoding="utf-8") for path in files]
    found = [item for text in texts for item in find_literals(text) if item.kind != "session"]
    assert len(found) == (1 if case.name.startswith("fail_") else 0)


@pytest.mark.parametrize("folder", ["terraform", "cloudformation", "text"])
def test_there_are_fixtures_of_both_verdicts(folder: str) -> None:
    assert {case.name[:5] for case in CASES if case.parent.name == folder} == {"pass_", "fail_"}
