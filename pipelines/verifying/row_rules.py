"""What the rows of a catalog must be, as far as other rows or columns say it too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from sqlite_utils import Database

from crawler.urls import canonical
from crawler.urls import host_of as host_of_url
from pipelines.archive import revisit
from pipelines.archive.catalog import COUNTS
from pipelines.verifying.findings import Archive, Finding
from pipelines.verifying.repair import correct_rows


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong where a condition holds on a row of a table."""

    table: str
    wrong: str
    """The condition, in SQL."""
    says: str
    right: str | None = None
    """The assignment that makes it right, in SQL; None where nothing else in the catalog says what is right."""


_NAMES = {
    "pages": "url",
    "articles": "url",
    "hosts": "host",
    "also_read": """(SELECT url FROM pages WHERE id = source) || ' -> '
                    || coalesce((SELECT url FROM pages WHERE id = target), target)""",
    "pictures": "url",
    "images": "(SELECT url FROM pages WHERE id = article) || ' ' || position",
    "revisions": "(SELECT url FROM pages WHERE id = article) || ' of ' || archived_at",
}
"""What names a row for a person; a number does where nothing else can."""

_ANSWERED = "fetched_at NOT NULL AND due_at NOT NULL AND attempts = 0"
_BY_RULE = "coalesce(error GLOB '[a-z]*: *' AND instr(error, ' ') = instr(error, ': ') + 1, 0)"
"""The reason begins with the name of a rule."""
_LEFT = "(error IS NULL OR error GLOB 'budget: *')"
_FLAGGED = "(error IS NULL OR error GLOB 'cut-off: *' OR error GLOB 'too-many-links: *')"
_STATES = {
    "due": f"fetched_at IS NULL AND status IS NULL AND {_LEFT} AND attempts = 0 AND due_at NOT NULL"  # noqa: S608
    " AND id NOT IN (SELECT id FROM articles)",
    "stored": f"{_ANSWERED} AND {_FLAGGED} AND gone_at IS NULL AND id IN (SELECT id FROM articles)",  # noqa: S608
    "not_article": f"{_ANSWERED} AND error NOT NULL AND gone_at IS NULL AND NOT {_BY_RULE}"
    " AND coalesce(status NOT IN (404, 410), 1) AND state <> 'failed'",
    "gone": f"{_ANSWERED} AND error NOT NULL AND status IN (404, 410)",
    "refused": f"{_BY_RULE} AND error NOT GLOB 'budget: *' AND attempts = 0 AND gone_at IS NULL",
    "failed": "attempts > 0 AND error NOT NULL AND due_at NOT NULL",
}
"""What else must hold of a page in each state."""
_FITTING = " ".join(["CASE", *(f"WHEN {holds} THEN '{state}'" for state, holds in _STATES.items()), "END"])
_UNFIT = " ".join(
    ["CASE state", *(f"WHEN '{state}' THEN NOT ({holds})" for state, holds in _STATES.items()), "END"]
)
_TELLING = f"coalesce((gone_at NOT NULL) = ({_FITTING} = 'gone'), 0)"
"""The other columns say which state it is."""
_HAS_ITS_ARTICLE = "(state <> 'stored' OR id IN (SELECT id FROM articles))"
_NEARER = """(SELECT min(source.depth) + 1 FROM also_read JOIN pages AS source ON source.id = also_read.source
              WHERE target = pages.id)"""
_FOUND_ON = "(SELECT source FROM also_read WHERE target = pages.id ORDER BY first_seen, source LIMIT 1)"
_OWN_PAGE = "(SELECT id FROM pages WHERE pages.url = articles.url)"
_NOT_CHANGED = "id NOT IN (SELECT article FROM revisions)"


_IS_COPY = "(path NOT NULL AND hash NOT NULL AND bytes NOT NULL AND type NOT NULL)"
_IS_DUE = "(due_at NOT NULL AND error NOT NULL)"


def _no_time(column: str) -> str:
    """Whether a column holds what is no time as the archive writes it."""
    form = "????-??-??T??:??:??.???Z"
    return f"({column} NOT NULL AND ({column} NOT GLOB '{form}' OR julianday({column}) IS NULL))"


def _since_run(time: str, run: str) -> str:
    """Whether a time is not before the beginning of its run; what a person accepts comes after its end."""
    return f"{time} >= (SELECT started_at FROM crawls WHERE crawls.id = {run})"  # noqa: S608


_FIRST, _LAST = _since_run("archived_at", "crawl"), _since_run("changed_at", "changed_crawl")

