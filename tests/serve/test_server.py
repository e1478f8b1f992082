"""Who may use the server, and what its answers allow a browser."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from socket import create_server
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from sqlite_utils import Database

from pipelines.archive.catalog import Catalog
from tests.conftest import ARTICLE
from tests.support.commands import here
from tests.support.exports import BREAD, JAM, ROLLS, make_archive, three_articles
from tests.support.serving import COPIED, HOSTILE_TEXT, archive, command, request, served

TOKEN = "a-token-of-the-tests"  # noqa: S105
ATOM = {"": "http://www.w3.org/2005/Atom"}
ARTICLE_PAGE = f"/article/{BREAD.removeprefix('https://')}"
OURS = ("/", "/search?q=flour", ARTICLE_PAGE, "/graph", "/nothing", "/static/style.css")
DATASETTES = ("/archive", "/archive/articles", "/archive/articles.json", "/-/versions", "/archive?sql=bogus")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    with served(data) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(data: Path) -> Iterator[str]:
    """A server that other machines may reach."""
    with served(data, "--bind", "0.0.0.0", "--token", TOKEN) as address:  # noqa: S104
        yield address


@pytest.mark.parametrize("path", OURS)
def test_our_pages_allow_no_script_and_no_other_server(site: str, path: str) -> None:
    policy = request(site, path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "script" not in policy
    assert "unsafe" not in policy
    assert set(re.findall(r"(?<=-src ).*?(?=;|$)", policy)) == {"'none'", "'self'"}


@pytest.mark.parametrize("path", DATASETTES)
def test_datasettes_pages_run_scripts_of_the_server_alone(site: str, path: str) -> None:
    policy = request(site, path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("script-src 'self'")


def test_the_report_runs_its_own_scripts_alone(site: str) -> None:
    answer = request(site, "/report")
    assert answer.status == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert re.search(
        r'<meta http-equiv="Content-Security-Policy" content="[^"]*script-src \'sha256-', answer.text
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_reading_is_possible(site: str, method: str) -> None:
    assert request(site, "/archive/articles", method).status == 405


@pytest.mark.parametrize(
    "sql",
    [
        "delete from articles",
        "insert into hosts (host) values ('x')",
        "pragma journal_mode = delete",
        "vacuum",
    ],
)
def test_sql_changes_nothing(site: str, sql: str) -> None:
    assert request(site, f"/archive?sql={sql.replace(' ', '+')}").status == 400


def test_sql_without_end_is_interrupted(site: str) -> None:
    endless = "with+recursive+n(i)+as+(select+1+union+all+select+i+%2B+1+from+n)+select+count(*)+from+n"
    answer = request(site, f"/archive.json?sql={endless}")
    assert (answer.status, "SQL Interrupted" in answer.text) == (400, True)


def test_sql_fills_no_memory(site: str) -> None:
    assert "too big" in request(site, "/archive.json?sql=select+hex(zeroblob(900000000))").text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", "[::2]"]
)
def test_a_name_that_leads_here_by_a_trick_is_refused(site: str, host: str) -> None:
    port = urlsplit(site).port
    assert request(site, host=host.format(port=port)).status == 421


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8088"])
def test_the_names_of_loopback_are_answered(site: str, host: str) -> None:
    assert request(site, host=host).status == 200


def test_without_the_token_nothing_is_shown(guarded: str) -> None:
    for path in (*OURS, *DATASETTES, "/feed.atom", "/images/pictures.example/loaf.png"):
        answer = request(guarded, path)
        assert answer.status == 401
        assert "Bread" not in answer.text


def test_the_token_is_given_once(guarded: str) -> None:
    wrong = request(guarded, "/?token=another-token-of-mine")
    assert (wrong.status, wrong.headers["set-cookie"]) == (401, None)
    right = request(guarded, f"/?token={TOKEN}")
    assert right.headers["set-cookie"] == f"alsoread_token={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    assert request(guarded, "/archive", cookie=f"alsoread_token={TOKEN}").status == 200
    assert request(guarded, "/archive", cookie="alsoread_token=another").status == 401


def test_programs_give_the_token_with_each_request(guarded: str) -> None:
    assert request(guarded, "/archive/articles.json", authorization=f"Bearer {TOKEN}").status == 200
    assert (
        request(guarded, f"/feed.atom?token={TOKEN}")
        .headers["content-type"]
        .startswith("application/atom+xml")
    )


def test_a_server_for_other_machines_makes_a_token(data: Path) -> None:
    with served(data, "--bind", "0.0.0.0") as address:  # noqa: S104
        assert re.search(r"\?token=[\w-]{32}$", address)
        assert request(address).status == 401
        assert request(address, f"/?{urlsplit(address).query}").status == 200


def test_the_feed_is_atom_with_the_last_change_first(site: str) -> None:
    answer = request(site, "/feed.atom")
    feed = ElementTree.fromstring(answer.text)  # noqa: S314 - of our own server
    entries = feed.findall("entry", ATOM)
    titles = [entry.findtext("title", "", ATOM) for entry in entries]
    assert titles[0] == ARTICLE.title
    assert HOSTILE_TEXT in titles
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert element.findtext(name, "", ATOM), name
    ids = [entry.findtext("id", "", ATOM) for entry in entries]
    assert len(set(ids)) == len(ids) == 4
    assert entries[0].find("category", ATOM).get("term") == "changed"  # type: ignore[union-attr]
    assert [link.get("href") for link in entries[0].findall("link", ATOM)] == [
        site.rstrip("/") + ARTICLE_PAGE
    ]


def test_copies_of_images_are_served_and_nothing_else(site: str, data: Path) -> None:
    path = f"/images/{COPIED.removeprefix('https://')}"
    answer = request(site, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    (data / "images" / "secret.png").write_bytes(b"not in the catalog")
    for other in ("/images/secret.png", "/images/../archive.db", "/images/%2e%2e/archive.db", "/images/"):
        assert request(site, other).status in (302, 404), other


def test_an_article_names_those_that_are_nearly_the_same(tmp_path: Path) -> None:
    data = three_articles(tmp_path)
    with closing(Database(data / "archive.db")) as db, db.atomic():
        ids = dict(db.execute("SELECT url, id FROM articles").fetchall())
        db.execute("DROP VIEW IF EXISTS near_duplicates")
        db.execute(
            "CREATE TABLE near_duplicates (article INTEGER PRIMARY KEY, canonical INTEGER, similarity REAL)"
        )
        for url, similarity in ((BREAD, 1.0), (ROLLS, 0.87)):
            db.execute("INSERT INTO near_duplicates VALUES (?, ?, ?)", [ids[url], ids[BREAD], similarity])
    with served(data) as address:
        assert "87% like the first of the family" in request(address, ARTICLE_PAGE).text
        assert (
            "the first of the family" in request(address, f"/article/{ROLLS.removeprefix('https://')}").text
        )
        assert "Nearly the same" not in request(address, f"/article/{JAM.removeprefix('https://')}").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/article/%00", 404),
        ("/article/one.techidaily.com/%ff%fe/", 404),
        ("/article/..%2f..%2fetc/passwd", 404),
        ("/article/" + "a" * 5_000, 404),
        ("/host/%3Cscript%3E", 404),
        (ARTICLE_PAGE.replace("article", "diff", 1) + "?revision=" + "9" * 5_000, 200),
        (ARTICLE_PAGE.replace("article", "diff", 1) + "?revision=7", 404),
        ("/host/one.techidaily.com?offset=-1", 200),
        ("/search?q=%ff%00&since=yesterday", 200),
        ("/search?q=" + "%22" * 999 + "&offset=999999999", 200),
    ],
)
def test_odd_requests_are_answered(site: str, path: str, status: int) -> None:
    assert request(site, path).status == status


def test_a_listing_shows_the_beginning_of_texts(site: str) -> None:
    make_long = request(site, "/archive/articles?_col=body")
    assert make_long.status == 200
    cells = re.findall(r'<td class="type-str">(.*?)</td>', make_long.text, re.DOTALL)
    assert cells
    assert max(map(len, cells)) < 1_000


def test_a_crawl_may_write_meanwhile(tmp_path: Path) -> None:
    data = three_articles(tmp_path / "a ? # folder")
    with served(data) as address:
        assert "4</dd>" not in request(address).text
        with closing(Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[0])):
            assert "3</dd>" in request(address).text
        make_archive(data, ARTICLE, replace(ARTICLE, url="https://one.techidaily.com/new/"))
        assert "4</dd>" in request(address).text


def test_a_port_that_is_taken_is_a_sentence(data: Path) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = here("serve", "--data", data, "--port", str(port))
    assert done.exit_code == 2
    assert done.stderr == (
        f"alsoread: Port {port} of 127.0.0.1 can't be used: Address already in use. "
        "Choose another with --port or --bind.\n"
    )


def test_a_token_that_is_easily_guessed_is_refused(data: Path) -> None:
    done = here("serve", "--data", data, "--token", "secret")
    assert (done.exit_code, "needs 16 or more letters" in done.stderr) == (2, True)


@pytest.mark.long
@pytest.mark.parametrize("package", ["datasette", "nh3", "feedgen", "uvicorn"])
def test_without_the_extra_a_sentence_says_what_to_install(data: Path, package: str) -> None:
    without = f"import sys; sys.modules[{package!r}] = None; from crawler.__main__ import main; main()"
    command = [sys.executable, "-c", without, "serve", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        f"alsoread: serve needs {package}, which is not installed: install alsoread[serve].\n",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)])
def test_a_signal_ends_it_well(data: Path, number: int) -> None:
    with subprocess.Popen(
        command(data), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout
        assert server.stdout.readline().startswith("Serving http://127.0.0.1:")
        server.send_signal(number)
        assert server.wait(timeout=60) == 0
        assert server.stdout.read() == "Ctrl-C ends it.\n"
