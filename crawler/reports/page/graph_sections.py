"""Compose the sections about links: the network of hosts, most linked, orphans, dead ends, near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crawler.reports.page.charts import Bars
from crawler.reports.page.contents import Contents, Families, Measures
from crawler.reports.page.figures import Figure, Section
from crawler.reports.page.html import details, paragraph
from crawler.reports.page.lists import article, column, listing, part_of
from crawler.reports.page.network import DRAWN_LINKS, lay_out
from crawler.reports.page.states import by_state
from crawler.text import counted

_WITHOUT_RUSTWORKX = (
    "The drawing of this network was left out, as rustworkx is not installed. "
    "Run pip install 'alsoread[analysis]', and make the report again."
)


def graph_sections(contents: Contents, name_of: Callable[[str], str]) -> Iterator[Section]:
    """Yield the sections; those whose numbers the catalog does not have are left out."""
    yield _network(contents, name_of)
    yield _most_linked(contents)
    yield _orphans(contents)
    if contents.measures:
        yield _distances(contents.measures)
        yield _ranks(contents.measures)
    yield _dead_ends(contents)
    yield _missing(contents)
    if contents.families:
        yield _families(contents.families)


def _network(contents: Contents, name_of: Callable[[str], str]) -> Section:
    links = contents.listed_links
    columns = {"from": column("source"), "to": column("target"), "links": column("links")}
    strongest = details("Strongest links", listing("Links from one host to another", links, columns))
    articles = {row["host"]: row["articles"] for row in contents.hosts.rows}
    try:
        network = lay_out(articles, contents.host_links, name_of)
    except ImportError:
        return Section("network", "Links between hosts", [paragraph(_WITHOUT_RUSTWORKX), strongest])
    hosts = articles.keys() | {host for link in contents.host_links for host in link[:2]}
    figure = Figure(
        name="network",
        caption=f"Hosts, each with lines to the {DRAWN_LINKS} others that it shares the most links with"
        f"{part_of(len(network.nodes), len(hosts))}",
        chart=network,
        headings=("host", "articles", "links from other hosts", "links to other hosts"),
        rows=[(node.name, node.articles, node.links_in, node.links_out) for node in network.nodes],
    )
    return Section("network", "Links between hosts", [figure, strongest])


def _most_linked(contents: Contents) -> Section:
    columns = {"article": article, "linked from": column("linked_from")}
    most_linked = listing("Articles that most others link to", contents.most_linked, columns)
    return Section("most-linked", "Most linked", [most_linked], half=True)


def _orphans(contents: Contents) -> Section:
    orphans = listing("Articles that no other links to", contents.orphans, {"article": article})
    return Section("orphans", "Orphans", [orphans], half=True)


def _dead_ends(contents: Contents) -> Section:
    caption = "Pages that articles link to, and that are not archived, by state"
    figure = by_state("dead-ends", caption, contents.missing_states)
    return Section("dead-ends", "Dead ends", [figure], half=True)


def _missing(contents: Contents) -> Section:
    columns = {"page": article, "why": column("reason"), "linked from": column("linked_from")}
    missing = listing("Pages that are not archived, most linked first", contents.missing, columns)
    return Section("missing", "Missing pages", [missing], half=True)


def _distances(measures: Measures) -> Section:
    labels = [_distance(distance) for distance, _ in measures.distances]
    figure = Figure(
        name="distances",
        caption=f"Articles by distance from a seed, in {counted(measures.components, 'component')}",
        chart=Bars(labels, ["c1"] * len(labels), [count for _, count in measures.distances]),
        headings=("distance", "articles"),
        rows=[*zip(labels, (count for _, count in measures.distances), strict=True)],
    )
    return Section("distances", "Distances", [figure], half=True)


def _ranks(measures: Measures) -> Section:
    columns = {"article": article, "linked from": column("in_degree"), "PageRank": column("pagerank")}
    leading = listing("Articles with the highest PageRank", measures.leading, columns)
    return Section("ranks", "Highest ranks", [leading], half=True)


def _distance(links: int | None) -> str:
    return "not reached by links" if links is None else counted(links, "link")


def _families(families: Families) -> Section:
    sentence = (
        f"{counted(families.articles, 'article')} in {counted(families.largest.total, 'family', 'families')} "
        "of nearly identical ones."
    )
    columns = {"canonical article": article, "members": column("members"), "hosts": column("hosts")}
    largest = listing("Largest families", families.largest, columns)
    return Section("near-duplicates", "Near-duplicates", [paragraph(sentence), largest])
