"""The report of an archive: what its page shows, that it is the same each time, and that nothing in it is trusted."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlite_utils import Database

from crawler.items import Link
from tests.support.browser import Browser, needs_chromium
from tests.support.commands import Run
from tests.support.visits import MakeArticle, alsoread, crawl, failed, stored

HOSTILE = (
    "</script><script>document.title='hit'</script>\u2028<img src=x onerror=\"document.title='hit'\"><!--"
)
VENDOR = files("crawler.reports.page") / "vendor"


def written(data: Path, file: Path) -> str:
    """The report of an archive, as a page."""
    done = alsoread(data, "report", "--out", str(file))
    assert (done.exit_code, done.stderr) == (0, "")
    return file.read_text(encoding="utf-8")


def select(page: str, query: str) -> list[Any]:
    """What an XPath query selects of a page."""
    found: Any = html.document_fromstring(page).xpath(query)
    return [*found]


def charts(page: str) -> Mapping[str, Any]:
    """The numbers that the page's script draws."""
    (text,) = select(page, "//script[@id='charts']/text()")
    parsed: Mapping[str, Any] = json.loads(text)
    return parsed


def rows(page: str, section: str) -> list[list[str]]:
    """The rows of a section's first table, as text."""
    (body,) = select(page, f"(//section[@id='{section}']//tbody)[1]")
    return [[cell.text_content() for cell in row] for row in body]


def words(page: str, section: str) -> str:
    """The text of a section."""
    (element,) = select(page, f"//section[@id='{section}']")
    return str(element.text_content())


