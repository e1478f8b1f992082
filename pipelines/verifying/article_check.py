"""Compare an article's row with its file; the stored hash tells which one is damaged.

A file with the hash that its row has is right; so is a row that renders to such a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from crawler.items import Article, Image, Link
from crawler.urls import canonical
from pipelines.archive import articles, pages
from pipelines.archive.article_file import VOCABULARY, path_of, render
from pipelines.archive.files import hash_of, read_file
from pipelines.importing import front_matter
from pipelines.verifying.findings import FILE_IS_MOVED, Archive, Finding
from pipelines.verifying.repair import restore_row, rewrite_file

_ROW = """
SELECT articles.*, pages.url AS page_url,
       coalesce((SELECT min(position) = 1 AND max(position) = count(*) AND count(DISTINCT position) = count(*)
                 FROM images WHERE article = articles.id), 1) AS images_in_order,
       coalesce((SELECT min(position) = 1 AND max(position) = count(*) AND count(DISTINCT position) = count(*)
                 FROM also_read WHERE source = articles.id AND position IS NOT NULL), 1) AS also_read_in_order
FROM articles LEFT JOIN pages USING (id) WHERE articles.id = ?
"""
_NO_PROOF = (
    "nothing proves which of them is right: `alsoread import` takes what the file says, "
    "`alsoread crawl --recrawl all` fetches the page again"
)


@dataclass(frozen=True, slots=True)
class _File:
    """An article's file as it is on disk."""

    path: PurePosixPath
    content: bytes | None
    """None where there is no such file, or it can't be read."""

    @property
    def where(self) -> str:
        return f"articles/{self.path}"

    @property
    def hash(self) -> str | None:
        return None if self.content is None else hash_of(self.content)


def check_article(archive: Archive, page: int, since: float | None) -> Iterator[Finding]:
    """Compare the rows of a page's article with its file.

    `since`: a file that was written after that moment (seconds since the epoch) is skipped, as its row may not be
    committed yet.
    """
    row = pages.first(archive.db, _ROW, page)
    if row is None:
        return
    try:
        article = articles.load(archive.db, page)
    except (ValueError, TypeError):  # a time or a list that can't be read
        article = None
    file = _find_file(archive, row)
    if file and since and _written_after(archive, file, since):
        return
    rendered = render(article).encode() if article else None
    if article and file and file.content == rendered:
        yield from _check_columns(row, page, article, file)
    elif file and file.content is not None and file.hash == row["file_hash"]:
        yield from _check_row(page, article, _parse(file.content, row["extractor"]))
    elif file and rendered is not None and hash_of(rendered) == row["file_hash"]:
        yield _wrong_file(page, file)
    elif file and file.content is not None:
        yield Finding(where=file.where, what="file and row differ", hint=_NO_PROOF)
    else:
        yield Finding(
            where=f"articles {row['url']}",
            what="its file is missing, and its row is not what was archived",
            hint="`alsoread crawl --recrawl all` fetches the page again",
        )


def _find_file(archive: Archive, row: dict[str, Any]) -> _File | None:
    """Find the file by the address of the article's row or of its page; None where neither is an address."""
    urls = [url for url in (row["url"], row["page_url"]) if _is_address(url)]
    files = [_File(path, _read(archive, path)) for path in dict.fromkeys(map(path_of, urls))]
    existing = [file for file in files if file.content is not None]
    proven = [file for file in existing if file.hash == row["file_hash"]]
    return next(iter(proven or existing or files), None)


def _is_address(url: str | None) -> bool:
    try:
        return url is not None and canonical(url) == url
    except ValueError:
        return False


def _read(archive: Archive, path: PurePosixPath) -> bytes | None:
    try:
        return read_file(archive.root, path)
    except OSError:
        return None


def _written_after(archive: Archive, file: _File, moment: float) -> bool:
    try:
        return (archive.root / file.path).stat().st_mtime > moment
    except OSError:
        return False


def _check_columns(row: dict[str, Any], page: int, article: Article, file: _File) -> Iterator[Finding]:
    """Check the derived columns of a row that agrees with its file."""
    expected = articles.columns(article, file.hash)
    if row["file_hash"] is None:  # a finding of its own, for all articles together
        del expected["file_hash"]
    wrong = [name for name, value in expected.items() if row[name] != value]
    wrong += [name for name in ("images", "also_read") if not row[f"{name}_in_order"]]
    if row["page_url"] != article.url:
        wrong.append("the address of its page")
    if wrong:
        yield _wrong_row(page, article, f"wrong: {', '.join(wrong)}")


def _check_row(page: int, article: Article | None, truth: Article) -> Iterator[Finding]:
    """Compare a row with the article of its file, which is as it was archived."""
    if article is None:
        yield _wrong_row(page, truth, "its row can't be read")
        return
    names = [field.name for field in fields(Article)]
    different = [name for name in names if getattr(article, name) != getattr(truth, name)]
    if different:  # else the file has the format of an older version
        yield _wrong_row(page, truth, f"differs from its file: {', '.join(different)}")


def _wrong_file(page: int, file: _File) -> Finding:
    what, hint = "is missing", "--repair writes it from the catalog"
    if file.content is not None:
        what, hint = "is not what was archived", f"{hint}; {FILE_IS_MOVED}"
    return Finding(where=file.where, what=what, hint=hint, repair=partial(rewrite_file, page))


def _parse(content: bytes, extractor: str) -> Article:
    """Parse an article's file, which is known to be one that the archive wrote."""
    keys, text = front_matter.read(content)
    values: dict[str, Any] = {name: keys.get(name) for name in VOCABULARY}
    values |= {name: values[name] or [] for name in ("tags", "categories")}
    values["images"] = [Image(**image) for image in values["images"] or []]
    values["also_read"] = [Link(**link) for link in values["also_read"] or []]
    extra = {key: value for key, value in keys.items() if key not in VOCABULARY}
    return Article(
        **values, body=text.removeprefix("\n").removesuffix("\n"), extractor=extractor, extra=extra
    )


def _wrong_row(page: int, article: Article, what: str) -> Finding:
    return Finding(
        where=f"articles {article.url}",
        what=what,
        hint="--repair restores the row from its file",
        repair=partial(restore_row, page, article),
    )
