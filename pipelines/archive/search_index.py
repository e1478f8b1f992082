"""Create the full-text index of articles; triggers copy into it what is searched."""

from __future__ import annotations

import logging

from sqlite_utils import Database

from pipelines.archive.grams import grams_of

TOKENIZER = "porter unicode61 remove_diacritics 2"
_COLUMNS = ("title", "description", "body", "grams")
_BATCH_ROWS = 5_000
_logger = logging.getLogger(__name__)

# With its content in the table of that name: so sqlite-utils and Datasette find it by themselves.
_INDEX = f"""
CREATE VIRTUAL TABLE articles_fts USING FTS5 (
  {", ".join(_COLUMNS)}, tokenize='{TOKENIZER}', content="articles", content_rowid="id"
)"""
_NEW = ", ".join(f"new.{column}" for column in _COLUMNS)
_OLD = ", ".join(f"old.{column}" for column in _COLUMNS)
_INSERT = f"""INSERT INTO "articles_fts" (rowid, {", ".join(_COLUMNS)})"""
_ADD = f"{_INSERT} VALUES (new.id, {_NEW});"
_REMOVE = f"""INSERT INTO "articles_fts" (articles_fts, rowid, {", ".join(_COLUMNS)})
              VALUES ('delete', old.id, {_OLD});"""
_TRIGGERS = {
    "articles_ai": f"INSERT ON articles BEGIN {_ADD} END",
    "articles_ad": f"DELETE ON articles BEGIN {_REMOVE} END",
    # Only what is searched: any other update of a row would index its text again.
    "articles_au": f"UPDATE OF {', '.join(_COLUMNS)} ON articles BEGIN {_REMOVE} {_ADD} END",
}


def create_search_index(db: Database) -> None:
    """Create the index anew and index every article; the progress of a large archive is logged."""
    db.table("articles").disable_fts()
    _fill_grams(db)
    db.execute(_INDEX)
    # Merging its parts seldom: it took a tenth of a crawl into a large archive. `maintain` merges all of them.
    db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('automerge', 16)")
    last, count = db.execute("SELECT coalesce(max(id), 0), count(*) FROM articles").fetchone()
    done = 0
    for start in range(0, last, _BATCH_ROWS):
        done += db.execute(
            f"{_INSERT} SELECT id, {', '.join(_COLUMNS)} FROM articles WHERE id > ? AND id <= ?",
            [start, start + _BATCH_ROWS],
        ).rowcount
        if count > _BATCH_ROWS:
            _logger.info("Search index: %s of %s articles.", f"{done:,}", f"{count:,}")
    for name, event in _TRIGGERS.items():
        db.execute(f"CREATE TRIGGER {name} AFTER {event}")


def _fill_grams(db: Database) -> None:
    """Store the grams of articles that may need them: of these languages, or of none that is known."""
    query = "SELECT id FROM articles WHERE coalesce(substr(lang, 1, 2) IN ('zh', 'ja', 'ko'), 1)"
    for (page,) in db.execute(query).fetchall():
        row = db.execute(
            "SELECT lang, title, description, body FROM articles WHERE id = ?", [page]
        ).fetchone()
        if (grams := grams_of(*row)) is not None:
            db.execute("UPDATE articles SET grams = ? WHERE id = ?", [grams, page])
