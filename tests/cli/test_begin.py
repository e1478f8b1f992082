"""Commands to begin with, and those that care for the catalog: init, doctor, backup, upgrade."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.archives import differences, make_older
from tests.support.commands import Run, alsoread, here


def checks(data: Path) -> dict[str, tuple[bool, str, str]]:
    done = here("doctor", "--json", "--data", data)
    report = json.loads(done.stdout)
    assert (done.exit_code, report["ok"]) in ((0, True), (1, False))
    return {row["name"]: (row["ok"], row["found"], row["advice"]) for row in report["checks"]}


def test_init_writes_a_settings_file_and_never_over_one(tmp_path: Path) -> None:
    data = tmp_path / "new" / "archive"
    done = here("init", "--data", data)
    assert (done.exit_code, f"alsoread crawl --data {data}" in done.stdout) == (0, True)
    (data / "alsoread.toml").write_text('contact = "me@example.org"\n', encoding="utf-8")
    assert here("init", "--data", data).exit_code == 2
    assert (data / "alsoread.toml").read_text(encoding="utf-8") == 'contact = "me@example.org"\n'
    assert checks(data)["contact"] == (True, "me@example.org", "")


def test_a_doctor_gives_advice_where_something_is_wrong(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(run.data, data)
    found = checks(data)
    assert found["schema"][0]
    assert "alsoread backup" in found["backup"][2]
    (data / "alsoread.toml").write_text('limits.disk_free = "1000000 GB"\n', encoding="utf-8")
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute("UPDATE crawls SET started_at = '2999-01-01T00:00:00.000Z'")
    found = checks(data)
    assert "limits.disk_free" in found["disk"][2]
    assert "clock" in found["runs"][2]
    (data / "archive.db").write_bytes(b"not a catalog, but as long as the header of one is" * 9)
    assert checks(data)["catalog"][0] is False


def test_a_backup_restores_the_archive(run: Run, tmp_path: Path) -> None:
    data, restored, file = tmp_path / "data", tmp_path / "restored", tmp_path / "copy.db"
    shutil.copytree(run.data, data)
    assert here("backup", file, "--data", data).exit_code == 0
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == ["copy.db"]
    assert checks(data)["backup"][0]
    again = here("backup", file, "--data", data)
    assert (again.exit_code, "exists" in again.stderr) == (2, True)
    restored.mkdir()
    shutil.copy(file, restored / "archive.db")
    shutil.copytree(data / "warc", restored / "warc")
    assert here("verify", "--repair", "--data", restored).exit_code == 0
    assert [line for line in differences(data, restored) if "backups" not in line] == []


def test_a_backup_while_another_program_writes(run: Run, tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "copy.db"
    shutil.copytree(run.data, data)
    with closing(sqlite3.connect(data / "archive.db")) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        with writer:
            writer.execute("DELETE FROM losses")
        assert alsoread("backup", file, "--data", data).returncode == 0
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM articles").fetchone()[0] == len(run.urls)


def test_a_backup_into_a_folder_that_is_missing(run: Run, tmp_path: Path) -> None:
    done = here("backup", tmp_path / "missing" / "copy.db", "--data", run.data)
    assert (done.exit_code, len(done.stderr.splitlines())) == (6, 1)


@pytest.fixture
def old(run: Run, tmp_path: Path) -> Path:
    data = tmp_path / "old"
    data.mkdir()
    make_older(data / "archive.db", run.data / "archive.db")
    shutil.copytree(run.data / "articles", data / "articles")
    return data


def test_an_old_catalog_is_read_as_far_as_it_can_be(run: Run, old: Path) -> None:
    url = min(run.urls)
    assert here("show", url, "--data", old).stdout == here("show", url, "--data", run.data).stdout
    for command in (("status",), ("verify",)):
        done = here(*command, "--data", old)
        assert (done.exit_code, done.stdout) == (7, "")
        assert "schema 10" in done.stderr
        assert "alsoread upgrade" in done.stderr
    assert "alsoread upgrade" in checks(old)["schema"][2]


def test_an_upgrade_brings_it_up_to_date(run: Run, old: Path) -> None:
    done = here("upgrade", "--data", old)
    assert (done.exit_code, "from schema 10 to schema 18" in done.stdout) == (0, True)
    assert here("verify", "--data", old).exit_code == 0
    assert "up to date" in here("upgrade", "--data", old).stdout
    assert (
        here("status", "--data", old).stdout.splitlines()[0].split(": ")[1]
        == (here("status", "--data", run.data).stdout.splitlines()[0].split(": ")[1])
    )
