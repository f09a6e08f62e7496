"""The rules on where the secret of an AWS::IAM::AccessKey goes: KEY_AWS_009 and KEY_AWS_010."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyrules.code.cloudformation.document import Table
from keyrules.code.cloudformation.flow import Flow, FlowFinder
from keyrules.code.cloudformation.intrinsics import Reader
from keyrules.code.cloudformation.judging import Judge, verdicts
from keyrules.code.cloudformation.sinks import METADATA, Sink, sink
from keyrules.code.cloudformation.template import ACCESS_KEY, Block, Template
from keyrules.code.cloudformation.view import TemplateFile
from keyrules.code.verdict import Context, Opinion, Verdict, listed
from keyrules.model import Status, TraceStep
from keyrules.records import dataclass, replace


@dataclass(frozen=True)
class _Leak:
    """A place that a key's secret reaches; `label` names it, such as `Function.Environment.Variables.KEY`."""

    flow: Flow
    label: str
    line: int
    sink: Sink

    @property
    def path(self) -> str:
        return " → ".join([*(label for label, _ in self.flow.steps), self.label])

    @property
    def trace(self) -> tuple[tuple[str, int], ...]:
        return (*self.flow.steps, (self.label, self.line))


def judge_outputs(file: TemplateFile, context: Context) -> list[Verdict]:
    """KEY_AWS_009: no output carries the secret. `NoEcho` is for parameters and hides no output."""
    return verdicts(file, context, *_output_judge(file.template, file.path)) if file.template else []


def judge_sinks(file: TemplateFile, context: Context) -> list[Verdict]:
    """KEY_AWS_010: the secret goes nowhere but into places that protect it. One verdict on a key names every sink."""
    return verdicts(file, context, *_sink_judge(file.template, file.path)) if file.template else []


def _output_judge(template: Template, path: str) -> tuple[Judge, Iterable[str]]:
    """The judge, and the names of what gives out a secret."""
    finder = FlowFinder(template, path)
    found: dict[str, dict[str, tuple[Flow, Block]]] = {}
    for output in template.outputs.values():
        for flow in finder.flows(output.body, output.start_line):
            found.setdefault(flow.key, {}).setdefault(output.logical_id, (flow, output))

    def judge(key: Block) -> Opinion:
        leaks = list(found.get(key.logical_id, {}).values())
        if not leaks:
            return Opinion(Status.PASS, "secret_not_in_outputs", f"No output carries the secret of {key.logical_id}.")
        exported = [output.logical_id for _, output in leaks if output.part("Export") is not None]
        flow, first = leaks[0]
        way = " → ".join([*(label for label, _ in flow.steps), f"Outputs.{first.logical_id}"])
        others = _more([f"Outputs.{output.logical_id}" for _, output in leaks])
        shown = "is exported to other stacks, and " if first.logical_id in exported else ""
        message = (
            f"{way}{others}: the output {shown}shows the secret to everyone who may call "
            "cloudformation:DescribeStacks; NoEcho does not apply to it. Remove the output."
        )
        facts = {
            "output": first.logical_id,
            "outputs": ", ".join(output.logical_id for _, output in leaks),
            "exported": ", ".join(exported) or None,
        }
        steps = [step for flow, output in leaks for step in (*flow.steps, (f"Outputs.{output.logical_id}", flow.line))]
        trace = tuple(TraceStep(label, path, line) for label, line in steps)
        return _seen_from(key, Opinion(Status.FAIL, "secret_in_output", message, facts, trace))

    return judge, found


def _sink_judge(template: Template, path: str) -> tuple[Judge, Iterable[str]]:
    """The judge, and the names of what gives out a secret."""
    found: dict[str, dict[str, _Leak]] = {}
    for leak in _leaks(template, path):
        found.setdefault(leak.flow.key, {}).setdefault(leak.label, leak)

    def judge(key: Block) -> Opinion:
        leaks = list(found.get(key.logical_id, {}).values())
        if not leaks:
            message = f"The secret of {key.logical_id} is not handed to a place that keeps it in plain text."
            return Opinion(Status.PASS, "secret_not_in_plain_text", message)
        first = leaks[0]
        message = f"{first.path}{_more([leak.label for leak in leaks])}: the secret ends up in {first.sink.readers}."
        facts = {"sink": first.label, "sinks": ", ".join(leak.label for leak in leaks)}
        trace = tuple(TraceStep(label, path, line) for leak in leaks for label, line in leak.trace)
        return _seen_from(key, Opinion(Status.FAIL, first.sink.reason, message, facts, trace))

    return judge, found


def _seen_from(giver: Block, opinion: Opinion) -> Opinion:
    """What becomes of a secret; what is only named like one leaks for certain nowhere."""
    if giver.type == ACCESS_KEY:
        return opinion
    message = f"{opinion.message} Only its name says that it is one: the template of {giver.logical_id} is not here."
    return replace(opinion, status=Status.UNKNOWN, reason="output_not_read", message=message)


def _more(places: list[str]) -> str:
    """The places beside the first, to which the path leads."""
    return f" (also {listed(places[1:])})" if places[1:] else ""


def _leaks(template: Template, path: str) -> Iterator[_Leak]:
    """Every place in plain text that a secret reaches, in the order of the file within each section."""
    finder = FlowFinder(template, path)
    reader = Reader(template, defaults=True)
    for resource in template.resources.values():
        metadata, properties = resource.part("Metadata"), resource.part("Properties")
        if metadata is not None:
            for flow in finder.flows(metadata, metadata.line):
                yield _Leak(flow, _label(resource.logical_id, "Metadata", *flow.properties), flow.line, METADATA)
        if properties is not None:
            parameter_type = reader.text(resource.setting("Type"))
            for flow in finder.flows(properties, properties.line):
                kind = sink(resource.type, flow.properties, parameter_type)
                if kind is not None:
                    yield _Leak(flow, _label(resource.logical_id, *flow.properties), flow.line, kind)
    sections = template.section("Globals")
    for entry in sections.entries if isinstance(sections, Table) else ():
        for flow in finder.flows(entry.node, entry.line):
            kind = sink(f"AWS::Serverless::{entry.key}", flow.properties)
            if kind is not None:
                yield _Leak(flow, _label("Globals", entry.key, *flow.properties), flow.line, kind)
    metadata = template.section("Metadata")
    if metadata is not None:
        for flow in finder.flows(metadata, metadata.line):
            yield _Leak(flow, _label("Metadata", *flow.properties), flow.line, METADATA)


def _label(*names: str) -> str:
    return ".".join(names)
