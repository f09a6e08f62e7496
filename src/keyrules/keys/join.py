"""Which declaration a live key belongs to, how sure that is, and where code, state and account drift apart.

| certainty | evidence | what agrees |
| --- | --- | --- |
| certain | key_id | the key's id |
| certain | account_user_created | account, user and second of creation |
| probable | user_created | user and second of creation; the account of the declaration is not known |
| probable | same_second | as both above, and the user has two keys of that second |
| possible | user_name | the name of the user, who has one key |
| possible | stack_name | the stack and the logical id that the name of the user, who has one key, is made of |
| possible | younger_key | the user, whose key is younger than the one in the state |

A declaration that could mean the users of two accounts is joined to neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

from keyrules.code.file_paths import shown
from keyrules.code.state.reading import State
from keyrules.keys.declarations import CodeUnit
from keyrules.keys.live import STACK_TAG, LiveKey
from keyrules.keys.places import Declaration, declarations
from keyrules.model import DeclaredAt
from keyrules.records import dataclass, field, replace


class Certainty(Enum):
    """How sure a join is."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Join:
    """A declaration of a live key, how sure that is, and the word for what it rests on."""

    declaration: Declaration
    certainty: Certainty
    evidence: str

    @property
    def at(self) -> DeclaredAt:
        """The same, as reports have it."""
        found = self.declaration
        path = None if found.path is None else shown(found.path)
        return DeclaredAt(path, found.line, found.address, found.state, self.certainty.value, self.evidence)


