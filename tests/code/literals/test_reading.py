"""Files of all kinds, read for hard-coded credentials: what hides a value in them, and where it is said to stand."""

from __future__ import annotations

import base64
import json
import quopri
import random
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from keyrules.code.discovery import discover
from keyrules.code.file_names import may_matter
from keyrules.code.file_walk import read_file
from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.literals.findings import temporary_note
from keyrules.code.literals.literals import find_literals
from keyrules.code.literals.reading import read_literals
from keyrules.code.scan_unit import Unit

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+"


def secret_of(seed: int, length: int = 40) -> str:
    return "".join(random.Random(seed).choices(ALPHABET, k=length))


def key_id_of(seed: int, prefix: str = "AKIA") -> str:
    return prefix + "".join(random.Random(seed).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))


S = "a/" + secret_of(1, 17) + "/+" + secret_of(2, 19)
K = key_id_of(1)
SMTP = base64.b64encode(b"\x04" + random.Random(3).randbytes(32)).decode()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "source": ["x = 1\n", f"AWS_SECRET_ACCESS_KEY = '{S}'\n"], "outputs": []},
        {"cell_type": "code", "source": [], "outputs": [{"output_type": "stream", "text": ["done\n"]}]},
    ]
}
OUTPUT = {"cells": [{"outputs": [{"data": {"text/plain": [f'{{"SecretAccessKey": "{S}"}}']}}]}]}

FILES: dict[str, str] = {
    "a Kubernetes Secret": f"kind: Secret\ndata:\n  AWS_ACCESS_KEY_ID: {b64(K)}\n  AWS_SECRET_ACCESS_KEY: {b64(S)}\n",
    "one with line ends inside": f"kind: Secret\ndata:\n  id: {b64(K + chr(10))}\n  secret-key: {b64(S + chr(10))}\n",
    "one from Windows": f'kind: Secret\ndata:\n  secret-key: "{b64(S + chr(13) + chr(10))}"\n',
    "one with names that say nothing": f"kind: X\ndata:\n  a: {b64(K)}\n  b: {b64(S)}\n",
    "a second document": f"kind: ConfigMap\n---\nkind: Secret\nstringData:\n  secretKey: {S}\n",
    "a List in JSON": json.dumps({"kind": "List", "items": [{"kind": "Secret", "data": {"aws_secret_key": b64(S)}}]}),
    "values of a chart": f"aws:\n  accessKey: {b64(K)}\n  secretKey: {b64(S)}\n",
    "a credentials file in a Secret": f"data:\n  config: {b64(f'[default]{chr(10)}aws_secret_access_key = {S}')}\n",
    "an SMTP password in a Secret": f"data:\n  SES_SMTP_PASSWORD: {b64(SMTP)}\n",
    "a notebook": json.dumps(NOTEBOOK),
    "a notebook's output": json.dumps(OUTPUT, indent=1),
    "an added line": f"@@ -1 +1,2 @@\n x\n+AWS_SECRET_ACCESS_KEY={S}\n",
    "an added secret alone": f"@@ -1,2 +1,2 @@\n {K}\n+{S}\n",
    "a removed line": f"@@ -1,2 +1 @@\n-secret_key: {S}\n x\n",
    "a context line": f"@@ -1,2 +1,2 @@\n secret_key: {S}\n-x\n+y\n",
    "a merge": f"@@@ -1,2 -1,2 +1,3 @@@\n  {K}\n++{S}\n",
    "a mail": "Content-Transfer-Encoding: quoted-printable\n\n@@ -0,0 +1 @@\n+x\n"
    + quopri.encodestring(f'+some_longer_name_before_it_aws_secret_access_key = "{S}"\n'.encode()).decode(),
    ".s3cfg": f"[default]\naccess_key = {K}\nsecret_key = {S}\n",
    ".boto": f"[Credentials]\naws_access_key_id = {K}\naws_secret_access_key = {S}\n",
    ".passwd-s3fs": f"{K}:{S}\n",
    ".passwd-s3fs by bucket": f"bucket:{K}:{S}\n",
    ".netrc": f"machine s3.example.org\n  login {K}\n  password {S}\n",
    ".pgpass": f"db.example.org:5432:*:{K}:{S}\n",
    "a slash escaped": json.dumps({"secretAccessKey": S}).replace("/", "\\/"),
    "codes of characters": json.dumps({"secretAccessKey": S}).replace("/", "\\u002f").replace("+", "\\u002B"),
    "codes of YAML": f'secretAccessKey: "{S}"'.replace("/", "\\x2f"),
    "a URL's escapes": f"s3://{K}%3A{S.replace('/', '%2f').replace('+', '%2B')}@x",
    "a folded string": f'secret_key: "{S[:15]}\\\n    {S[15:30]}\\\n    {S[30:]}"\n',
    "a folded line of a shell": f"export AWS_SECRET_ACCESS_KEY={S[:20]}\\\n{S[20:]}\n",
    "an SES password": f"ses_smtp_password_v4 = {SMTP}\n",
    "an SES password beside its id": f"SMTP_USER={K}\nSMTP_PASSWORD={SMTP}\n",
}


