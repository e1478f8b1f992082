"""The archive leaves as files: those that were asked for, where they were asked for, or as one."""

from __future__ import annotations

import csv
import json
import tarfile
import zipfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipelines.export.flavours import FLAVOURS
from tests.conftest import ARTICLE
from tests.support.archives import files as archived
from tests.support.commands import Run, here
from tests.support.exports import BREAD, Files, edit, export, files, make_archive, three_articles


@pytest.fixture
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bread, which links to rolls and jam."""
    return three_articles(tmp_path_factory.mktemp("three"))


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
        (["--search", "brace*"], "body LIKE '%braces%'"),
        (["--search", '"slow loaf"'], "title || description || body LIKE '%slow loaf%'"),
        (["--search", "包丁"], "title || body LIKE '%包丁%'"),
        (["--where", "words > 100 -- many"], "words > 100"),
        (["--tag", "soup", "--where", "0 OR 1"], "tags LIKE '%\"soup\"%'"),
    ],
)
def test_what_is_chosen(run: Run, tmp_path: Path, options: list[str], where: str) -> None:
    export(run.data, tmp_path, *options)
    wanted = {path for (path,) in run.db.execute(f"SELECT path FROM articles WHERE {where}")}
    assert wanted
    assert set(files(tmp_path)) == wanted


@pytest.mark.parametrize(
    "words", ['"braces', "braces*", "brac%", "body:braces", "NEAR(braces", "braces OR", "-braces", "^x"]
)
def test_words_to_search_for_are_no_syntax(run: Run, tmp_path: Path, words: str) -> None:
    done = here("export", tmp_path, "--data", run.data, "--search", words)
    assert done.exit_code == 0 or "No article of the archive is what was asked for" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--search", '"'], "--search '\"' has no word to search for."),
        (["--search", " "], "--search ' ' has no word to search for."),
        (
            ["--where", "wrods > 1"],
            "--where 'wrods > 1' is not a valid SQL expression over articles: no such column: wrods.",
        ),
        (["--where", "1); DROP TABLE articles; --"], "is not a valid SQL expression over articles"),
        (
            [
                "--where",
                "(WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n)",
            ],
            "is not a valid SQL expression over articles: not authorized.",
        ),
        (["--where", "randomblob("], "is not a valid SQL expression over articles"),
        (["--since", "yesterday"], "--since yesterday is not a valid date (try 2024-08-16)."),
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
        (["--prune", "--to", "zip"], "--prune requires a folder as the target."),
        (["--format", "csv", "--for", "hugo"], "--for requires --format md."),
        (["--format", "csv", "--to", "zip"], "--to requires --format md."),
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
        (run.data, 2, "is inside the archive"),
        (run.data / "articles" / "more", 2, "is inside the archive"),
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
    data = make_archive(tmp_path / "data", *articles)
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
    assert (done.exit_code, "two.techidaily.com can't be written: it is a symbolic link" in done.stderr) == (
        6,
        True,
    )
    assert list((tmp_path / "elsewhere").iterdir()) == []


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
    export(make_archive(tmp_path / "data", *articles), tmp_path / "all.csv", "--format", "csv")
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
