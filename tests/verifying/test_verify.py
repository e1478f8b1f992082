"""Damage in an archive is found, and repaired where the archive still holds the truth."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from crawler.cli import main
from crawler.errors import LockedError
from crawler.items import Article, FoundPages, Image, Link, Visit
from pipelines.analysis.update import update_analyses
from pipelines.archive.catalog import Catalog
from pipelines.verifying.findings import Finding
from pipelines.verifying.verify import repair, verify
from tests.support.damages import cut_short, edit, edit_a_row, files, flip_a_byte, swap, take_away
from tests.support.visits import MakeArticle

ARTICLES = 15


def url(number: int) -> str:
    return f"https://{('one', 'two', 'three')[number % 3]}.techidaily.com/page-{number}/"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a few articles and of a page in every state: the crawl has ended, nothing is wrong."""
    from tests.conftest import ARTICLE

    def numbered(number: int) -> Article:
        return replace(
            ARTICLE,
            url=url(number),
            title=f"Page {number}: a 'title', with #signs",
            date=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number),
            body=f"## Part {number}\n\nThe ünique words of page {number}.\n\n    code",
            images=[
                Image(f"https://pictures.example/{number}-{n}.jpg", alt=f"Picture {n}") for n in range(3)
            ],
            also_read=[Link(url((number + step) % 18), f"Page {step} on") for step in (1, 2, 3, 5)],
        )

    data = tmp_path_factory.mktemp("sound")
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[])
    catalog.begin_crawl()
    catalog.add(FoundPages(pages=[(url(0), None)]))
    visits = [
        Visit(url=url(n), state="stored", status=200, etag='"1"', article=numbered(n))
        for n in range(ARTICLES)
    ]
    visits += [
        replace(visits[3], article=replace(numbered(3), body="Changed since.")),
        Visit(url=url(4), state="stored", status=304),
        Visit(url=url(15), state="gone", status=404, reason="the server answers 404 Not Found"),
        Visit(url=url(16), state="failed", status=500, reason="the server answers 500 Internal Server Error"),
        Visit(url="https://one.techidaily.com/", state="not_article", status=200, reason="no article on this page"),
        Visit(url="https://one.techidaily.com/x/", state="refused", reason="robots: not to be fetched"),
        Visit(
            url="https://one.techidaily.com/old/", state="not_article", status=301,
            reason=f"redirects to {url(1)}", moved_to=url(1),
        ),
    ]  # fmt: skip
    catalog.commit(visits)
    update_analyses(catalog.db)
    catalog.end_crawl("finished", requests={"page": len(visits)}, received=1000)
    catalog.close()
    return data


@pytest.fixture
def damaged(sound: Path, tmp_path: Path) -> Path:
    """A copy of that archive, to damage."""
    return copied(sound, tmp_path / "data")


def copied(sound: Path, data: Path) -> Path:
    shutil.copytree(sound, data)
    return data


