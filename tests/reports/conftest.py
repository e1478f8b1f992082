"""An archive of one article with a history."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from crawler.items import Image
from tests.conftest import ARTICLE
from tests.support.visits import crawl, stored

OTHER = Image("https://pictures.example/other.jpg")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one article: three revisions of five crawls."""
    folder = tmp_path_factory.mktemp("archive")
    second = replace(ARTICLE, title="Better bread")
    third = replace(second, author="Bob", body="Use *weak* flour.", images=[OTHER])
    for version in (ARTICLE, second, replace(second, also_read=[]), third, third):
        crawl(folder, stored(version))
    return folder


@pytest.fixture
def data(archive: Path, tmp_path: Path) -> Path:
    """A copy of that archive, to change."""
    shutil.copy(archive / "archive.db", tmp_path)
    return tmp_path
