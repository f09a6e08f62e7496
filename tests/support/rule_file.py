"""A complete rule file and the files around it, for tests that change one thing in it."""

from __future__ import annotations

RULE = """\
metadata:
  id: KEY_AWS_900
  name: Keys are good
  category: IAM
  severity: LOW
  guideline: https://example.com/#key_aws_900
scope:
  provider: aws
definition:
  or:
    - {cond_type: attribute, resource_types: [aws_iam_access_key], attribute: status, operator: equals, value: Active}
    - not:
        {cond_type: attribute, resource_types: [aws_iam_access_key], attribute: status, operator: exists}
runtime:
  subject: access_key
  where:
    and:
      - {attribute: active, operator: is_true}
      - {attribute: slot, operator: within, value: {parameter: slots}}
  definition: {attribute: days_since_rotation, operator: less_than, value: {parameter: max_age_days}}
parameters:
  max_age_days: {default: 90, minimum: 1, maximum: 400, unit: days}
  slots: {default: [1, 2], allowed: [1, 2], unit: slot}
rationale: Because.
remediation: Do it.
limits:
  code: Little.
  live: Less.
references: [https://example.com/]
lifecycle: {status: stable, since: "1.0.0"}
"""
RETIRED = "id,retired_in,replaced_by,why\n"
