"""Does the service stay small? Its memory over many runs of real crawls, each of one page, of the demo network.

python -m bench.service [RUNS]

Prints the service's own memory after runs 1, 10, 50 and 200, and the seconds until then.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.site import SEED, Site, build

DEMO = Path(__file__).parents[1] / "data" / "demo"
TOLD_AFTER = (1, 10, 50, 200)


def resident(pid: int) -> float:
    """Mebibytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def serve(site: str, data: Path, runs: int) -> None:
    """Lets a service start crawls one after another, and prints its memory."""
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
    began = monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        for line in service.stdout or ():
            ended = re.search(r"Crawl (\d+) ended", line)
            if ended and int(ended[1]) in TOLD_AFTER:
                seconds = monotonic() - began
                print(
                    f"run {ended[1]:>4}: {resident(service.pid):5.1f} MiB after {seconds:4.0f} s", flush=True
                )
            if ended and int(ended[1]) >= runs:
                service.send_signal(signal.SIGTERM)


def main() -> None:
    """Serves the demo network meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=TOLD_AFTER[-1])
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        build(DEMO, Path(folder, "network"))
        with Site(Path(folder, "network")) as site:
            serve(site.url, Path(folder, "data"), options.runs)


if __name__ == "__main__":
    main()
