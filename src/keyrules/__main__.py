"""`python -m keyrules`: the command, where no script of that name is on the path."""

import sys

from keyrules.cli import main

if __name__ == "__main__":
    sys.exit(main())
