"""An export that is made again: only what changed is written, and what others wrote is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import frontmatter
import pytest
from filelock import FileLock

from crawler.items import Visit
from pipelines.archive.article_file import render
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from pipelines.archive.selection import ArticleFilter
from pipelines.export import run as run_export
from pipelines.export.plan import Form
from pipelines.export.source import Source
from pipelines.export.target import STATE_FOLDER
from tests.conftest import ARTICLE
from tests.support.commands import Run, here
from tests.support.exports import BREAD, JAM, ROLLS, edit, export, files, make_archive, three_articles


@pytest.fixture
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bread, which links to rolls and jam."""
    return three_articles(tmp_path_factory.mktemp("three"))


def test_only_what_changed_is_written(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path / "out", "--for", "hexo")
    before = files(tmp_path / "out")
    make_archive(
        three,
        replace(ARTICLE, url=JAM, title="Jam", author="Bo", also_read=[], body="More jam.", updated=None),
    )
    assert "1 file written, 2 unchanged" in export(three, tmp_path / "out", "--for", "hexo")
    assert {path for path, content in files(tmp_path / "out").items() if content != before[path]} == {
        "source/_posts/two.techidaily.com/jam.md"
    }


@pytest.mark.parametrize(
    "change", ["title = 'New'", "tags = '[\"new\"]'", "license = NULL", "extra = '{\"a\": 1}'"]
)
def test_a_row_that_was_edited_is_seen(three: Path, tmp_path: Path, change: str) -> None:
    export(three, tmp_path / "out")
    edit(three, f"UPDATE articles SET {change} WHERE url = ?", JAM)
    assert "1 file written, 2 unchanged" in export(three, tmp_path / "out")


def test_a_link_leads_to_a_file_as_long_as_there_is_one(three: Path, tmp_path: Path) -> None:
    def bread(*options: str) -> str:
        export(three, tmp_path, "--for", "hexo", "--path", "{slug}.md", *options)
        return frontmatter.load(str(tmp_path / "bread.md")).content

    assert bread() == "With [rolls](/one.techidaily.com/rolls/) and [jam](/two.techidaily.com/jam/)."
    assert bread("--host", "one.*") == f"With [rolls](/one.techidaily.com/rolls/) and [jam]({JAM})."
    assert bread() == "With [rolls](/one.techidaily.com/rolls/) and [jam](/two.techidaily.com/jam/)."
    assert bread("--links", "original") == f"With [rolls]({ROLLS}) and [jam]({JAM})."


