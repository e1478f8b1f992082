"""Rules for rows of the catalog, as far as other rows or columns hold the same facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from crawler.urls import canonical
from crawler.urls import host_of as host_of_url
from pipelines.archive import revisit
from pipelines.archive.catalog import COUNTS
from pipelines.archive.files import hash_of
from pipelines.archive.plausibility import FLAWS
from pipelines.verifying.findings import NO_SOURCE, Archive, Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that no row of a table may meet."""

    table: str
    wrong: str
    """The condition, in SQL."""
    what: str
    """What is wrong then, for people."""
    right: str | None = None
    """The assignment that corrects the row, in SQL; None where nothing else in the catalog says what is right."""


_ROW_NAMES = {
    "pages": "url",
    "articles": "url",
    "hosts": "host",
    "also_read": """(SELECT url FROM pages WHERE id = source) || ' -> '
                    || coalesce((SELECT url FROM pages WHERE id = target), target)""",
    "pictures": "url",
    "images": "(SELECT url FROM pages WHERE id = article) || ' ' || position",
    "revisions": "(SELECT url FROM pages WHERE id = article) || ' of ' || archived_at",
}
"""SQL that names a row for people; other tables have only row numbers."""

_ANSWERED = "fetched_at NOT NULL AND due_at NOT NULL AND attempts = 0"
_REFUSED_BY_RULE = "coalesce(error GLOB '[a-z]*: *' AND instr(error, ' ') = instr(error, ': ') + 1, 0)"
"""The reason starts with the name of a rule."""
_UNVISITED_REASON = "(error IS NULL OR error GLOB 'budget: *')"
_STORED_REASON = " OR ".join(["(error IS NULL", *(f"error GLOB '{flaw}: *'" for flaw in FLAWS)]) + ")"
_STATES = {
    "due": f"fetched_at IS NULL AND status IS NULL AND {_UNVISITED_REASON} AND attempts = 0 AND due_at NOT NULL"
    " AND id NOT IN (SELECT id FROM articles)",
    "stored": f"{_ANSWERED} AND {_STORED_REASON} AND gone_at IS NULL AND id IN (SELECT id FROM articles)",
    "not_article": f"{_ANSWERED} AND error NOT NULL AND gone_at IS NULL AND NOT {_REFUSED_BY_RULE}"
    " AND coalesce(status NOT IN (404, 410), 1) AND state <> 'failed'",
    "gone": f"{_ANSWERED} AND error NOT NULL AND status IN (404, 410)",
    "refused": f"{_REFUSED_BY_RULE} AND error NOT GLOB 'budget: *' AND attempts = 0 AND gone_at IS NULL",
    "failed": "attempts > 0 AND error NOT NULL AND due_at NOT NULL",
}
"""Condition on the other columns of a page, by state."""
_EXPECTED_STATE = " ".join(
    ["CASE", *(f"WHEN {holds} THEN '{state}'" for state, holds in _STATES.items()), "END"]
)
_STATE_IS_WRONG = " ".join(
    ["CASE state", *(f"WHEN '{state}' THEN NOT ({holds})" for state, holds in _STATES.items()), "END"]
)
_STATE_IS_KNOWN = f"coalesce((gone_at NOT NULL) = ({_EXPECTED_STATE} = 'gone'), 0)"
"""The other columns tell the right state."""
_HAS_ARTICLE = "(state <> 'stored' OR id IN (SELECT id FROM articles))"
_EXPECTED_DEPTH = """(SELECT min(depth) FROM (
              SELECT source.depth + 1 AS depth FROM also_read JOIN pages AS source ON source.id = also_read.source
              WHERE target = pages.id
              UNION ALL SELECT depth FROM pages AS moved WHERE moved.moved_to = pages.id))"""
_FOUND_ON = "(SELECT source FROM also_read WHERE target = pages.id ORDER BY first_seen, source LIMIT 1)"
_OWN_PAGE = "(SELECT id FROM pages WHERE pages.url = articles.url)"
_TITLE_OF_ARTICLE = "(SELECT title FROM articles WHERE articles.id = pages.id)"
_NOT_CHANGED = "id NOT IN (SELECT article FROM revisions)"


