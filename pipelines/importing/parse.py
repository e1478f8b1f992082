"""Parse Markdown files into articles in their normal form. Runs in processes of its own, and reads nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crawler.items import Article
from pipelines.archive.article_file import render
from pipelines.importing.article import article_of
from pipelines.importing.files import MAX_FILE_BYTES, File, Refused
from pipelines.importing.front_matter import InvalidFile, read
from pipelines.normalize import normalize


class ParsedFile(NamedTuple):
    """An imported file with its article, or with the reason why it has none."""

    name: str
    article: Article | None = None
    content: bytes = b""
    """The article's file in the archive."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Parser:
    """Parse batches of files."""

    host: str | None
    """The blog of files that have no address of their own."""
    scope: tuple[str, ...]
    read_source: Callable[[Article], Article]
    """Cut the article out of the source of a post."""

    def __call__(self, files: Sequence[File | Refused]) -> list[ParsedFile]:
        """Parse the files, in their order; none of them makes it raise."""
        return [self._parse(file) for file in files]

    def _parse(self, file: File | Refused) -> ParsedFile:
        try:
            article = self._article(file.name, _content(file))
            return ParsedFile(file.name, article, render(article).encode())
        except InvalidFile as error:
            return ParsedFile(file.name, reason=str(error))
        except Exception as error:
            return ParsedFile(file.name, reason=f"can't be read: {type(error).__name__}: {error}")

    def _article(self, name: str, content: bytes) -> Article:
        values, body = read(content)
        article = article_of(values, body, name, host=self.host, scope=self.scope)
        if article.extractor == "source":
            try:
                article = self.read_source(article)
            except ValueError as error:
                raise InvalidFile(str(error)) from None
        article = normalize(article)
        if not article.body.strip():
            raise InvalidFile("an article without text")
        return article


def _content(file: File | Refused) -> bytes:
    if isinstance(file, Refused):
        raise InvalidFile(file.reason)
    if isinstance(file.content, bytes):
        return file.content
    try:
        with file.content.open("rb", buffering=0) as opened:
            content = opened.read()
    except OSError as error:
        raise InvalidFile(f"can't be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise InvalidFile("grew too large while it was imported")
    return content
