"""What AWS Security Hub calls the standards that it has, and their requirements; the others keep our own names.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/sample-control-findings.html, Compliance of its
samples, and the ARNs of https://docs.aws.amazon.com/securityhub/latest/userguide/standards-reference.html. Which
control of AWS failed (SecurityControlId) is for Security Hub to say: our limits can differ from those of its checks.
"""

from __future__ import annotations

from collections.abc import Iterable

_CIS = "cis-aws-foundations-benchmark/v"
_STANDARDS = {
    "aws_fsbp_1.0.0": ("standards/aws-foundational-security-best-practices/v/1.0.0", ""),
    "cis_aws_1.2.0": (f"ruleset/{_CIS}/1.2.0", "CIS AWS Foundations Benchmark v1.2.0/"),
    "cis_aws_1.4.0": (f"standards/{_CIS}/1.4.0", "CIS AWS Foundations Benchmark v1.4.0/"),
    "cis_aws_3.0.0": (f"standards/{_CIS}/3.0.0", "CIS AWS Foundations Benchmark v3.0.0/"),
    "cis_aws_5.0.0": (f"standards/{_CIS}/5.0.0", "CIS AWS Foundations Benchmark v5.0.0/"),
    "nist_800_53_r5": ("standards/nist-800-53/v/5.0.0", "NIST.800-53.r5 "),
    "nist_800_171_r2": ("standards/nist-800-171/v/2.0.0", "NIST.800-171.r2/"),
    "pci_dss_3.2.1": ("standards/pci-dss/v/3.2.1", "PCI DSS v3.2.1/"),
    "pci_dss_4.0.1": ("standards/pci-dss/v/4.0.1", "PCI DSS v4.0.1/"),
}


def standards(frameworks: Iterable[str]) -> list[str]:
    """The ids of the standards, each once; those that Security Hub knows first, because a finding holds only some."""
    keys = dict.fromkeys(frameworks)
    return [_STANDARDS[key][0] for key in keys if key in _STANDARDS] + [key for key in keys if key not in _STANDARDS]


def requirement(framework: str, control: str) -> str:
    """A requirement of a standard, as in `CIS AWS Foundations Benchmark v3.0.0/1.14` or `cis_aws_7.0.0:2.12`."""
    _, prefix = _STANDARDS.get(framework, ("", ""))
    return f"{prefix}{control}" if prefix else f"{framework}:{control}"
