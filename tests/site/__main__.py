"""Build the network and serve it: in the foreground, or for as long as a command runs.

python -m tests.site [SOURCE]
python -m tests.site [SOURCE] --run COMMAND ARGUMENTS...    with {site} for the address
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from tests.site import Site, build

DEMO = Path(__file__).parents[2] / "data" / "demo"


def main() -> int:
    """Serve, and return the exit code of the command if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.site", description="Serve a small blog network.")
    parser.add_argument("source", nargs="?", type=Path, default=DEMO, help="its sources (data/demo)")
    parser.add_argument("--run", nargs=argparse.REMAINDER, metavar="COMMAND", help="serve while it runs")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        build(options.source, Path(folder))
        with Site(Path(folder)) as site:
            if options.run:
                command = [part.replace("{site}", site.url) for part in options.run]
                return subprocess.run(command, check=False).returncode
            print(site.url, flush=True)
            with suppress(KeyboardInterrupt):
                Event().wait()
    return 0


sys.exit(main())
