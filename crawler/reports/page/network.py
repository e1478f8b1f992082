"""Lay out the network of hosts: where each stands, and which of its links are drawn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import sqrt

from crawler.reports.page.charts import Network, Node

LARGEST_NETWORK = 300
"""Hosts that are drawn: those with the most articles and links."""
DRAWN_LINKS = 3
"""Lines of a host, those with the most links first; it has more where it is among the first of others."""
_NEIGHBOURS = 5
"""Hosts that a host is shown with, each way."""
_SEED = 1
_ITERATIONS = 500
_LARGEST_RADIUS, _SMALLEST_RADIUS = 16, 3
_PLACES = 1000
_RANK_SHARE = 0.7
_CONNECTED_SHARE = 0.93
"""Share of the height that connected hosts take; the others stand below, in a row."""

Links = Sequence[tuple[str, str, int]]
"""Source, target and number of links."""
Neighbours = Mapping[str, Sequence[tuple[str, int]]]
"""Hosts and links by the host at the other end, most links first."""


def lay_out(articles: Mapping[str, int], links: Links, name_of: Callable[[str], str]) -> Network:
    """Return the network of hosts, the largest first. Raises ImportError without rustworkx."""
    sources, targets = _neighbours(links)
    hosts = _largest(articles, sources.keys() | targets.keys(), sources)
    edges = _strongest(hosts, links)
    most = max((articles.get(host, 0) for host in hosts), default=0) or 1

    def named(neighbours: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        return [(name_of(host), count) for host, count in neighbours[:_NEIGHBOURS]]

    nodes = [
        Node(
            name=name_of(host),
            x=x,
            y=y,
            radius=_radius(articles.get(host, 0) / most),
            articles=articles.get(host, 0),
            links_in=sum(count for _, count in sources.get(host, ())),
            links_out=sum(count for _, count in targets.get(host, ())),
            sources=named(sources.get(host, ())),
            targets=named(targets.get(host, ())),
        )
        for host, (x, y) in zip(hosts, _places(len(hosts), edges), strict=True)
    ]
    return Network(nodes, edges)


def _neighbours(links: Links) -> tuple[Neighbours, Neighbours]:
    """Return the hosts that link to each host, and those that it links to."""
    sources, targets = defaultdict(list), defaultdict(list)
    for source, target, count in sorted(links, key=lambda link: (-link[2], link[0], link[1])):
        sources[target].append((source, count))
        targets[source].append((target, count))
    return sources, targets


def _largest(articles: Mapping[str, int], linked: set[str], sources: Neighbours) -> list[str]:
    def size(host: str) -> tuple[int, int, str]:
        return -articles.get(host, 0), -sum(count for _, count in sources.get(host, ())), host

    return sorted(articles.keys() | linked, key=size)[:LARGEST_NETWORK]


def _strongest(hosts: Sequence[str], links: Links) -> list[tuple[int, int, int]]:
    """Return the edges that are drawn: links of both ways together, the strongest of each host."""
    number = {host: index for index, host in enumerate(hosts)}
    both: Counter[tuple[int, int]] = Counter()
    for source, target, count in links:
        if source in number and target in number:
            both[min(number[source], number[target]), max(number[source], number[target])] += count
    edges_of: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for edge, _ in sorted(both.items(), key=lambda item: (-item[1], item[0])):
        for end in edge:
            edges_of[end].append(edge)
    drawn = {edge for edges in edges_of.values() for edge in edges[:DRAWN_LINKS]}
    return [(*edge, both[edge]) for edge in sorted(drawn)]


def _radius(share: float) -> int:
    """Return the radius of a circle whose area grows with a host's articles."""
    return _SMALLEST_RADIUS + round((_LARGEST_RADIUS - _SMALLEST_RADIUS) * sqrt(share))


def _places(count: int, edges: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return a place for each host: near to those that it has an edge with; below the others if it has none."""
    from rustworkx import PyGraph, spring_layout

    ends = {end for edge in edges for end in edge[:2]}
    connected, alone = sorted(ends), sorted(set(range(count)) - ends)
    graph: PyGraph[int, None] = PyGraph()
    graph.add_nodes_from(connected)
    node_of = {number: node for node, number in enumerate(connected)}
    graph.add_edges_from([(node_of[low], node_of[high], None) for low, high, _ in edges])
    layout = spring_layout(graph, num_iter=_ITERATIONS, seed=_SEED)
    columns, rows = (_spread([layout[node][axis] for node in range(len(connected))]) for axis in (0, 1))
    height = _CONNECTED_SHARE if alone else 1
    places = {number: (columns[node], round(height * rows[node])) for number, node in node_of.items()}
    for position, number in enumerate(alone, 1):
        places[number] = (_PLACES * position // (len(alone) + 1), _PLACES)
    return [places[number] for number in range(count)]


def _spread(values: Sequence[float]) -> list[int]:
    """Spread values over all places, mostly by their rank: what is crowded in a layout comes apart."""
    if not values:
        return []
    low, span, last = min(values), (max(values) - min(values)) or 1, max(1, len(values) - 1)
    ranks = {node: rank for rank, node in enumerate(sorted(range(len(values)), key=values.__getitem__))}
    return [
        round(_PLACES * ((1 - _RANK_SHARE) * (value - low) / span + _RANK_SHARE * ranks[node] / last))
        for node, value in enumerate(values)
    ]
