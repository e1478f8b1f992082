"""Bad pages: each gives an article, or a state and a reason that a person understands, and the crawl goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import frontmatter
import pytest

from crawler.items import Article
from pipelines import articles
from pipelines.markdown import path_of
from tests.commands import alsoread, opened
from tests.site import SEED, Site
from tests.site.server import Reply

HOST = "odd-pages.techidaily.com"
_BODY = re.compile(
    rb'(<div class="article-content markdown-body[^>]*>).*?(<div class="post-copyright-info)', re.DOTALL
)
_TITLE = re.compile(rb"(<h1[^>]*>).*?(</h1>)", re.DOTALL)


class Bad(NamedTuple):
    """A bad page, and what must come of it: a reason, or None where it is archived."""

    html: bytes
    reason: str | None = None


def cases(page: bytes) -> dict[str, Bad]:
    """Bad pages made of a good one, by slug."""

    def with_title(title: bytes) -> bytes:
        return _TITLE.sub(lambda match: match[1] + title + match[2], page)

    def with_body(body: bytes) -> bytes:
        return _BODY.sub(lambda match: match[1] + body + b"</div>" + match[2], page)

    no_date = re.sub(rb'<meta property="article:[^>]*>|20\d\d-\d\d-\d\d( [\d:]+)?|20\d\d', b"", page)
    return {
        "empty": Bad(b"", "the response has no body"),
        "blank": Bad(b" \n\n ", "the response has no body"),
        "cut-in-the-head": Bad(page[:400], "no article on this page"),
        "cut-in-the-text": Bad(page[: page.index(b"article-content markdown") + 2000]),
        "a-picture": Bad(b"\x89PNG\r\n\x1a\n" + bytes(500), "wrong-type: expected HTML, got image/png"),
        "a-pdf": Bad(b"%PDF-1.7\n" + bytes(500), "wrong-type: expected HTML, got application/pdf"),
        "json": Bad(b'{"title": "no page"}', "wrong-type: expected HTML, got application/json"),
        "latin-1-that-says-so": Bad(
            with_title("Café".encode("latin-1")).replace(b'charset="utf-8"', b'charset="iso-8859-1"')
        ),
        "cyrillic-that-the-server-names": Bad(
            with_title("Чайник".encode("cp1251")).replace(b'<meta charset="utf-8">', b"")
        ),
        "latin-1-that-hides-it": Bad(with_title("Café".encode("latin-1"))),
        "fifty-megabytes": Bad(page + b" " * 50 * 2**20, "too-large: "),
        "ten-thousand-levels": Bad(
            with_body(b"<div>" * 10_000 + b"deep" + b"</div>" * 10_000),
            "the page can't be read: it is nested",
        ),
        "twenty-thousand-links": Bad(with_body(b'<p>Much.</p><a href="/x/">y</a> ' * 20_000)),
        "title-dashes": Bad(with_title(b"---")),
        "title-yaml": Bad(with_title(b"a: [b, {c: 'd\"")),
        "title-html": Bad(with_title(b"&lt;script&gt;alert(1)&lt;/script&gt;")),
        "title-escapes": Bad(with_title(b"\x1b[2J\x1b]8;;http://x\x07red&#27;[31m&#0;")),
        "title-long": Bad(with_title(b"long " * 2_000)),
        "no-title": Bad(with_title(b"").replace(b"<title>", b"<title></title><x>")),
        "no-date": Bad(no_date),
        "no-body": Bad(with_body(b""), "the article has no text"),
        "only-ads": Bad(
            with_body(b"<!-- affiliate ads begin --><p>Buy</p><!-- affiliate ads end -->"),
            "the article has no text",
        ),
    }


class Naming(Site):
    """A site that names the charset of one page."""

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        reply = super().answer(host, path, headers)
        named = {"Content-Type": "text/html; charset=windows-1251"} if "server-names" in path else {}
        return reply._replace(headers=reply.headers | named)


class Archive(NamedTuple):
    """The archive of all bad pages, and what was said."""

    data: Path
    cases: dict[str, Bad]
    err: str


@pytest.fixture(scope="module")
def archive(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    odd, data = (tmp_path_factory.mktemp(name) for name in ("odd", "data"))
    bad = cases((network / SEED.removeprefix("https://") / "index.html").read_bytes())
    for slug, case in bad.items():
        (odd / HOST / slug).mkdir(parents=True)
        (odd / HOST / slug / "index.html").write_bytes(case.html)
    seeds = data / "seeds.txt"
    seeds.write_text("".join(f"https://{HOST}/{slug}/\n" for slug in bad))
    with Naming(odd) as site:
        done = alsoread("crawl", seeds, "--connect-to", site.url, "--data", data, "--hosts", HOST)
    assert "finished" in done.stdout, done.stderr
    return Archive(data, bad, done.stderr)


def test_every_case_comes_to_what_it_should(archive: Archive) -> None:
    db = opened(archive.data)
    pages = {row["url"].split("/")[3]: row for row in db.query("SELECT * FROM pages WHERE host = ?", [HOST])}
    for slug, case in archive.cases.items():
        reason = pages[slug]["error"]
        assert (pages[slug]["state"] == "stored") == (case.reason is None), (slug, reason)
        assert (reason or "").startswith(case.reason or ""), slug


def test_what_is_archived_can_be_read(archive: Archive) -> None:
    for slug, case in archive.cases.items():
        if case.reason is None:
            item = stored(archive, slug)
            assert item.body
            file = frontmatter.load(str(archive.data / "articles" / path_of(item.url)))
            assert file.get("title") == item.title


def stored(archive: Archive, slug: str) -> Article:
    db = opened(archive.data)
    return articles.load(db, articles.find(db, f"https://{HOST}/{slug}/"))


def test_what_a_page_says_is_kept_as_text(archive: Archive) -> None:
    assert stored(archive, "title-dashes").title == "---"
    assert stored(archive, "title-html").title == "<script>alert(1)</script>"
    assert stored(archive, "latin-1-that-says-so").title == "Café"
    assert stored(archive, "cyrillic-that-the-server-names").title == "Чайник"
    assert stored(archive, "no-date").date is None
    assert "\x1b" not in str(stored(archive, "title-escapes").title)


def test_nobody_sees_a_traceback(archive: Archive) -> None:
    assert "Traceback" not in archive.err
    log = next((archive.data / "logs").glob("*.log")).read_text()
    assert "Traceback" not in log
