"""The same article gives the same bytes, whatever junk its page has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article, Link
from pipelines.normalize import normalize
from tests.conftest import ARTICLE


def test_text_has_one_form(article: Callable[..., Article]) -> None:
    item = normalize(
        article(
            title='"[New]\u00a0 Cafe\u0301\x00 "',
            author=" Ada\n Baker ",
            description='"Quoted" and "quoted"',
            tags=["bread", " bread ", "", "yes", "b\x1b[31m\u2060\ufeff"],
        )
    )
    assert item.title == "[New] Café"
    assert item.author == "Ada Baker"
    assert item.description == '"Quoted" and "quoted"'
    assert item.tags == ["bread", "yes", "b[31m"]


def test_a_body_keeps_its_meaning(article: Callable[..., Article]) -> None:
    item = normalize(article(body="\n\n[x]\u200b(javascript:x)\r\n<\u00a0b>\rc\ud800\x00\u1fef\tx\n"))
    assert item.body == "[x]\u200b(javascript:x)\n<\u00a0b>\nc\ufffd\ufffd\u1fef\tx"


def test_times_are_utc_in_milliseconds(article: Callable[..., Article]) -> None:
    east = timezone(timedelta(hours=8))
    item = normalize(
        article(date=datetime(2024, 8, 16, 12, 0, 0, 1999, tzinfo=east), updated=datetime(2024, 1, 1))
    )
    assert (str(item.date), str(item.updated)) == (
        "2024-08-16 04:00:00.001000+00:00",
        "2024-01-01 00:00:00+00:00",
    )


def test_also_read_links_are_pages_each_once(article: Callable[..., Article]) -> None:
    urls = [
        "javascript:void(0)",
        "http://Two.techidaily.com/jam",
        "https://one.techidaily.com/rolls/#top",
        "https://two.techidaily.com/jam/index.html?utm=1",
    ]
    item = normalize(article(also_read=[Link(url, f"{n}\u00a0") for n, url in enumerate(urls)]))
    assert item.also_read == [
        Link("https://two.techidaily.com/jam/", "1"),
        Link("https://one.techidaily.com/rolls/", "2"),
    ]


@given(text=st.text(st.characters()), body=st.text(st.characters()))
def test_normalizing_twice_changes_nothing(text: str, body: str) -> None:
    once = normalize(replace(ARTICLE, title=text, description=text, tags=[text], body=body))
    assert normalize(once) == once
    once.body.encode("utf-8")
