"""What does a crawl on a cluster cost, and where are its limits?

python -m bench.cluster [SITES] [--pages 600] [--slow-pages 400] [--shared]

SITES has one folder a host (default: the demo network). Everything runs on this machine, in a cluster of its own.
First, the processor's time for a page, without a cluster and with one worker, by kind of process: from the difference
of a crawl of all pages and one of a third of them, so that what it takes to start does not count. The coordinator's
part and that of its writer say how many visits a second one archive takes. Then pages a second of 1 and of 4 workers
with 4 requests under way each, from a server that answers after 300 ms. With --shared the workers of the first
measurement write the records of what they fetch (`warc.shared`). Exits with 1 where a page costs more than 1.2
times as much on a cluster, the coordinator takes less than 250 visits a second, or 4 workers are not 3.5 times as
fast as one. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crawl import command, sample
from bench.serving import served, sites_of, wait_for

PER_PAGE, VISITS_A_SECOND, FASTER = 1.2, 250, 3.5
_SAMPLE_SECONDS = 0.1
_RAY = "Ray"
_TICKS = os.sysconf("SC_CLK_TCK")
_REQUESTS_PER_WORKER = 4
_ANSWER_SECONDS = 0.3
_CRAWL = """
import json, sys
from crawler.runs.crawl import crawl, settings_with
report = crawl(json.loads(sys.argv[1]), settings_with(json.loads(sys.argv[2])))
print(json.dumps([report.crawl["pages"], report.crawl["started_at"], report.crawl["ended_at"]]))
"""
_SLOW = """
import asyncio, sys
from pathlib import Path
root, port, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

async def answer(reader, writer):
    while head := await reader.readuntil(b"\\r\\n\\r\\n"):
        lines = head.decode("latin-1").split("\\r\\n")
        host = next(line[6:] for line in lines if line.lower().startswith("host: "))
        file = root / host.partition(":")[0] / lines[0].split()[1].strip("/")
        file = file / "index.html" if file.is_dir() else file
        await asyncio.sleep(seconds)
        body = file.read_bytes() if file.is_file() else b""
        status = b"200 OK" if body else b"404 Not Found"
        writer.write(b"HTTP/1.1 %s\\r\\nContent-Type: text/html\\r\\n" % status)
        writer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)

async def main():
    async with await asyncio.start_server(answer, "127.0.0.1", port) as server:
        await server.serve_forever()

