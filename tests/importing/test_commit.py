"""Files of ours come in by a shorter way, and what the archive holds to the byte by the shortest: to the same end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from crawler.items import UNLINKED, Found, Link, Visit
from pipelines.archive.article_file import path_of
from pipelines.archive.catalog import Catalog, read
from tests.support.archives import damage, disorder
from tests.support.commands import here
from tests.support.imports import BREAD, SCOPE, MakeArticle, history, load, write


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
