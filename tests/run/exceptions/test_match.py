"""Which names findings offer, how subjects match them, and what an exception does to a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from evaluations import RULES, code_finding, live_finding
from hypothesis import given
from hypothesis import strategies as st

from keyrules.model import Exemption, Finding, Location, Plane, Status, Subject
from keyrules.records import replace
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.match import ExceptionUse, Form, code_names, form_of, glob, live_names
from keyrules.run.exceptions.paths import Ground

DAY = date(2026, 6, 1)


def entry(
    subject: str, number: int = 1, rule: str = "KEY_AWS_001", expires: date = DAY, plane: Plane | None = None
) -> Entry:
    exemption = Exemption(rule, subject, f"reason {number}", "owner", expires, f"file:{number}")
    return Entry(exemption, subject, plane, number, number)


def at(address: str, path: str = "infra/main.tf") -> Finding:
    return code_finding(RULES[0], location=Location(path, 3, 5, address))


def matches(subject: str, finding: Finding) -> bool:
    use = ExceptionUse([entry(subject)], finding.plane)
    applied = use.applied(finding, DAY)
    assert (applied.status is Status.EXEMPT) is bool(use.matched)
    return applied.status is Status.EXEMPT


def test_the_names_of_a_code_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address = 'module.ci["eu.west[1]"].aws_iam_access_key.deploy[0]'
    bare = "module.ci.aws_iam_access_key.deploy"
    path = f"{tmp_path}/infra/ci.tf"
    assert code_names(Location("infra/ci.tf", 1, 2, address), Ground()) == {
        Form.ADDRESS: (address, bare),
        Form.PATH: ("infra/ci.tf", f"infra/ci.tf:{address}", f"infra/ci.tf:{bare}"),
        Form.ABSOLUTE: (path, f"{path}:{address}", f"{path}:{bare}"),
    }


def test_the_names_of_a_logical_id() -> None:
    names = code_names(Location("app.yaml", 1, 2, "Key"), Ground())
    assert names[Form.ADDRESS] == ("Key",)
    assert names[Form.PATH] == ("app.yaml", "app.yaml:Key")


def test_standard_input_is_in_no_folder(tmp_path: Path) -> None:
    names = code_names(Location("<stdin>", 1, 2, "Key"), Ground(str(tmp_path)))
    assert (names[Form.PATH], names[Form.ABSOLUTE]) == (("<stdin>", "<stdin>:Key"), ())


@pytest.mark.parametrize(
    ("home", "path", "subjects"),
    [
        (
            ".",
            "infra/main.tf",
            ["infra/main.tf", "infra/*", "*.tf", "infra/main.tf:key.a", "*:key.a", "{}/tree/infra/*"],
        ),
        ("..", "infra/main.tf", ["tree/infra/main.tf", "tree/*", "tree/infra/main.tf:key.a", "*/infra/main.tf"]),
        ("policy", "infra/main.tf", ["../infra/main.tf", "../*", "../infra/main.tf:key.a", "{}/tree/infra/main.tf"]),
        ("../link", "infra/main.tf", ["infra/main.tf"]),
        (
            ".",
            "{}/link/infra/main.tf",
            ["infra/main.tf", "../link/infra/main.tf", "{}/tree/infra/*", "{}/link/infra/*"],
        ),
        ("..", "/srv/main.tf", ["/srv/main.tf", "/srv/*:key.a"]),
    ],
)
def test_paths_are_relative_to_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str, path: str, subjects: list[str]
) -> None:
    """The working directory is `tree`, and `link` is a link to it."""
    (tmp_path / "tree" / "infra").mkdir(parents=True)
    (tmp_path / "link").symlink_to("tree")
    monkeypatch.chdir(tmp_path / "tree")
    finding = at("key.a", path.format(tmp_path))
    for subject in subjects:
        entries = [entry(subject.format(tmp_path))]
        assert ExceptionUse(entries, Plane.CODE, Ground(home)).matching(finding) == entries, subject
    for other in ("main.tf", "main.tf:key.a", "tree/tree/infra/main.tf", "/infra/*", "{}/other/*", "link/main.tf"):
        assert not ExceptionUse([entry(other.format(tmp_path))], Plane.CODE, Ground(home)).matching(finding), other


def test_a_path_of_the_working_directory_is_none_of_a_file_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    monkeypatch.chdir(tmp_path / "tree")
    assert not ExceptionUse([entry("main.tf")], Plane.CODE, Ground("..")).matching(at("key.a", "main.tf"))


def test_the_names_of_a_live_key() -> None:
    arn = "arn:aws:iam::111122223333:user/alice"
    subject = Subject("access_key", "access key 1 of alice", "111122223333", arn, "alice", 1)
    assert live_names(replace(subject, key_id="AKIAIOSFODNN7EXAMPLE")) == {
        Form.USER: ("alice", "alice/access_key_1"),
        Form.ACCOUNT: ("111122223333", "111122223333/alice", "111122223333/alice/access_key_1"),
        Form.ARN: (arn,),
    }


def test_the_names_of_a_password_and_of_the_root_user() -> None:
    password = Subject("console_password", "the console password of al", None, user="al")
    assert live_names(password) == {Form.USER: ("al", "al/console_password"), Form.ACCOUNT: (), Form.ARN: ()}
    arn = "arn:aws:iam::111122223333:root"
    assert live_names(Subject("root", "the root user", "111122223333", arn, "<root_account>")) == {
        Form.USER: ("<root_account>",),
        Form.ACCOUNT: ("111122223333", "111122223333/<root_account>"),
        Form.ARN: (arn,),
    }


@pytest.mark.parametrize(
    ("pattern", "plane", "form"),
    [
        ("aws_iam_access_key.*", Plane.CODE, Form.ADDRESS),
        ('module.x["a/b:c.tf"].aws_iam_access_key.*', Plane.CODE, Form.ADDRESS),
        ("App*", Plane.CODE, Form.ADDRESS),
        ("infra/*", Plane.CODE, Form.PATH),
        ("*.tf", Plane.CODE, Form.PATH),
        ("*.SH", Plane.CODE, Form.PATH),
        ("*:App*", Plane.CODE, Form.PATH),
        ("/srv/*", Plane.CODE, Form.ABSOLUTE),
        ("arn:*", Plane.LIVE, Form.ARN),
        ("a*", Plane.LIVE, Form.USER),
        ("*/access_key_1", Plane.LIVE, Form.USER),
        ("1*", Plane.LIVE, Form.USER),
        ("111122223333*", Plane.LIVE, Form.USER),
        ("111122223333/*", Plane.LIVE, Form.ACCOUNT),
    ],
)
def test_the_form_of_a_glob(pattern: str, plane: Plane, form: Form) -> None:
    assert form_of(pattern, plane) is form


@pytest.mark.parametrize(
    ("subject", "address", "expected"),
    [
        ("aws_iam_access_key.ci", "aws_iam_access_key.ci", True),
        ("aws_iam_access_key.ci", "aws_iam_access_key.cix", False),
        ("aws_iam_access_key.ci", "xaws_iam_access_key.ci", False),
        ("aws_iam_access_key.ci", "aws_iam_access_keyxci", False),
        ("AWS_iam_access_key.ci", "aws_iam_access_key.ci", False),
        ("aws_iam_access_key.ci", "aws_iam_access_key.ci[0]", True),
        ("aws_iam_access_key.ci", 'aws_iam_access_key.ci["a"]', True),
        ("aws_iam_access_key.ci[0]", "aws_iam_access_key.ci[0]", True),
        ("aws_iam_access_key.ci[0]", "aws_iam_access_key.ci[1]", False),
        ("aws_iam_access_key.ci[0]", "aws_iam_access_key.ci0", False),
        ("aws_iam_access_key.ci[?]", "aws_iam_access_key.ci[1]", True),
        ("aws_iam_access_key.ci[?]", "aws_iam_access_key.ci[12]", False),
        ("aws_iam_access_key.c[ij]*", "aws_iam_access_key.ci", False),
        ("aws_iam_access_key.[!a]*", "aws_iam_access_key.ci", False),
        ("module.*.ci", "module.a.module.b.aws_iam_access_key.ci", True),
        ("aws_iam_access_key.c*", "aws_iam_access_key.ci", True),
        ("aws_iam_access_key.c*", "xaws_iam_access_key.ci", False),
        ("*_key.c", "aws_iam_access_key.ci", False),
        ("aws.iam*", "aws_iam_access_key.ci", False),
        ("(aws_iam_access_key.ci)*", "aws_iam_access_key.ci", False),
        ("aws_iam_access_key.ci|x*", "aws_iam_access_key.ci", False),
        ("aws_iam_access_key.\\w*", "aws_iam_access_key.ci", False),
        ("aws_iam_access_key.ci$*", "aws_iam_access_key.ci", False),
        ("infra/main.tf", "aws_iam_access_key.ci", True),
        ("infra/*", "aws_iam_access_key.ci", True),
        ("infra*main.tf", "aws_iam_access_key.ci", True),
        ("infra*", "aws_iam_access_key.ci", False),
        ("App*", "AppKey", True),
        ("in*", "AppKey", False),
        ("*:aws_iam_access_key.ci", "aws_iam_access_key.ci[0]", True),
        ("*/aws_iam_access_key.ci", "aws_iam_access_key.ci", False),
        ("main.tf", "aws_iam_access_key.ci", False),
        ("infra/main.tf:aws_iam_access_key.ci", "aws_iam_access_key.ci[0]", True),
        ("infra/main.tf:aws_iam_access_key.ci[0]", "aws_iam_access_key.ci[0]", True),
        ("infra/main.tf:aws_iam_access_key.ci", "aws_iam_access_key.cj", False),
    ],
)
def test_subjects_in_code(subject: str, address: str, expected: bool) -> None:
    assert matches(subject, at(address)) is expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("alice", True),
        ("alic?", True),
        ("alice/*", True),
        ("alice/access_key_1", True),
        ("alice/access_key_2", False),
        ("bob", False),
        ("lice", False),
        ("111122223333", True),
        ("111122223333/alice", True),
        ("111122223334/alice", False),
        ("111122223333/*", True),
        ("arn:aws:iam::111122223333:user/alice", True),
        ("arn:*:user/alice", True),
        ("arn:*:user/bob", False),
        ("a*", True),
        ("ar*", False),
        ("1*", False),
        ("*/access_key_1", True),
        ("1111*/alice", False),
    ],
)
def test_subjects_in_accounts(subject: str, expected: bool) -> None:
    assert matches(subject, live_finding()) is expected


def test_a_key_id_is_no_name() -> None:
    finding = live_finding()
    assert finding.subject is not None
    found = replace(finding, subject=replace(finding.subject, key_id="AKIAIOSFODNN7EXAMPLE"))
    names = live_names(found.subject or Subject("", ""))
    assert not any("AKIA" in name for group in names.values() for name in group)


LETTERS = st.text(alphabet="ab.[]*?!^/\\|(){}+$-1", min_size=1, max_size=8)


@given(pattern=LETTERS, name=st.text(alphabet="ab.[]!^/\\|(){}+$-1\n", max_size=10))
def test_globs_mean_what_the_slow_matcher_says(pattern: str, name: str) -> None:
    assert (re.match(glob(pattern), name) is not None) is slowly(pattern, name)


@given(pattern=LETTERS, name=st.text(alphabet="ab.[]1", min_size=1, max_size=8))
def test_a_subject_matches_what_one_of_its_names_matches(pattern: str, name: str) -> None:
    finding = at(name, "p/q.tf")
    names = code_names(Location("p/q.tf", 3, 5, name), Ground())
    form = form_of(pattern, Plane.CODE)
    wild = "*" in pattern or "?" in pattern
    offered = [each for own, group in names.items() if own is form or not wild for each in group]
    found = ExceptionUse([entry(pattern)], Plane.CODE).matching(finding)
    assert bool(found) is any(slowly(pattern, each) for each in offered)


@given(patterns=st.lists(LETTERS, min_size=1, max_size=5, unique=True), name=st.text(alphabet="ab.[1", max_size=6))
def test_many_entries_together_find_what_each_finds_alone(patterns: list[str], name: str) -> None:
    entries = [entry(pattern, number) for number, pattern in enumerate(patterns)]
    finding = at(name, "p")
    together = {found.number for found in ExceptionUse(entries, Plane.CODE).matching(finding)}
    alone = {each.number for each in entries if ExceptionUse([each], Plane.CODE).matching(finding)}
    assert together == alone


@cache
def slowly(pattern: str, name: str) -> bool:
    """Character by character: * is any text, ? is one character, everything else is itself."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return slowly(pattern[1:], name) or (bool(name) and slowly(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and slowly(pattern[1:], name[1:])


