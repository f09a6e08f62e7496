"""The rules on where the secret of a declared access key goes in Terraform: KEY_AWS_009 and KEY_AWS_010."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from keyrules.code.flow.place import Place, plain_prefix
from keyrules.code.flow.sinks import SENSITIVE_OUTPUT, Sink, module_sink, sink
from keyrules.code.flow.taint import SecretTaint
from keyrules.code.flow.value import SECRET_ATTRIBUTES, Source, Trail, Value
from keyrules.code.flow.work import FlowError, WorkExhausted
from keyrules.code.terraform.evaluate import evaluate, truth
from keyrules.code.terraform.keys import declared_keys
from keyrules.code.terraform.module import Declaration, block_address
from keyrules.code.terraform.scope import Frame, Scope, format_key
from keyrules.code.verdict import Context, Verdict, listed
from keyrules.model import Status, TraceStep
from keyrules.records import dataclass, field
from keyrules.terms import WORST_FIRST

_OPEN_OUTPUT = Sink(
    Status.FAIL,
    "secret_in_output",
    "is printed by an output that is not sensitive; remove the output or set sensitive = true",
)
_UNMASKED_OUTPUT = Sink(
    Status.FAIL,
    "secret_unmasked",
    "reaches an output through nonsensitive(), which takes its protection off; remove that",
)
_MAX_STOPS = 12
_MAX_TRACE = 64


@dataclass(frozen=True)
class _Arrival:
    """One secret at one place: what becomes of it there, its way, and the name and line of the place."""

    sink: Sink
    source: Source
    trail: Trail
    label: str
    line: int


@dataclass
class _Subject:
    """What secrets arrive at: an instance of a block, or a module call or output with all its instances."""

    address: str
    declared: Declaration
    arrivals: list[_Arrival] = field(default_factory=list)
    trouble: str | None = None


def judge_outputs(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_009: no output of a root module or of a module it calls shows a key's secret.

    One verdict on each output that carries a secret, and PASS on each key whose secret no output shows.
    """
    return _judge(root, context, _output_subjects, ("secret_not_in_outputs", "no output shows the secret"))


