"""What stands in a package: everything that was received, as it was, and everybody who was looked at."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from canary_sources import TEMPLATES, TERRAFORM
from credential_reports import ACCOUNT, key, line, report
from packages import CIS, EXCEPTIONS, FIRST, MODULE, OTHER, SECOND, Run, git
from states import key_values, resource, state_4

LIVE = f"results/{CIS}/live"


def manifest(package: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((package / "manifest.json").read_bytes())
    return document


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(package: Path) -> set[str]:
    return {path.relative_to(package).as_posix() for path in package.rglob("*") if not path.is_dir()}


class TestReceived:
    def test_reports_are_stored_byte_for_byte(self, package: Path, work: Path) -> None:
        for name in ("first/first.csv", "second/second.json"):
            data = (work / "reports" / name).read_bytes()
            stored = package / "inputs/reports/reports" / name
            assert stored.read_bytes() == data
            listed = {each["path"]: each for each in manifest(package)["files"]}[f"inputs/reports/reports/{name}"]
            assert listed["sha256"] == hashlib.sha256(data).hexdigest() and listed["source"] == f"reports/{name}"

    def test_a_packed_report_stays_packed(self, work: Path, run: Run) -> None:
        packed = gzip.compress(FIRST)
        (work / "first.csv.gz").write_bytes(packed)
        run("pkg", "--framework", CIS, "first.csv.gz")
        assert (work / "pkg/inputs/reports/files/first.csv.gz").read_bytes() == packed

    def test_standard_input(self, work: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(FIRST))))
        run("pkg", "--framework", CIS, "-")
        assert (work / "pkg/inputs/reports/stdin/report.csv").read_bytes() == FIRST and run("verify", "pkg").code == 0

    def test_names_that_no_package_holds(self, work: Path, run: Run) -> None:
        name = "..\n=cmd|' -C calc'!A0\x1b[31mé" + "x" * 100 + ".csv"
        (work / "reports" / name).write_bytes(report(line("x", **key(1, 1))))
        run("pkg", "--framework", CIS, "reports")
        assert all(path.isascii() and path.isprintable() for path in files(work / "pkg"))
        assert "\x1b" not in (work / "pkg/facts.csv").read_text("utf-8")
        assert run("verify", "pkg").code == 0

    def test_two_reports_of_one_name_are_two(self, work: Path, run: Run) -> None:
        for folder in ("a", "b"):
            (work / folder).mkdir()
            (work / folder / "r.csv").write_bytes(FIRST if folder == "a" else report(line("x", **key(1, 1))))
        run("pkg", "--framework", CIS, "a/r.csv", "b/r.csv")
        assert {"inputs/reports/a/r.csv", "inputs/reports/b/r.csv"} <= files(work / "pkg")

    def test_configuration_and_exceptions_are_stored_as_they_were_used(self, work: Path, run: Run) -> None:
        configuration = "rules:\n  KEY_AWS_001:\n    max_age_days: 45\n"
        (work / ".keyrules.yaml").write_text(configuration, "utf-8")
        (work / ".keyrules-exceptions.yaml").write_text(EXCEPTIONS, "utf-8")
        assert run("pkg", "--framework", CIS, "reports").code == 0
        stored = work / "pkg/configuration/live"
        assert (stored / "keyrules.yaml").read_text("utf-8") == configuration
        assert (stored / "exceptions.yaml").read_text("utf-8") == EXCEPTIONS
        (row,) = [
            row
            for row in table(work / "pkg" / LIVE / "parameters.csv")
            if (row["rule"], row["parameter"]) == ("KEY_AWS_001", "max_age_days")
        ]
        assert (row["value"], row["origin"]) == ("45", "configuration file")
        assert row["place"].startswith("configuration/live/keyrules.yaml")

    def test_code_is_a_list_of_sums_and_a_commit(self, work: Path, run: Run) -> None:
        assert run("pkg", "--framework", CIS, "--code", "repo/infra", "--set", "KEY_AWS_001.max_age_days=45").code == 0
        package = work / "pkg"
        listed = {row["path"]: row["sha256"] for row in table(package / "inputs/code.csv")}
        assert listed["modules/user/main.tf"] == hashlib.sha256(MODULE.encode()).hexdigest(), "read from elsewhere"
        assert set(listed) == {"infra/main.tf", "modules/user/main.tf"}
        about = manifest(package)["repository"]
        assert about["commit"] == git(work / "repo", "rev-parse", "HEAD") and about["dirty"] is False
        assert about["remote"] == "https://git.example.com/acme/infra.git"
        assert not [name for name in files(package) if name.endswith(".tf")]

    @pytest.mark.parametrize(
        ("change", "kind", "named"),
        [
            (lambda repo: (repo / "infra/main.tf").write_text(MODULE, "utf-8"), "changed_since", "infra/main.tf"),
            (lambda repo: (repo / "infra/new.tf").write_text(MODULE, "utf-8"), "not_in_commit", "infra/new.tf"),
            (lambda repo: (repo / "README.md").unlink(), "missing", "README.md"),
        ],
    )
    def test_what_differs_from_the_commit_is_named(
        self, work: Path, run: Run, change: Any, kind: str, named: str
    ) -> None:
        change(work / "repo")
        run("pkg", "--framework", CIS, "--code", "repo")
        about = manifest(work / "pkg")["repository"]
        assert about["dirty"] is True and about[kind] == [named]

    def test_line_ends_that_git_stores_otherwise_are_no_change(self, work: Path, run: Run) -> None:
        name = work / "repo/infra/main.tf"
        name.write_bytes(name.read_bytes().replace(b"\n", b"\r\n"))
        run("pkg", "--framework", CIS, "--code", "repo")
        assert manifest(work / "pkg")["repository"]["dirty"] is False

    @pytest.mark.parametrize("folder", ["repo/evidence/q3", "repo/infra/q3"])
    def test_a_package_in_the_tree_is_no_part_of_it(self, work: Path, run: Run, folder: str) -> None:
        (work / folder).parent.mkdir(exist_ok=True)
        assert run(folder, "--framework", CIS, "reports", "--code", "repo", "--exceptions", "accepted.yaml").code == 0
        listed = {row["path"] for row in table(work / folder / "inputs/code.csv")}
        assert listed == {"README.md", "infra/main.tf", "modules/user/main.tf"}
        assert manifest(work / folder)["repository"]["dirty"] is False
        assert run("verify", folder, "--code", "repo").code == 0

    def test_a_repository_that_git_does_not_read(self, work: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(work))
        run("pkg", "--framework", CIS, "--code", "repo")
        about = manifest(work / "pkg")["repository"]
        assert about["commit"] is None and "refused" in about["why"]

    def test_a_repository_runs_nothing(self, work: Path, run: Run) -> None:
        """What the configuration of a repository starts when git reads it."""
        hook = work / "hook"
        hook.write_text(f"#!/bin/sh\ntouch {work}/ran\n", "utf-8")
        hook.chmod(0o755)
        for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "filter.x.clean", "core.editor"):
            git(work / "repo", "config", name, str(hook))
        (work / "repo/.gitattributes").write_text("* filter=x\n", "utf-8")
        run("pkg", "--framework", CIS, "--code", "repo")
        assert not (work / "ran").exists() and manifest(work / "pkg")["repository"]["commit"]


class TestManifest:
    def test_every_file_is_listed_with_its_sum(self, package: Path) -> None:
        listed = {each["path"]: each for each in manifest(package)["files"]}
        assert set(listed) == files(package) - {"manifest.json", "statement.intoto.json"}
        for name, each in listed.items():
            data = (package / name).read_bytes()
            assert (each["size"], each["sha256"]) == (len(data), hashlib.sha256(data).hexdigest()), name

    def test_the_statement_is_of_the_manifest(self, package: Path) -> None:
        statement = json.loads((package / "statement.intoto.json").read_bytes())
        digest = hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest()
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["subject"] == [{"name": "manifest.json", "digest": {"sha256": digest}}]
        assert statement["predicate"]["assessor"] == "Ann Auditor"

    def test_the_facts_of_the_run(self, package: Path) -> None:
        document = manifest(package)
        assert document["request"]["started"] == "2026-06-01T12:00:00Z" and document["assessor"] == "Ann Auditor"
        assert document["command"][:3] == ["keyrules", "evidence", "pkg"] and document["python"]
        facts = {row["fact"]: row["value"] for row in table(package / "facts.csv")}
        assert facts["pack_sha256"] == document["pack"]["sha256"] and facts["frameworks"] == CIS

    def test_the_sum_of_the_manifest_is_printed(self, work: Path, run: Run) -> None:
        made = run("pkg", "--framework", CIS, "reports")
        assert hashlib.sha256((work / "pkg/manifest.json").read_bytes()).hexdigest() in made.out

    def test_the_same_inputs_at_the_same_time_give_the_same_bytes(self, package: Path, work: Path, run: Run) -> None:
        run("two", "--framework", CIS, "reports", "--exceptions", "accepted.yaml", "--assessor", "Ann Auditor")
        differing = {
            name for name in files(package) if (package / name).read_bytes() != (work / "two" / name).read_bytes()
        }
        assert differing == {"manifest.json", "statement.intoto.json", "facts.csv"}, "the command line names the folder"

    def test_oscal_names_the_inputs_where_they_are(self, package: Path) -> None:
        folder = package / LIVE / "oscal" / CIS
        results = json.loads((folder / "assessment-results.json").read_bytes())
        links = [
            (link["href"], link["hashes"][0]["value"])
            for resource in results["assessment-results"]["back-matter"]["resources"]
            for link in resource.get("rlinks", ())
            if "inputs/" in link["href"]
        ]
        assert len(links) > 2
        for href, digest in links:
            assert hashlib.sha256((folder / href).read_bytes()).hexdigest() == digest
        assert "Ann Auditor" in json.dumps(results)


class TestPopulation:
    def test_everybody_is_there(self, package: Path) -> None:
        rows = table(package / LIVE / "population.csv")
        assert Counter((row["account"], row["user"]) for row in rows) == Counter(
            {
                (ACCOUNT, "<root_account>"): 1,
                # What each has, and its permissions.
                (ACCOUNT, "ann"): 2,
                (ACCOUNT, "bob"): 3,
                (ACCOUNT, "carl"): 2,
                (ACCOUNT, "old"): 2,
                (OTHER, "<root_account>"): 1,
                (OTHER, "eve"): 2,
                (OTHER, "dan"): 2,
                # The password policy, the MFA of root and the role for AWS Support.
                (ACCOUNT, ""): 3,
                (OTHER, ""): 3,
            }
        )

    def test_what_is_around_the_keys(self, package: Path) -> None:
        rows = {row["credential"]: row for row in table(package / LIVE / "population.csv") if not row["user"]}
        policy = rows["the password policy"]
        assert policy["KEY_AWS_024"] == "PASS"
        assert "shortest_password=14" in policy["measured"]
        assert "14 characters (limit: 14 characters or more)" in policy["KEY_AWS_024 measured"]

    def test_verdicts_scope_and_measured_values(self, package: Path) -> None:
        rows = {row["credential"]: row for row in table(package / LIVE / "population.csv")}
        assert rows["access key 1 of ann"]["KEY_AWS_001"] == "FAIL"
        assert rows["access key 1 of eve"]["KEY_AWS_001"] == "PASS"
        assert rows["access key 1 of dan"]["KEY_AWS_001"] == "EXEMPT"
        eve = rows["access key 1 of eve"]
        assert "days_since_rotation=82." in eve["measured"]
        assert eve["KEY_AWS_001 measured"].startswith("82 days old (limit: 90 days); created 2026-03-11T00:00:00Z")
        assert "(limit: 90 days)" in rows["access key 1 of dan"]["KEY_AWS_001 measured"]
        assert (rows["none"]["in_scope"], rows["none"]["user"]) == ("no", "carl") and rows["none"]["why"]
        old = rows["access key 1 of old"]
        assert (old["in_scope"], old["KEY_AWS_001"], old["KEY_AWS_001 measured"]) == ("no", "", "")
        assert "KEY_AWS_001 asks only where active is true" in old["why"]

    def test_limits_that_hold_for_some_users(self, work: Path, run: Run) -> None:
        overrides = """\