def test_many_wildcards_do_not_make_matching_slow() -> None:
    """A backtracking matcher would not end on this."""
    use = ExceptionUse([entry("*a" * 30 + "b")], Plane.CODE)
    assert use.matching(at("a" * 5000)) == []


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_what_fails_or_is_unknown_becomes_exempt(status: Status) -> None:
    covering = entry("aws_iam_access_key.ci")
    found = ExceptionUse([covering], Plane.CODE).applied(code_finding(status=status), DAY)
    assert (found.status, found.exemption, found.exception) == (Status.EXEMPT, "reason 1", covering.exemption)
    assert found.fingerprint == code_finding().fingerprint


def test_what_passes_stays_and_uses_no_exception() -> None:
    use = ExceptionUse([entry("aws_iam_access_key.ci")], Plane.CODE)
    passing = code_finding(status=Status.PASS)
    assert use.applied(passing, DAY) is passing
    assert not use.matched


def test_a_skip_comment_keeps_its_reason() -> None:
    use = ExceptionUse([entry("aws_iam_access_key.ci", expires=date(2026, 5, 1))], Plane.CODE)
    skipped = code_finding(status=Status.EXEMPT)
    assert use.applied(skipped, DAY) is skipped
    assert use.matched == {1}
    assert not use.lapsed


