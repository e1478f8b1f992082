"""Match the rows of two archives and decide which of them counts, before anything is changed.

Of an article that both hold, the newer copy is the current one: that with the later `updated` (else `date`), of equal
ones that which was fetched last. Of a page that both know, the state of the later visit counts.
"""

from __future__ import annotations

from sqlite_utils import Database

# old: their id, new: ours; fresh: we did not have the row. visit: their state of the page counts; held: we have its
# article; copy: their article becomes the current one; alike: both are the same version.
_MAPS = (
    "CREATE TEMP TABLE record_map (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)",
    "CREATE TEMP TABLE run_map (old INTEGER PRIMARY KEY, new INTEGER NOT NULL, fresh INTEGER NOT NULL)",
    """CREATE TEMP TABLE page_map (
         old INTEGER PRIMARY KEY, new INTEGER NOT NULL, fresh INTEGER NOT NULL, visit INTEGER NOT NULL,
         held INTEGER NOT NULL, copy INTEGER NOT NULL, alike INTEGER NOT NULL DEFAULT 0)""",
)
_CURRENT = """
CREATE TEMP VIEW {name} AS
SELECT id AS article, changed_at AS archived_at, changed_crawl AS crawl, title, author, date, updated,
       body, body_hash, record,
       (SELECT json_group_array(json_object('url', url, 'alt', alt, 'title', title))
        FROM (SELECT * FROM {schema}.images WHERE article = articles.id ORDER BY position)) AS images
FROM {schema}.articles
"""
SAME = """{0}.title IS {1}.title AND {0}.author IS {1}.author AND {0}.body_hash = {1}.body_hash
           AND json({0}.images) = json({1}.images)"""
"""SQL condition: two versions of an article differ in none of `revisions.VERSIONED_FIELDS`."""

_SAME_RUN = "theirs.started_at = ours.started_at AND theirs.pid = ours.pid AND theirs.seeds = ours.seeds"
_RUN_MAP = f"""
INSERT INTO run_map
SELECT theirs.id, coalesce(ours.id, (SELECT coalesce(max(id), 0) FROM main.crawls)
                                    + row_number() OVER (PARTITION BY ours.id IS NULL ORDER BY theirs.id)),
       ours.id IS NULL
FROM other.crawls AS theirs LEFT JOIN main.crawls AS ours ON {_SAME_RUN}
"""


def _visit_rank(page: str) -> str:
    """Build the SQL row value that is greater for the state that counts: settled, then of the later visit."""
    rank = f"CASE {page}.state WHEN 'due' THEN 0 WHEN 'failed' THEN 1 ELSE 2 END"
    return f"({rank}, coalesce({page}.fetched_at, ''))"


def _age(page: str, article: str) -> str:
    """Build the SQL row value that is greater for the newer copy of an article."""
    fetched_at = f"CASE {page}.state WHEN 'stored' THEN {page}.fetched_at ELSE {article}.changed_at END"
    return (
        f"(coalesce({article}.updated, {article}.date, ''), {fetched_at}, coalesce({article}.file_hash, ''))"
    )


_PAGE_MAP = f"""
INSERT INTO page_map (old, new, fresh, visit, held, copy)
SELECT theirs.id, coalesce(ours.id, (SELECT coalesce(max(id), 0) FROM main.pages)
                                    + row_number() OVER (PARTITION BY ours.id IS NULL ORDER BY theirs.id)),
       ours.id IS NULL, ours.id IS NULL OR {_visit_rank("theirs")} > {_visit_rank("ours")}, our_copy.id NOT NULL,
       their_copy.id NOT NULL AND (our_copy.id IS NULL OR
         coalesce(their_copy.file_hash, 'theirs') <> coalesce(our_copy.file_hash, 'ours')
         AND {_age("theirs", "their_copy")} > {_age("ours", "our_copy")})
FROM other.pages AS theirs
LEFT JOIN other.articles AS their_copy ON their_copy.id = theirs.id
LEFT JOIN main.pages AS ours ON ours.url = theirs.url
LEFT JOIN main.articles AS our_copy ON our_copy.id = ours.id
"""


def map_rows(db: Database) -> None:
    """Make `run_map` and `page_map` of our catalog and of the one attached as `other`; `record_map` is empty."""
    for statement in _MAPS:
        db.execute(statement)
    db.execute(_CURRENT.format(name="our_current", schema="main"))
    db.execute(_CURRENT.format(name="their_current", schema="other"))
    db.execute(_RUN_MAP)
    db.execute(_PAGE_MAP)
    db.execute(
        f"""UPDATE page_map SET alike = 1 FROM our_current AS ours, their_current AS theirs
            WHERE ours.article = new AND theirs.article = old AND {SAME.format("ours", "theirs")}"""
    )


def drop_maps(db: Database) -> None:
    """Drop what `map_rows` made."""
    for view in ("our_current", "their_current"):
        db.execute(f"DROP VIEW temp.{view}")
    for table in ("run_map", "page_map", "record_map"):
        db.execute(f"DROP TABLE temp.{table}")
