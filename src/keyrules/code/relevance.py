"""Decides from bytes which files could matter to a rule. It may say yes too often, never no too often.

Terraform's block labels, module sources and CloudFormation's type names are plain text in the file, so a file without
the words of keyrules.code.trigger_words declares no key and calls no module that does; escapes that could hide a word
are read first. Searching for each word by itself is several times as fast as one regular expression for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from keyrules.code.file_names import is_set_aside
from keyrules.code.key_words import KEY_ARGUMENTS, SECRET_OUTPUTS
from keyrules.code.trigger_words import (
    MODULE_SOURCES,
    TEMPLATE_BLOCKS,
    TEMPLATE_TYPES,
    TERRAFORM_BLOCKS,
    TERRAFORM_TYPES,
)

PLAN_WORDS = (b'"format_version"', b'"terraform_version"', b'"@level"')
"""One of these is in every JSON file that Terraform itself writes."""

STACKS = (b"_cloudformation_stack", b"aws_cloudcontrolapi_resource")
"""Terraform's resource types that deploy CloudFormation hold one of these."""

TYPE_BUILDERS = (b"Fn::ForEach", b"AWS::Include", b"AWS::IAM::$", b"AWS::IAM::&", b"AWS::IAM::{", b"AWS::IAM::<")
"""What builds a CloudFormation type, or brings in a resource, without the type's name in the file."""

_ELSEWHERE = (b"::MODULE", b"AWS::CloudFormation::Stack", b"AWS::Serverless::Application")
"""In the type of every resource of a template whose own template lies elsewhere."""

_HEAD = b"AWS::"
"""In every type that is judged, and beside what builds one, because loops need `Transform: AWS::LanguageExtensions`."""

# Strings, which re compiles where a file first needs them: few do, and compiling takes longer than reading them all.
_ESCAPE = rb"""\\(?:
        (?: u | U0000 | x ) (?: (?<=x) | 00 ) ([0-7][0-9A-Fa-f])   # an ASCII character in JSON, HCL or YAML
      | (?: \r\n? | \n | \xc2?\x85 | \xe2\x80[\xa8\xa9] ) [ \t]*   # a line of a YAML string that goes on
      | (?=/)                                                      # JSON's escaped slash
    )"""
_GENERATORS = (".hcl", ".tpl", ".tftpl", ".tmpl", ".gotmpl", ".j2", ".jinja", ".jinja2", ".erb", ".mustache", ".hbs")
_TERRAFORM_RESOURCE = rb"""(?m)^[ \t]*resource[ \t]+"?(?:%s)"?[ \t]"""
_SOURCE = (
    rb"""source["']?(?:\s|/\*[^*]*\*/)*[=:](?!=)(?:\s|/\*[^*]*\*/)*"""
    rb"""(?:["']([^"'\n]*)["'](?=[ \t]*(?:[\r\n#/},;]|\Z)))?"""
)
_MODULE_BLOCK = rb"""module(?<![.\w]module)["']?[\s{:/"']"""
_PATHS = ("./", "../", "/", "file:")
_PARTS_OF_TEMPLATES = (b"${", b"%{")
_VALUES = rb"""(?m)^[ \t{]*"?(?:variable|locals)"?[ \t]*["{:]"""
_SUBJECTS = rb"""(?m)^[ \t{]*"?(?:resource|data|module|output|ephemeral|action|check)"?[ \t]*["{:]"""
_FILE_FUNCTION = rb"file(?:set|base64|base64sha\d+|exists|md5|sha\d+)?[ \t]*\("
_ARGUMENTS = tuple(name.encode() for name in KEY_ARGUMENTS)
_TAKEN_SECRET = rb"""
    (?: \bmodule\b [^\n]{0,200}? [."\[]
      | (?<=[\w)\]*]) (?<!\bvar) (?<!\blocal) (?<!\beach) [ \t]* \. [ \t]*   # of what a module was handed on as
      | [\[,] [ \t]* \\?" )
    (?:%s) (?![\w-])""" % SECRET_OUTPUTS.encode()