audit:
  overrides:
    - subject: eve
      rules: {KEY_AWS_001: {max_age_days: 60}}
      reason: a partner
      owner: platform
"""
        (work / ".keyrules.yaml").write_text(overrides, "utf-8")
        made = run("pkg", "--framework", CIS, "reports")
        assert made.code == 0, made
        rows = {row["credential"]: row for row in table(work / "pkg" / LIVE / "population.csv")}
        assert rows["access key 1 of eve"]["KEY_AWS_001"] == "FAIL"
        assert "(limit: 60 days)" in rows["access key 1 of eve"]["KEY_AWS_001 measured"]
        assert "(limit: 90 days)" in rows["access key 1 of bob"]["KEY_AWS_001 measured"]

    def test_the_counts_of_the_report_are_those_of_the_population(self, package: Path) -> None:
        rows = table(package / LIVE / "population.csv")
        for control in json.loads((package / LIVE / "summary.json").read_bytes())["controls"]:
            for part in control["rules"]:
                counted = Counter(row[part["rule"]] for row in rows if row[part["rule"]])
                said = {name.upper(): part["summary"][name] for name in ("pass", "fail", "exempt", "unknown")}
                assert {name: number for name, number in said.items() if number} == counted, part

    def test_accounts_by_controls(self, package: Path) -> None:
        rows = {row["account"]: row["1.14"] for row in table(package / LIVE / "accounts.csv")}
        assert rows == {ACCOUNT: "not satisfied", OTHER: "satisfied with exceptions", "all": "not satisfied"}

    def test_two_reports_on_one_account_are_one_verdict(self, work: Path, run: Run) -> None:
        for name, days in (("a", 500), ("b", 5)):
            (work / f"{name}.csv").write_bytes(report(line("x", **key(1, days))))
        (work / "c.csv").write_bytes(SECOND)
        run("pkg", "--framework", CIS, "a.csv", "b.csv", "c.csv")
        rows = [(row["account"], row["1.14"]) for row in table(work / "pkg" / LIVE / "accounts.csv")]
        assert rows[:2] == [(ACCOUNT, "not satisfied")] * 2
        shown = run("show", "pkg", "--framework", CIS, "--control", "1.14").out
        assert f"not satisfied in {ACCOUNT}" in shown and f" satisfied in {ACCOUNT}" not in shown.replace("not sat", "")

    def test_a_missing_root_user_has_a_line(self, work: Path, run: Run) -> None:
        (work / "r.csv").write_bytes(report(line("x", **key(1, 1))))
        assert run("pkg", "--framework", CIS, "r.csv").code == 3
        (row,) = [row for row in table(work / "pkg" / LIVE / "population.csv") if row["user"] == "<root_account>"]
        assert (row["KEY_AWS_005"], row["KEY_AWS_014"]) == ("UNKNOWN", "PASS") and "no row" in row["why"]

    def test_each_framework_is_judged_by_its_own_limits(self, work: Path, run: Run) -> None:
        """Under the stricter limit of another one a failure would decide nothing."""
        (work / "r.csv").write_bytes(report(line("x", **key(1, 60, used=50))))
        run("pkg", "--framework", CIS, "--framework", "pci_dss_4.0.1", "r.csv")
        verdicts = {}
        for name in (CIS, "pci_dss_4.0.1"):
            (row,) = [
                row
                for row in table(work / f"pkg/results/{name}/live/population.csv")
                if row["credential"].startswith("access")
            ]
            verdicts[name] = row["KEY_AWS_002"]
        assert verdicts == {CIS: "FAIL", "pci_dss_4.0.1": "PASS"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("pkg", "reports"), 2, "--framework"),
            (("pkg", "--framework", "cis_aws_9", "reports"), 2, "cis_aws_9"),
            (("reports", "--framework", CIS, "reports/first/first.csv"), 2, "is there already"),
            (("no/where/pkg", "--framework", CIS, "reports"), 2, "create that first"),
            (("pkg", "--framework", CIS, "--code", "repo/README.md"), 2, "is no folder"),
            (("pkg", "--framework", CIS, "--live", "reports"), 2, "two inputs"),
            (("pkg", "--framework", CIS, "--code", "alone/infra"), 2, "alone/modules/user/main.tf, which lies outside"),
            (("pkg", "--framework", CIS, "reports", "--signature", "x"), 2, "does not go with"),
            (("pkg", "--framework", CIS, "accepted.yaml"), 3, "accepted.yaml"),
            (("pkg", "--framework", CIS, "absent.csv"), 2, "does not exist"),
            ((), 2, "name the folder"),
            (("verify",), 2, "one package"),
            (("diff", "a"), 2, "two packages"),
            (("verify", "reports", "--framework", CIS), 2, "does not go with verify"),
            (("show", "reports"), 2, "one --framework"),
        ],
    )
    def test_one_sentence_and_nothing_written(
        self, work: Path, run: Run, words: tuple[str, ...], code: int, said: str
    ) -> None:
        shutil.copytree(work / "repo", work / "alone", ignore=shutil.ignore_patterns(".git"))
        before = files(work)
        refused = run(*words)
        assert (refused.code, refused.err.count("\n")) == (code, 1) and said in refused.err, refused
        assert files(work) == before and not [name for name in work.iterdir() if name.name.endswith("-tmp")]

    def test_a_report_that_is_none_is_called_what_it_was_called(self, work: Path, run: Run) -> None:
        (work / "reports/first/first.csv").write_bytes(FIRST.split(b"\n", maxsplit=1)[0] + b"\n")
        refused = run("pkg", "--framework", CIS, "reports")
        assert refused.code == 3 and "inputs/" not in refused.err
        assert refused.err.startswith("keyrules: reports/first/first.csv has a header but no rows")

    @pytest.mark.parametrize("where", ["report", "exceptions", "configuration", "json"])
    def test_no_secret_is_stored(self, work: Path, run: Run, where: str) -> None:
        canary = make_canary("stored")
        planted = f"# aws_access_key_id = {canary.key_id}\n# aws_secret_access_key = {canary.secret}\n"
        words = ["pkg", "--framework", CIS, "reports"]
        if where == "report":
            (work / "reports/first/first.csv").write_text(planted + FIRST.decode(), "utf-8")
            words[-1] = "reports/first/first.csv"
        elif where == "json":
            text = (work / "reports/second/second.json").read_text("utf-8").replace("{", '{"SecretAccessKey": "x",', 1)
            (work / "reports/second/second.json").write_text(text, "utf-8")
        elif where == "exceptions":
            (work / "accepted.yaml").write_text(planted + EXCEPTIONS, "utf-8")
            words += ["--exceptions", "accepted.yaml"]
        else:
            (work / ".keyrules.yaml").write_text(planted + "rules: {}\n", "utf-8")
        refused = run(*words)
        assert refused.code == 3 and "secret" in refused.err.lower() and not (work / "pkg").exists(), refused
        assert_no_leak([("stderr", refused.err)], [canary])

    @pytest.mark.parametrize(
        "pack",
        [
            lambda text: text.encode(),
            lambda text: text.encode("utf-16"),
            lambda text: gzip.compress(text.encode()),
            lambda text: gzip.compress(text.encode("utf-16")),
            lambda text: b"".join(gzip.compress(part.encode()) for part in text.partition('"Base32')),
        ],
    )
    def test_no_seed_of_a_device_is_stored_however_it_is_written(
        self, work: Path, run: Run, pack: Callable[[str], bytes]
    ) -> None:
        device = {"SerialNumber": "arn:aws:iam::111111111111:mfa/x", "Base32StringSeed": "c2VjcmV0"}
        text = json.dumps({"VirtualMFADevices": [device]})
        (work / "reports/first/mfa.json").write_bytes(pack(text))
        refused = run("pkg", "--framework", CIS, "reports/first")
        assert refused.code == 3 and not (work / "pkg").exists(), refused
        assert "holds a value for Base32StringSeed" in refused.err and "c2VjcmV0" not in refused.err

    def test_no_secret_of_the_code_is_stored(self, work: Path, run: Run) -> None:
        canary = make_canary("code")
        sources = {**TERRAFORM, **TEMPLATES, "prod.auto.tfvars": 'k = "<SECRET>"\n', f"{canary.secret}/x.tf": MODULE}
        sources["terraform.tfstate"] = state_4(resource("aws_iam_access_key.k", key_values("u", secret="<SECRET>")))
        sources["keys.txt"] = "aws_access_key_id=<KEY_ID>\naws_secret_access_key=<SECRET>\n"
        for name, text in sources.items():
            path = work / "repo" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            filled = text.replace("<SECRET>", canary.secret).replace("<KEY_ID>", canary.key_id)
            path.write_text(filled.replace("<TOKEN>", canary.session_token).replace("<KEY>", MODULE), "utf-8")
        made = run("pkg", "--framework", CIS, "--framework", "soc_2", "--code", "repo")
        assert (work / "pkg/manifest.json").exists(), made
        assert_no_leak([(name, (work / "pkg" / name).read_bytes()) for name in files(work / "pkg")], [canary])