asyncio.run(main())
"""


def cpu_of(crawl: Sequence[str]) -> tuple[int, dict[str, float]]:
    """Run a crawl, and return its pages and the seconds of processor time by kind of process."""
    ticks: dict[int, tuple[str, int]] = {}
    with subprocess.Popen(crawl, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        while process.poll() is None:
            for pid, kind, used in _tree(process.pid):
                # A process of Ray has its name only while it is an actor.
                ticks[pid] = (kind if kind != _RAY or pid not in ticks else ticks[pid][0], used)
            time.sleep(_SAMPLE_SECONDS)
        summary = json.loads(process.communicate()[0])
    seconds: defaultdict[str, float] = defaultdict(float)
    for kind, used in ticks.values():
        seconds[kind] += used / _TICKS
    return int(summary["crawl"]["pages"]), seconds


def _tree(root: int) -> Iterator[tuple[int, str, int]]:
    """Yield each process below `root` and itself: its number, its kind and its ticks."""
    stats = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                name = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                stats[int(folder.name)] = (int(fields[1]), name, int(fields[11]) + int(fields[12]))
    for pid, (_, name, used) in stats.items():
        line = [pid]
        while line[-1] in stats and line[-1] != root:
            line.append(stats[line[-1]][0])
        if line[-1] == root:
            yield pid, _kind(name, [stats[parent][1] for parent in line[1:]], is_root=pid == root), used


def _kind(name: str, ancestors: list[str], *, is_root: bool) -> str:
    if is_root:
        return "command"
    for kind in ("CoordinatorActor", "Worker"):
        if re.match(rf"ray::{kind}\b", name):
            return kind
        if any(re.match(rf"ray::{kind}\b", ancestor) for ancestor in ancestors):
            return f"{kind}'s processes"
    if "fork_server" in name or any("fork_server" in ancestor for ancestor in ancestors):
        return "command's processes"
    return _RAY


def _per_page(
    sites: Path, server: str, data: Path, pages: int, *options: str, toml: str = ""
) -> dict[str, float]:
    """Return the milliseconds of processor time a page, by kind of process. `toml`: the archive's settings file."""
    few, many = (
        _crawl(sites, server, data / str(count), count, toml, *options) for count in (pages // 3, pages)
    )
    more = many[0] - few[0]
    return {kind: 1000 * (many[1][kind] - few[1][kind]) / more for kind in list(many[1])}


def _crawl(
    sites: Path, server: str, data: Path, pages: int, toml: str, *options: str
) -> tuple[int, dict[str, float]]:
    data.mkdir(parents=True)
    (data / "alsoread.toml").write_text(toml)
    seeds = data / "seeds.txt"
    chosen = sample(sites, pages)
    seeds.write_text("".join(f"https://{host}/{path}/\n" for host, path in chosen))
    hosts = [f"--host={folder.name}" for folder in sorted(sites.iterdir()) if folder.is_dir()]
    return cpu_of(command(data, server, [str(seeds)], "--max-pages", str(len(chosen)), *hosts, *options))


def _pages_a_second(sites: Path, server: str, data: Path, pages: int, workers: int) -> float:
    """Return how many pages a second so many workers fetch, each with few requests under way."""
    data.mkdir()
    seeds = [f"https://{host}/{path}/" for host, path in sample(sites, pages)]
    settings = {
        "ALSOREAD_DATA": str(data),
        "ALSOREAD_CLUSTER": "auto",
        "ALSOREAD_WORKERS": workers,
        "ALSOREAD_CONNECT_TO": server,
        "ALSOREAD_DISCOVER": "links",
        "ALSOREAD_MAX_PAGES": len(seeds),
        "CONCURRENT_REQUESTS": _REQUESTS_PER_WORKER,
    }
    crawl = [sys.executable, "-c", _CRAWL, json.dumps(seeds), json.dumps(settings)]
    subprocess.run(crawl, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return _fetching_rate(data)


def _fetching_rate(data: Path) -> float:
    """Return the pages a second between the first tenth of the visits and the last."""
    with closing(sqlite3.connect(data / "archive.db")) as db:
        query = "SELECT fetched_at FROM pages WHERE fetched_at NOT NULL ORDER BY fetched_at"
        times = [datetime.fromisoformat(at) for (at,) in db.execute(query)]
    tenth = len(times) // 10
    times = times[tenth : len(times) - tenth]
    return (len(times) - 1) / (times[-1] - times[0]).total_seconds()


@contextmanager
def _slow_server(sites: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-c", _SLOW, str(sites), str(port), str(_ANSWER_SECONDS)], stderr=subprocess.DEVNULL
    ) as server:
        wait_for(port)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", nargs="?", type=Path)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--slow-pages", type=int, default=400)
    parser.add_argument("--shared", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, sites_of(options.sites) as sites:
        data = Path(folder)
        with served(sites) as server:
            without = _per_page(sites, server, data / "without", options.pages)
            toml = "[warc]\nshared = true\n" if options.shared else ""
            one_worker = ("--cluster", "auto", "--workers", "1")
            on_cluster = _per_page(sites, server, data / "with", options.pages, *one_worker, toml=toml)
        for name, costs in (("without a cluster", without), ("on a cluster", on_cluster)):
            parts = ", ".join(f"{kind} {cost:.1f}" for kind, cost in costs.items())
            print(f"{name}: {sum(costs.values()):.1f} ms of a processor a page ({parts})", flush=True)
        ratio = sum(on_cluster.values()) / sum(without.values())
        print(f"ratio: {ratio:.2f}", flush=True)
        visits = 1000 / max(on_cluster["CoordinatorActor"], on_cluster["CoordinatorActor's processes"])
        print(f"visits a second that the coordinator takes: {visits:.0f}", flush=True)
        with _slow_server(sites) as server:
            one, four = (
                _pages_a_second(sites, server, data / f"slow-{workers}", options.slow_pages, workers)
                for workers in (1, 4)
            )
        print(
            f"of a server that answers after 300 ms: {one:.1f} and {four:.1f} pages a second, {four / one:.2f}"
        )
    sys.exit(ratio > PER_PAGE or visits < VISITS_A_SECOND or four < FASTER * one)


if __name__ == "__main__":
    main()
