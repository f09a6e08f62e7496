"""The names of standards against those in Security Hub's documentation."""

from __future__ import annotations

import pytest

from keyrules.controls.tables import load_frameworks
from keyrules.pack.catalog import load_pack
from keyrules.reports.security_hub_names import requirement, standards

# https://docs.aws.amazon.com/securityhub/latest/userguide/sample-control-findings.html: Compliance of the samples.
SAMPLES = {
    "cis_aws_1.2.0": "ruleset/cis-aws-foundations-benchmark/v/1.2.0",
    "cis_aws_1.4.0": "standards/cis-aws-foundations-benchmark/v/1.4.0",
    "cis_aws_3.0.0": "standards/cis-aws-foundations-benchmark/v/3.0.0",
    "cis_aws_5.0.0": "standards/cis-aws-foundations-benchmark/v/5.0.0",
    "nist_800_171_r2": "standards/nist-800-171/v/2.0.0",
    "nist_800_53_r5": "standards/nist-800-53/v/5.0.0",
    "pci_dss_3.2.1": "standards/pci-dss/v/3.2.1",
    "pci_dss_4.0.1": "standards/pci-dss/v/4.0.1",
    "aws_fsbp_1.0.0": "standards/aws-foundational-security-best-practices/v/1.0.0",
}


def test_the_editions_that_security_hub_has_bear_its_names_and_no_other_does() -> None:
    named = {edition.key: standards([edition.key]) for edition in load_frameworks(load_pack()).editions}
    assert {key: name for key, (name,) in named.items() if name != key} == SAMPLES


def test_what_security_hub_knows_comes_first_and_once() -> None:
    keys = ["cis_aws_7.0.0", "nist_800_53_r5", "gdpr", "pci_dss_4.0.1", "nist_800_53_r5"]
    assert standards(keys) == ["standards/nist-800-53/v/5.0.0", "standards/pci-dss/v/4.0.1", "cis_aws_7.0.0", "gdpr"]


@pytest.mark.parametrize(
    ("framework", "control", "expected"),
    [
        ("cis_aws_5.0.0", "1.13", "CIS AWS Foundations Benchmark v5.0.0/1.13"),
        ("nist_800_53_r5", "CM-3(6)", "NIST.800-53.r5 CM-3(6)"),
        ("nist_800_171_r2", "3.3.8", "NIST.800-171.r2/3.3.8"),
        ("pci_dss_3.2.1", "8.1.4", "PCI DSS v3.2.1/8.1.4"),
        ("aws_fsbp_1.0.0", "IAM.3", "aws_fsbp_1.0.0:IAM.3"),
        ("cis_aws_7.0.0", "2.12", "cis_aws_7.0.0:2.12"),
    ],
)
def test_a_requirement_is_spelled_as_in_the_samples(framework: str, control: str, expected: str) -> None:
    assert requirement(framework, control) == expected
