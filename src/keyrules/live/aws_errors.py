"""One sentence for everything that AWS or the connection to it can answer instead of what was asked.

Built from error codes, the names of exceptions and the kind of policy that denies: messages of AWS and of botocore can
hold the request with its session token, the output of a credential process, or a user name and password in a proxy's
URL. The kind is one of those that AWS lists:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from keyrules.model import InputError


class AccountError(InputError):
    """An account did not give what was asked. `state` is the word of AccountState for it."""

    def __init__(self, sentence: str, state: str) -> None:
        super().__init__(sentence)
        self.state = state


class _Policy(NamedTuple):
    """A kind of policy: in the state of an account, in a sentence, and what ends its denial."""

    word: str
    name: str
    remedy: str


_POLICIES: Final[Mapping[str, _Policy]] = {
    "service control policy": _Policy(
        "SCP",
        "a service control policy (SCP) of the organization",
        "no permission in the account lifts that, so have whoever manages the organization's policies allow it",
    ),
    "resource control policy": _Policy(
        "RCP",
        "a resource control policy (RCP) of the organization",
        "no permission in the account lifts that, so have whoever manages the organization's policies allow it",
    ),
    "permissions boundary": _Policy(
        "permissions boundary",
        "the permissions boundary of the credentials in use",
        "add {call} to the boundary; another permission does not lift that",
    ),
    "session policy": _Policy(
        "session policy",
        "the policy of the session in use",
        "add {call} to what --session-policy names, or to the policy with which the session was started",
    ),
    "VPC endpoint policy": _Policy(
        "VPC endpoint policy",
        "the policy of the VPC endpoint",
        "add {call} to the endpoint's policy, or run from another network",
    ),
    "role trust policy": _Policy(
        "trust policy",
        "the trust policy of the role",
        "have it name the credentials in use, and the external id that --external-id gives",
    ),
    "resource-based policy": _Policy(
        "resource policy",
        "the policy of the resource",
        "have that policy allow {call} to the credentials in use",
    ),
    "identity-based policy": _Policy(
        "identity policy",
        "a policy of the credentials in use",
        "take {call} out of its Deny; another permission does not lift that",
    ),
}
_DENIAL: Final = re.compile(
    rf"(with an explicit deny in (?:an? |the )?|because no )({'|'.join(_POLICIES)})", re.ASCII | re.IGNORECASE
)
_CODES: Final = {
    "AccessDenied": "{call} is not allowed: grant the permission {call} to the credentials in use",
    "ExpiredToken": "{call} was refused because the credentials have expired: sign in again",
    "InvalidClientTokenId": (
        "{call} was refused because AWS does not know the access key: check the credentials, and for AWS GovCloud (US) "
        "and China name the partition with --region, as in --region us-gov-west-1 or --region cn-north-1"
    ),
    "SignatureDoesNotMatch": "{call} was refused because the secret key does not fit the access key: check both",
    "OptInRequired": "{call} was refused because the account is not activated: finish its registration",
    "LimitExceeded": "{call} was refused because AWS makes too many reports at once: wait a few minutes",
    "Throttling": "{call} was throttled: wait a few minutes",
    "ServiceFailure": "{call} failed inside AWS: wait a few minutes",
    "ReportNotPresent": "AWS has no credential report yet: wait until it is made",
    "ReportExpired": "the credential report of AWS has expired: wait until a new one is made",
    "ReportInProgress": "AWS is still making the credential report: wait until it is made",
    "NoSuchEntity": "{call} found no such user: it was deleted since the report was made",
    "RequestExpired": "{call} was refused because this machine's clock is wrong: set it",
}
_SAME_AS: Final = {
    "AccessDeniedException": "AccessDenied",
    "UnauthorizedOperation": "AccessDenied",
    "NotAuthorized": "AccessDenied",
    "ExpiredTokenException": "ExpiredToken",
    "TokenRefreshRequired": "ExpiredToken",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "InvalidAccessKeyId": "InvalidClientTokenId",
    "AuthFailure": "InvalidClientTokenId",
    "MissingAuthenticationToken": "InvalidClientTokenId",
    "IncompleteSignature": "SignatureDoesNotMatch",
    "LimitExceededException": "LimitExceeded",
    "ThrottlingException": "Throttling",
    "TooManyRequestsException": "Throttling",
    "RequestLimitExceeded": "Throttling",
    "ServiceFailureException": "ServiceFailure",
    "ServiceUnavailable": "ServiceFailure",
    "InternalFailure": "ServiceFailure",
    "CredentialReportNotPresentException": "ReportNotPresent",
    "CredentialReportExpiredException": "ReportExpired",
    "CredentialReportNotReadyException": "ReportInProgress",
    "NoSuchEntityException": "NoSuchEntity",
    "RequestTimeTooSkewed": "RequestExpired",
}
FAILED: Final = "failed"
DENIED: Final = "denied"
THROTTLED: Final = "throttled"
NOT_REACHED: Final = "not reached"
ROLE_MISSING: Final = "role missing"
_STATES: Final = {
    "AccessDenied": DENIED,
    "LimitExceeded": THROTTLED,
    "Throttling": THROTTLED,
    "ExpiredToken": "session expired",
}
_CODE_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9.:-]{0,63}", re.ASCII)

_FAILURES: Final = {
    "NoCredentialsError": (
        "there are no AWS credentials: sign in (aws sso login), set AWS_PROFILE or give --profile; to evaluate a "
        "report in a file instead, name the file"
    ),
    "PartialCredentialsError": "the AWS credentials are incomplete: a key id and a secret belong together",
    "CredentialRetrievalError": "the AWS credentials could not be retrieved: try the profile's credential process",
    "ProfileNotFound": "there is no such AWS profile: check --profile, AWS_PROFILE and ~/.aws/config",
    "ConfigParseError": "the AWS configuration cannot be parsed: check ~/.aws/config and ~/.aws/credentials",
    "InvalidConfigError": "the AWS configuration is not valid: check ~/.aws/config",
    "NoRegionError": "no AWS region is set: give --region",
    "InvalidRegionError": "the AWS region is not valid: check --region",
    "UnauthorizedSSOTokenError": "the single sign-on session has expired: run aws sso login",
    "SSOTokenLoadError": "there is no single sign-on session: run aws sso login",
    "TokenRetrievalError": "the single sign-on session could not be renewed: run aws sso login",
    "EndpointConnectionError": "AWS cannot be reached: check the network, the proxy, --region and --endpoint-url",
    "ConnectTimeoutError": "AWS did not answer in time: check the network, the proxy and --endpoint-url",
    "ReadTimeoutError": "AWS did not answer in time: run again",
    "ConnectionClosedError": "the connection to AWS was closed: run again",
    "ProxyConnectionError": "the proxy cannot be reached: check HTTPS_PROXY",
    "SSLError": "the certificate of the endpoint is not trusted: check AWS_CA_BUNDLE and --endpoint-url",
    "JSONDecodeError": "the credential process of the profile prints no JSON: run it by hand and see what it says",
    "ValueError": "the endpoint is no URL: check --endpoint-url",
}


def refusal(call: str, code: str, message: str = "") -> AccountError:
    """What an error code of AWS means for `call` (as in iam:GetCredentialReport), and what to do.

    Of AWS's message only the kind of policy that denies is taken.
    """
    known = _SAME_AS.get(code, code)
    policy = _denying(message) if known == "AccessDenied" else None
    if policy is not None:
        sentence = f"{call} is denied by {policy.name}: {policy.remedy.format(call=call)}"
        return AccountError(sentence, f"denied by {policy.word}")
    if known in _CODES:
        return AccountError(_CODES[known].format(call=call), _STATES.get(known, FAILED))
    shown = code if _CODE_FORM.fullmatch(code) else "an error without a code"
    return AccountError(f"{call} failed with {shown}: see CloudTrail", FAILED)


def _denying(message: str) -> _Policy | None:
    """The kind of policy that denies; None where AWS names none, or where a permission is all that is missing."""
    match = _DENIAL.search(message)
    if match is None:
        return None
    kind = match[2].lower().replace("vpc", "VPC")
    lacking = match[1].lower().startswith("because")
    return None if lacking and kind == "identity-based policy" else _POLICIES[kind]


def failure_sentence(call: str, error: Exception) -> str:
    """What it means that AWS was not reached at all, and what to do."""
    for kind in type(error).__mro__:
        if kind.__name__ in _FAILURES:
            return f"{call}: {_FAILURES[kind.__name__]}"
    return f"{call}: the AWS client failed with {type(error).__name__}"
