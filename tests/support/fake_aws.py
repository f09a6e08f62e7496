"""IAM, STS and Organizations as one small server on this machine, with everything that AWS can answer instead.

`FakeAws` is what the server knows; tests change it while it runs. `serving` starts it in a thread, and
`python fake_aws.py ACCOUNTS USERS LATENCY` in a process of its own, printing its address.
"""

from __future__ import annotations

import base64
import http.server
import json
import re
import socketserver
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import fake_documents

CALLER = "999999999999"
"""The account of the credentials that no session stands for."""

DENIALS = {
    "SCP": "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
    "RCP": "with an explicit deny in a resource control policy",
    "permissions boundary": "because no permissions boundary allows the iam:X action",
    "session policy": "because no session policy allows the iam:X action",
    "identity policy": "with an explicit deny in an identity-based policy",
    "resource policy": "with an explicit deny in a resource-based policy",
    "trust policy": "because no role trust policy allows the sts:AssumeRole action",
    "VPC endpoint policy": "because no VPC endpoint policy allows the iam:X action",
    "": "because no identity-based policy allows the iam:X action",
    "nothing": "",
}
_STATUS = {
    "LimitExceeded": 409,
    "ReportNotPresent": 410,
    "ReportExpired": 410,
    "ReportInProgress": 404,
    "NoSuchEntity": 404,
    "ServiceFailure": 500,
    "Throttling": 400,
    "ExpiredToken": 403,
    "AccessDenied": 403,
}


@dataclass
class FakeKey:
    """An access key: `used` is None where it never was."""

    key_id: str
    created: datetime
    used: datetime | None = None
    active: bool = True


@dataclass
class FakeAccount:
    """An account. `report` is its CSV and `made` when AWS made it, None where AWS has none.

    `generation` is how often a new report is in progress before it is there; `new` is that report, `report` where None.
    `documents` are answers by action, as the AWS CLI prints them, where they are not those that all rules pass.
    `errors` gives, by action, the codes of the next answers; `denied` the kind of policy that denies an action always.
    """

    number: str
    name: str = ""
    state: str = "ACTIVE"
    unit: str = "r-root"
    report: bytes = b""
    made: datetime | None = None
    new: bytes | None = None
    generation: int = 0
    role: str | None = "audit"
    external_id: str | None = None
    answers_as: str | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[FakeKey]] = field(default_factory=dict)
    gone_keys: set[str] = field(default_factory=set)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