_KEY_ELSEWHERE = rb"access_?key|\boutputs\.(?:%s)(?![\w-])" % SECRET_OUTPUTS.encode()
_TERRAFORM_HEAD, _TEMPLATE_HEAD = b"_iam_", b"AWS::IAM::"
"""In every type that is judged, as a test watches: one search in place of many ends nearly every file."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def concerns_terraform(data: bytes) -> bool:
    """Whether a Terraform file, by itself, could declare what a rule judges, call a module that creates a key or seems
    to, or deploy a template that does."""
    if any(_declares_terraform(text) or any(word in text for word in STACKS) for text in _readings(data)):
        return True
    narrow = _narrow(data)
    return ((b"module" in narrow or b"\\" in narrow) and calls_key_module(data)) or _takes_secret(narrow)


def _declares_terraform(text: bytes) -> bool:
    return _TERRAFORM_HEAD in text and _names(text, TERRAFORM_TYPES, TERRAFORM_BLOCKS)


def _declares_template(text: bytes) -> bool:
    return _TEMPLATE_HEAD in text and _names(text, TEMPLATE_TYPES, TEMPLATE_BLOCKS)


def _names(text: bytes, types: tuple[bytes, ...], blocks: tuple[tuple[bytes, ...], ...]) -> bool:
    """Whether a text holds one of some types, or one that is judged by itself with an argument that matters."""
    return any(word in text for word in types) or any(
        kind in text and (not arguments or any(word in text for word in arguments)) for kind, *arguments in blocks
    )


def calls_key_module(data: bytes) -> bool:
    """Whether a file that calls modules could call one that creates a key, or seems to."""
    return _holds(data, MODULE_SOURCES + _ARGUMENTS)


def _takes_secret(narrow: bytes) -> bool:
    """Whether a file takes something that is named like a key's secret out of a module, or of what may be one."""
    plain = _unescaped(narrow).lower()
    return (b"secret" in plain or b"smtp" in plain) and re.search(_TAKEN_SECRET, plain, re.VERBOSE) is not None


def concerns_cloudformation(data: bytes) -> bool:
    """Whether a file could be a template that declares what a rule judges, or has to do with a key that another one
    declares."""
    for text in _readings(data):
        if _HEAD in text and (_declares_template(text) or any(word in text for word in TYPE_BUILDERS)):
            return True
    return _holds(data, _ELSEWHERE) and re.search(_KEY_ELSEWHERE, _unescaped(_narrow(data)).lower()) is not None


def names_subjects(data: bytes) -> bool:
    """Whether a file of any kind holds a type of resource that a rule judges, as it is written."""
    return _declares_terraform(data) or _declares_template(data)


def holds_terraform_text(name: str, data: bytes) -> bool:
    """Whether a file that is no Terraform itself becomes one and declares a key then: a text template, or the
    configuration of a program that generates files."""
    if not any(word in data for word in TERRAFORM_TYPES):
        return False
    low = name.lower()
    if is_set_aside(name) or (not low.endswith(_GENERATORS) and ".tf." not in low):
        return False
    return re.search(_TERRAFORM_RESOURCE % b"|".join(TERRAFORM_TYPES), data) is not None


def could_be_plan(data: bytes) -> bool:
    """Whether a file could be a plan, a state or a log of Terraform's in JSON."""
    narrow = _narrow(data)
    return any(word in narrow for word in PLAN_WORDS)


def local_sources(data: bytes) -> list[str]:
    """The module sources of a Terraform file that are paths; comments and strings may add some that are none.

    Terraform takes backslashes in them for slashes on every platform.
    """
    found = re.findall(_SOURCE, _unescaped(_narrow(data)))
    texts = [match.decode("utf-8", "surrogateescape").replace("\\", "/") for match in found]
    return [text for text in texts if text.startswith(_PATHS)]


def computes_sources(data: bytes) -> bool:
    """Whether a Terraform file calls a module whose source could be something else than a plain string."""
    plain = _unescaped(_narrow(data))
    if not re.search(_MODULE_BLOCK, plain):
        return False
    return any(not match[1] or any(p in match[1] for p in _PARTS_OF_TEMPLATES) for match in re.finditer(_SOURCE, plain))


def declares_values_only(data: bytes) -> bool:
    """Whether a Terraform file declares inputs or locals and nothing that a finding could be on."""
    plain = _unescaped(_narrow(data)).replace(b"\r", b"\n")
    return bool(re.search(_VALUES, plain)) and not re.search(_SUBJECTS, plain)


def reads_files(data: bytes) -> bool:
    """Whether a Terraform file has expressions that read other files."""
    return re.search(_FILE_FUNCTION, _narrow(data)) is not None


def _holds(data: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words stands in the bytes, as they are or as they read inside a string."""
    return any(word in text for text in _readings(data) for word in words)


def _readings(data: bytes) -> Iterator[bytes]:
    """The bytes as they are, and, where they hold escapes, as they read inside a string."""
    narrow = _narrow(data)
    yield narrow
    if b"\\" in narrow:
        yield _unescaped(narrow)


def _narrow(data: bytes) -> bytes:
    """The bytes with one byte per ASCII character, whatever the encoding says; templates need no byte order mark."""
    if data.startswith(_UTF_16):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    elif b"\0" in data[:2]:
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        data = data.decode(encoding, "replace").encode("utf-8", "replace")
    return data.replace(b"\0", b"")


def _unescaped(narrow: bytes) -> bytes:
    """The bytes as they read inside a string."""
    if b"\\" not in narrow:
        return narrow
    return re.sub(_ESCAPE, lambda match: bytes([int(match[1], 16)]) if match[1] else b"", narrow, flags=re.VERBOSE)
