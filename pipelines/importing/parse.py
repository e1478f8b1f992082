"""What a Markdown file holds, as an article in its normal form with its file in the archive: runs in processes."""

from __future__ import annotations

import json
import pickle
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from crawler.items import Article
from crawler.urls import in_scope
from pipelines.archive import articles
from pipelines.archive.article_file import path_of, render
from pipelines.archive.files import Stage, Staged, files_staged, hash_of, read_file
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.importing.article import article
from pipelines.importing.files import LARGEST, File, Refused
from pipelines.importing.front_matter import Unreadable, read
from pipelines.importing.own import read_own
from pipelines.normalize import normalize

_URL = re.compile(rb"---\nurl: (\S+)\n")
"""How a file of ours begins."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a file came to: its article, or why there is none."""

    name: str
    url: str | None = None
    """The address of its article."""
    article: Article | None = None
    """None where the archive holds the very file already, and it is in its place."""
    row: dict[str, Any] | None = None
    """What its row in the catalog says of it."""
    file: Staged | None = None
    """The article's file, to be put in its place; None where it is there already."""
    reason: str | None = None


class Packed(NamedTuple):
    """A Read as it goes to another process: plain values take a third of the time that an article takes."""

    name: str
    url: str | None
    row: dict[str, Any] | None
    images: list[tuple[str, str | None, str | None]]
    also_read: list[tuple[str, str]]
    file: tuple[str, str, str, bool] | None
    reason: str | None


def pack(reads: Iterable[Read]) -> bytes:
    """Reads for another process; who hands them on need not look into them."""
    packed = [
        (
            read.name,
            read.url,
            read.row,
            [tuple(image) for image in read.article.images] if read.article else [],
            [tuple(link) for link in read.article.also_read] if read.article else [],
            read.file and tuple(read.file),
            read.reason,
        )
        for read in reads
    ]
    return pickle.dumps(packed, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> list[Packed]:
    """What was packed by another process of this program."""
    return [Packed(*values) for values in pickle.loads(packed)]  # noqa: S301


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads files, and writes those that the archive needs for them, beside their places."""

    root: Path
    """The archive's folder of articles."""
    host: str | None
    """The blog of files that have no address of their own."""
    scope: tuple[str, ...]
    read_source: Callable[[Article], Article]
    """Cuts the article out of the source of a post."""

    def packed(self, files: Sequence[File | Refused]) -> bytes:
        """What each file came to, packed. Raises as a call does."""
        return pack(self(files))

    def __call__(self, files: Sequence[File | Refused]) -> list[Read]:
        """What each file came to. Raises OSError where the archive's folder can't be written."""
        contents = [_content(file) for file in files]
        held = self._held([content for content in contents if isinstance(content, bytes)])
        with files_staged(self.root) as stage:
            return [
                self._read(file.name, content, held, stage)
                if isinstance(content, bytes)
                else Read(file.name, reason=content)
                for file, content in zip(files, contents, strict=True)
            ]

    def _held(self, contents: Sequence[bytes]) -> dict[str, str]:
        """Of files that begin as ours do, the hash of the file that the archive has for the same address."""
        urls = [found[1].decode(errors="replace") for content in contents if (found := _URL.match(content))]
        catalog = self.root.with_name("archive.db")
        if not urls or not catalog.exists():
            return {}
        query = "SELECT url, file_hash FROM articles WHERE url IN (SELECT value FROM json_each(?))"
        with closing(sqlite3.connect(f"{catalog.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return dict(db.execute(query, [json.dumps(urls)]))

    def _read(self, name: str, content: bytes, held: Mapping[str, str], stage: Stage) -> Read:
        try:
            if url := self._kept(content, held):
                return Read(name, url)
            found, rendered = self._article(name, content)
            file = stage(path_of(found.url), rendered)
        except Unreadable as error:
            return Read(name, reason=str(error))
        except OSError as error:
            if ends_run(error):
                raise
            return Read(name, reason=str(explain(error, self.root)).removesuffix("."))
        except Exception as error:
            return Read(name, reason=f"can't be read: {type(error).__name__}: {error}")
        file_hash = file.hash if file else hash_of(rendered)
        return Read(name, found.url, found, articles.columns(found, file_hash), file)

    def _kept(self, content: bytes, held: Mapping[str, str]) -> str | None:
        """The address of an article whose file in the archive has this content, as its row says too."""
        if not held or not (found := _URL.match(content)):
            return None
        url = found[1].decode(errors="replace")
        if url not in held or held[url] != hash_of(content):
            return None
        return url if read_file(self.root, path_of(url)) == content else None

    def _article(self, name: str, content: bytes) -> tuple[Article, bytes]:
        """The article of a file, and what its file in the archive has to be."""
        found = read_own(content)
        if found and in_scope(found.url, self.scope) and found.body.strip():
            return found, content
        values, body = read(content)
        found = article(values, body, name, host=self.host, scope=self.scope)
        if found.extractor == "source":
            try:
                found = self.read_source(found)
            except ValueError as error:
                raise Unreadable(str(error)) from None
        found = normalize(found)
        if not found.body.strip():
            raise Unreadable("an article without text")
        return found, render(found).encode()


def _content(file: File | Refused) -> bytes | str:
    """The bytes of a file, or why there are none."""
    if isinstance(file, Refused):
        return file.reason
    if isinstance(file.content, bytes):
        return file.content
    try:
        with file.content.open("rb", buffering=0) as opened:
            content = opened.read()
    except OSError as error:
        return f"can't be read: {error.strerror}"
    return content if len(content) <= LARGEST else "grew too large meanwhile"
