"""Archived articles are read from their originals again, and come out as if the site had been crawled today."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from crawler.items import EXTRACTOR_VERSION as VERSION
from crawler.items import Article
from pipelines.archive.plausibility import Comparison, reads_less
from pipelines.archive.quarantine import Archived
from pipelines.archive.warc import FOLDER, SUFFIX
from pipelines.verifying.verify import verify
from tests.site import SEED
from tests.support.archives import differences, files
from tests.support.commands import Run, crawl, here
from tests.support.originals import damage_original
from tests.support.rereading import half_read, reread, with_image, with_more
from tests.support.visits import MakeArticle

KITCHEN = "kitchen-notes.techidaily.com"
PICKLES = f"https://{KITCHEN}/pickles-in-an-afternoon/"
PAGE_STATES = "SELECT url, state, due_at, fetched_at, attempts, etag FROM pages ORDER BY url"
STAMPS = "SELECT url, archived_at, crawl, changed_at, changed_crawl FROM articles ORDER BY url"


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """A copy of the demo network's archive."""
    return shutil.copytree(run.data, tmp_path / "data")


def query(data: Path, sql: str, *values: Any) -> list[Any]:
    """Execute a statement on an archive's catalog, and return its rows."""
    with closing(Database(data / "archive.db")) as db, db.atomic():
        return db.execute(sql, values).fetchall()


def reextract(data: Path, *options: str, exit_code: int = 0) -> dict[str, Any]:
    """Run the command, and return its JSON."""
    done = here("reextract", "--data", data, "--json", *options)
    assert (done.exit_code, done.stderr) == (exit_code, "")
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def test_an_archive_of_the_same_extractors_stays_as_it_is(run: Run, data: Path) -> None:
    before = (data / "archive.db").read_bytes()
    values = reextract(data)
    assert (values["changed"], values["unchanged"], values["quarantined"]) == (0, 41, [])
    assert differences(run.data, data) == []
    assert (data / "archive.db").read_bytes() == before


def test_what_an_older_extractor_missed_is_restored_to_the_byte(run: Run, data: Path) -> None:
    pages, stamps = query(data, PAGE_STATES), query(data, STAMPS)
    changed = reread(data)
    assert files(data) != files(run.data)
    values = reextract(data)
    assert (values["changed"], values["unchanged"]) == (len(changed), 0)
    assert values["fields"]["author"] > 30
    assert values["fields"]["also_read"] > 30
    assert values["words"]["gained"] > 2_000
    assert values["words"]["lost"] == values["images"]["lost"] == 0
    assert values["images"]["gained"] > 5
    assert files(data) == files(run.data)
    assert {line.partition(",")[0] for line in differences(run.data, data)} <= {"revisions"}
    assert (query(data, PAGE_STATES), query(data, STAMPS)) == (pages, stamps)
    assert list(verify(data)) == []
    assert reextract(data)["changed"] == 0


@pytest.mark.long
def test_a_revision_says_that_the_site_changed_nothing(data: Path) -> None:
    reread(data)
    reextract(data, "--host", KITCHEN)
    revisions = json.loads(here("history", SEED, "--data", data, "--json").stdout)["revisions"]
    assert [(revision["number"], revision["reextracted"]) for revision in revisions] == [
        (2, True),
        (1, False),
    ]
    assert revisions[0]["archived_at"] == revisions[1]["replaced_at"]
    assert "re-extracted: author, body" in here("history", SEED, "--data", data).stdout
    assert "+author: Marta" in here("diff", SEED, "--data", data).stdout
    assert query(data, "SELECT count(*) FROM changed_in_last_run") == [(0,)]
    assert query(data, "SELECT sum(changed) FROM crawls") == [(0,)]
    assert query(
        data, "SELECT DISTINCT reextracted, host FROM revisions JOIN articles ON article = articles.id"
    ) == [(1, KITCHEN)]


