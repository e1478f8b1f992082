"""`search()`: what people type, and the order of what they get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from crawler.errors import UsageError
from pipelines.analysis.search import Filters, Hit, search
from pipelines.analysis.suggest import suggest
from tests.support.visits import MakeArticle, crawl, stored

ARTICLES: dict[str, dict[str, str]] = {
    "title": {"title": "A quiet kettle", "body": "Boil it slowly, and listen."},
    "description": {"description": "Which kettle is quiet", "body": "Boil it slowly."},
    "body": {"body": "A kettle, again a kettle and once more a kettle: quiet kettles are rare. " * 9},
    "router": {
        "title": "Place a wi-fi router",
        "body": "Don't hide it; wi-fi passes no steel. C++ is not needed.",
    },
    "cafe": {"title": "Café crème", "body": "Two parts of milk. Serve the coffee in warm cups."},
    "window": {"body": "Windows let the light in. A [windowpane](https://glass.example/pane) breaks."},
    "pane": {
        "title": "Glass",
        "body": "First line.\n\n![Pane](https://a.example/shards.png)\n\nSome **shards** stay.",
    },
}
FIELDS = {"description": None, "title": "A post", "images": [], "also_read": [], "tags": ["home"]}


@pytest.fixture
def data(tmp_path: Path, article: MakeArticle) -> Path:
    """An archive with the articles, each with its key as slug."""
    visits = [
        stored(article(url=f"https://one.techidaily.com/{slug}/", **(FIELDS | texts)))
        for slug, texts in ARTICLES.items()
    ]
    other = article(
        url="https://two.techidaily.com/kettle/",
        **FIELDS
        | {
            "title": "Der Kettle",
            "lang": "de",
            "author": "Max",
            "tags": ["Tee"],
            "date": datetime(2025, 5, 1, tzinfo=UTC),
        },
    )
    crawl(tmp_path, *visits, stored(other))
    return tmp_path


@pytest.fixture
def db(data: Path) -> Iterator[Database]:
    with closing(Database(data / "archive.db")) as catalog:
        yield catalog


def slugs(hits: Sequence[Hit]) -> list[str]:
    return [hit.url.split("/")[3] for hit in hits]


def found(db: Database, words: str, filters: Filters = Filters()) -> list[str]:  # noqa: B008
    return slugs(search(db.conn, words, filters).hits)


def marked(hit: Hit) -> str:
    return "".join(f"[{piece.text}]" if piece.matched else piece.text for piece in hit.snippet)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("wi-fi", ["router"]),
        ("C++", ["router"]),
        ("don't", ["router"]),
        ("don’t", ["router"]),
        ('"wi-fi', ["router"]),
        ('"boil it"', ["title", "description"]),
        ("“slowly and”", ["title"]),
        ('"it boil"', []),
        ("CAFE creme", ["cafe"]),
        ("café", ["cafe"]),
        ("shard*", ["pane"]),
        ("serving", ["cafe"]),
        ("NOT", ["router"]),
        ("steel OR milk", []),
        ("title:kettle", []),
        ("* - ++", []),
        ("", []),
    ],
)
def test_what_people_type(db: Database, words: str, expected: list[str]) -> None:
    assert found(db, words) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.text(max_size=60) | st.text(alphabet='"*()^:+-{} ANDORT日本', max_size=40))
def test_no_query_is_an_error(db: Database, words: str) -> None:
    search(db.conn, words)


@pytest.mark.parametrize(
    "words", ["a " * 5000, "水" * 5000, '"' + "a b " * 5000, "\0", "\ud800 kettle", "-" * 5000]
)
def test_no_length_is_an_error(db: Database, words: str) -> None:
    search(db.conn, words)


def test_title_outranks_description_outranks_body(db: Database) -> None:
    assert found(db, "quiet kettle") == ["title", "description", "body"]


def test_few_hits_are_followed_by_words_that_begin_so(db: Database) -> None:
    assert found(db, "glass") == ["pane", "window"]
    assert found(db, "windowp") == ["window"]
    assert found(db, '"windowp"') == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(hosts=["TWO.*"]), ["kettle"]),
        (Filters(hosts=["nobody.*"]), []),
        (Filters(tag="Tee"), ["kettle"]),
        (Filters(author="Max"), ["kettle"]),
        (Filters(lang="de"), ["kettle"]),
        (Filters(since="2025-01-01"), ["kettle"]),
        (
            Filters(hosts=["one.*"], lang="en", tag="home", author="Ada Baker"),
            ["title", "description", "body"],
        ),
    ],
)
def test_filters(db: Database, filters: Filters, expected: list[str]) -> None:
    assert found(db, "kettle", filters) == expected


def test_a_day_that_is_none_is_a_usage_error(db: Database) -> None:
    with pytest.raises(UsageError, match="--since yesterday is not a valid date"):
        search(db.conn, "kettle", Filters(since="yesterday"))


def test_pages_have_every_hit_once(tmp_path: Path, article: MakeArticle) -> None:
    """More than are ranked together, and with matches in titles and texts mixed."""
    crawl(tmp_path, stored(article()))
    with closing(Database(tmp_path / "archive.db")) as db:
        (columns,) = db.execute("SELECT group_concat(name) FROM pragma_table_info('articles')").fetchone()
        values = {
            "id": "n",
            "url": "'https://one.techidaily.com/' || n || '/'",
            "title": "iif(n % 3, 'A post', 'A kettle')",
            "path": "n || '.md'",
            "body": "'The kettle ' || n",
        }
        selected = ", ".join(values.get(name, f"articles.{name}") for name in columns.split(","))
        with db.atomic():
            numbers = (
                "WITH RECURSIVE number(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM number WHERE n < 7009)"
            )
            db.execute(
                f"""INSERT INTO pages (id, url, host, depth, found_at) {numbers}
                    SELECT n, {values["url"]}, 'one.techidaily.com', 1, '' FROM number"""
            )
            db.execute(
                f"INSERT INTO articles {numbers} SELECT {selected} FROM number CROSS JOIN articles WHERE id = 1"
            )
        pages = [search(db.conn, "kettle", limit=1000, offset=offset) for offset in range(0, 8000, 1000)]
    ids = [hit.id for page in pages for hit in page.hits]
    assert [page.more for page in pages] == [True] * 6 + [False] * 2
    assert sorted(ids) == list(range(10, 7010))
    assert all(page % 3 == 0 for page in ids[: 7000 // 3])


@pytest.mark.parametrize(
    ("words", "snippet"),
    [
        ("serve milk", "Two parts of [milk]. [Serve] the coffee in warm cups."),
        ("crème", "Two parts of milk. Serve the coffee in warm cups."),
        ("shards", "Some [shards] stay."),
        ("windowp", "Windows let the light in. A [windowpane] breaks."),
        ("quiet kettle", "Boil it slowly, and listen."),
    ],
)
def test_snippets(db: Database, words: str, snippet: str) -> None:
    assert marked(search(db.conn, words).hits[0]) == snippet


def test_a_long_text_is_cut_round_the_words(tmp_path: Path, article: MakeArticle) -> None:
    body = f"{'word ' * 500}the Überraschung comes{' late' * 500}"
    crawl(tmp_path, stored(article(body=body, images=[])))
    with closing(Database(tmp_path / "archive.db")) as db:
        (hit,) = search(db.conn, "uberraschung").hits
    snippet = marked(hit)
    assert snippet.startswith("…word word")
    assert snippet.endswith("late…")
    assert "the [Überraschung] comes" in snippet
    assert len(snippet) < 260


def test_in_chinese_titles_come_first_and_parts_are_marked(tmp_path: Path, article: MakeArticle) -> None:
    texts = (("咖啡", "先磨菜刀再磨刀石。磨刀石要泡水。"), ("怎样用磨刀石", "旧的iPhone电池怕冷。"))
    crawl(
        tmp_path,
        *(
            stored(
                article(
                    url=f"https://one.techidaily.com/{number}/",
                    title=title,
                    body=body,
                    lang=None,
                    description=None,
                )
            )
            for number, (title, body) in enumerate(texts)
        ),
    )
    with closing(Database(tmp_path / "archive.db")) as db:
        assert slugs(search(db.conn, "磨刀石").hits) == ["1", "0"]
        assert marked(search(db.conn, "菜刀 泡水").hits[0]) == "先磨[菜刀]再磨刀石。磨刀石要[泡水]。"
        assert marked(search(db.conn, "iphone").hits[0]) == "旧的[iPhone]电池怕冷。"
        assert slugs(search(db.conn, "先磨菜刀再磨刀石").hits) == ["0"]
        assert search(db.conn, "先磨菜刀再磨刀石头").hits == []


@pytest.mark.parametrize(
    ("words", "filters", "suggested"),
    [
        ("kettle", Filters(lang="fr"), ("kettle", Filters())),
        ("kettle zeppelin", Filters(), ("kettle", Filters())),
        ("kettlebell", Filters(), ("kettle*", Filters())),
        ("xyzzy", Filters(), None),
    ],
)
def test_what_is_suggested_instead(
    db: Database, words: str, filters: Filters, suggested: tuple[str, Filters] | None
) -> None:
    assert suggest(db.conn, words, filters) == suggested
