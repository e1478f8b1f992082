"""Imported articles are committed to an archive that may have them already."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.items import UNLINKED, FoundPages, Link, Visit
from pipelines.archive.article_file import path_of
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from tests.support.archives import damage, disorder
from tests.support.commands import here
from tests.support.imports import BREAD, SCOPE, archive, history, load, write
from tests.support.visits import MakeArticle


def test_an_unchanged_article_becomes_a_starting_point_of_crawls(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, item = tmp_path / "data", article(also_read=[])
    catalog = Catalog(data / "archive.db", scope=SCOPE, retry_delays=[0])
    catalog.begin_crawl()
    catalog.add(FoundPages(pages=[(item.url, None)], depth=UNLINKED))
    catalog.add(Visit(url=item.url, state="stored", status=200, article=item))
    catalog.end_crawl("finished")
    catalog.close()
    assert depths(data) == {BREAD: UNLINKED}
    done = here("import", write(tmp_path / "in.md", item), "--data", data)
    assert done.stdout == "1 article: 0 new, 0 changed, 1 unchanged; 0 files could not be used.\n"
    assert depths(data) == {BREAD: 0}
    assert load(data, BREAD) == item


@pytest.mark.parametrize("kind", ["lost", "cut"])
def test_importing_a_file_restores_a_damaged_copy_of_it(
    tmp_path: Path, article: MakeArticle, kind: str
) -> None:
    data, item = tmp_path / "data", article(extractor="file")
    path = write(tmp_path / "in.md", item)
    assert here("import", path, "--data", data).exit_code == 0
    archived = data / "articles" / path_of(item.url)
    if kind == "lost":
        archived.unlink()
    else:
        archived.write_bytes(archived.read_bytes()[:-10])
    done = here("import", path, "--data", data)
    assert done.stdout == "1 article: 0 new, 0 changed, 1 unchanged; 0 files could not be used.\n"
    assert archived.read_bytes() == path.read_bytes()
    assert damage(data) == disorder(data) == []
    assert len(history(data, item.url)) == 1


def test_many_batches_give_what_one_gives_and_duplicates_are_found_across_them(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, folder = tmp_path / "data", tmp_path / "in"
    count = 400
    for at in range(count):
        url = f"https://one.techidaily.com/{at}/"
        links = [Link(f"https://one.techidaily.com/{(at * 7 + step) % count}/", "x") for step in (1, 2, 3)]
        write(folder / f"{at:03}.md", article(url=url, also_read=links, body=f"Text {at}.", images=[]))
    write(folder / "zz.md", article(url="https://one.techidaily.com/3/", title="A duplicate"))
    for new, unchanged in ((count, 0), (0, count)):
        done = here("import", folder, "--data", data)
        assert done.exit_code == 1
        assert done.stdout == (
            f"{count} articles: {new} new, 0 changed, {unchanged} unchanged; 1 file could not be used.\n"
        )
        assert done.stderr == f"{folder}/zz.md: the same address as {folder}/003.md\n"
        assert damage(data) == disorder(data) == []
    assert set(depths(data).values()) == {0}
    assert len(list((data / "articles").rglob("*.md"))) == count
    assert load(data, "https://one.techidaily.com/3/").title == article().title


def depths(data: Path) -> dict[str, int]:
    with closing(open_readonly(data / "archive.db")) as db:
        return dict(db.execute("SELECT url, depth FROM pages WHERE state = 'stored'"))


def test_an_edited_article_whose_file_can_not_be_written_is_refused_and_left_as_it_is(
    tmp_path: Path, article: MakeArticle
) -> None:
    data, item = tmp_path / "data", article(extractor="file")
    archive(data, item)
    (data / "articles" / path_of(item.url)).unlink()
    (data / "articles" / path_of(item.url)).mkdir()
    assert item.updated is not None
    edited = article(title="Edited", updated=item.updated + timedelta(days=1))
    done = here("import", write(tmp_path / "in.md", edited), "--data", data)
    assert (done.exit_code, "can't be written: Is a directory" in done.stderr) == (2, True)
    assert load(data, item.url) == item
