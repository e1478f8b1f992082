"""`alsoread accept`."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from sqlite_utils import Database

from crawler.cli.options import (
    data_folder,
    host_filter,
    json_flag,
    print_error,
    print_result,
    reports_errors,
)
from crawler.errors import AlsoreadError, UnreadablePage, UsageError
from crawler.items import Article, Reading, Visit
from crawler.settings import ALSOREAD_SCOPE
from crawler.text import counted
from pipelines.analysis.update import update_analyses
from pipelines.archive import articles, lookup, quarantine
from pipelines.archive.catalog import last_crawl
from pipelines.archive.connection import open_readonly
from pipelines.archive.lock import open_locked
from pipelines.archive.storage_errors import explain
from pipelines.archive.store import Store
from pipelines.originals.reextractions import ReextractionStore
from pipelines.validate import validate


@click.command()
@click.argument("wanted", metavar="[ARTICLE]...", nargs=-1)
@host_filter
@data_folder
@json_flag
@reports_errors
def accept(wanted: tuple[str, ...], hosts: tuple[str, ...], data: str, as_json: bool) -> None:
    """Accept the quarantined versions of articles.

    ARTICLE is an address, the path of a file, or the last part of an address that no other article has.
    The version that the archive had is kept as a revision.

    \b
    Examples:
      alsoread accept https://howto.techidaily.com/sharpen-a-knife/
      alsoread accept --host 'howto.*'
    """
    if not (wanted or hosts):
        raise click.UsageError("Give an ARTICLE, or hosts with --host.")
    path = Path(data) / "archive.db"
    with closing(open_readonly(path)) as db:
        urls = [articles.load(db, lookup.find(db, article)).url for article in wanted]
        urls = list(dict.fromkeys([*urls, *quarantine.urls_of(db, hosts)]))
    if not urls:
        raise UsageError(f"No page of {', '.join(hosts)} is quarantined.")
    accepted: list[dict[str, Any]] = []
    failures: list[tuple[str, str]] = []
    exit_code = 0
    with open_locked(path) as db:
        store = _store(db, path.parent)
        for url in urls:
            try:
                words = _accept(store, path.parent, url)
            except AlsoreadError as error:
                print_error(error)
                failures.append((url, str(error)))
                exit_code = error.exit_code
                continue
            accepted.append({"url": url, "words": words})
            if not as_json:
                advice = f"To see what changed: alsoread diff {url} --data {data}"
                click.echo(f"Accepted: {url}, now {counted(words, 'word')}. {advice}")
        update_analyses(db)
    if as_json:
        print_result({"accepted": accepted}, failures, exit_code)
    sys.exit(exit_code)


def _accept(store: Store, data: Path, url: str) -> int:
    """Store the quarantined version of an article, and return its number of words. Raises AlsoreadError."""
    if quarantine.reextraction_of(store.db, url):
        return _accept_reextraction(store.db, data, url)
    record = quarantine.record_of(store.db, url)
    article, reading = _read(store.db, data, url, record)
    # A person has compared it with the archived copy.
    visit = validate(
        Visit(url=article.url, state="stored", article=article, cut_off=reading.cut_off), archived=None
    )
    visit = replace(visit, record=record, extractor_version=reading.extractor_version)
    (result,) = store.commit([visit])
    _raise_error(result, data)
    return len(article.body.split())


def _accept_reextraction(db: Database, data: Path, url: str) -> int:
    """Store the quarantined re-extraction of an article, and return its number of words. Raises AlsoreadError."""
    from crawler.runs.reread import load, reextract

    stored = load(db, data, lookup.find(db, url))
    try:
        reextraction = reextract(stored)
    except UnreadablePage as error:
        raise UsageError(f"The original of {url} can't be read: {error}.") from None
    article = reextraction.article
    if article is None or not article.body.strip():
        raise UsageError(f"Could not accept the re-extraction of {url}: it has no article with text.")
    (result,) = ReextractionStore(db, data, scope=ALSOREAD_SCOPE).commit([reextraction])
    _raise_error(result, data)
    return len(article.body.split())


def _raise_error(result: str | Exception, data: Path) -> None:
    """Raise the error that a commit returned, if any; of one file so that the other pages may still be accepted."""
    if isinstance(result, OSError):
        raise explain(result, data)
    if isinstance(result, Exception):
        raise result


def _read(db: Database, data: Path, url: str, record: int) -> tuple[Article, Reading]:
    """Read an article from the original of a quarantined page, in its normal form, with all that was extracted."""
    from crawler.runs.reread import read_original

    try:
        reading = read_original(db, data, url, record)
    except UnreadablePage as error:
        raise UsageError(f"The quarantined version of {url} can't be read: {error}.") from None
    if reading.article is None or not reading.article.body.strip():
        raise UsageError(f"Could not accept {url}: the quarantined version has no article with text.")
    return reading.article, reading


def _store(db: Database, data: Path) -> Store:
    """Store as a visit of the last crawl: accepting is no crawl of its own, and an interrupted one still resumes."""
    return Store(db, data, scope=ALSOREAD_SCOPE, retry_delays=[], crawl=last_crawl(db))
