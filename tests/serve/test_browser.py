"""What a browser shows of an archive: pages that lead to each other, are accessible, and run nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.browser import Browser, Scheme, needs_chromium
from tests.support.exports import BREAD
from tests.support.serving import HOSTILE, archive, served

pytestmark = [needs_chromium, pytest.mark.long]
_BREAD, _HOSTILE = BREAD.removeprefix("https://"), HOSTILE.removeprefix("https://")
OURS = (
    "",
    "search?q=flour",
    "search?q=flour&host=two.*",
    f"article/{_BREAD}",
    "article/two.techidaily.com/gone/",
    f"history/{_BREAD}",
    f"diff/{_BREAD}",
    "host/one.techidaily.com",
    "graph",
    "nothing",
)
DATASETTES = ("archive", "archive/article_list", "archive/article_list?author=Bo", "archive?sql=select+1")
UPSTREAM = ["heading-order"]
"""Violations in Datasette's own pages: some headings of level 3 follow the title."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(archive(tmp_path_factory.mktemp("served"))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page that reports what it should not do: errors, dialogs, requests of other servers."""
    page = browser.new_page()
    wrong: list[str] = []

    def note(what: str, is_wrong: bool = True) -> None:
        if is_wrong:
            wrong.append(what)

    page.on("request", lambda request: note(request.url, not request.url.startswith(site)))
    page.on("dialog", lambda dialog: note(dialog.message))
    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", lambda line: note(line.text, "Failed to load resource" not in line.text))
    yield page
    page.context.close()
    assert wrong == []


def test_from_the_search_to_an_article_and_its_history(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("searchbox").fill("strong flour")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="[New] Bread: a beginner's guide").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("[New] Bread: a beginner's guide")
    expect(page.get_by_role("heading", name="Flour")).to_be_visible()
    expect(page.get_by_role("img", name="A loaf")).to_have_js_property("naturalWidth", 64)
    expect(page.get_by_text("Image without a copy Butter")).to_be_visible()
    page.get_by_role("region", name="Also read").get_by_role("link", name="Jam").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jam")
    page.get_by_role("link", name="[New] Bread").first.click()
    page.get_by_role("link", name="2 revisions").click()
    page.get_by_role("link", name="body, images").click()
    expect(page.locator("ins mark").first).to_have_text(re.compile("weak flour"))


def test_links_in_a_text_lead_to_archived_articles(page: Page, site: str) -> None:
    page.goto(f"{site}article/{_BREAD}")
    page.locator(".text").get_by_role("link", name="rolls").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rolls")


def test_a_link_to_a_page_that_is_not_archived_says_why(page: Page, site: str) -> None:
    page.goto(f"{site}article/{_BREAD}")
    page.get_by_role("link", name="not archived").click()
    expect(page.get_by_text("Its state is gone: the server answers 404 Not Found.")).to_be_visible()


def test_a_facet_narrows_the_articles_and_one_opens(page: Page, site: str) -> None:
    page.goto(f"{site}archive/article_list")
    page.locator(".facet-info", has_text="author").get_by_role("link", name="Bo", exact=True).click()
    expect(page.get_by_text('1 row where author = "Bo"')).to_be_visible()
    page.get_by_role("cell", name="https://two.techidaily.com/jam/").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jam")


@pytest.mark.parametrize(
    "path",
    [
        *(f"article/{_HOSTILE}", f"diff/{_BREAD}", "search?q=flour", "archive/articles"),
        *(pytest.param(path, marks=pytest.mark.long) for path in (*OURS, *DATASETTES)),
    ],
)
def test_nothing_of_an_article_runs_or_is_fetched_from_elsewhere(page: Page, site: str, path: str) -> None:
    page.goto(f"{site}{path}", wait_until="networkidle")
    assert page.title() != "hacked"
    for link in page.get_by_role("link", name="press").all():
        link.click()
    assert page.url == f"{site}{path}"
    assert page.locator("script:not([src]), iframe, object, embed, base, meta[http-equiv]").count() == 0


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        *((390, "dark"), (1440, "light")),
        *(pytest.param(*view, marks=pytest.mark.long) for view in ((390, "light"), (1440, "dark"))),
    ],
)
def test_our_pages_are_accessible(browser: Browser, site: str, width: int, scheme: Scheme) -> None:
    page = browser.new_page(width=width, scheme=scheme)
    for path in OURS:
        page.goto(f"{site}{path}")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
    page.context.close()


def test_the_report_draws_its_charts(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name="Report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Archive report")
    expect(page.locator("[_echarts_instance_]").first).to_be_visible()


@pytest.mark.long
def test_datasettes_pages_have_one_fault_of_their_own(page: Page, site: str) -> None:
    for path in DATASETTES:
        page.goto(f"{site}{path}")
        assert violations(page) == UPSTREAM, path


def test_the_keyboard_reaches_the_text_first(page: Page, site: str) -> None:
    page.goto(f"{site}article/{_BREAD}")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_browser_gives_the_token_once(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    with served(archive(tmp_path), "--token", "a-token-of-the-tests") as address:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("What the archive holds")
        page.get_by_role("link", name="Links").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The also-read graph")
        page.context.clear_cookies()
        page.reload()
        expect(page.get_by_text("This archive asks for a token.")).to_be_visible()
        page.get_by_label("Token").fill("a-token-of-the-tests")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("What the archive holds")
    page.context.close()


def violations(page: Page) -> list[str]:
    """The rules of axe-core that a page breaks."""
    return [violation["id"] for violation in Axe().run(page).response["violations"]]
