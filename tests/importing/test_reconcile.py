"""An imported article and the archive's copy of it become one; new ones are stored as a crawl stores them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from crawler.items import Link
from pipelines.archive.article_file import path_of
from tests.support.archives import damage, differences, disorder
from tests.support.commands import here
from tests.support.imports import BREAD, SOURCE, archive, history, load, parsed, write
from tests.support.visits import MakeArticle


def test_an_import_stores_what_a_crawl_stores(tmp_path: Path, article: MakeArticle) -> None:
    items = [
        article(
            url=f"https://one.techidaily.com/{at}/",
            also_read=[Link(f"https://one.techidaily.com/{(at + step) % 7}/", "x") for step in (1, 2, 5)],
            extractor="file",
        )
        for at in range(5)
    ]
    archive(tmp_path / "crawled", *items)
    for item in items:
        write(tmp_path / "in" / path_of(item.url), item)
    assert here("import", tmp_path / "in", "--data", tmp_path / "imported").exit_code == 0
    unexpected = [
        one
        for one in differences(tmp_path / "crawled", tmp_path / "imported")
        if not one.startswith(
            ("pages", "host_runs")
        )  # a crawl has visited; depths begin at all that is imported
    ]
    assert unexpected == []


def test_the_newer_copy_is_the_current_one_and_the_other_a_revision(
    tmp_path: Path, article: MakeArticle
) -> None:
    day = timedelta(days=1)
    data, now = tmp_path / "data", article(extractor="redefine")
    assert now.updated is not None
    archive(data, now)
    older = article(title="Older", body="Other words.", images=[], updated=now.updated - day)
    newer = article(title="Newer", author=None, updated=now.updated + day, extra={"mood": "calm"})
    # In the end nothing is left to do.
    for name, item in (("older", older), ("newer", newer), ("older", older)):
        path = write(tmp_path / f"{name}.md", item)
        assert here("import", path, "--data", data).exit_code == 0
    assert history(data, BREAD) == [
        (now.title, "first"),
        (older.title, f"import of {tmp_path / 'older.md'}"),
        (newer.title, f"import of {tmp_path / 'newer.md'}"),
    ]
    assert load(data, BREAD) == replace(newer, author=now.author, extractor="file")
    assert damage(data) == disorder(data) == []
    archive(data, article(title="Crawled again"))
    assert load(data, BREAD).extra == {"mood": "calm"}
    assert "mood: calm" in (data / "articles" / path_of(BREAD)).read_text(encoding="utf-8")


def test_a_source_adds_keys_to_a_crawled_article_and_changes_no_dates(tmp_path: Path) -> None:
    data, source = tmp_path / "data", tmp_path / "how-to-rest.md"
    ahead = timedelta(hours=8)
    written = parsed(SOURCE, "how-to-rest.md", host="one.techidaily.com")
    assert written.date is not None
    assert written.updated is not None
    crawled = replace(
        written,
        date=written.date - ahead,
        updated=written.updated - ahead,
        license="https://cc.example/",
        extra={},
    )
    archive(data, replace(crawled, extractor="redefine"))
    source.write_text(SOURCE, encoding="utf-8")
    done = here("import", source, "--host", "one.techidaily.com", "--data", data)
    assert done.stdout == "1 article: 0 new, 0 changed, 1 unchanged; 0 files could not be used.\n"
    assert load(data, crawled.url) == replace(crawled, extractor="redefine", extra=written.extra)
