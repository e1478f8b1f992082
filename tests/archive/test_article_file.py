"""An article's file: readable by others, the same values back, and inside its folder whatever the slug."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import frontmatter
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Image, Link
from crawler.urls import canonical
from pipelines.archive.article_file import front_matter, path_of, render, write
from pipelines.normalize import normalize
from tests.conftest import ARTICLE
from tests.support.visits import MakeArticle

LONGEST_NAME = 255

TRAPS = [
    *(
        "---",
        "...",
        "- a",
        "? a",
        "a: b",
        ": a",
        "#a",
        "a #b",
        "@a",
        "`a`",
        "%a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'",
        '"',
    ),
    *(
        "yes",
        "No",
        "on",
        "null",
        "~",
        "true",
        "1",
        "1.5",
        "0x1F",
        "1e3",
        "1_000",
        "012",
        ".inf",
        "2024-01-01",
    ),
    *(
        "12:30:45",
        "2024-01-01T00:00:00Z",
        "[New] a",
        "{a: b}",
        "a\\b",
        "é",
        "日本語",
        "🫖",
        "a\u2028b",
        "a" * 5000,
    ),
    *("<b>x</b>", "{{ x }}", "{% x %}", "=1+1", "$x", "a\u0085b"),
]
SLUGS = [
    *(
        "bread",
        "caf%C3%A9",
        "cafe%CC%81",
        "Bread",
        "BREAD",
        "fix-1.5-x",
        "fix-1.6-x",
        "con",
        "aux.html",
        "nul.txt",
    ),
    *("COM%C2%B9", "bread.", "bread%20", "-rf", ".git", ".git/hooks/x", "..%2f..%2fetc%2fx", "%252e%252e/x"),
    *("C:%5Cx", "a%5C..%5Cb", "x:y", "a%00b", "a%0Ab", "a%1Bb", "a%E2%80%AEb", "%ff%fe", "%ff", "x" * 300),
    *(
        "%F0%9F%AB%96" * 80,
        "%E6%97%A5" * 90,
        "a~b",
        "2024/bread",
        "",
        "_",
        "a b",
        "a*b",
        "a?b",
        "STRASSE",
        "straße",
    ),
]


@pytest.mark.parametrize("trap", TRAPS)
def test_every_value_comes_back_as_it_was(article: MakeArticle, trap: str) -> None:
    item = normalize(
        article(title=trap, description=trap, tags=[trap], images=[Image("u", alt=trap, title=trap)])
    )
    assert frontmatter.loads(render(item)).metadata == front_matter(item)


@given(title=st.text(min_size=1), text=st.text(min_size=1), body=st.text())
def test_any_text_comes_back_as_it_was(title: str, text: str, body: str) -> None:
    link = Link("https://one.techidaily.com/", text)
    item = normalize(replace(ARTICLE, title=title, keywords=text, body=body, also_read=[link]))
    post = frontmatter.loads(render(item))
    assert post.metadata == front_matter(item)
    assert post.content.strip() == item.body.strip()


def test_the_file_as_others_read_it(article: MakeArticle) -> None:
    assert render(article()) == Path(__file__).with_name("bread.md").read_text(encoding="utf-8")


def test_times_are_times_to_a_yaml_reader(article: MakeArticle) -> None:
    header = yaml.safe_load(render(article()).split("---")[1])
    assert header["date"] == datetime(2024, 8, 16, 4, 52, 24, 115000, tzinfo=UTC)


def test_every_slug_has_a_file_of_its_own_inside_the_folder(tmp_path: Path, article: MakeArticle) -> None:
    paths = {}
    for url in {canonical(f"https://one.techidaily.com/{slug}/"): None for slug in SLUGS}:
        path = write(tmp_path, article(url=url, title=url))
        assert path.resolve().is_relative_to(tmp_path.resolve())
        assert all(
            len(part.encode()) <= LONGEST_NAME and not part.startswith(".") for part in path_of(url).parts
        )
        paths[url] = path
    folded = [str(path).casefold() for path in paths.values()]
    assert len(set(folded)) == len(paths)
    for url, path in paths.items():
        assert frontmatter.load(str(path))["url"] == url
        assert path.suffix == ".md"


def test_what_has_not_changed_is_not_written_again(tmp_path: Path, article: MakeArticle) -> None:
    path = write(tmp_path / "articles", article())
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert write(tmp_path / "articles", article()) == path
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    write(tmp_path / "articles", article(body="Another"))
    assert path.read_text(encoding="utf-8").endswith("---\n\nAnother\n")
    assert [p.name for p in (tmp_path / "articles").rglob("*.md")] == ["bread.md"]
