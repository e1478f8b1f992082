"""docs/json.md against what commands print with --json: every key, and the type of its value."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from crawler.cli import main
from tests.site import SEED, Site
from tests.support.commands import Run, alsoread, here
from tests.support.json_docs import SECTIONS, documented_keys
from tests.support.rereading import reread, with_more

TEA = "kitchen-notes.techidaily.com/tea-time.md"
OTHER = "https://kitchen-notes.techidaily.com/tea-time/"
GARDEN = "garden-diary"
PAUSE = "UPDATE hosts SET not_before = '2999-01-01T00:00:00.000Z' WHERE host LIKE 'garden-%'"

WITH_ERRORS = ("Errors", "alsoread accept", "alsoread merge")
"""Sections whose commands print an error."""
ON_A_CLUSTER = "alsoread cluster status"
"""The section of what only a crawl on a cluster has."""


class Printed(NamedTuple):
    """The JSON of a command, with its exit code and what stands on standard error."""

    values: dict[str, Any]
    code: int
    err: str


@pytest.fixture(scope="module")
def printed(run: Run, network: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Printed]]:
    """What commands print about the demo network, by section; each so that its lists have entries."""
    folder = tmp_path_factory.mktemp("json")
    data, files = shutil.copytree(run.data, folder / "data"), shutil.copytree(network, folder / "site")
    found: dict[str, list[Printed]] = defaultdict(list)

    def collect(section: str, *args: str | Path, at: Path = data) -> None:
        found[section].append(_printed(*args, "--data", at))

    (folder / "broken.md").write_text("text")
    page = files / SEED.removeprefix("https://") / "index.html"
    page.write_text(re.sub(r"<p>.*|<h2.*|<li>.*", "<p>Loading", page.read_text(encoding="utf-8")))
    shutil.rmtree(files / "pictures.techidaily.com" / "thumbnails")
    with Site(files) as site:
        connected = ("--connect-to", site.url, "--recrawl", "all")
        collect("alsoread crawl", "crawl", SEED, *connected)
        collect("alsoread images", "images", *connected[:2])
        with closing(sqlite3.connect(data / "archive.db")) as db, db:
            db.execute(PAUSE)
        collect("alsoread crawl --dry-run", "crawl", SEED, *connected, "--dry-run")
    collect("alsoread status", "status")
    collect("alsoread status --failed", "status", "--failed")
    collect("alsoread alarms", "alarms")
    collect("alsoread history", "history", SEED)
    collect("alsoread search", "search", "loaf", "--limit", "1")
    collect("alsoread accept", "accept", SEED, OTHER)
    collect("alsoread reextract", *_reextract(data))
    collect("alsoread schedule --next", "schedule", "--next", "2", "--every", "12h", "--jitter", "1h")
    collect("alsoread export", "export", folder / "out")
    (folder / "out" / TEA).write_text("edited")
    collect("alsoread export", "export", folder / "out", "--dry-run")
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute("UPDATE articles SET record = NULL WHERE record NOT IN (SELECT id FROM warc_records)")
    collect("alsoread wacz", "wacz", folder / "all.wacz")
    for options in ((), ("--dry-run",)):
        collect("alsoread import", "import", folder / "out", *options, at=folder / "other")
    for _ in range(2):
        collect("alsoread import", "import", data / "warc", at=folder / "replayed")
    others = (data / "archive.db", folder / "broken.md")
    collect("alsoread merge", "merge", *others, "--dry-run", at=folder / "other")
    collect("alsoread doctor", "doctor")
    (data / "articles" / TEA).unlink()
    (data / "articles" / "notes.md").write_text("no row")
    collect("alsoread verify", "verify", "--repair")
    with closing(sqlite3.connect(data / "archive.db", isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM pages").fetchone()
        collect("alsoread maintain", "maintain")
    collect("alsoread maintain", "maintain", "--if-due")
    collect("Errors", "history", "nothing")
    return found


def _printed(*args: str | Path) -> Printed:
    if args[0] in ("crawl", "images"):  # their loop runs once in a process
        ended = alsoread(*args, "--json")
        out, code, err = ended.stdout, ended.returncode, ended.stderr
    else:
        done = here(*args, "--json")
        out, code, err = done.stdout, done.exit_code, done.stderr
    assert out.count("\n") == 1, err
    return Printed(json.loads(out), code, err)


def _reextract(data: Path) -> list[str]:
    """Return the command, of which every list has an entry."""
    unreadable, *_ = reread(data, where=f"url GLOB '*{GARDEN}*'")
    reread(data, with_more, f"url = '{OTHER}'")
    query = "UPDATE articles SET record = (SELECT max(record) FROM articles) + 1000 WHERE url = ?"
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute(query, [unreadable])
    return ["reextract"]


def test_keys_and_types_are_as_described_and_errors_alone_stand_on_standard_error(
    printed: dict[str, list[Printed]], subtests: pytest.Subtests
) -> None:
    """One test, as what the commands print is made anew in each process that runs one."""
    for section in SECTIONS.keys() - {ON_A_CLUSTER}:
        with subtests.test(section):
            seen = set()
            for values, code, err in printed[section]:
                seen |= documented_keys(section, values)
                assert values.get("exit_code", code) == code
                assert all(line.startswith("alsoread: ") for line in err.splitlines())
                assert bool(err) == (section in WITH_ERRORS)
            assert seen == set(SECTIONS[section])


def test_every_command_with_json_is_described() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command
        if name != "rebuild" and any("--json" in parameter.opts for parameter in command.params):
            assert any(section.split()[:2] == ["alsoread", name] for section in SECTIONS), name


def test_a_rebuild_prints_what_an_import_prints(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.data / "articles", tmp_path / "articles")
    done = here("rebuild", "--json", "--data", tmp_path)
    result = json.loads(done.stdout)
    assert set(result) == {key for key in SECTIONS["alsoread import"] if "[]" not in key}
    assert (result["articles"], result["failures"], done.exit_code) == (len(run.urls), [], 0)


def test_options_of_a_crawl_are_values_by_their_names(run: Run) -> None:
    last = json.loads(here("status", "--json", "--data", run.data).stdout)["last_crawl"]
    assert last["seeds"] == [SEED]
    assert (last["options"]["discover"], last["options"]["hosts"]) == ("both", [])
    assert not [name for name in last["options"] if name != name.lower()]
