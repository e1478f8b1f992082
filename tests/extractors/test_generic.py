"""Pages of other templates: `generic/NAME.html` gives the fields in `NAME.json` and the body in `NAME.md`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.extractors import extract

FOLDER = Path(__file__).parent / "generic"
PAGES = sorted(FOLDER.glob("*.html"))
URL = "https://fixture.example.org/a-post/"
PROSE = (
    "<p>Tea was carried over the mountains on the backs of horses, and the road can still be walked.</p>" * 4
)
PAGE = "<html><head><title>A post</title>{}</head><body><article><h1>A post</h1>{}</article></body></html>"


def read(page: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(page.with_suffix(".json").read_text())
    return expected


def fields_of(html: str, *names: str) -> list[Any]:
    """Fields of a page, whose text must be its prose."""
    article = extract(html.encode(), URL)
    assert article is not None
    assert article.body.startswith("Tea was carried")
    return [getattr(article, name) for name in names]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_gives_its_article(page: Path) -> None:
    expected = read(page)
    url = expected.pop("url")
    article = extract(page.read_bytes(), url)
    if "article" in expected:
        assert expected == {"article": None}
        assert article is None
        return
    assert article is not None
    values = {name: getattr(article, name) for name in ("title", "author", "date", "updated", "tags")}
    dates = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
    assert values | dates == expected
    assert article.body == page.with_suffix(".md").read_text().removesuffix("\n")


def test_every_expectation_has_a_page() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {page.stem for page in PAGES}
    assert {path.suffix for path in FOLDER.iterdir()} == {".html", ".json", ".md"}


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"@graph": ' * 5_000 + "{}" + "}" * 5_000,
        "null",
        "NaN",
        "9" * 100_000,
        '"text"',
        "[[], 3, true, [[{}]]]",
        '{"@type": {"@type": 3}, "author": {"name": {"name": []}}}',
        '{"@type": ["BlogPosting", null, 5], "author": 7, "headline": [], "datePublished": {}, "keywords": {"a": 1}}',
        '{"@type": "Article", "author": [[["x"]], null, {"@id": 4}, {"@id": "#none"}], "@graph": 3, "@id": []}',
        '{"@type": "Article", "author": {"name": ["", " "]}, "image": {"url": {"url": 1}}, "dateModified": true}',
        '{"@type": "Article", "@id": "#a", "author": {"@id": "#a"}, "mainEntity": {"@id": "#a"}}',
        '{"@type": "Article", "datePublished": "' + "2" * 1_000_000 + '"}',
    ],
    ids=range(16),
)
def test_json_ld_of_any_shape_takes_nothing_from_the_page(data: str) -> None:
    script = f'<script type="application/ld+json">{data}</script>'
    assert fields_of(PAGE.format(script, PROSE), "title", "date") == ["A post", None]


def test_text_of_json_ld_is_text() -> None:
    author = r'{"@type": "Article", "author": {"name": "Ana\ud800 \u0000 O\u2019Neill &amp; Co\n"}}'
    html = PAGE.format(f'<script type="application/ld+json">{author}</script>', PROSE)
    assert fields_of(html, "author") == ["Ana O’Neill & Co"]


def test_an_author_is_a_name() -> None:
    """An address names nobody; a person comes before the publisher, and several are listed."""
    data = {
        "@graph": [
            {"@type": "Article", "author": [{"@id": "#a"}, {"@type": "Person", "name": "Ben"}, "Cy"]},
            {"@type": "Person", "@id": "#a", "name": "Ada"},
        ]
    }
    script = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    publisher = '{"@type": "Article", "author": {"@type": "Organization", "name": "Roads"}}'
    profile = '<meta property="article:author" content="https://social.example.com/ada">'
    assert fields_of(PAGE.format(script, PROSE), "author") == ["Ada, Ben and Cy"]
    assert fields_of(PAGE.format(profile, PROSE), "author") == [None]
    byline = f'<p class="byline">By Ada Lee | May 4, 2023</p>{PROSE}'
    html = PAGE.format(f'<script type="application/ld+json">{publisher}</script>{profile}', byline)
    assert fields_of(html, "author") == ["Ada Lee"]


def test_a_title_is_the_heading_that_the_head_names() -> None:
    """The rest of what the head says is the site's name, also where the site has a heading of its own."""
    page = PAGE.replace("<title>A post</title>", "<title>Roads - A post - Walks</title>")
    site = '<h1><a href="/">Roads</a></h1>'
    heading = PAGE.replace("A post</title>", "Tea - Roads of Asia</title>").replace(
        "<h1>A post", f"{site}<h2>Tea"
    )
    assert fields_of(page.format("", PROSE), "title") == ["A post"]
    assert fields_of(heading.replace("</h1>{}", "</h2>{}").format("", PROSE), "title") == ["Tea"]


def test_an_address_of_the_author_is_a_byline() -> None:
    """Any other address is text."""
    signed = '<address><a rel="author">Mei Tan</a></address>'
    where = "<address>Mill Lane 4</address>"
    article = extract(PAGE.format("", signed + PROSE + where).encode(), URL)
    assert article is not None
    assert article.author == "Mei Tan"
    assert article.body.startswith("Tea was carried")
    assert article.body.endswith("Mill Lane 4")


def test_a_part_of_the_text_is_kept_whatever_its_heading_is() -> None:
    """Generators name a section by its heading, so its id does not make it a box of the template's."""
    section = '<section id="comments"><h2>Comments</h2><p>Lines that begin with a hash.</p></section>'
    license_ = '<div class="section" id="license"><h2>License</h2><p>Do with it what you like.</p></div>'
    article = extract(PAGE.format("", PROSE + section + license_).encode(), URL)
    assert article is not None
    assert article.body.endswith(
        "## Comments\n\nLines that begin with a hash.\n\n## License\n\nDo with it what you like."
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "content",
    [
        '<div class="post-content">' * 200 + PROSE,
        f"<article>{PROSE}</article>" * 500,
        "<h1>A post</h1>" * 5_000 + PROSE,
        f'<div class="{"article-" * 20_000}">{PROSE}</div>',
        '<p><a href="/tag/x/">x</a> <span class="byline">By <b>x</b></span></p>' * 3_000 + PROSE,
    ],
    ids=["deep", "articles", "headings", "class", "tags"],
)
def test_a_page_with_very_many_of_anything_comes_through(content: str) -> None:
    assert extract(PAGE.format("", content).encode(), URL) is not None


@pytest.mark.parametrize("tag", ["bigint(32)|x", "a,b", "vector<int", "x@y.example"])
def test_a_tag_with_an_invalid_name_costs_no_text(tag: str) -> None:
    text = "Before it there is as much text as an article has, and more."
    (body,) = fields_of(PAGE.format("", f"{PROSE}<div>{text} <{tag}>behind</div>"), "body")
    assert "behind" in body
