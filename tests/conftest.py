"""What several tests need: articles of a given kind, and an archive of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from crawler.items import Article, Image, Link
from pipelines.archive.catalog import Catalog
from tests.site import SEED, build
from tests.support.commands import Run, crawl

# On a busy machine an example may take any time.
settings.register_profile("alsoread", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("alsoread")

DEMO = Path(__file__).parents[1] / "data" / "demo"
_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder there that only its user may read
_MEMORY_BYTES = 2**30
"""Room that there must be: several times what the tests need."""
ARTICLE = Article(
    url="https://one.techidaily.com/bread/",
    title="[New] Bread: a beginner's guide",
    author="Ada Baker",
    author_source="blog",
    date=datetime(2024, 8, 16, 4, 52, 24, 115000, tzinfo=UTC),
    updated=datetime(2024, 8, 17, 4, 52, 24, tzinfo=UTC),
    tags=["bread", "yes"],
    categories=["kitchen"],
    description="How to bake: a start",
    keywords=None,
    thumbnail="https://pictures.example/loaf.jpg",
    lang="en",
    license="https://creativecommons.org/licenses/by-nc-sa/4.0",
    body="## Flour\n\nUse *strong* flour.\n\n![A loaf](https://pictures.example/loaf.jpg)",
    images=[Image("https://pictures.example/loaf.jpg", alt="A loaf")],
    also_read=[
        Link("https://one.techidaily.com/rolls/", "Rolls"),
        Link("https://two.techidaily.com/jam/", "Jam"),
    ],
    extractor="redefine",
)


def pytest_configure() -> None:
    """Keep the tests' files in memory where there is room: a disk lets each of thousands of commits wait."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run two processes a core: many tests wait for a server or a pace."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: no other worker waits for them at the end."""
    items.sort(key=lambda item: item.path.stem not in ("test_unattended", "test_kill"))


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo network as files, for reading only."""
    folder = tmp_path_factory.mktemp("network")
    build(DEMO, folder)
    return folder


@pytest.fixture(scope="session")
def run(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo network's first crawl. Its archive is for reading only: copy it to go on with it."""
    return crawl(network, tmp_path_factory.mktemp("run"), SEED)


@pytest.fixture
def article() -> Callable[..., Article]:
    """Makes an article that differs from the sample in the fields that are given."""

    def make(**changes: Any) -> Article:
        return replace(ARTICLE, **changes)

    return make


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """An archive's catalog, locked by this test."""
    held = Catalog(tmp_path / "archive.db", scope=["techidaily.com"], retry_delays=[0, 60])
    held.begin_crawl()
    yield held
    held.end_crawl("finished")
    held.close()
