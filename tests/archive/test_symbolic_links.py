"""Links and other odd entries in an archive: nothing is written or read through them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pipelines.archive.article_file import path_of
from pipelines.archive.files import HALF_WRITTEN
from pipelines.verifying.verify import repair
from tests.support.commands import here
from tests.support.imports import archive, write
from tests.support.storage import ONE, TWO, said
from tests.support.visits import MakeArticle


def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path, article: MakeArticle) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    archive(data, article(url=ONE))
    outside.mkdir()
    shutil.rmtree(data / "articles" / "one.techidaily.com")
    (data / "articles" / "one.techidaily.com").symlink_to(outside)
    post = write(tmp_path / "posts" / "jam.md", article(url=TWO))
    done = here("import", post, "--data", data)
    assert done.exit_code == 2
    assert "it is a symbolic link, which is not followed" in done.output
    list(repair(data))
    assert list(outside.iterdir()) == []
    assert "articles/one.techidaily.com: is a symbolic link, which is not followed" in said(data)


def test_no_folder_of_the_archive_leads_out_of_it(tmp_path: Path, article: MakeArticle) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    archive(data, article(url=ONE))
    (outside / "one.techidaily.com").mkdir(parents=True)
    precious = [outside / "1-1", outside / "one.techidaily.com" / "bread.html"]
    for file in precious:
        file.write_text("mine")
    shutil.rmtree(data / "articles" / HALF_WRITTEN, ignore_errors=True)
    (data / "articles" / HALF_WRITTEN).symlink_to(outside)
    (data / "warc").mkdir()
    (data / "warc" / "all.warc.gz").symlink_to(outside / "1-1")
    done = here("maintain", "--data", data)
    assert done.exit_code == 6
    assert f"{data}/articles/{HALF_WRITTEN} can't be written: it is a symbolic link" in done.stderr
    assert [file.read_text() for file in precious] == ["mine", "mine"]
    link = "is a symbolic link, which is not followed"
    assert {
        f"articles/{HALF_WRITTEN}: {link}",
        f"warc/all.warc.gz: {link}",
    } <= {*said(data)}


def test_a_folder_for_everything_may_be_a_link(tmp_path: Path, article: MakeArticle) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "articles").symlink_to(tmp_path / "disk")
    archive(tmp_path / "data", article(url=ONE))
    assert (tmp_path / "disk" / path_of(ONE)).is_file()
    assert said(tmp_path / "data") == []


def test_what_is_no_file_is_found_and_not_read(tmp_path: Path, article: MakeArticle) -> None:
    archive(tmp_path, article(url=ONE))
    path = tmp_path / "articles" / path_of(ONE)
    path.unlink()
    os.mkfifo(path)
    where = path.relative_to(tmp_path).as_posix()
    assert f"{where}: is neither a file nor a folder" in said(tmp_path)
