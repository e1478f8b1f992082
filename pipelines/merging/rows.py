"""Merge the rows of another archive, table by table, under ids of ours."""

from __future__ import annotations

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from pipelines.archive import pages
from pipelines.merging.identity import SAME
from pipelines.merging.originals import merge_records

_MERGED_APART = {"crawls", "hosts", "pages", "articles", "also_read", "images", "revisions", "quarantine"}
"""Tables with a function of their own, or that are not merged, as the pages in quarantine.

Rows of all others are merged with the run that they belong to.
"""
_STATE_COLUMNS = (
    *("state", "due_at", "fetched_at", "status", "etag", "last_modified", "lastmod", "moved_to"),
    *("attempts", "error", "gone_at"),
)
"""Columns of a page's state."""
_STAMP_COLUMNS = ("archived_at", "crawl", "changed_at", "changed_crawl")


def merge_rows(db: Database) -> None:
    """Merge the rows of the catalog that is attached as `other`, as `run_map` and `page_map` have it."""
    merge_records(db)
    _runs(db)
    _hosts(db)
    _pages(db)
    _keep_revisions(db, "our_current", "their_current", "copy")
    _articles(db)
    _links(db)
    _revisions(db)
    _keep_revisions(db, "their_current", "our_current", "NOT copy")
    _runs_details(db)
    pages.lower_all_depths(db)


def _mapped(db: Database, table: str) -> dict[str, str]:
    """Return SQL expressions, by column, of a row of theirs with ids of ours."""
    keys = {key.column: key.other_table for key in db.table(table).foreign_keys}
    maps = {"crawls": "run_map", "pages": "page_map", "articles": "page_map", "warc_records": "record_map"}
    return {
        column.name: f"(SELECT new FROM {maps[keys[column.name]]} WHERE old = theirs.{column.name})"
        if keys.get(column.name) in maps
        else f"theirs.{column.name}"
        for column in db.table(table).columns
    }


def _copy(db: Database, table: str, condition: str, **columns: str) -> None:
    """Copy their rows for which a condition holds. `columns`: expressions in place of those of `_mapped`."""
    values = _mapped(db, table) | columns
    query = f"""INSERT INTO main.{table} ({", ".join(values)})
                SELECT {", ".join(values.values())} FROM other.{table} AS theirs WHERE {condition}"""
    db.execute(query, {"now": iso(now())})


def _runs(db: Database) -> None:
    ended = {"ended_at": "coalesce(theirs.ended_at, :now)", "outcome": "coalesce(theirs.outcome, 'killed')"}
    new_id = "(SELECT new FROM run_map WHERE old = theirs.id)"
    _copy(db, "crawls", "id IN (SELECT old FROM run_map WHERE fresh)", id=new_id, **ended)


def _hosts(db: Database) -> None:
    """Merge hosts: the later pause, the larger number of audits and the later sitemaps count."""
    _copy(db, "hosts", "theirs.host NOT IN (SELECT host FROM main.hosts)")
    for columns, later in (
        (("not_before", "failures"), "coalesce(theirs.not_before, '') > coalesce(hosts.not_before, '')"),
        (("audited", "missed", "announces"), "theirs.audited > hosts.audited"),
        (
            ("sitemaps_crawl",),
            """(SELECT started_at FROM other.crawls WHERE id = theirs.sitemaps_crawl)
               > coalesce((SELECT started_at FROM main.crawls WHERE id = hosts.sitemaps_crawl), '')""",
        ),
    ):
        mapped = _mapped(db, "hosts")
        assignments = ", ".join(f"{column} = {mapped[column]}" for column in columns)
        db.execute(
            f"""UPDATE main.hosts SET {assignments} FROM other.hosts AS theirs
                WHERE theirs.host = hosts.host AND {later}"""
        )


def _pages(db: Database) -> None:
    mapped = _mapped(db, "pages")
    new_id = "(SELECT new FROM page_map WHERE old = theirs.id)"
    visit = ", ".join(f"{column} = iif(visit, {mapped[column]}, pages.{column})" for column in _STATE_COLUMNS)
    found = ", ".join(
        f"{column} = iif(theirs.found_at < pages.found_at, {mapped[column]}, pages.{column})"
        for column in ("found_at", "found_on")
    )
    _copy(db, "pages", "id IN (SELECT old FROM page_map WHERE fresh)", id=new_id)
    db.execute(
        f"""UPDATE main.pages SET {visit}, {found},
                              depth = min(pages.depth, theirs.depth), listed = max(pages.listed, theirs.listed)
            FROM page_map JOIN other.pages AS theirs ON theirs.id = old
            WHERE pages.id = new AND NOT fresh"""
    )
    db.execute(  # they are validators of a copy that is not the current one
        """UPDATE main.pages SET etag = NULL, last_modified = NULL FROM page_map
           WHERE pages.id = new AND copy <> visit AND NOT alike AND old IN (SELECT id FROM other.articles)"""
    )


