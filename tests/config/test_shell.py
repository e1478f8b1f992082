"""The commands of Scrapy work in the project, and leave the archive alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.site import Site

PAGE = "https://kitchen-notes.techidaily.com/tea-time/"


def scrapy(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scrapy", *arguments, "-s", f"ALSOREAD_DATA={data}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.long
@pytest.mark.parametrize("spider", [[], ["--spider", "also_read"]])
def test_a_shell_fetches_one_page_and_opens_no_archive(
    network: Path, tmp_path: Path, spider: list[str]
) -> None:
    with Site(network) as site:
        connect = f"ALSOREAD_CONNECT_TO={site.url}"
        code = "(response.status, spider.name)"
        done = scrapy("shell", PAGE, "-c", code, "-s", connect, *spider, data=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"(200, {spider[-1] if spider else 'default'!r})"
    assert "Traceback" not in done.stderr
    assert [request.path for request in site.log] == ["/robots.txt", "/tea-time/"]
    assert not (tmp_path / "data").exists()


def test_spiders_are_listed_and_checked(tmp_path: Path) -> None:
    assert scrapy("list", data=tmp_path).stdout.split() == ["also_read", "images"]
    assert scrapy("check", data=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_argument_of_the_spider_is_an_error(tmp_path: Path) -> None:
    done = scrapy("crawl", "also_read", "-a", "seed=one.techidaily.com", data=tmp_path)
    assert "seed: not an argument of also_read. Use -a seeds=" in done.stderr
    assert list(tmp_path.iterdir()) == []
