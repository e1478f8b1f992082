"""Graphs come out of each format as they went in, whatever the titles are."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from contextlib import closing
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from crawler.items import Article, Link
from pipelines.analysis.graph_export import GraphExport
from pipelines.analysis.graph_formats import Kind
from pipelines.archive.connection import connect, open_current
from pipelines.archive.selection import ArticleFilter
from tests.support.graphs import archive_of

HOSTILE = 'Say "so" & <b>more</b> \\N \\" ]]> &amp; \u202e 🌱, a\\'
CONTROLS = "Tab\tbell\x07 next\x85 line\x00"
ONE, TWO, THREE = (f"https://{name}.techidaily.com/x,y/" for name in ("one", "two", "three"))
TITLES = {ONE: HOSTILE, TWO: CONTROLS, THREE: None}
LINKS = {(ONE, TWO, 1), (ONE, THREE, 2), (THREE, ONE, 1)}
WITHOUT_CONTROLS = {ONE: HOSTILE, TWO: "Tab\tbell next line", THREE: None}
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
GEXF = "{http://gexf.net/1.3}"

Parsed = tuple[dict[str, dict[str, str]], set[tuple[str, str, int]]]
"""Attributes of the articles by address, and links."""


@pytest.fixture
def data(tmp_path: Path, article: Callable[..., Article]) -> Path:
    articles = [
        article(
            url=url,
            title=title,
            also_read=[Link(target, "x") for source, target, _ in sorted(LINKS, key=str) if source == url],
        )
        for url, title in TITLES.items()
    ]
    articles[0].also_read.sort(key=lambda link: link.url != TWO)
    return archive_of(tmp_path / "data", articles)


def exported(data: Path, kind: Kind, **chosen: Any) -> str:
    out = BytesIO()
    with closing(open_current(data / "archive.db")) as db:
        GraphExport(db, ArticleFilter(**chosen)).write(kind, out)
    return out.getvalue().decode()


def read_graphml(text: str) -> Parsed:
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    keys = {key.attrib["id"] for key in root.iter(f"{GRAPHML}key")}
    nodes = {}
    for node in root.iter(f"{GRAPHML}node"):
        nodes[node.attrib["id"]] = {data.attrib["key"]: data.text or "" for data in node}
        assert set(nodes[node.attrib["id"]]) <= keys
    urls = {id_: values["url"] for id_, values in nodes.items()}
    links = {
        (urls[edge.attrib["source"]], urls[edge.attrib["target"]], int(edge[0].text or ""))
        for edge in root.iter(f"{GRAPHML}edge")
    }
    return {values["url"]: values for values in nodes.values()}, links


def read_gexf(text: str) -> Parsed:
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    assert root.attrib["version"] == "1.3"
    keys = {attribute.attrib["id"] for attribute in root.iter(f"{GEXF}attribute")}
    values = {}
    for node in root.iter(f"{GEXF}node"):
        values[node.attrib["id"]] = {item.attrib["for"]: item.attrib["value"] for item in node[0]}
        assert set(values[node.attrib["id"]]) <= keys
        assert node.attrib["label"] in (*values[node.attrib["id"]].values(),)
    links = {
        (
            values[edge.attrib["source"]]["url"],
            values[edge.attrib["target"]]["url"],
            int(edge[0][0].attrib["value"]),
        )
        for edge in root.iter(f"{GEXF}edge")
    }
    return {row["url"]: row for row in values.values()}, links


_STRING = r'"((?:[^"\\]|\\.)*)"'


def read_dot(text: str) -> Parsed:
    """Read it by Graphviz's grammar: a backslash in a string escapes what follows, labels have entities."""
    nodes: dict[str, dict[str, str]] = {}
    first, *lines, last = text.splitlines()
    assert (first, last) == ('digraph "also-read" {', "}")
    links = set()
    for line in lines:
        if edge := re.fullmatch(r"  (n\d+) -> (n\d+) \[position=(\d+)\];", line):
            links.add((nodes[edge[1]]["url"], nodes[edge[2]]["url"], int(edge[3])))
            continue
        node = re.fullmatch(rf"  (n\d+) \[((?:\w+={_STRING}(?:, )?)+)\];", line)
        assert node, line
        pairs = re.findall(rf"(\w+)={_STRING}", node[2])
        values = {name: re.sub(r"\\(.)", r"\1", value) for name, value in pairs}
        label = values.pop("label").replace("&amp;", "&")
        values["url"] = values.pop("URL")
        nodes[node[1]] = values | ({"title": label} if label != values["url"] else {})
    return {values["url"]: values for values in nodes.values()}, links


@pytest.mark.parametrize(
    ("kind", "read"),
    [("graphml", read_graphml), ("gexf", read_gexf), ("dot", read_dot)],
)
def test_a_graph_comes_back_as_it_was(data: Path, kind: Kind, read: Callable[[str], Parsed]) -> None:
    nodes, links = read(exported(data, kind))
    assert {url: values.get("title") for url, values in nodes.items()} == WITHOUT_CONTROLS
    assert links == LINKS
    assert nodes[ONE]["out_degree"] == "2"
    assert nodes[ONE]["in_degree"] == "1"
    assert float(nodes[ONE]["pagerank"]) > float(nodes[TWO]["pagerank"])
    assert nodes[ONE]["component"] == nodes[TWO]["component"]


def test_a_table_has_the_links(data: Path) -> None:
    head, *rows = csv.reader(StringIO(exported(data, "csv"), newline=""))
    assert head == ["source", "target", "position"]
    assert {(source, target, int(position)) for source, target, position in rows} == LINKS


def test_only_links_between_chosen_articles_are_written(data: Path) -> None:
    nodes, links = read_graphml(exported(data, "graphml", hosts=["one.*", "three.*"]))
    assert set(nodes) == {ONE, THREE}
    assert links == {(ONE, THREE, 2), (THREE, ONE, 1)}


def test_articles_that_were_never_analysed_have_no_measures(data: Path) -> None:
    with closing(connect(data / "archive.db")) as db:
        db.execute("DELETE FROM article_graph")
    nodes, links = read_gexf(exported(data, "gexf"))
    assert set(nodes[ONE]) == {"url", "host", "title", "distance"}
    assert links == LINKS
