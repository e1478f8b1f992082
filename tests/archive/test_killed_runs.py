"""Files that a killed run put in place before their rows: the next run settles them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.archive.files import HALF_WRITTEN, hash_of
from tests.support.imports import archive, write
from tests.support.storage import ONE, TWO, said
from tests.support.visits import MakeArticle


@pytest.mark.parametrize("command", ["merge", "crawl"])
def test_a_file_that_a_killed_run_left_is_removed_by_the_next(
    tmp_path: Path, article: MakeArticle, command: str
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    archive(mine, article(url=ONE))
    archive(theirs, article(url=TWO))
    before = said(mine)
    dying = [sys.executable, "-m", "tests.support.dying", command, str(mine), str(theirs)]
    killed = subprocess.run(dying, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = [path for path in (mine / "articles").rglob("*.md") if path.stem in ("jam", "rolls")]
    assert len(left) == 1
    archive(mine)
    assert not left[0].exists()
    assert not list((mine / "articles" / HALF_WRITTEN).iterdir())
    assert said(mine) == before == []


def test_a_file_that_nobody_noted_stays(tmp_path: Path, article: MakeArticle) -> None:
    archive(tmp_path, article(url=ONE))
    mine = write(tmp_path / "articles" / "one.techidaily.com" / "mine.md", article(url=TWO))
    (tmp_path / "articles" / HALF_WRITTEN / "pending-1").write_text(
        f"new {hash_of((tmp_path / 'archive.db').read_bytes())} ../archive.db\nnew\n/etc/hostname\n"
    )
    archive(tmp_path)
    assert mine.exists()
    assert (tmp_path / "archive.db").exists()
