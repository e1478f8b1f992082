"""Each command that stores articles leaves the graph and near-duplicates up to date."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from crawler.items import Article, Link
from pipelines.analysis import update
from pipelines.archive.connection import connect
from tests.support.archives import make_older
from tests.support.commands import Run, here
from tests.support.graphs import archive_of, results, store

TEXT = " ".join(f"word{number}" for number in range(100))
WITHOUT_RENSA = "import sys; sys.modules['rensa'] = None; from crawler.cli import main; main()"


@pytest.fixture
def articles(article: Callable[..., Article]) -> list[Article]:
    """Articles of two hosts, in families, with links among them."""
    random = Random(7)  # noqa: S311
    urls = [f"https://{host}.techidaily.com/{number}/" for host in ("one", "two") for number in range(8)]
    return [
        article(
            url=url,
            body=f"{TEXT} {' '.join(random.choices(TEXT.split(), k=random.choice([0, 3, 90])))}",
            also_read=[Link(target, "x") for target in random.sample(urls, 3)],
        )
        for url in urls
    ]


def test_a_crawl(run: Run) -> None:
    ranks, near_duplicates, _ = results(run.data)
    assert ranks
    assert near_duplicates


def test_rebuild_import_and_merge(articles: list[Article], tmp_path: Path) -> None:
    whole = archive_of(tmp_path / "whole", articles)
    expected = results(whole)
    assert expected[2]

    rebuilt = tmp_path / "rebuilt"
    shutil.copytree(whole / "articles", rebuilt / "articles")
    assert here("rebuild", "--data", rebuilt).exit_code == 0
    assert results(rebuilt) == expected

    imported = archive_of(tmp_path / "imported", articles[:5])
    assert here("import", whole / "articles", "--data", imported).exit_code == 0
    assert results(imported) == expected

    merged = archive_of(tmp_path / "merged", articles[9:])
    store(tmp_path / "other", articles[:9])
    assert here("merge", tmp_path / "other", "--data", merged).exit_code == 0
    assert results(merged) == expected


def test_maintenance_of_an_archive_that_was_never_analysed(run: Run, tmp_path: Path) -> None:
    make_older(tmp_path / "archive.db", run.data / "archive.db")
    assert here("maintain", "--data", tmp_path).exit_code == 0
    assert results(tmp_path) == results(run.data)


def test_a_repair(articles: list[Article], tmp_path: Path) -> None:
    expected = results(archive_of(tmp_path, articles))
    with closing(connect(tmp_path / "archive.db")) as db:
        db.execute("UPDATE articles SET body = 'x', body_hash = 'x', date = NULL WHERE id IN (1, 5)")
    assert here("verify", "--repair", "--data", tmp_path).exit_code == 0
    assert results(tmp_path) == expected


def test_export_takes_canonical_articles_and_prunes_the_others(
    articles: list[Article], tmp_path: Path
) -> None:
    data, out = archive_of(tmp_path / "data", articles), tmp_path / "out"
    canonical = {chosen for _, chosen, _ in results(data)[1]}
    assert len(canonical) < len(articles)

    def exported(*options: str) -> set[str]:
        assert here("export", out, "--data", data, *options).exit_code == 0
        return {f"https://{path.parent.name}/{path.stem}/" for path in out.rglob("*.md")}

    assert exported() == {article.url for article in articles}
    assert exported("--unique") == {article.url for article in articles}
    assert exported("--unique", "--prune") == canonical
    two = {url for url in canonical if "two" in url}
    assert exported("--unique", "--prune", "--host", "two.*") == two


def test_many_articles_are_compared_by_other_processes(
    articles: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = results(archive_of(tmp_path / "here", articles))
    spread: list[list[str]] = []

    def noted(
        function: Callable[[list[str]], list[list[int]]], batches: Iterable[list[str]]
    ) -> Iterator[list[list[int]]]:
        for batch in batches:
            spread.append(batch)
            yield function(batch)

    for most, count in ((len(articles) + 1, 0), (len(articles), len({article.body for article in articles}))):
        monkeypatch.setattr(update, "_MANY_ARTICLES", most)
        data = tmp_path / str(most)
        store(data, articles)
        update.update_archive(data / "archive.db", spread=noted)
        assert results(data) == expected
        assert len([text for batch in spread for text in batch]) == count


@pytest.mark.long
def test_without_the_libraries_all_else_works(articles: list[Article], tmp_path: Path) -> None:
    data = archive_of(tmp_path / "data", articles[:8])
    archive_of(tmp_path / "whole", articles)

    def alsoread(*args: str | Path) -> tuple[int, str, str]:
        command = [sys.executable, "-c", WITHOUT_RENSA, *map(str, args), "--data", str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert alsoread("import", tmp_path / "whole" / "articles")[0] == 0
    assert alsoread("verify")[:2] == (0, f"{data}: no errors.\n")
    code, links, _ = alsoread("graph", "--format", "csv")
    assert (code, links.count("\n") > 8) == (0, True)
    code, _, error = alsoread("export", tmp_path / "out", "--unique")
    assert (code, error) == (
        2,
        "alsoread: --unique: 8 articles were not compared with the others yet: a crawl does it when it ends, "
        "`alsoread maintain` at once. Both need alsoread[analysis] installed.\n",
    )
    assert here("maintain", "--data", data).exit_code == 0
    assert results(data) == results(tmp_path / "whole")
