"""The archive leaves as files that other programs read: the right ones, in the right place, and no file too many."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import frontmatter
import pytest
import yaml
from filelock import FileLock

from crawler.items import Article, Visit
from pipelines.catalog import Catalog, read
from pipelines.export import run as run_export
from pipelines.export.choose import Choice
from pipelines.export.flavours import FLAVOURS
from pipelines.export.folder import OWN
from pipelines.export.making import Form
from pipelines.export.source import Source
from pipelines.markdown import render
from tests.archives import files as archived
from tests.commands import Run, here
from tests.conftest import ARTICLE

BREAD = ARTICLE.url
ROLLS, JAM = "https://one.techidaily.com/rolls/", "https://two.techidaily.com/jam/"
CASES = Path(__file__).parent / "export"
Files = dict[str, bytes]


def files(root: Path) -> Files:
    """What an export wrote, by path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and OWN not in path.parts
    }


def export(data: Path, target: Path, *options: str | Path) -> str:
    """An export that goes well; gives what it printed."""
    done = here("export", target, "--data", data, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    return str(done.stdout)


def hold(data: Path, *held: Article | Visit) -> Path:
    """An archive that has these articles, or has seen these pages."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[0])
    visits = [
        Visit(url=item.url, state="stored", status=200, article=item) if isinstance(item, Article) else item
        for item in held
    ]
    catalog.commit(visits)
    catalog.close("finished", requests={}, received=0)
    return data


@pytest.fixture
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bread, which links to rolls and jam."""
    bread = replace(ARTICLE, body=f"With [rolls]({ROLLS}) and [jam]({JAM}).")
    rolls = replace(ARTICLE, url=ROLLS, title="Rolls", tags=["rolls"], also_read=[], body="Rolls.")
    jam = replace(
        ARTICLE, url=JAM, title="Jam", author="Bo", also_read=[], body="Jam.", date=None, updated=None
    )
    return hold(tmp_path_factory.mktemp("three"), bread, rolls, jam)


def edit(data: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute(statement, values)


# The plain form


def test_plain_is_what_the_archive_itself_holds(run: Run, tmp_path: Path) -> None:
    said = export(run.data, tmp_path / "out")
    count = len(run.urls)
    assert files(tmp_path / "out") == archived(run.data)
    assert (
        said
        == f"{count} articles in {tmp_path}/out: {count} files written, 0 unchanged, 0 removed, 0 kept.\n"
    )


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_what_is_up_to_date_is_not_touched(run: Run, tmp_path: Path, flavour: str) -> None:
    export(run.data, tmp_path, "--for", flavour)
    before = {path: path.stat() for path in tmp_path.rglob("*.md")}
    assert f"0 files written, {len(run.urls)} unchanged" in export(run.data, tmp_path, "--for", flavour)
    assert {path: path.stat() for path in tmp_path.rglob("*.md")} == before


# What is chosen


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (
            ["--host", "kitchen-*", "--host", "PAPER-crafts.*"],
            "url GLOB '*//kitchen-*' OR url GLOB '*//paper-*'",
        ),
        (["--tag", "soup", "--tag", "bread"], "tags LIKE '%\"soup\"%' OR tags LIKE '%\"bread\"%'"),
        (["--category", "dinner"], "categories LIKE '%\"dinner\"%'"),
        (["--author", "Idris"], "author = 'Idris'"),
        (["--since", "2024-05-01"], "date >= '2024-05-01'"),
        (["--changed-since", "1"], "1"),
        (["--changed-since", "2024-01-01"], "1"),
        (["--search", "the braces"], "body LIKE '%braces%'"),
        (["--where", "words > 100 -- many"], "words > 100"),
        (["--tag", "soup", "--where", "0 OR 1"], "tags LIKE '%\"soup\"%'"),
    ],
)
def test_what_is_chosen(run: Run, tmp_path: Path, options: list[str], where: str) -> None:
    export(run.data, tmp_path, *options)
    wanted = {path for (path,) in run.db.execute(f"SELECT path FROM articles WHERE {where}")}  # noqa: S608
    assert wanted
    assert set(files(tmp_path)) == wanted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--where", "wrods > 1"],
            "--where 'wrods > 1' is no SQL expression over articles: no such column: wrods.",
        ),
        (["--where", "1); DROP TABLE articles; --"], "is no SQL expression over articles"),
        (["--where", "randomblob("], "is no SQL expression over articles"),
        (["--since", "yesterday"], "--since yesterday is no day such as 2024-08-16."),
        (["--changed-since", "99"], "There was no crawl 99: `alsoread status` tells the last one."),
        (["--tag", "no such tag"], "No article of the archive is what was asked for: nothing was exported."),
        (["--path", "{host}/{name}.md"], "there is no {name}; choose from host, slug, title, author,"),
        (["--path", "{host.__class__}/{slug}.md"], "there is no {host.__class__}"),
        (["--path", "{host}/{slug:>9}.md"], "only a date takes a form"),
        (["--path", "{host}/{slug!r}.md"], "only a date takes a form"),
        (["--path", "{host}/{slug"], "--path {host}/{slug: expected '}' before end of string."),
        (["--path", "{host}/{slug}.txt"], "must end with .md"),
        (["--path", "../{slug}.md"], "leads out of the folder"),
        (["--path", "/tmp/{slug}.md"], "leads out of the folder"),  # noqa: S108
        (["--path", "{date:%Y/../..}/{slug}.md"], "leads out of the folder"),
        (["--path", "a//{slug}.md"], "leads out of the folder"),
        (["--prune", "--to", "zip"], "--prune goes with a folder."),
        (["--format", "csv", "--for", "hugo"], "--for goes with --format md."),
        (["--format", "csv", "--to", "zip"], "--to goes with --format md."),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(
    run: Run, tmp_path: Path, options: list[str], said: str
) -> None:
    done = here("export", tmp_path / "out", "--data", run.data, *options)
    assert said in " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert files(tmp_path) == {}


