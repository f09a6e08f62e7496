"""Tells what belongs to the other plane by its content: reports given to a scan, code given to an audit."""

from __future__ import annotations

import re

_HEADER = (b"user,", b"arn,", b"user_creation_time", b"access_key_1_active")
_LONGEST_HEADER = 4096
# Strings, which re compiles where a file first needs them.
_REPORT_IN_JSON = rb'"Content"\s*:\s*"dXNlcixhcm4s'
"""The base64 of `user,arn,`: the JSON of `aws iam get-credential-report`."""

_BLOCK = (
    rb'(?m)^[ \t]*(?:(?:resource|data|ephemeral|action)[ \t]+"?[\w-]+"?[ \t]+"?[\w-]+"?[ \t]*\{'
    rb'|(?:module|variable|output|provider)[ \t]+"?[\w-]+"?[ \t]*\{|(?:terraform|locals)[ \t]*\{)'
)
_TERRAFORM_JSON = (b'"format_version"', b'"terraform_version"', b'"@level"')
_TEMPLATE = rb"AWSTemplateFormatVersion|\bType[\"']?\s*:\s*[\"']?AWS::"


def is_credential_report(data: bytes) -> bool:
    """Whether the bytes are a credential report of IAM: CSV, or the JSON that the AWS CLI prints."""
    data = data.replace(b"\0", b"") if b"\0" in data[:4] else data
    text = data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if text.startswith(b"{"):
        return re.search(_REPORT_IN_JSON, text) is not None
    first = text[:_LONGEST_HEADER].split(b"\n", 1)[0].replace(b'"', b"").replace(b";", b",")
    return all(name in first for name in _HEADER)


def kind_of_code(name: str, head: bytes) -> str:
    """What the beginning of a file is where it is code that a scan judges; nothing where it is none."""
    if name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json")) or re.search(_BLOCK, head):
        return "Terraform code"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{") and any(word in head for word in _TERRAFORM_JSON):
        return "a plan or state of Terraform"
    return "a CloudFormation template" if re.search(_TEMPLATE, head) else ""
