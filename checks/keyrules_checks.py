"""What Checkov loads: puts the pack's Python rules into its registries.

Checkov executes this file by its name alone, so the engine is found from here: the one of this checkout before any
other, so that rules and engine are of one version.
"""

import sys
from pathlib import Path

_ENGINE = Path(__file__).resolve().parent.parent / "src"
if (_ENGINE / "keyrules" / "__init__.py").is_file() and str(_ENGINE) not in sys.path:
    sys.path.insert(0, str(_ENGINE))

from keyrules.code.checkov.checks import register_all  # noqa: E402

register_all()