@pytest.mark.long
def test_a_crawl_that_finds_the_same_page_calls_it_no_change_either(network: Path, data: Path) -> None:
    reread(data)
    query(data, "UPDATE pages SET etag = NULL, last_modified = NULL")
    again = crawl(network, data, SEED, "--recrawl", "all", "--json")
    assert json.loads(again.out)["crawl"]["changed"] == 0
    assert query(data, "SELECT count(*) > 30, min(reextracted) FROM revisions") == [(1, 1)]
    assert query(data, "SELECT DISTINCT extractor_version FROM articles") == [(VERSION,)]


def test_a_dry_run_changes_nothing_and_tells_the_same(data: Path) -> None:
    reread(data)
    before, written = (data / "archive.db").read_bytes(), files(data)
    announced = reextract(data, "--dry-run")
    assert ((data / "archive.db").read_bytes(), files(data)) == (before, written)
    assert announced["changed"] == 41
    assert reextract(data) == announced


def test_samples_are_diffs_and_few(data: Path) -> None:
    reread(data)
    samples = reextract(data, "--dry-run")["samples"]
    assert len(samples) == 20
    (sample,) = [sample for sample in samples if sample["url"] == SEED]
    assert sample["diff"].startswith(f"--- {KITCHEN}/a-slow-loaf-for-a-busy-week.md\tarchived\n")
    assert "\n+author: Marta\n" in sample["diff"]
    assert sample["more_lines"] > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("url", "other", "reason", "words"),
    [
        pytest.param(SEED, with_more, "the text shrank from 536 words to 268", 268, id="words"),
        pytest.param(PICKLES, with_image, "1 image before, and none now", 155, id="images"),
    ],
)
def test_what_would_lose_too_much_is_kept_until_it_is_accepted(
    run: Run, data: Path, url: str, other: Callable[[Article], Article], reason: str, words: int
) -> None:
    pages = query(data, PAGE_STATES)
    reread(data, other, f"url = '{url}'")
    kept = files(data)
    for _ in range(2):
        values = reextract(data, "--older-than-extractor", exit_code=1)
        assert values["quarantined"] == [{"url": url, "reason": reason}]
        assert files(data) == kept
    assert query(data, PAGE_STATES) == pages, "no crawl requests it for that"
    assert query(data, "SELECT rule FROM quarantine") == [("re-extraction",)]
    status = json.loads(here("status", "--data", data, "--json").stdout)
    assert status["older_extractor"] == {"articles": 1, "with_original": 1, "quarantined": 1}
    accepted = here("accept", "--host", KITCHEN, "--data", data)
    assert (accepted.exit_code, accepted.stdout.startswith(f"Accepted: {url}, now {words} words.")) == (
        0,
        True,
    )
    assert files(data) == files(run.data)
    assert query(data, "SELECT count(*), min(reextracted) FROM revisions") == [(1, 1)]
    assert query(data, "SELECT count(*) FROM quarantine") == [(0,)]
    assert here("accept", url, "--data", data).exit_code == 2


def test_an_original_without_an_article_is_quarantined(data: Path) -> None:
    query(
        data,
        """UPDATE articles SET record = (SELECT id FROM warc_records WHERE url = 'https://' || host || '/')
           WHERE url = ?""",
        SEED,
    )
    (problem,) = reextract(data, exit_code=1)["quarantined"]
    assert problem == {"url": SEED, "reason": "the page no longer reads as an article"}
    refused = here("accept", SEED, "--data", data)
    assert refused.exit_code == 2
    assert (
        refused.stderr
        == f"alsoread: Could not accept the re-extraction of {SEED}: it has no article with text.\n"
    )


@pytest.mark.long
def test_a_quarantined_re_extraction_outlives_a_visit_that_finds_nothing_new(
    network: Path, data: Path
) -> None:
    reread(data, with_more, f"url = '{SEED}'")
    reextract(data, exit_code=1)
    crawl(network, data, SEED, "--recrawl", "all")
    assert query(data, "SELECT rule, status FROM quarantine JOIN pages ON page = pages.id") == [
        ("re-extraction", 304)
    ]


