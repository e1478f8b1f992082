"""One article, one Markdown file: `articles/HOST/SLUG.md` with the vocabulary as front matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import unquote

from crawler.items import Article, Image, Link
from crawler.urls import host_of, slug_of
from pipelines.archive.files import files_written
from pipelines.archive.front_matter import yaml_block

_LONGEST = 200
"""Bytes of a slug in a file name: with its hash and `.md` it fits into the 255 that file systems take."""

LONGEST_PATH_BYTES = 1_000
"""Longest path below a folder of the archive: file systems take 4,096 bytes, with all folders above it."""

_SUFFIXES = (".md", ".html")
"""How the files below `articles/` and `look/` end."""

# What some file system somewhere does not take in a name, and the mark that parts a name from its hash.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*~\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)")


VOCABULARY = tuple(
    field.name for field in fields(Article) if field.name not in ("body", "extractor", "extra")
)
"""The keys of the front matter that the archive knows, in their order."""


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
    host, file = safe_name(host_of(url)), safe_name(name) + ".md"
    path = PurePosixPath(host, *map(_folder, folders), file)
    if len(bytes(path)) > LONGEST_PATH_BYTES:
        return PurePosixPath(host, f"{_marked(file.partition('~')[0].removesuffix('.md'), url)}.md")
    return path


def _folder(segment: str) -> str:
    """Name a segment as a folder: it never ends as files do, which could have the same name."""
    name = safe_name(segment)
    return _marked(name.partition("~")[0], segment) if name.endswith(_SUFFIXES) else name


def safe_name(segment: str) -> str:
    """What a segment of an address is called on a disk: itself where it can be, else with `~` and its hash."""
    name = unquote(segment)
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    safe = safe.encode()[:_LONGEST].decode(errors="ignore").strip(". -") or "_"
    if safe == name and name == name.casefold() and not _DEVICE.match(name):
        return name
    return _marked(safe, segment)


def _marked(name: str, whole: str) -> str:
    """A name that eight digits of a hash tell apart from its like."""
    return f"{name}~{sha256(whole.encode()).hexdigest()[:8]}"


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
