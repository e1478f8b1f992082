"""Check what an archive needs of its machine, and what it says itself, with advice where something is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlite_utils import Database

from crawler.clock import minute, now
from crawler.config.file import FILE_NAME, read_config
from crawler.errors import AlsoreadError
from crawler.frontier.seeds import read_seeds
from crawler.items import iso
from crawler.reports.terminal import output, plain, print_json
from crawler.settings import ALSOREAD_CONTACT, ALSOREAD_SCOPE
from crawler.urls import host_of
from pipelines.archive.connection import open_readonly, outdated_error, schema_version
from pipelines.archive.lock import is_locked, lock_owner

_GIB = 2**30
_BACKUP_AGE = timedelta(days=30)
_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    name: str
    ok: bool
    found: str
    advice: str = ""
    """What to do; empty where nothing is wrong."""


def check(data: Path) -> list[Check]:
    """Check the machine and the archive in a folder, which need not exist. Raises ConfigError."""
    config = read_config(data)
    checks = [_python(), _sqlite(), _disk(data, config), _clock(), _dns(config), _contact(data, config)]
    if (data / "archive.db").is_file():
        checks += _archive(data / "archive.db")
    return checks


def print_checks(checks: Sequence[Check]) -> None:
    """Print the checks, for people."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in checks:
        mark = plain("ok", "green") if row.ok else plain("!", "bold yellow")
        table.add_row(mark, row.name, plain(f"{row.found}\n{row.advice}".rstrip()))
    output().print(table)


def print_checks_json(checks: Sequence[Check]) -> None:
    """Print the same as JSON."""
    print_json({"ok": all(row.ok for row in checks), "checks": [asdict(row) for row in checks]})


def _python() -> Check:
    return Check("Python", True, f"{platform.python_version()}, {platform.system()} {platform.machine()}")


def _sqlite() -> Check:
    with closing(sqlite3.connect(":memory:")) as db:
        options = {option for (option,) in db.execute("PRAGMA compile_options")}
    has_search = "ENABLE_FTS5" in options
    found = f"{sqlite3.sqlite_version}, {'with' if has_search else 'without'} FTS5"
    return Check("SQLite", has_search, found, "" if has_search else "Use a Python whose SQLite has FTS5.")


def _disk(data: Path, config: Mapping[str, Any]) -> Check:
    folder = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.is_dir())
    free, least = shutil.disk_usage(folder).free, config["limits.disk_free"]
    found = f"{free / _GIB:,.1f} GiB free in {folder}"
    if free < least:
        return Check(
            "disk", False, found, f"Make room: runs end below {least / _GIB:,.1f} GiB (limits.disk_free)."
        )
    if not os.access(folder, os.W_OK):
        return Check(
            "disk", False, found, f"You may not write to {folder}: change its owner, or use another --data."
        )
    return Check("disk", True, found)


def _clock() -> Check:
    moment = now()
    found = f"{minute(iso(moment))} UTC"
    if moment < _RELEASED:
        return Check("clock", False, found, "Set the clock: it is before this version of alsoread was made.")
    return Check("clock", True, found)


def _dns(config: Mapping[str, Any]) -> Check:
    host = host_of(read_seeds(config["seeds"], ALSOREAD_SCOPE)[0])
    try:
        socket.getaddrinfo(host, 443)
    except OSError as error:
        found = f"{host} has no address: {error.strerror}"
        return Check("DNS", False, found, "Check the network and the name servers of this machine.")
    return Check("DNS", True, f"{host} has an address")


def _contact(data: Path, config: Mapping[str, Any]) -> Check:
    if contact := config["contact"] or os.environ.get("ALSOREAD_CONTACT"):
        return Check("contact", True, contact)
    advice = f"Set `contact` in {data / FILE_NAME} to an address that you read."
    return Check("contact", False, f"requests carry {ALSOREAD_CONTACT}", advice)


def _archive(path: Path) -> list[Check]:
    try:
        with closing(open_readonly(path)) as db:
            if error := outdated_error(db, path):
                return [Check("schema", False, str(error), f"Run `alsoread upgrade --data {path.parent}`.")]
            return [_schema(db), _lock(path), _runs(db), _backup(db, path.parent)]
    except AlsoreadError as error:
        return [Check("catalog", False, str(error), "See docs/verify.md.")]


def _schema(db: Database) -> Check:
    return Check("schema", True, f"{schema_version(db)}, which is the current one")


def _lock(path: Path) -> Check:
    return Check("lock", True, lock_owner(path) if is_locked(path) else "no command writes to the archive")


def _runs(db: Database) -> Check:
    last = db.execute("SELECT max(started_at) FROM crawls").fetchone()[0]
    if last and last > iso(now()):
        found = f"the last run began at {minute(last)} UTC, which is still to come"
        return Check("runs", False, found, "Set the clock of this machine: pages are due by it.")
    return Check("runs", True, f"the last one began at {minute(last)} UTC" if last else "none yet")


def _backup(db: Database, data: Path) -> Check:
    last = db.execute("SELECT max(made_at) FROM backups").fetchone()[0]
    found = f"the last backup is of {minute(last)} UTC" if last else "there is no backup"
    if last and last > iso(now() - _BACKUP_AGE):
        return Check("backup", True, found)
    return Check("backup", False, found, f"Run `alsoread backup FILE --data {data}`, best on another disk.")