@dataclass(frozen=True)
class JoinedKey:
    """A live key, what declares it, and the reasons why they differ."""

    live: LiveKey
    declared: tuple[Join, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def rotation(self) -> Declaration | None:
        """The declaration whose rotation is that of this very key: one that the code was found for."""
        own = (join.declaration for join in self.declared if join.evidence != YOUNGER)
        return next((declaration for declaration in own if declaration.rotation), None)


@dataclass(frozen=True)
class Unjoined:
    """A declaration without a live key: the drift that is, if any, and the word for why it has none."""

    declaration: Declaration
    why: str
    drift: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joined:
    """What joining comes to."""

    keys: tuple[JoinedKey, ...]
    unjoined: tuple[Unjoined, ...]


@dataclass(frozen=True)
class JoinRequest:
    """What is joined. `accounts` are those of the reports, with the moment of each. `account` is that of declarations
    that name none. `complete` says that all states of these accounts are here."""

    live: Sequence[LiveKey]
    accounts: Mapping[str, datetime]
    states: Sequence[State] = ()
    units: Sequence[CodeUnit] = ()
    account: str | None = None
    complete: bool = False
    tolerance: timedelta = timedelta(days=7)


YOUNGER = "younger_key"
"""The evidence for a key that somebody made outside of the code in place of the one that a state holds."""

_DOUBTS = frozenset({"in_several_accounts", "same_second", "key_without_date", "several_keys"})
"""Why a declaration was not joined although it may be of one of the keys that are there."""


def join(request: JoinRequest) -> Joined:
    """Joins every declaration with at most one live key."""
    return _Joining(request).result()


@dataclass
class _Joining:
    request: JoinRequest
    joins: dict[int, list[Join]] = field(default_factory=lambda: defaultdict(list))
    unjoined: list[Unjoined] = field(default_factory=list)
    two_keys: set[tuple[str, str]] = field(default_factory=set)
    in_doubt: set[str] = field(default_factory=set)
    users: dict[str, dict[str, list[LiveKey]]] = field(default_factory=lambda: defaultdict(dict))
    """The keys by the name of their user and by account."""

    def result(self) -> Joined:
        request = self.request
        for key in request.live:
            self.users[folded(key.user)].setdefault(key.account, []).append(key)
        found = declarations(request.states, request.units, request.account)
        left = self._by_id(found)
        left = self._by_moment(left)
        left = self._younger([each for each in left if each.from_state]) + [d for d in left if not d.from_state]
        self._by_name(left)
        self.unjoined.sort(key=lambda each: each.declaration.order)
        return Joined(tuple(self._row(key) for key in request.live), tuple(self.unjoined))

    def _by_id(self, found: Iterable[Declaration]) -> list[Declaration]:
        by_id = {key.key_id: key for key in self.request.live if key.key_id is not None}
        left = []
        for declaration in found:
            key = by_id.get(declaration.key_id) if declaration.key_id is not None else None
            if key is None:
                left.append(declaration)
            else:
                self._add(key, declaration, Certainty.CERTAIN, "key_id")
        return left

    def _by_moment(self, found: Iterable[Declaration]) -> list[Declaration]:
        """Joins by user and second of creation, and by account where that is known."""
        groups: dict[tuple[str | None, str, datetime | None], list[Declaration]] = defaultdict(list)
        left = []
        for declaration in found:
            if declaration.created is None:
                left.append(declaration)
            else:
                groups[declaration.account, folded(declaration.user), declaration.created].append(declaration)
        for (account, user, created), claiming in groups.items():
            keys = [
                key
                for keys_of in self.users.get(user, {}).values()
                for key in keys_of
                if key.created is not None
                and key.created.replace(microsecond=0) == created
                and account in (None, key.account)
                and id(key) not in self.joins
            ]
            same = [each for each in claiming if any(_may_be(key, each) for key in keys)]
            left += [each for each in claiming if each not in same]
            if len({key.account for key in keys}) > 1:
                self._leave(same, "in_several_accounts")
            elif len(keys) == 1 and (len(same) == 1 or _are_one(same)):
                sure = account is not None
                certainty = Certainty.CERTAIN if sure else Certainty.PROBABLE
                for declaration in same:
                    self._add(keys[0], declaration, certainty, "account_user_created" if sure else "user_created")
            elif len(keys) == len(same):
                for declaration, key in zip(same, keys, strict=True):
                    self._add(key, declaration, Certainty.PROBABLE, "same_second")
            else:
                self._leave(same, "same_second")
                self.two_keys |= {(key.account, folded(key.user)) for key in keys if len(same) == 1}
        return left

    def _younger(self, found: Iterable[Declaration]) -> list[Declaration]:
        """What became of keys that a state holds and no report shows. Gives those without a date back."""
        left = []
        for declaration in found:
            accounts = self._accounts(declaration)
            if declaration.created is None:
                left.append(declaration)
            elif len(accounts) != 1:
                self._leave([declaration], "in_several_accounts" if accounts else "account_not_known")
            elif next(iter(accounts)) not in self.request.accounts:
                self._leave([declaration], "account_not_reported")
            elif declaration.created > self.request.accounts[next(iter(accounts))]:
                self._leave([declaration], "younger_than_report")
            else:
                free = [
                    key for key in self._keys_of(next(iter(accounts)), declaration.user) if id(key) not in self.joins
                ]
                younger = [key for key in free if key.created is not None and key.created > declaration.created]
                if any(key.created is None for key in free):
                    self._leave([declaration], "key_without_date")
                elif younger and not declaration.deposed:
                    for key in younger:
                        self._add(key, declaration, Certainty.POSSIBLE, YOUNGER)
                else:
                    self.unjoined.append(Unjoined(declaration, "no_such_key", ("declared_but_gone",)))
        return left

    def _accounts(self, declaration: Declaration) -> set[str]:
        """The accounts that a declaration can be about: its own, else those that have its user."""
        if declaration.account is not None:
            return {declaration.account}
        return set(self.users.get(folded(declaration.user), ()))

    def _keys_of(self, account: str, user: str | None) -> list[LiveKey]:
        return self.users.get(folded(user), {}).get(account, [])

    def _by_name(self, found: Iterable[Declaration]) -> None:
        """Joins what has a name and no date: code, and states of old."""
        by_user: dict[tuple[str, str], list[Declaration]] = defaultdict(list)
        for declaration in map(self._with_stack_user, found):
            accounts = set() if "" in declaration.held_in else self._accounts(declaration) - declaration.held_in
            if declaration.user is None:
                self._leave([declaration], "user_not_known")
            elif len(accounts) != 1:
                why = "in_several_accounts" if accounts else "not_in_state" if declaration.held_in else "no_such_user"
                self._leave([declaration], why)
            else:
                by_user[next(iter(accounts)), folded(declaration.user)].append(declaration)
        for (account, user), same in by_user.items():
            keys = self._keys_of(account, user)
            free = [key for key in keys if id(key) not in self.joins and all(_may_be(key, each) for each in same)]
            if len(keys) == 1 and free and len(same) == 1:
                evidence = "user_name" if same[0].stack_user is None else "stack_name"
                self._add(free[0], same[0], Certainty.POSSIBLE, evidence)
            elif not keys:
                self._leave(same, "no_such_user" if account in self.request.accounts else "account_not_reported")
            else:
                self._leave(same, "several_keys" if len(keys) > 1 else "several_declarations")
                if len(keys) > 1 and len(same) == 1 and len(free) == len(keys):
                    self.two_keys.add((account, user))

    def _with_stack_user(self, declaration: Declaration) -> Declaration:
        """The declaration with the name that a stack has made for its user: STACK-LOGICALID-RANDOM."""
        made = {
            (key.account, key.user)
            for key in self.request.live
            if declaration.stack_user is not None
            and key.tags.get(STACK_TAG)
            and key.user.startswith(f"{key.tags[STACK_TAG]}-{declaration.stack_user}-")
        }
        if len(made) != 1:
            return declaration
        account, user = made.pop()
        return replace(declaration, account=account, user=user)

    def _add(self, key: LiveKey, declaration: Declaration, certainty: Certainty, evidence: str) -> None:
        self.joins[id(key)].append(Join(declaration, certainty, evidence))

    def _leave(self, found: Iterable[Declaration], why: str) -> None:
        for declaration in found:
            self.unjoined.append(Unjoined(declaration, why))
            if why in _DOUBTS and declaration.user is not None and (declaration.from_state or declaration.template):
                self.in_doubt.add(folded(declaration.user))

    def _row(self, key: LiveKey) -> JoinedKey:
        joins = tuple(self.joins.get(id(key), ()))
        return replace(JoinedKey(key, joins), drift=tuple(self._drift(key, joins)))

    def _drift(self, key: LiveKey, joins: Sequence[Join]) -> Iterable[str]:
        own = [each.declaration for each in joins if each.evidence != YOUNGER]
        if any(overdue(key, each, self.request.tolerance) for each in own):
            yield "declared_and_stale"
        held = any(each.from_state or each.template for each in own)
        if self.request.complete and not (held or key.root or folded(key.user) in self.in_doubt):
            yield "not_declared"
        if self._one_of_two(key):
            yield "two_keys_one_declared"
        if key.active and any(each.active is False and not each.deposed for each in own):
            yield "inactive_in_code_active_live"
        if not key.active and any(each.active is True and not each.deposed for each in own):
            yield "active_in_code_inactive_live"
        if len(own) < len(joins):
            yield "moved_outside"

    def _one_of_two(self, key: LiveKey) -> bool:
        both = self._keys_of(key.account, key.user)
        joined = [any(each.evidence != YOUNGER for each in self.joins.get(id(each_key), ())) for each_key in both]
        return len(both) == 2 and (sum(joined) == 1 or (key.account, folded(key.user)) in self.two_keys)


def folded(user: str | None) -> str:
    """A user's name as IAM compares names, which differ in more than the case of their letters."""
    return (user or "").casefold()


def _may_be(key: LiveKey, declaration: Declaration) -> bool:
    """Whether ids leave open that a declaration is of a key."""
    return None in (key.key_id, declaration.key_id) or key.key_id == declaration.key_id


def _are_one(found: Sequence[Declaration]) -> bool:
    """Whether declarations in several states are of one key."""
    return len({each.key_id for each in found}) == 1 and found[0].key_id is not None


def overdue(key: LiveKey, declaration: Declaration, tolerance: timedelta) -> bool:
    """Whether the rotation that a declaration promises has not happened to a key that is in force."""
    age, days = key.age(), declaration.rotation_days
    if not key.active or age is None or days is None:
        return False
    return age > timedelta(days=days) + tolerance
