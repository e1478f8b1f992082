"""Define the views of the catalog: what people ask of an archive, each quick in a large one."""

from __future__ import annotations

from sqlite_utils import Database

from crawler.items import UNLINKED

_VIEWS = {
    "article_list": """
        SELECT id, url, host, title, author, date, updated, tags, categories, description, lang, words, path,
               extractor, archived_at, changed_at
        FROM articles""",
    "articles_by_host": """
        SELECT host, articles, words,
               (SELECT date FROM articles WHERE articles.host = host_counts.host AND date IS NOT NULL
                ORDER BY date LIMIT 1) AS first_date,
               (SELECT date FROM articles WHERE articles.host = host_counts.host AND date IS NOT NULL
                ORDER BY date DESC LIMIT 1) AS last_date
        FROM host_counts WHERE articles > 0
        ORDER BY articles DESC, host""",
    "articles_by_month": """
        SELECT host, substr(date, 1, 7) AS month, count(*) AS articles
        FROM articles GROUP BY host, substr(date, 1, 7)""",
    "changed_in_last_run": """
        SELECT url, host, title, changed_at, archived_at
        FROM articles
        WHERE changed_crawl = (SELECT max(id) FROM crawls) AND crawl <> changed_crawl""",
    "most_linked": """
        SELECT pages.url, pages.title, link_counts.links AS linked_from
        FROM link_counts JOIN pages ON pages.id = link_counts.page
        WHERE archived AND links > 0
        ORDER BY links DESC""",
    "also_read_links": """
        SELECT source.url AS source, target.url AS target, also_read.position, also_read.text,
               target.state AS target_state, also_read.last_seen
        FROM also_read
        JOIN pages AS source ON source.id = also_read.source
        JOIN pages AS target ON target.id = also_read.target""",
    "links_between_hosts": """
        SELECT source, target, links
        FROM host_links WHERE source <> target
        ORDER BY links DESC, source, target""",
    "missing_targets": """
        SELECT pages.url, pages.state, coalesce(pages.error, 'not fetched yet') AS reason,
               moved.url AS moved_to, link_counts.links AS linked_from
        FROM link_counts
        JOIN pages ON pages.id = link_counts.page
        LEFT JOIN pages AS moved ON moved.id = pages.moved_to
        WHERE link_counts.links > 0 AND NOT link_counts.archived
          AND NOT EXISTS (SELECT 1 FROM link_counts AS target WHERE target.page = pages.moved_to AND target.archived)
        ORDER BY link_counts.links DESC""",
    "orphans": """
        SELECT pages.url, pages.title
        FROM link_counts JOIN pages ON pages.id = link_counts.page
        WHERE link_counts.links = 0 AND link_counts.archived
          AND NOT EXISTS (SELECT 1 FROM pages AS moved JOIN link_counts AS way ON way.page = moved.id
                          WHERE moved.moved_to = link_counts.page AND way.links > 0)""",
    "duplicates": """
        SELECT body_hash, copies,
               (SELECT min(url) FROM articles WHERE articles.body_hash = several.body_hash) AS first_url,
               (SELECT json_group_array(url) FROM articles WHERE articles.body_hash = several.body_hash) AS urls
        FROM (SELECT body_hash, count(*) AS copies FROM articles GROUP BY body_hash HAVING count(*) > 1) AS several
        ORDER BY copies DESC, body_hash""",
    "article_ranks": f"""
        SELECT pages.url, pages.host, pages.title, pagerank, in_degree, out_degree, component,
               iif(pages.depth < {UNLINKED}, pages.depth, NULL) AS distance
        FROM article_graph JOIN pages ON pages.id = article_graph.article
        ORDER BY pagerank DESC, article""",
    "near_duplicates": """
        SELECT article_texts.article, canonical.first AS canonical, texts.similarity
        FROM article_texts
        JOIN texts ON texts.id = article_texts.text
        JOIN texts AS canonical ON canonical.id = texts.canonical""",
    "families": """
        SELECT pages.url, pages.title, pages.host, family.members, family.hosts
        FROM (SELECT canonical, members,
                     (SELECT count(DISTINCT host) FROM texts JOIN article_texts ON text = texts.id
                      JOIN pages ON pages.id = article WHERE texts.canonical = large.canonical) AS hosts
              FROM (SELECT texts.canonical, count(*) AS members
                    FROM texts JOIN article_texts ON article_texts.text = texts.id
                    GROUP BY texts.canonical HAVING count(*) > 1) AS large) AS family
        JOIN texts AS canonical ON canonical.id = family.canonical
        JOIN pages ON pages.id = canonical.first
        ORDER BY family.members DESC, pages.url""",
    "images_by_host": """
        SELECT host, images, articles, round(1.0 * images / articles, 1) AS images_per_article
        FROM host_counts WHERE articles > 0
        ORDER BY images DESC, host""",
    "images_without_copy": """
        SELECT images.url, count(*) AS articles, pictures.state, pictures.error
        FROM images LEFT JOIN pictures USING (url)
        WHERE pictures.path IS NULL
        GROUP BY images.url""",
    "runs": """
        SELECT id, started_at,
               round((julianday(coalesce(ended_at, 'now')) - julianday(started_at)) * 1440, 1) AS minutes,
               coalesce(outcome, 'running') AS outcome, reason, pages, new, changed, failed, requests, bytes
        FROM crawls ORDER BY id DESC""",
}


def create_views(db: Database) -> None:
    """Create every view anew."""
    for name, query in _VIEWS.items():
        db.execute(f"DROP VIEW IF EXISTS {name}")
        db.create_view(name, query)
