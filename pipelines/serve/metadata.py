"""Describe the catalog to Datasette: titles, columns, labels, facets, and questions that are often asked."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from pipelines.serve.addresses import DATABASE

_DESCRIPTIONS = files("pipelines.serve") / "descriptions.json"
"""Tables, columns, views and questions of docs/catalog.md. A test compares the two, and writes this file."""
_FACETS = ["host", "lang", "author"]
_TABLES: dict[str, dict[str, Any]] = {
    "_sqlite_migrations": {"hidden": True},
    "pages": {"label_column": "url", "facets": ["state", "host"]},
    "articles": {"label_column": "title", "facets": _FACETS, "sort_desc": "date"},
    "article_list": {"facets": [*_FACETS, {"array": "tags"}], "sort_desc": "date"},
    "crawls": {"label_column": "started_at", "sort_desc": "id"},
    "hosts": {"label_column": "host"},
    "warc_files": {"label_column": "name"},
    "warc_records": {"label_column": "url"},
    "alarms": {"facets": ["kind", "host"], "sort_desc": "id"},
    "pictures": {"facets": ["state", "type"]},
    "missing_targets": {"facets": ["state"]},
}
"""How Datasette shows a table, where its own way is not the best one."""
_QUERIES = {
    "articles-with-a-tag": {
        "title": "Which articles have a tag?",
        "sql": """SELECT url, title, host, author, date FROM article_list
                  WHERE EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag) ORDER BY date DESC""",
    },
    "links-from-host-to-host": {
        "title": "Which articles of one host lead to those of another?",
        "sql": """SELECT source, target, text, target_state FROM also_read_links
                  WHERE host(source) = :from_host AND host(target) = :to_host AND position IS NOT NULL""",
    },
}
"""Questions with parameters, which a form asks for."""


def metadata() -> dict[str, Any]:
    """Return Datasette's metadata."""
    described = json.loads(_DESCRIPTIONS.read_text(encoding="utf-8"))
    tables: dict[str, dict[str, Any]] = described["tables"]
    for name, options in _TABLES.items():
        tables.setdefault(name, {}).update(options)
    about = "The catalog of the archive: every page that was seen, every article, link, image and run."
    return {
        "title": "Archive",
        "databases": {
            DATABASE: {
                "title": "Catalog",
                "description": about,
                "tables": tables,
                "queries": _QUERIES | described["queries"],
            }
        },
    }
