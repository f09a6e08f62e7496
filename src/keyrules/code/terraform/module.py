"""One Terraform module folder as declarations, read from its `.tf` and `.tf.json` files.

Checkov's graph replaces references by what they point to and forgets the way (a local, a module input), so what depends
on the way (does a trigger fire, where does a secret go) is judged on these declarations.
"""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from keyrules.code.file_names import AUTO_VALUE_SUFFIXES, SOURCE_SUFFIXES, VALUE_FILES
from keyrules.code.skip_comments import SkipComment, skip_comments
from keyrules.code.terraform.hcl.ast import Attribute, Block, Body, Expr, HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.code.terraform.hcl.terraform_json import parse_terraform_json, parse_values_json
from keyrules.files import read_regular
from keyrules.records import dataclass, field

TERRAFORM, OPENTOFU = "Terraform", "OpenTofu"
"""The programs that read modules. OpenTofu reads `x.tofu` in place of `x.tf`, Terraform no `.tofu` file at all."""

_TOFU_SUFFIXES = (".tofu", ".tofu.json")

_GIT_CRYPT = b"\0GITCRYPT\0"
"""How a file starts that git-crypt keeps encrypted: commands.cpp of https://github.com/AGWA/git-crypt"""

_TOLD_APART = frozenset({"aws_iam_access_key", "awsutils_expiring_iam_access_key", "aws_iam_user_login_profile"})
"""Types of which a second declaration of the same name would go unjudged; Terraform refuses it for every type."""

NAMED_BY_ID = ("aws_iam_user.", "aws_iam_group.")
"""The resources whose `id` is their `name`."""

_LABELLED_TWICE = ("resource", "data", "ephemeral", "action")

_META_ARGUMENTS = frozenset(
    {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "providers", "provisioner", "source"}
    | {"version"}
)
"""Names that mean something else inside an escaping block than beside it: there the provider or module takes them."""


@dataclass(frozen=True)
class Declaration:
    """A block or attribute with the file it stands in. `name` is `type.name` for resources, else the plain name;
    `overrides` are the override files that change it."""

    name: str
    path: str
    body: Body
    start_line: int
    end_line: int
    overrides: tuple[str, ...] = ()

    def value(self, attribute: str) -> Expr | None:
        """The expression of one attribute, or None when it is not set."""
        found = self.body.attributes.get(attribute)
        return found.value if found else None

    def blocks(self, kind: str) -> Iterator[Block]:
        """The nested blocks of one kind, `dynamic` ones included as their content.

        Terraform reads a lifecycle block itself and refuses a dynamic one.
        """
        for block in self.body.blocks:
            if block.type == kind:
                yield block
            elif block.type == "dynamic" and block.labels == (kind,) and kind != "lifecycle":
                yield from (content for content in block.body.blocks if content.type == "content")

    @property
    def enabled(self) -> Expr | None:
        """OpenTofu's switch `lifecycle { enabled = … }`, which Terraform refuses; None when there is none.

        https://opentofu.org/docs/language/meta-arguments/enabled/
        """
        found = (block.body.attributes.get("enabled") for block in self.body.blocks if block.type == "lifecycle")
        return next((switch.value for switch in found if switch is not None), None)

    def line_of(self, attribute: str) -> int:
        """Where an attribute starts, or the declaration itself when it has no such attribute."""
        found = self.body.attributes.get(attribute)
        return found.start_line if found else self.start_line


@dataclass(frozen=True)
class SourceError:
    """A file of the module that could not be read; `message` quotes nothing of it.

    `opened` says that its bytes could be.
    """

    path: str
    line: int
    message: str
    opened: bool = True


@dataclass(frozen=True)
class Module:
    """What one folder declares. Keys of `resources`, `data`, `ephemerals` and `actions` are `type.name`; `value_files`
    says which file sets an entry of `values`."""

    path: str
    resources: Mapping[str, Declaration]
    data: Mapping[str, Declaration]
    variables: Mapping[str, Declaration]
    outputs: Mapping[str, Declaration]
    calls: Mapping[str, Declaration]
    providers: tuple[Declaration, ...]
    locals: Mapping[str, Declaration]
    values: Mapping[str, Attribute]
    errors: tuple[SourceError, ...]
    value_files: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    ephemerals: Mapping[str, Declaration] = field(default_factory=dict)
    actions: Mapping[str, Declaration] = field(default_factory=dict)
    moved: tuple[Declaration, ...] = ()

    @property
    def blocks(self) -> Iterator[tuple[str, Mapping[str, Declaration]]]:
        """Each kind of block that providers take arguments of, with its blocks."""
        yield "resource", self.resources
        yield "data", self.data
        yield "ephemeral", self.ephemerals
        yield "action", self.actions

    @property
    def for_tofu(self) -> bool:
        """Whether OpenTofu reads it otherwise than Terraform."""
        return any(name.endswith(_TOFU_SUFFIXES) for name in self.files)


