"""Finds what a scan evaluates: root modules, templates and plans, and the texts that may hold a literal credential."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keyrules.iac.literals.literals import contains_candidate
from keyrules.iac.plan.plan_json import is_plan, recognise
from keyrules.iac.relevance import concerns_cloudformation, concerns_terraform, local_sources
from keyrules.iac.terraform.terraform_module import SOURCE_SUFFIXES, ModuleReader
from keyrules.model import EvaluationError

SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".terraform", ".terragrunt-cache", ".serverless", "node_modules", ".venv", "__pycache__"}
    | {".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".aws-sam", ".idea", ".vscode", ".external_modules"}
)
"""Folders that tools fill and nobody writes by hand; a folder named on the command line is read whatever its name."""

_TERRAFORM = SOURCE_SUFFIXES
_TEMPLATE = (".yaml", ".yml", ".json", ".template", ".cform", ".cfn", ".cft", ".txt")
_CHECKOV_TEMPLATE = frozenset({".yaml", ".yml", ".json", ".template"})
_TEXT = _TERRAFORM + _TEMPLATE + (
    ".tfvars", ".tfvars.json", ".hcl", ".tpl", ".tftpl", ".tmpl", ".j2", ".userdata", ".cloudinit", ".dockerfile",
    ".sh", ".bash", ".zsh", ".ps1", ".psm1", ".cmd", ".bat", ".env", ".envrc", ".ini", ".cfg", ".conf", ".config",
    ".properties", ".toml", ".csv", ".tsv", ".xml", ".md",
    ".py", ".js", ".ts", ".go", ".rb", ".java", ".cs", ".php",
)  # fmt: skip
_TEXT_STEMS = frozenset({"dockerfile", "jenkinsfile"})
_ZIP = b"PK\x03\x04"
_HEAD = 1024
MAX_FILE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Unit:
    """What is evaluated in one go: kind is terraform (a root module's folder), cloudformation or plan (a file).

    `readable` is False for a file that Checkov passes over because of its name.
    """

    kind: str
    path: str
    readable: bool = True


@dataclass
class Discovery:
    """What was found in `folders`. `only` restricts what is reported to the files named on the command line."""

    units: list[Unit] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    considered: int = 0
    only: frozenset[str] | None = None
    folders: tuple[str, ...] = ()
    errors: list[EvaluationError] = field(default_factory=list)


@dataclass
class _Files:
    """Terraform folders with what relevance needs to know of them."""

    relevant: set[str] = field(default_factory=set)
    calls: dict[str, set[str]] = field(default_factory=dict)


def discover(paths: list[Path], context: Path, read: Callable[[Path], bytes] | None = None) -> Discovery:
    """Looks at files and folders. A single Terraform file is evaluated with its module and with the callers of it
    below `context` (the working directory), and reported for itself."""
    reader = read or read_file
    found = Discovery()
    terraform = _Files()
    folders: list[str] = []
    files: dict[str, bool] = {}
    for path in map(absolute, paths):
        if path.is_dir():
            folders.append(str(path))
            for file in walk_files(path, found.errors):
                files.setdefault(str(file), False)
        else:
            files[str(path)] = True
    for name, by_itself in files.items():
        _classify(Path(name), found, terraform, reader, by_itself)
    named = frozenset(name for name, by_itself in files.items() if by_itself)
    wanted = {str(Path(name).parent) for name in named if name.endswith(_TERRAFORM)}
    if wanted:
        _read_context(wanted, context, terraform, reader)
    scanned = {folder for folder in terraform.calls if below(folder, folders)} | wanted
    found.units += [Unit("terraform", root) for root in _roots(terraform, scanned, reader)]
    found.units.sort(key=lambda unit: (unit.path, unit.kind))
    found.texts.sort()
    found.folders = tuple(folders)
    if named:
        found.only = named
    return found


def absolute(path: Path) -> Path:
    """An absolute path without `..`. A link to a folder keeps its name, unless `..` leads out of where it points to."""
    lexical = Path(os.path.normpath(Path.cwd() / path))
    try:
        return lexical if lexical.samefile(path) else path.resolve()
    except OSError:
        return path.resolve()


def walk_files(folder: Path, errors: list[EvaluationError]) -> Iterator[Path]:
    """Every regular file below a folder in a stable order, tool folders and links to folders left out."""

    def unreadable(error: OSError) -> None:
        errors.append(EvaluationError(shown(str(error.filename)), "unreadable", f"Cannot be listed: {error.strerror}"))

    for root, names, files in os.walk(folder, onerror=unreadable):
        names[:] = sorted(name for name in names if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            path = Path(root, name)
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    yield path
            except OSError as error:
                if _is_missed(name, error):
                    errors.append(EvaluationError(shown(str(path)), "unreadable", f"Cannot be read: {error.strerror}"))


def _is_missed(name: str, error: OSError) -> bool:
    """Whether a file that cannot be looked at matters: a link that leads nowhere does so only to Terraform, which
    refuses the module then; names with a leading dot are editors' locks."""
    if error.errno in (errno.ENOENT, errno.ELOOP):
        return name.endswith(_TERRAFORM) and not name.startswith(".")
    return read_in_folder(name)


def read_file(path: Path) -> bytes:
    """A file's bytes, or the first of them when it is binary and too large to be code. Raises OSError."""
    size = path.stat().st_size
    if size <= MAX_FILE_BYTES:
        return path.read_bytes()
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b"\0" in head:
        return head
    raise OSError(errno.EFBIG, f"is larger than {MAX_FILE_BYTES // 2**20} MiB", str(path))


def shown(path: str) -> str:
    """A path for people and reports: relative to the working directory where it is below it, with forward slashes."""
    try:
        return Path(path).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return Path(path).as_posix()


def _classify(path: Path, found: Discovery, terraform: _Files, read: Callable[[Path], bytes], by_itself: bool) -> None:
    if not (by_itself or read_in_folder(path.name)):
        return
    try:
        data = read(path)
    except OSError as error:
        found.errors.append(EvaluationError(shown(str(path)), "unreadable", f"Cannot be read: {error.strerror}"))
        return
    kind = _kind(path, data, by_itself)
    if kind is not None:
        found.considered += 1
    if kind == "terraform":
        _note_terraform(str(path.parent), data, terraform)
    elif kind == "plan":
        found.units.append(Unit("plan", str(path)))
    elif kind == "template" and concerns_cloudformation(data):
        found.units.append(Unit("cloudformation", str(path), path.suffix in _CHECKOV_TEMPLATE))
    if kind != "plan" and contains_candidate(data) and not _is_binary(data):
        found.texts.append(str(path))


def read_in_folder(file: str) -> bool:
    """Whether the scan of a folder reads a file of that name; a file that is named itself may have any."""
    name = file.lower()
    return name.endswith(_TEXT) or "." not in name or name.startswith(".env.") or name.split(".")[0] in _TEXT_STEMS


def evaluated_in_folder(file: str, plan: bool) -> bool:
    """Whether the scan of a folder evaluates a file of that name as code, or as a plan where it is one."""
    if plan:
        return "." not in file or file.lower().endswith(".json")
    return "." not in file or file.endswith(_TERRAFORM) or is_template_name(file)


def is_template_name(file: str) -> bool:
    """Whether the name is one of templates and plans and of no Terraform file."""
    return file.lower().endswith(_TEMPLATE) and not file.endswith(_TERRAFORM)


def _is_binary(data: bytes) -> bool:
    """Whether the bytes are no text: NULs, but not those of UTF-16, which stand beside ASCII characters."""
    head = data[:_HEAD]
    return b"\0" in head and max(head[::2].count(0), head[1::2].count(0)) * 3 < len(head)


def _kind(path: Path, data: bytes, by_itself: bool) -> str | None:
    name = path.name.lower()
    if path.name.endswith(_TERRAFORM):
        return "terraform"
    if by_itself and (recognise(data) is not None or (data.startswith(_ZIP) and b"tfplan" in data[:_HEAD])):
        # A state, a log or a saved plan in place of a plan's JSON is refused, because its sender takes it for judged.
        return "plan"
    if (name.endswith(".json") or "." not in name) and is_plan(data):
        return "plan"
    return "template" if by_itself or name.endswith(_TEMPLATE) else None


def _note_terraform(folder: str, data: bytes, terraform: _Files) -> None:
    calls = terraform.calls.setdefault(folder, set())
    calls.update(os.path.normpath(f"{folder}/{source}") for source in local_sources(data))
    if concerns_terraform(data):
        terraform.relevant.add(folder)


def _read_context(wanted: set[str], context: Path, terraform: _Files, read: Callable[[Path], bytes]) -> None:
    """Reads the Terraform files around single files: their own modules, and everything below the working directory,
    because a module is evaluated as its callers call it."""
    ignored: list[EvaluationError] = []
    inside = any(below(folder, [str(context)]) for folder in wanted)
    files = list(walk_files(context, ignored)) if inside else []
    files += [path for folder in sorted(wanted) for path in sorted(Path(folder).glob("*")) if path.is_file()]
    for path in dict.fromkeys(files):
        if path.name.endswith(_TERRAFORM):
            try:
                _note_terraform(str(path.parent), read(path), terraform)
            except OSError:
                # The module reader meets the same file again and reports it.
                terraform.relevant.add(str(path.parent))


def _roots(terraform: _Files, scanned: set[str], read: Callable[[Path], bytes]) -> list[str]:
    """The folders to evaluate: those that nobody calls, if they or anything they call could matter."""
    _follow_calls(terraform, read)
    confirmed = _real_calls(terraform, read)
    called = {target for folder, targets in confirmed.items() for target in targets if target != folder}
    reach = {folder: _reachable(folder, terraform.calls) for folder in terraform.calls}
    roots = [folder for folder in terraform.calls if folder not in called]
    covered = {folder for root in roots for folder in reach[root]}
    # Modules that call each other in a ring have no root; each of them is one then.
    roots += [folder for folder in sorted(terraform.calls) if folder not in covered]
    return [
        root
        for root in sorted(roots)
        if reach[root] & terraform.relevant and (root in scanned or reach[root] & scanned)
    ]


def _real_calls(terraform: _Files, read: Callable[[Path], bytes]) -> dict[str, set[str]]:
    """The calls that the syntax confirms; bytes alone also find one in a comment, and then nobody evaluates the module.

    A folder with a file that cannot be parsed keeps its other calls in `terraform`, but confirms none of them.
    """
    reader = ModuleReader(lambda path: read(Path(path)))
    confirmed = dict(terraform.calls)
    for folder, targets in terraform.calls.items():
        if any(_reachable(target, terraform.calls) & terraform.relevant for target in targets):
            module = reader.module(folder)
            sources = {module.local_source(call) for call in module.calls.values()}
            confirmed[folder] = {source for source in sources if source is not None}
            terraform.calls[folder] = confirmed[folder] | (targets if module.errors else set())
    _follow_calls(terraform, read)
    return confirmed


def _follow_calls(terraform: _Files, read: Callable[[Path], bytes]) -> None:
    """Adds the called folders that lie outside of what was walked."""
    todo = [target for targets in terraform.calls.values() for target in targets if target not in terraform.calls]
    while todo:
        folder = todo.pop()
        if folder in terraform.calls:
            continue
        terraform.calls[folder] = set()
        try:
            files = [path for path in sorted(Path(folder).iterdir()) if path.name.endswith(_TERRAFORM)]
            for path in files:
                _note_terraform(folder, read(path), terraform)
        except (FileNotFoundError, NotADirectoryError):
            # Many arguments are called `source`; where it is a module, its caller says that it is missing.
            continue
        except OSError:
            terraform.relevant.add(folder)
        todo += [target for target in terraform.calls[folder] if target not in terraform.calls]


def _reachable(folder: str, calls: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [folder]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += calls.get(current, ())
    return seen


def below(path: str, folders: Sequence[str]) -> bool:
    """Whether an absolute path is one of the folders or lies below one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
