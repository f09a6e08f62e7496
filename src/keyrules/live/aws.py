"""The way to AWS: clients that all threads share, one rate for all of them, and every refusal as a sentence.

The only module with boto3. Making a client costs more than ten calls, so there is one for each service, and whoever
asks says with which session. No message of AWS or of botocore is passed on, because some of them quote the request with
its session token; their error codes are turned into sentences of our own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

import boto3
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session
from botocore import xform_name

from keyrules.live.aws_errors import FAILED, NOT_REACHED, AccountError, failure_sentence, refusal
from keyrules.model import InputError
from keyrules.records import dataclass

_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 60.0
_THROTTLE_WAITS: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
THROTTLE_CODES: Final = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
)
_DENIED_CODES: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_GONE_CODES: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_EXPIRED_CODES: Final = frozenset({"ExpiredToken", "ExpiredTokenException"})


@dataclass(frozen=True)
class Pacing:
    """Time, injected: `monotonic` in seconds, `sleep` in seconds, `jitter` gives a factor; `deadline` in seconds."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    deadline: float


class Rate:
    """A token bucket for the calls of all threads of a run. It halves when AWS throttles, and recovers."""

    _TOP: Final = 300.0
    _LOWEST: Final = 1.0
    _BURST: Final = 16

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing
        self._lock = threading.Lock()
        self._per_second = self._TOP
        self._next = float("-inf")
        self._halved = float("-inf")

    def take(self) -> None:
        """Waits for the turn of one call."""
        with self._lock:
            now = self._pacing.monotonic()
            turn = max(self._next, now - self._BURST / self._per_second)
            self._next = turn + 1 / self._per_second
            self._per_second = min(self._TOP, self._per_second * 1.01)
        if turn > now:
            self._pacing.sleep(turn - now)

    def slow_down(self) -> None:
        """After a call was throttled; those that were on their way with it count once."""
        with self._lock:
            now = self._pacing.monotonic()
            if now - self._halved >= 1:
                self._halved = now
                self._per_second = max(self._LOWEST, self._per_second / 2)


class Keys(NamedTuple):
    """What requests are signed with, in the form of botocore's own; never to be shown."""

    access_key: str
    secret_key: str
    token: str | None


class Session(Protocol):
    """Somebody who speaks to AWS."""

    def keys(self) -> Any:
        """What to sign with now. May raise InputError."""

    def renew(self) -> bool:
        """Forgets keys that have expired; False where there are no others."""


class Refused(AccountError):
    """AWS answered a call with an error; `code` is the one on the wire."""

    def __init__(self, call: str, code: str, message: str = "") -> None:
        meaning = refusal(call, code, message)
        super().__init__(str(meaning), meaning.state)
        self.code = code

    @property
    def denied(self) -> bool:
        """Whether a policy or the lack of one is the reason."""
        return self.code in _DENIED_CODES

    @property
    def gone(self) -> bool:
        """Whether what was asked about does not exist."""
        return self.code in _GONE_CODES


class Speaker(botocore.credentials.Credentials):  # type: ignore[misc]
    """What the clients sign with: the keys of the session for which a thread asks."""

    def __init__(self) -> None:
        super().__init__("", "")
        self._of_thread = threading.local()

    def speak_with(self, keys: Any) -> None:
        """Holds for the calls of this thread."""
        self._of_thread.keys = keys

    def get_frozen_credentials(self) -> Any:
        """As botocore asks for them when it signs."""
        return self._of_thread.keys


class Answer(dict[str, Any]):
    """What AWS answered. AccountError for a member that it lacks, as the answer of something else does."""

    def __init__(self, action: str, members: dict[str, Any]) -> None:
        super().__init__(members)
        self._action = action

    def __missing__(self, _: str) -> Any:
        raise _not_aws(self._action)


def _not_aws(action: str) -> AccountError:
    return AccountError(
        f"{action} was not answered by AWS: check the proxy, and what --endpoint-url names", NOT_REACHED
    )


