"""A browser gets harmless HTML of a body, with our pages and copies in place of what lies elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lxml.html
import pytest

from pipelines.serve.rendering import Body
from tests.support.serving import HOSTILE_BODY

HOSTILE_MARKUP = (
    (Path(__file__).parents[1] / "faults" / "markup.txt").read_text(encoding="utf-8").splitlines()
)
COPIES = {"https://pictures.example/a.png": "/images/pictures.example/a.png"}
PAGES = {"https://one.techidaily.com/jam/": "/article/one.techidaily.com/jam/"}


def rendered(body: str) -> str:
    return Body(body).html(PAGES, COPIES).strip()


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("# a\n\n### b", "<h2>a</h2>\n<h4>b</h4>"),
        ("#### a\n\n##### b", "<h2>a</h2>\n<h3>b</h3>"),
        ("# a\n\n###### b", "<h2>a</h2>\n<h6>b</h6>"),
        (
            "[jam](https://one.techidaily.com/jam/#set)",
            '<p><a href="/article/one.techidaily.com/jam/" rel="noopener noreferrer">jam</a></p>',
        ),
        (
            "<https://elsewhere.example/>",
            '<p><a href="https://elsewhere.example/" rel="noopener noreferrer">https://elsewhere.example/</a></p>',
        ),
        (
            '![a "loaf"](https://pictures.example/a.png "Ours")',
            '<p><img src="/images/pictures.example/a.png" alt="a &quot;loaf&quot;" title="Ours" loading="lazy"></p>',
        ),
        (
            "![a <loaf>](https://pictures.example/b.png)",
            '<p><span class="missing" title="https://pictures.example/b.png">'
            '<span class="caption">Image without a copy</span> a &lt;loaf&gt;</span></p>',
        ),
        ("```js\nx < 1\n```", '<pre tabindex="0"><code>x &lt; 1\n</code></pre>'),
        ("H<sub>2</sub>O ~~old~~", "<p>H<sub>2</sub>O <s>old</s></p>"),
    ],
)
def test_a_body_is_rendered(body: str, html: str) -> None:
    assert rendered(body) == html


def test_a_table_scrolls_by_keyboard() -> None:
    for body in ("| a |\n| --- |\n| 1 |", "<table><tr><td><ul><li>a</li></ul></td></tr></table>"):
        html = rendered(body)
        assert html.startswith('<div class="wide" tabindex="0" role="region" aria-label="Table"><table>')


def test_images_in_html_are_copies_or_placeholders() -> None:
    html = rendered(
        '<table><tr><td><ul><li><img src="https://pictures.example/a.png" alt="a">, '
        '<IMG alt="1 > 0" src=https://pictures.example/b.png>\x01</li></ul></td></tr></table>'
    )
    assert '<img src="/images/pictures.example/a.png" alt="a" loading="lazy">, <span class="missing"' in html
    assert 'title="https://pictures.example/b.png"' in html
    assert "1 &gt; 0" in html
    assert '<img src="https://' not in html


@pytest.mark.parametrize("body", [HOSTILE_BODY, *HOSTILE_MARKUP])
def test_nothing_of_a_hostile_body_is_live(body: str) -> None:
    assert list(live_parts(rendered(body))) == []


def live_parts(html: str) -> Iterator[str]:
    """What in the HTML could run, fetch or send anything."""
    for element in lxml.html.fragment_fromstring(html, create_parent="div").iter():
        if element.tag in (
            "script",
            "style",
            "iframe",
            "form",
            "input",
            "link",
            "meta",
            "base",
            "svg",
            "math",
        ):
            yield str(element.tag)
        for name, value in element.items():
            if name.startswith("on") or name in ("style", "id", "srcset", "action"):
                yield name
            if name == "src" and value not in COPIES.values():
                yield value
            if name == "href" and not value.startswith(("http://", "https://", "mailto:", "#", "/article/")):
                yield value
