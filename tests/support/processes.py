"""Processes of a test: what belongs to it, and how large it is."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from pathlib import Path


def descendants(pid: int | None = None) -> set[int]:
    """The processes that one started, this one if none is given, with those that they started, as far as they run."""
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True, check=True)
    children = defaultdict(list)
    for line in listed.stdout.splitlines():
        parent, child = map(int, line.split())
        children[parent].append(child)
    below, queue = set[int](), [pid or os.getpid()]
    while queue:
        found = children[queue.pop()]
        below.update(found)
        queue += found
    return {pid for pid in below if runs(pid)}


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def resident(pid: int) -> float:
    """Mebibytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
