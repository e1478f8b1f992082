"""One article, one Markdown file: `articles/HOST/SLUG.md` with the vocabulary as front matter."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
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
"""The folder of files that are being written: hidden, and on the same disk as the files."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MANY = 32
"""Files from which on it is quicker to wait for all that the disk has to write."""
_numbers = count()
_waiting_for_the_disk = ThreadPoolExecutor(8)


@lru_cache(64)
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
    return PurePosixPath(safe_name(host_of(url)), *map(safe_name, folders), safe_name(name) + ".md")


def safe_name(segment: str) -> str:
    """What a segment of an address is called on a disk: itself where it can be, else with `~` and its hash."""
    name = unquote(segment)
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    safe = safe.encode()[:_LONGEST].decode(errors="ignore").strip(". -") or "_"
    if safe == name and name == name.casefold() and not _DEVICE.match(name):
        return name
    return f"{safe}~{sha256(segment.encode()).hexdigest()[:8]}"


def front_matter(article: Article) -> dict[str, Any]:
    """The front matter: the vocabulary's keys in its order, without what is absent, then the article's own."""
    return vocabulary(article) | article.extra


def vocabulary(article: Article) -> dict[str, Any]:
    """The values of the vocabulary's keys in its order, without what is absent."""
    values = {name: getattr(article, name) for name in VOCABULARY}
    for name in ("images", "also_read"):
        values[name] = [_present(item) for item in values[name]]
    return {key: value for key, value in values.items() if value not in (None, [])}


def _present(item: Image | Link) -> dict[str, str]:
    return {name: value for name, value in zip(item._fields, item, strict=True) if value is not None}


def render(article: Article) -> str:
    """The file's text; `frontmatter.loads` gives the same values back."""
    return f"---\n{yaml_block(front_matter(article))}\n---\n\n{article.body}\n"


def hash_of(content: bytes) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return sha256(content).hexdigest()


def write(root: Path, article: Article) -> Path:
    """Writes the article's file, whole or not at all, unless it stands there already. Raises OSError."""
    with written_together(root) as put:
        put(article)
    return root / path_of(article.url)


class Writing(Protocol):
    """Writes an article's file, together with others."""

    def __call__(self, article: Article, content: bytes | None = None) -> str:
        """The file's hash."""


@contextmanager
def written_together(root: Path) -> Iterator[Writing]:
    """Gives a way to write articles' files as `files_written` has it.

    It takes an article, and what its file has to be where that is known already.
    """
    with files_written(root) as put:
        yield lambda article, content=None: put(path_of(article.url), content or render(article).encode())


@contextmanager
def files_written(root: Path) -> Iterator[Callable[[PurePosixPath, bytes], str]]:
    """Gives a way to write files below a folder, each whole or not at all, unless it stands there already.

    It gives the file's hash. The files are on the disk and in their places when the block ends. Raises OSError.
    """
    waiting: list[tuple[Path, Path]] = []

    def put(name: PurePosixPath, content: bytes) -> str:
        path = root / name
        if not _holds(path, content):
            waiting.append((root / HALF_WRITTEN / f"{os.getpid()}-{next(_numbers)}", path))
            _write_new(waiting[-1][0], content)
        return hash_of(content)

    try:
        yield put
        _sync([temporary for temporary, _ in waiting])
        for temporary, path in waiting:
            _move(temporary, path)
    except BaseException:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
        raise


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def _write_new(path: Path, content: bytes) -> None:
    try:
        file = os.open(path, _NEW, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, _NEW, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def _sync(files: Sequence[Path]) -> None:
    """Waits for the disk; at the same time for all files, as it then writes its journal once for many of them."""
    if len(files) > _MANY:
        os.sync()
    else:
        list(_waiting_for_the_disk.map(_sync_one, files) if len(files) > 1 else map(_sync_one, files))


def _sync_one(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _move(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)


def sweep(root: Path) -> int:
    """Takes away what a killed run left half written. Returns how many files."""
    folder = root / HALF_WRITTEN
    folder.mkdir(parents=True, exist_ok=True)
    leftovers = list(folder.iterdir())
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)  # the writer of a crawl that was killed may still be at work
    return len(leftovers)
