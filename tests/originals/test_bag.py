"""A BagIt package has the whole archive, and tells when a byte of it changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import pictures
from tests.support.commands import Run, here, opened
from tests.support.originals import misread


def validate(folder: Path) -> subprocess.CompletedProcess[str]:
    """Validate a package as others do."""
    command = [sys.executable, "-m", "bagit", "--validate", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def bag(run: Run, tmp_path: Path) -> Path:
    """The package of a copy of the demo network's archive."""
    data = shutil.copytree(run.data, tmp_path / "data")
    (data / "alsoread.toml").write_text("[crawl]\nrate = 5\n")
    (data / "articles" / "link.md").symlink_to("/etc/hostname")
    done = here("bag", tmp_path / "bag", "--data", data)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.endswith(". The package is valid.\n")
    return tmp_path / "bag"


def test_a_package_is_a_whole_archive(bag: Path, run: Run) -> None:
    assert validate(bag).returncode == 0
    data = bag / "data"
    assert here("verify", "--data", data).stdout == f"{data}: no errors.\n"
    assert misread(data) == []
    urls = {url for (url,) in opened(data).execute("SELECT url FROM articles")}
    assert urls == run.urls
    assert sorted(path.name for path in data.iterdir()) == ["archive.db", "articles", "warc"]
    assert len(list((data / "warc").glob("*.cdxj"))) == len(list((data / "warc").glob("*.warc.gz")))


def test_a_package_tells_what_it_has(bag: Path, run: Run) -> None:
    lines = (bag / "bag-info.txt").read_text(encoding="utf-8").splitlines()
    info = dict(line.split(": ", 1) for line in lines)
    assert info["Alsoread-Articles"] == str(len(run.urls))
    assert info["Alsoread-Records"] == str(len(run.site.log))
    assert info["External-Description"].startswith(f"{len(run.urls)} articles of 6 hosts and ")


def test_a_byte_that_changes_is_found(bag: Path) -> None:
    article = next((bag / "data" / "articles").rglob("*.md"))
    content = bytearray(article.read_bytes())
    content[100] ^= 1
    article.write_bytes(content)
    done = validate(bag)
    assert done.returncode == 1
    assert article.name in done.stderr


def test_copies_of_images_are_in_it(tmp_path: Path) -> None:
    with pictures.Pictures() as server:
        pictures.archive(tmp_path / "data", [f"{pictures.HOST}/loaf.png"])
        pictures.fetch(tmp_path / "data", server.url)
    assert here("bag", tmp_path / "bag", "--data", tmp_path / "data").exit_code == 0
    copies = list((tmp_path / "data" / "images").rglob("*.png"))
    assert len(copies) == 1
    for path in copies:
        assert (
            tmp_path / "bag" / "data" / path.relative_to(tmp_path / "data")
        ).read_bytes() == path.read_bytes()


def test_a_folder_that_is_there_is_left_alone(bag: Path, tmp_path: Path) -> None:
    before = sorted(bag.rglob("*"))
    done = here("bag", bag, "--data", tmp_path / "data")
    assert (done.exit_code, done.stderr) == (2, f"alsoread: {bag} exists: name another folder.\n")
    assert sorted(bag.rglob("*")) == before
    nowhere = here("bag", tmp_path / "no" / "bag", "--data", tmp_path / "data")
    assert (nowhere.exit_code, nowhere.stderr.partition(" can't")[0]) == (
        6,
        f"alsoread: {tmp_path / 'no' / 'bag'}",
    )
