"""Names that try to be more than names, for the tests of every report format, and evaluations that are full of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from evaluations import EXCEPTION, RULES, code_finding, live_finding, make_evaluation
from hypothesis import strategies

from keyrules.model import (
    BaselineReport,
    Evaluation,
    EvaluationError,
    Input,
    KnownFinding,
    Location,
    Plane,
    ResolvedFinding,
    Status,
    Subject,
    TraceStep,
)
from keyrules.records import replace

SEEN = datetime(2025, 12, 1, tzinfo=timezone.utc)
NAMES = (
    "\n::set-output name=a::b",
    "\r\n::stop-commands::token",
    "::error::x",
    "##[error]x",
    "%0A::error::x",
    "a,line=1::x",
    "| a | b |",
    "a\\|b\\",
    "`x` ``y`",
    "`",
    "`" * 39,
    "`" * 90 + "<script>" + "`" * 90,
    "<script>alert(1)</script><!-- <details>",
    "&lt;b&gt; &#64;me",
    "]]></failure><testcase/>",
    "@org/team me@example.com",
    "www.example.com https://example.com http://[::1]/",
    "[x](https://example.com) ![y](z) [^1] <https://example.com>",
    "#12 GH-12 org/repo#12 :smile: $x$",
    "**b** _i_ ~~s~~ # h\n- [ ] t\n\n---",
    '=HYPERLINK("https://example.com")',
    "\x00\x07\x1b[2J\x7f\x9b\u0085\u2028",
    "\ud800\udcff\ufffe\uffff\u202e\u200b",
    "x" * 70_000,
    " ",
    "",
)
"""Each is an attack on one format at least."""

names = strategies.one_of(
    strategies.sampled_from(NAMES),
    strategies.text(strategies.characters(exclude_categories=())),
    strategies.text("`|\\<>@:%,=\n#*_[]()!&'\" aw./"),
    strategies.lists(strategies.sampled_from(NAMES[:-4]), max_size=3).map(" ".join),
)


def full_of(name: str, plane: Plane, extra: Iterable[str] = ()) -> Evaluation:
    """An evaluation with that name wherever an input's text can stand; `extra` are the names of further findings."""
    subject = Subject(kind=name, name=name, account=name, arn=name, user=name, key_id=name, owner=name)
    texts: dict[str, Any] = {"message": name, "remediation": name, "reason": name}
    make = code_finding if plane is Plane.CODE else live_finding
    own: dict[str, Any] = {"location": Location(name, 3, 5, name)} if plane is Plane.CODE else {"subject": subject}
    trace = (TraceStep(name, name, 3), TraceStep(name, "", 0))
    exception = replace(EXCEPTION, subject=name, reason=name, owner=name, ticket=name, place=name)
    findings = [make(rule, trace=trace, facts={"last_used_at": name}, **texts, **own) for rule in RULES]
    findings += [
        make(RULES[0], Status.UNKNOWN, **texts, **own),
        make(RULES[1], Status.EXEMPT, **{**texts, **own, "exemption": name}),
        make(RULES[1], Status.EXEMPT, **{**texts, **own, "exemption": name, "exception": exception}),
        make(RULES[2], Status.PASS, **texts, **own),
        *(make(RULES[0], message=more) for more in extra),
    ]
    resolved = ResolvedFinding(RULES[0].id, "LOW", name, name, "ab" * 32, SEEN)
    known = KnownFinding(make(RULES[1], **texts, **own), SEEN, name)
    return make_evaluation(
        *findings,
        plane=plane,
        inputs=(Input("terraform", name, account=name),),
        errors=(EvaluationError(name, "syntax", name),),
        notes=(name,),
        warnings=(name,),
        baseline=BaselineReport(name, SEEN, (known,), (resolved,), kept=1),
    )
