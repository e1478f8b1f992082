"""Files become articles: those that the archive wrote, those that others wrote, and sources of posts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extractors.source import read_source
from crawler.items import Article, Image, Link
from crawler.urls import canonical
from pipelines.archive.article_file import render
from pipelines.importing.files import find
from pipelines.importing.parse import ParsedFile, Parser
from pipelines.normalize import normalize
from tests.conftest import ARTICLE, DEMO
from tests.site import posts
from tests.support.imports import BREAD, SCOPE, SOURCE, parse, parsed
from tests.support.strings import YAML_TRAPS

_text = st.one_of(
    st.sampled_from(YAML_TRAPS), st.text(st.characters(exclude_categories=["Cs"])), st.text("a: #-'\"\n`|<&[")
)


@settings(max_examples=150)
@given(title=_text, texts=st.lists(_text, max_size=3), body=_text, extra=st.dictionaries(_text, _text))
def test_a_file_of_the_archive_is_parsed_to_its_article(
    title: str, texts: list[str], body: str, extra: dict[str, str]
) -> None:
    item = normalize(
        replace(
            ARTICLE,
            title=title,
            tags=texts,
            body=f"x{body}",
            images=[Image("https://pictures.example/a.png", alt=text or None) for text in texts],
            also_read=[Link(f"https://one.techidaily.com/{at}/", text) for at, text in enumerate(texts)],
            extractor="file",
            extra={f"own {key}": value for key, value in extra.items()},
        )
    )
    assert parse(render(item)) == ParsedFile("post.md", item, render(item).encode())


def test_the_source_of_a_post_gives_what_its_page_gives() -> None:
    expected = {canonical(post.url): normalize(post.article) for post in posts(DEMO)}
    for folder in DEMO.glob("*.techidaily.com"):
        for _, article, _, reason in Parser(folder.name, SCOPE, read_source)(list(find(folder))):
            assert article is not None, reason
            page = expected.pop(article.url)
            assert article.author in (None, page.author)
            for name in ("title", "description", "tags", "categories", "lang", "images", "also_read", "body"):
                assert getattr(article, name) == getattr(page, name), (page.url, name)
    assert not expected


def test_a_source_is_cut_as_its_page() -> None:
    found = parsed(SOURCE, "rest/how-to-rest.md", host="one.techidaily.com")
    assert found == Article(
        url="https://one.techidaily.com/how-to-rest/",
        title="[New] How to Rest",
        author="Ada Baker",
        author_source="byline",
        date=datetime(2024, 3, 1, 9, 12, 41, 115000, tzinfo=UTC),
        updated=datetime(2024, 3, 2, 9, 12, 41, 115000, tzinfo=UTC),
        tags=["rest"],
        categories=[],
        description=None,
        keywords=None,
        thumbnail=None,
        lang=None,
        license=None,
        body="## How to rest\n\nLie down. [A mat](https://shop.example/mat/) will do.\n\n"
        "![a mat](https://pictures.example/mat.png)",
        images=[Image("https://pictures.example/mat.png", alt="a mat")],
        also_read=[
            Link("https://two.techidaily.com/jam/", "Jam & More"),
            Link("https://example.org/shop/", "Shop"),
        ],
        extractor="source",
        extra={"mood": "calm", "seen": "2024-02-29", "byline_date": "2024-03-27"},
    )


@pytest.mark.parametrize(
    ("front_matter", "host", "url"),
    [
        (f"url: {BREAD}", None, BREAD),
        ("source_url: http://ONE.techidaily.com/bread/index.html\npermalink: /a/b/", None, BREAD),
        ("canonical_url: https://one.techidaily.com/bread", None, BREAD),
        ("permalink: https://one.techidaily.com/bread", None, BREAD),
        ("permalink: my bread/", "one.techidaily.com", "https://one.techidaily.com/my%20bread/"),
        ("title: a", "one.techidaily.com", "https://one.techidaily.com/post/"),
        ("url: /a/\nparams:\n  source_url: https://one.techidaily.com/bread/", None, BREAD),
    ],
)
def test_where_an_address_comes_from(front_matter: str, host: str | None, url: str) -> None:
    found = parsed(f"---\n{front_matter}\n---\nText.\n", host=host)
    assert (found.url, found.extra) == (url, {})


def test_keys_as_other_programs_have_them() -> None:
    found = parsed(
        f"\ufeff---\r\nsource_url: {BREAD}\r\nlastmod: 2024-01-02 03:04:05 +0000\r\ndate: 2024-01-01\r\n"
        "title: 2024\r\ntags: one\r\ncategories: [[a], [b]]\r\nkeywords: [x, y]\r\nimages: [https://p.example/1]\r\n"
        "disableNunjucks: true\r\nlayout: post\r\nweight: 1.5\r\n---\r\n\r\nOne.\r\n"
    )
    assert (found.title, found.tags, found.categories, found.keywords) == ("2024", ["one"], ["a", "b"], "x,y")
    assert found.date == datetime(2024, 1, 1, tzinfo=UTC)
    assert found.updated == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.images == [Image("https://p.example/1")]
    assert (found.body, found.extra) == ("One.", {"layout": "post", "weight": 1.5})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("---\n---\nText.\n", "front matter that is not a list of keys and values"),
        ("---\ntitle: a\n---- \n--- b\nText.\n", "no front matter: it has to begin with a block"),
        ("---", "no front matter: it has to begin with a block"),
        ("\n---\ntitle: a\n---\nText.\n", "no front matter: it has to begin with a block"),
        (f"---\ntitle: {'a' * 2**20}\n---\nText.\n", "front matter of 1 MB"),
    ],
)
def test_front_matter_stands_between_two_lines_of_three_dashes(content: str, reason: str) -> None:
    refused = parse(content).reason
    assert refused is not None
    assert refused.startswith(reason)


@pytest.mark.parametrize("closing", ["---", "--- \t", "---\r"])
def test_a_text_is_taken_as_it_stands(closing: str) -> None:
    found = parsed(f"---\nurl: {BREAD}\n{closing}\n\n    code\n\n---\n\ntext  \n")
    assert found.body == "    code\n\n---\n\ntext  "


def test_the_same_key_twice_has_its_last_value() -> None:
    assert parsed(f"---\nurl: {BREAD}\ntitle: a\ntitle: b\n---\nText.\n").title == "b"
