"""Alarms in lists and in summaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.archive import alarms
from pipelines.archive.alarms import Alarm
from pipelines.archive.catalog import Catalog
from tests.support.commands import here

HOSTS = [f"blog-{number:02}.techidaily.com" for number in range(28)]


@pytest.fixture
def data(catalog: Catalog) -> Path:
    """An archive in which a run could not read 28 sitemaps, and found one other thing."""
    catalog.db.table("hosts").insert_all({"host": host} for host in HOSTS)
    raised = [Alarm(kind="sitemap", host=host, message=f"{host}: not read.") for host in HOSTS]
    raised.append(Alarm(kind="trap", message="10 pages are left.", pages=("https://a.techidaily.com/",)))
    with catalog.db.atomic():
        alarms.insert(catalog.db, catalog.crawl, raised, "2024-01-01T00:00:00.000Z")
    return catalog.path.parent


def listed(data: Path, *args: str) -> list[dict[str, Any]]:
    done = here("alarms", "--json", "--data", data, *args)
    assert done.exit_code == 0
    found: list[dict[str, Any]] = json.loads(done.stdout)["alarms"]
    return found


def test_status_groups_alarms_of_a_kind(data: Path) -> None:
    text = here("status", "--data", data).stdout
    warnings = text[text.index("Warning") :].splitlines()
    assert warnings == [
        "Warning (crawl 1): 28 alarms of kind sitemap: "
        "blog-00.techidaily.com, blog-01.techidaily.com, blog-02.techidaily.com and 25 more",
        f"  alsoread alarms --crawl 1 --kind sitemap --data {data}",
        "Warning (crawl 1): 10 pages are left.",
        "  https://a.techidaily.com/",
    ]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 29),
        (("--kind", "sitemap"), 28),
        (("--kind", "sitemap", "--kind", "trap"), 29),
        (("--host", "blog-0*"), 10),
        (("--host", "blog-00.techidaily.com", "--kind", "trap"), 0),
        (("--crawl", "1"), 29),
        (("--crawl", "2"), 0),
    ],
)
def test_alarms_are_listed_by_run_kind_and_host(data: Path, options: tuple[str, ...], count: int) -> None:
    assert len(listed(data, *options)) == count
    lines = here("alarms", "--data", data, *options).stdout.splitlines()
    assert lines == ["No alarms."] if not count else len(lines) >= count + 1
