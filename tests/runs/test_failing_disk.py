"""Disks that fail, once or from any write on: what was there stays, and the same command does the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.archive.files import HALF_WRITTEN
from pipelines.export.target import STATE_FOLDER
from tests.conftest import ARTICLE
from tests.site import SEED, Site
from tests.support.archives import damage, disorder
from tests.support.commands import Run
from tests.support.exports import Files, three_articles
from tests.support.imports import write
from tests.support.killing import WELL

DISK = 6
FAILING = Path(__file__).parents[1] / "support" / "failing"
HOST = SEED.split("/")[2]
FEW_PICTURES = "paper-crafts.techidaily.com"
_KINDS = (".md", ".png", ".jpg", ".json")


@pytest.fixture(scope="module")
def site(network: Path) -> Iterator[Site]:
    with Site(network) as site:
        yield site


def prepare(command: str, folder: Path, run: Run, site: Site) -> list[str]:
    """Make a small archive, `folder`/data, and what a command works on beside it. Returns what is typed."""
    data = folder / "data"
    if command == "images":
        shutil.copytree(run.data, data)
        return ["images", "--host", FEW_PICTURES, "--connect-to", site.url, "--data", str(data)]
    three_articles(data)
    if command == "crawl":
        options = ["--hosts", HOST, "--quiet", "--connect-to", site.url]
        return ["crawl", SEED, *options, "--data", str(data)]
    if command == "import":
        for slug in ("tea", "cake"):
            post = replace(ARTICLE, url=f"https://one.techidaily.com/{slug}/", title=slug)
            write(folder / "posts" / f"{slug}.md", post)
        return ["import", str(folder / "posts"), "--data", str(data)]
    return ["export", str(folder / "exported"), "--for", "hugo", "--data", str(data)]


def snapshot(folder: Path) -> Files:
    """All files of articles, posts, pictures and exports."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in _KINDS and STATE_FOLDER not in path.parts
    }


def failing(first: int, last: int, error: str, count: Path, args: list[str]) -> tuple[int, str]:
    """Run a command whose writes of these numbers fail; 0 only counts them. Returns its code, and what it said."""
    count.unlink(missing_ok=True)
    env = {
        "FAILING_COUNT": str(count),
        "FAILING_FIRST": str(first),
        "FAILING_LAST": str(last),
        "FAILING_WITH": error,
        "PYTHONPATH": os.pathsep.join([str(FAILING), str(Path(__file__).parents[2])]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "crawler", *args],
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("error", "only_once"), [("EIO", True), ("ENOSPC", False)], ids=["once", "from one on"]
)
@pytest.mark.parametrize("half", [0, 1], ids=["odd", "even"])
@pytest.mark.parametrize("command", ["export", "import", "images", "crawl"])
def test_a_disk_that_fails_at_any_write_costs_nothing_that_was_there(
    run: Run, site: Site, tmp_path: Path, command: str, half: int, error: str, only_once: bool
) -> None:
    whole = tmp_path / "whole"
    args = prepare(command, whole, run, site)
    code, said = failing(0, 0, error, tmp_path / "count", args)
    assert code in WELL, said
    calls, after = (tmp_path / "count").stat().st_size, snapshot(whole)
    tried = failed = 0
    for at in range(1, calls + 1, 1 if only_once else 3)[half::2]:
        folder = tmp_path / str(at)
        args = prepare(command, folder, run, site)
        before, tried = snapshot(folder), tried + 1
        code, said = failing(at, at if only_once else sys.maxsize, error, tmp_path / "count", args)
        assert "Traceback" not in said, (at, said)
        assert damage(folder / "data") == [], at
        left = snapshot(folder)
        assert {name: left.get(name) for name in before} == before, at
        assert {name: left[name] for name in left if HALF_WRITTEN not in name}.items() <= after.items(), at
        if code not in WELL:
            failed += 1
            assert code == DISK, (at, code, said)
            code, said = failing(0, 0, error, tmp_path / "count", args)
            assert code in WELL, (at, said)
        # A write that was tried again, or of a file that is nobody's copy, costs nothing.
        assert snapshot(folder) == after, at
        assert disorder(folder / "data") == [], at
        shutil.rmtree(folder)
    assert only_once or failed > tried // 2, "a single failing write may be tried again, and succeed"
