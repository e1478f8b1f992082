"""Disks without room, catalogs that other programs lock or damage, and what verify says of an archive."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from pipelines.verifying.verify import verify

ONE, TWO, THREE = (f"https://one.techidaily.com/{slug}/" for slug in ("bread", "jam", "rolls"))


def said(data: Path) -> list[str]:
    return [f"{finding.where}: {finding.what}" for finding in verify(data)]


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of that size."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs (package mount, as root)")
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """A file of which the disk gives nothing but an error."""
    mount = ["mount", "--bind", f"/proc/{os.getpid()}/mem", str(path)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to bind a file (package mount, as root)")
    try:
        yield
    finally:
        _unmount(path)


def _unmount(path: Path) -> None:
    """Unmount even where the traceback of a failed test keeps files open: a later run could not remove the folder."""
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(disk: Path) -> None:
    """Leave no room."""
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def limited(size: int, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that may write no file beyond a size."""
    limits = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
    code = f"{limits}; from crawler.__main__ import main; main()"
    command = [sys.executable, "-W", "error", "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A database that another program keeps to itself, also from readers."""
    code = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA locking_mode = EXCLUSIVE")
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield
        other.communicate()


def overwrite_page(data: Path, name: str) -> None:
    """Fill the first page of a table or an index with what is none."""
    with closing(sqlite3.connect(data / "archive.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size: int = db.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        page: int = db.execute(query, [name]).fetchone()[0]
    with (data / "archive.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
