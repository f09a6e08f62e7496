"""Code, states and reports in a folder, joined by the command itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from credential_reports import ACCOUNT, AS_OF, COLUMNS, ROOT, values

from keyrules.cli import main

OTHER = "210987654321"
CREATED = "2026-01-02T03:04:05Z"
MOMENT = AS_OF.isoformat()


def user(name: str, account: str = ACCOUNT, **changes: str) -> str:
    """A line of a report about a user of an account."""
    row = values(name, **changes)
    row["arn"] = row["arn"].replace(ACCOUNT, account)
    return ",".join(row.values())


def with_key(slot: int = 1, created: str = CREATED, used: str = "N/A", active: bool = True) -> dict[str, str]:
    """The changes that give a user a key."""
    return {
        f"key_{slot}_active": "true" if active else "false",
        f"key_{slot}_last_rotated": created,
        f"key_{slot}_last_used_date": used,
    }


@dataclass
class Run:
    """What a run printed. `rows` are the keys of the JSON by user and slot."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def findings(self, name: str, kind: str = "access_key") -> list[dict[str, Any]]:
        """The findings of an audit on a user's credentials of a kind."""
        subjects = [(each, each["subject"]) for each in self.document["findings"]]
        return [each for each, subject in subjects if (subject["user"], subject["kind"]) == (name, kind)]

    def row(self, name: str, slot: int = 1, account: str = ACCOUNT) -> dict[str, Any]:
        rows = [r for r in self.document["keys"] if (r["account"], r["user"], r["slot"]) == (account, name, slot)]
        assert len(rows) == 1
        found: dict[str, Any] = rows[0]
        return found

    def drift(self) -> dict[str, list[str]]:
        """The drift of each key that has some, by user and slot."""
        return {f"{r['user']}/{r['slot']}": r["drift"] for r in self.document["keys"] if r["drift"]}

    def joins(self) -> dict[str, list[tuple[str, str, str]]]:
        """Address, certainty and evidence of what each key is declared by."""
        return {
            f"{r['account']}/{r['user']}/{r['slot']}": [
                (each["address"], each["certainty"], each["evidence"]) for each in r["declared"]
            ]
            for r in self.document["keys"]
        }

    def unjoined(self) -> list[tuple[str, list[str], str]]:
        return [(each["address"], each["drift"], each["why"]) for each in self.document["unjoined"]]


@dataclass
class World:
    """A folder to join in."""

    folder: Path
    capfd: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def report(self, lines: Iterable[str], name: str = "report.csv", account: str = ACCOUNT) -> Path:
        root = user(ROOT, account)
        return self.write(name, "\n".join((",".join(COLUMNS), root, *lines)) + "\n")

    def audit(self, *arguments: str | Path, form: str = "json") -> Run:
        """Runs `keyrules audit` on the same."""
        return self.run(*arguments, form=form, command="audit")

    def run(self, *arguments: str | Path, form: str = "json", as_of: str = MOMENT, command: str = "keys") -> Run:
        """Runs `keyrules keys` on what lies here: `code` and every `*.tfstate`, unless arguments name others."""
        given = [str(each) for each in arguments]
        if "--code" not in given and (self.folder / "code").is_dir():
            given += ["--code", str(self.folder / "code")]
        if "--state" not in given:
            given += [word for path in sorted(self.folder.glob("*.tfstate")) for word in ("--state", str(path))]
        if not any(word.endswith(".csv") and "=" not in word for word in given):
            given += [str(path) for path in sorted(self.folder.glob("*.csv"))]
        self.capfd.readouterr()
        code = main([command, "--no-config", "--as-of", as_of, "--format", form, *given])
        out, err = self.capfd.readouterr()
        return Run(code, out, err)


ROTATING = """
resource "time_rotating" "r" { rotation_days = 30 }
resource "terraform_data" "r" { triggers_replace = time_rotating.r.id }
resource "aws_iam_access_key" "k" {
  user = "ci"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.r]
  }
}
"""
"""A key of the user `ci` that is replaced every 30 days, at line 4."""
