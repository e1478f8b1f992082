"""What a Markdown file holds, as an article in its normal form with its file in the archive: runs in processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.items import Article
from pipelines import articles
from pipelines.importing.article import article
from pipelines.importing.files import LARGEST, File, Refused
from pipelines.importing.front_matter import Unreadable, read
from pipelines.markdown import path_of, render, written_together
from pipelines.normalize import normalize


@dataclass(frozen=True, slots=True)
class Read:
    """What a file came to: its article, or why there is none."""

    name: str
    article: Article | None = None
    row: dict[str, Any] | None = None
    """What its row in the catalog says of it."""
    placed: bool = False
    """Whether the archive's folder holds the article's file as it has to be."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads files, and writes those of articles that the archive does not hold yet."""

    root: Path
    """The archive's folder of articles."""
    host: str | None
    """The blog of files that have no address of their own."""
    scope: tuple[str, ...]
    read_source: Callable[[Article], Article]
    """Cuts the article out of the source of a post."""

    def __call__(self, files: Sequence[File | Refused]) -> list[Read]:
        """What each file came to. Raises OSError where the archive's folder can't be written."""
        with written_together(self.root) as write:
            return [self._read(file, write) for file in files]

    def _read(self, file: File | Refused, write: Callable[[Article], str]) -> Read:
        if isinstance(file, Refused):
            return Read(file.name, reason=file.reason)
        try:
            found = self._article(file)
        except Unreadable as error:
            return Read(file.name, reason=str(error))
        except Exception as error:
            return Read(file.name, reason=f"can't be read: {type(error).__name__}: {error}")
        path = self.root / path_of(found.url)
        placed = not path.exists()
        if placed:
            write(found)
        else:
            placed = path.read_bytes() == render(found).encode()
        return Read(file.name, found, articles.columns(found), placed)

    def _article(self, file: File) -> Article:
        values, body = read(_content(file))
        found = article(values, body, file.name, host=self.host, scope=self.scope)
        if found.extractor == "source":
            try:
                found = self.read_source(found)
            except ValueError as error:
                raise Unreadable(str(error)) from None
        found = normalize(found)
        if not found.body.strip():
            raise Unreadable("an article without text")
        return found


def _content(file: File) -> bytes:
    if isinstance(file.content, bytes):
        return file.content
    try:
        with file.content.open("rb") as opened:
            return opened.read(LARGEST)
    except OSError as error:
        raise Unreadable(f"can't be read: {error.strerror}") from None