def test_prune_removes_what_export_wrote_and_nothing_else(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(three, out)
    edited, own = out / "one.techidaily.com/rolls.md", out / "two.techidaily.com/mine.md"
    edited.write_text("edited")
    own.write_text("mine")
    done = here("export", out, "--data", three, "--where", "title = 'no such'", "--prune")
    assert (done.exit_code, len(files(out))) == (2, 4)  # nothing was chosen: that is a mistake
    done = here(
        "export", out, "--data", three, "--author", "Ada Baker", "--where", "title <> 'Rolls'", "--prune"
    )
    assert f"Warning: {edited} was not written by export, or changed since; left as it is." in done.stderr
    assert (done.exit_code, " 1 removed, 1 kept." in done.stdout) == (1, True)
    assert set(files(out)) == {
        "one.techidaily.com/bread.md",
        "one.techidaily.com/rolls.md",
        "two.techidaily.com/mine.md",
    }
    assert "0 removed, 0 kept" in export(three, out, "--where", f"url = '{BREAD}'", "--prune")


def test_without_prune_nothing_is_removed(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path)
    export(three, tmp_path, "--author", "Bo")
    assert len(files(tmp_path)) == 3


def test_a_file_that_was_edited_is_kept_and_one_that_was_deleted_is_written(
    three: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(three, out)
    edited, deleted, touched = (out / path for path in files(out))
    edited.write_text("edited")
    deleted.unlink()
    os.utime(touched)
    done = here("export", out, "--data", three)
    assert (done.exit_code, edited.read_text(), deleted.exists()) == (1, "edited", True)
    assert "1 file written, 1 unchanged, 0 removed, 1 kept." in done.stdout


def test_a_file_that_export_did_not_write_is_kept(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    foreign, folder = out / "one.techidaily.com/bread.md", out / "one.techidaily.com/rolls.md"
    folder.mkdir(parents=True)
    foreign.write_text("mine")
    done = here("export", out, "--data", three)
    assert (done.exit_code, foreign.read_text(), folder.is_dir()) == (1, "mine", True)
    assert "1 file written, 0 unchanged, 0 removed, 2 kept." in done.stdout


def test_another_layout_leaves_no_file_where_it_was(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path)
    assert "3 files written, 0 unchanged, 3 removed" in export(three, tmp_path, "--path", "{slug}.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        STATE_FOLDER,
        "bread.md",
        "jam.md",
        "rolls.md",
    ]


def test_another_program_gets_its_own_files(tmp_path: Path) -> None:
    data = make_archive(tmp_path / "data", replace(ARTICLE, also_read=[], body="No link."))
    for flavour in ("plain", "obsidian"):
        export(data, tmp_path / "out", "--for", flavour)
    export(data, tmp_path / "anew", "--for", "obsidian")
    assert files(tmp_path / "out") == files(tmp_path / "anew")


def test_two_files_that_change_places(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path / "out", "--path", "{title}.md")
    for url, title in ((JAM, "Rolls"), (ROLLS, "Jam")):
        edit(three, "UPDATE articles SET title = ? WHERE url = ?", title, url)
    assert "2 files written, 1 unchanged, 0 removed, 0 kept" in export(
        three, tmp_path / "out", "--path", "{title}.md"
    )
    export(three, tmp_path / "anew", "--path", "{title}.md")
    assert files(tmp_path / "out") == files(tmp_path / "anew")


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_export_that_was_stopped_goes_on(run: Run, tmp_path: Path, how: signal.Signals) -> None:
    export(run.data, tmp_path / "whole", "--for", "hugo")
    command = [sys.executable, "-m", "crawler", "export", str(tmp_path / "out"), "--for", "hugo"]
    command += ["--data", str(run.data)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (tmp_path / "out" / STATE_FOLDER).exists():
            pass
        process.send_signal(how)
        _, said = process.communicate()
    if process.returncode:  # else it was faster
        stopped = {signal.SIGKILL: (-9, "")}
        told = (11, "alsoread: Interrupted; run the same command to resume.\n")
        assert (process.returncode, said) == stopped.get(how, told)
    export(run.data, tmp_path / "out", "--for", "hugo")
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_an_export_that_had_to_stop_goes_on(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "two.techidaily.com").write_text("in the way of a folder")
    done = here("export", out, "--data", three)
    assert (done.exit_code, done.stderr) == (
        6,
        f"alsoread: {out}/two.techidaily.com can't be written: Not a directory.\n",
    )
    (out / "two.techidaily.com").unlink()
    edit(three, "UPDATE articles SET title = 'Other', file_hash = NULL")
    export(three, out)
    export(three, tmp_path / "anew")
    assert files(out) == files(tmp_path / "anew")


def test_one_export_at_a_time(three: Path, tmp_path: Path) -> None:
    (tmp_path / STATE_FOLDER).mkdir()
    with FileLock(tmp_path / STATE_FOLDER / "lock"):
        done = here("export", tmp_path, "--data", three)
    assert (done.exit_code, "Another export writes to" in done.stderr) == (5, True)


def test_a_damaged_manifest_is_told(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path)
    (tmp_path / STATE_FOLDER / "manifest.db").write_bytes(b"no database" * 500)
    done = here("export", tmp_path, "--data", three)
    assert (done.exit_code, "manifest.db is damaged" in done.stderr) == (7, True)
    (tmp_path / STATE_FOLDER / "manifest.db").unlink()
    assert "0 files written, 3 unchanged" in export(three, tmp_path)


def test_a_crawl_may_go_on_meanwhile(catalog: Catalog, tmp_path: Path) -> None:
    catalog.commit([Visit(url=BREAD, state="stored", status=200, article=ARTICLE)])
    with closing(open_readonly(tmp_path / "archive.db")) as db:
        source = Source(db, ArticleFilter())
        jam = replace(ARTICLE, url=JAM, body="Jam.")
        changed = replace(ARTICLE, body="Changed.")
        catalog.commit(
            [Visit(url=item.url, state="stored", status=200, article=item) for item in (jam, changed)]
        )
        run_export.to_folder(source, tmp_path / "out", Form(), prune=False, watch=lambda _: None)
    [(path, content)] = files(tmp_path / "out").items()
    assert (path, content.decode()) == ("one.techidaily.com/bread.md", render(ARTICLE))
