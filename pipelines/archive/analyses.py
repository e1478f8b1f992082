"""Define the tables of what is computed from all articles: the graph's measures, and near-duplicates.

`pipelines/analysis/` fills them. Triggers note which articles it has to compare, so no writer has to think of that.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database

GRAPH_COLUMNS = ("article", "in_degree", "out_degree", "pagerank", "component")
GraphRow = tuple[int, int, int, float, int]
"""Values of `GRAPH_COLUMNS`."""

_TABLES = (
    """CREATE TABLE analyses (
        name TEXT PRIMARY KEY CHECK (name IN ('graph', 'near_duplicates')),
        fingerprint TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE article_graph (
        article INTEGER PRIMARY KEY REFERENCES articles(id),
        in_degree INTEGER NOT NULL,
        out_degree INTEGER NOT NULL,
        pagerank REAL NOT NULL,
        component INTEGER NOT NULL) STRICT""",
    """CREATE TABLE texts (
        id INTEGER PRIMARY KEY,
        body_hash TEXT NOT NULL UNIQUE,
        first INTEGER REFERENCES articles(id),
        rank TEXT,
        canonical INTEGER REFERENCES texts(id),
        similarity REAL) STRICT""",
    "CREATE INDEX texts_first ON texts(first)",
    "CREATE INDEX texts_canonical ON texts(canonical)",
    """CREATE TABLE text_bands (
        hash INTEGER NOT NULL,
        text INTEGER NOT NULL REFERENCES texts(id),
        PRIMARY KEY (hash, text)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX text_bands_text ON text_bands(text)",
    """CREATE TABLE article_texts (
        article INTEGER PRIMARY KEY REFERENCES articles(id),
        text INTEGER REFERENCES texts(id),
        compared INTEGER NOT NULL DEFAULT 0) STRICT""",
    "CREATE INDEX article_texts_text ON article_texts(text)",
    "CREATE INDEX article_texts_uncompared ON article_texts(article) WHERE NOT compared",
)
_TRIGGERS = (
    """CREATE TRIGGER article_texts_new AFTER INSERT ON articles BEGIN
        INSERT INTO article_texts (article) VALUES (NEW.id) ON CONFLICT DO UPDATE SET compared = 0;
       END""",
    # What decides which article of a family is the canonical one counts as well as the text.
    """CREATE TRIGGER article_texts_changed AFTER UPDATE OF body_hash, date, url ON articles
       WHEN NEW.body_hash <> OLD.body_hash OR NEW.date IS NOT OLD.date OR NEW.url <> OLD.url BEGIN
        UPDATE article_texts SET compared = 0 WHERE article = NEW.id;
       END""",
)


def create_analyses(db: Database) -> None:
    """Create the tables, and the triggers; the articles that are there are to be compared."""
    for statement in (*_TABLES, *_TRIGGERS):
        db.execute(statement)
    db.execute("INSERT INTO article_texts (article) SELECT id FROM articles")


def create_graph_order(db: Database) -> None:
    """Create the index of articles by PageRank."""
    db.execute("CREATE INDEX article_graph_pagerank ON article_graph(pagerank DESC)")


def count_uncompared(db: Database) -> int:
    """Return how many articles are new or changed since articles were compared."""
    count: int = db.execute("SELECT count(*) FROM article_texts WHERE NOT compared").fetchone()[0]
    return count


def forget_comparison(db: Database) -> None:
    """Have all articles compared anew, in the caller's transaction."""
    db.execute("UPDATE article_texts SET text = NULL, compared = 0")
    db.execute("INSERT OR IGNORE INTO article_texts (article) SELECT id FROM articles")
    db.execute("DELETE FROM article_texts WHERE article NOT IN (SELECT id FROM articles)")
    db.execute("DELETE FROM text_bands")
    db.execute("UPDATE texts SET canonical = NULL")
    db.execute("DELETE FROM texts")


def forget_graph(db: Database) -> None:
    """Have the graph's measures computed anew, in the caller's transaction."""
    db.execute("DELETE FROM article_graph")
    db.execute("DELETE FROM analyses WHERE name = 'graph'")


def replace_graph(db: Database, rows: Iterable[GraphRow]) -> None:
    """Make these the graph's measures of all articles, in the caller's transaction."""
    db.execute("DROP INDEX article_graph_pagerank")  # quicker made at the end than row by row
    db.execute("DELETE FROM article_graph")
    insert = f"INSERT INTO article_graph ({', '.join(GRAPH_COLUMNS)}) VALUES (?, ?, ?, ?, ?)"
    db.conn.executemany(insert, rows)
    create_graph_order(db)


def fingerprint_of(db: Database, analysis: str) -> str | None:
    """Return what the results of an analysis were made from; None if there are none."""
    row = db.execute("SELECT fingerprint FROM analyses WHERE name = ?", [analysis]).fetchone()
    return row and str(row[0])


def record_analysis(db: Database, analysis: str, fingerprint: str) -> None:
    """Record what the results of an analysis were made from, in the caller's transaction."""
    db.execute(
        """INSERT INTO analyses (name, fingerprint) VALUES (?, ?)
           ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint""",
        [analysis, fingerprint],
    )