class Aws:
    """Asks AWS, in any thread. `clients` gives the client of a service, which signs with `speaker`."""

    def __init__(self, clients: Callable[[str], Any], pacing: Pacing, speaker: Speaker | None = None) -> None:
        self._clients = clients
        self._speaker = speaker
        self._rate = Rate(pacing)
        self.pacing = pacing

    def ask(self, action: str, session: Session, **parameters: Any) -> Answer:
        """The answer to an action, written as in a policy: iam:ListAccessKeys.

        Raises InputError where AWS refuses it (Refused), is not reached, or is not who answers. What is throttled is
        asked again for half a minute, and what an expired session asked once with a new one.
        """
        waits = iter(_THROTTLE_WAITS)
        may_renew = True
        while True:
            try:
                return self._once(action, session, parameters)
            except Refused as error:
                if error.code in THROTTLE_CODES:
                    self._rate.slow_down()
                    wait = next(waits, None)
                    if wait is None:
                        raise
                    self.pacing.sleep(wait * self.pacing.jitter())
                elif error.code in _EXPIRED_CODES and may_renew and session.renew():
                    may_renew = False
                else:
                    raise

    def pages(self, action: str, member: str, session: Session, **parameters: Any) -> Iterator[Any]:
        """What stands under `member` in every page of an answer; a page may be empty with others after it."""
        for answer in self.answers(action, session, **parameters):
            yield from answer[member]

    def answers(self, action: str, session: Session, **parameters: Any) -> Iterator[Answer]:
        """Every page of an answer. botocore has no paginator for some calls that have pages."""
        more: dict[str, Any] = {}
        while True:
            answer = self.ask(action, session, **parameters, **more)
            yield answer
            before = more
            if answer.get("NextToken"):
                more = {"NextToken": answer["NextToken"]}
            elif answer.get("IsTruncated"):
                more = {"Marker": answer["Marker"]}
            else:
                return
            if more == before:
                raise AccountError(f"{action} gives the same page again and again: run again", FAILED)

    def lacks(self, action: str, asked: Sequence[str], answered: Sequence[str]) -> str:
        """The version of botocore where its model of an action lacks some of these parameters, or in the items of the
        answer some of these members; else the empty text."""
        service, operation = action.split(":")
        model = self._clients(service).meta.service_model.operation_model(operation)
        lists = [shape.member for shape in model.output_shape.members.values() if shape.type_name == "list"]
        known = {*model.input_shape.members, *(name for item in lists for name in item.members)}
        return "" if known >= {*asked, *answered} else f"botocore {botocore.__version__}"

    def _once(self, action: str, session: Session, parameters: dict[str, Any]) -> Answer:
        service, operation = action.split(":")
        keys = session.keys()
        self._rate.take()
        if self._speaker is not None:
            self._speaker.speak_with(keys)
        try:
            return Answer(action, getattr(self._clients(service), xform_name(operation))(**parameters))
        except botocore.exceptions.ClientError as error:
            said = error.response.get("Error", {})
            raise Refused(action, str(said.get("Code", "")), str(said.get("Message", ""))) from None
        except botocore.exceptions.BotoCoreError as error:
            wrong = isinstance(error, botocore.exceptions.ParamValidationError)
            raise AccountError(failure_sentence(action, error), FAILED if wrong else NOT_REACHED) from None
        except Exception:
            # botocore fails with errors of many types on what is not the answer of the service, such as the page of a
            # proxy that wants a password, and its messages quote that.
            raise _not_aws(action) from None


class ProfileSession:
    """The credentials of a profile, or of the standard chain, which renew themselves where they can."""

    def __init__(self, profile: str | None, credentials: Any) -> None:
        self._profile = profile
        self._credentials = credentials

    def keys(self) -> Any:
        """None where there are none, which botocore says in its own way. May raise InputError."""
        if self._credentials is None:
            return None
        try:
            return self._credentials.get_frozen_credentials()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise AccountError(failure_sentence("the AWS credentials", error), NOT_REACHED) from None

    def renew(self) -> bool:
        """They know themselves when to."""
        return False


def connect(
    profile: str | None, region: str | None, endpoint_url: str | None, pacing: Pacing, parallel: int
) -> tuple[Aws, Callable[[str | None], ProfileSession]]:
    """AWS for `parallel` threads, and what gives the session of a profile (None: the one in use).

    InputError when the configuration does not work.
    """
    speaker = Speaker()
    own = _core(profile)
    credentials = _load(own)
    own.register_component("credential_provider", _Provider(speaker))
    session = boto3.Session(botocore_session=own, region_name=region)
    lock = threading.Lock()

    @cache
    def client(service: str) -> Any:
        config = botocore.config.Config(
            connect_timeout=min(_CONNECT_SECONDS, pacing.deadline) or 1,
            read_timeout=min(_READ_SECONDS, pacing.deadline) or 1,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=parallel,
            user_agent_extra="keyrules",
        )
        try:
            # IAM is global in each partition; without a region botocore means the commercial one.
            where = session.region_name or "us-east-1"
            return session.client(service, config=config, endpoint_url=endpoint_url, region_name=where)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise InputError(failure_sentence("the AWS client cannot start", error)) from None

    def shared(service: str) -> Any:
        # Sessions of botocore are not to be used by two threads at once; clients are.
        with lock:
            return client(service)

    for service in ("iam", "sts"):
        shared(service)

    @cache
    def session_of(name: str | None) -> ProfileSession:
        return ProfileSession(name, credentials if name is None else _load(_core(name)))

    return Aws(shared, pacing, speaker), session_of


class _Provider:
    """Gives botocore the one who speaks, instead of looking for credentials."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    def load_credentials(self) -> Speaker:
        return self._speaker


def _core(profile: str | None) -> Any:
    return botocore.session.Session(profile=profile)


def _load(session: Any) -> Any:
    try:
        return session.get_component("credential_provider").load_credentials()
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise InputError(failure_sentence("the AWS client cannot start", error)) from None
