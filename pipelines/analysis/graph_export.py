"""Export the also-read graph of chosen articles."""

from __future__ import annotations

from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO

from sqlite_utils import Database

from crawler.items import UNLINKED
from pipelines.analysis.graph_formats import FORMATS, Kind, Node
from pipelines.analysis.links import Link, read_links
from pipelines.archive.selection import ArticleFilter, where_clause

_NODES = f"""
    SELECT pages.id, url, host, title, in_degree, out_degree, pagerank, component,
           iif(depth < {UNLINKED}, depth, NULL)
    FROM pages LEFT JOIN article_graph ON article = pages.id ORDER BY pages.id"""


class GraphExport:
    """The graph of chosen articles, with the links between them."""

    def __init__(self, db: Database, chosen: ArticleFilter) -> None:
        """Choose the articles. Raises UsageError if an option is not valid."""
        self._db = db
        condition, values = where_clause(db, chosen)
        query = f"SELECT id FROM articles WHERE {condition}"
        self._articles = {article for (article,) in db.execute(query, values)}
        self.articles = len(self._articles)
        self.links = 0
        """Links that were written."""

    def write(self, kind: Kind, out: IO[bytes]) -> None:
        """Write the graph in a format. Raises OSError and sqlite3.Error."""
        text = TextIOWrapper(out, encoding="utf-8", newline="")
        text.writelines(FORMATS[kind](self._nodes(), self._links()))
        text.detach()

    def _nodes(self) -> Iterator[Node]:
        for node in map(Node._make, self._db.execute(_NODES)):
            if node.id in self._articles:
                yield node

    def _links(self) -> Iterator[Link]:
        for link in read_links(self._db, self._articles):
            self.links += 1
            yield link