@pytest.mark.parametrize("kind", FILES)
def test_one_credential(kind: str) -> None:
    text = FILES[kind]
    for data in (text.encode(), text.replace("\n", "\r\n").encode(), text.encode("utf-16"), text.encode("utf-16-le")):
        read = read_literals("/x/file", data)
        assert contains_candidate(data)
        assert len(read.found) == 1
        assert 1 <= read.found[0].credential.line <= text.count("\n") + 1
        assert not any(part in repr(read) for part in (S[4:-4], SMTP[4:-4], K))


HARMLESS: dict[str, str] = {
    "an SMTP password of another service": f"smtp_password = {SMTP}\n",
    "a value that only looks so": f"{K}\nbody: {SMTP}\n",
    "another first byte": f"ses_smtp_password = {b64(chr(9) + 'x' * 5 + S[:27])}\n",
    "Google's": f"[Credentials]\ngs_access_key_id = GOOG1E\ngs_secret_access_key = {S}\n",
    "a documented key, encoded": f"data:\n  a: {b64('AKIAIOSFODNN7EXAMPLE')}\n"
    f"  secret_key: {b64('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')}\n",
    "an encoded hash": f"{K}\nsecret_key: {b64(random.Random(4).randbytes(20).hex())}\n",
    "a patch of hashes": f"@@ -1 +1 @@\n-{random.Random(5).randbytes(20).hex()}\n+{K}\n",
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_no_credential(kind: str) -> None:
    assert read_literals("/x/file", HARMLESS[kind].encode()).found == ()


def state_4(attributes: Mapping[str, object], kind: str = "aws_iam_access_key") -> str:
    resource = {
        "module": 'module.ci["a"]',
        "mode": "managed",
        "type": kind,
        "name": "k",
        "instances": [{"index_key": 0, "attributes": dict(attributes)}],
    }
    return json.dumps(
        {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "resources": [resource]}
    )


def state_3(attributes: Mapping[str, str]) -> str:
    resource = {"type": "aws_iam_access_key", "primary": {"id": attributes.get("id"), "attributes": attributes}}
    module = {"path": ["root", "ci"], "resources": {"aws_iam_access_key.k": resource}}
    return json.dumps({"version": 3, "terraform_version": "0.11.14", "serial": 1, "modules": [module]}, indent=4)


class TestState:
    @pytest.mark.parametrize("indent", [None, 2])
    def test_a_key_is_one_finding_at_its_address(self, indent: int | None) -> None:
        text = json.dumps(json.loads(state_4({"id": K, "secret": S, "ses_smtp_password_v4": SMTP})), indent=indent)
        read = read_literals("/x/pulled", text.encode())
        (place,) = read.found
        assert place.address == 'module.ci["a"].aws_iam_access_key.k[0]'
        assert (place.credential.kind, len(read.digests)) == ("access_key_pair", 2)

    def test_an_smtp_password_is_one_alone(self) -> None:
        (place,) = read_literals("/x", state_4({"id": K, "secret": None, "ses_smtp_password_v4": SMTP}).encode()).found
        assert place.credential.kind == "ses_smtp_password"

    def test_version_3(self) -> None:
        (place,) = read_literals("/x", state_3({"id": K, "secret": S, "status": "Active"}).encode()).found
        assert place.address == "module.ci.aws_iam_access_key.k"

    @pytest.mark.parametrize(
        "values", [{"id": K}, {"id": K, "secret": ""}, {"id": K, "encrypted_secret": "wcBMA" * 60}]
    )
    def test_a_key_without_its_secret_is_none(self, values: Mapping[str, object]) -> None:
        assert read_literals("/x", state_4(values).encode()).found == ()

    def test_the_secret_of_another_service_is_none(self) -> None:
        assert read_literals("/x", state_4({"secret_key": S}, "minio_iam_service_account").encode()).found == ()
        assert read_literals("/x", state_4({"secret_key": S}, "aws_thing").encode()).found

    def test_broken_or_deep_text_is_still_read(self) -> None:
        broken = state_4({"id": K, "secret": S})[:-3]
        assert [place.address for place in read_literals("/x", broken.encode()).found] == ["literal"]
        deep = state_4({"id": K, "secret": S})[:-1] + ', "x": ' + "[" * 100_000
        assert read_literals("/x", deep.encode()).found


def test_a_temporary_key_is_a_note_and_no_finding() -> None:
    read = [read_literals("/x", f"{key_id_of(n, 'ASIA')}\nsecret_key = {secret_of(n)}\n".encode()) for n in range(30)]
    assert all(not file.found and len(file.temporary) == 1 for file in read)
    (note,) = temporary_note((f"/x/{n}.env", file) for n, file in enumerate(read))
    assert note.startswith("30 temporary access keys") and "/x/0.env:1" in note and "20 more" in note
    assert temporary_note([("/x", read_literals("/x", f"secret_key = {S}\n".encode()))]) == ()


NAMES = """
    .s3cfg .boto .netrc .pgpass .npmrc .passwd-s3fs .env.prod .terraformrc credentials a.ipynb 0001-x.patch x.diff
    terraform.tfstate terraform.tfstate.backup terraform.tfstate.1700000000.backup errored.tfstate prod.tfbackend
    x.tfvars.example config.json.bak .vscode/launch.json .idea/workspace.xml db.url secrets.enc style.css aws.key
    tokens.lock schema.proto main.c notes.whatever .gitignore page.htm query.sql zip
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_a_folder_is_scanned_for_files_of_the_name(name: str, tmp_path: Path) -> None:
    """What is text may hold a credential, whatever its name says."""
    assert may_matter(Path(name).name)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"secret_key = {S}\n", "utf-8")
    assert discover([tmp_path], tmp_path).texts == [str(path)]


def test_a_large_text_of_any_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.whatever"
    for encoding in ("utf-8", "utf-16"):
        path.write_text("-- nothing\n" * 200_000 + f"secret_key = {S}\n", encoding)
        assert discover([tmp_path], tmp_path).texts == [str(path)], encoding


def test_what_is_no_text_is_not_looked_at(tmp_path: Path) -> None:
    secret = f"\nsecret_key = {S}\n".encode()
    (tmp_path / "photo.PNG").write_bytes(secret)
    (tmp_path / "small.whatever").write_bytes(b"\x7fELF\0" + b"\1" * 2000 + secret)
    (tmp_path / "sparse.whatever").write_bytes(b"\x7fELF" + bytes(5000) + secret)
    (tmp_path / "large.whatever").write_bytes(b"\x7fELF\0" + b"\1" * 2_000_000 + secret)
    found = discover([tmp_path], tmp_path)
    assert (found.texts, found.errors) == ([], [])
    assert len(read_file(str(tmp_path / "large.whatever"))) < 2000


def test_a_named_state_is_read_and_never_taken_for_a_plan(tmp_path: Path) -> None:
    for name, kind in (("terraform.tfstate", "state"), ("state.json", "plan")):
        path = tmp_path / name
        path.write_text(state_4({"id": K, "secret": S}), "utf-8")
        found = discover([path], tmp_path)
        # A state by another name is refused in place of a plan.
        assert (found.texts, found.units) == ([str(path)], [Unit(kind, str(path))])


HEAVY = {
    "pairs": "aws_access_key_id = {k}\naws_secret_access_key = {s}\n",
    "pairs on one line": "{k},{s},",
    "near misses on one line": "secret_key {s} AKIAABCDEFGHIJKLMNOP ",
    "blank lines": "secret\n\n\n{s}\n",
    "spaces": "secret" + " " * 500 + "{s}\n",
    "providers": 'provider "minio" {{\nsecret_key = "{s}"\n',
    "backslashes": "\\" * 400 + "secret{s}",
    "braces": "{{" * 300 + ' "value": "{s}" secret ',
    "prefixes": "AKIA" * 100,
    "encoded": "secret " + "A" * 57 + "\n ! \n",
}


@pytest.mark.parametrize("shape", HEAVY)
def test_time_grows_with_the_length_only(shape: str) -> None:
    piece = HEAVY[shape].format(k=K, s=S)

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        find_literals(text)
        return time.process_time() - start

    seconds(10_000)
    small = min(seconds(100_000) for _ in range(3))
    assert seconds(800_000) <= 8 * small * 3 + 0.05
