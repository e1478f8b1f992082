"""A site that breaks takes nothing from the archive: its pages are reported and kept, and good ones come in again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.site import SEED
from tests.support.commands import Run, crawl, here

HOST = "kitchen-notes.techidaily.com"
_TEXT = re.compile(
    rb'(<div class="article-content markdown-body[^>]*>).*?(<div class="post-copyright-info)', re.DOTALL
)
_BETWEEN_TAGS = re.compile(rb">[^<]+<")


def page(title: str, sentence: str) -> bytes:
    """A page of another template, long enough to read as an article."""
    text = f"<h1>{title}</h1><p>{f'{sentence} ' * 12}</p>"
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>".encode()


def in_the_theme(text: bytes) -> Callable[[bytes], bytes]:
    return lambda html: _TEXT.sub(rb"\1<p>" + text + rb"</p></div>\2", html)


CAPTCHA = page("One more step", "Please confirm that you are a human being before you go on to the site.")
PARKED = page("This domain is for sale", "Buy this domain today and build the shop that you always wanted.")
LOGIN = b"Members can read this story when they sign in with their password. " * 40
BROKEN: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a-slow-loaf-for-a-busy-week": (
        "cut-off",
        lambda html: html[: html.index(b"article-content markdown") + 900],
    ),
    "keeping-a-sourdough-alive": (
        "undecodable",
        lambda html: _BETWEEN_TAGS.sub(lambda text: text[0].replace(b"a", b"\xe9"), html),
    ),
    "one-pot-lentils": ("other-extractor", lambda _: CAPTCHA),
    "pickles-in-an-afternoon": ("other-extractor", lambda _: PARKED),
    "quick-pickles-again": ("other-text", in_the_theme(LOGIN)),
    "sharpening-a-kitchen-knife": ("no-text", in_the_theme(b"")),
    "two-soups-one-pot": ("shrunk", in_the_theme(b"A soup for every day of the week.")),
}


def rewrite(network: Path, slug: str, change: Callable[[bytes], bytes]) -> None:
    file = network / HOST / slug / "index.html"
    file.write_bytes(change(file.read_bytes()))


def copies(data: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in (data / "articles" / HOST).glob("*.md")}


@pytest.fixture
def archive(run: Run, network: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The demo network's files, which a test may change, and its archive."""
    shutil.copytree(network, tmp_path / "network")
    shutil.copytree(run.data, tmp_path / "data")
    return tmp_path / "network", tmp_path / "data"


def crawl_on(day: int, archive: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, *args: str) -> Run:
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(day * 86400))
    return crawl(*archive, SEED, "--recrawl", "all", *args)


def test_a_broken_site_takes_nothing_from_the_archive(
    run: Run, network: Path, archive: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, data = archive
    for slug, (_, change) in BROKEN.items():
        rewrite(served, slug, change)
    broken = crawl_on(2, archive, monkeypatch)
    assert copies(data) == copies(run.data)
    query = "SELECT url, rule, state, error FROM quarantine JOIN pages ON pages.id = page"
    rows = {row["url"].split("/")[3]: row for row in broken.db.query(query)}
    assert {slug: row["rule"] for slug, row in rows.items()} == {
        slug: rule for slug, (rule, _) in BROKEN.items()
    }
    for slug, row in rows.items():
        assert row["state"] == "failed"
        assert row["error"].startswith(f"{row['rule']}: ")
        page = (served / HOST / slug / "index.html").read_bytes()
        assert here("original", row["url"], "--quarantined", "--data", data).stdout_bytes == page
    assert here("verify", "--data", data).exit_code == 0
    assert broken.code == 1
    assert f"Warning: {HOST}: 7 pages in quarantine (other-extractor 2, cut-off 1, " in broken.out

    again = crawl_on(4, archive, monkeypatch)
    assert (again.code, "quarantine" in again.out) == (0, False), "told once"

    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(6 * 86400))
    mended = crawl(network, data, SEED, "--recrawl", "all")
    assert (mended.code, copies(data)) == (0, copies(run.data))
    assert list((data / "look").rglob("*.html")) == []
    assert mended.db.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
    assert here("verify", "--data", data).exit_code == 0


@pytest.mark.long
def test_an_article_that_its_author_shortened_is_taken_when_it_stays_so(
    archive: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, data = archive
    rewrite(served, "two-soups-one-pot", in_the_theme(b"A soup for every day of the week."))
    for day, taken in ((2, False), (8, False), (10, True)):
        crawl_on(day, archive, monkeypatch, "--host", HOST)
        assert (copies(data)["two-soups-one-pot"].endswith(b"A soup for every day of the week.\n")) == taken


@pytest.mark.long
def test_a_first_copy_that_breaks_off_is_told_of_and_replaced_by_a_whole_one(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, data = tmp_path / "network", tmp_path / "data"
    shutil.copytree(network, served)
    rewrite(served, "a-slow-loaf-for-a-busy-week", BROKEN["a-slow-loaf-for-a-busy-week"][1])
    first = crawl(served, data, SEED)
    assert f"Warning: {HOST}: 1 new article may not be whole (cut-off 1).\n  {SEED}\n" in first.out
    error = "SELECT error FROM pages WHERE url = ?"
    assert first.db.execute(error, [SEED]).fetchone() == ("cut-off: the page ends before its template does",)
    cut = copies(data)["a-slow-loaf-for-a-busy-week"]
    monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(2 * 86400))
    second = crawl(network, data, SEED)
    assert second.db.execute(error, [SEED]).fetchone() == (None,)
    assert len(copies(data)["a-slow-loaf-for-a-busy-week"]) > len(cut)


MANY = "many-posts.techidaily.com"
POSTS = 30


def publish(network: Path, sentence: str) -> None:
    """A blog of many posts in the theme, all with one sentence in common."""
    words = " ".join(f"word{n}" for n in range(60))
    for number in range(POSTS):
        file = network / MANY / f"post-{number}" / "index.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f"""<!DOCTYPE html><html><head><title>Post</title></head><body><div class="article-content-container">
            <div class="article-title"><h1>Post {number}</h1></div>
            <div class="article-content markdown-body"><p>{number} {words}</p><p>{sentence}</p></div>
            <div class="post-copyright-info"></div></div></body></html>""",
            encoding="utf-8",
        )
    listed = "".join(f"<url><loc>https://{MANY}/post-{n}/</loc></url>" for n in range(POSTS))
    (network / MANY / "sitemap_index.xml").write_text(
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>', encoding="utf-8"
    )


@pytest.mark.long
def test_a_host_whose_articles_all_change_at_once_is_replaced_in_part_until_it_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, data = tmp_path / "network", tmp_path / "data"
    publish(network, "By the author.")
    assert crawl(network, data, MANY).urls == {f"https://{MANY}/post-{n}/" for n in range(POSTS)}
    publish(network, "Subscribe to our newsletter.")
    replaced = "SELECT count(*) FROM articles WHERE body GLOB '*newsletter*'"
    for day, count in ((2, 20), (10, 30)):
        monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(day * 86400))
        run = crawl(network, data, MANY, "--recrawl", "all")
        assert run.db.execute(replaced).fetchone() == (count,)
        told = f"Warning: {MANY}: 10 pages in quarantine (mass-change 10); the archived copies are kept."
        assert (told in run.out) == (day == 2)
