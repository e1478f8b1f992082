"""No doubtful page takes the place of a good article; what its author changed does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from crawler.clock import now
from crawler.items import Article, Image, Link, Quarantine, Visit, iso
from pipelines.archive import articles, lookup, quarantine
from pipelines.archive.catalog import Catalog
from pipelines.archive.plausibility import CONFIRMED_AFTER, NOT_ARTICLE, RULES
from pipelines.archive.quarantine import Archived
from pipelines.archive.store import Store
from pipelines.validate import LINKS_PER_PAGE, validate
from tests.conftest import ARTICLE

ALARMS = (Path(__file__).parents[1] / "docs" / "alarms.md").read_text(encoding="utf-8")
WORDS = [f"word{n}" for n in range(100)]
TEXT = " ".join(WORDS)
PICTURES = [Image(f"https://pictures.example/{n}.png") for n in range(2)]
GOOD = replace(ARTICLE, body=TEXT, images=PICTURES)


def archived(article: Article = GOOD, **facts: Any) -> Archived:
    return Archived(
        **{
            "title": article.title,
            "body": article.body,
            "extractor": article.extractor,
            "images": len(article.images),
            "file_hash": articles.hash_of_file(article),
            **facts,
        }
    )


def hash_of(body: str) -> str:
    return sha256(body.encode()).hexdigest()


def visit(article: Article | None, **facts: Any) -> Visit:
    return Visit(**{"url": ARTICLE.url, "state": "stored", "status": 200, "article": article, **facts})


def good(**changes: Any) -> Visit:
    return visit(replace(GOOD, **changes))


DOUBTFUL: dict[str, tuple[Visit, str]] = {
    "not-article": (visit(None, state="not_article"), "the page no longer reads as an article"),
    "no-text": (good(body=" \n"), "the article has no text"),
    "other-extractor": (
        good(extractor="generic", body=f"{TEXT} and more"),
        "the page has another template than the archived one",
    ),
    "cut-off": (
        visit(replace(GOOD, license=None), cut_off=True),
        "the page ends before its template does",
    ),
    "undecodable": (good(body=TEXT.replace("word7 ", "w\ufffdrd7 ")), "1 more character cannot be decoded"),
    "mojibake": (
        good(body=f"{TEXT}".replace("word7 ", "wÃ¶rd7 ")),
        "1 more character looks like UTF-8 read as another encoding",
    ),
    "no-title": (good(title=None), "the title is missing"),
    "no-pictures": (good(images=[]), "all 2 images are missing"),
    "shrunk": (good(body=" ".join(WORDS[:74])), "the text shrank from 100 words to 74"),
    "other-text": (
        good(body=" ".join(WORDS[:49]) + " other" * 60),
        "only 49 of 100 words are in the new text",
    ),
}


@pytest.mark.parametrize("rule", DOUBTFUL)
def test_a_doubtful_page_is_quarantined(rule: str) -> None:
    doubtful, detail = DOUBTFUL[rule]
    body_hash = hash_of(doubtful.article.body) if doubtful.article else None
    assert validate(doubtful, archived()) == replace(
        doubtful,
        state="failed",
        reason=f"{rule}: {detail}; the archived copy is kept",
        article=None,
        quarantine=Quarantine(rule, body_hash),
    )


def test_every_rule_is_tried_and_described() -> None:
    assert {NOT_ARTICLE, *(rule.name for rule in RULES)} == {*DOUBTFUL, "mass-change"}
    table = re.findall(r"^\| `([a-z-]+)` \| (.*?) \| (.*?) \|$", ALARMS, re.MULTILINE)
    assert table == [
        (NOT_ARTICLE, "the page no longer reads as an article", ""),
        *((rule.name, rule.meaning, "yes" if rule.confirmable else "") for rule in RULES),
    ]


@pytest.mark.parametrize(
    ("real", "before"),
    [
        (good(body=" ".join(WORDS[:75])), archived()),
        (good(body=" ".join(WORDS[:50]) + " other" * 50), archived()),
        (good(title="Another title", author=None, also_read=[], images=PICTURES[:1]), archived()),
        (good(images=[]), archived(images=1)),
        (good(body="one"), archived(replace(GOOD, body="word " * 39))),
        (good(body=f"{TEXT} \ufffd"), archived(replace(GOOD, body=f"{TEXT} \ufffd"))),
        (good(extractor="generic"), archived(extractor="generic")),
        (good(), archived(extractor="generic")),
        (good(), archived(replace(GOOD, body="Please prove that you are human. " * 20), extractor="generic")),
        (visit(None, status=304), archived()),
        (visit(None, state="gone", status=404), archived()),
        (visit(None, state="not_article"), None),
        (
            visit(None, state="not_article", status=301, moved_to="https://one.techidaily.com/x/"),
            archived(),
        ),
    ],
)
def test_any_other_page_is_what_it_is(real: Visit, before: Archived | None) -> None:
    assert validate(real, before) == real


def test_a_first_copy_without_text_is_a_failure_and_not_quarantined() -> None:
    empty = good(body="")
    assert validate(empty, None) == replace(
        empty, state="failed", reason="the article has no text", article=None
    )


@pytest.mark.parametrize("before", [None, archived(cut_off=True)])
def test_a_page_that_breaks_off_is_stored_only_where_nothing_is_lost(before: Archived | None) -> None:
    stored = validate(visit(GOOD, cut_off=True, etag='"1"', last_modified="yesterday"), before)
    assert (stored.state, stored.article) == ("stored", GOOD)
    assert stored.reason == "cut-off: the page ends before its template does"
    assert (stored.etag, stored.last_modified) == (None, None), (
        "its validators may be those of the whole page"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": "CafÃ© â€™tis Â© 2024"}, "mojibake: 3 characters look like UTF-8 read as another encoding"),
        ({"date": datetime(1970, 1, 1, tzinfo=UTC)}, "odd-date: 1970-01-01 is before the web"),
        ({"date": datetime(2999, 1, 1, tzinfo=UTC)}, "odd-date: 2999-01-01 is in the future"),
    ],
)
def test_a_first_copy_with_a_flaw_is_stored_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    flawed = good(**changes)
    stored = validate(replace(flawed, etag='"1"'), None)
    assert stored == replace(flawed, reason=reason, etag=None)


def test_of_endless_links_the_first_are_followed() -> None:
    links = [Link(f"https://one.techidaily.com/{n}/", "x") for n in range(LINKS_PER_PAGE + 2)]
    stored = validate(good(also_read=links), None)
    assert stored.article
    assert stored.article.also_read == links[:-2]
    assert stored.reason == "too-many-links: 5,002 also-read links, of which the first 5,000 are followed"


@pytest.mark.parametrize(("changed", "passes"), [(19, True), (20, False)])
def test_few_articles_of_a_small_host_may_change_at_once(changed: int, passes: bool) -> None:
    edited = good(body=f"{TEXT} more")
    assert (validate(edited, archived(), 25, changed) == edited) == passes


@pytest.mark.parametrize(("changed", "passes"), [(499, True), (500, False)])
def test_half_of_the_articles_of_a_host_may_change_at_once(changed: int, passes: bool) -> None:
    edited = good(body=f"{TEXT} more")
    assert (validate(edited, archived(), 1000, changed) == edited) == passes
    assert validate(good(), archived(), 1000, changed) == good(), "the same text is no change"


def kept_since(doubtful: Visit, age: timedelta) -> Archived:
    assert doubtful.article
    return archived(quarantined_hash=hash_of(doubtful.article.body), quarantined_at=now() - age)


@pytest.mark.parametrize("rule", ["shrunk", "other-text", "no-pictures", "no-title"])
def test_what_the_blog_still_shows_after_a_week_is_right(rule: str) -> None:
    doubtful, _ = DOUBTFUL[rule]
    early, late = CONFIRMED_AFTER - timedelta(hours=1), CONFIRMED_AFTER + timedelta(hours=1)
    assert validate(doubtful, kept_since(doubtful, early)).quarantine
    assert validate(doubtful, kept_since(doubtful, late)) == doubtful
    other = replace(kept_since(doubtful, late), quarantined_hash=hash_of("other"))
    assert validate(doubtful, other).quarantine, "another text has to wait as long"


@pytest.mark.parametrize("rule", ["no-text", "other-extractor", "cut-off", "undecodable"])
def test_what_no_blog_wants_to_show_is_never_right_by_itself(rule: str) -> None:
    doubtful, _ = DOUBTFUL[rule]
    assert validate(doubtful, kept_since(doubtful, 10 * CONFIRMED_AFTER)).quarantine


def test_a_page_of_an_unknown_template_confirms_nothing() -> None:
    short = good(body=" ".join(WORDS[:9]), extractor="generic")
    before = replace(kept_since(short, 10 * CONFIRMED_AFTER), extractor="generic")
    assert validate(short, before).quarantine


SHORT = good(body=" ".join(WORDS[:9]))


@pytest.fixture
def held(catalog: Catalog) -> Callable[[], Archived]:
    """What the archive holds of the article, which was stored."""
    catalog.add(visit(GOOD))

    def find() -> Archived:
        found = quarantine.find_archived(catalog.db, ARTICLE.url)
        assert found
        return found

    return find


def test_the_archive_remembers_since_when_a_text_is_in_quarantine(
    catalog: Catalog, held: Callable[[], Archived]
) -> None:
    assert held() == archived()
    catalog.add(validate(SHORT, held()))
    first = held()
    assert first.quarantined_hash == hash_of(" ".join(WORDS[:9]))
    catalog.add(validate(SHORT, held()))
    assert held() == first, "the same text keeps its time"
    catalog.add(validate(good(body="x"), held()))
    other = held()
    assert other.quarantined_at
    assert first.quarantined_at
    assert other.quarantined_at > first.quarantined_at
    assert articles.load(catalog.db, lookup.find(catalog.db, ARTICLE.url)) == GOOD


def test_a_page_in_quarantine_is_asked_for_again_a_day_later(
    catalog: Catalog, held: Callable[[], Archived]
) -> None:
    catalog.add(validate(SHORT, held()))
    due = catalog.db.execute("SELECT due_at FROM pages WHERE url = ?", [ARTICLE.url]).fetchone()[0]
    assert iso(now() + timedelta(hours=23)) < due < iso(now() + timedelta(hours=25))


@pytest.mark.parametrize("end", [visit(GOOD), visit(None, status=304)])
def test_an_article_that_is_read_well_again_ends_the_quarantine(
    catalog: Catalog, held: Callable[[], Archived], end: Visit
) -> None:
    catalog.add(validate(SHORT, held()))
    catalog.add(end)
    assert held() == archived()
    assert catalog.db.table("quarantine").count == 0


def test_another_failure_does_not_end_the_quarantine(catalog: Catalog, held: Callable[[], Archived]) -> None:
    catalog.add(validate(SHORT, held()))
    before = held()
    catalog.add(visit(None, state="failed", status=None, reason="no answer"))
    assert held() == before


def test_a_page_that_breaks_off_is_visited_again_on_the_next_day(catalog: Catalog) -> None:
    catalog.add(validate(visit(GOOD, cut_off=True), None))
    row = next(catalog.db.query("SELECT state, error, due_at FROM pages WHERE url = ?", [ARTICLE.url]))
    assert (row["state"], row["error"]) == ("stored", "cut-off: the page ends before its template does")
    assert row["due_at"] < iso(now() + timedelta(hours=25))
    found = quarantine.find_archived(catalog.db, ARTICLE.url)
    assert found
    assert found.cut_off


def test_an_article_is_counted_for_its_host(catalog: Catalog, tmp_path: Path) -> None:
    store = Store(catalog.db, tmp_path, scope=["techidaily.com"], retry_delays=[], crawl=1)
    for host in ("one", "one-more"):
        url = f"https://{host}.techidaily.com/bread/"
        store.commit([visit(replace(GOOD, url=url), url=url)])
    assert quarantine.count_articles(catalog.db, "one.techidaily.com") == 1