def test_where_it_can_not_go(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for target, code, said in (
        (run.data, 2, "is in the archive itself"),
        (run.data / "articles" / "more", 2, "is in the archive itself"),
        (tmp_path / "file", 2, "is a file: name a folder"),
        (tmp_path / "file" / "below", 6, "can't be written: Not a directory."),
    ):
        done = here("export", target, "--data", run.data)
        assert said in done.stderr
        assert done.exit_code == code
    assert here("export", tmp_path / "out", "--data", tmp_path / "none").exit_code == 2
    assert here("export", tmp_path, "--data", run.data, "--format", "csv").exit_code == 2


# Where files lie


def test_a_layout_of_ones_own(three: Path, tmp_path: Path) -> None:
    export(
        three, tmp_path / "out", "--path", "all/{date:%Y/%m}/{author}-{slug}.md", "--where", "author <> 'Bo'"
    )
    assert set(files(tmp_path / "out")) == {
        "all/2024/08/Ada Baker-bread.md",
        "all/2024/08/Ada Baker-rolls.md",
    }


def test_what_is_absent_has_a_stand_in(three: Path, tmp_path: Path) -> None:
    edit(three, "UPDATE articles SET author = NULL, tags = '[]', archived_at = '2023-02-01T00:00:00.000Z'")
    export(three, tmp_path / "out", "--path", "{date}/{author}/{tags}-{slug}.md", "--where", "title = 'Jam'")
    assert set(files(tmp_path / "out")) == {"2023-02-01/unknown/unknown-jam.md"}


HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "",
    "/",
    "C:\\con",
    "CON",
    "a\0b",
    "\u202etxt",
    "é" * 300,
    " .hidden. ",
]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_no_title_leads_out_of_the_folder(tmp_path: Path, flavour: str) -> None:
    articles = [
        replace(ARTICLE, url=f"https://one.techidaily.com/{number}/", title=title or None, tags=[title])
        for number, title in enumerate(HOSTILE)
    ]
    data = hold(tmp_path / "data", *articles)
    export(data, tmp_path / "out", "--for", flavour, "--path", "{title}/{tags}/{title}.md")
    written = list((tmp_path / "out").rglob("*.md"))
    assert len(written) == len(HOSTILE)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out"}
    assert all(len(path.relative_to(tmp_path / "out").parts) == 3 for path in written)


