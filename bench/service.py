"""Does the service stay small? Its memory over many runs of real crawls, each of one page, of the demo network.

python -m bench.service [RUNS]

Prints the service's own memory after runs 1, 10, 50 and 200, and the seconds until then. The exit code is 1 where a
bar is missed: 80 MiB, and a tenth more at the end than after the first run.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.site import SEED, Site, build
from tests.support.processes import resident

DEMO = Path(__file__).parents[1] / "data" / "demo"
TOLD_AFTER = (1, 10, 50, 200)
MOST = 80.0
"""Mebibytes."""
GROWTH = 1.1
"""Times what the first run took."""


def serve(site: str, data: Path, runs: int) -> list[float]:
    """Lets a service start crawls one after another; prints and returns its memory after some of them."""
    options = [SEED, "--max-pages", "1", "--recrawl", "none", "--discover", "links", "--connect-to", site]
    command = [
        sys.executable,
        "-m",
        "crawler",
        "schedule",
        "--data",
        str(data),
        "--every",
        "1s",
        "--",
        *options,
    ]
    began, taken = monotonic(), []
    environment = os.environ | {"ALSOREAD_SHORTEST_INTERVAL_SECONDS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as service:
        for line in service.stdout or ():
            ended = re.search(r"Crawl (\d+) ended", line)
            if ended and int(ended[1]) in TOLD_AFTER:
                taken.append(resident(service.pid))
                print(
                    f"run {ended[1]:>4}: {taken[-1]:5.1f} MiB after {monotonic() - began:4.0f} s", flush=True
                )
            if ended and int(ended[1]) >= runs:
                service.send_signal(signal.SIGTERM)
    return taken


def main() -> None:
    """Serves the demo network meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=TOLD_AFTER[-1])
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        build(DEMO, Path(folder, "network"))
        with Site(Path(folder, "network")) as site:
            taken = serve(site.url, Path(folder, "data"), options.runs)
    sys.exit(max(taken) >= MOST or taken[-1] > GROWTH * taken[0])


if __name__ == "__main__":
    main()
