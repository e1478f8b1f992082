"""Archives made of visits, and what commands print about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from crawler.cli import main
from crawler.items import Article, Visit
from pipelines.archive.catalog import Catalog

MakeArticle = Callable[..., Article]
"""What the fixture `article` is: it makes an article, with other values for some fields."""
BREAD = "https://one.techidaily.com/bread/"


def stored(article: Article) -> Visit:
    return Visit(url=article.url, state="stored", status=200, article=article)


def failed(url: str, reason: str = "no answer", **facts: Any) -> Visit:
    return Visit(url=url, state="failed", reason=reason, **facts)


def crawl(data: Path, *visits: Visit) -> None:
    """Store a crawl with these visits."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[600, 600])
    catalog.begin_crawl()
    for visit in visits:
        catalog.add(visit)
    catalog.end_crawl("finished")
    catalog.close()


def alsoread(data: Path, *args: str) -> Result:
    return CliRunner().invoke(main, [*args, "--data", str(data)], catch_exceptions=False)


def output_of(data: Path, *args: str) -> str:
    done = alsoread(data, *args)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def json_of(data: Path, *args: str) -> Any:
    return json.loads(output_of(data, *args, "--json"))
