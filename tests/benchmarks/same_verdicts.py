"""Runs every rule N times through Checkov's own registry, threads included, on a module made to race: keys, outputs and
sinks by the hundred. Prints how many runs gave which result, and exits 1 unless all gave the same.

    python tests/benchmarks/same_verdicts.py 100
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BLOCKS = """\
resource "aws_iam_access_key" "k{n}" {{
  user = "user{n}"
}}
locals {{
  secret{n} = "x-${{aws_iam_access_key.k{n}.secret}}"
}}
output "o{n}" {{
  value = local.secret{n}
}}
resource "aws_ssm_parameter" "p{n}" {{
  name  = "p{n}"
  type  = "String"
  value = local.secret{n}
}}
"""


def main(runs: int, blocks: int) -> int:
    """Judges the module as often as asked. Checkov's graph is built anew each time, as a run of its own would."""
    from checkov.common.checks_infra.registry import get_graph_checks_registry
    from checkov.common.graph.db_connectors.rustworkx.rustworkx_db_connector import RustworkxConnector
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.graph_manager import TerraformGraphManager

    spec = importlib.util.spec_from_file_location("keyrules_checks", PROJECT / "checks/keyrules_checks.py")
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    registry = get_graph_checks_registry("terraform")
    # Threads change places as often as they can.
    sys.setswitchinterval(1e-6)
    outcomes: Counter[tuple[tuple[str, int], ...]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text("".join(BLOCKS.format(n=n) for n in range(blocks)), encoding="utf-8")
        manager = TerraformGraphManager(db_connector=RustworkxConnector())
        local, _ = manager.build_graph_from_source_directory(folder, download_external_modules=False)
        for _ in range(runs):
            results = registry.run_checks(manager.save_graph(local), RunnerFilter(checks=["KEY_AWS_*"]), "terraform")
            found = Counter(
                f"{check.id} {each['result'].value}" for check, entries in results.items() for each in entries
            )
            outcomes[tuple(sorted(found.items()))] += 1
    for outcome, count in outcomes.most_common():
        print(f"{count} of {runs}: {', '.join(f'{name} {number}' for name, number in outcome)}")
    return 0 if len(outcomes) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 150))