def test_articles_that_an_older_version_read_are_counted_and_chosen(data: Path) -> None:
    reread(data, half_read, f"host = '{KITCHEN}'")
    told = here("status", "--data", data).stdout
    assert "10 articles were read by an older extractor" in told
    assert f"alsoread reextract --older-than-extractor --data {data}" in told
    values = reextract(data, "--older-than-extractor")
    assert (values["changed"], values["unchanged"]) == (10, 0)
    assert "older extractor" not in here("status", "--data", data).stdout
    values = reextract(data, "--older-than-extractor")
    assert (values["changed"], values["unchanged"]) == (0, 0)


def test_an_article_that_reads_the_same_has_the_new_version_afterwards(run: Run, data: Path) -> None:
    query(data, "UPDATE articles SET extractor_version = NULL")
    assert reextract(data)["unchanged"] == 41
    assert differences(run.data, data) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--host", "kitchen-*"], 10),
        (["--where", "author = 'Marta'"], 8),
        (["--since", "2024-06-01"], 10),
        (["--host", "nothing.example"], 0),
    ],
)
def test_articles_are_chosen_as_for_an_export(data: Path, options: list[str], count: int) -> None:
    assert reextract(data, "--dry-run", *options)["unchanged"] == count


def test_an_article_without_an_original_is_counted_and_left(data: Path) -> None:
    query(data, "UPDATE articles SET record = NULL WHERE host = ?", KITCHEN)
    values = reextract(data)
    assert (values["without_original"], values["unchanged"]) == (10, 31)


def test_a_damaged_original_is_named_and_the_others_are_read(run: Run, data: Path) -> None:
    reread(data)
    name, offset = damage_original(data, SEED)
    values = reextract(data, exit_code=1)
    (failure,) = values["failures"]
    assert failure["name"] == SEED
    assert f"{name} does not have the original of {SEED} at byte {offset} any more" in failure["reason"]
    assert values["changed"] == 40
    unlike = [path for path, content in files(data).items() if content != files(run.data)[path]]
    assert unlike == [f"{KITCHEN}/a-slow-loaf-for-a-busy-week.md"]


def test_a_missing_file_of_originals_is_named_for_each_article(data: Path) -> None:
    for file in (data / FOLDER).glob(f"*{SUFFIX}"):
        file.unlink()
    done = here("reextract", "--data", data)
    assert done.exit_code == 1
    *named, rest = done.stderr.splitlines()
    assert len(named) == 20
    assert all(line.startswith("Warning: https://") for line in named)
    assert rest == "Warning: the same holds for 21 more articles."


def test_an_archived_article_is_extracted_from_its_original(data: Path) -> None:
    reread(data)
    done = here("extract", SEED, "--data", data)
    assert done.exit_code == 0
    shown = here("show", SEED, "--data", data).stdout
    assert (len(done.stdout) > len(shown), "\nauthor: Marta\n" in done.stdout) == (True, True)
    reextract(data)
    assert here("show", SEED, "--data", data).stdout == done.stdout
    query(data, "UPDATE articles SET record = NULL")
    assert "was not kept" in here("extract", SEED, "--data", data).stderr


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        ({}, None),
        ({"title": None}, "the title is missing"),
        ({"title": "Another"}, None),
        ({"body": ""}, "the article has no text"),
        ({"body": "one two three"}, None),
        ({"body": "one two"}, "the text shrank from 4 words to 2"),
        ({"images": []}, "1 image before, and none now"),
    ],
)
def test_what_may_not_be_lost(article: MakeArticle, now: dict[str, Any], problem: str | None) -> None:
    archived = article(body="one two three four")
    former = Archived(
        title=archived.title, body=archived.body, extractor="redefine", images=len(archived.images)
    )
    comparison = Comparison(article=replace(archived, **now), cut_off=False, archived=former)
    assert reads_less(comparison) == problem
