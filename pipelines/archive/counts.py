"""Keep counts that take long to make in a large archive: triggers update them with every row."""

from __future__ import annotations

from sqlite_utils import Database

_TABLES = {
    "host_counts": """
        host TEXT PRIMARY KEY REFERENCES hosts(host),
        articles INTEGER NOT NULL DEFAULT 0,
        words INTEGER NOT NULL DEFAULT 0,
        images INTEGER NOT NULL DEFAULT 0""",
    "state_counts": """
        host TEXT NOT NULL REFERENCES hosts(host),
        state TEXT NOT NULL,
        pages INTEGER NOT NULL,
        PRIMARY KEY (host, state)""",
    "link_counts": """
        page INTEGER PRIMARY KEY REFERENCES pages(id),
        links INTEGER NOT NULL DEFAULT 0,
        archived INTEGER NOT NULL DEFAULT 0""",
    "host_links": """
        source TEXT NOT NULL REFERENCES hosts(host),
        target TEXT NOT NULL REFERENCES hosts(host),
        links INTEGER NOT NULL,
        PRIMARY KEY (source, target)""",
}
_INDEXES = (
    "CREATE INDEX link_counts_missing ON link_counts(links) WHERE links > 0 AND NOT archived",
    "CREATE INDEX link_counts_archived ON link_counts(links) WHERE archived",
)
_COUNTED = {
    "host_counts": """
        SELECT host, sum(articles), sum(words), sum(images) FROM (
          SELECT host, 1 AS articles, words, 0 AS images FROM articles
          UNION ALL SELECT host, 0, 0, 1 FROM images JOIN pages ON pages.id = images.article)
        GROUP BY host""",
    "state_counts": "SELECT host, state, count(*) FROM pages GROUP BY host, state",
    "link_counts": """
        SELECT page, sum(links), sum(archived) FROM (
          SELECT target AS page, 1 AS links, 0 AS archived FROM also_read
          WHERE position IS NOT NULL AND source <> target
          UNION ALL SELECT id, 0, 1 FROM articles)
        GROUP BY page""",
    "host_links": """
        SELECT source.host, target.host, count(*)
        FROM also_read JOIN pages AS source ON source.id = also_read.source
                       JOIN pages AS target ON target.id = also_read.target
        WHERE position IS NOT NULL GROUP BY source.host, target.host""",
}
"""Queries that make the rows of each table from what it counts."""

_COUNT_LINK = """
    INSERT INTO link_counts (page, links) SELECT NEW.target, 1 WHERE NEW.source <> NEW.target
    ON CONFLICT DO UPDATE SET links = links + 1;
    INSERT INTO host_links (source, target, links)
    SELECT source.host, target.host, 1 FROM pages AS source, pages AS target
    WHERE source.id = NEW.source AND target.id = NEW.target
    ON CONFLICT DO UPDATE SET links = links + 1;"""
_UNCOUNT_LINK = """
    UPDATE link_counts SET links = links - 1 WHERE page = OLD.target AND OLD.source <> OLD.target;
    DELETE FROM link_counts WHERE page = OLD.target AND links = 0 AND NOT archived;
    UPDATE host_links SET links = links - 1
    WHERE source = (SELECT host FROM pages WHERE id = OLD.source)
      AND target = (SELECT host FROM pages WHERE id = OLD.target);
    DELETE FROM host_links
    WHERE source = (SELECT host FROM pages WHERE id = OLD.source)
      AND target = (SELECT host FROM pages WHERE id = OLD.target) AND links = 0;"""
_COUNT_STATE = """
    INSERT INTO state_counts (host, state, pages) VALUES (NEW.host, NEW.state, 1)
    ON CONFLICT DO UPDATE SET pages = pages + 1;"""
_TRIGGERS = {
    "INSERT ON pages": _COUNT_STATE,
    "UPDATE OF state ON pages WHEN NEW.state <> OLD.state": f"""
        UPDATE state_counts SET pages = pages - 1 WHERE host = OLD.host AND state = OLD.state;
        DELETE FROM state_counts WHERE host = OLD.host AND state = OLD.state AND pages = 0;
        {_COUNT_STATE}""",
    "INSERT ON articles": """
        INSERT INTO host_counts (host, articles, words) VALUES (NEW.host, 1, NEW.words)
        ON CONFLICT DO UPDATE SET articles = articles + 1, words = words + excluded.words;
        INSERT INTO link_counts (page, archived) VALUES (NEW.id, 1) ON CONFLICT DO UPDATE SET archived = 1;
        UPDATE pages SET title = NEW.title WHERE id = NEW.id;""",
    "UPDATE OF words ON articles": """
        UPDATE host_counts SET words = words + NEW.words - OLD.words WHERE host = NEW.host;""",
    "UPDATE OF title ON articles": "UPDATE pages SET title = NEW.title WHERE id = NEW.id;",
    "INSERT ON images": """
        INSERT INTO host_counts (host, images) SELECT host, 1 FROM pages WHERE id = NEW.article
        ON CONFLICT DO UPDATE SET images = images + 1;""",
    "DELETE ON images": """
        UPDATE host_counts SET images = images - 1 WHERE host = (SELECT host FROM pages WHERE id = OLD.article);""",
    "INSERT ON also_read WHEN NEW.position IS NOT NULL": _COUNT_LINK,
    "UPDATE OF position ON also_read WHEN OLD.position IS NULL AND NEW.position IS NOT NULL": _COUNT_LINK,
    "UPDATE OF position ON also_read WHEN OLD.position IS NOT NULL AND NEW.position IS NULL": _UNCOUNT_LINK,
}
"""Statements by the event after which they run. No row of pages, articles or also_read is ever deleted."""


def create_counts(db: Database) -> None:
    """Create the tables with the counts of the rows that are there, and the triggers that update them."""
    for table, columns in _TABLES.items():
        without_rowid = "" if "INTEGER PRIMARY KEY" in columns else ", WITHOUT ROWID"
        db.execute(f"CREATE TABLE {table} ({columns}) STRICT{without_rowid}")
        db.execute(f"INSERT INTO {table} {_COUNTED[table]}")
    for index in _INDEXES:
        db.execute(index)
    for number, (event, statements) in enumerate(_TRIGGERS.items(), 1):
        db.execute(f"CREATE TRIGGER counts_{number} AFTER {event} BEGIN {statements} END")


def wrong_tables(db: Database) -> list[str]:
    """Return the tables whose counts are not those of the rows. It reads the whole catalog."""
    return [table for table, query in _COUNTED.items() if _differs(db, table, query)]


def recount(db: Database, table: str) -> None:
    """Make the counts of a table anew, in the caller's transaction."""
    db.execute(f"DELETE FROM {table}")
    db.execute(f"INSERT INTO {table} {_COUNTED[table]}")


def _differs(db: Database, table: str, counted: str) -> bool:
    stored = f"SELECT * FROM {table}"
    for minuend, subtrahend in ((stored, counted), (counted, stored)):
        if db.execute(f"SELECT * FROM ({minuend}) EXCEPT SELECT * FROM ({subtrahend}) LIMIT 1").fetchone():
            return True
    return False
