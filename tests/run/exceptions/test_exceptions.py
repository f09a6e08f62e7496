"""Exceptions as a user meets them: `keyrules scan` and `keyrules audit` with an exceptions file beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from exception_files import AS_OF, REPORT, entry, exceptions, folder, run, run_json, use_exceptions
from scanning import write

UNDECIDED = """\
variable "days" {}

resource "time_rotating" "x" {
  rotation_days = var.days
}

resource "terraform_data" "x" {
  triggers_replace = time_rotating.x.id
}

resource "aws_iam_access_key" "open" {
  user    = "open"
  pgp_key = "keybase:somebody"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.x]
  }
}
"""


__all__ = ["folder"]


def test_a_scan_exempts_warns_and_counts(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(
        entry(1, "aws_iam_access_key.deploy", ticket="OPS-1234"),
        entry(8, "infra/*.tf", "2026-05-31"),
        entry(3, "aws_iam_access_key.gone"),
        entry(3, "123456789012/ci-deploy"),
        entry(1, "../elsewhere/main.tf"),
    )
    code, result = run_json(capfd, "scan", "--strict-exceptions")
    assert code == 2
    found = {finding["rule"]: finding for finding in result["findings"]}
    assert {rule: finding["status"] for rule, finding in found.items()} == {
        "KEY_AWS_001": "EXEMPT",
        "KEY_AWS_008": "FAIL",
        "KEY_AWS_010": "FAIL",
    }
    assert found["KEY_AWS_001"]["exception"] == {
        "rule": "KEY_AWS_001",
        "subject": "aws_iam_access_key.deploy",
        "reason": "The appliance is replaced in May",
        "owner": "storage@example.com",
        "expires": "2026-08-30",
        "ticket": "OPS-1234",
        "place": ".keyrules-exceptions.yaml:2",
    }
    assert "exception" not in found["KEY_AWS_008"]
    assert result["summary"] == {"evaluated": 10, "pass": 7, "fail": 2, "exempt": 1, "unknown": 0}
    prefix = ".keyrules-exceptions.yaml:{}: the exception of storage@example.com for {} on {} "
    assert result["warnings"] == [
        prefix.format(8, "KEY_AWS_008", "infra/*.tf")
        + "has been expired since 2026-06-01, so its finding is no longer exempt.",
        prefix.format(13, "KEY_AWS_003", "aws_iam_access_key.gone")
        + "matches no finding; remove it, or correct its subject.",
    ]


def test_everything_exempt_is_clean_and_every_format_shows_the_exception(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"infra/open/main.tf": UNDECIDED})
    use_exceptions(
        *(entry(rule, "infra/deploy.tf", ticket="OPS-1234") for rule in (1, 8, 10)),
        entry(1, "aws_iam_access_key.open"),
    )
    formats = ("json", "csv", "html", "sarif", "oscal")
    options = [word for name in formats for word in ("--format", f"{name}=out.{name}")]
    code, out, _ = run(capfd, "scan", "infra", "--strict-exceptions", *options)
    assert code == 0
    assert "4 exempt" in out and "Warning" not in out
    statuses = [finding["status"] for finding in json.loads(Path("out.json").read_text())["findings"]]
    assert statuses == ["EXEMPT"] * 4
    for name in formats:
        shown = Path(f"out.{name}").read_text(encoding="utf-8")
        for part in ("The appliance is replaced in May", "storage@example.com", "2026-08-30", "OPS-1234"):
            assert part in shown, (name, part)


GONE = (
    ".keyrules-exceptions.yaml:2: the exception of storage@example.com for KEY_AWS_001 on aws_iam_access_key.gone "
    "matches no finding; remove it, or correct its subject."
)


def test_a_partial_scan_says_nothing_of_addresses_elsewhere(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(folder, {"other/main.tf": "# nothing\n"})
    use_exceptions(
        *(entry(rule, "aws_iam_access_key.deploy") for rule in (1, 8)),
        entry(10, "aws_lambda_function.worker"),
    )
    for arguments in (("other",), (".", "--exclude", "infra"), (".",), ("other", "infra")):
        code, result = run_json(capfd, "scan", *arguments, "--strict-exceptions")
        assert (code, result["warnings"]) == (0, []), arguments
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    assert run(capfd, "scan", "other", "--strict-exceptions")[0] == 0
    assert run(capfd, "scan", "--exclude", "infra", "--strict-exceptions")[0] == 0
    assert run(capfd, "scan", "--strict-exceptions")[0] == 2


def test_what_no_run_looks_at_needs_no_exception(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(folder, {".keyrules.yaml": "exclude: [infra]\n"})
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    code, result = run_json(capfd, "scan", "--strict-exceptions")
    assert (code, result["warnings"]) == (2, [GONE])


def test_a_scan_below_the_file_uses_its_paths(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {".keyrules.yaml": "strict_exceptions: on\n", "deploy.tf": "# of the same name\n"})
    use_exceptions(entry(1, "infra/deploy.tf"), entry(8, "infra/*.tf:aws_*.deploy"), entry(10, "deploy.tf"))
    (folder / ".git").mkdir(exist_ok=True)
    monkeypatch.chdir("infra")
    code, result = run_json(capfd, "scan")
    found = {finding["rule"]: (finding["status"], finding["location"]["path"]) for finding in result["findings"]}
    assert found == {
        "KEY_AWS_001": ("EXEMPT", "deploy.tf"),
        "KEY_AWS_008": ("EXEMPT", "deploy.tf"),
        "KEY_AWS_010": ("FAIL", "deploy.tf"),
    }
    assert (code, result["warnings"]) == (1, [])


@pytest.mark.parametrize("option", [("--quiet",), ("--format", "json"), ("--format", "json=out.json")])
def test_strictness_says_why_it_decides(
    folder: Path, capfd: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    shutil.rmtree(folder / "infra")
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    code, _, err = run(capfd, "scan", "--strict-exceptions", *option)
    assert (code, err) == (2, f"keyrules: --strict-exceptions gives exit code 2 for 1 exception; {GONE}\n")
    use_exceptions(entry(1, "aws_iam_access_key.gone"), entry(8, "b.tf"), entry(8, "c.tf"))
    write(folder, {".keyrules.yaml": "strict_exceptions: on\n"})
    code, _, err = run(capfd, "scan", *option)
    sentence = f".keyrules.yaml:1: `strict_exceptions` gives exit code 2 for 3 exceptions; the first: {GONE}"
    assert (code, err) == (2, f"keyrules: {sentence}\n")


def test_strictness_says_nothing_where_it_decides_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, "old-backup", "2026-05-31"))
    assert run(capfd, "audit", REPORT, "--format", "json")[::2] == (1, "")
    code, _, err = run(capfd, "audit", REPORT, "--strict-exceptions", "--quiet", "--counts-only")
    assert code == 2
    assert err.startswith(
        "keyrules: --strict-exceptions gives exit code 2 for 1 exception; .keyrules-exceptions.yaml:2: "
    )
    Path("broken.csv").write_text("not a report")
    assert run(capfd, "audit", REPORT, "broken.csv", "--strict-exceptions")[::2] == (3, "")


@pytest.mark.parametrize("framework", [(), ("--control", "cis_aws_3.0.0:1.14")])
@pytest.mark.parametrize("command", [("scan",), ("audit", REPORT)])
def test_a_quiet_run_explains_findings_that_are_back(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...], framework: tuple[str, ...]
) -> None:
    subject, other = ("aws_iam_access_key.deploy", "code") if command[0] == "scan" else ("old-backup", "live")
    use_exceptions(entry(1, subject, "2026-05-31"), entry(1, "nobody", plane=other))
    code, out, _ = run(capfd, *command, *framework, "--quiet")
    assert code == 1
    shown = " ".join(out.split())
    assert (
        f"Warning: .keyrules-exceptions.yaml:2: the exception of storage@example.com for KEY_AWS_001 on {subject}"
        in shown
    )
    assert shown.count("no longer exempt") == 1
    assert "matches no finding" not in shown
    assert "matches no finding" in " ".join(run(capfd, *command, *framework)[1].split())
    code, out, _ = run(capfd, *command, *framework, "--quiet", "--strict-exceptions")
    assert code == 2
    assert "matches no finding" in " ".join(out.split())


@pytest.mark.parametrize("command", [("scan",), ("audit", REPORT)])
def test_a_finding_of_the_baseline_whose_exception_ended_counts_no_more_than_before(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert run(capfd, *command, "--write-baseline", "baseline.json")[0] == 0
    use_exceptions(entry(1, "aws_iam_access_key.deploy" if command[0] == "scan" else "old-backup", "2026-05-31"))
    code, result = run_json(capfd, *command, "--baseline", "baseline.json")
    assert code == 0
    (warning,) = result["warnings"]
    assert warning.endswith("has been expired since 2026-06-01, so its finding is no longer exempt.")


@pytest.mark.parametrize("command", [("scan",), ("audit", REPORT)])
def test_how_far_away_an_end_may_be_counts_from_today(
    folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    use_exceptions(entry(1, "ci-*", "2027-06-01"))
    # The report was not yet made in 2024, which is another matter.
    for as_of in ("2024-01-01", AS_OF, "2027-06-02"):
        assert "`expires`" not in run(capfd, *command, as_of=as_of)[2]
    use_exceptions(entry(1, "ci-*", "2027-06-02"))
    for as_of in ("2024-01-01", AS_OF, "2027-06-02"):
        code, out, err = run(capfd, *command, as_of=as_of)
        assert (code, out) == (2, "")
        assert "`expires` is 2027-06-02, 366 days away; allowed: at most 365 days, until 2027-06-01" in err


def test_a_single_file_says_nothing_of_other_subjects(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_exceptions(entry(1, "aws_iam_access_key.deploy"), entry(3, "aws_iam_access_key.gone"))
    code, result = run_json(capfd, "scan", "infra/deploy.tf", "--strict-exceptions")
    assert (code, result["warnings"], result["summary"]["exempt"]) == (1, [], 1)


def test_what_cannot_be_read_is_never_exempt_and_comes_before_strictness(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"infra/deploy.tf": 'resource "aws_iam_access_key" "deploy" {\n  user = \n'})
    use_exceptions(
        entry(1, "infra/deploy.tf", "2026-05-31"),
        *(entry(rule, "infra/deploy.tf") for rule in (3, 8)),
        entry(3, "aws_iam_access_key.gone"),
    )
    code, result = run_json(capfd, "scan", "infra", "--strict-exceptions")
    assert code == 3
    assert result["errors"]
    assert len(result["warnings"]) == 1 and "has been expired since" in result["warnings"][0]


def test_a_folder_with_nothing_to_evaluate_still_has_its_exceptions_checked(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder / "infra")
    use_exceptions(entry(1, "aws_iam_access_key.gone"))
    assert run(capfd, "scan")[0] == 0
    assert run(capfd, "scan", "--strict-exceptions")[0] == 2
    use_exceptions(entry(1, "aws_iam_access_key.gone"), entry(99, "x"))
    code, out, err = run(capfd, "scan")
    assert (code, out) == (2, "")
    assert err == (
        "keyrules: .keyrules-exceptions.yaml, line 7, entry 2: `rule`: There is no rule 'KEY_AWS_099'; `keyrules "
        "rules` lists them all.\n"
    )


@pytest.mark.parametrize("command", [("scan", "infra"), ("audit", REPORT), ("exceptions",)])
def test_a_wrong_file_writes_nothing(folder: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    for name, text, sentence in (
        (".keyrules-exceptions.yaml", exceptions(entry(1, "*")), "wildcards only"),
        ("other.yaml", exceptions(entry(1, "x"), entry(1, "x", "2026-07-01")), "contradicts entry 1"),
        ("missing.yaml", "", "missing.yaml does not exist; name a file of exceptions"),
    ):
        if text:
            Path(name).write_text(text)
        option = () if name.startswith(".") else ("--exceptions", name)
        report_file = ("--format", "json=out.json") if command[0] != "exceptions" else ()
        code, out, err = run(capfd, *command, *option, *report_file)
        assert (code, out) == (2, "")
        assert sentence in err and err.count("\n") == 1
        assert not Path("out.json").exists()


def test_a_default_file_that_leads_nowhere_is_not_no_exceptions(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path(".keyrules-exceptions.yaml").symlink_to("gone.yaml")
    code, _, err = run(capfd, "audit", REPORT)
    assert code == 2
    assert ".keyrules-exceptions.yaml cannot be read: No such file or directory" in err
