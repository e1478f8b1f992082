"""Which links of a text lead to files is what a whole CommonMark parser says, however little of it runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from crawler.urls import canonical, host_of
from pipelines.export.links import Forms, Target, addresses, page_on, rewrite

ROLLS, JAM = "https://one.techidaily.com/rolls/", "http://two.techidaily.com/jam/index.html"
TARGETS = {ROLLS: Target("rolls.md", "/rolls/"), JAM: Target("jam.md", "/jam/")}
ELSEWHERE = "https://elsewhere.example/"

# What links, and what only looks so: pieces of a text in any order, also within one another.
PIECES = [
    *(
        form.format(url)
        for url in (ROLLS, JAM, ELSEWHERE)
        for form in ("[a]({})", '[a]({} "title")', "[a](<{}>)", "<{}>", "![a]({})", "[r]: {}", "]({})", "{}")
    ),
    *(
        "[r]",
        "[a][r]",
        "[",
        "]",
        "(",
        ")",
        "![",
        "`",
        "``",
        "\\",
        "*",
        "<b>",
        "<!--",
        "-->",
        '<a href="',
        '">',
    ),
    *(
        "\n",
        "\n\n",
        "\n    ",
        "\n```\n",
        "\n> ",
        "\n- ",
        "\n1. ",
        "\n| a | b |\n| - | - |\n| ",
        " | ",
        " ",
        "text",
    ),
]
# Few of a kind in a text: so that there are texts without any of what reaches far.
TEXTS = st.sets(st.sampled_from(PIECES), min_size=1, max_size=6).flatmap(
    lambda pieces: st.lists(st.sampled_from(sorted(pieces)), max_size=12)
)


def _tokens(text: str) -> Iterator[Token]:
    """What a reader sees; what stands for a picture is text, also where it looks like a link."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    while tokens:
        token, *tokens = tokens
        yield token
        tokens = [*_parts(token), *tokens]


def _parts(token: Token) -> list[Token]:
    return [] if token.type == "image" else token.children or []


def _shown(text: str, target: str = "href") -> list[tuple[str, str, object]]:
    """The text as it is shown; links (or pictures: `src`) that lead to a target's address lead to its path."""
    paths = {url: target.path for url, target in TARGETS.items()}
    return [
        (
            token.type,
            "" if _parts(token) else token.content,
            {**token.attrs, target: paths.get(url, url)}
            if (url := str(token.attrs.get(target, "")))
            else token.attrs,
        )
        for token in _tokens(text)
    ]


FORMS = Forms(lambda target, _: target.path, lambda target: target.path, lambda body: body)


def _rewritten(text: str) -> str:
    return rewrite(text, TARGETS, {}, FORMS)


@given(TEXTS.map("".join))
def test_nothing_but_pictures_is_changed(text: str) -> None:
    assert _shown(rewrite(text, {}, TARGETS, FORMS), "src") == _shown(text, "src")


@given(TEXTS.map(" ".join))
def test_all_pictures_show_copies(text: str) -> None:
    shown = MarkdownIt("commonmark").enable("table").parse(rewrite(text, {}, TARGETS, FORMS))
    pictures = {str(child.attrs.get("src")) for token in shown for child in token.children or ()}
    assert TARGETS.keys().isdisjoint(pictures)


@given(TEXTS.map("".join))
def test_nothing_but_links_is_changed(text: str) -> None:
    assert _shown(_rewritten(text)) == _shown(text)


@given(TEXTS.map(" ".join))
def test_all_links_lead_to_files(text: str) -> None:
    assert TARGETS.keys().isdisjoint(str(token.attrs.get("href")) for token in _tokens(_rewritten(text)))


@given(TEXTS.map(" ".join))
def test_no_address_of_a_link_is_passed_over(text: str) -> None:
    assert {str(token.attrs["href"]) for token in _tokens(text) if token.type == "link_open"} <= addresses(
        text
    )


@given(TEXTS.map(lambda pieces: "".join(pieces).replace("<", "")))
def test_a_text_without_angles_has_the_same_addresses_as_with_them(text: str) -> None:
    assert addresses(text) == addresses(f"{text} <")


@pytest.mark.parametrize(
    "url",
    [
        ROLLS,
        JAM,
        ELSEWHERE,
        "HTTPS://One.TechiDaily.com",
        "https://one.techidaily.com.?from=here",
        "https://one.techidaily.com:443/rolls#oven",
        "https://one.techidaily.com:8443/rolls",
        "https://me@one.techidaily.com/rolls",
        "https://one.techidaily.com@elsewhere.example/",
        "https://b\u00fccher.example/",
        "https://xn--bcher-kva.example/",
        "https://one.techidaily.com%2F/",
        "https://.../",
        "https://[one]/",
        f"https://{'a' * 64}.example/",
    ],
)
def test_a_page_on_one_of_the_hosts_is_found(url: str) -> None:
    hosts = {"one.techidaily.com", "two.techidaily.com", "one.techidaily.com:8443", "xn--bcher-kva.example"}
    try:
        page = canonical(url)
    except ValueError:
        page = ELSEWHERE
    assert page_on(hosts, url) == (page if host_of(page) in hosts else None)
