"""Due pages are those that the next run requests: in the summary, in `status` and in the metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.items import FoundPages, Visit
from pipelines.archive.catalog import Catalog
from tests.site import SEED, Site
from tests.support.commands import alsoread, here, opened

KITCHEN = "kitchen-notes.techidaily.com"


def due_in_status(data: Path) -> int:
    done = here("status", "--data", data, "--json")
    assert done.exit_code == 0, done.stderr
    due = json.loads(done.stdout)["due"]
    words = "1 page" if due == 1 else f"{due:,} pages"
    assert f"Due now: {words}.\n" in here("status", "--data", data).stdout
    return int(due)


def due_in_metrics(data: Path) -> int:
    match = re.search(r"^alsoread_due_pages\{.*\} (\S+)$", (data / "metrics.prom").read_text(), re.MULTILINE)
    assert match
    return int(float(match[1]))


def requested(data: Path) -> int:
    """Pages of the last run."""
    query = "SELECT page_requests FROM crawls ORDER BY id DESC LIMIT 1"
    return int(opened(data).execute(query).fetchone()[0])


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (f'crawl.hosts = ["{KITCHEN}"]', ["--max-pages", "4"]),
        (f'crawl.hosts = ["{KITCHEN}"]\nlimits.pages = 6', []),
        ('crawl.hosts = ["nowhere"]', ["--max-pages", "4", "--host", "*"]),
        ("crawl.max_depth = 0", ["--max-pages", "4", "--host", KITCHEN, "--discover", "links"]),
    ],
)
def test_the_next_run_requests_what_is_due(
    network: Path, tmp_path: Path, settings: str, options: list[str]
) -> None:
    tmp_path.joinpath("alsoread.toml").write_text(settings, encoding="utf-8")
    with Site(network) as site:
        command = ["crawl", SEED, "--connect-to", site.url, "--data", str(tmp_path)]
        first = alsoread(*command, *options, "--json")
        with_options = json.loads(first.stdout)["due"]
        by_settings = due_in_status(tmp_path)
        assert due_in_metrics(tmp_path) == by_settings
        copy = shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-copy"))
        alsoread(*command, *options, "--quiet")
        assert requested(tmp_path) == with_options
        refused = "nowhere" in settings
        again = alsoread(*command[:-1], str(copy), "--quiet")
        # Settings that leave nothing to fetch are refused.
        assert again.returncode == 2 if refused else requested(copy) == by_settings


def test_paused_hosts_and_what_is_over_a_budget_are_not_due(catalog: Catalog) -> None:
    settings = "limits.unlisted_pages = 3\nlimits.new_hosts = 2"
    (catalog.data / "alsoread.toml").write_text(settings, encoding="utf-8")
    for host, number in ("one", 5), ("two", 5), ("three", 5), ("known", 5), ("paused", 2):
        pages = [(f"https://{host}.techidaily.com/{n}/", None) for n in range(number)]
        catalog.add(FoundPages(pages=pages, depth=1))
    catalog.add(
        FoundPages(pages=[("https://known.techidaily.com/listed/", None)], host="known.techidaily.com")
    )
    catalog.add(Visit(url="https://known.techidaily.com/", state="not_article", status=200))
    url = "https://paused.techidaily.com/0/"
    catalog.add(Visit(url=url, state="failed", status=429, reason="too many", retry_after=600))
    assert due_in_status(catalog.data) == (3 + 1) + 2 * 3, "of the known host, and of two new ones"


def test_status_loads_no_scrapy(catalog: Catalog) -> None:
    code = """import sys; from crawler.cli import main
main(sys.argv[1:], standalone_mode=False); print(sorted(sys.modules))"""
    done = subprocess.run(
        [sys.executable, "-c", code, "status", "--data", str(catalog.data)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Due now: 0 pages." in done.stdout
    assert "'scrapy'" not in done.stdout
    assert "'twisted'" not in done.stdout