def _keep_revisions(db: Database, replaced: str, current: str, condition: str) -> None:
    """Make revisions of the copies that are replaced. `replaced`, `current`: the views of them and of the others."""
    ids = {"our_current": "new", "their_current": "old"}
    crawl = (
        "replaced.crawl"
        if replaced == "our_current"
        else "(SELECT new FROM run_map WHERE old = replaced.crawl)"
    )
    record = (
        "replaced.record"
        if replaced == "our_current"
        else "(SELECT new FROM record_map WHERE old = replaced.record)"
    )
    db.execute(
        f"""INSERT INTO main.revisions (article, archived_at, replaced_at, crawl,
                                        title, author, date, updated, body, body_hash, images, record)
            SELECT new, replaced.archived_at, max(replaced.archived_at, current.archived_at), {crawl},
                   replaced.title, replaced.author, replaced.date,
                   replaced.updated, replaced.body, replaced.body_hash, replaced.images, {record}
            FROM page_map JOIN {replaced} AS replaced ON replaced.article = {ids[replaced]}
                          JOIN {current} AS current ON current.article = {ids[current]}
            WHERE held AND {condition} AND NOT alike
              AND NOT EXISTS (SELECT 1 FROM main.revisions AS known
                              WHERE known.article = new AND {SAME.format("known", "replaced")})"""
    )


def _articles(db: Database) -> None:
    mapped = _mapped(db, "articles")
    content = [column for column in mapped if column not in ("id", *_STAMP_COLUMNS)]
    first = "theirs.archived_at < articles.archived_at"
    last = "CASE WHEN alike THEN theirs.changed_at < articles.changed_at ELSE copy END"
    assignments = ", ".join(
        [f"{column} = iif(copy, {mapped[column]}, articles.{column})" for column in content]
        + [
            f"{column} = iif({first}, {mapped[column]}, articles.{column})"
            for column in ("archived_at", "crawl")
        ]
        + [
            f"{column} = iif({last}, {mapped[column]}, articles.{column})"
            for column in ("changed_at", "changed_crawl")
        ]
    )
    db.execute(
        f"""UPDATE main.articles SET {assignments}
            FROM page_map JOIN other.articles AS theirs ON theirs.id = old
            WHERE articles.id = new AND held AND (copy OR {first} OR {last})"""
    )
    _copy(db, "articles", "id IN (SELECT old FROM page_map WHERE copy AND NOT held)")
    db.execute("DELETE FROM main.images WHERE article IN (SELECT new FROM page_map WHERE copy AND NOT alike)")
    _copy(db, "images", "article IN (SELECT old FROM page_map WHERE copy AND NOT alike)")


def _links(db: Database) -> None:
    """Merge links: all that either archive has seen, with the positions of the current copy's list."""
    listed = "theirs.source IN (SELECT old FROM page_map WHERE copy)"
    db.execute(
        "UPDATE main.also_read SET position = NULL WHERE source IN (SELECT new FROM page_map WHERE copy)"
    )
    mapped = _mapped(db, "also_read") | {"position": f"iif({listed}, theirs.position, NULL)"}
    db.execute(
        f"""INSERT INTO main.also_read ({", ".join(mapped)})
            SELECT {", ".join(mapped.values())} FROM other.also_read AS theirs WHERE true
            ON CONFLICT (source, target) DO UPDATE SET
              first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen),
              text = iif(excluded.position NOT NULL, excluded.text, text),
              position = coalesce(excluded.position, position)"""
    )


def _revisions(db: Database) -> None:
    known = """SELECT 1 FROM page_map JOIN (
                 SELECT article, title, author, body_hash, images FROM main.revisions
                 UNION ALL SELECT article, title, author, body_hash, images FROM our_current) AS known
                 ON known.article = new
               WHERE old = theirs.article AND held AND """ + SAME.format("known", "theirs")
    _copy(db, "revisions", f"NOT EXISTS ({known})", id="NULL")


def _runs_details(db: Database) -> None:
    """Copy the rows of other tables that belong to runs which we did not have."""
    for table in db.tables:
        runs = [key.column for key in table.foreign_keys if key.other_table == "crawls"]
        if runs and table.name not in _MERGED_APART:
            own = {"id": "NULL"} if "id" in table.columns_dict else {}
            _copy(db, table.name, f"theirs.{runs[0]} IN (SELECT old FROM run_map WHERE fresh)", **own)
