"""Queries of the catalog's views; a view that was released is only replaced by a migration."""

from __future__ import annotations

VIEWS = {
    "articles_by_host": """
        SELECT pages.host, count(*) AS articles, sum(articles.words) AS words,
               min(articles.date) AS first_date, max(articles.date) AS last_date
        FROM articles JOIN pages ON pages.id = articles.id
        GROUP BY pages.host ORDER BY articles DESC, pages.host""",
    "also_read_links": """
        SELECT source.url AS source, target.url AS target, also_read.position, also_read.text,
               target.state AS target_state, also_read.last_seen
        FROM also_read
        JOIN pages AS source ON source.id = also_read.source
        JOIN pages AS target ON target.id = also_read.target""",
    "missing_targets": """
        SELECT pages.url, pages.state, coalesce(pages.error, 'not fetched yet') AS reason,
               moved.url AS moved_to, count(*) AS linked_from
        FROM also_read
        JOIN pages ON pages.id = also_read.target
        LEFT JOIN pages AS moved ON moved.id = pages.moved_to
        WHERE also_read.position IS NOT NULL
          AND coalesce(pages.moved_to, pages.id) NOT IN (SELECT id FROM articles)
        GROUP BY pages.id ORDER BY linked_from DESC, pages.url""",
    "orphans": """
        SELECT articles.url, articles.title
        FROM articles
        WHERE articles.id NOT IN (
          SELECT coalesce(pages.moved_to, pages.id)
          FROM also_read JOIN pages ON pages.id = also_read.target
          WHERE also_read.position IS NOT NULL AND pages.id <> also_read.source)
        ORDER BY articles.url""",
    "duplicates": """
        SELECT body_hash, count(*) AS copies, min(url) AS first_url, json_group_array(url) AS urls
        FROM articles GROUP BY body_hash HAVING count(*) > 1 ORDER BY copies DESC, first_url""",
}
