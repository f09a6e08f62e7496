"""Verifying a package that somebody else has had: each kind of change has its sentence and its exit code."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packages import CIS, MODULE, Run

from keyrules.evidence import verifying
from keyrules.evidence.manifest import read_manifest, statement
from keyrules.model import PackStamp
from keyrules.pack.catalog import load_pack
from keyrules.pack.pack import Pack
from keyrules.records import replace

REPORT = "inputs/reports/reports/first/first.csv"
LIVE = f"results/{CIS}/live"
AGAIN = "identical, and the same when it is judged again"


def outcome(printed: str, path: str) -> str:
    """What is said of a file."""
    (said,) = [line.split(None, 1)[1] for line in printed.splitlines() if line.split(None, 1)[:1] == [path]]
    return said


def rewritten(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the manifest as somebody would who knows it, with a statement that fits."""
    path = package / "manifest.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
    manifest, digest = read_manifest(package)
    (package / "statement.intoto.json").write_text(statement(manifest, digest), "utf-8")


def listed_anew(package: Path, name: str) -> None:
    """Makes the manifest list a file as it is now."""
    data = (package / name).read_bytes()

    def change(document: dict[str, Any]) -> None:
        (each,) = [each for each in document["files"] if each["path"] == name]
        each |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    rewritten(package, change)