def block_address(kind: str, name: str) -> str:
    """The address in its module of a block of Module.blocks."""
    return name if kind == "resource" else f"{kind}.{name}"


def normalize(path: Path) -> str:
    """An absolute path without `..`, symbolic links kept as they are written."""
    return os.path.normpath(Path.cwd() / path)


def _files(folder: str) -> list[str]:
    return [entry.name for entry in Path(folder).iterdir() if not entry.is_dir()]


class ModuleReader:
    """Reads each folder once, as a program does. `listing` gives a folder's file names; both functions raise OSError.

    `digests` has the SHA-256 of every file that was read, by path, and `comments` the skip comments of each.
    """

    def __init__(
        self,
        read: Callable[[str], bytes] = read_regular,
        listing: Callable[[str], list[str]] = _files,
        program: str = OPENTOFU,
    ) -> None:
        self._program = program
        self._read = read
        self._listing = listing
        self._modules: dict[str, Module] = {}
        self._others: dict[str, tuple[Body, list[SourceError]]] = {}
        self.digests: dict[str, str] = {}
        self.comments: dict[str, list[SkipComment]] = {}

    def module(self, folder: str) -> Module:
        """The module in a folder; an absent folder is a module that declares nothing and has an error."""
        if folder not in self._modules:
            self._modules[folder] = self._load(folder)
        return self._modules[folder]

    def read(self, path: str) -> bytes:
        """The bytes of any file that bears on the modules. Raises OSError."""
        data = self._read(path)
        self.digests[path] = hashlib.sha256(data).hexdigest()
        return data

    def values_file(self, path: str) -> tuple[Mapping[str, Attribute], list[SourceError]]:
        """The values of a `.tfvars` or `.tfvars.json` file, and why it has none."""
        errors: list[SourceError] = []
        body = self._parse(path, errors)
        return (body.attributes if body is not None else {}), errors

    def hcl_file(self, path: str) -> tuple[Body, list[SourceError]]:
        """The body of another file in Terraform's language, empty where it has errors; each is read once."""
        if path not in self._others:
            errors: list[SourceError] = []
            self._others[path] = (self._parse(path, errors) or Body({}, ()), errors)
        return self._others[path]

    def file(self, path: str, limit: int) -> bytes | None:
        """The bytes of a file that an expression names, None for one of more than `limit`. Raises OSError.

        Only a regular file is opened; `digests` has it, because verdicts may rest on it.
        """
        if Path(path).stat().st_size > limit:
            return None
        data = self.read(path)
        return data if len(data) <= limit else None

    def _load(self, folder: str) -> Module:
        builder = _Builder(folder)
        try:
            names = sorted(self._listing(folder))
        except OSError as error:
            builder.errors.append(SourceError(folder, 0, f"cannot be listed: {error.strerror}", opened=False))
            return builder.module()
        sources = [name for name in names if name.endswith(SOURCE_SUFFIXES) and not name.startswith(".")]
        if self._program == TERRAFORM:
            sources = [name for name in sources if not name.endswith(_TOFU_SUFFIXES)]
        else:
            hidden = {_terraforms_name(name) for name in sources if name.endswith(_TOFU_SUFFIXES)}
            sources = [name for name in sources if name not in hidden]
        builder.files = tuple(sources)
        overrides = [name for name in sources if _is_override(name)]
        for name in [name for name in sources if name not in overrides] + overrides:
            body = self._parse(f"{folder}/{name}", builder.errors)
            if body is not None:
                builder.add(body, f"{folder}/{name}", name in overrides)
        values = [n for n in VALUE_FILES if n in names] + [n for n in names if n.endswith(AUTO_VALUE_SUFFIXES)]
        for name in values:
            body = self._parse(f"{folder}/{name}", builder.errors)
            if body is not None:
                builder.values.update(body.attributes)
                builder.value_files.update(dict.fromkeys(body.attributes, f"{folder}/{name}"))
        return builder.module()

    def _parse(self, path: str, errors: list[SourceError]) -> Body | None:
        try:
            text = self.read(path).decode("utf-8-sig")
            self.comments[path] = [] if path.endswith(".json") else skip_comments(text)
            if path.endswith(".hcl.json"):
                raise HclSyntaxError(1, "JSON in place of Terragrunt's own language is not read; write it as .hcl")
            if path.endswith(".tfvars.json"):
                return parse_values_json(text)
            return parse_terraform_json(text) if path.endswith(".json") else parse_hcl(text)
        except HclSyntaxError as error:
            errors.append(SourceError(path, error.line, str(error)))
        except UnicodeDecodeError as error:
            encrypted = error.object.startswith(_GIT_CRYPT)
            how = "is encrypted by git-crypt; unlock the repository before the scan"
            errors.append(SourceError(path, 0, how if encrypted else "is not UTF-8, which Terraform requires"))
        except OSError as error:
            errors.append(SourceError(path, 0, f"cannot be read: {error.strerror}", opened=False))
        return None


