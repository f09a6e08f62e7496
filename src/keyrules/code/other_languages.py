"""Recognises files that create access keys in languages that keyrules does not read, and says what to scan instead."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from keyrules.code.file_names import PROGRAM_SUFFIXES
from keyrules.code.file_paths import shown
from keyrules.records import dataclass

_NEVER = (".md", ".markdown", ".txt", ".rst", ".adoc", ".csv", ".tsv", ".tfvars", ".xml")
"""Prose and data, in which the words are about keys."""
_LISTED = 3


@dataclass(frozen=True)
class Language:
    """What a declaration looks like (`pattern`), what the same file also holds (`beside`), and how people call it.

    One of the `words` is in every such file. With `programs` only programs count, because documents of other kinds use
    the same words; JSON counts only with `documents`.
    """

    kind: str
    words: tuple[bytes, ...]
    pattern: bytes
    beside: bytes
    programs: bool
    what: str
    instead: str
    documents: bool = False


LANGUAGES = (
    Language(
        "cdktf",
        (b"amAccessKey",),
        rb"\b(?:New)?IamAccessKey\b(?:\.Builder)?[.(\s]|\biamAccessKey\.IamAccessKey\b",
        rb"cdktf|imports\.aws|\.gen/providers|imports/aws",
        True,
        "CDK for Terraform",
        "scan what `cdktf synth` writes (cdktf.out)",
    ),
    Language(
        "pulumi",
        (b"ulumi", b"aws:iam"),
        rb"\b(?:aws\.)?iam\.(?:New)?AccessKey\b|\bnew\s+(?:\w+\.)*AccessKey\b|\baws:iam(?:/accessKey)?:AccessKey\b"
        rb"|\bAccessKey\(",
        rb"pulumi|Pulumi|aws:iam",
        False,
        "Pulumi",
        "audit the account that `pulumi up` changes with `keyrules audit`",
    ),
    Language(
        "cdk",
        (b"cdk",),
        rb"\b(?:New)?CfnAccessKey\b|\biam\.(?:New)?AccessKey\b|\bnew\s+(?:\w+\.)*AccessKey\b|\bAccessKey(?:\.Builder|\()",
        rb"aws[-_.]?cdk|awscdk|aws[-_]iam|AWS\.IAM|awsiam",
        True,
        "the AWS CDK",
        "scan what `cdk synth` writes (cdk.out)",
    ),
    Language(
        "ansible",
        (b"iam_access_key", b"access_key_state"),
        rb"(?m)^[ \t-]*[\"']?(?:(?:amazon|community)\.aws\.)?iam_access_key[\"']?[ \t]*:(?=[ \t]*(?:[{#]|\r?$))"
        rb"|^[ \t]*[\"']?access_key_state[\"']?[ \t]*:[ \t]*[\"']?create|[ \t]access_key_state=[\"']?create",
        rb"",
        False,
        "Ansible",
        "audit the account that the play changes with `keyrules audit`",
    ),
    Language(
        "crossplane",
        (b"upbound.io", b"crossplane.io"),
        rb"(?m)^[ \t-]*[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?AccessKey[\"']?[ \t]*,?[ \t]*(?:#|\r?$)",
        rb"iam\.[\w.]*(?:upbound\.io|crossplane\.io)",
        False,
        "Crossplane",
        "audit the account that the cluster changes with `keyrules audit`",
    ),
    Language(
        "ack",
        (b"iam.services.k8s.aws",),
        rb"(?m)^[ \t-]*[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?AccessKey[\"']?[ \t]*,?[ \t]*(?:#|\r?$)",
        rb"iam\.services\.k8s\.aws",
        False,
        "AWS Controllers for Kubernetes",
        "audit the account that the cluster changes with `keyrules audit`",
    ),
    Language(
        "template_program",
        (b"AWS::IAM::AccessKey", b"troposphere", b"goformation"),
        rb"[\"']?Type[\"']?\]?\s*[:=]>?\s*[\"'`]AWS::IAM::AccessKey[\"'`]|\biam\.AccessKey\s*[{(]|\bAccessKey\(",
        rb"AWS::IAM::AccessKey|troposphere|goformation",
        True,
        "programs that write templates",
        "scan the template that they write",
    ),
    Language(
        "script",
        (b"create-access-key", b"create_access_key", b"reateAccessKey", b"New-IAMAccessKey"),
        rb"\biam(?:[ \t]|[\\^`]\r?\n)+create-access-key\b|\bcreate_access_key\(|\.createAccessKey\("
        rb"|\bCreateAccessKeyCommand\(|\.CreateAccessKey(?:WithContext|Async)?\(|\bnew CreateAccessKeyRequest\b"
        rb"|\bNew-IAMAccessKey\b",
        rb"",
        False,
        "scripts that call the IAM API",
        "audit the account that they change with `keyrules audit`",
    ),
    # AwsCustomResource of the CDK, Step Functions, and automation documents of Systems Manager.
    Language(
        "api_document",
        (b"reateAccessKey",),
        rb"""\baction\\*["']?\s*:\s*\\*["']createAccessKey\\*["']|:aws-sdk:iam:createAccessKey\b"""
        rb"""|\bApi["']?[ \t]*:[ \t]*["']?CreateAccessKey\b""",
        rb"(?i)\biam\b",
        False,
        "documents that have the IAM API called",
        "audit the account that they change with `keyrules audit`",
        documents=True,
    ),
)


def other_languages(name: str, data: bytes) -> str | None:
    """The kind of language in which a file with this name and these bytes creates an access key, or None.

    What stands in a comment of its own line does not count, nor does prose.
    """
    low = name.lower()
    if low.endswith(_NEVER):
        return None
    if b"\0" in data[:4]:
        data = data.replace(b"\0", b"")
    # In every declaration below is one of these; nearly every file ends here.
    if b"ccess" not in data or not (b"ccessKey" in data or b"ccess_key" in data or b"ccess-key" in data):
        return None
    program, document = low.endswith(tuple(PROGRAM_SUFFIXES)), low.endswith(".json")
    for language in LANGUAGES:
        counts = language.documents if document else program or not language.programs
        if counts and any(word in data for word in language.words):
            pattern, beside = _patterns(language)
            if beside.search(data) and any(not _is_comment(data, match.start()) for match in pattern.finditer(data)):
                return language.kind
    return None


def not_read_notes(found: Iterable[tuple[str, str]]) -> list[str]:
    """One sentence for each kind among (kind, absolute path) pairs: how many files, the first of them, what to do."""
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for kind, path in sorted(set(found)):
        paths[kind].append(shown(path))
    notes = []
    for language in LANGUAGES:
        if names := paths.get(language.kind):
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            count = "1 file creates" if len(names) == 1 else f"{len(names)} files create"
            notes.append(
                f"{count} access keys with {language.what}, which keyrules does not read "
                f"({', '.join(names[:_LISTED])}{more}); {language.instead}"
            )
    return notes


@cache
def _patterns(language: Language) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Compiled where a file first needs them: few do."""
    return re.compile(language.pattern), re.compile(language.beside)


def _is_comment(data: bytes, position: int) -> bool:
    start = data.rfind(b"\n", 0, position) + 1
    before = data[start : start + 200].lstrip()
    return before.startswith((b"#", b"//", b"*", b"/*", b"--", b"<!--", b";", b"REM ", b"::"))