def test_two_articles_with_one_path_are_told_apart_the_same_way_in_any_order(
    three: Path, tmp_path: Path
) -> None:
    export(three, tmp_path / "both", "--path", "{lang}.md")
    export(three, tmp_path / "one", "--path", "{lang}.md", "--host", "two.*")
    assert set(files(tmp_path / "one")) == {"en.md"}
    export(three, tmp_path / "one", "--path", "{lang}.md")
    assert files(tmp_path / "one") == files(tmp_path / "both")
    assert len(files(tmp_path / "one")) == 3


def test_a_link_in_the_folder_is_not_followed(three: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "two.techidaily.com").symlink_to(tmp_path / "elsewhere")
    done = here("export", tmp_path / "out", "--data", three)
    assert (done.exit_code, "leads out of" in done.stderr) == (6, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


# What each program gets


def cases(data: Path) -> Path:
    """An archive with an article for each case, and what these link to."""
    articles = [
        replace(
            ARTICLE,
            url=f"https://one.techidaily.com/{case.parent.name}/",
            categories=["kitchen", "oven"],
            keywords="bread, oven",
            body=case.read_text(encoding="utf-8").strip(),
            extra={"mood": "calm", "on": 1},
        )
        for case in sorted(CASES.glob("*/body.md"))
    ]
    assert articles
    others = [replace(ARTICLE, url=url, also_read=[]) for url in (ROLLS, JAM)]
    old = Visit(url="https://two.techidaily.com/marmalade/", state="not_article", status=301, moved_to=JAM)
    return hold(data, *articles, *others, old)


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the cases."""
    return cases(tmp_path_factory.mktemp("bodies"))


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_file_is_what_the_program_takes(bodies: Path, tmp_path: Path, case: str, flavour: str) -> None:
    export(bodies, tmp_path, "--for", flavour, "--links", "local")
    [made] = [content for path, content in files(tmp_path).items() if path.endswith(f"{case}.md")]
    assert made.decode() == (CASES / case / f"{flavour}.md").read_text(encoding="utf-8")


def _core(value: str) -> Any:
    """A plain scalar as YAML 1.2 has it in its core schema, far enough to tell it from a text."""
    if re.fullmatch(r"|~|null|Null|NULL", value):
        return None
    if re.fullmatch(r"true|True|TRUE|false|False|FALSE", value):
        return value.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", value):
        return int(value, 0 if value.startswith("0") and value[1:2] in ("o", "x") else 10)
    if re.fullmatch(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", value
    ):
        return float(value.replace(".inf", "inf").replace(".nan", "nan"))
    return value


class _Core(yaml.SafeLoader):
    """Reads YAML as version 1.2 has it."""

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        return _core(str(value)) if node.style is None else value


_Core.yaml_implicit_resolvers = {}

TRAPS = [
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "null",
    "~",
    "012",
    "0x1F",
    "1:30",
    "12:30:45",
    "2024-01-01",
    "1_000",
    "1.5",
]
BARE = pytest.mark.xfail(
    strict=True, reason="yaml_block leaves a number of YAML 1.2 that is none of 1.1 bare"
)


@pytest.mark.parametrize(
    "trap", [*TRAPS, *(pytest.param(trap, marks=BARE) for trap in ("1e3", "0o17", "-.5E2"))]
)
def test_old_and_new_yaml_read_the_same_in_a_note(tmp_path: Path, trap: str) -> None:
    trapped = replace(ARTICLE, title=trap, author=trap, categories=[trap], extra={"mood": trap})
    export(hold(tmp_path / "data", trapped), tmp_path / "out", "--for", "obsidian")
    block = (tmp_path / "out/one.techidaily.com/bread.md").read_text().split("---\n")[1]
    old, new = yaml.safe_load(block), yaml.load(block, _Core)  # noqa: S506
    assert old == new
    assert (new["title"], new["author"], new["categories"], new["mood"]) == (trap, trap, [trap], trap)
    assert new["aliases"] == [trap]
    assert all(isinstance(value, str | list) for value in new.values())


# From run to run


def test_only_what_changed_is_written(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path / "out", "--for", "hexo")
    before = files(tmp_path / "out")
    hold(
        three,
        replace(ARTICLE, url=JAM, title="Jam", author="Bo", also_read=[], body="More jam.", updated=None),
    )
    assert "1 files written, 2 unchanged" in export(three, tmp_path / "out", "--for", "hexo")
    assert {path for path, content in files(tmp_path / "out").items() if content != before[path]} == {
        "source/_posts/two.techidaily.com/jam.md"
    }


@pytest.mark.parametrize(
    "change", ["title = 'New'", "tags = '[\"new\"]'", "license = NULL", "extra = '{\"a\": 1}'"]
)
def test_a_row_that_was_edited_is_seen(three: Path, tmp_path: Path, change: str) -> None:
    export(three, tmp_path / "out")
    edit(three, f"UPDATE articles SET {change} WHERE url = ?", JAM)  # noqa: S608
    assert "1 files written, 2 unchanged" in export(three, tmp_path / "out")


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
    assert f"Look: {edited} is not as export wrote it, and was kept." in done.stderr
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
    assert "1 files written, 1 unchanged, 0 removed, 1 kept." in done.stdout


def test_a_file_that_export_did_not_write_is_kept(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    foreign, folder = out / "one.techidaily.com/bread.md", out / "one.techidaily.com/rolls.md"
    folder.mkdir(parents=True)
    foreign.write_text("mine")
    done = here("export", out, "--data", three)
    assert (done.exit_code, foreign.read_text(), folder.is_dir()) == (1, "mine", True)
    assert "1 files written, 0 unchanged, 0 removed, 2 kept." in done.stdout


def test_another_layout_leaves_no_file_where_it_was(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path)
    assert "3 files written, 0 unchanged, 3 removed" in export(three, tmp_path, "--path", "{slug}.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == [OWN, "bread.md", "jam.md", "rolls.md"]


def test_two_files_that_change_places(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path / "out", "--path", "{title}.md")
    for url, title in ((JAM, "Rolls"), (ROLLS, "Jam")):
        edit(three, "UPDATE articles SET title = ? WHERE url = ?", title, url)
    assert "2 files written, 1 unchanged, 0 removed, 0 kept" in export(
        three, tmp_path / "out", "--path", "{title}.md"
    )
    export(three, tmp_path / "anew", "--path", "{title}.md")
    assert files(tmp_path / "out") == files(tmp_path / "anew")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_export_that_was_stopped_goes_on(run: Run, tmp_path: Path, how: signal.Signals) -> None:
    export(run.data, tmp_path / "whole", "--for", "hugo")
    command = [
        sys.executable,
        "-m",
        "crawler",
        "export",
        tmp_path / "out",
        "--data",
        run.data,
        "--for",
        "hugo",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (tmp_path / "out" / OWN).exists():
            pass
        process.send_signal(how)
        _, said = process.communicate()
    if process.returncode:  # else it was faster
        stopped = {signal.SIGKILL: (-9, "")}
        told = (11, "alsoread: Interrupted: the same command goes on.\n")
        assert (process.returncode, said) == stopped.get(how, told)
    export(run.data, tmp_path / "out", "--for", "hugo")
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_an_export_that_had_to_stop_goes_on(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "two.techidaily.com").write_text("in the way of a folder")
    done = here("export", out, "--data", three)
    assert (done.exit_code, done.stderr) == (6, f"alsoread: {out} can't be written: File exists.\n")
    (out / "two.techidaily.com").unlink()
    edit(three, "UPDATE articles SET title = 'Other', file_hash = NULL")
    export(three, out)
    export(three, tmp_path / "anew")
    assert files(out) == files(tmp_path / "anew")


def test_one_export_at_a_time(three: Path, tmp_path: Path) -> None:
    (tmp_path / OWN).mkdir()
    with FileLock(tmp_path / OWN / "lock"):
        done = here("export", tmp_path, "--data", three)
    assert (done.exit_code, "Another export writes to" in done.stderr) == (5, True)


def test_a_damaged_manifest_is_told(three: Path, tmp_path: Path) -> None:
    export(three, tmp_path)
    (tmp_path / OWN / "manifest.db").write_bytes(b"no database" * 500)
    done = here("export", tmp_path, "--data", three)
    assert (done.exit_code, "manifest.db is damaged" in done.stderr) == (7, True)
    (tmp_path / OWN / "manifest.db").unlink()
    assert "0 files written, 3 unchanged" in export(three, tmp_path)


def test_a_crawl_may_go_on_meanwhile(catalog: Catalog, tmp_path: Path) -> None:
    catalog.commit([Visit(url=BREAD, state="stored", status=200, article=ARTICLE)])
    with closing(read(tmp_path / "archive.db")) as db:
        source = Source(db, Choice())
        jam = replace(ARTICLE, url=JAM, body="Jam.")
        changed = replace(ARTICLE, body="Changed.")
        catalog.commit(
            [Visit(url=item.url, state="stored", status=200, article=item) for item in (jam, changed)]
        )
        run_export.to_folder(source, tmp_path / "out", Form(), prune=False, watch=lambda _: None)
    [(path, content)] = files(tmp_path / "out").items()
    assert (path, content.decode()) == ("one.techidaily.com/bread.md", render(ARTICLE))


# One file


def _unpacked(path: Path) -> Files:
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            return {name: packed.read(name) for name in packed.namelist()}
    with tarfile.open(path) as packed_tar:
        return {info.name: packed_tar.extractfile(info).read() for info in packed_tar}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_one_packed_file(run: Run, tmp_path: Path, kind: str) -> None:
    export(run.data, tmp_path / "out", "--for", "jekyll")
    one, other = tmp_path / f"one.{kind}", tmp_path / f"other.{kind}"
    for path in (one, other):
        export(run.data, path, "--for", "jekyll", "--to", kind)
    assert _unpacked(one) == files(tmp_path / "out")
    assert one.read_bytes() == other.read_bytes()
    before = one.stat()
    export(run.data, one, "--for", "jekyll", "--to", kind)
    assert one.stat() == before
    assert {path.name for path in tmp_path.iterdir()} == {"out", one.name, other.name}


def test_json_lines(run: Run, tmp_path: Path) -> None:
    export(run.data, tmp_path / "all.jsonl", "--format", "jsonl")
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["url"] for row in rows} == run.urls
    for row in rows:
        [held] = run.db.query("SELECT * FROM articles WHERE url = ?", [row["url"]])
        for name in ("title", "author", "date", "updated", "body", "words", "archived_at", "license"):
            assert row[name] == held[name]
        assert row["tags"] == json.loads(held["tags"])
    assert sum(len(row["also_read"]) for row in rows) == run.db.table("also_read").count
    assert sum(len(row["images"]) for row in rows) == run.db.table("images").count


def test_a_cell_is_no_formula(tmp_path: Path) -> None:
    titles = ["=1+1", "+1", "-1", "@a", "\ta", 'a, "b"\nc', "a=b"]
    articles = [replace(ARTICLE, url=f"{BREAD}{at}/", title=title) for at, title in enumerate(titles)]
    export(hold(tmp_path / "data", *articles), tmp_path / "all.csv", "--format", "csv")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["title"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@a", "'\ta", 'a, "b"\nc', "a=b"]
    assert {row["date"] for row in rows} == {"2024-08-16T04:52:24.115Z"}
    assert json.loads(rows[0]["also_read"]) == [link._asdict() for link in ARTICLE.also_read]


def test_parquet(three: Path, tmp_path: Path) -> None:
    if find_spec("pyarrow") is None:
        done = here("export", tmp_path / "all.parquet", "--data", three, "--format", "parquet")
        assert (
            done.stderr
            == "alsoread: Parquet needs pyarrow, which is not installed: install alsoread[parquet].\n"
        )
        assert (done.exit_code, list(tmp_path.glob("*all*"))) == (2, [])
        return
    from pyarrow.parquet import read_table

    export(three, tmp_path / "all.parquet", "--format", "parquet")
    [bread] = [row for row in read_table(tmp_path / "all.parquet").to_pylist() if row["url"] == BREAD]
    assert (bread["date"], bread["tags"]) == (ARTICLE.date, ARTICLE.tags)
    assert bread["also_read"] == [link._asdict() for link in ARTICLE.also_read]
