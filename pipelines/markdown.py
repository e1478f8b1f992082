"""One article, one Markdown file: `articles/HOST/SLUG.md` with the vocabulary as front matter."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from crawler.items import Article, Image, Link
from crawler.urls import host_of, slug_of
from pipelines.yaml_block import yaml_block

_LONGEST = 200
"""Bytes of a slug in a file name: with its hash and `.md` it fits into the 255 that file systems take."""

# What some file system somewhere does not take in a name, and the mark that parts a name from its hash.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*~\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)")


VOCABULARY = tuple(
    field.name for field in fields(Article) if field.name not in ("body", "extractor", "extra")
)
"""The keys of the front matter that the archive knows, in their order."""

HALF_WRITTEN = ".writing"
"""The folder of files that are being written."""

_numbers = count()
_rendered: tuple[Article | None, str] = (None, "")
"""The last one: an article's file and its hash are made one after the other."""


def path_of(url: str) -> PurePosixPath:
    """Where the article of a canonical address lies below `articles/`: the same on every machine, and its alone.

    A slug that some file system can't hold as it is (reserved, too long, two that differ in case) is made
    safe and told apart by eight digits of its hash.

    >>> str(path_of("https://howto.techidaily.com/caf%C3%A9-1.5/"))
    'howto.techidaily.com/café-1.5.md'
    >>> str(path_of("https://howto.techidaily.com/Tea-Time/"))
    'howto.techidaily.com/Tea-Time~c89cfb18.md'
    >>> str(path_of("https://howto.techidaily.com/..%2F..%2Fetc/passwd/"))
    'howto.techidaily.com/_.._etc~7e1745a5/passwd.md'
    """
    *folders, name = slug_of(url).split("/")
    return PurePosixPath(_safe(host_of(url)), *map(_safe, folders), _safe(name) + ".md")


def _safe(segment: str) -> str:
    name = unquote(segment)
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    safe = safe.encode()[:_LONGEST].decode(errors="ignore").strip(". -") or "_"
    if safe == name and name == name.casefold() and not _DEVICE.match(name):
        return name
    return f"{safe}~{sha256(segment.encode()).hexdigest()[:8]}"


def front_matter(article: Article) -> dict[str, Any]:
    """The front matter: the vocabulary's keys in its order, without what is absent, then the article's own."""
    values = {name: getattr(article, name) for name in VOCABULARY}
    for name in ("images", "also_read"):
        values[name] = [_present(item) for item in values[name]]
    return {key: value for key, value in values.items() if value not in (None, [])} | article.extra


def _present(item: Image | Link) -> dict[str, str]:
    return {name: value for name, value in item._asdict().items() if value is not None}


def render(article: Article) -> str:
    """The file's text; `frontmatter.loads` gives the same values back."""
    global _rendered  # noqa: PLW0603
    if article is not _rendered[0]:
        _rendered = article, f"---\n{yaml_block(front_matter(article))}\n---\n\n{article.body}\n"
    return _rendered[1]


def write(root: Path, article: Article) -> Path:
    """Writes the article's file, whole or not at all, unless it stands there already. Raises OSError."""
    path, content = root / path_of(article.url), render(article).encode()
    if _holds(path, content):
        return path
    temporary = _temporary(root)
    try:
        _write_synced(temporary, content)
        _move(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


@contextmanager
def written_together(root: Path) -> Iterator[Callable[[Article], None]]:
    """Gives a way to write articles' files, each whole or not at all; they are in their places when the block ends.

    The disk is waited for once for all of them. Raises OSError.
    """
    waiting: list[tuple[Path, Path]] = []

    def put(article: Article) -> None:
        waiting.append((_temporary(root), root / path_of(article.url)))
        waiting[-1][0].write_bytes(render(article).encode())

    try:
        yield put
        if waiting:
            os.sync()
        for temporary, path in waiting:
            _move(temporary, path)
    except BaseException:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
        raise


def _temporary(root: Path) -> Path:
    return _scratch(root) / f"{os.getpid()}-{next(_numbers)}"


def _move(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _scratch(root: Path) -> Path:
    """The folder of half-written files: hidden, and on the same disk as the files."""
    folder = root / HALF_WRITTEN
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sweep(root: Path) -> int:
    """Takes away what a killed run left half written. Returns how many files."""
    leftovers = list(_scratch(root).iterdir())
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)  # the writer of a crawl that was killed may still be at work
    return len(leftovers)
