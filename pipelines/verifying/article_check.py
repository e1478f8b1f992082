"""An article's row against its file: whether they agree, and where they don't, which of them was damaged.

The row keeps the hash of the file. The file that has this hash is right, and so is the row that gives such a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from crawler.items import Article, Image, Link
from crawler.urls import canonical
from pipelines.archive import articles, pages
from pipelines.archive.article_file import VOCABULARY, path_of, render
from pipelines.archive.files import read_file
from pipelines.importing import front_matter
from pipelines.verifying.findings import Archive, Finding
from pipelines.verifying.repair import restore_row, rewrite_file

_ROW = """
SELECT articles.*, pages.url AS page_url,
       coalesce((SELECT min(position) = 1 AND max(position) = count(*) AND count(DISTINCT position) = count(*)
                 FROM images WHERE article = ?1), 1) AS images_in_order,
       coalesce((SELECT min(position) = 1 AND max(position) = count(*) AND count(DISTINCT position) = count(*)
                 FROM also_read WHERE source = ?1 AND position IS NOT NULL), 1) AS also_read_in_order
FROM articles LEFT JOIN pages USING (id) WHERE articles.id = ?1
"""
_NO_PROOF = (
    "nothing proves which of them is right: `alsoread import` takes what the file says, "
    "and a crawl with --recrawl all fetches the page anew"
)


@dataclass(frozen=True, slots=True)
class _Copy:
    """An article's file as it is, where it should be."""

    path: PurePosixPath
    content: bytes | None
    """None where there is no such file, or it can't be read."""

    @property
    def where(self) -> str:
        return f"articles/{self.path}"

    @property
    def hash(self) -> str | None:
        return None if self.content is None else sha256(self.content).hexdigest()


def judge(archive: Archive, page: int, since: float | None) -> Iterator[Finding]:
    """What is wrong with the rows and the file of a page's article.

    `since`: a file that was written after that moment (seconds since the epoch) is passed over, as its row may be
    on its way.
    """
    row = pages.first(archive.db, _ROW, page)
    if row is None:
        return
    try:
        article = articles.load(archive.db, page)
    except (ValueError, TypeError):  # a time or a list that can't be read
        article = None
    copy = _copy(archive, row)
    if copy and since and _written_after(archive, copy, since):
        return
    if article and copy and copy.content == render(article).encode():
        yield from _agreeing(row, page, article)
    elif copy and copy.content is not None and copy.hash == row["file_hash"]:
        yield from _edited(row, page, article, copy)
    elif article and copy and articles.hash_of_file(article) == row["file_hash"]:
        what = "is missing" if copy.content is None else "is not what was archived"
        mend = "--repair writes it anew from the catalog"
        if copy.content is not None:
            mend += "; what is there now is put aside into damaged/"
        yield Finding(where=copy.where, what=what, mend=mend, cure=partial(rewrite_file, page))
    elif copy and copy.content is not None:
        yield Finding(where=copy.where, what="file and row differ", mend=_NO_PROOF)
    else:
        yield Finding(
            where=f"articles {row['url']}",
            what="its file is missing, and its row is not what was archived",
            mend="a crawl with --recrawl all fetches the page anew",
        )


def _copy(archive: Archive, row: dict[str, Any]) -> _Copy | None:
    """The file, by the address of the article's row or that of its page; None where neither is an address."""
    copies = [
        _Copy(path, _content(archive, path))
        for path in dict.fromkeys(path_of(url) for url in (row["url"], row["page_url"]) if _is_address(url))
    ]
    proven = (copy for copy in copies if copy.content is not None and copy.hash == row["file_hash"])
    there = (copy for copy in copies if copy.content is not None)
    return next(proven, None) or next(there, None) or next(iter(copies), None)


def _is_address(url: str | None) -> bool:
    try:
        return url is not None and canonical(url) == url
    except ValueError:
        return False


def _content(archive: Archive, path: PurePosixPath) -> bytes | None:
    try:
        return read_file(archive.root, path)
    except OSError:
        return None


def _written_after(archive: Archive, copy: _Copy, moment: float) -> bool:
    try:
        return (archive.root / copy.path).stat().st_mtime > moment
    except OSError:
        return False


def _agreeing(row: dict[str, Any], page: int, article: Article) -> Iterator[Finding]:
    """What else may be wrong where the file is what the row says."""
    if row["file_hash"] is None:
        row["file_hash"] = articles.hash_of_file(article)
    wrong = [name for name, value in articles.columns(article).items() if row[name] != value]
    wrong += [name for name in ("images", "also_read") if not row[f"{name}_in_order"]]
    wrong += ["the address of its page"] if row["page_url"] != article.url else []
    if wrong:
        yield _restorable(page, article, f"wrong: {', '.join(wrong)}")


def _edited(row: dict[str, Any], page: int, article: Article | None, copy: _Copy) -> Iterator[Finding]:
    """The file is as it was archived, the row is not."""
    assert copy.content is not None  # noqa: S101
    told = _parse(copy.content, row["extractor"])
    if article is None:
        yield _restorable(page, told, "its row can't be read")
        return
    # None differs where the file is in the form that an older alsoread gave it.
    different = [
        field.name for field in fields(Article) if getattr(article, field.name) != getattr(told, field.name)
    ]
    if different:
        yield _restorable(page, told, f"not what its file says: {', '.join(different)}")


def _parse(content: bytes, extractor: str) -> Article:
    """The article of a file that is known to be one of ours."""
    said, text = front_matter.read(content)
    values: dict[str, Any] = {name: said.get(name) for name in VOCABULARY}
    values |= {name: values[name] or [] for name in ("tags", "categories")}
    values["images"] = [Image(**image) for image in values["images"] or []]
    values["also_read"] = [Link(**link) for link in values["also_read"] or []]
    extra = {key: value for key, value in said.items() if key not in VOCABULARY}
    return Article(
        **values, body=text.removeprefix("\n").removesuffix("\n"), extractor=extractor, extra=extra
    )


def _restorable(page: int, article: Article, what: str) -> Finding:
    return Finding(
        where=f"articles {article.url}",
        what=what,
        mend="--repair takes the row from its file",
        cure=partial(restore_row, page, article),
    )
