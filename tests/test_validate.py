"""No doubtful page takes the place of a good article, and its raw page is kept until the article is read well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Article, Visit
from pipelines.doubtful import KeepDoubtful, file_of
from pipelines.validate import validate
from tests.conftest import ARTICLE


def text(words: int) -> Article:
    return replace(ARTICLE, body="word " * words)


def visit(article: Article | None, **facts: Any) -> Visit:
    return Visit(**{"url": ARTICLE.url, "state": "stored", "status": 200, "article": article, **facts})


@pytest.mark.parametrize(
    ("doubtful", "reason"),
    [
        (visit(text(0)), "the article has no text"),
        (visit(replace(ARTICLE, body=" \n")), "the article has no text"),
        (
            visit(text(12), archived_words=1812),
            "the text shrank from 1,812 words to 12; the archived copy is kept",
        ),
        (visit(text(9), archived_words=40), "the text shrank from 40 words to 9; the archived copy is kept"),
        (
            visit(None, state="not_article", archived_words=40),
            "no longer reads as an article; the archived copy is kept",
        ),
    ],
)
def test_a_page_without_its_text_is_a_failure(doubtful: Visit, reason: str) -> None:
    assert validate(doubtful) == replace(doubtful, state="failed", reason=reason, article=None)


@pytest.mark.parametrize(
    "good",
    [
        visit(text(1)),
        visit(text(10), archived_words=40),
        visit(text(1), archived_words=39),
        visit(None, status=304, archived_words=800),
        visit(None, state="not_article"),
        visit(
            None,
            state="not_article",
            status=301,
            moved_to="https://one.techidaily.com/x/",
            archived_words=800,
        ),
        visit(None, state="gone", status=404, archived_words=800),
    ],
    ids=lambda good: f"{good.state} {good.status} {good.archived_words}",
)
def test_any_other_page_is_what_it_is(good: Visit) -> None:
    assert validate(good) == good


def test_a_doubtful_page_is_kept_until_its_article_is_read_well(tmp_path: Path) -> None:
    keep, file = KeepDoubtful(tmp_path), file_of(tmp_path, ARTICLE.url)
    failed = visit(None, state="failed", reason="the article has no text", html=b"<p>", archived_words=40)
    assert keep.process_item(failed) == replace(failed, html=None)
    assert file == tmp_path / "look" / "one.techidaily.com" / "bread.html"
    assert file.read_bytes() == b"<p>"
    keep.process_item(visit(None, state="failed", reason="no answer", status=None, archived_words=40))
    assert file.exists(), "a later failure says nothing of the page"
    again = KeepDoubtful(tmp_path)
    assert again.process_item(visit(text(40), html=b"<p>word", archived_words=40)).html is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_page_that_was_never_archived_is_not_kept(tmp_path: Path) -> None:
    KeepDoubtful(tmp_path).process_item(visit(None, state="failed", html=b"<p>"))
    assert list(tmp_path.iterdir()) == []
