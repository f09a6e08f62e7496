"""Documents in files: a folder for each account, beside its report, told by content."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from account_folders import REPORT, audit_folder, write_account
from credential_reports import ACCOUNT, ROOT, line, report

from keyrules.live.found_reports import find_reports
from keyrules.model import Evaluation, Status, UsageError

POLICY = {"PasswordPolicy": {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24}}
SHORT = {"PasswordPolicy": {"MinimumPasswordLength": 8}}
OTHER = report(line(ROOT, arn="arn:aws:iam::210987654321:root"))
NO_POLICY = (
    "\nAn error occurred (NoSuchEntity) when calling the GetAccountPasswordPolicy operation: The Password Policy with "
    f"domain name {ACCOUNT} cannot be found.\n"
)


def certificate(name: str, account: str = ACCOUNT, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{account}:server-certificate/{name}"
    return {"ServerCertificateName": name, "Arn": arn, "Expiration": "2025-01-01T00:00:00+00:00", **more}


def certificates(*names: str, **more: Any) -> dict[str, Any]:
    return {"ServerCertificateMetadataList": [certificate(name) for name in names], **more}


def statuses(evaluation: Evaluation) -> dict[str, Status]:
    return {finding.subject.name: finding.status for finding in evaluation.findings if finding.subject is not None}


class TestRecognition:
    @pytest.mark.parametrize(
        "name", ["policy.json", "x.txt", "get-account-password-policy", "list-server-certificates.json"]
    )
    def test_names_do_not_matter(self, tmp_path: Path, name: str) -> None:
        evaluation = audit_folder(write_account(tmp_path, {name: SHORT}), 24)
        assert statuses(evaluation) == {"the password policy": Status.FAIL}

    @pytest.mark.parametrize(
        "encode", [str.encode, lambda text: text.encode("utf-16"), lambda text: gzip.compress(text.encode())]
    )
    def test_files_of_any_encoding(self, tmp_path: Path, encode: Any) -> None:
        evaluation = audit_folder(write_account(tmp_path, {"p": encode(json.dumps(SHORT))}), 24)
        assert statuses(evaluation) == {"the password policy": Status.FAIL}

    def test_only_members_of_the_document_itself_tell(self, tmp_path: Path) -> None:
        pool = {"UserPool": {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}}
        found = find_reports([str(write_account(tmp_path, {"pool.json": pool}))])
        assert (found.documents, len(found.not_read)) == ([], 1)

    def test_a_file_that_is_named_is_told_as_well(self, tmp_path: Path) -> None:
        folder = write_account(tmp_path, {"p.json": SHORT})
        found = find_reports([str(folder / "p.json"), str(folder / "report.csv")])
        assert [each.name for each in found.documents] == [(folder / "p.json").as_posix()]
        assert [each.name for each in found] == [(folder / "report.csv").as_posix()]

    def test_documents_without_a_report_are_wrong_usage(self, tmp_path: Path) -> None:
        folder = write_account(tmp_path, {"p.json": SHORT})
        with pytest.raises(UsageError, match="put it beside them"):
            find_reports([str(folder / "p.json")])

    def test_what_was_read_is_among_the_inputs_with_its_digest(self, tmp_path: Path) -> None:
        evaluation = audit_folder(write_account(tmp_path, {"p.json": SHORT}), 24)
        (_, document) = evaluation.inputs
        assert (document.kind, document.account, len(document.sha256 or "")) == ("account_document", ACCOUNT, 64)


class TestFolders:
    def test_each_account_has_its_own(self, tmp_path: Path) -> None:
        write_account(tmp_path / "a", {"p.json": SHORT})
        write_account(tmp_path / "b", {"p.json": POLICY}, OTHER)
        found = {f.subject.account: f.status for f in audit_folder(tmp_path, 24).findings if f.subject is not None}
        assert found == {ACCOUNT: Status.FAIL, "210987654321": Status.PASS}

    def test_the_number_of_an_account_names_its_folder(self, tmp_path: Path) -> None:
        write_account(tmp_path, {})
        (tmp_path / ACCOUNT).mkdir()
        (tmp_path / ACCOUNT / "p.json").write_text(json.dumps(SHORT))
        assert statuses(audit_folder(tmp_path, 24)) == {"the password policy": Status.FAIL}

    def test_documents_of_nobody_are_errors(self, tmp_path: Path) -> None:
        write_account(tmp_path, {})
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "p.json").write_text(json.dumps(SHORT))
        evaluation = audit_folder(tmp_path, 24)
        (error,) = evaluation.errors
        assert "lies beside no credential report" in error.message
        assert statuses(evaluation) == {}

    def test_documents_beside_two_accounts_are_errors(self, tmp_path: Path) -> None:
        write_account(tmp_path, {"p.json": SHORT})
        (tmp_path / "second.csv").write_bytes(OTHER)
        (error,) = audit_folder(tmp_path, 24).errors
        assert "beside the reports of several accounts" in error.message

    def test_two_reports_of_one_account_share_its_documents(self, tmp_path: Path) -> None:
        write_account(tmp_path, {"p.json": SHORT})
        (tmp_path / "second.csv").write_bytes(REPORT + b"\n")
        evaluation = audit_folder(tmp_path, 24)
        assert (evaluation.errors, evaluation.counts.failed) == ((), 2)


class TestNotGiven:
    def test_it_is_unknown_for_a_rule_that_was_asked_for(self, tmp_path: Path) -> None:
        evaluation = audit_folder(write_account(tmp_path, {}), 24, 26, asked=True)
        assert statuses(evaluation) == {
            "the password policy": Status.UNKNOWN,
            "the server certificates": Status.UNKNOWN,
        }
        assert evaluation.gaps == {}
        (first, _) = evaluation.findings
        assert "`aws iam get-account-password-policy`" in first.message

    def test_it_is_a_gap_and_one_note_otherwise(self, tmp_path: Path) -> None:
        write_account(tmp_path / "a", {})
        write_account(tmp_path / "b", {"c.json": certificates()}, OTHER)
        evaluation = audit_folder(tmp_path, 24, 25, 26)
        assert statuses(evaluation) == {}
        assert evaluation.gaps["KEY_AWS_026"] == (ACCOUNT,)
        assert evaluation.gaps["KEY_AWS_024"] == (ACCOUNT, "210987654321")
        assert len([note for note in evaluation.notes if "could not judge" in note]) == 2

    @pytest.mark.parametrize("document", [NO_POLICY, {"PasswordPolicy": None}, {"PasswordPolicy": {}}])
    def test_no_password_policy_is_an_answer(self, tmp_path: Path, document: Any) -> None:
        evaluation = audit_folder(write_account(tmp_path, {"p": document}), 24)
        assert (evaluation.errors, statuses(evaluation)) == ((), {"the password policy": Status.FAIL})
        (finding,) = evaluation.findings
        assert finding.reason == "no_password_policy"


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ({"p": {**POLICY, **certificates()}}, "holds ServerCertificateMetadataList beside PasswordPolicy"),
        ({"p": json.dumps(POLICY) + json.dumps({"Other": 1})}, "number 2, without PasswordPolicy"),
        ({"p": json.dumps(POLICY) + "{}"}, "number 2, without PasswordPolicy"),
        ({"p": json.dumps(POLICY) + json.dumps(POLICY)}, "has PasswordPolicy twice"),
        ({"p": POLICY, "q": SHORT}, "has PasswordPolicy twice"),
        ({"p": json.dumps(POLICY)[:-9]}, "is cut off"),
        ({"p": {"PasswordPolicy": "14"}}, "no object as PasswordPolicy"),
        ({"p": {"PasswordPolicy": {"MinimumPasswordLength": "14"}}}, "has str as MinimumPasswordLength"),
        ({"p": {"PasswordPolicy": {"MinimumPasswordLength": True}}}, "has bool as MinimumPasswordLength"),
        ({"p": NO_POLICY.replace(ACCOUNT, "210987654321")}, "of another account"),
        ({"p": NO_POLICY.replace("NoSuchEntity", "AccessDenied")}, "iam:GetAccountPasswordPolicy"),
        ({"c": certificates("a", NextToken="x")}, "as its NextToken says"),
        ({"c": certificates("a", IsTruncated=True, Marker="x")}, "as its IsTruncated says"),
        ({"c": json.dumps(certificates("a"))[:-3]}, "at its member 'ServerCertificateMetadataList'"),
        ({"c": {"ServerCertificateMetadataList": ["a"]}}, "an item in ServerCertificateMetadataList"),
        ({"c": {"ServerCertificateMetadataList": {"a": 1}}}, "nothing as ServerCertificateName"),
        ({"c": {"ServerCertificateMetadataList": [{**certificate("a"), "Expiration": "soon"}]}}, "as Expiration"),
        ({"c": {"ServerCertificateMetadataList": [{**certificate("a"), "Expiration": 1}]}}, "as Expiration"),
        ({"c": {"ServerCertificateMetadataList": [certificate("a", "210987654321")]}}, "of account 210987654321"),
        ({"c": {"ServerCertificateMetadataList": [{**certificate("a"), "Arn": "a"}]}}, "is of no account"),
        ({"c": certificates("a", "b", "a")}, "has server certificate a twice"),
        ({"c": certificates("a\x1b[31m")}, "as ServerCertificateName that is no name"),
        ({"c": certificates("")}, "as ServerCertificateName that is no name"),
    ],
)
def test_what_is_wrong_is_one_error_with_its_file_and_unknown(
    tmp_path: Path, documents: dict[str, Any], words: str
) -> None:
    evaluation = audit_folder(write_account(tmp_path, documents), 24, 26)
    (error,) = evaluation.errors
    assert error.input in {(tmp_path / name).as_posix() for name in documents}
    assert words in error.message and error.message.startswith(error.input)
    assert set(statuses(evaluation).values()) == {Status.UNKNOWN}
    (finding,) = evaluation.findings
    assert words in finding.message


def test_pages_and_files_add_up(tmp_path: Path) -> None:
    pages = json.dumps(certificates("a")) + "\n" + json.dumps(certificates("b", IsTruncated=False))
    folder = write_account(tmp_path, {"one.json": pages, "two.json": [certificates("c"), certificates()]})
    assert set(statuses(audit_folder(folder, 26))) == {f"server certificate {name}" for name in "abc"}


CREDENTIAL = {
    "UserName": "eve",
    "Status": "Active",
    "ServiceName": "codecommit.amazonaws.com",
    "ServiceSpecificCredentialId": "ACCA",
}
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


@pytest.mark.parametrize(
    ("number", "document", "words"),
    [
        (21, {"UserDetailList": [{"UserName": "ann", "Arn": ANN}, {"UserName": "ann", "Arn": ANN}]}, "user ann twice"),
        (21, {"UserDetailList": [{"UserName": "ann", "Arn": ANN, "GroupList": [{}]}]}, "as GroupList"),
        (21, {"UserDetailList": [{"UserName": "ann", "Arn": ANN, "AttachedManagedPolicies": ["x"]}]}, "as PolicyArn"),
        (21, {"UserDetailList": [{"UserName": "ann", "Arn": ANN.replace("1", "9")}]}, "is of account 92"),
        (22, {"ServiceSpecificCredentials": [{**CREDENTIAL, "ServiceUserName": "x-at-210987654321"}]}, "of account 21"),
        (23, {"SSHPublicKeys": [{**CREDENTIAL, "SSHPublicKeyId": "K"}]}, "has no answer for 1"),
        (28, {"SummaryMap": {"AccountMFAEnabled": "1"}}, "has str as AccountMFAEnabled"),
    ],
)
def test_what_is_wrong_with_other_documents(tmp_path: Path, number: int, document: Any, words: str) -> None:
    files = {"d": document, "m": {"VirtualMFADevices": []}} if number == 28 else {"d": document}
    evaluation = audit_folder(write_account(tmp_path, files), number)
    (error,) = evaluation.errors
    assert words in error.message
    assert {finding.status for finding in evaluation.findings} == {Status.UNKNOWN}
