"""Gather what a report shows from the catalog, in one transaction: counts and the first rows of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlite_utils import Database

from pipelines.archive import alarms
from pipelines.archive.schema import NOT_ARCHIVED

_LISTED = 50
"""Rows of a list that has no number of its own."""
_LISTED_HOSTS = 500
_LISTED_RUNS = 60
_LISTED_REASONS = 10

Row = dict[str, Any]


class Listing(NamedTuple):
    """The first rows of a list, and how many there are."""

    rows: list[Row]
    total: int


class Families(NamedTuple):
    """Families of nearly identical articles; the rows have url, title, members and hosts."""

    largest: Listing
    articles: int
    """Articles that have a near-duplicate."""


class Measures(NamedTuple):
    """Measures of the also-read graph; the rows have url, title, in_degree, out_degree and pagerank."""

    leading: Listing
    distances: list[tuple[int | None, int]]
    """Links from a seed, and how many articles are so far."""
    components: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a report shows."""

    totals: Row
    """Counts of articles, words, images, hosts, pages and runs."""
    runs: Listing
    """Newest last."""
    hosts: Listing
    """Hosts with articles, largest first."""
    months: list[tuple[str, str | None, int]]
    """Host, month and articles."""
    states: dict[str, int]
    """Pages by state."""
    reasons: Listing
    """Why pages are not archived: reason, pages and an example."""
    languages: list[tuple[str | None, int]]
    changed: Listing
    """Articles that changed in the last run."""
    revised: Listing
    """Articles with the most revisions."""
    most_linked: Listing
    orphans: Listing
    missing: Listing
    missing_states: dict[str, int]
    """Linked pages without an article, by state."""
    host_links: list[tuple[str, str, int]]
    """Links from one host to another, most first."""
    families: Families | None
    """None where the catalog has none."""
    measures: Measures | None
    """None where the catalog has none."""
    alarms: list[tuple[Row, alarms.Alarm]]
    """Newest first."""

    @property
    def listed_links(self) -> Listing:
        """Return the strongest links between hosts."""
        return Listing(
            [
                {"source": source, "target": target, "links": links}
                for source, target, links in self.host_links[:_LISTED]
            ],
            len(self.host_links),
        )

    @property
    def listed_alarms(self) -> Listing:
        """Return the newest alarms as rows."""
        return Listing(
            [
                {"crawl": run["crawl"], "kind": alarm.kind, "host": alarm.host, "message": alarm.message}
                for run, alarm in self.alarms[:_LISTED]
            ],
            len(self.alarms),
        )


def gather(db: Database) -> Contents:
    """Gather the contents of a report. It is quick in a large archive: views and counts answer."""
    with db.atomic():  # all queries see the same moment, while a crawl may be writing
        missing_states = dict(_pairs(db, "SELECT state, count(*) FROM missing_targets GROUP BY state"))
        return Contents(
            totals=_totals(db),
            runs=_runs(db),
            hosts=Listing(
                [*db.query(f"SELECT * FROM articles_by_host LIMIT {_LISTED_HOSTS}")],
                _count(db, "articles_by_host"),
            ),
            months=db.execute("SELECT host, month, articles FROM articles_by_month").fetchall(),
            states=dict(
                _pairs(db, "SELECT state, sum(pages) FROM state_counts GROUP BY state HAVING sum(pages) > 0")
            ),
            reasons=_reasons(db),
            languages=_pairs(db, "SELECT lang, count(*) FROM articles GROUP BY lang ORDER BY 2 DESC, 1"),
            changed=_listing(db, "changed_in_last_run"),
            revised=_revised(db),
            most_linked=_listing(db, "most_linked"),
            orphans=_listing(db, "orphans"),
            missing=Listing(
                list(db.query(f"SELECT * FROM missing_targets LIMIT {_LISTED}")), sum(missing_states.values())
            ),
            missing_states=missing_states,
            host_links=db.execute("SELECT source, target, links FROM links_between_hosts").fetchall(),
            families=_families(db),
            measures=_measures(db),
            alarms=alarms.select(db),
        )


def _totals(db: Database) -> Row:
    return next(
        db.query(
            """SELECT coalesce(sum(articles), 0) AS articles, coalesce(sum(words), 0) AS words,
                      coalesce(sum(images), 0) AS images, count(*) AS hosts,
                      (SELECT coalesce(sum(pages), 0) FROM state_counts) AS pages,
                      (SELECT count(*) FROM crawls) AS runs
               FROM host_counts WHERE articles > 0"""
        )
    )


def _runs(db: Database) -> Listing:
    rows = db.query(
        f"""SELECT id, started_at, ended_at, coalesce(outcome, 'running') AS outcome, reason, pages, new, changed,
                   gone, failed, requests, bytes
            FROM crawls ORDER BY id DESC LIMIT {_LISTED_RUNS}"""
    )
    return Listing([*rows][::-1], _count(db, "crawls"))


def _reasons(db: Database) -> Listing:
    rows = db.query(
        f"""SELECT reasons.error AS reason, pages, url FROM (
              SELECT error, count(*) AS pages, min(id) AS example FROM pages WHERE {NOT_ARCHIVED} GROUP BY error)
              AS reasons JOIN pages AS examples ON examples.id = example
            ORDER BY pages DESC, reason"""
    )
    reasons = [*rows]
    return Listing(reasons[:_LISTED_REASONS], len(reasons))


def _revised(db: Database) -> Listing:
    rows = db.query(
        f"""SELECT url, title, host, revisions, changed_at
            FROM (SELECT article, count(*) AS revisions FROM revisions
                  GROUP BY article ORDER BY revisions DESC, article LIMIT {_LISTED})
            JOIN articles ON articles.id = article ORDER BY revisions DESC, article"""
    )
    total: int = db.execute("SELECT count(DISTINCT article) FROM revisions").fetchone()[0]
    return Listing([*rows], total)


def _families(db: Database) -> Families | None:
    """Return families of near-duplicates, if articles were compared and there are any."""
    if "families" not in db.view_names():
        return None
    total, articles = db.execute("SELECT count(*), coalesce(sum(members), 0) FROM families").fetchone()
    if not total:
        return None
    return Families(Listing([*db.query(f"SELECT * FROM families LIMIT {_LISTED}")], total), articles)


def _measures(db: Database) -> Measures | None:
    """Return measures of the graph, if they were computed."""
    if "article_ranks" not in db.view_names():
        return None
    leading = _listing(db, "article_ranks")
    if not leading.total:
        return None
    return Measures(
        leading=leading,
        distances=_pairs(
            db,
            "SELECT distance, count(*) FROM article_ranks GROUP BY distance ORDER BY distance IS NULL, distance",
        ),
        components=db.execute("SELECT count(DISTINCT component) FROM article_ranks").fetchone()[0],
    )


def _listing(db: Database, view: str) -> Listing:
    return Listing([*db.query(f"SELECT * FROM {view} LIMIT {_LISTED}")], _count(db, view))


def _count(db: Database, table: str) -> int:
    count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


def _pairs(db: Database, query: str) -> list[Any]:
    rows: list[Any] = db.execute(query).fetchall()
    return rows
