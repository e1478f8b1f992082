"""The catalog's schema, as numbered steps. A step that was released is never edited: a change is a new one."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from pipelines.archive.analyses import create_analyses, create_graph_order
from pipelines.archive.counts import create_counts
from pipelines.archive.search_index import create_search_index
from pipelines.archive.views import create_views

MIGRATIONS = Migrations("alsoread")
NOT_ARCHIVED = "state IN ('gone', 'refused', 'failed')"
"""Condition on a page that says in `error` why it is not archived; so written, it is answered by an index."""
NO_COPY = "state <> 'stored'"
"""Condition on a requested image that has no copy; so written, it is answered by an index."""

_TABLES = """
CREATE TABLE crawls (
  id INTEGER PRIMARY KEY,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  outcome TEXT,
  pid INTEGER NOT NULL,
  version TEXT NOT NULL,
  seeds TEXT NOT NULL,
  options TEXT NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  pages INTEGER NOT NULL DEFAULT 0,
  new INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  not_modified INTEGER NOT NULL DEFAULT 0,
  not_article INTEGER NOT NULL DEFAULT 0,
  gone INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE hosts (
  host TEXT PRIMARY KEY,
  not_before TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE pages (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL REFERENCES hosts(host),
  state TEXT NOT NULL DEFAULT 'due'
    CHECK (state IN ('due', 'stored', 'not_article', 'gone', 'refused', 'failed')),
  depth INTEGER NOT NULL,
  found_on INTEGER REFERENCES pages(id),
  found_at TEXT NOT NULL,
  due_at TEXT,
  fetched_at TEXT,
  status INTEGER,
  etag TEXT,
  last_modified TEXT,
  lastmod TEXT,
  moved_to INTEGER REFERENCES pages(id),
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT
) STRICT;
CREATE INDEX pages_due ON pages(host, due_at, depth) WHERE due_at IS NOT NULL;
CREATE INDEX pages_moved_to ON pages(moved_to) WHERE moved_to IS NOT NULL;
CREATE TABLE articles (
  id INTEGER PRIMARY KEY REFERENCES pages(id),
  url TEXT NOT NULL UNIQUE,
  title TEXT,
  author TEXT,
  date TEXT,
  updated TEXT,
  tags TEXT NOT NULL DEFAULT '[]',
  categories TEXT NOT NULL DEFAULT '[]',
  description TEXT,
  keywords TEXT,
  thumbnail TEXT,
  lang TEXT,
  license TEXT,
  body TEXT NOT NULL,
  words INTEGER NOT NULL,
  body_hash TEXT NOT NULL,
  path TEXT NOT NULL UNIQUE COLLATE NOCASE,
  extractor TEXT NOT NULL,
  archived_at TEXT NOT NULL,
  crawl INTEGER NOT NULL REFERENCES crawls(id),
  changed_at TEXT NOT NULL,
  changed_crawl INTEGER NOT NULL REFERENCES crawls(id)
) STRICT;
CREATE INDEX articles_date ON articles(date);
CREATE INDEX articles_body_hash ON articles(body_hash);
CREATE INDEX articles_crawl ON articles(crawl);
CREATE INDEX articles_changed_crawl ON articles(changed_crawl);
CREATE TABLE also_read (
  source INTEGER NOT NULL REFERENCES articles(id),
  target INTEGER NOT NULL REFERENCES pages(id),
  position INTEGER,
  text TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  PRIMARY KEY (source, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX also_read_target ON also_read(target);
CREATE TABLE images (
  article INTEGER NOT NULL REFERENCES articles(id),
  position INTEGER NOT NULL,
  url TEXT NOT NULL,
  alt TEXT,
  title TEXT,
  PRIMARY KEY (article, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX images_url ON images(url);
CREATE TABLE revisions (
  id INTEGER PRIMARY KEY,
  article INTEGER NOT NULL REFERENCES articles(id),
  archived_at TEXT NOT NULL,
  replaced_at TEXT NOT NULL,
  crawl INTEGER NOT NULL REFERENCES crawls(id),
  title TEXT,
  author TEXT,
  date TEXT,
  updated TEXT,
  body TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  images TEXT NOT NULL
) STRICT;
CREATE INDEX revisions_article ON revisions(article);
CREATE INDEX revisions_crawl ON revisions(crawl)
"""

_ALARMS = """
CREATE TABLE host_runs (
  host TEXT NOT NULL REFERENCES hosts(host),
  crawl INTEGER NOT NULL REFERENCES crawls(id),
  visits INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  tried INTEGER NOT NULL DEFAULT 0,
  failing INTEGER NOT NULL DEFAULT 0,
  gone INTEGER NOT NULL DEFAULT 0,
  first INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0,
  again INTEGER NOT NULL DEFAULT 0,
  characters INTEGER NOT NULL DEFAULT 0,
  without_title INTEGER NOT NULL DEFAULT 0,
  without_author INTEGER NOT NULL DEFAULT 0,
  without_date INTEGER NOT NULL DEFAULT 0,
  without_also_read INTEGER NOT NULL DEFAULT 0,
  without_body INTEGER NOT NULL DEFAULT 0,
  generic INTEGER NOT NULL DEFAULT 0,
  timed INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0,
  sitemaps INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  named INTEGER NOT NULL DEFAULT 0,
  news INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (host, crawl)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_runs_crawl ON host_runs(crawl);
CREATE TABLE losses (
  crawl INTEGER NOT NULL REFERENCES crawls(id),
  page INTEGER NOT NULL REFERENCES pages(id),
  field TEXT NOT NULL,
  PRIMARY KEY (crawl, page, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX losses_page ON losses(page);
CREATE TABLE alarms (
  id INTEGER PRIMARY KEY,
  crawl INTEGER NOT NULL REFERENCES crawls(id),
  host TEXT REFERENCES hosts(host),
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  pages TEXT NOT NULL DEFAULT '[]',
  raised_at TEXT NOT NULL
) STRICT;
CREATE INDEX alarms_crawl ON alarms(crawl);
CREATE INDEX alarms_host ON alarms(host, kind)
"""


@MIGRATIONS()
def m001_catalog(db: Database) -> None:
    """Tables and search."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    db.table("articles").enable_fts(
        ["title", "description", "body"],
        tokenize="porter unicode61 remove_diacritics 2",
        create_triggers=True,
    )


@MIGRATIONS()
def m002_revisits(db: Database) -> None:
    """Failures and audits of hosts, when a page went, and requests of a run."""
    for column in (
        "crawls ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        "crawls ADD COLUMN fetched INTEGER NOT NULL DEFAULT 0",
        "crawls ADD COLUMN page_requests INTEGER NOT NULL DEFAULT 0",
        "crawls ADD COLUMN sitemap_requests INTEGER NOT NULL DEFAULT 0",
        "crawls ADD COLUMN robots_requests INTEGER NOT NULL DEFAULT 0",
        "hosts ADD COLUMN failures INTEGER NOT NULL DEFAULT 0",
        "hosts ADD COLUMN audited INTEGER NOT NULL DEFAULT 0",
        "hosts ADD COLUMN missed INTEGER NOT NULL DEFAULT 0",
        "hosts ADD COLUMN announces INTEGER NOT NULL DEFAULT 1",
        "hosts ADD COLUMN sitemaps_crawl INTEGER REFERENCES crawls(id)",
        "pages ADD COLUMN gone_at TEXT",
    ):
        db.execute(f"ALTER TABLE {column}")


@MIGRATIONS()
def m003_alarms(db: Database) -> None:
    """Counts of each host and run, lost fields of articles, and alarms."""
    for statement in _ALARMS.split(";"):
        db.execute(statement)


@MIGRATIONS()
def m004_maintenance(db: Database) -> None:
    """Runs of `alsoread maintain`."""
    db.execute("""CREATE TABLE maintenance (
        id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT NOT NULL, done TEXT NOT NULL) STRICT""")


@MIGRATIONS()
def m005_imports(db: Database) -> None:
    """Front matter beyond the vocabulary."""
    db.execute("ALTER TABLE articles ADD COLUMN extra TEXT NOT NULL DEFAULT '{}'")


@MIGRATIONS()
def m006_hashes(db: Database) -> None:
    """Hashes of files, which tell whether an article's row or its file is damaged."""
    db.execute("ALTER TABLE articles ADD COLUMN file_hash TEXT")


@MIGRATIONS()
def m007_pictures(db: Database) -> None:
    """Copies of images, and why one is missing."""
    db.execute("""CREATE TABLE pictures (
        url TEXT PRIMARY KEY,
        state TEXT NOT NULL CHECK (state IN ('stored', 'failed', 'refused', 'gone')),
        path TEXT UNIQUE COLLATE NOCASE,
        hash TEXT,
        bytes INTEGER,
        type TEXT,
        fetched_at TEXT NOT NULL,
        status INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0,
        due_at TEXT,
        error TEXT) STRICT, WITHOUT ROWID""")


@MIGRATIONS()
def m008_author_source(db: Database) -> None:
    """Source of an article's author."""
    db.execute("""ALTER TABLE articles ADD COLUMN author_source TEXT
        CHECK (author_source IN ('byline', 'blog', 'meta'))""")


@MIGRATIONS()
def m009_quarantine(db: Database) -> None:
    """Doubtful readings, and pages that a sitemap or the user names."""
    db.execute("""CREATE TABLE quarantine (
        page INTEGER PRIMARY KEY REFERENCES articles(id),
        crawl INTEGER NOT NULL REFERENCES crawls(id),
        rule TEXT NOT NULL,
        body_hash TEXT,
        quarantined_at TEXT NOT NULL) STRICT""")
    db.execute("CREATE INDEX quarantine_crawl ON quarantine(crawl)")
    db.execute("ALTER TABLE pages ADD COLUMN listed INTEGER NOT NULL DEFAULT 0")
    # What older versions knew of it: a time of the sitemap's, or no other way to the page; and where crawls began.
    db.execute("UPDATE pages SET listed = lastmod IS NOT NULL OR depth >= 1000000 OR depth = 0")


@MIGRATIONS()
def m010_names_of_counts(db: Database) -> None:
    """Rename counts of `host_runs` whose names did not say what they count."""
    for old, new in (
        ("tried", "attempted"),
        ("failing", "unreachable"),
        ("first", "first_visits"),
        ("again", "reread"),
        ("timed", "timed_visits"),
        ("news", "new_pages"),
    ):
        db.execute(f"ALTER TABLE host_runs RENAME COLUMN {old} TO {new}")


@MIGRATIONS()
def m011_counts(db: Database) -> None:
    """Hosts of articles, titles of pages, and counts, so that views answer at once in a large archive; backups."""
    db.execute("ALTER TABLE pages ADD COLUMN title TEXT")
    db.execute("UPDATE pages SET title = articles.title FROM articles WHERE articles.id = pages.id")
    db.execute("ALTER TABLE articles ADD COLUMN host TEXT REFERENCES hosts(host)")
    # The trigger would index every text again.
    (index_again,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'articles_au'").fetchone()
    db.execute("DROP TRIGGER articles_au")
    db.execute("UPDATE articles SET host = pages.host FROM pages WHERE pages.id = articles.id")
    db.execute(index_again)
    for index in (
        "CREATE INDEX articles_host ON articles(host, date)",
        "CREATE INDEX articles_month ON articles(host, substr(date, 1, 7))",
        "CREATE INDEX articles_changed ON articles(changed_crawl) WHERE crawl <> changed_crawl",
        f"CREATE INDEX pages_error ON pages(error) WHERE {NOT_ARCHIVED}",
    ):
        db.execute(index)
    create_counts(db)
    create_views(db)
    db.execute("""CREATE TABLE backups (
        id INTEGER PRIMARY KEY, made_at TEXT NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT""")


@MIGRATIONS()
def m012_state_at_once(db: Database) -> None:
    """Indexes that count due pages and missing images at once in a large archive; hosts that a run judged."""
    db.execute("DROP INDEX pages_due")
    db.execute("CREATE INDEX pages_due ON pages(host, listed, due_at, depth) WHERE due_at IS NOT NULL")
    db.execute(f"CREATE INDEX pictures_error ON pictures(error, state) WHERE {NO_COPY}")
    db.execute("ALTER TABLE host_runs ADD COLUMN judged INTEGER NOT NULL DEFAULT 0")
    db.execute(
        """UPDATE host_runs SET judged = crawl <= (
             SELECT max(id) FROM crawls WHERE outcome NOT IN ('killed', 'imported'))"""
    )


@MIGRATIONS()
def m013_rare_merges(db: Database) -> None:
    """Merge the search index seldom: it took a tenth of a crawl into a large archive. `maintain` merges all of it."""
    db.execute("INSERT INTO articles_fts(articles_fts, rank) VALUES ('automerge', 16)")


@MIGRATIONS()
def m014_originals(db: Database) -> None:
    """Records of WARC files, and those that articles, revisions and quarantined pages were read from."""
    db.execute("CREATE TABLE warc_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT")
    db.execute("""CREATE TABLE warc_records (
        id INTEGER PRIMARY KEY,
        url TEXT NOT NULL,
        fetched_at TEXT NOT NULL,
        status INTEGER,
        kind TEXT NOT NULL CHECK (kind IN ('response', 'revisit')),
        type TEXT,
        digest TEXT NOT NULL,
        file INTEGER NOT NULL REFERENCES warc_files(id),
        offset INTEGER NOT NULL,
        length INTEGER NOT NULL) STRICT""")
    db.execute("CREATE INDEX warc_records_url ON warc_records(url)")
    db.execute("CREATE INDEX warc_records_digest ON warc_records(digest) WHERE kind = 'response'")
    db.execute("CREATE UNIQUE INDEX warc_records_place ON warc_records(file, offset)")
    for table in ("articles", "revisions", "quarantine"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN record INTEGER REFERENCES warc_records(id)")


@MIGRATIONS()
def m015_extractor_versions(db: Database) -> None:
    """Versions of the extractors that articles were read by, and revisions that a re-extraction replaced."""
    db.execute("ALTER TABLE articles ADD COLUMN extractor_version INTEGER")
    db.execute("CREATE INDEX articles_extractor ON articles(extractor_version, extractor, record)")
    db.execute("ALTER TABLE revisions ADD COLUMN reextracted INTEGER NOT NULL DEFAULT 0")
    # Only what is searched: any other update of a row would index its text again.
    (index_again,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'articles_au'").fetchone()
    db.execute("DROP TRIGGER articles_au")
    db.execute(index_again.replace("AFTER UPDATE ON", "AFTER UPDATE OF title, description, body ON"))


@MIGRATIONS()
def m016_grams(db: Database) -> None:
    """Search in Chinese, Japanese and Korean articles, by all their runs of 1 to 8 characters."""
    db.execute("ALTER TABLE articles ADD COLUMN grams TEXT")
    create_search_index(db)
    create_views(db)


@MIGRATIONS()
def m017_analyses(db: Database) -> None:
    """Measures of the also-read graph, and near-duplicates."""
    create_analyses(db)
    create_views(db)


@MIGRATIONS()
def m018_ranks(db: Database) -> None:
    """An order of articles by PageRank, and views that look at few rows for their first ones."""
    create_graph_order(db)
    create_views(db)