@pytest.fixture(scope="module")
def file(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo network's archive."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    written(run.data, file)
    return file


@pytest.fixture(scope="module")
def page(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def test_the_numbers_are_those_of_the_archive(run: Run, page: str) -> None:
    def count(query: str) -> int:
        number: int = run.db.execute(f"SELECT count(*) FROM {query}").fetchone()[0]
        return number

    drawn = charts(page)
    assert len(select(page, "//figure//svg[@class='still']")) == len(drawn)
    articles = count("articles")
    assert [series["values"] for series in drawn["growth"]["series"]] == [[0], [articles]]
    assert sum(drawn["states"]["values"]) == count("pages")
    assert sum(drawn["languages"]["values"]) == articles
    undated = count("articles WHERE date IS NULL")
    assert sum(cell[2] for cell in drawn["months"]["cells"]) + undated == articles
    hosts = {node["name"] for node in drawn["network"]["nodes"] if node["articles"]}
    assert hosts == set(drawn["months"]["rows"])
    assert sum(drawn["dead-ends"]["values"]) == count("missing_targets")
    assert len(rows(page, "orphans")) == count("orphans")
    assert len(rows(page, "alarms")) == count("alarms")


def test_the_same_archive_gives_the_same_page(run: Run, page: str, tmp_path: Path) -> None:
    shutil.copytree(run.data, tmp_path / "copy")
    assert written(tmp_path / "copy", tmp_path / "again.html") == page


def test_nothing_is_loaded_and_only_its_own_scripts_may_run(page: str) -> None:
    assert not select(page, "//*[@src or @srcset or @style or self::link or self::iframe or self::object]")
    (policy,) = select(page, "//meta[@http-equiv='Content-Security-Policy']/@content")
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    inside = {
        name: {f"'sha256-{digest(element.text)}'" for element in select(page, query)}
        for name, query in (("script-src", "//script[not(@type)]"), ("style-src", "//style"))
    }
    assert {name: set(sources.split()) for name, sources in allowed.items()} == inside | {
        name: {"'none'"} for name in ("default-src", "base-uri", "form-action")
    }


def digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.long
@needs_chromium
def test_every_chart_is_drawn(browser: Browser, file: Path) -> None:
    loaded = browser.load(file.as_uri())
    assert loaded.problems == []
    assert [url for url in loaded.requests if not url.startswith("data:")] == [file.as_uri()]
    drawn = browser.evaluate(
        """[...document.querySelectorAll('figure[data-chart]')].map((figure) => {
             const canvas = figure.querySelector('canvas');
             const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
             const isStillHidden = figure.querySelector('svg.still').getBoundingClientRect().height === 0;
             return [new Set(new Uint32Array(data.buffer)).size > 2, isStillHidden];
           })"""
    )
    assert drawn == [[True, True]] * len(charts(file.read_text(encoding="utf-8")))


@pytest.mark.long
@needs_chromium
def test_without_scripts_the_charts_are_still(browser: Browser, file: Path) -> None:
    assert browser.load(file.as_uri(), scripts=False).problems == []
    shown = browser.evaluate(
        """[...document.querySelectorAll('figure[data-chart]')].map((figure) =>
             [figure.querySelectorAll('canvas').length,
              figure.querySelector('svg.still').getBoundingClientRect().height > 50])"""
    )
    assert shown == [[0, True]] * len(charts(file.read_text(encoding="utf-8")))


@pytest.mark.long
@needs_chromium
def test_the_pointer_and_the_keyboard_show_numbers(browser: Browser, file: Path) -> None:
    browser.load(file.as_uri())
    x, y = browser.evaluate(
        """(() => {
             const canvas = document.querySelector('[data-chart="states"] canvas');
             canvas.scrollIntoView({behavior: 'instant'});
             const place = canvas.getBoundingClientRect();
             return [place.x + 4, place.y + 25];
           })()"""
    )
    browser.point_at(x, y)
    tip = "[...document.querySelectorAll('.tip')].map((tip) => tip.innerText.replaceAll('\\n', '|')).filter(Boolean)"
    assert browser.evaluate(tip) == ["archived|41"]
    browser.evaluate(
        """(() => {
             const select = document.querySelector('.choice select');
             select.value = [...select.options].find((option) => option.text === 'kitchen-notes').value;
             select.dispatchEvent(new Event('change'));
           })()"""
    )
    assert [text for text in browser.evaluate(tip) if text.startswith("kitchen-notes|10 articles|")]


@pytest.fixture
def hostile(tmp_path: Path, article: MakeArticle) -> Path:
    """The report of an archive whose titles, reasons and alarms are attacks."""
    data = tmp_path / "data"
    link = Link("https://two.techidaily.com/jam/", HOSTILE)
    crawl(data, stored(article(title=HOSTILE, lang="en", also_read=[link])), failed(link.url, HOSTILE))
    with Database(data / "archive.db") as db:
        db.execute(
            "INSERT INTO alarms (crawl, kind, message, raised_at) VALUES (1, ?, ?, '2026-01-01T00:00:00.000Z')",
            [HOSTILE, HOSTILE],
        )
        db.execute("UPDATE pages SET url = ? WHERE state = 'failed'", ["javascript:document.title='hit'"])
    written(data, tmp_path / "report.html")
    return tmp_path / "report.html"


def test_hostile_texts_are_only_texts(hostile: Path) -> None:
    page = hostile.read_text(encoding="utf-8")
    assert HOSTILE.replace("\u2028", "") not in page
    assert len(select(page, "//script")) == 3
    assert not select(page, "//a[starts-with(@href, 'javascript:')]")
    assert HOSTILE in words(page, "most-linked") + words(page, "orphans")
    assert HOSTILE in words(page, "alarms")


@pytest.mark.long
@needs_chromium
def test_hostile_texts_execute_nothing(browser: Browser, hostile: Path) -> None:
    assert browser.load(hostile.as_uri()).problems == []
    assert browser.evaluate("document.title") == "Archive report"
    assert browser.evaluate("document.querySelectorAll('main img').length") == 0


def test_it_says_what_it_leaves_out(tmp_path: Path, article: MakeArticle) -> None:
    for number in range(61):
        crawl(tmp_path, stored(article(url=f"https://one.techidaily.com/post-{number}/", also_read=[])))
    page = written(tmp_path, tmp_path / "../report.html")
    assert "Articles after each run: the last 60 of 61" in words(page, "growth")
    assert "Articles that no other links to: the first 50 of 61" in words(page, "orphans")
    assert charts(page)["growth"]["series"][0]["values"][:2] == [1, 2]


def test_dates_outside_the_heat_map_are_counted(tmp_path: Path, article: MakeArticle) -> None:
    dates = [None, datetime(1999, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)]
    dates += [datetime(2025, 6, 1, tzinfo=UTC)] * 100
    crawl(
        tmp_path / "data",
        *(
            stored(article(url=f"https://one.techidaily.com/post-{number}/", date=date))
            for number, date in enumerate(dates)
        ),
    )
    page = written(tmp_path / "data", tmp_path / "report.html")
    assert "Not in the heat map: 1 earlier, 1 dated after the last run, 1 without a date." in words(
        page, "hosts"
    )
    assert charts(page)["months"]["columns"][0] == "2025-06"


def test_an_archive_of_nothing(tmp_path: Path) -> None:
    crawl(tmp_path / "data")
    page = written(tmp_path / "data", tmp_path / "report.html")
    assert "No articles yet." in words(page, "hosts")
    assert "Alarms, newest first: none." in words(page, "alarms")


def test_analyses_are_shown_where_the_catalog_has_them(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.data, tmp_path / "data")
    with Database(tmp_path / "data" / "archive.db") as db:
        for name, query in (
            ("families", "SELECT url, title, host, 3 AS members, 2 AS hosts FROM articles LIMIT 2"),
            (
                "article_ranks",
                """SELECT url, host, title, 0.5 AS pagerank, 4 AS in_degree, 1 AS out_degree, 1 AS component,
                          nullif(id % 3, 2) AS distance FROM articles""",
            ),
        ):
            db.execute(f"DROP VIEW IF EXISTS {name}")
            db.execute(f"CREATE VIEW {name} AS {query}")
    analysed = written(tmp_path / "data", tmp_path / "report.html")
    assert "6 articles in 2 families of nearly identical ones." in words(analysed, "near-duplicates")
    assert rows(analysed, "ranks")[0][1:] == ["4", "0.500000"]
    assert charts(analysed)["distances"]["labels"] == ["0 links", "1 link", "not reached by links"]


def test_without_rustworkx_the_page_says_what_to_install(run: Run, tmp_path: Path) -> None:
    program = "import sys; sys.modules['rustworkx'] = None; from crawler.cli import main; main()"
    command = [sys.executable, "-c", program, "report"]
    subprocess.run(
        [*command, "--data", run.data, "--out", tmp_path / "report.html"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "pip install 'alsoread[analysis]'" in words(page, "network")
    assert "network" not in charts(page)


def test_the_library_is_the_one_that_its_script_builds() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    package = json.loads((VENDOR / "package.json").read_text())
    bundle = (VENDOR / manifest["file"]).read_bytes()
    assert manifest["versions"] == package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in manifest["versions"].values())
    assert (manifest["bytes"], manifest["sha256"]) == (len(bundle), hashlib.sha256(bundle).hexdigest())
    assert bundle.startswith(f"/* Apache ECharts {manifest['versions']['echarts']}, ".encode())
    for text in ("Apache License", "Copyright (c) 2017, Baidu Inc.", "Mike Bostock", "Microsoft Corporation"):
        assert text in (VENDOR / "LICENSE").read_text()
