"""Write the also-read graph in the formats of graph programs: GraphML, GEXF, DOT and CSV.

Each format is a function that yields the text in pieces, so that a graph of any size can be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from pipelines.analysis.links import Link

Kind = Literal["graphml", "gexf", "csv", "dot"]

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 forbids or advises against."""


class Node(NamedTuple):
    """An article; of the measures none is there before the graph was analysed."""

    id: int
    url: str
    host: str
    title: str | None
    in_degree: int | None
    out_degree: int | None
    pagerank: float | None
    component: int | None
    distance: int | None

    def attributes(self) -> Iterator[tuple[str, str]]:
        """Yield the names and values of what is known."""
        for name, value in zip(self._fields[1:], self[1:], strict=True):
            if value is not None:
                yield name, _CONTROLS.sub("", str(value))

    def label(self) -> str:
        """Return the title, or the address of an article without one."""
        return _CONTROLS.sub("", self.title or self.url)


_TYPES = {
    "url": "string",
    "host": "string",
    "title": "string",
    "in_degree": "long",
    "out_degree": "long",
    "pagerank": "double",
    "component": "long",
    "distance": "long",
}
"""Attributes of a node, with their types in both XML formats."""

_KEPT_IN_XML = {"\r": "&#13;"}
"""What a parser of XML would read as a line feed."""


def graphml(nodes: Iterable[Node], links: Iterable[Link]) -> Iterator[str]:
    """Yield the graph as GraphML 1.0."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns'
        ' http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
    )
    for name, kind in _TYPES.items():
        yield f'  <key id="{name}" for="node" attr.name="{name}" attr.type="{kind}"/>\n'
    yield '  <key id="position" for="edge" attr.name="position" attr.type="long"/>\n'
    yield '  <graph id="also-read" edgedefault="directed">\n'
    for node in nodes:
        data = "".join(
            f'<data key="{name}">{escape(value, _KEPT_IN_XML)}</data>' for name, value in node.attributes()
        )
        yield f'    <node id="n{node.id}">{data}</node>\n'
    for link in links:
        position = f'<data key="position">{link.position}</data>'
        yield f'    <edge source="n{link.source}" target="n{link.target}">{position}</edge>\n'
    yield "  </graph>\n</graphml>\n"


def gexf(nodes: Iterable[Node], links: Iterable[Link]) -> Iterator[str]:
    """Yield the graph as GEXF 1.3."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gexf xmlns="http://gexf.net/1.3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://gexf.net/1.3 http://gexf.net/1.3/gexf.xsd" version="1.3">\n'
        '  <graph defaultedgetype="directed" mode="static">\n    <attributes class="node">\n'
    )
    for name, kind in _TYPES.items():
        yield f'      <attribute id="{name}" title="{name}" type="{kind}"/>\n'
    yield '    </attributes>\n    <attributes class="edge">\n'
    yield '      <attribute id="position" title="position" type="long"/>\n    </attributes>\n    <nodes>\n'
    for node in nodes:
        values = "".join(_attvalue(name, value) for name, value in node.attributes())
        label = quoteattr(node.label())
        yield f'      <node id="n{node.id}" label={label}><attvalues>{values}</attvalues></node>\n'
    yield "    </nodes>\n    <edges>\n"
    for number, link in enumerate(links):
        ends = f'id="e{number}" source="n{link.source}" target="n{link.target}"'
        value = _attvalue("position", str(link.position))
        yield f"      <edge {ends}><attvalues>{value}</attvalues></edge>\n"
    yield "    </edges>\n  </graph>\n</gexf>\n"


def _attvalue(name: str, value: str) -> str:
    return f'<attvalue for="{name}" value={quoteattr(value)}/>'


def dot(nodes: Iterable[Node], links: Iterable[Link]) -> Iterator[str]:
    """Yield the graph in the language of Graphviz."""
    yield 'digraph "also-read" {\n'
    for node in nodes:
        # Graphviz reads entities in labels, and makes links of the attribute URL.
        label = _quoted(node.label().replace("&", "&amp;"))
        others = "".join(
            f", {'URL' if name == 'url' else name}={_quoted(value)}"
            for name, value in node.attributes()
            if name != "title"
        )
        yield f"  n{node.id} [label={label}{others}];\n"
    for link in links:
        yield f"  n{link.source} -> n{link.target} [position={link.position}];\n"
    yield "}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def csv(nodes: Iterable[Node], links: Iterable[Link]) -> Iterator[str]:
    """Yield the links as a table: addresses of source and target, and the position in the list.

    The addresses are quoted, as they may have commas; a canonical one has no quote, and is no formula.
    """
    urls = {node.id: node.url for node in nodes}
    yield "source,target,position\r\n"
    for link in links:
        yield f'"{urls[link.source]}","{urls[link.target]}",{link.position}\r\n'


FORMATS: dict[Kind, Callable[[Iterable[Node], Iterable[Link]], Iterator[str]]] = {
    "graphml": graphml,
    "gexf": gexf,
    "csv": csv,
    "dot": dot,
}
