"""An import, a rebuild or a merge that is killed leaves nothing that the next command that writes does not settle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.archive.article_file import path_of, render
from pipelines.archive.connection import open_readonly
from pipelines.verifying.verify import verify
from tests.conftest import ARTICLE
from tests.support.archives import damage
from tests.support.commands import alsoread
from tests.support.imports import write
from tests.support.killing import last_words

pytestmark = pytest.mark.long

ARTICLES = 900
_LOOK = 0.001
"""Seconds between two looks at how far a command is."""


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of articles, laid out as an archive has them; every other one is not in the form that it gives them."""
    root = tmp_path_factory.mktemp("posts")
    for number in range(ARTICLES):
        host = ("one", "two", "three")[number % 3]
        article = replace(ARTICLE, url=f"https://{host}.techidaily.com/page-{number}/", also_read=[])
        file = write(root / path_of(article.url), article)
        if number % 2:
            file.write_text(render(article).replace("\n", "\r\n"), newline="")
    return root


@pytest.fixture(scope="module")
def other(posts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("other")
    assert alsoread("import", posts, "--data", data).returncode == 0
    return data


def begin(*args: str | Path) -> subprocess.Popen[str]:
    """A command, in a process group of its own. Its processes share its output, which so ends with the last."""
    command = [sys.executable, "-W", "error", "-m", "crawler", *map(str, args)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def kill_when(reached: Callable[[], bool], command: subprocess.Popen[str], *, all_of_it: bool) -> None:
    """Kills a command as soon as it is so far, with its processes or without; these end by themselves."""
    while not reached():
        with pytest.raises(subprocess.TimeoutExpired):
            command.wait(_LOOK)
    (os.killpg if all_of_it else os.kill)(command.pid, signal.SIGKILL)
    assert command.wait() == -signal.SIGKILL


def pending(data: Path) -> bool:
    return any((data / "articles" / ".writing").glob("pending-*"))


def placed(most: int) -> Callable[[Path], bool]:
    return lambda data: len(list((data / "articles").glob("*/*.md"))) >= most


def staged(data: Path) -> bool:
    return len(list((data / "articles" / ".writing").glob("[0-9]*"))) > 5


def found(data: Path) -> list[str]:
    return [f"{finding.where}: {finding.what}" for finding in verify(data)]


def count(data: Path) -> int:
    with closing(open_readonly(data / "archive.db")) as db:
        return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])


@pytest.mark.parametrize(
    ("reached", "all_of_it"),
    [
        (reached, all_of_it)
        for reached in (pending, staged, placed(1), placed(200))
        for all_of_it in (True, False)
    ],
)
def test_a_killed_import(
    posts: Path, tmp_path: Path, reached: Callable[[Path], bool], all_of_it: bool
) -> None:
    command = begin("import", posts, "--data", tmp_path)
    kill_when(lambda: reached(tmp_path), command, all_of_it=all_of_it)
    next_one = alsoread("maintain", "--data", tmp_path)
    last_words(command)
    assert next_one.returncode == 0, next_one.stderr
    assert damage(tmp_path) == []
    if all_of_it:
        assert found(tmp_path) == []
    assert alsoread("import", posts, "--data", tmp_path).returncode == 0
    assert (found(tmp_path), count(tmp_path)) == ([], ARTICLES)


@pytest.mark.parametrize("reached", [pending, staged])
@pytest.mark.parametrize("all_of_it", [True, False])
def test_a_killed_rebuild_loses_no_file(
    posts: Path, tmp_path: Path, reached: Callable[[Path], bool], all_of_it: bool
) -> None:
    shutil.copytree(posts, tmp_path / "articles")
    command = begin("rebuild", "--data", tmp_path)
    kill_when(lambda: reached(tmp_path), command, all_of_it=all_of_it)
    last_words(command)
    again = alsoread("rebuild", "--data", tmp_path)
    assert again.returncode == 0, again.stderr
    assert (found(tmp_path), count(tmp_path)) == ([], ARTICLES)


@pytest.mark.parametrize("reached", [pending, staged, placed(2)])
def test_a_killed_merge(other: Path, tmp_path: Path, reached: Callable[[Path], bool]) -> None:
    first = write(tmp_path / "post.md", replace(ARTICLE, url="https://four.techidaily.com/first/"))
    data = tmp_path / "data"
    assert alsoread("import", first, "--data", data).returncode == 0
    command = begin("merge", other / "archive.db", "--data", data)
    kill_when(lambda: reached(data), command, all_of_it=True)
    last_words(command)
    assert alsoread("maintain", "--data", data).returncode == 0
    assert found(data) == []
    assert count(data) in (1, ARTICLES + 1)
    assert alsoread("merge", other / "archive.db", "--data", data).returncode == 0
    assert (found(data), count(data)) == ([], ARTICLES + 1)