def judge_sinks(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_010: no key's secret reaches a place that stores it in plain text.

    One verdict on each resource, data source, ephemeral resource, action or module call that takes a secret in, and
    PASS on each key whose secret reaches no place in plain text and none that cannot be seen.
    """
    return _judge(
        root, context, _sink_subjects, ("secret_not_in_plain_text", "the secret is stored nowhere in plain text")
    )


def _judge(
    root: Scope,
    context: Context,
    subjects: Callable[[SecretTaint], Iterator[_Subject]],
    clean: tuple[str, str],
) -> list[Verdict]:
    found: dict[object, _Subject] = {}
    exhausted: WorkExhausted | None = None
    try:
        for subject in subjects(_taint(root)):
            identity = (subject.address, subject.declared.path)
            known = found.setdefault(identity, subject)
            if known is not subject:
                known.arrivals += subject.arrivals
                known.trouble = known.trouble or subject.trouble
    except WorkExhausted as error:
        exhausted = error
    verdicts = [_verdict(subject, context) for subject in found.values() if subject.arrivals or subject.trouble]
    leaking = {
        arrival.source.key
        for subject in found.values()
        for arrival in subject.arrivals
        if arrival.sink.status is not Status.PASS
    }
    lost = exhausted is not None or any(subject.trouble for subject in found.values())
    for key in declared_keys(root):
        if f"{plain_prefix(key.frame.scope)}{key.declared.name}" in leaking:
            continue
        if exhausted is not None:
            message = f"where the secret goes cannot be followed to its end: {exhausted}"
            verdicts.append(key.verdict(context, Status.UNKNOWN, "flow_unknown", message))
        elif not lost:
            verdicts.append(key.verdict(context, Status.PASS, *clean))
    return verdicts


def _taint(root: Scope) -> SecretTaint:
    """The taint of a root, shared by both rules."""
    if "secret_taint" not in root.memo:
        root.memo["secret_taint"] = SecretTaint(root)
    taint: SecretTaint = root.memo["secret_taint"]
    return taint


def _output_subjects(taint: SecretTaint) -> Iterator[_Subject]:
    """Every output once, however many calls its module has."""
    first: dict[tuple[str, int, str], str] = {}
    for scope in taint.scopes():
        for name, output in sorted(scope.module.outputs.items()):
            place = (output.path, output.start_line, name)
            subject = _Subject(first.setdefault(place, f"{plain_prefix(scope)}output.{name}"), output)
            masked = any(truth(evaluate(output.value(flag), Frame(scope))) for flag in ("sensitive", "ephemeral"))
            try:
                value = taint.value(output.value("value"), Place(Frame(scope)))
            except WorkExhausted:
                raise
            except FlowError as error:
                subject.trouble = str(error)
            else:
                subject.arrivals += [
                    _Arrival(
                        _seen_from(source, _output_sink(source, masked)),
                        source,
                        trail,
                        subject.address,
                        output.line_of("value"),
                    )
                    for source, trail in _named(value)
                ]
            yield subject


def _output_sink(source: Source, masked: bool) -> Sink:
    if source.unmasked:
        return _UNMASKED_OUTPUT
    return SENSITIVE_OUTPUT if masked else _OPEN_OUTPUT


def _seen_from(source: Source, found: Sink) -> Sink:
    """What becomes of a secret; what is only named like one leaks for certain nowhere."""
    if not source.guessed or found.status is not Status.FAIL:
        return found
    fate = f"{found.fate}, if this output of what is not read here is the secret of an access key"
    return Sink(Status.UNKNOWN, "output_not_read", fate)


def _sink_subjects(taint: SecretTaint) -> Iterator[_Subject]:
    for scope in taint.scopes():
        prefix = plain_prefix(scope)
        for kind, declarations in scope.module.blocks:
            for name, declared in sorted(declarations.items()):
                block = block_address(kind, name)
                for key in taint.instances(declared, scope):
                    # Each instance by itself: a secret in one file is none in the others that a block writes.
                    address = f"{scope.prefix}{block}{format_key(key)}"
                    decide = partial(_block_sink, kind)
                    yield _taken_in(taint, Frame(scope, key, declared), address, f"{prefix}{block}", decide)
        for name, call in sorted(scope.module.calls.items()):
            for key in taint.instances(call, scope):
                address = f"{prefix}module.{name}"
                yield _taken_in(taint, Frame(scope, key, call), address, address, _call_sink)


def _taken_in(
    taint: SecretTaint,
    frame: Frame,
    address: str,
    shown: str,
    decide: Callable[[tuple[str, ...], Frame], Sink | None],
) -> _Subject:
    """What arrives at one instance of a block."""
    assert frame.block is not None
    subject = _Subject(address, frame.block)
    try:
        for argument in taint.arguments(frame.block, frame.scope, frame.key):
            found = decide(argument.path, frame)
            if found is not None:
                label = f"{shown} {_shown(argument.path)}"
                subject.arrivals += [
                    _Arrival(_seen_from(source, found), source, trail, label, argument.line)
                    for source, trail in _named(argument.value)
                ]
    except WorkExhausted:
        raise
    except FlowError as error:
        subject.trouble = str(error)
    return subject


def _block_sink(kind: str, path: tuple[str, ...], frame: Frame) -> Sink | None:
    block = frame.block
    if block is None:
        return None
    settings = next(block.blocks("config"), block) if kind == "action" else block

    def setting(name: str) -> Any:
        found = settings.body.attributes.get(name)
        return evaluate(found.value if found else None, frame)

    return sink(kind, block.name.split(".")[0], path, setting)


def _call_sink(path: tuple[str, ...], frame: Frame) -> Sink | None:
    """A module that can be read is followed; one that cannot, or that does not declare the input, is out of view."""
    block = frame.block
    if block is None:
        return None
    child = frame.scope.child(block.name, frame.key)
    if child is not None and path[0] in child.module.variables:
        return None
    return module_sink(evaluate(block.value("source"), frame), path, lambda name: evaluate(block.value(name), frame))


def _shown(path: tuple[str, ...]) -> str:
    return f"provisioner {path[1]}" if path[0] == "provisioner" and len(path) > 1 else path[0]


def _named(value: Value) -> Iterator[tuple[Source, Trail]]:
    """Every secret in a value; of one key with one protection, the first attribute stands for all."""
    seen: set[tuple[str, bool]] = set()
    named = [(source, trail) for source, trail in value.secrets.items() if source.attribute]
    for source, trail in sorted(named, key=lambda item: SECRET_ATTRIBUTES.index(item[0].attribute)):
        if (source.key, source.unmasked) not in seen:
            seen.add((source.key, source.unmasked))
            yield source, trail


def _verdict(subject: _Subject, context: Context) -> Verdict:
    arrivals = sorted(subject.arrivals, key=lambda arrival: (WORST_FIRST[arrival.sink.status], arrival.trail.length))
    first = arrivals[0] if arrivals else None
    if first is None or (first.sink.status is not Status.FAIL and subject.trouble):
        return _anchored(
            subject,
            context,
            Status.UNKNOWN,
            "flow_unknown",
            f"whether a secret comes here is not known: {subject.trouble}",
        )
    same = [f"{one.source.key} in {one.label}" for one in arrivals if one.sink.status is first.sink.status]
    others = list(dict.fromkeys(same))[1:]
    more = f" (also {listed(others)})" if others else ""
    stops = (*first.trail.stops, TraceStep(first.label, subject.declared.path, first.line))
    path = _path(stops)
    return _anchored(
        subject,
        context,
        first.sink.status,
        first.sink.reason,
        f"{path}{more}: the secret {first.sink.fate}",
        {"key": first.source.key, "sink": first.label},
        stops if len(stops) <= _MAX_TRACE else (*stops[: _MAX_TRACE // 2], *stops[-_MAX_TRACE // 2 :]),
    )


def _path(stops: tuple[TraceStep, ...]) -> str:
    """The way in words; of a very long one its beginning and its end."""
    labels = [stop.label for stop in stops]
    if len(labels) > _MAX_STOPS:
        labels = [*labels[: _MAX_STOPS // 2], "…", *labels[-_MAX_STOPS // 2 :]]
    return " → ".join(labels)


def _anchored(
    subject: _Subject,
    context: Context,
    status: Status,
    reason: str,
    message: str,
    facts: dict[str, str | int | float | bool | None] | None = None,
    trace: tuple[TraceStep, ...] = (),
) -> Verdict:
    declared = subject.declared
    return Verdict(
        context.rule.id,
        status,
        declared.path,
        subject.address,
        declared.start_line,
        declared.end_line,
        reason,
        message,
        facts or {},
        trace,
    )
