"""Processes of a test: what belongs to it, and how large it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def children() -> list[int]:
    """The processes that this one started, and that run."""
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True, check=True)
    pairs = [map(int, line.split()) for line in listed.stdout.splitlines()]
    return [child for parent, child in pairs if parent == os.getpid() and runs(child)]


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
