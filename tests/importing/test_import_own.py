"""Files of ours come in by a shorter way, and what the archive holds to the byte by the shortest: to the same end."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extractors.source import read_source
from crawler.items import UNLINKED, Found, Image, Link, Visit
from pipelines.archive.article_file import path_of, render
from pipelines.archive.catalog import Catalog, read
from pipelines.importing.article import article as article_of
from pipelines.importing.files import File
from pipelines.importing.front_matter import read as read_any
from pipelines.importing.own import read_own
from pipelines.importing.parse import Reading
from pipelines.normalize import normalize
from tests.archive.test_front_matter import _TRAPS as TRAPS
from tests.conftest import ARTICLE
from tests.support.archives import damage, disorder
from tests.support.commands import here
from tests.support.imports import BREAD, SCOPE, MakeArticle, history, load, write

_text = st.one_of(
    st.sampled_from(TRAPS), st.text(st.characters(exclude_categories=["Cs"])), st.text("a1g: #-'\"é")
)
_LINES = render(ARTICLE).split("\n")


@settings(max_examples=150)
@given(title=_text, texts=st.lists(_text, max_size=3), body=_text)
def test_a_file_of_ours_is_what_the_longer_way_reads(title: str, texts: list[str], body: str) -> None:
    item = normalize(
        replace(
            ARTICLE,
            title=title,
            tags=texts,
            body=f"x{body}",
            images=[Image("https://pictures.example/a.png", title=text or None) for text in texts],
            also_read=[Link(f"https://one.techidaily.com/{at}/", text) for at, text in enumerate(texts)],
            extractor="file",
        )
    )
    assert read_own(render(item).encode()) in (item, None)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(_LINES)),
            st.integers(0, 2),
            st.sampled_from(_LINES)
            | st.tuples(st.sampled_from(["- {}", "title: {}", "  title: {}", "{}"]), _text).map(
                lambda made: made[0].format(made[1])
            ),
        ),
        max_size=3,
    )
)
def test_what_is_read_as_a_file_of_ours_is_one_to_the_byte(edits: list[tuple[int, int, str]]) -> None:
    lines = _LINES.copy()
    for at, cut, line in edits:
        lines[at : at + cut] = [line]
    content = "\n".join(lines).encode()
    if found := read_own(content):
        assert render(found).encode() == content
        assert found == normalize(article_of(*read_any(content), "a.md", host=None, scope=SCOPE))


def test_what_files_of_ours_mostly_hold_is_read_the_short_way(article: MakeArticle) -> None:
    texts = ['It\'s: "quoted"', "10 ways", "3つの手順", "「視聴者」", "été", "(New) A", "a #1"]
    links = [Link(f"https://one.techidaily.com/{at}/", text) for at, text in enumerate(texts)]
    item = article(title=texts[0], tags=texts, also_read=links, extractor="file")
    assert read_own(render(item).encode()) == item


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n---\n\n", "\n---\n"),
        ("title: ", "title:  "),
        ("---\nurl", "---\r\nurl"),
        ("---\nurl: ", "---\nmood: calm\nurl: "),
        ("https://one.", "http://one."),
        ("\n---\n\n", "\n---\n\n\n"),
    ],
)
def test_any_other_file_goes_the_longer_way(article: MakeArticle, old: str, new: str) -> None:
    text = render(article())
    assert old in text
    assert read_own(text.replace(old, new, 1).encode()) is None


def test_an_empty_front_matter_ends_where_it_begins(tmp_path: Path) -> None:
    reading = Reading(tmp_path, None, SCOPE, read_source)
    for content, reason in (
        (b"---\n---\nText.\n", "front matter that is no list of keys and values"),
        (b"---\ntitle: a\n---- \n--- b\nText.\n", "no front matter: it has to begin with a block"),
    ):
        (found,) = reading([File("a.md", content)])
        assert found.reason is not None
        assert found.reason.startswith(reason)


def test_what_is_held_to_the_byte_becomes_a_place_where_crawls_begin(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, item = tmp_path / "data", article(also_read=[])
    catalog = Catalog(data / "archive.db", scope=SCOPE, retry_delays=[0])
    catalog.add(Found(pages=[(item.url, None)], depth=UNLINKED))
    catalog.add(Visit(url=item.url, state="stored", status=200, article=item))
    catalog.close("finished", requests={}, received=0)
    assert depths(data) == {BREAD: UNLINKED}
    done = here("import", write(tmp_path / "in.md", item), "--data", data)
    assert done.stdout == "1 articles: 0 new, 0 changed, 1 unchanged; 0 files could not be used.\n"
    assert depths(data) == {BREAD: 0}
    assert load(data, BREAD) == item


@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_a_file_that_was_harmed_is_mended_by_taking_it_in(
    tmp_path: Path, article: MakeArticle, harm: str
) -> None:
    data, item = tmp_path / "data", article(extractor="file")
    path = write(tmp_path / "in.md", item)
    assert here("import", path, "--data", data).exit_code == 0
    archived = data / "articles" / path_of(item.url)
    if harm == "lost":
        archived.unlink()
    else:
        archived.write_bytes(archived.read_bytes()[:-10])
    done = here("import", path, "--data", data)
    assert done.stdout == "1 articles: 0 new, 0 changed, 1 unchanged; 0 files could not be used.\n"
    assert archived.read_bytes() == path.read_bytes()
    assert damage(data) == disorder(data) == []
    assert len(history(data, item.url)) == 1


def test_many_files_are_taken_in_as_few_and_twins_are_told_across_batches(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, folder = tmp_path / "data", tmp_path / "in"
    count = 400
    for at in range(count):
        url = f"https://one.techidaily.com/{at}/"
        links = [Link(f"https://one.techidaily.com/{(at * 7 + step) % count}/", "x") for step in (1, 2, 3)]
        write(folder / f"{at:03}.md", article(url=url, also_read=links, body=f"Text {at}.", images=[]))
    write(folder / "zz.md", article(url="https://one.techidaily.com/3/", title="A twin"))
    for new, unchanged in ((count, 0), (0, count)):
        done = here("import", folder, "--data", data)
        assert done.exit_code == 1
        assert done.stdout == (
            f"{count} articles: {new} new, 0 changed, {unchanged} unchanged; 1 files could not be used.\n"
        )
        assert done.stderr == f"{folder}/zz.md: the same address as {folder}/003.md\n"
        assert damage(data) == disorder(data) == []
    assert set(depths(data).values()) == {0}
    assert len(list((data / "articles").rglob("*.md"))) == count
    assert load(data, "https://one.techidaily.com/3/").title == article().title


def depths(data: Path) -> dict[str, int]:
    with closing(read(data / "archive.db")) as db:
        return dict(db.execute("SELECT url, depth FROM pages WHERE state = 'stored'"))
