"""Repositories of Terraform, templates, plans and texts that hide what they declare in the ways their formats allow."""

from __future__ import annotations

import base64
import json
import os.path
import random
import string

from hypothesis import strategies as st

FOLDERS = ("", "live", "live/prod", "modules/user", "modules/net", "shared")
KEY_TYPES = ("aws_iam_access_key", "awsutils_expiring_iam_access_key")
REGISTRY = (
    "terraform-aws-modules/iam/aws//modules/iam-user",
    "git::https://example.com/terraform-aws-modules/terraform-aws-iam.git//modules/iam-user?ref=v5.0.0",
    "cloudposse/iam-system-user/aws",
    "git@github.com:cloudposse/terraform-aws-iam-system-user.git",
    "terraform-aws-modules/vpc/aws",
)
SUFFIXES = (".yaml", ".yml", ".json", ".template", ".cform", ".cfn", ".cft", ".txt", ".YAML", ".Json")
KEY_TEMPLATE_TYPE = "AWS::IAM::AccessKey"


def secret(rng: random.Random) -> str:
    """Looks like a secret access key and is none."""
    return "a" + "".join(rng.choices(string.ascii_letters + string.digits + "/+", k=39))


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, bytes]:
    """Files by their path."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    files: dict[str, bytes] = {}
    folders = draw(st.lists(st.sampled_from(FOLDERS), min_size=1, max_size=4, unique=True))
    for folder in folders:
        for name in draw(st.lists(st.sampled_from(["main", "keys", "override"]), min_size=1, max_size=2, unique=True)):
            native = draw(st.booleans())
            suffix = draw(st.sampled_from([".tf", ".tofu"])) + ("" if native else ".json")
            text = (_native if native else _json)(draw, rng, folder, folders)
            files[_join(folder, name + suffix)] = _encoded(draw, text)
        if draw(st.booleans()):
            values = draw(st.sampled_from(["terraform.tfvars", "x.auto.tfvars", "prod.tfvars"]))
            files[_join(folder, values)] = f'days = {draw(st.sampled_from([30, 400]))}\nuser = "root"\n'.encode()
    for number in range(draw(st.integers(0, 2))):
        path = _join(draw(st.sampled_from(FOLDERS)), f"stack{number}{draw(st.sampled_from(SUFFIXES))}")
        files[path] = _encoded(draw, _template(draw, rng))
    for number in range(draw(st.integers(0, 2))):
        name = draw(
            st.sampled_from(["deploy{}.sh", ".env.{}", "notes{}.md", "Dockerfile", "data{}.json", "user{}.tftpl"])
        )
        files[_join(draw(st.sampled_from(FOLDERS)), name.format(number))] = _text(draw, rng)
    if draw(st.booleans()):
        files[draw(st.sampled_from(["plan.json", "tfplan", "live/out.json"]))] = _plan(draw)
    return files


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}".lstrip("/")


def _encoded(draw: st.DrawFn, text: str) -> bytes:
    how = draw(st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "utf-16-le", "crlf", "nul"]))
    if how == "crlf":
        return text.replace("\n", "\r\n").encode()
    return f"# \0\n{text}".encode() if how == "nul" else text.encode(how)


def _hidden(draw: st.DrawFn, text: str, escapes: tuple[str, ...]) -> str:
    """A text for inside double quotes with some characters written as escapes."""
    text = text.replace("\\", "\\\\")
    place = draw(st.integers(0, 2 * len(text)))
    if place >= len(text) or text[place] == "\\":
        return text
    return text[:place] + draw(st.sampled_from(escapes)).format(ord(text[place])) + text[place + 1 :]


def _source(draw: st.DrawFn, folder: str, folders: list[str]) -> str:
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(REGISTRY))
    target = draw(st.sampled_from([other for other in folders if other != folder] or FOLDERS))
    path = os.path.relpath(f"/r/{target}", f"/r/{folder}")
    path = path if path.startswith("..") else f"./{path}"
    shapes = (path, f"{path}/", path.replace("/", "//"), f"{path}/../{target.rpartition('/')[2] or '.'}")
    return draw(st.sampled_from([*shapes, path.replace("/", "\\")]))


def _native(draw: st.DrawFn, rng: random.Random, folder: str, folders: list[str]) -> str:
    unicode = ("\\u{:04x}", "\\U{:08X}")
    blocks = []
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["key", "key", "call", "call", "noise", "mention", "output", "literal"]))
        if kind == "key":
            label = draw(st.sampled_from(KEY_TYPES))
            word = draw(st.sampled_from([f'"{_hidden(draw, label, unicode)}"', label, f'/* a */ "{label}" /* b */']))
            blocks.append(
                f'resource {word} "k{number}" {{\n  user = var.user\n}}\nvariable "user" {{\n  default = "x"\n}}\n'
            )
        elif kind == "call":
            source = _hidden(draw, _source(draw, folder, folders), unicode)
            gap = draw(st.sampled_from([" = ", "=", " = /* why */ ", "\t=  "]))
            shape = draw(st.sampled_from(['"{}"'] * 6 + ['("{}")', 'true ? "{}" : ""', '"${{"{}"}}"', '["{}"][0]']))
            blocks.append(f'module "m{number}" {{\n  source{gap}{shape.format(source)}\n  user = "svc"\n}}\n')
        elif kind == "noise":
            blocks.append(
                f'resource "aws_s3_object" "o{number}" {{\n  source = "./modules/user"\n  key = "\\u0041"\n}}\n'
            )
        elif kind == "mention":
            blocks.append('# resource "aws_iam_access_key" "k" {}\n/* source = "../modules/user" */\n')
        elif kind == "output":
            blocks.append(f'output "o{number}" {{\n  value = aws_iam_access_key.k0.secret\n}}\n')
        else:
            blocks.append(f'provider "aws" {{\n  secret_key = "{secret(rng)}"\n}}\n')
    return "".join(blocks)


def _json(draw: st.DrawFn, rng: random.Random, folder: str, folders: list[str]) -> str:
    document: dict[str, object] = {"variable": {"user": {"default": "x"}}}
    if draw(st.booleans()):
        document["resource"] = {draw(st.sampled_from(KEY_TYPES)): {"k0": {"user": "${var.user}"}}}
    if draw(st.booleans()):
        document["module"] = {"m0": {"source": _source(draw, folder, folders), "user": "svc"}}
    if draw(st.booleans()):
        document["provider"] = {"aws": {"secret_key": secret(rng)}}
    text = json.dumps(document, indent=draw(st.sampled_from([None, 1])))
    text = text.replace("/", "\\/") if draw(st.booleans()) else text
    for word in draw(st.lists(st.sampled_from([*KEY_TYPES, "source", "module", "iam", "user", "."]), max_size=3)):
        text = text.replace(word, f"\\u{ord(word[0]):04X}{word[1:]}")
    return text


def _template(draw: st.DrawFn, rng: random.Random) -> str:
    kind = draw(st.sampled_from([KEY_TEMPLATE_TYPE] * 3 + ["AWS::IAM::User"]))
    escapes = ("\\x{:02x}", "\\u{:04x}", "\\U{:08x}")
    if draw(st.integers(0, 2)) == 0:
        name = _hidden(draw, kind, escapes[1:2])
        return f'{{"Resources": {{"K": {{"Type": "{name}", "Properties": {{"UserName": "svc"}}}}}}}}'
    lines = draw(st.sampled_from(["\n", "\r\n", "\r", "\x85", "\u2028"]))
    place = draw(st.integers(0, len(kind)))
    word = draw(
        st.sampled_from(
            [
                kind,
                f"'{kind}'",
                f'"{_hidden(draw, kind, escapes)}"',
                f'"{kind[:place]}\\{lines}      {kind[place:]}"',
                f"!!str {kind}",
                f"&type {kind}",
                f">-\n      {kind}",
                f"# {kind}\n      AWS::S3::Bucket",
            ]
        )
    )
    return f"Resources:\n  K:\n    Type: {word}\n    Properties:\n      UserName: !Ref U\nOutputs: {{}}\n"


def _text(draw: st.DrawFn, rng: random.Random) -> bytes:
    value = secret(rng)
    plain = f"export AWS_SECRET_ACCESS_KEY={value}\n"
    key_id = "AKIA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
    forms = (
        plain,
        f"{key_id}\n{value}\n",
        f'{{"secret_key": "{value.replace("/", chr(92) + "/")}"}}\n',
        f"https://{key_id}:{value.replace('/', '%2F').replace('+', '%2b')}@example.com\n",
        base64.b64encode(plain.encode()).decode() + "\n",
        base64.b64encode(plain.encode("utf-16-le")).decode() + "\n",
        "the secret is elsewhere\n" + "f" * 64 + "\n",
        "nothing\n",
    )
    return draw(st.sampled_from(forms)).encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "utf-8-sig"])))


def _plan(draw: st.DrawFn) -> bytes:
    key = {
        "address": "aws_iam_access_key.k",
        "mode": "managed",
        "type": "aws_iam_access_key",
        "name": "k",
        "provider_name": "registry.terraform.io/hashicorp/aws",
    }
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": [{**key, "values": {"user": "svc"}}]}},
        "resource_changes": [{**key, "change": {"actions": ["create"], "after": {"user": "svc"}, "after_unknown": {}}}],
        "configuration": {},
    }
    return json.dumps(document).encode(draw(st.sampled_from(["utf-8", "utf-16", "utf-8-sig"])))