class TestAsItWas:
    def test_everything_is_identical_and_judged_again(self, package: Path, run: Run) -> None:
        checked = run("verify", "pkg", "--format", "json")
        document = json.loads(checked.out)
        assert (checked.code, document["verified"], document["problems"]) == (0, True, [])
        outcomes = {each["path"]: each["outcome"] for each in document["files"]}
        again = {path for path, outcome in outcomes.items() if outcome.endswith("the same when it is judged again")}
        assert again == {path for path in outcomes if path.startswith("results/")} and len(again) > 6

    def test_in_another_place_and_much_later(
        self, package: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither where the package lies, nor what lies around it, nor the time changes anything."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        shutil.move(package, elsewhere / "archived")
        shutil.rmtree(tmp_path / "reports")
        for name in (".keyrules.yaml", ".keyrules-exceptions.yaml"):
            (elsewhere / name).write_text("broken: [", "utf-8")
        monkeypatch.chdir(elsewhere)
        assert run("verify", "archived").code == 0

    def test_code_is_judged_again_where_it_is_given(self, work: Path, run: Run) -> None:
        run("pkg", "--framework", CIS, "reports", "--code", "repo/infra", "--exclude", "modules/**")
        without = run("verify", "pkg")
        assert without.code == 7 and "name its folder with --code" in without.out
        shutil.copytree(work / "repo", work / "checkout")
        shutil.rmtree(work / "checkout/.git")
        for given in ("checkout", "repo", "repo/infra"):
            checked = run("verify", "pkg", "--code", given)
            assert checked.code == 0 and "The code is the one that was judged." in checked.out, checked
            assert outcome(checked.out, f"results/{CIS}/code/findings.csv") == AGAIN

    def test_names_of_other_people(self, work: Path, run: Run) -> None:
        (work / "repo/infra").rename(work / "repo/équipe réseau")
        made = run("pkg", "--framework", CIS, "--code", "repo/équipe réseau", "--assessor", "Zoë\udcff \x1b[31m")
        assert made.code == 0, made
        assert run("verify", "pkg", "--code", "repo").code == 0

    def test_other_code_is_no_change_of_the_package(self, work: Path, run: Run) -> None:
        run("pkg", "--framework", CIS, "reports", "--code", "repo/infra")
        (work / "repo/infra/more.tf").write_text(MODULE, "utf-8")
        (work / "repo/infra/main.tf").write_text(MODULE, "utf-8")
        checked = run("verify", "pkg", "--code", "repo")
        assert checked.code == 8
        assert "infra/main.tf" in checked.out and "infra/more.tf" in checked.out
        assert outcome(checked.out, f"{LIVE}/findings.csv") == AGAIN
        assert outcome(checked.out, f"results/{CIS}/code/findings.csv") == "identical"

    def test_a_configuration_that_names_what_only_the_run_had(self, work: Path, run: Run) -> None:
        (work / "base.json").write_text("{}", "utf-8")
        (work / ".keyrules.yaml").write_text(
            "exceptions: accepted.yaml\nformat: [json=out.json]\naudit:\n  baseline: base.json\n", "utf-8"
        )
        made = run("pkg", "--framework", CIS, "reports")
        assert made.code == 0 and not (work / "out.json").exists(), made
        assert "EXEMPT" in (work / "pkg" / LIVE / "findings.csv").read_text("utf-8")
        (work / "accepted.yaml").unlink()
        assert run("verify", "pkg").code == 0


class TestChanged:
    def test_one_byte_of_any_file(self, package: Path, run: Run) -> None:
        names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
        for name in names:
            path = package / name
            data = path.read_bytes()
            path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
            checked = run("verify", "pkg")
            assert checked.code in (1, 3) if name == "manifest.json" else checked.code == 1, (name, checked)
            assert name in checked.out + checked.err and "Traceback" not in checked.err
            path.write_bytes(data)
        assert run("verify", "pkg").code == 0

    def test_a_result_that_was_changed_is_told_from_what_the_inputs_come_to(self, package: Path, run: Run) -> None:
        name = f"{LIVE}/controls.csv"
        text = (package / name).read_text("utf-8")
        (package / name).write_text(text.replace("not satisfied", "satisfied"), "utf-8")
        assert "changed, but the inputs still come to what the manifest lists" in run("verify", "pkg").out
        listed_anew(package, name)
        checked = run("verify", "pkg")
        assert checked.code == 1 and f"{name} is not what the stored inputs come to" in checked.out

    def test_an_input_that_was_changed_with_its_sum(self, package: Path, run: Run) -> None:
        (package / REPORT).write_bytes((package / REPORT).read_bytes().replace(b"2025-01-17", b"2026-05-17"))
        checked = run("verify", "pkg")
        assert checked.code == 1 and "Nothing was judged again, because an input is not what it was." in checked.out
        listed_anew(package, REPORT)
        checked = run("verify", "pkg")
        assert checked.code == 1 and f"{LIVE}/findings.csv is not what the stored inputs come to" in checked.out

    def test_a_parameter_that_was_changed_in_the_manifest(self, package: Path, run: Run) -> None:
        rewritten(package, lambda document: document["request"]["set"].append("KEY_AWS_001.max_age_days=3650"))
        checked = run("verify", "pkg")
        assert checked.code == 1 and f"{LIVE}/parameters.csv is not what the stored inputs come to" in checked.out

    def test_the_sum_that_somebody_wrote_down(self, package: Path, run: Run) -> None:
        digest = hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest()
        assert run("verify", "pkg", "--manifest-sha256", digest.upper()).code == 0
        checked = run("verify", "pkg", "--manifest-sha256", "0" * 64)
        assert checked.code == 1 and "not the one that you name" in checked.out

    def test_a_statement_of_another_manifest(self, package: Path, run: Run) -> None:
        text = (package / "manifest.json").read_text("utf-8").replace("Ann Auditor", "Bob Auditor")
        (package / "manifest.json").write_text(text, "utf-8")
        checked = run("verify", "pkg")
        assert checked.code == 1 and "statement.intoto.json is not of this manifest" in checked.out


class TestMissingAndExtra:
    @pytest.mark.parametrize("name", [REPORT, f"{LIVE}/report.html", "README.txt", "statement.intoto.json"])
    def test_a_missing_file(self, package: Path, run: Run, name: str) -> None:
        (package / name).unlink()
        checked = run("verify", "pkg")
        assert checked.code == 4 and f"{name} is missing" in checked.out

    def test_an_extra_file(self, package: Path, run: Run) -> None:
        (package / "inputs/reports/more\x1b[31m.csv").write_bytes(b"x")
        checked = run("verify", "pkg")
        assert checked.code == 5 and r"more\x1b[31m.csv is not in the manifest" in checked.out

    def test_a_link_is_not_followed(self, package: Path, run: Run, work: Path) -> None:
        (package / REPORT).replace(work / "first.csv")
        (package / REPORT).symlink_to(work / "first.csv")
        checked = run("verify", "pkg")
        assert checked.code in (4, 5) and f"{REPORT} is a link" in checked.out

    def test_a_folder_that_is_a_link_is_not_followed(self, package: Path, run: Run, work: Path) -> None:
        (package / "inputs").replace(work / "inputs")
        (package / "inputs").symlink_to(work / "inputs")
        checked = run("verify", "pkg")
        assert checked.code == 4 and "inputs is a link" in checked.out


class TestAnotherPack:
    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """A later version of the pack, with another default of KEY_AWS_002 than the one that made the package."""

        def loading(days: int) -> None:
            pack = load_pack()
            rules = [
                rule
                if rule.id != "KEY_AWS_012"
                else replace(rule, runtime={**(rule.runtime or {}), "definition": _old(days)})
                for rule in pack.rules
            ]
            newer: Pack = replace(pack, rules=tuple(rules), stamp=PackStamp("9.9.9", "f" * 64))
            monkeypatch.setattr(verifying, "load_pack", lambda: newer)

        return loading

    def test_the_same_verdicts(self, package: Path, run: Run, later: Callable[[int], None]) -> None:
        later(0)
        checked = run("verify", "pkg")
        assert checked.code == 6 and "every verdict is the same" in checked.out
        assert "9.9.9" in checked.out and "CHANGED" not in checked.out

    def test_other_verdicts_are_named(self, package: Path, run: Run, later: Callable[[int], None]) -> None:
        later(3650)
        checked = run("verify", "pkg", "--format", "json")
        document = json.loads(checked.out)
        assert checked.code == 6 and document["judged_with"]["version"] == "9.9.9"
        ((difference,), (problem,)) = document["differences"], document["problems"]
        assert problem["kind"] == "other_pack" and "some verdicts are others" in problem["message"]
        (control,) = difference["controls"]
        assert (control["control"], control["outcome"]) == ("1.10", {"old": "not satisfied", "new": "satisfied"})
        assert [each["rule"] for each in control["resolved"]] == ["KEY_AWS_012"]

    def test_a_changed_file_is_still_a_changed_file(
        self, package: Path, run: Run, later: Callable[[int], None]
    ) -> None:
        later(0)
        (package / "README.txt").write_text("x", "utf-8")
        assert run("verify", "pkg").code == 1


def _old(days: int) -> dict[str, Any]:
    """MFA, or a password that is younger than so many days."""
    mfa = {"attribute": "mfa_active", "operator": "is_true"}
    young = {"attribute": "days_since_use", "operator": "less_than", "value": days}
    return {"or": [mfa, young]} if days else mfa


class TestSignature:
    @pytest.fixture
    def signed(self, package: Path, work: Path) -> Path:
        for who in ("ann", "eve"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", who], check=True, cwd=work)
        self.sign(work, "ann", "keyrules-evidence")
        public = (work / "ann.pub").read_text("utf-8")
        (work / "signers").write_text(f'ann@example.com namespaces="keyrules-evidence" {public}', "utf-8")
        return work

    def sign(self, work: Path, who: str, namespace: str) -> None:
        (work / "pkg/statement.intoto.json.sig").unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-f", who, "-n", namespace, "pkg/statement.intoto.json"]
        subprocess.run(command, check=True, cwd=work, capture_output=True)

    def test_by_an_allowed_signer(self, signed: Path, run: Run) -> None:
        checked = run("verify", "pkg", "--allowed-signers", "signers")
        assert checked.code == 0 and "Signed by ann@example.com." in checked.out
        assert run("verify", "pkg").code == 0

    def test_unchecked_is_said(self, signed: Path, run: Run) -> None:
        assert "There is a signature, which was not checked" in run("verify", "pkg").out

    @pytest.mark.parametrize(("who", "namespace"), [("eve", "keyrules-evidence"), ("ann", "file")])
    def test_by_another_or_for_another_purpose(self, signed: Path, run: Run, who: str, namespace: str) -> None:
        self.sign(signed, who, namespace)
        checked = run("verify", "pkg", "--allowed-signers", "signers")
        assert checked.code == 9 and "allowed signer" in checked.out

    def test_of_another_statement(self, signed: Path, run: Run) -> None:
        rewritten(signed / "pkg", lambda document: document.update(assessor="Eve"))
        checked = run("verify", "pkg", "--allowed-signers", "signers")
        assert "not one of this statement by an allowed signer" in checked.out and checked.code == 1
        assert "facts.csv is not what the manifest comes to" in checked.out

    def test_none(self, signed: Path, run: Run) -> None:
        (signed / "pkg/statement.intoto.json.sig").unlink()
        checked = run("verify", "pkg", "--allowed-signers", "signers")
        assert checked.code == 9 and "there is no signature" in checked.out
        assert run("verify", "pkg", "--allowed-signers", "nobody", "--signature", "ann").code == 3


class TestHostile:
    """A package of somebody else's."""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{",
            "{}",
            '{"schema": "keyrules-evidence/2"}',
            '{"schema": "keyrules-evidence/1", "schema": "keyrules-evidence/1"}',
            "[" * 100_000,
            '{"schema": "keyrules-evidence/1", "pack": NaN}',
            '{"schema": "keyrules-evidence/1", "pack": {"version": 1}, "files": []}',
            "\ud800".encode("utf-8", "surrogatepass"),
        ],
    )
    def test_no_manifest(self, package: Path, run: Run, text: str | bytes) -> None:
        (package / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        checked = run("verify", "pkg")
        assert checked.code == 3 and checked.err.count("\n") == 1 and "unexpectedly" not in checked.err, checked.err

    @pytest.mark.parametrize(
        "path", ["../pkg/README.txt", "/etc/passwd", "inputs/../README.txt", "", "a//b", "a\nb", "a\\b", "x" * 500]
    )
    def test_paths_that_lead_elsewhere(self, package: Path, run: Run, path: str) -> None:
        document = json.loads((package / "manifest.json").read_bytes())
        document["files"].append({"path": path, "size": 1, "sha256": "0" * 64})
        (package / "manifest.json").write_text(json.dumps(document), "utf-8")
        checked = run("verify", "pkg")
        assert checked.code == 3 and checked.err.count("\n") == 1, checked

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("frameworks", ["../../escaped"]),
            ("frameworks", ["no_such_framework"]),
            ("frameworks", [CIS, CIS]),
            ("frameworks", "cis"),
            ("now", "yesterday"),
            ("now", "2026-06-01T00:00:00"),
            ("max_report_age_seconds", -1),
            ("max_report_age_seconds", True),
            ("set", ["KEY_AWS_001.max_age_days=x"]),
            ("set", [1]),
            ("live", None),
            ("code", {"folders": ["../.."], "exceptions_from": "", "exclude": [], "exclude_from": "", "x": 1}),
        ],
    )
    def test_requests_that_nobody_makes(self, package: Path, run: Run, work: Path, name: str, value: object) -> None:
        path = package / "manifest.json"
        document = json.loads(path.read_bytes())
        document["request"][name] = value
        path.write_text(json.dumps(document, indent=2), "utf-8")
        before = set(work.rglob("*"))
        checked = run("verify", "pkg")
        assert checked.code in (1, 3) and "unexpectedly" not in checked.err, checked
        assert set(work.rglob("*")) == before

    def test_code_outside_of_what_was_given_is_not_read(self, work: Path, run: Run) -> None:
        run("pkg", "--framework", CIS, "--code", "repo/infra")
        rewritten(work / "pkg", lambda document: document["request"]["code"].update(folders=["../reports"]))
        checked = run("verify", "pkg", "--code", "repo/infra")
        assert checked.code == 3 and "outside" in checked.out

    @pytest.mark.parametrize("name", ["inputs/accounts.json"])
    def test_accounts_that_nobody_asked(self, package: Path, run: Run, name: str) -> None:
        for text in ("{}", "[]", '{"failures": [], "accounts": [{"account": "../../x", "name": ""}]}'):
            (package / name).write_text(text, "utf-8")
            rewritten(
                package,
                lambda document: (
                    document["files"].append({"path": name, "size": 0, "sha256": ""})
                    if name not in {each["path"] for each in document["files"]}
                    else None
                ),
            )
            listed_anew(package, name)
            checked = run("verify", "pkg")
            assert checked.code == 3 and "could not be judged again" in checked.out, checked
