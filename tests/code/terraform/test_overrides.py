"""Override files: what they change rests on them, whoever declares it."""

from __future__ import annotations

from pathlib import Path

from scanning import scan, write

CLOCK = 'resource "time_rotating" "t" {\n  rotation_days = 30\n}\n'
KEY = """resource "terraform_data" "t" {
  triggers_replace = time_rotating.t.id
}
resource "aws_iam_access_key" "k" {
  user    = "ann"
  pgp_key = "keybase:ann"
  lifecycle {
    replace_triggered_by = [terraform_data.t]
  }
}
"""


def named(folder: Path, name: str) -> list[str]:
    return [one["reason"] for one in scan(folder, paths=(name,)).findings("KEY_AWS_001")]


def test_a_clock_that_an_override_slows_down_is_reported_with_that_file(tmp_path: Path) -> None:
    slow = {"o_override.tf": CLOCK.replace("30", "400")}
    write(tmp_path, {"clock.tf": CLOCK, "key.tf": KEY, "other.tf": 'output "x" {\n  value = 1\n}\n', **slow})
    assert named(tmp_path, "o_override.tf") == ["rotation_too_slow"]
    assert named(tmp_path, "other.tf") == []


def test_a_rotation_that_an_override_takes_away_is_reported_with_that_file(tmp_path: Path) -> None:
    taken = 'resource "aws_iam_access_key" "k" {\n  lifecycle {\n    replace_triggered_by = []\n  }\n}\n'
    write(tmp_path, {"clock.tf": CLOCK, "key.tf": KEY, "override.tf": taken})
    assert named(tmp_path, "override.tf") == ["rotation_missing"]


def test_a_dynamic_lifecycle_rotates_nothing(tmp_path: Path) -> None:
    """Terraform 1.11.4: Blocks of type "lifecycle" are not expected here."""
    dynamic = KEY.replace("  lifecycle {", '  dynamic "lifecycle" {\n    for_each = [1]\n    content {')
    dynamic = dynamic.replace("[terraform_data.t]\n  }", "[terraform_data.t]\n    }\n  }")
    assert named(write(tmp_path, {"main.tf": CLOCK + dynamic}), "main.tf") == ["rotation_missing"]
