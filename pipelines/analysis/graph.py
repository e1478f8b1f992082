"""Compute what the also-read graph says of each article: degrees, PageRank and component.

Articles count in the order of their addresses, so that the same articles and links give the same numbers, to the last
digit, in whichever order they were archived.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import rustworkx
from sqlite_utils import Database

from pipelines.analysis.links import LISTED, read_redirects
from pipelines.archive.analyses import GRAPH_COLUMNS, GraphRow, fingerprint_of, record_analysis, replace_graph

_ANALYSIS = "graph"
_DAMPING = 0.85
"""How probable it is that a reader follows a link instead of opening any article."""
_TOLERANCE = 1e-9
"""Sum of the changes of all ranks in a round from which on they are final."""
_MAX_ROUNDS = 500

_Integers = npt.NDArray[np.int64]


class _Graph(NamedTuple):
    articles: _Integers
    """Ids of the articles' pages, in the order of their addresses."""
    links: _Integers
    """Source and target of each link, as places in `articles`; sorted."""

    def fingerprint(self) -> str:
        """Return a hash of all that the measures are made from."""
        return sha256(self.articles.tobytes() + self.links.tobytes()).hexdigest()


def update(db: Database) -> bool:
    """Compute the measures of all articles, if one of them or a link is new or gone. Raises sqlite3.Error.

    Returns whether it did.
    """
    graph = _read(db)
    fingerprint = graph.fingerprint()
    if fingerprint_of(db, _ANALYSIS) == fingerprint:
        return False
    with db.atomic():
        replace_graph(db, _measure(graph))
        record_analysis(db, _ANALYSIS, fingerprint)
    return True


def is_wrong(db: Database) -> bool:
    """Return whether the stored measures are not those of the links that they were made from."""
    graph = _read(db)
    if fingerprint_of(db, _ANALYSIS) != graph.fingerprint():
        return False
    stored = db.execute(f"SELECT {', '.join(GRAPH_COLUMNS)} FROM article_graph ORDER BY article")
    return stored.fetchall() != list(_measure(graph))


def _read(db: Database) -> _Graph:
    # As one text: SQLite writes it in half the time that Python takes to make the rows.
    ids = "SELECT group_concat(id, ' ') FROM (SELECT id FROM articles ORDER BY url)"
    articles = _integers(db, ids)
    pairs = f"SELECT group_concat(source || ' ' || target, ' ') FROM also_read WHERE {LISTED}"
    links = _integers(db, pairs).reshape(-1, 2)
    places = np.full(max(articles.max(initial=0), links.max(initial=0)) + 1, -1)
    places[articles] = np.arange(len(articles))
    sources = places[links[:, 0]]
    for page, article in read_redirects(db).items():
        if page < len(places):  # else nothing links to it
            places[page] = places[article]
    targets = places[links[:, 1]]
    between_articles = (sources >= 0) & (targets >= 0) & (sources != targets)
    # As one number, they sort quicker; np.unique hashes them first, which takes many times as long.
    numbers = np.sort((sources * len(articles) + targets)[between_articles])
    numbers = numbers[np.diff(numbers, prepend=-1) > 0]
    return _Graph(articles, np.column_stack(np.divmod(numbers, max(len(articles), 1))))


def _integers(db: Database, query: str) -> _Integers:
    """Return the numbers of a text, which is the only value of a query."""
    (text,) = db.execute(query).fetchone()
    return np.fromstring(text or "", dtype=np.int64, sep=" ")


def _measure(graph: _Graph) -> Iterator[GraphRow]:
    """Return the rows of `article_graph`, sorted."""
    count = len(graph.articles)
    if not count:
        return iter(())
    sources, targets = graph.links.T
    network = rustworkx.PyDiGraph()
    network.add_nodes_from(range(count))
    network.add_edges_from_no_data(list(zip(sources.tolist(), targets.tolist(), strict=True)))
    ranks = rustworkx.pagerank(network, alpha=_DAMPING, tol=_TOLERANCE / count, max_iter=_MAX_ROUNDS)
    columns = (
        graph.articles,
        np.bincount(targets, minlength=count),
        np.bincount(sources, minlength=count),
        np.fromiter(ranks.values(), dtype=np.float64),
        _components(graph, network),
    )
    by_id = np.argsort(graph.articles)
    return zip(*(column[by_id].tolist() for column in columns), strict=True)


def _components(graph: _Graph, network: rustworkx.PyDiGraph[int, None]) -> _Integers:
    """Return the smallest id among the articles that links connect with each article, in either direction."""
    components = graph.articles.copy()
    for places in rustworkx.weakly_connected_components(network):
        if len(places) > 1:
            members = np.fromiter(places, dtype=np.int64)
            components[members] = graph.articles[members].min()
    return components
