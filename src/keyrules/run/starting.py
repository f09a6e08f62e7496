"""What a repository needs for its first day with keyrules: which files, with what in them. Pure but for looking.

The texts of the pipelines are those of docs/pipelines.md, which is made from them.
"""

from __future__ import annotations

from pathlib import Path

from keyrules.records import dataclass
from keyrules.terms import CONFIGURATION_FILE

BASELINE_FILE = ".keyrules-baseline.json"

CONFIGURATION = f"""\
# yaml-language-server: $schema=https://raw.githubusercontent.com/keyrules/keyrules/main/src/keyrules/schemas/configuration.jsonschema
scan:
  baseline: {BASELINE_FILE}
"""

GITHUB = """\
# .github/workflows/keyrules.yml
on: pull_request
permissions:
  contents: read
jobs:
  keyrules:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@fbc6f3992d24b796d5a048ff273f7fcc4a7b6c09 # v5.1.0
      - uses: keyrules/keyrules@v0.2.0
"""

GITLAB = """\
# .gitlab-ci.yml
include:
  - remote: https://raw.githubusercontent.com/keyrules/keyrules/v0.2.0/.gitlab-ci-template.yml
"""

JENKINS = """\
stage('keyrules') {
  steps {
    dir("${env.WORKSPACE_TMP}") {          // outside of the checkout, whose modules Python must not import
      sh 'python3 -I -m venv keyrules && keyrules/bin/python -I -m pip install --quiet https://github.com/keyrules/keyrules/archive/v0.2.0.tar.gz'
    }
    sh '"$WORKSPACE_TMP/keyrules/bin/python" -I -m keyrules scan --format text --format junit=keyrules.xml'
  }
  post { always { junit 'keyrules.xml' } }
}
"""

PRE_COMMIT = """\
repos:
  - repo: https://github.com/keyrules/keyrules
    rev: v0.2.0
    hooks:
      - id: keyrules
      - id: keyrules-exceptions
"""


@dataclass(frozen=True)
class Step:
    """A file and what belongs into it. `whole` says that the text is the file, and no part of one that is there."""

    path: str
    text: str
    whole: bool


def steps(folder: Path) -> list[Step]:
    """What belongs into a folder: the configuration, and the pipelines of the platforms that it shows.

    A file that is there already is never among those to write.
    """
    found = [Step(CONFIGURATION_FILE, CONFIGURATION, whole=True)]
    if (folder / ".github").is_dir():
        found.append(Step(".github/workflows/keyrules.yml", GITHUB, whole=True))
    for name, text in ((".gitlab-ci.yml", GITLAB), ("Jenkinsfile", JENKINS), (".pre-commit-config.yaml", PRE_COMMIT)):
        if (folder / name).exists():
            found.append(Step(name, text, whole=False))
    return found
