"""Resources whose own template is not here: nested stacks, applications, and modules of CloudFormation's registry.

What they declare is not known; what callers ask of them and take from them speaks of it. A module's type ends in
`::MODULE`, and its resources are `Module.Resource` or `ModuleResource` to the template around it:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/modules.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from keyrules.code.cloudformation.document import Scalar, Table
from keyrules.code.cloudformation.intrinsics import Reader, outcomes
from keyrules.code.cloudformation.template import SECRET, Block, Template
from keyrules.code.key_words import KEY_ARGUMENTS, names_secret

_STACKS: Mapping[str, str] = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
"""By type the property that says where the template lies."""

_MODULE = "::MODULE"
_OUTPUTS = "Outputs."
_KEY_TYPE = re.compile(r"access_?keys?(?![a-z])", re.IGNORECASE)
_ARGUMENTS = frozenset(name.replace("_", "") for name in KEY_ARGUMENTS)


def secret_givers(template: Template, path: str, logical_id: str, attribute: str) -> Iterator[Block]:
    """The resources, of a template that lies at `path`, whose attribute says by its name that it is a key's secret."""
    resource = template.resources.get(logical_id)
    if resource is None and attribute == SECRET:
        yield from (
            block
            for block in template.resources.values()
            if block.type.endswith(_MODULE) and logical_id.startswith(block.logical_id)
        )
    elif resource is not None and resource.type.endswith(_MODULE):
        if attribute.endswith(f".{SECRET}"):
            yield resource
    elif (
        resource is not None
        and attribute.startswith(_OUTPUTS)
        and names_secret(attribute.removeprefix(_OUTPUTS))
        and _is_stack_elsewhere(resource, path)
    ):
        yield resource


def asks_for_key(block: Block, path: str, reader: Reader) -> bool:
    """Whether a resource of a template at `path` has a template that is not here, and asks that for an access key."""
    given = block.part("Properties")
    if block.type.endswith(_MODULE):
        if _KEY_TYPE.search(block.type):
            return True
    elif _is_stack_elsewhere(block, path):
        given = block.setting("Parameters")
    else:
        return False
    return isinstance(given, Table) and any(
        entry.key.replace("_", "").lower() in _ARGUMENTS
        and any(reader.text(value).strip().lower() not in ("", "false", "no") for value in outcomes(entry.node))
        for entry in given.entries
    )


def _is_stack_elsewhere(block: Block, path: str) -> bool:
    """Whether a resource is a stack whose template is no file here; one that is, is judged by itself."""
    if block.type not in _STACKS:
        return False
    place = block.setting(_STACKS[block.type])
    if not isinstance(place, Scalar):
        return True
    try:
        return not (Path(path).parent / place.text).is_file()
    except OSError:
        # No file can have such a name.
        return True