_IS_COPY = "(path NOT NULL AND hash NOT NULL AND bytes NOT NULL AND type NOT NULL)"
_IS_DUE = "(due_at NOT NULL AND error NOT NULL)"


def _invalid_time(column: str) -> str:
    """Build the condition that a column's value is not a time in the catalog's format."""
    form = "????-??-??T??:??:??.???Z"
    return f"({column} NOT NULL AND ({column} NOT GLOB '{form}' OR julianday({column}) IS NULL))"


def _since_run(time: str, run: str) -> str:
    """Build the condition that a time is not before the start of its run; accepting comes after the run's end.

    An import takes the times of what WARC files have.
    """
    began = "iif(reason GLOB 'import of *', '', started_at)"
    return f"{time} >= (SELECT {began} FROM crawls WHERE crawls.id = {run})"


_ARCHIVED_IN_RUN = _since_run("archived_at", "crawl")
_CHANGED_IN_RUN = _since_run("changed_at", "changed_crawl")
_TIMES_DIFFER = f"{_NOT_CHANGED} AND (archived_at <> changed_at OR crawl <> changed_crawl)"

RULES = (
    Rule("articles", f"id <> {_OWN_PAGE}", "is not the article of its page", f"id = {_OWN_PAGE}"),
    Rule("hosts", "missed > audited OR missed < 0 OR failures < 0", "impossible counts"),
    Rule(
        "hosts",
        "announces <> announces(audited, missed)",
        "wrong announces",
        "announces = announces(audited, missed)",
    ),
    Rule("pages", "NOT is_canonical(url)", "its address is not canonical"),
    Rule(
        "pages",
        "host <> host_of(url) AND host_of(url) IN (SELECT host FROM hosts)",
        "wrong host",
        "host = host_of(url)",
    ),
    Rule("pages", "host <> host_of(url)", "its host is not that of its address"),
    Rule(
        "pages",
        f"due_at IS NULL AND state <> 'refused' OR {_invalid_time('due_at')}",
        "wrong due_at",
        "due_at = :now",
    ),
    Rule("pages", "attempts <> 0 AND error IS NULL", "wrong attempts", "attempts = 0"),
    Rule(
        "pages",
        f"{_STATE_IS_WRONG} AND {_STATE_IS_KNOWN}",
        "its state contradicts its other columns",
        f"state = {_EXPECTED_STATE}",
    ),
    Rule(
        "pages",
        f"{_STATE_IS_WRONG} AND NOT {_STATE_IS_KNOWN} AND {_HAS_ARTICLE}",
        "its state contradicts its other columns",
    ),
    Rule("pages", f"NOT {_HAS_ARTICLE}", "stored, but its article is missing"),
    Rule("pages", "fetched_at < found_at OR gone_at < found_at", "fetched before it was found"),
    Rule("pages", f"title IS NOT {_TITLE_OF_ARTICLE}", "wrong title", f"title = {_TITLE_OF_ARTICLE}"),
    Rule("pages", "status NOT BETWEEN 100 AND 599", "impossible status"),
    Rule(
        "pages",
        "moved_to NOT NULL AND state NOT IN ('not_article', 'failed')",
        "redirected, but its state contradicts that",
    ),
    Rule("pages", f"depth < 0 OR depth > {_EXPECTED_DEPTH}", "wrong depth", f"depth = {_EXPECTED_DEPTH}"),
    Rule(
        "pages",
        """found_on NOT NULL
           AND NOT EXISTS (SELECT 1 FROM also_read WHERE source = found_on AND target = pages.id)""",
        "found on a page that does not link to it",
        f"found_on = {_FOUND_ON}",
    ),
    Rule(
        "articles",
        f"{_TIMES_DIFFER} AND {_CHANGED_IN_RUN} AND NOT {_ARCHIVED_IN_RUN}",
        "wrong archived_at, crawl",
        "archived_at = changed_at, crawl = changed_crawl",
    ),
    Rule(
        "articles",
        f"{_TIMES_DIFFER} AND {_ARCHIVED_IN_RUN} AND NOT {_CHANGED_IN_RUN}",
        "wrong changed_at, changed_crawl",
        "changed_at = archived_at, changed_crawl = crawl",
    ),
    Rule("articles", _TIMES_DIFFER, "changed, but has no earlier revision"),
    Rule("articles", f"NOT {_ARCHIVED_IN_RUN}", "archived_at is before its crawl"),
    Rule("articles", f"NOT {_CHANGED_IN_RUN}", "changed_at is before its changed_crawl"),
    Rule("articles", "archived_at > changed_at", "changed before it was archived"),
    Rule("also_read", "first_seen > last_seen", "first seen after it was last seen"),
    Rule("also_read", "text = ''", "no text"),
    Rule("revisions", "body_hash <> sha256(body)", "its body does not match its hash"),
    Rule(
        "pictures",
        f"{_IS_COPY} <> (state = 'stored') OR {_IS_DUE} = (state = 'stored')",
        "its state contradicts its other columns",
    ),
    Rule("pictures", "attempts <> 0 AND state <> 'failed'", "wrong attempts", "attempts = 0"),
    Rule("crawls", f"pages <> {' + '.join(COUNTS[1:])}", "its counts do not add up to its pages"),
    Rule("crawls", "(ended_at IS NULL) <> (outcome IS NULL) OR ended_at < started_at", "wrong end"),
    Rule("crawls", "new < (SELECT count(*) FROM articles WHERE crawl = crawls.id)", "wrong new"),
)
_LISTS = ("articles.extra", "revisions.images", "crawls.seeds", "crawls.options", "alarms.pages")
"""Columns that hold JSON; the lists of an article are checked with its file."""
_TIMES = ("first_seen", "last_seen", "not_before", "lastmod")
"""Columns that hold times, besides those that end in `_at`; an article's are checked with its file."""


