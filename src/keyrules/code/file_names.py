"""What a file's name says about it: whether a scan reads it, and as what."""

from __future__ import annotations

KEPT_BY_TOOLS = frozenset({".git", ".hg", ".svn", "__pycache__", ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
"""Folders that hold a tool's own records."""

SKIPPED_FOLDERS = KEPT_BY_TOOLS | {
    ".terraform", ".terragrunt-cache", ".serverless", "node_modules", ".venv", ".aws-sam", ".external_modules",
}  # fmt: skip
"""Folders that tools fill and nobody writes by hand; a folder named on the command line is read whatever its name."""

SOURCE_SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""Terraform's and OpenTofu's own files; letter case counts, as it does for them."""

_ASIDE = ("~", ".bak", ".backup", ".old", ".orig", ".save", ".rej", ".swp", ".disabled", ".off")
"""What people and editors append to a name, in any letter case, so that no program reads the file."""

VALUE_FILES = ("terraform.tfvars", "terraform.tfvars.json")
AUTO_VALUE_SUFFIXES = (".auto.tfvars", ".auto.tfvars.json")
"""The values that a root module takes without being told to; other `.tfvars` files are named on a command line."""

DOWNLOADED_MODULES = ".terraform/modules/modules.json"
"""The list of the modules that `terraform init` has downloaded, below the folder that Terraform runs in."""

UNIT_FILE, STACK_FILE = "terragrunt.hcl", "terragrunt.stack.hcl"
UNIT_FILES = (UNIT_FILE, f"{UNIT_FILE}.json")
COMPONENT_SUFFIXES, DEPLOYMENT_SUFFIX = (".tfcomponent.hcl", ".tfstack.hcl"), ".tfdeploy.hcl"
"""What calls modules with values and is none itself: Terragrunt's units, and Terraform's stacks."""

TEMPLATE_SUFFIXES = (".yaml", ".yml", ".json", ".template", ".cform", ".cfn", ".cft", ".txt")
"""In any letter case."""

QUOTING_SUFFIXES = frozenset({
    ".sh", ".bash", ".zsh", ".ps1", ".psm1", ".cmd", ".bat",
    ".py", ".js", ".ts", ".go", ".rb", ".java", ".cs", ".php", ".md",
})  # fmt: skip
"""Programs and prose, which quote templates and are none, not even where one is named on the command line."""

PROGRAM_SUFFIXES = frozenset({
    ".py", ".js", ".ts", ".go", ".rb", ".java", ".cs", ".php", ".sh", ".bash", ".zsh", ".ps1", ".psm1", ".cmd", ".bat",
    ".mjs", ".cjs", ".jsx", ".mts", ".cts", ".tsx", ".kt", ".kts", ".scala", ".groovy", ".fs", ".vb",
})  # fmt: skip
"""Programs, which may create keys in languages that nobody reads here."""

NO_TEMPLATE_SUFFIXES = QUOTING_SUFFIXES | PROGRAM_SUFFIXES
"""What is a template only where its name says so twice, such as `stack.template.js`."""

STATE_SUFFIX = ".tfstate"
"""In the name of Terraform's state, and of its copies: `terraform.tfstate.1700000000.backup`."""

STATE_COPIES = (".backup", ".lock.info", ".tmp")
"""How the names of its copies and locks end."""

FILE_SUFFIXES = frozenset({
    *SOURCE_SUFFIXES, *TEMPLATE_SUFFIXES, *QUOTING_SUFFIXES,
    ".tfvars", ".hcl", ".tpl", ".tftpl", ".tmpl", ".j2", ".userdata", ".cloudinit", ".dockerfile",
    ".env", ".envrc", ".ini", ".cfg", ".conf", ".config", ".properties", ".toml", ".csv", ".tsv", ".xml",
    STATE_SUFFIX, ".state", ".tfbackend", ".rc", ".creds", ".credentials", ".secret", ".secrets", ".vars",
    ".ipynb", ".patch", ".diff", ".mbox", ".eml", ".log", ".jsonl", ".ndjson", ".sql", ".service",
    ".jsx", ".tsx", ".mjs", ".cjs", ".vue", ".html", ".rs", ".kt", ".kts", ".scala", ".groovy", ".gradle", ".swift",
    ".pl", ".lua", ".fish", ".rst", ".adoc",
    ".backup", ".bak", ".old", ".orig", ".save", ".example", ".sample", ".dist", ".local",
})  # fmt: skip
"""The last suffixes, in any letter case, that make a name without a folder that of a file and no address."""

BINARY_SUFFIXES = frozenset({
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".bmp", ".pdf", ".woff", ".woff2", ".ttf", ".eot", ".otf",
    ".mp3", ".mp4", ".mov", ".avi", ".wav", ".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".tar", ".jar", ".war", ".whl",
    ".so", ".dll", ".dylib", ".exe", ".o", ".a", ".class", ".pyc", ".wasm",
})  # fmt: skip
"""The last suffixes, in any letter case, of what is never text. Of any other file its first bytes say whether it is."""

NEVER_TEMPLATES = BINARY_SUFFIXES | frozenset({
    ".svg", ".bin", ".dat", ".db", ".sqlite",
    ".css", ".scss", ".less", ".html", ".htm", ".map", ".lock", ".sum", ".mod", ".pem", ".crt", ".key", ".pub", ".gpg",
    ".c", ".h", ".cc", ".cpp", ".hpp", ".s", ".rs", ".swift", ".m", ".sql", ".proto", ".rst", ".adoc", ".log",
})  # fmt: skip
"""The last suffixes, in any letter case, of what no deployment takes for a template; any other name may be one's."""


def may_matter(name: str) -> bool:
    """Whether a scan of a folder reads a file of this name; what is named on the command line is read in any case."""
    _, dot, suffix = name.lower().rpartition(".")
    return not dot or f".{suffix}" not in BINARY_SUFFIXES


def is_set_aside(name: str) -> bool:
    """Whether a file of this name was one of Terraform's and is kept where Terraform does not read it."""
    low = name.lower()
    return any(low.endswith(f"{source}{aside}") for aside in _ASIDE for source in SOURCE_SUFFIXES)


def is_program(name: str) -> bool:
    """Whether a file of this name is a program or prose about one, which quotes templates and is none."""
    return "." + name.lower().rpartition(".")[2] in NO_TEMPLATE_SUFFIXES


def may_be_template(name: str) -> bool:
    """Whether a file of this name may be a template; one needs no ending.

    Names such as `.gitignore` are those of tools' own files.
    """
    stem, dot, suffix = name.lower().rpartition(".")
    return not dot or (bool(stem) and f".{suffix}" not in NEVER_TEMPLATES)


def holds_root_values(name: str) -> bool:
    """Whether Terraform reads a file of this name for the values of a root module's variables."""
    return name in VALUE_FILES or name.endswith(AUTO_VALUE_SUFFIXES)


def calls_with_values(name: str) -> bool:
    """Whether a file of this name calls modules without being one."""
    return name in (*UNIT_FILES, STACK_FILE) or name.endswith(COMPONENT_SUFFIXES)