def _terraforms_name(name: str) -> str:
    """The name of the file that OpenTofu does not read because of one of its own."""
    stem, suffix = (name[: -len(".json")], ".json") if name.endswith(".json") else (name, "")
    return f"{stem.removesuffix('.tofu')}.tf{suffix}"


def _is_override(name: str) -> bool:
    stem = name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return stem == "override" or stem.endswith("_override")


class _Builder:
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.named: dict[str, dict[str, Declaration]] = {
            kind: {} for kind in (*_LABELLED_TWICE, "variable", "output", "module", "locals")
        }
        self.providers: list[Declaration] = []
        self.moved: list[Declaration] = []
        self.values: dict[str, Attribute] = {}
        self.value_files: dict[str, str] = {}
        self.errors: list[SourceError] = []
        self.files: tuple[str, ...] = ()

    def add(self, body: Body, path: str, override: bool) -> None:
        for block in body.blocks:
            if block.type == "locals":
                for attribute in block.body.attributes.values():
                    single = Body({"value": attribute}, ())
                    self.named["locals"][attribute.name] = Declaration(
                        attribute.name, path, single, attribute.start_line, attribute.end_line
                    )
            elif block.type == "provider":
                self.providers.append(
                    Declaration(".".join(block.labels), path, _plain(block.body), block.start_line, block.end_line)
                )
            elif block.type == "moved":
                self.moved.append(Declaration("", path, block.body, block.start_line, block.end_line))
            elif block.type == "check":
                # The data source in it is read like any other, though only its assertions may name it.
                self.add(Body({}, tuple(b for b in block.body.blocks if b.type == "data")), path, override)
            elif block.type in self.named and len(block.labels) == (2 if block.type in _LABELLED_TWICE else 1):
                name = ".".join(block.labels)
                declared = Declaration(name, path, _plain(block.body), block.start_line, block.end_line)
                earlier = self.named[block.type].get(name)
                if earlier and not override and block.type == "resource" and name.split(".")[0] in _TOLD_APART:
                    message = f"line {block.start_line}: {name} is declared twice, which Terraform refuses"
                    self.errors.append(SourceError(path, block.start_line, message))
                self.named[block.type][name] = _merged(earlier, declared) if earlier and override else declared

    def module(self) -> Module:
        return Module(
            path=self.folder,
            resources=self.named["resource"],
            data=self.named["data"],
            ephemerals=self.named["ephemeral"],
            actions=self.named["action"],
            variables=self.named["variable"],
            outputs=self.named["output"],
            calls=self.named["module"],
            providers=tuple(self.providers),
            locals=self.named["locals"],
            values=self.values,
            value_files=self.value_files,
            errors=tuple(self.errors),
            files=self.files,
            moved=tuple(self.moved),
        )


def _plain(body: Body) -> Body:
    """A body with what its escaping block `_ { … }` holds.

    It is there for arguments whose names Terraform would read as its own, and any other may stand in it, too.
    https://developer.hashicorp.com/terraform/language/meta-arguments#escaping-meta-arguments
    """
    escaped = [block.body for block in body.blocks if block.type == "_" and not block.labels]
    if not escaped:
        return body
    given = {name: value for part in escaped for name, value in part.attributes.items() if name not in _META_ARGUMENTS}
    blocks = [block for block in body.blocks if block.type != "_" or block.labels]
    blocks += [block for part in escaped for block in part.blocks if block.type not in _META_ARGUMENTS]
    return Body({**given, **body.attributes}, tuple(blocks))


def _merged(base: Declaration, override: Declaration) -> Declaration:
    """Terraform's override files replace arguments one by one and nested blocks kind by kind; lifecycle is merged."""
    kinds = {block.type for block in override.body.blocks} - {"lifecycle"}
    blocks = [block for block in base.body.blocks if block.type not in kinds | {"lifecycle"}]
    lifecycles = [block for source in (base, override) for block in source.body.blocks if block.type == "lifecycle"]
    if lifecycles:
        attributes = {name: value for block in lifecycles for name, value in block.body.attributes.items()}
        first = lifecycles[0]
        blocks.append(Block("lifecycle", (), Body(attributes, ()), first.start_line, first.end_line))
    blocks += [block for block in override.body.blocks if block.type != "lifecycle"]
    return Declaration(
        base.name,
        base.path,
        Body({**base.body.attributes, **override.body.attributes}, tuple(blocks)),
        base.start_line,
        base.end_line,
        (*base.overrides, override.path),
    )