def content(data: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the files and all rows of an archive."""
    root = data / "articles"
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.md")}
    with closing(sqlite3.connect(data / "archive.db")) as db:
        return files, [line for line in db.iterdump() if "articles_fts" not in line]


def lines(findings: Iterator[Finding]) -> list[str]:
    return [f"{finding.where}: {finding.what}" for finding in findings]


def test_a_sound_archive_has_no_findings(sound: Path) -> None:
    assert lines(verify(sound)) == []
    assert list(repair(sound)) == []


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))])
def test_every_damage_is_found_and_repaired(sound: Path, tmp_path: Path, seed: int) -> None:
    whole, random = content(sound), Random(seed)  # noqa: S311
    for number in range(20):
        damage = random.choice([flip_a_byte, flip_a_byte, cut_short, take_away, swap, *[edit_a_row] * 5])
        data = copied(sound, tmp_path / f"{number}")
        damage(data, random)
        found = lines(verify(data))
        assert found, (number, damage)
        repaired = lines(repair(data))
        assert content(data) == whole, (found, repaired)


_UNREPAIRABLE = [
    "UPDATE pages SET state = 'stored' WHERE state = 'gone'",
    "UPDATE pages SET state = 'not_article' WHERE state = 'failed'",
    "UPDATE pages SET error = NULL WHERE state = 'gone'",
    "UPDATE pages SET found_at = '2020' WHERE id = 1",
    "UPDATE pages SET found_on = 9 WHERE id = 1",
    "UPDATE pages SET moved_to = 4711 WHERE moved_to NOT NULL",
    "UPDATE articles SET changed_at = '2020-01-01T00:00:00.000Z' WHERE id = 3",
    "UPDATE articles SET crawl = 7 WHERE id = 3",
    "UPDATE also_read SET first_seen = '2099-01-01T00:00:00.000Z' WHERE source = 3 AND position = 1",
    "UPDATE also_read SET source = 4711 WHERE source = 3 AND position = 1",
    "UPDATE images SET article = 4711 WHERE article = 3 AND position = 1",
    "UPDATE revisions SET body = 'another' WHERE id = 1",
    "UPDATE revisions SET images = '[' WHERE id = 1",
    "UPDATE crawls SET failed = failed + 1",
    "UPDATE crawls SET outcome = NULL",
    "UPDATE crawls SET seeds = 'none'",
    "UPDATE hosts SET not_before = 'later' WHERE host = 'one.techidaily.com'",
    "UPDATE hosts SET host = 'elsewhere.example' WHERE host = 'one.techidaily.com'",
    "DELETE FROM articles WHERE id = 3",
    "DELETE FROM pages WHERE id = 3",
]


@pytest.mark.parametrize("query", _UNREPAIRABLE)
def test_an_edit_that_can_not_be_repaired_is_found(damaged: Path, query: str) -> None:
    edit(damaged, query)
    assert lines(verify(damaged))
    list(repair(damaged))


def test_states_are_restored_from_the_rest_of_the_row(sound: Path, damaged: Path) -> None:
    edit(damaged, "UPDATE pages SET state = 'failed' WHERE state = 'refused'")
    edit(damaged, "UPDATE pages SET state = 'failed' WHERE state = 'gone'")
    edit(damaged, "UPDATE pages SET state = 'gone' WHERE id = 2")
    assert len(lines(verify(damaged))) == 3
    assert len(lines(repair(damaged))) == 3
    assert content(damaged) == content(sound)


def test_a_wrong_search_index_is_rebuilt(damaged: Path) -> None:
    edit(damaged, "DELETE FROM articles_fts_data WHERE id = (SELECT max(id) FROM articles_fts_data)")
    (finding,) = verify(damaged)
    assert finding.where == "articles_fts"
    assert len(list(repair(damaged))) == 1
    assert lines(verify(damaged)) == []


def test_a_wrong_index_is_rebuilt(sound: Path, damaged: Path) -> None:
    for wrong, right in [("(date)", "(lang)"), ("(lang)", "(date)")]:
        with closing(sqlite3.connect(damaged / "archive.db")) as db, db:
            db.execute("PRAGMA writable_schema = ON")
            schema = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'articles_date'"
            db.execute(schema, [wrong, right])
        if right == "(lang)":
            edit(damaged, "REINDEX articles_date")
    found = lines(verify(damaged))
    assert found
    assert all("articles_date" in line for line in found)
    list(repair(damaged))
    assert lines(verify(damaged)) == []
    assert content(damaged) == content(sound)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_page_of_the_database_is_found(damaged: Path, seed: int) -> None:
    path, random = damaged / "archive.db", Random(seed)  # noqa: S311
    held = bytearray(path.read_bytes())
    size = int.from_bytes(held[16:18])
    start = size * random.randrange(1, len(held) // size)
    if seed % 2:
        held[start : start + size] = bytes(size)
    else:
        del held[start:]
    path.write_bytes(held)
    result = CliRunner().invoke(main, ["verify", "--data", str(damaged)])
    assert result.exit_code in (1, 7)
    assert "alsoread rebuild" in result.output


def test_verifying_changes_nothing(damaged: Path) -> None:
    def state() -> dict[Path, tuple[int, bytes]]:
        held = (path for path in damaged.rglob("*") if path.is_file() and path.suffix in (".db", ".md"))
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in held}

    files(damaged)[0].write_text("another")
    edit(damaged, "UPDATE articles SET title = 'another' WHERE id = 5")
    before = state()
    assert len(lines(verify(damaged))) == 2
    assert state() == before


def test_an_unlisted_file_is_reported_and_left_and_a_half_written_one_removed(damaged: Path) -> None:
    stranger = damaged / "articles" / "one.techidaily.com" / "notes.md"
    stranger.write_text("mine")
    (damaged / "articles" / ".writing").mkdir(exist_ok=True)
    left_over = damaged / "articles" / ".writing" / "1-1"
    left_over.write_text("half")
    found = lines(verify(damaged))
    assert [line.split(":")[0] for line in found] == [
        "articles/.writing/1-1",
        "articles/one.techidaily.com/notes.md",
    ]
    assert list(repair(damaged)) == []
    assert (stranger.read_text(), left_over.exists()) == ("mine", False)


def test_a_file_that_is_replaced_is_moved_to_damaged(damaged: Path) -> None:
    path = damaged / "articles" / "one.techidaily.com" / "page-3.md"
    path.write_text("edited by a person")
    list(repair(damaged))
    (aside,) = (damaged / "damaged").rglob("*.md")
    assert aside.read_text() == "edited by a person"
    assert lines(verify(damaged)) == []


def test_a_folder_in_place_of_a_file_is_reported(damaged: Path) -> None:
    path = damaged / "articles" / "one.techidaily.com" / "page-3.md"
    path.unlink()
    path.mkdir()
    assert lines(verify(damaged)) == ["articles/one.techidaily.com/page-3.md: is missing"]
    assert list(repair(damaged)) == []
    assert lines(verify(damaged)) == ["articles/one.techidaily.com/page-3.md: is missing"]


def test_damaged_row_and_file_are_reported_and_left(damaged: Path) -> None:
    path = damaged / "articles" / "one.techidaily.com" / "page-3.md"
    path.write_text("another")
    edit(damaged, "UPDATE articles SET title = 'another' WHERE url = ?", url(3))
    before = content(damaged)
    assert lines(verify(damaged)) == ["articles/one.techidaily.com/page-3.md: file and row differ"]
    assert list(repair(damaged)) == []
    assert content(damaged) == before


def test_articles_of_an_older_version_get_the_hashes_of_their_files(sound: Path, damaged: Path) -> None:
    with closing(sqlite3.connect(damaged / "archive.db")) as db, db:
        db.execute("UPDATE articles SET file_hash = NULL")
    assert [line.partition(":")[0] for line in lines(verify(damaged))] == ["articles"]
    list(repair(damaged))
    assert content(damaged) == content(sound)


def test_a_running_crawl_is_not_damage(catalog: Catalog, article: MakeArticle, tmp_path: Path) -> None:
    catalog.add(Visit(url=article().url, state="stored", status=200, article=article()))
    assert lines(verify(tmp_path)) == []
    with pytest.raises(LockedError, match="locked by crawl 1") as raised:
        list(repair(tmp_path))
    assert raised.value.exit_code == 5


def test_the_command_prints_findings_and_repairs(damaged: Path) -> None:
    def run(*options: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["verify", "--data", str(damaged), *options])
        return result.exit_code, result.output

    assert run() == (0, f"{damaged}: no errors.\n")
    (damaged / "articles" / "one.techidaily.com" / "page-3.md").unlink()
    code, said = run()
    assert code == 1
    assert said.splitlines() == [
        "articles/one.techidaily.com/page-3.md: is missing; fix: --repair writes it from the catalog",
        f"{damaged}: 1 finding.",
    ]
    assert json.loads(run("--json")[1])["found"][0]["what"] == "is missing"
    assert run("--repair") == (
        0,
        f"Repaired: articles/one.techidaily.com/page-3.md: is missing\n{damaged}: no errors, 1 repaired.\n",
    )


@pytest.mark.parametrize(("held", "code"), [(None, 2), (b"no database", 7)])
def test_a_catalog_that_is_not_a_database_is_reported(tmp_path: Path, held: bytes | None, code: int) -> None:
    if held:
        (tmp_path / "archive.db").write_bytes(held)
    for options in ([], ["--repair"]):
        result = CliRunner().invoke(main, ["verify", "--data", str(tmp_path), *options])
        assert (result.exit_code, result.output[:10]) == (code, "alsoread: ")