class FakeAws:
    """All accounts and the calls that were made, as (account, action); `latency` is in seconds.

    `session_calls` is after how many calls a session expires. Pages of lists have `page` items, and each is followed by
    an empty one that has others after it. `now` is the time of new reports.
    """

    def __init__(self, now: datetime, latency: float = 0.0, partition: str = "aws") -> None:
        self.now = now
        self.latency = latency
        self.partition = partition
        self.accounts: dict[str, FakeAccount] = {CALLER: FakeAccount(CALLER, "caller", role=None)}
        self.units: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.assumed: list[dict[str, str]] = []
        self.session_calls: int | None = None
        self.page = 20
        self._sessions: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def add(self, number: str, report: bytes = b"", **settings: Any) -> FakeAccount:
        """A new account of the organization."""
        self.accounts[number] = FakeAccount(number, report=report, **settings)
        return self.accounts[number]

    def count(self, action: str) -> int:
        """How often an action was asked for."""
        return sum(asked == action for _, asked in self.calls)

    def answer(self, headers: Any, body: bytes) -> tuple[int, str, bytes]:
        """The status, the content type and the body of the answer to a request."""
        time.sleep(self.latency)
        signed = headers.get("Authorization", "")
        key_id = match[1] if (match := re.search(r"Credential=([^/]+)/", signed)) else ""
        target = headers.get("X-Amz-Target", "")
        with self._lock:
            account, left = self._sessions.get(key_id, (CALLER, 0))
            if target:
                action = target.split(".")[1]
                parameters = json.loads(body)
            else:
                parameters = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                action = parameters["Action"]
            self.calls.append((account, action))
            code, message = self._refusal(account, action, key_id, left, parameters)
            if code:
                return self._error(code, message, bool(target))
            try:
                answer = self._answer(self.accounts[account], action, parameters)
            except _No as no:
                return self._error(str(no), "", bool(target))
        if target:
            return 200, "application/x-amz-json-1.1", json.dumps(answer).encode()
        return 200, "text/xml", f"<R><{action}Result>{answer}</{action}Result></R>".encode()

    def _answer(self, account: FakeAccount, action: str, asked: dict[str, Any]) -> Any:
        document = account.documents.get(action, fake_documents.PASSING.get(action))
        if action == "GetAccountAuthorizationDetails" and document is None:
            document = fake_documents.details(account.report)
        if document is not None:
            return fake_documents.answer(document, asked, self.page)
        return getattr(self, f"_{_snake(action)}")(account, asked)

    def _refusal(self, account: str, action: str, key_id: str, left: int, asked: dict[str, str]) -> tuple[str, str]:
        if key_id in self._sessions:
            if left == 0:
                return "ExpiredToken", "The security token included in the request is expired"
            self._sessions[key_id] = (account, left - 1)
        here = self.accounts[account]
        if action == "AssumeRole":
            here = self.accounts.get(asked["RoleArn"].split(":")[4], here)
        if here.errors.get(action):
            code = here.errors[action].pop(0)
            if code:
                return code, ""
        if action in here.denied:
            why = DENIALS[here.denied[action]]
            who = f"arn:aws:sts::{account}:assumed-role/audit/keyrules"
            return "AccessDenied", f"User: {who} is not authorized to perform: {action} on resource: * {why}"
        return "", ""

    def _error(self, code: str, message: str, as_json: bool) -> tuple[int, str, bytes]:
        status = _STATUS.get(code, 400)
        if as_json:
            name = f"{code}Exception" if code == "AccessDenied" else code
            return status, "application/x-amz-json-1.1", json.dumps({"__type": name, "Message": message}).encode()
        text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
        return status, "text/xml", text.encode()

    def _get_caller_identity(self, account: FakeAccount, _: dict[str, str]) -> str:
        number = account.answers_as or account.number
        arn = f"arn:{self.partition}:sts::{number}:assumed-role/audit/keyrules"
        return f"<Account>{number}</Account><Arn>{arn}</Arn><UserId>A</UserId>"

    def _assume_role(self, account: FakeAccount, asked: dict[str, str]) -> str:
        partition, _, _, number, role = asked["RoleArn"].split(":")[1:]
        other = self.accounts.get(number)
        known = other is not None and other.role is not None and role == f"role/{other.role}"
        if not known or partition != self.partition or (other and other.external_id) != asked.get("ExternalId"):
            raise _No("AccessDenied")
        self.assumed.append(asked)
        key_id = f"ASIA{len(self.assumed):016}"
        self._sessions[key_id] = (number, -1 if self.session_calls is None else self.session_calls)
        return (
            f"<Credentials><AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        )

    def _get_credential_report(self, account: FakeAccount, _: dict[str, str]) -> str:
        if account.made is None:
            raise _No("ReportNotPresent")
        if account.generation < 0:
            account.generation += 1
            if account.generation:
                raise _No("ReportInProgress")
            self._finish(account)
        content = base64.b64encode(account.report).decode()
        made = account.made.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>{made}</GeneratedTime>"

    def _generate_credential_report(self, account: FakeAccount, _: dict[str, str]) -> str:
        if account.generation > 0:
            account.made = account.made or self.now
            account.generation = -account.generation
            return "<State>STARTED</State>"
        if account.generation == 0:
            self._finish(account)
        return "<State>COMPLETE</State>"

    def _finish(self, account: FakeAccount) -> None:
        account.report = account.report if account.new is None else account.new
        account.made = self.now

    def _list_access_keys(self, account: FakeAccount, asked: dict[str, str]) -> str:
        user = asked["UserName"]
        if user not in account.keys:
            raise _No("NoSuchEntity")
        start = int(asked.get("Marker", "0"))
        end = start + self.page
        members = "".join(
            f"<member><UserName>{escape(user)}</UserName><AccessKeyId>{key.key_id}</AccessKeyId>"
            f"<Status>{'Active' if key.active else 'Inactive'}</Status>"
            f"<CreateDate>{key.created.strftime('%Y-%m-%dT%H:%M:%SZ')}</CreateDate></member>"
            for key in account.keys[user][start:end]
        )
        more = f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>" if end < len(account.keys[user]) else ""
        return f"<AccessKeyMetadata>{members}</AccessKeyMetadata>{more or '<IsTruncated>false</IsTruncated>'}"

    def _get_access_key_last_used(self, account: FakeAccount, asked: dict[str, str]) -> str:
        key_id = asked["AccessKeyId"]
        key = next((key for keys in account.keys.values() for key in keys if key.key_id == key_id), None)
        if key is None or key_id in account.gone_keys:
            raise _No("NoSuchEntity")
        used = f"<LastUsedDate>{key.used.strftime('%Y-%m-%dT%H:%M:%SZ')}</LastUsedDate>" if key.used else ""
        return f"<AccessKeyLastUsed>{used}<ServiceName>s3</ServiceName><Region>x</Region></AccessKeyLastUsed>"

    def _list_user_tags(self, account: FakeAccount, asked: dict[str, str]) -> str:
        tags = account.tags.get(asked["UserName"], {})
        members = "".join(
            f"<member><Key>{escape(key)}</Key><Value>{escape(tag)}</Value></member>" for key, tag in tags.items()
        )
        return f"<Tags>{members}</Tags><IsTruncated>false</IsTruncated>"

    def _list_accounts(self, _: FakeAccount, asked: dict[str, Any]) -> dict[str, Any]:
        return self._paged("Accounts", [self._described(each) for each in self.accounts.values()], asked)

    def _list_accounts_for_parent(self, _: FakeAccount, asked: dict[str, Any]) -> dict[str, Any]:
        parent = asked["ParentId"]
        if parent not in {"r-root", *self.units}:
            raise _No("ParentNotFoundException")
        here = [self._described(each) for each in self.accounts.values() if each.unit == parent]
        return self._paged("Accounts", here, asked)

    def _list_organizational_units_for_parent(self, _: FakeAccount, asked: dict[str, Any]) -> dict[str, Any]:
        below = [{"Id": unit} for unit, parent in self.units.items() if parent == asked["ParentId"]]
        return self._paged("OrganizationalUnits", below, asked)

    def _described(self, account: FakeAccount) -> dict[str, str]:
        status = {"CLOSED": "SUSPENDED", "PENDING_ACTIVATION": None}.get(account.state, account.state)
        described = {"Id": account.number, "Name": account.name, "State": account.state}
        return {**described, "Status": status} if status else described

    def _paged(self, member: str, items: list[dict[str, str]], asked: dict[str, Any]) -> dict[str, Any]:
        start, empty = (int(part) for part in asked.get("NextToken", "0.0").split("."))
        if empty:
            return {member: [], "NextToken": f"{start}.0"}
        assert asked["MaxResults"] <= 20
        end = start + self.page
        more = {"NextToken": f"{end}.1"} if end < len(items) else {}
        return {member: items[start:end], **more}


class _No(Exception):
    """The code of a refusal."""


def _snake(action: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    fake: FakeAws


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        status, kind, body = self.server.fake.answer(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(fake: FakeAws) -> Iterator[str]:
    """The address under which a fake answers."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.fake = fake
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def main() -> None:
    """Serves accounts with users that each have an old key, until standard input ends."""
    accounts, users, latency = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    from credential_reports import ROOT, key, line, report

    now = datetime.now(timezone.utc).replace(microsecond=0)
    fake = FakeAws(now, latency)
    for number in range(accounts):
        account = f"{number:012}"
        arn = f"arn:aws:iam::{account}:"
        rows = [line(f"user{n}", **{**key(1, 500, 400), "arn": f"{arn}user/user{n}"}) for n in range(users)]
        held = fake.add(account, report(line(ROOT, arn=f"{arn}root"), *rows), name=f"account-{number}", generation=1)
        created = datetime(2025, 1, 17, tzinfo=timezone.utc)
        for n in range(users):
            held.keys[f"user{n}"] = [FakeKey(f"AKIA{number:06}{n:010}", created, created + timedelta(days=100))]
            held.tags[f"user{n}"] = {"owner": f"team-{n}"}
    del fake.accounts[CALLER]
    fake.accounts[CALLER] = FakeAccount(CALLER, "caller", state="SUSPENDED", role=None)
    with serving(fake) as address:
        print(address, flush=True)
        for asked in sys.stdin:
            calls = Counter(account for account, _ in fake.calls)
            if asked.strip() == "calls":
                print(json.dumps(calls), flush=True)


if __name__ == "__main__":
    main()