def test_another_rule_and_another_plane_are_not_covered() -> None:
    assert (
        ExceptionUse([entry("main.tf", rule="KEY_AWS_008")], Plane.CODE).applied(code_finding(), DAY).exception is None
    )
    assert ExceptionUse([entry("main.tf", plane=Plane.LIVE)], Plane.CODE).applied(code_finding(), DAY).exception is None
    assert ExceptionUse([entry("alice", plane=Plane.CODE)], Plane.LIVE).applied(live_finding(), DAY).exception is None
    assert ExceptionUse([entry("alice", plane=Plane.LIVE)], Plane.LIVE).applied(live_finding(), DAY).exception


def held_by(entries: Sequence[Entry]) -> tuple[str | None, ExceptionUse]:
    use = ExceptionUse(entries, Plane.CODE)
    return use.applied(code_finding(), DAY).exemption, use


def test_an_expired_entry_lets_the_finding_stay() -> None:
    reason, use = held_by([entry("aws_iam_access_key.ci", expires=date(2026, 5, 31))])
    assert reason is None
    assert use.lapsed == {1: 1}


def test_the_last_day_is_covered() -> None:
    assert held_by([entry("aws_iam_access_key.ci", expires=DAY)])[0] == "reason 1"


def test_where_another_entry_holds_nothing_lapses() -> None:
    expired = entry("aws_iam_access_key.ci", 1, expires=date(2026, 5, 31))
    reason, use = held_by([expired, entry("*.tf", 2)])
    assert reason == "reason 2"
    assert not use.lapsed
    assert use.matched == {1, 2}


def test_a_name_goes_before_a_glob_and_a_glob_before_a_later_one() -> None:
    assert held_by([entry("*.tf", 1), entry("aws_iam_access_key.ci", 2)])[0] == "reason 2"
    assert held_by([entry("*.tf", 1), entry("m*.tf", 2)])[0] == "reason 1"


def test_counting_without_findings_uses_entries_as_findings_do() -> None:
    finding = live_finding()
    assert finding.subject is not None
    for expires, covered in ((DAY, True), (date(2026, 5, 31), False)):
        counted, applied = (ExceptionUse([entry("al*", expires=expires)], Plane.LIVE) for _ in range(2))
        assert (counted.covering("KEY_AWS_001", finding.subject, DAY) is not None) is covered
        assert (applied.applied(finding, DAY).status is Status.EXEMPT) is covered
        assert (counted.matched, counted.lapsed) == (applied.matched, applied.lapsed)
    assert ExceptionUse([], Plane.LIVE).covering("KEY_AWS_001", finding.subject, DAY) is None
