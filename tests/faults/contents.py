"""Rows of what pages hold: cuts, markup, and pages that are not what they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.faults.pages import NEWS, TEXT, page
from tests.faults.row import CHANGED, GOOD, Row, fault, over_copy, stored
from tests.support.hostile import reply, says

_PAGE = page().encode()
_CUT_OFF = "cut-off: the page ends before its template does"
_KEPT = "; the archived copy is kept"


def cuts() -> Iterator[Row]:
    """Pages that end early in a response that is whole: no part takes the place of the article."""
    places = b'class="article-title', b"The kettle", b"</html>"
    opening, start, end = (_PAGE.index(place) for place in places)
    for percent in range(10, 100, 10):
        at = len(_PAGE) * percent // 100
        name, answer = f"html-cut-{percent}", reply(_PAGE[:at])
        if at <= opening:
            gone = ("failed", f"not-article: the page no longer reads as an article{_KEPT}")
            yield from fault(name, "cut pages", answer, "not_article", "no article on this page", over=gone)
        elif at <= start:
            empty = ("failed", f"no-text: the article has no text{_KEPT}")
            yield from fault(name, "cut pages", answer, "failed", "the article has no text", over=empty)
        elif at < end:
            yield from _first_copy(name, answer)
        else:
            yield _kept(name, answer)


def _first_copy(name: str, answer: bytes) -> Iterator[Row]:
    bad = says(answer)
    yield stored(name, "cut pages", bad, reason=_CUT_OFF)
    yield Row(
        id=f"{name}-then-whole",
        category="cut pages",
        first=bad,
        second=GOOD,
        state="stored",
        copy="second",
    )
    yield over_copy(f"{name}-over-copy", "cut pages", bad, f"{_CUT_OFF}{_KEPT}")


def _kept(name: str, answer: bytes) -> Row:
    return Row(id=name, category="cut pages", first=GOOD, second=says(answer), state="stored", copy="first")


_MARKUP = Path(__file__).with_name("markup.txt")
"""Content of an article that tries to become live, one a line."""


def markup() -> Iterator[Row]:
    """Attacks in the text: a reader of the Markdown, with HTML switched on, gets nothing that runs."""
    for number, attack in enumerate(_MARKUP.read_text(encoding="utf-8").split("\n")[:-1]):
        answer = says(reply(page(f"{TEXT}{attack}\n{NEWS}").encode()))
        yield stored(f"markup-{number}", "markup", answer, text="A second pot")


def _other(title: str, words: str) -> bytes:
    text = f"<h1>{title}</h1><p>{f'{words} ' * 12}</p>"
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>".encode()


_REPLACED = {
    "captcha": (
        "other-extractor",
        _other("One more step", "Please confirm that you are a human being first."),
    ),
    "parked": (
        "other-extractor",
        _other("For sale", "Buy this domain today and build the shop of your dreams."),
    ),
    "login": (
        "other-text",
        page(f"<p>{'Members read this story when they sign in first. ' * 40}</p>").encode(),
    ),
    "no-text": ("no-text", page("").encode()),
    "only-pictures": ("shrunk", page('<p><img src="/a.png" alt=""></p>').encode()),
    "one-line": ("shrunk", page("<p>The kettle is gone.</p>").encode()),
    "no-title": ("no-title", _PAGE.replace(b"Coffee for two", b"").replace(b" - Fixture", b"")),
    "home-page": ("not-article", b"<!DOCTYPE html><html><body><a href='/'>Home</a></body></html>"),
    "words": ("not-article", b"Error establishing a database connection"),
    "stack-trace": ("not-article", b"<html><pre>Traceback (most recent call last):\n  x</pre></html>"),
    "refresh": ("not-article", b'<html><meta http-equiv="refresh" content="0;url=http://127.0.0.1/"></html>'),
}


def first_copies() -> Iterator[Row]:
    """Pages that lack something on the first visit: without a text there is no article, all else may be absent."""
    for name, text in {
        "no-text": "",
        "only-ads": "<!-- affiliate ads begin --><p>Buy</p><!-- affiliate ads end -->",
        "only-spaces": "<p> &nbsp; &#8203; </p>",
    }.items():
        empty = reply(page(text).encode())
        over = ("failed", f"no-text: the article has no text{_KEPT}")
        yield from fault(
            f"first-{name}", "first copies", empty, "failed", "the article has no text", over=over
        )
    for name, html in {
        "no-title": _PAGE.replace(b"Coffee for two", b"").replace(b" - Fixture", b""),
        "no-date": _PAGE.replace(b"published_time", b"x"),
        "no-author": _PAGE.replace(b"Dana", b""),
        "no-head": _PAGE[_PAGE.index(b"<body") :],
        "odd-date": _PAGE.replace(b"2024-03-01T20", b"99999-99-99T99"),
    }.items():
        yield stored(f"first-{name}", "first copies", says(reply(html)), text="The kettle is filled")


def replaced() -> Iterator[Row]:
    """Pages with status 200 that are no longer the article: the copy stays, the page is quarantined."""
    for name, (rule, html) in _REPLACED.items():
        yield over_copy(f"replaced-by-{name}", "replaced pages", says(reply(html)), f"{rule}: ")


_SIZES = {
    "deep-div": ("<div>" * 10_000 + "x" + "</div>" * 10_000, "nested"),
    "deep-span": ("<span>" * 10_000 + "x", "nested"),
    "deep-quote": ("<blockquote>" * 5_000 + "x", "nested"),
}


def sizes() -> Iterator[Row]:
    """Pages out of all proportion: refused with a reason, and never archived as an empty article."""
    for name, (text, said) in _SIZES.items():
        yield from fault(f"size-{name}", "sizes", reply(page(TEXT + text).encode()), "failed", said)
    large = reply(_PAGE + b" " * 11 * 2**20)
    yield from fault("size-11-mb", "sizes", large, "refused", "too-large", asks=1)
    for name, text in {
        "links": "<a href='/x/'>y</a> " * 20_000,
        "attributes": f"<p {' '.join(f'a{n}=1' for n in range(4_000))}>x</p>",
        "entities": f"<p>{'&amp;' * 100_000}</p>",
        "comments": "<!-- x -->" * 50_000,
        "cells": f"<table><tr>{'<td>x' * 5_000}</table>",
        "word": f"<p>{'x' * 500_000}</p>",
    }.items():
        yield stored(f"size-{name}", "sizes", says(reply(page(TEXT + text).encode())))


def claims() -> Iterator[Row]:
    """Pages that claim to be another one: a page is known by the address that was asked for."""
    other = "https://good-twice.techidaily.com/post/"
    for name, tag in {
        "canonical": f'<link rel="canonical" href="{other}">',
        "og-url": f'<meta property="og:url" content="{other}">',
        "base": f'<base href="{other}">',
        "json-ld": f'<script type="application/ld+json">{{"@type": "Article", "url": "{other}"}}</script>',
        "refresh": f'<meta http-equiv="refresh" content="0;url={other}">',
    }.items():
        claiming = page().replace("<title>", f"{tag}<title>").encode()
        for when, second in (("", says(reply(claiming))), ("-then-changed", CHANGED)):
            yield Row(
                id=f"claims-{name}{when}",
                category="claims",
                first=says(reply(claiming)),
                second=second,
                state="stored",
                copy="second" if when else "first",
            )
