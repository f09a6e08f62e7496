"""Credential reports for the benchmarks, the same bytes in every run."""

from __future__ import annotations

import random
from pathlib import Path

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)


def moment(chance: random.Random) -> str:
    """A date between 2020 and 2026-05-28."""
    year = chance.randint(2020, 2026)
    month = chance.randint(1, 12 if year < 2026 else 5)
    clock = f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"
    return f"{year}-{month:02}-{chance.randint(1, 28):02}T{clock}Z"


def write_report(path: Path, users: int, account: str = "123456789012", busy: float = 1.0) -> None:
    """Of the share of `busy` users half sign in to the console, 70 % have one key and 30 % a second; the others have no
    credential. The same in every run."""
    chance = random.Random(20260601)
    nothing = ["N/A"] * 4
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(HEADER + "\n")
        root = ["true", moment(chance), moment(chance), "N/A", "true", "false", *nothing, "false", *nothing]
        file.write(",".join(["<root_account>", f"arn:aws:iam::{account}:root", moment(chance), *root]))
        file.write(",false,N/A,false,N/A\n")
        for number in range(users):
            name = f"user-{number:07}"
            cells = [name, f"arn:aws:iam::{account}:user/{name}", moment(chance)]
            is_busy = chance.random() < busy
            console = is_busy and chance.random() < 0.5
            cells += ["true", moment(chance), moment(chance), "N/A"] if console else ["false", "N/A", "N/A", "N/A"]
            cells.append("true" if chance.random() < 0.8 else "false")
            for share in (0.7, 0.3):
                used = [moment(chance), moment(chance), "eu-west-1", "s3"]
                cells += ["true", *used] if is_busy and chance.random() < share else ["false", *nothing]
            file.write(",".join([*cells, "false,N/A,false,N/A"]) + "\n")