def check_rows(archive: Archive) -> Iterator[Finding]:
    """Find the rows that break a rule."""
    _register_functions(archive.db)
    for rule in (*RULES, *_column_rules(archive.db)):
        name = _ROW_NAMES.get(rule.table, "rowid")
        hint, repair = NO_SOURCE, None
        if rule.right:
            hint, repair = "--repair corrects it", partial(_correct, rule)
        for (row,) in archive.db.execute(f"SELECT {name} FROM {rule.table} WHERE {rule.wrong}"):
            yield Finding(where=f"{rule.table} {row}", what=rule.what, hint=hint, repair=repair)


def _correct(rule: Rule, archive: Archive) -> None:
    _register_functions(archive.db)
    query = f"UPDATE {rule.table} SET {rule.right} WHERE {rule.wrong}"
    with archive.db.atomic():
        archive.db.execute(query, {"now": iso(now())})


def _column_rules(db: Database) -> Iterator[Rule]:
    """Derive rules from the names of the columns."""
    for table in db.tables:
        if table.name.startswith(("articles_fts", "_", "sqlite_")):
            continue
        for column in (column.name for column in table.columns):
            if column.endswith("_at") or column in _TIMES:
                yield Rule(table.name, _invalid_time(column), f"{column} is not a time")
            elif f"{table.name}.{column}" in _LISTS:
                yield Rule(table.name, f"NOT json_valid({column})", f"{column} is not JSON")


def _register_functions(db: Database) -> None:
    """Register the SQL functions that the rules use."""
    db.register_function(_is_canonical, name="is_canonical", deterministic=True, replace=True)
    db.register_function(_host_of, name="host_of", deterministic=True, replace=True)
    db.register_function(_sha256, name="sha256", deterministic=True, replace=True)
    db.register_function(revisit.announces, name="announces", deterministic=True, replace=True)


def _is_canonical(url: str) -> bool:
    try:
        return canonical(url) == url
    except ValueError:
        return False


def _host_of(url: str) -> str:
    return host_of_url(url) if _is_canonical(url) else ""


def _sha256(text: str) -> str:
    return hash_of(text.encode())
