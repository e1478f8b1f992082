"""Does a crawl that is killed with `kill -9` time and again come to the archive of one that nobody disturbed?

python -m bench.kills [SITES] [--host HOST] [--kills 100] [--rate RATE] [--seed 1]

SITES has one folder a host (default: the demo network); every host is a seed, or HOST alone. Prints a line for each
run and the differences in the end; exits with 1 where there is any, or anything was wrong meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.serving import sites_of
from tests.support.archives import differences, disorder
from tests.support.killing import Run, Start, killed, undisturbed


def main() -> int:
    """Kills, and compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", nargs="?", type=Path)
    parser.add_argument("--host")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rate", default="0", help="requests a second; 0 = no limit")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with sites_of(options.sites) as sites, TemporaryDirectory() as folder:
        hosts = [options.host] if options.host else [path.name for path in sorted(sites.iterdir())]
        start = Start(hosts, ["--rate", options.rate, *(f"--host={host}" for host in hosts)])
        whole = undisturbed(start, sites, Path(folder, "whole"))
        print(f"undisturbed: {whole.visits} pages in {whole.seconds:.1f} s", flush=True)
        runs: list[Run] = []
        data = Path(folder, "killed")
        for run in killed(start, sites, data, whole, kills=options.kills, seed=options.seed):
            runs.append(run)
            print(_line(runs), flush=True)
        wrong = [fault for run in runs for fault in run.wrong]
        wrong += disorder(data) + differences(whole.data, data)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(
        f"{sum(run.killed for run in runs)} kills in {sum(run.seconds for run in runs):.0f} s:"
        f" {sum(run.twice for run in runs)} pages fetched again,"
        f" at most {max(run.lost for run in runs)} in flight at a kill; {len(wrong)} differences and faults"
    )
    return int(bool(wrong))


def _line(runs: list[Run]) -> str:
    run = runs[-1]
    end = "killed" if run.killed else f"ended with {run.code}"
    return (
        f"run {len(runs)} {end} after {run.seconds:.2f} s: {run.visits} pages done, {run.lost} in flight,"
        f" {run.twice} fetched again, {len(run.wrong)} faults"
    )


if __name__ == "__main__":
    sys.exit(main())
