"""What a patch writes for each way in which a Terraform rotation is missing, never fires or is too slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from patching import mended

CLOCK = 'resource "time_rotating" "monthly" {\n  rotation_days = 30\n}\n'
NEW = (
    '\n\nresource "time_rotating" "access_key_rotation" {\n  rotation_days = 60\n}\n\n'
    'resource "terraform_data" "access_key_rotation" {\n'
    "  triggers_replace = time_rotating.access_key_rotation.id\n}"
)
CARRIER = '\n\nresource "terraform_data" "monthly" {\n  triggers_replace = time_rotating.monthly.id\n}'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lifecycle(carrier: str, rest: str = "    create_before_destroy = true\n") -> str:
    """A lifecycle as `terraform fmt` writes it."""
    gap = "  " if "create_before_destroy" in rest else " "
    return f"\n  lifecycle {{\n{rest}    replace_triggered_by{gap}= [{carrier}]\n  }}\n"


def key(inside: str = "") -> str:
    return f'resource "aws_iam_access_key" "k" {{\n  user = "bot"\n{inside}}}'


def members(*lines: str) -> str:
    """A key whose list of triggers has each member, or comment, on a line of its own."""
    inside = "".join(f"      {line}\n" for line in lines)
    return key(f"\n  lifecycle {{\n    replace_triggered_by = [\n{inside}    ]\n  }}\n")


CARRIED = "terraform_data.access_key_rotation"
MANUAL = 'resource "terraform_data" "v" {\n  input = "v1"\n}\n'
OWN = lifecycle("terraform_data.access_key_rotation")
WRAPPED = lifecycle("terraform_data.monthly")
THROUGH = (
    'resource "null_resource" "r" {\n  triggers = {\n    user = "bot"\n    at   = time_rotating.monthly.id\n  }\n}\n'
)
ROTATIONS = {
    "missing": (key(), key(OWN) + NEW),
    "in one line": ('resource "aws_iam_access_key" "k" { user = "bot" }', key(OWN) + NEW),
    "a comment behind it": (key() + " # the bot's\n", key(OWN) + " # the bot's" + NEW + "\n"),
    "a comment at the end of it": (key("  # none\n"), key(f"  # none\n{OWN}") + NEW),
    "a lifecycle without a trigger": (
        key("\n  lifecycle {\n    ignore_changes = [status] # set by hand\n  }\n"),
        key(
            "\n  lifecycle {\n    ignore_changes        = [status] # set by hand\n    create_before_destroy = true\n"
            "    replace_triggered_by  = [terraform_data.access_key_rotation]\n  }\n"
        )
        + NEW,
    ),
    "a lifecycle in one line": (key("  lifecycle { create_before_destroy = true }\n"), key(OWN[1:]) + NEW),
    "an empty lifecycle": (key("  lifecycle {}\n"), key(OWN[1:]) + NEW),
    "an empty list": (key(lifecycle("")), key(OWN) + NEW),
    "the clock itself": (CLOCK + key(lifecycle("time_rotating.monthly")), CLOCK + key(WRAPPED) + CARRIER),
    "the clock's id": (CLOCK + key(lifecycle("time_rotating.monthly.id")), CLOCK + key(WRAPPED) + CARRIER),
    "the clock and what changes": (
        CLOCK
        + 'resource "terraform_data" "v" {\n  input = "v1"\n}\n'
        + key(lifecycle("terraform_data.v, time_rotating.monthly")),
        CLOCK
        + 'resource "terraform_data" "v" {\n  input = "v1"\n}\n'
        + key(lifecycle("terraform_data.v, terraform_data.monthly"))
        + CARRIER,
    ),
    "several lines": (
        CLOCK
        + key("  lifecycle {\n    replace_triggered_by = [\n      time_rotating.monthly, # the clock\n    ]\n  }\n"),
        CLOCK
        + key("  lifecycle {\n    replace_triggered_by = [\n      terraform_data.monthly, # the clock\n    ]\n  }\n")
        + CARRIER,
    ),
    "two clocks with comments": (
        CLOCK + members("time_rotating.monthly, # one", "time_rotating.monthly.id, # two"),
        CLOCK + members("terraform_data.monthly, # one", "# two") + CARRIER,
    ),
    "an empty list with a comment": (members("# none yet"), members("# none yet", CARRIED) + NEW),
    "a last member without a comma": (
        MANUAL + members("terraform_data.v # by hand"),
        MANUAL + members("terraform_data.v, # by hand", CARRIED) + NEW,
    ),
    "a last member with one": (
        MANUAL + members("terraform_data.v, # by hand", "# no more"),
        MANUAL + members("terraform_data.v, # by hand", "# no more", f"{CARRIED},") + NEW,
    ),
    "depends_on": (
        CLOCK + key("  depends_on = [time_rotating.monthly]\n").replace("user =", "user       ="),
        CLOCK + key("  depends_on = [time_rotating.monthly]\n" + WRAPPED).replace("user =", "user       =") + CARRIER,
    ),
    "a local": (
        CLOCK + "locals {\n  at = time_rotating.monthly.id\n}\n" + key(lifecycle("local.at")),
        CLOCK + "locals {\n  at = time_rotating.monthly.id\n}\n" + key(WRAPPED) + CARRIER,
    ),
    "a data source": (key(lifecycle("data.http.clock.body")), key(OWN) + NEW),
    "the user through a trigger": (
        CLOCK + THROUGH + key().replace('"bot"', "null_resource.r.triggers.user"),
        CLOCK + THROUGH + key(lifecycle("null_resource.r")).replace('"bot"', "null_resource.r.triggers.user"),
    ),
    "a fixed moment": (
        'resource "time_rotating" "monthly" {\n  rfc3339       = "2024-01-01T00:00:00Z"\n  rotation_days = 30\n}'
        + CARRIER
        + "\n"
        + key(WRAPPED),
        CLOCK[:-1] + CARRIER + "\n" + key(WRAPPED),
    ),
    "a fixed rotation": (
        'resource "time_rotating" "monthly" {\n  rotation_rfc3339 = "2030-01-01T00:00:00Z"\n}'
        + CARRIER
        + "\n"
        + key(WRAPPED),
        CLOCK[:-1].replace("30", "60") + CARRIER + "\n" + key(WRAPPED),
    ),
    "prevent_destroy": (
        CLOCK + CARRIER + "\n" + key(lifecycle("terraform_data.monthly", "    prevent_destroy      = true # keep\n")),
        CLOCK + CARRIER + "\n" + key(lifecycle("terraform_data.monthly", "")),
    ),
    "missing, and prevent_destroy": (
        key("\n  lifecycle {\n    prevent_destroy = true\n  }\n"),
        key(OWN) + NEW,
    ),
    "a carrier that ignores": (
        CLOCK + CARRIER[:-2] + "\n\n  lifecycle {\n    ignore_changes = [triggers_replace]\n  }\n}\n" + key(WRAPPED),
        CLOCK + CARRIER + "\n" + key(WRAPPED),
    ),
    "a carrier that ignores another argument, too": (
        CLOCK
        + CARRIER[:-2]
        + "\n\n  lifecycle {\n    ignore_changes = [id, triggers_replace]\n  }\n}\n"
        + key(WRAPPED),
        CLOCK + CARRIER[:-2] + "\n\n  lifecycle {\n    ignore_changes = [id]\n  }\n}\n" + key(WRAPPED),
    ),
    "a carrier that is kept": (
        CLOCK + CARRIER[:-2] + "\n\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n" + key(WRAPPED),
        CLOCK + CARRIER + "\n" + key(WRAPPED),
    ),
    "a part that stays": (
        CLOCK + CARRIER + "\n" + key(lifecycle("terraform_data.monthly.input")),
        CLOCK + CARRIER + "\n" + key(WRAPPED),
    ),
    "no argument of a key": (
        CLOCK + key("  keepers = { at = time_rotating.monthly.id }\n").replace("user =", "user    ="),
        CLOCK + key(WRAPPED) + CARRIER,
    ),
    "a name that is taken": (
        key() + '\n\nresource "time_rotating" "access_key_rotation" {\n  rotation_years = 1\n}',
        (key(OWN) + NEW).replace("access_key_rotation", "access_key_rotation_2")
        + '\n\nresource "time_rotating" "access_key_rotation" {\n  rotation_years = 1\n}',
    ),
    "the clock of another key": (
        CLOCK + CARRIER + "\n" + key(WRAPPED) + "\n" + key().replace('"k"', '"l"').replace("bot", "other"),
        CLOCK + CARRIER + "\n" + key(WRAPPED) + "\n" + key(WRAPPED).replace('"k"', '"l"').replace("bot", "other"),
    ),
    "two keys share a new clock": (
        key() + "\n" + key().replace('"k"', '"l"').replace("bot", "other"),
        key(OWN) + NEW + "\n" + key(OWN).replace('"k"', '"l"').replace("bot", "other"),
    ),
    "two keys of one user": (
        key() + "\n" + key().replace('"k"', '"l"'),
        key(lifecycle("terraform_data.access_key_rotation", ""))
        + NEW
        + "\n"
        + key(lifecycle("terraform_data.access_key_rotation", "")).replace('"k"', '"l"'),
    ),
    "many instances": (
        key("  count = 3\n").replace('"bot"', '"bot-${count.index}"'),
        key(f"  count = 3\n{OWN}").replace('"bot"', '"bot-${count.index}"') + NEW,
    ),
    "four spaces": (
        key().replace("  user", "    user"),
        key(OWN.replace("  ", "    ").replace("by    =", "by  =")).replace("  user", "    user") + NEW,
    ),
    "an expiring key": (
        'resource "awsutils_expiring_iam_access_key" "k" {\n  user = "bot"\n}',
        'resource "awsutils_expiring_iam_access_key" "k" {\n  user    = "bot"\n  max_age = 5184000\n}',
    ),
}


@pytest.mark.parametrize("name", ROTATIONS)
def test_a_rotation(here: Path, name: str) -> None:
    before, after = ROTATIONS[name]
    done = mended({"main.tf": before}, here, only=("KEY_AWS_001", "KEY_AWS_003"))
    assert done.read("main.tf") == after
    assert not done.left()


PERIODS = {
    "rotation_days  = 365": "rotation_days  = 60",
    "rotation_days  = 365 # a year": "rotation_days  = 60 # a year",
    "rotation_hours = 2161": "rotation_hours = 1440",
    "rotation_months = 4": "rotation_months = 2",
    "rotation_years = 1": "rotation_days = 60",
    "rotation_days = var.own": "rotation_days = var.own",
    "rotation_days = var.shared": "rotation_days = min(var.shared, 60)",
    "rotation_days = 2 * 50": "rotation_days = min(2 * 50, 60)",
    "rotation_days = local.days": "rotation_days = local.days",
}
INPUTS = (
    'variable "own" {\n  default = 365\n}\nvariable "shared" {\n  default = 365\n}\nlocals {\n  days = 400\n}\n'
    'output "kept" {\n  value = var.shared\n}\n'
)


@pytest.mark.parametrize("period", PERIODS)
def test_a_period(here: Path, period: str) -> None:
    rest = INPUTS + CARRIER + "\n" + key(WRAPPED)
    clock = 'resource "time_rotating" "monthly" {{\n  {}\n}}\n'
    done = mended({"main.tf": clock.format(period) + rest}, here, only=("KEY_AWS_001",))
    if "var.own" in period:
        rest = rest.replace("365", "60", 1)
    if "local" in period:
        rest = rest.replace("400", "60")
    assert done.read("main.tf") == clock.format(PERIODS[period]) + rest


def test_the_limit_in_force_decides(here: Path) -> None:
    done = mended({"main.tf": key()}, here, settings=("KEY_AWS_001.max_age_days=10",))
    assert "rotation_days = 6\n" in done.read("main.tf")


def test_an_argument_of_a_call(here: Path) -> None:
    child = 'variable "days" {}\nresource "time_rotating" "monthly" {\n  rotation_days = var.days\n}\n'
    calls = 'module "a" {\n  source = "./m"\n  days   = 30\n}\nmodule "b" {\n  source = "./m"\n  days   = 365\n}\n'
    done = mended({"main.tf": calls, "m/main.tf": child + CARRIER + "\n" + key(WRAPPED)}, here, only=("KEY_AWS_001",))
    assert done.read("main.tf") == calls.replace("365", "60")
    assert "rotation_days = var.days\n" in done.read("m/main.tf")


def test_values_of_a_root(here: Path) -> None:
    root = 'variable "days" {\n  default = 30\n}\nresource "time_rotating" "monthly" {\n  rotation_days = var.days\n}\n'
    values = "# a year\ndays = 365\n"
    done = mended({"main.tf": root + CARRIER + "\n" + key(WRAPPED), "prod.tfvars": values}, here, only=("KEY_AWS_001",))
    assert done.read("prod.tfvars") == values.replace("365", "60")


def test_both_programs(here: Path) -> None:
    """Each file gets a clock of its own, because no program reads both."""
    done = mended({"main.tf": key(), "main.tofu": key().replace("bot", "tofu")}, here, only=("KEY_AWS_001",))
    assert 'resource "time_rotating"' in done.read("main.tf")
    assert 'resource "time_rotating"' in done.read("main.tofu")


OUTPUTS = {
    "open": ("{\n  value = @\n}", "{\n  value     = @\n  sensitive = true\n}"),
    "in one line": ("{ value = @ }", "{\n  value     = @\n  sensitive = true\n}"),
    "with a comment": (
        "{\n  # the secret\n  value = @ # of the bot\n}",
        "{\n  # the secret\n  value     = @ # of the bot\n  sensitive = true\n}",
    ),
    "false": ("{\n  value     = @\n  sensitive = false\n}", "{\n  value     = @\n  sensitive = true\n}"),
    "described": (
        '{\n  description = "It"\n  value       = @\n}',
        '{\n  description = "It"\n  value       = @\n  sensitive   = true\n}',
    ),
    "a heredoc": (
        "{\n  value = <<EOT\n${@}\nEOT\n}",
        "{\n  value     = <<EOT\n${@}\nEOT\n  sensitive = true\n}",
    ),
    "a list": ("{\n  value = [\n    @,\n  ]\n}", "{\n  value = [\n    @,\n  ]\n  sensitive = true\n}"),
    "not formatted": ("{\n value=@\n}", "{\n value=@\n sensitive = true\n}"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output(here: Path, name: str) -> None:
    before, after = (f'output "o" {text}'.replace("@", "aws_iam_access_key.k.secret") for text in OUTPUTS[name])
    done = mended({"main.tf": f"{key()}\n{before}"}, here, only=("KEY_AWS_009",))
    assert done.read("main.tf") == f"{key()}\n{after}"


def test_what_takes_a_sensitive_output_is_sensitive_too(here: Path) -> None:
    """Terraform refuses a root output of a sensitive value that is not sensitive itself."""
    child = (
        key()
        + '\noutput "all" {\n  value = { id = aws_iam_access_key.k.id, secret = aws_iam_access_key.k.secret }\n}\n'
    )
    root = (
        'module "m" {\n  source = "./m"\n}\nlocals {\n  id = module.m.all.id\n}\noutput "id" {\n  value = local.id\n}\n'
        'output "user" {\n  value = nonsensitive(module.m.all.id)\n}\n'
    )
    done = mended({"main.tf": root, "m/main.tf": child}, here, only=("KEY_AWS_009",))
    assert done.read("main.tf") == root.replace("value = local.id\n", "value     = local.id\n  sensitive = true\n")


class TestProviders:
    LISTED = 'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
    TIME = '    time = {\n      source = "hashicorp/time"\n    }\n'

    def test_a_module_that_lists_its_providers_lists_the_new_one(self, here: Path) -> None:
        done = mended({"main.tf": key(), "versions.tf": self.LISTED}, here)
        assert done.read("versions.tf") == self.LISTED.replace("    }\n  }\n", f"    }}\n{self.TIME}  }}\n")

    @pytest.mark.parametrize(
        "listed",
        ["terraform {\n}\n", LISTED.replace("    aws", f"{TIME}    aws"), LISTED + 'resource "time_static" "t" {\n}\n'],
    )
    def test_another_does_not(self, here: Path, listed: str) -> None:
        done = mended({"main.tf": key(), "versions.tf": listed}, here)
        assert done.read("versions.tf") == listed
