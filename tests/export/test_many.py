"""An export of many articles: it may be stopped or fail at any of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.export.flavours import FLAVOURS
from pipelines.export.target import STATE_FOLDER
from tests.conftest import ARTICLE
from tests.support.archives import files as archived
from tests.support.commands import here
from tests.support.exports import BREAD, Files, edit, export, files, make_archive

pytestmark = pytest.mark.long

COUNT = 700
"""Enough that an export is stopped on its way."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of many articles, each with a link to the one before and to bread."""
    urls = [f"https://{'one' if at % 2 else 'two'}.techidaily.com/loaf-{at}/" for at in range(COUNT)]
    loaves = [
        replace(
            ARTICLE,
            url=url,
            title=f"Loaf {at}",
            body=f"After [that]({urls[at - 1]}), `{{{{ {at} }}}}` and [bread]({BREAD}).",
        )
        for at, url in enumerate(urls)
    ]
    return make_archive(tmp_path_factory.mktemp("many"), ARTICLE, *loaves)


def test_plain_is_what_the_archive_itself_holds(many: Path, tmp_path: Path) -> None:
    assert f"{COUNT + 1} files written, 0 unchanged" in export(many, tmp_path)
    assert files(tmp_path) == archived(many)
    assert {path.name for path in (tmp_path / STATE_FOLDER).iterdir()} == {"lock", "manifest.db"}
    assert f"0 files written, {COUNT + 1} unchanged" in export(many, tmp_path)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_folder_has_what_is_packed(many: Path, tmp_path: Path, flavour: str) -> None:
    options = ("--for", flavour, "--links", "local")
    export(many, tmp_path / "out", *options)
    export(many, tmp_path / "all.zip", *options, "--to", "zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert files(tmp_path / "out") == {name: packed.read(name) for name in packed.namelist()}


def test_what_was_edited_is_kept_and_named_in_the_order_of_the_archive(many: Path, tmp_path: Path) -> None:
    export(many, tmp_path)
    edited = [
        tmp_path / f"{'one' if at % 2 else 'two'}.techidaily.com/loaf-{at}.md" for at in range(0, COUNT, 70)
    ]
    for path in edited:
        path.write_text("edited")
    edit(many, "UPDATE articles SET license = 'changed'")
    done = here("export", tmp_path, "--data", many)
    edit(many, "UPDATE articles SET license = NULL")
    assert done.stderr == "".join(
        f"Warning: {path} was not written by export, or changed since; left as it is.\n" for path in edited
    )
    assert (
        f"{COUNT + 1 - len(edited)} files written, 0 unchanged, 0 removed, {len(edited)} kept." in done.stdout
    )
    assert done.exit_code == 1


@pytest.fixture(scope="module")
def whole(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What an export that was not stopped comes to."""
    out = tmp_path_factory.mktemp("whole")
    export(many, out, "--for", "hugo")
    return files(out)


@pytest.mark.parametrize(
    ("how", "send"),
    [(signal.SIGKILL, os.kill), (signal.SIGTERM, os.kill), (signal.SIGINT, os.killpg)],
)
def test_an_export_that_was_stopped_goes_on(
    many: Path, whole: Files, tmp_path: Path, how: signal.Signals, send: Callable[[int, int], None]
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "crawler", "export", str(out), "--for", "hugo", "--data", str(many)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while process.poll() is None and not (out / "content/two.techidaily.com/loaf-300.md").exists():
            pass
        if process.poll() is None:
            send(process.pid, how)
        _, said = process.communicate()
    if process.returncode:  # else it was faster
        stopped = {signal.SIGKILL: (-9, "")}
        told = (11, "alsoread: Interrupted; run the same command to resume.\n")
        assert (process.returncode, said) == stopped.get(how, told)
    export(many, out, "--for", "hugo")
    assert files(out) == whole


def test_what_can_not_be_written_is_told(many: Path, tmp_path: Path) -> None:
    edit(many, "UPDATE articles SET author = 'Last' WHERE id > 600")
    layout = ("--path", "{author}/{host}-{slug}.md")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Last").write_text("in the way of a folder")
    done = here("export", tmp_path / "out", "--data", many, *layout)
    assert (done.exit_code, done.stderr) == (
        6,
        f"alsoread: {tmp_path}/out/Last can't be written: Not a directory.\n",
    )
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "Last").unlink()
    (tmp_path / "out" / "Last").symlink_to(tmp_path / "elsewhere")
    done = here("export", tmp_path / "out", "--data", many, *layout)
    assert (done.exit_code, "out/Last can't be written: it is a symbolic link" in done.stderr) == (6, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "out" / "Last").unlink()
    export(many, tmp_path / "out", *layout)
    edit(many, "UPDATE articles SET author = ?", ARTICLE.author)
    assert len(files(tmp_path / "out")) == COUNT + 1


def test_a_half_written_file_of_a_killed_export_is_removed(many: Path, tmp_path: Path) -> None:
    (tmp_path / STATE_FOLDER).mkdir()
    (tmp_path / STATE_FOLDER / "writing.12345").write_text("half")
    export(many, tmp_path, "--where", "id < 9")
    assert {path.name for path in (tmp_path / STATE_FOLDER).iterdir()} == {"lock", "manifest.db"}
