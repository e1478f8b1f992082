"""Do two versions of alsoread make the same archive of the same sites?

    python -m bench.same OLD NEW [SITES]

OLD and NEW are checkouts on which `make install` was run; run it in NEW. SITES has one folder a host (default: the
demo network).
Each version crawls all of it into an archive of its own. NEW then migrates and verifies the archive that OLD made,
and both are compared: every file of an article, and every table but for ids, times and the counts of runs. Prints
each difference, and exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.serving import served, sites_of
from pipelines.archive.lock import lock_and_open
from tests.support.archives import differences

_CRAWLED = (0, 1)
"""Exit codes of a crawl that ended by itself: without and with alarms."""


def main() -> None:
    """Crawl, migrate, verify, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("sites", type=Path, nargs="?")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        sites = stack.enter_context(sites_of(arguments.sites))
        server = stack.enter_context(served(sites))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        old, new = folder / "old", folder / "new"
        findings = [*_crawl(arguments.old, old, sites, server), *_crawl(arguments.new, new, sites, server)]
        lock, db = lock_and_open(old / "archive.db")  # migrates it
        db.close()
        lock.release()
        findings += [
            *_run(arguments.new, "maintain", "--data", str(old)),
            *_run(arguments.new, "verify", "--data", str(old)),
            *differences(old, new),
        ]
    print("\n".join(findings) or "The archives are the same.")
    sys.exit(bool(findings))


def _crawl(checkout: Path, data: Path, sites: Path, server: str) -> Iterator[str]:
    hosts = sorted(host.name for host in sites.iterdir() if host.is_dir())
    only = (f"--hosts={host}" for host in hosts)
    yield from _run(
        checkout, "crawl", *hosts, *only, "--connect-to", server, "--data", str(data), ok=_CRAWLED
    )


def _run(checkout: Path, *command: str, ok: tuple[int, ...] = (0,)) -> Iterator[str]:
    """Run a command of one version; yield what it printed if it failed."""
    program = checkout.resolve() / ".venv" / "bin" / "alsoread"
    done = subprocess.run([program, *command], capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        printed = done.stderr or done.stdout
        yield f"{checkout}: alsoread {command[0]} ended with exit code {done.returncode}: {printed}"


if __name__ == "__main__":
    main()
