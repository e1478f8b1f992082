"""Where files lie: no address stands in the way of another, on whatever file system."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.urls import canonical
from pipelines.archive.article_file import path_of
from pipelines.images.paths import path_of as place_of
from tests.support.imports import archive
from tests.support.storage import said
from tests.support.visits import MakeArticle

_segments = st.sampled_from(
    [
        "x",
        "X",
        "x.md",
        "x.MD",
        "x.html",
        "x.HTML",
        "con",
        "a" * 230,
        "é" * 90,
        "tea~1",
        "..%2F",
        "b.md~c",
        "%20",
    ]
)
_urls = st.lists(_segments, min_size=1, max_size=40).map(
    lambda parts: canonical(f"https://one.techidaily.com/{'/'.join(parts)}/")
)
_picture_segments = st.sampled_from(
    [
        "A",
        "x.jpg",
        "X.jpg",
        "x.%6Apg",
        "x.JPG",
        "jpg",
        "x",
        "a" * 230,
        "%C3%89",
        "tea~1.png",
        "..%2F",
        "x.png",
        "",
    ]
)

_pictures = st.lists(_picture_segments, min_size=1, max_size=240).map(
    lambda parts: f"https://pictures.example/{'/'.join(parts)}"
)
_kinds = st.sampled_from(["image/jpeg", "image/png"])


@given(_urls, _urls)
@example("https://one.techidaily.com/x/", "https://one.techidaily.com/x.html/x/")
@example("https://one.techidaily.com/x/", "https://one.techidaily.com/x.md/x/")
def test_no_path_stands_in_the_way_of_another(one: str, other: str) -> None:
    for suffix in (".md", ".html"):
        check_apart(path_of(one).with_suffix(suffix), path_of(other).with_suffix(suffix), one == other)


@given(st.tuples(_pictures, _kinds), st.tuples(_pictures, _kinds))
@example(
    ("https://pictures.example/x.jpg", "image/jpeg"), ("https://pictures.example/x.%6Apg/x", "image/png")
)
def test_no_copy_of_a_picture_stands_in_the_way_of_another(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    check_apart(place_of(*one), place_of(*other), one == other)


def check_apart(first: PurePosixPath, second: PurePosixPath, same: bool) -> None:
    """Both can stand on one disk, whatever it makes of upper and lower case, and neither is the other's folder."""
    for path in (first, second):
        assert len(bytes(path)) <= 1_005
        assert all(len(part.encode()) <= 255 for part in path.parts)
    folded = [str(path).casefold() for path in (first, second)]
    assert (folded[0] == folded[1]) is same
    assert not folded[1].startswith(f"{folded[0]}/")
    assert not folded[0].startswith(f"{folded[1]}/")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://one.techidaily.com/x/", "one.techidaily.com/x.md"),
        ("https://one.techidaily.com/x.md/y/", "one.techidaily.com/x.md~398842b6/y.md"),
        ("https://one.techidaily.com/x.html/y/", "one.techidaily.com/x.html~"),
        (f"https://one.techidaily.com/{'deep/' * 900}y/", "one.techidaily.com/y~"),
    ],
)
def test_where_an_article_lies(url: str, path: str) -> None:
    assert str(path_of(url)).startswith(path)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("2024/loaf.jpg", "2024/loaf.jpg"),
        ("2024/loaf.jpg/crumb.jpg", "2024/loaf.jpg~"),
        ("2024/loaf.%6Apg/crumb.jpg", "2024/loaf.jpg~"),
        ("A/" * 220 + "loaf.jpg", "loaf~"),
    ],
)
def test_where_a_copy_of_a_picture_lies(path: str, place: str) -> None:
    found = place_of(f"https://pictures.example/{path}", "image/jpeg")
    assert str(found).startswith(f"pictures.example/{place}")


def test_articles_in_the_way_of_each_other_are_all_stored(tmp_path: Path, article: MakeArticle) -> None:
    urls = [f"https://one.techidaily.com/{path}/" for path in ("x", "x.md/y", "x.md", "deep/" * 900 + "y")]
    archive(tmp_path, *(article(url=url) for url in urls))
    assert said(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        assert {url for (url,) in db.execute("SELECT url FROM articles")} == set(urls)
