"""Write the rows of images and of their copies, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from sqlite_utils import Database

from crawler.items import ImageVisit, iso
from pipelines.archive import pages, revisit
from pipelines.archive.files import hash_of

COLUMNS = (
    *("url", "state", "path", "hash", "bytes", "type"),
    *("fetched_at", "status", "attempts", "due_at", "error"),
)
UPDATE = f"ON CONFLICT (url) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)}"
"""What an INSERT does if the image has a row."""
_ROW = f"INSERT INTO pictures ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)}) {UPDATE}"


def put_copy(db: Database, url: str, path: PurePosixPath, kind: str, content: bytes, **facts: Any) -> None:
    """Store the row of an image whose copy is in its place."""
    copy = {"path": str(path), "hash": hash_of(content), "bytes": len(content), "type": kind}
    _put(db, {"url": url, "state": "stored", "attempts": 0} | copy | facts)


def put_failure(db: Database, visit: ImageVisit, moment: datetime, retry_delays: Sequence[float]) -> None:
    """Store the row of an image without a copy: failed ones are requested again soon, others seldom."""
    failed = visit.state == "failed"
    attempts = _failures(db, visit.url) + 1 if failed else 0
    asked = timedelta(seconds=visit.retry_after or 0)
    wait = max(revisit.next_try(attempts, retry_delays), asked) if failed else revisit.LONGEST
    facts = {"status": visit.status, "fetched_at": iso(moment), "attempts": attempts}
    row = {"url": visit.url, "state": visit.state, "error": visit.reason, "due_at": iso(moment + wait)}
    _put(db, row | facts)


def _failures(db: Database, url: str) -> int:
    row = pages.first(db, "SELECT attempts FROM pictures WHERE url = ?", url)
    return row["attempts"] if row else 0


def fetch_again(db: Database, url: str, due_at: str, why: str) -> None:
    """Make an image due whose copy was lost."""
    lost = ", ".join(f"{name} = NULL" for name in ("path", "hash", "bytes", "type"))
    db.execute(
        f"UPDATE pictures SET {lost}, state = 'failed', attempts = 1, due_at = ?, error = ? WHERE url = ?",
        [due_at, why, url],
    )


def _put(db: Database, row: dict[str, Any]) -> None:
    db.execute(_ROW, dict.fromkeys(COLUMNS) | row)
