"""Compare extract() with trafilatura alone on pages of other templates, field by field.

python -m bench.generic [DIR]

DIR has pages, each NAME.html with its fields in NAME.json and its body in NAME.md; without it the pages of the tests
are used. Exits with 1 where extract() is worse than trafilatura in any line.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lxml.html
import trafilatura
from markdown_it import MarkdownIt

from crawler.extractors import extract

PAGES = Path(__file__).parent.parent / "tests" / "extractors" / "generic"
FIELDS = ("title", "author", "date")
PARTS = ("words", "headings", "list items", "links", "images", "table rows", "code blocks")
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@dataclass(frozen=True)
class Reading:
    """A page as one side reads it: the fields as text, the date as a day, and the body."""

    fields: dict[str, str | None]
    body: str


def ours(html: bytes, url: str) -> Reading:
    article = extract(html, url)
    if article is None:
        return Reading(dict.fromkeys(FIELDS), "")
    date = article.date.date().isoformat() if article.date else None
    return Reading({"title": article.title, "author": article.author, "date": date}, article.body)


def theirs(html: bytes, url: str) -> Reading:
    metadata = trafilatura.extract_metadata(html, default_url=url)
    body = trafilatura.extract(
        html,
        url=url,
        output_format="markdown",
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
    )
    author = _listed(metadata.author.split("; ")) if metadata.author else None
    return Reading({"title": metadata.title, "author": author, "date": metadata.date}, body or "")


def _listed(names: list[str]) -> str:
    """Join names as the expectations do: trafilatura has semicolons between them."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def parts(body: str) -> dict[str, Counter[str]]:
    """Count the parts of rendered Markdown, by kind."""
    doc = lxml.html.fragment_fromstring(MARKDOWN.render(body), create_parent="div")
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in PARTS}
    for kind, text in _parts_of(doc):
        counts[kind][text] += 1
    return counts


def _parts_of(doc: Any) -> Iterator[tuple[str, str]]:
    yield from (("words", word) for word in doc.text_content().split())
    for node in doc.iter():
        text = " ".join(node.text_content().split()) if isinstance(node.tag, str) else ""
        match node.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                yield "headings", f"{node.tag} {text}"
            case "li":
                yield "list items", f"{node.getparent().tag} {text}"
            case "a":
                yield "links", f"{node.get('href')} {text}"
            case "img":
                yield "images", f"{node.get('src')} {node.get('alt')}"
            case "tr":
                yield "table rows", "|".join(cell.text_content().strip() for cell in node)
            case "pre":
                yield "code blocks", node.text_content()


class Score:
    """Counts of one side over all pages."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, reading: Reading, fields: dict[str, Any], body: str) -> None:
        """Count the fields and parts of a page that a reading has right."""
        date = fields["date"][:10] if fields["date"] else None
        expected = {"title": fields["title"], "author": fields["author"], "date": date}
        self.right.update(name for name in FIELDS if reading.fields[name] == expected[name])
        self.right["body"] += reading.body.strip() == body.strip()
        got = parts(reading.body)
        for kind, wanted in parts(body).items():
            self.counts[kind]["both"] += (wanted & got[kind]).total()
            self.counts[kind]["all"] += wanted.total() + got[kind].total()

    def f1(self, kind: str) -> float:
        """Return the harmonic mean of precision and recall."""
        counts = self.counts[kind]
        return 2 * counts["both"] / counts["all"] if counts["all"] else 1.0


def main() -> int:
    """Print both sides' scores; return 1 where extract() is worse in any line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGES
    sides = {"extract": (ours, Score()), "trafilatura": (theirs, Score())}
    pages = 0
    for page in sorted(folder.glob("*.html")):
        fields = json.loads(page.with_suffix(".json").read_text())
        if "title" not in fields:
            continue  # of a page that is no article, there is nothing to compare
        body = page.with_suffix(".md").read_text()
        for read, score in sides.values():
            score.add(read(page.read_bytes(), fields["url"]), fields, body)
        pages += 1
    if not pages:
        sys.exit(f"no pages with expectations in {folder}")
    print(f"{pages} pages of {folder}")
    print(f"{'':22}" + "".join(f"{name:>13}" for name in sides))
    worse = False
    scores = [score for _, score in sides.values()]
    for name in (*FIELDS, "body"):
        shares = [score.right[name] / pages for score in scores]
        print(f"{name + ', exact':22}" + "".join(f"{share:13.3f}" for share in shares))
        worse |= shares[0] < shares[1]
    for kind in PARTS:
        values = [score.f1(kind) for score in scores]
        print(f"{kind + ', F1':22}" + "".join(f"{value:13.3f}" for value in values))
        worse |= values[0] < values[1]
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