RULES = (
    Rule("articles", f"id <> {_OWN_PAGE}", "not with its own page", f"id = {_OWN_PAGE}"),
    Rule("hosts", "missed > audited OR missed < 0 OR failures < 0", "counts that can't be"),
    Rule(
        "hosts",
        "announces <> announces(audited, missed)",
        "announces",
        "announces = announces(audited, missed)",
    ),
    Rule("pages", "NOT is_canonical(url)", "its address is not in its one spelling"),
    Rule(
        "pages",
        "host <> host_of(url) AND host_of(url) IN (SELECT host FROM hosts)",
        "its host is another",
        "host = host_of(url)",
    ),
    Rule("pages", "host <> host_of(url)", "its host is not that of its address"),
    Rule(
        "pages", f"due_at IS NULL AND state <> 'refused' OR {_no_time('due_at')}", "due_at", "due_at = :now"
    ),
    Rule("pages", "attempts <> 0 AND error IS NULL", "attempts", "attempts = 0"),
    Rule(
        "pages",
        f"{_UNFIT} AND {_TELLING}",
        "its state does not fit its other columns",
        f"state = {_FITTING}",
    ),
    Rule(
        "pages",
        f"{_UNFIT} AND NOT {_TELLING} AND {_HAS_ITS_ARTICLE}",
        "its state does not fit its other columns",
    ),
    Rule("pages", f"NOT {_HAS_ITS_ARTICLE}", "stored, but its article is not there"),
    Rule("pages", "fetched_at < found_at OR gone_at < found_at", "fetched before it was found"),
    Rule("pages", "status NOT BETWEEN 100 AND 599", "status"),
    Rule(
        "pages",
        "moved_to NOT NULL AND state NOT IN ('not_article', 'failed')",
        "moved, but its state is another",
    ),
    Rule("pages", f"depth < 0 OR depth > {_NEARER}", "depth", f"depth = {_NEARER}"),
    Rule(
        "pages",
        """found_on NOT NULL
           AND NOT EXISTS (SELECT 1 FROM also_read WHERE source = found_on AND target = pages.id)""",
        "found on a page that does not lead to it",
        f"found_on = {_FOUND_ON}",
    ),
    Rule(
        "articles",
        f"{_NOT_CHANGED} AND (archived_at <> changed_at OR crawl <> changed_crawl) AND {_LAST} AND NOT {_FIRST}",
        "archived_at, crawl",
        "archived_at = changed_at, crawl = changed_crawl",
    ),
    Rule(
        "articles",
        f"{_NOT_CHANGED} AND (archived_at <> changed_at OR crawl <> changed_crawl) AND {_FIRST} AND NOT {_LAST}",
        "changed_at, changed_crawl",
        "changed_at = archived_at, changed_crawl = crawl",
    ),
    Rule(
        "articles",
        f"{_NOT_CHANGED} AND (archived_at <> changed_at OR crawl <> changed_crawl)",
        "changed, but without an earlier version",
    ),
    Rule("articles", f"NOT {_FIRST}", "archived_at is before its crawl"),
    Rule("articles", f"NOT {_LAST}", "changed_at is before its changed_crawl"),
    Rule("articles", "archived_at > changed_at", "changed before it was archived"),
    Rule("also_read", "first_seen > last_seen", "first seen after it was last seen"),
    Rule("also_read", "text = ''", "without text"),
    Rule("revisions", "body_hash <> sha256(body)", "its body is not that of its hash"),
    Rule(
        "pictures",
        f"{_IS_COPY} <> (state = 'stored') OR {_IS_DUE} = (state = 'stored')",
        "its state does not fit",
    ),
    Rule("pictures", "attempts <> 0 AND state <> 'failed'", "attempts", "attempts = 0"),
    Rule("crawls", f"pages <> {' + '.join(COUNTS[1:])}", "its counts don't sum up to its pages"),
    Rule("crawls", "(ended_at IS NULL) <> (outcome IS NULL) OR ended_at < started_at", "its end"),
    Rule("crawls", "new < (SELECT count(*) FROM articles WHERE crawl = crawls.id)", "new"),
)
_LISTS = ("articles.extra", "revisions.images", "crawls.seeds", "crawls.options", "alarms.pages")
"""Columns that hold JSON; the lists of an article are looked at with its file."""
_TIMES = ("first_seen", "last_seen", "not_before", "lastmod")
"""Columns that hold times, with all that end in `_at`; those of an article are looked at with its file."""


def broken(archive: Archive) -> Iterator[Finding]:
    """The rows of a catalog that are not what they must be."""
    _register(archive.db)
    for rule in (*RULES, *_of_the_schema(archive.db)):
        name = _NAMES.get(rule.table, "rowid")
        query = f"SELECT {name} FROM {rule.table} WHERE {rule.wrong}"  # noqa: S608
        for (where,) in archive.db.execute(query):
            yield Finding(
                where=f"{rule.table} {where}",
                what=rule.says,
                mend="--repair sets it right"
                if rule.right
                else "nothing else in the archive says what is right",
                cure=partial(_correct, rule) if rule.right else None,
            )


def _correct(rule: Rule, archive: Archive) -> None:
    _register(archive.db)
    correct_rows(rule.table, rule.wrong, rule.right or "", archive)


def _of_the_schema(db: Database) -> Iterator[Rule]:
    """The rules that follow from the names of the columns."""
    for table in db.tables:
        if table.name.startswith(("articles_fts", "_", "sqlite_")):
            continue
        for column in (column.name for column in table.columns):
            if column.endswith("_at") or column in _TIMES:
                yield Rule(table.name, _no_time(column), f"{column} is no time")
            elif f"{table.name}.{column}" in _LISTS:
                yield Rule(table.name, f"NOT json_valid({column})", f"{column} is no JSON")


def _register(db: Database) -> None:
    """Makes known to SQL what the rules ask."""
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
    return sha256(text.encode()).hexdigest()
