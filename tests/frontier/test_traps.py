"""Sites without end: the run ends by itself, says so, and the good hosts' pages are all archived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawler.items import FoundPages
from pipelines.archive.catalog import Catalog
from tests.site import SEED, Site
from tests.site.server import Reply
from tests.support.commands import Run, alsoread, crawl, here

HOME = "https://endless-0.techidaily.com/"
PAGE = """<!DOCTYPE html><html><head><title>Page {n}</title><meta property="og:type" content="article"></head>
<body><div class="article-content-container"><div class="article-title"><h1>Page {n}</h1></div>
<div class="article-header"><span class="name">Nobody</span></div>
<div class="article-content markdown-body"><p>Page {n} leads to others, and those to more.</p>
<p><span class="atpl-alsoreadstyle">Also read:</span></p><div><ul>{links}</ul></div></div>
<div class="post-copyright-info"></div></div></body></html>"""


class EndlessSite(Site):
    """The demo network, and hosts that make up a page for each address, which links to three new addresses.

    Two of them are on its own host, one of these below its own path; the third is on a host that is made up too.
    """

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        if not host.startswith("endless-"):
            return super().answer(host, path, headers)
        if path in ("/robots.txt", "/sitemap_index.xml"):
            return Reply(404, {})
        number = int(host.partition(".")[0].removeprefix("endless-"))
        links = [f"/{len(self.log)}-more/", f"{path}on/", f"https://endless-{number * 2 + 1}.techidaily.com/"]
        listed = "".join(f'<li><a href="{link}">More</a></li>' for link in links)
        page = PAGE.format(n=len(self.log), links=listed)
        return Reply(200, {"Content-Type": "text/html; charset=utf-8"}, page.encode())


@contextmanager
def crawled(network: Path, data: Path, limits: str) -> Iterator[tuple[Run, EndlessSite]]:
    """An archive after its crawl of the network with the endless hosts, and the server, which goes on."""
    data.mkdir()
    (data / "alsoread.toml").write_text(f"[limits]\n{limits}\n", encoding="utf-8")
    with EndlessSite(network) as site:
        done = alsoread("crawl", SEED, HOME, "--connect-to", site.url, "--data", data)
        yield Run(data, done.returncode, done.stdout, done.stderr, site), site


@pytest.mark.long
def test_a_run_over_hosts_and_pages_without_end_ends_and_says_why(
    run: Run, network: Path, tmp_path: Path
) -> None:
    limits = "unlisted_pages = 20\nnew_hosts = 10"
    with crawled(network, tmp_path / "data", limits) as (trapped, site):
        assert trapped.urls >= run.urls, "all of the good hosts"
        hosts = {request.host for request in site.log if request.host.startswith("endless-")}
        good_hosts = {url.split("/")[2] for url in run.urls} - {SEED.split("/")[2]}
        assert len(hosts) == 1 + 10 - len(good_hosts), (
            "the seed's, and as many as the good ones left of the budget"
        )
        assert trapped.code == 1
        assert trapped.err == "" or "Traceback" not in trapped.err
        errors = dict(
            trapped.db.execute(
                """SELECT substr(error, 1, instr(error, ':') - 1), count(*) FROM pages
                   WHERE host GLOB 'endless-*' AND state IN ('due', 'refused') GROUP BY 1"""
            ).fetchall()
        )
        left = trapped.db.execute("SELECT count(*) FROM pages WHERE state = 'due'").fetchone()[0]
        assert errors.keys() == {"budget", "trap"}
        assert errors["budget"] == left > 0, "each page that is left says why"
        assert f"{left:,} pages are due." in " ".join(trapped.out.split())
        told = here("status", "--data", trapped.data).stdout
        for words in (
            "no sitemap names them, and the run fetched 20 such pages a host.",
            "they are of 1 new host, and the run reached 10 others.",
            "new addresses were refused, as they may have no end.",
        ):
            assert words in " ".join(told.split())
        assert here("verify", "--data", trapped.data).exit_code == 0

        before = len(trapped.urls)
        again = alsoread("crawl", SEED, "--connect-to", site.url, "--data", trapped.data)
        assert again.returncode == 1
        assert len(trapped.urls) >= before + 20, "the next run goes on, up to its own budgets"


def test_a_chain_of_links_without_end_ends(network: Path, tmp_path: Path) -> None:
    with crawled(network, tmp_path / "data", "unlisted_depth = 5\nnew_hosts = 1000") as (trapped, _):
        deepest = "SELECT max(depth) FROM pages JOIN articles USING (id) WHERE NOT listed"
        assert trapped.db.execute(deepest).fetchone() == (5,)
        assert "no sitemap names them, and they are more than 5 links from a seed." in " ".join(
            trapped.out.split()
        )


def test_of_sitemaps_without_end_only_the_first_are_read(tmp_path: Path) -> None:
    host = "endless-0.techidaily.com"
    folder = tmp_path / "network" / host
    folder.mkdir(parents=True)
    xmlns = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    for number, size in enumerate((50_000, 9)):
        listed = "".join(f"<url><loc>https://{host}/{number}-{n}/</loc></url>" for n in range(size))
        (folder / f"{number}.xml").write_text(f"<urlset {xmlns}>{listed}</urlset>", encoding="utf-8")
    named = "".join(f"<sitemap><loc>https://{host}/{n}.xml</loc></sitemap>" for n in range(2))
    (folder / "sitemap_index.xml").write_text(
        f"<sitemapindex {xmlns}>{named}</sitemapindex>", encoding="utf-8"
    )
    run = crawl(tmp_path / "network", tmp_path / "data", host, "--max-pages", "1")
    assert run.db.execute("SELECT sum(listed), count(*) FROM pages").fetchone() == (50_001, 50_001)
    assert f"Warning: {host}: 1 sitemap could not be read whole; the log says why." in run.out
    (log,) = (tmp_path / "data" / "logs").glob("*.log")
    assert f"the sitemaps of {host} name more than 50,000 pages" in log.read_text(encoding="utf-8")


def test_no_budget_and_no_rule_bites_on_the_good_network(run: Run) -> None:
    query = "SELECT url FROM pages WHERE error GLOB 'budget: *' OR error GLOB 'trap: *'"
    assert run.db.execute(query).fetchall() == []


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("a/b/c", None),
        ("a/a", None),
        ("a/b/a/b/a", "trap: 'a' occurs 3 times in the path, more than 2"),
        ("/".join("abcdefghijk"), "trap: the path has 11 segments, more than 10"),
    ],
)
def test_an_address_without_end_is_refused(catalog: Catalog, path: str, error: str | None) -> None:
    url = f"https://one.techidaily.com/{path}/"
    catalog.add(FoundPages(pages=[(url, None)]))
    (row,) = catalog.db.query("SELECT state, error, due_at FROM pages")
    assert (row["state"], row["error"], row["due_at"] is None) == (
        "refused" if error else "due",
        error,
        bool(error),
    )
