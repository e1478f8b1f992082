"""Name and render an article's Markdown file: `articles/HOST/SLUG.md`, with the vocabulary as front matter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from crawler.items import Article, Image, Link
from crawler.urls import host_of, slug_of
from pipelines.archive.files import files_written, with_hash
from pipelines.archive.front_matter import yaml_block

_MAX_NAME_BYTES = 200
"""Longest slug in a file name: with its hash and `.md` it fits into the 255 bytes that file systems take."""

MAX_PATH_BYTES = 1_000
"""Longest path below a folder of the archive: file systems take 4,096 bytes, with all folders above it."""

_SUFFIXES = (".md", ".html")
"""Suffixes that the file of an article, or of its page, may have."""

# Characters that some file system does not take in a name, and the mark between a name and its hash.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*~\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)")


VOCABULARY = tuple(
    field.name for field in fields(Article) if field.name not in ("body", "extractor", "extra")
)
"""The front-matter keys that are fields of an Article, in their order."""


@lru_cache(64)
def path_of(url: str) -> PurePosixPath:
    """Return the path below `articles/` of the article at a canonical address; no other address has this path.

    A slug that some file system can't hold as it is (reserved, too long, two that differ in case) is made
    safe, and unique by eight digits of its hash.

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
    if len(bytes(path)) > MAX_PATH_BYTES:
        return PurePosixPath(host, f"{with_hash(file.partition('~')[0].removesuffix('.md'), url)}.md")
    return path


def _folder(segment: str) -> str:
    """Name a segment as a folder, never with the suffix of a file, which could have the same name."""
    name = safe_name(segment)
    return with_hash(name.partition("~")[0], segment) if name.endswith(_SUFFIXES) else name


def safe_name(segment: str) -> str:
    """Return the name of a segment of an address on disk: itself where it can be, else with `~` and its hash."""
    name = unquote(segment)
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    safe = safe.encode()[:_MAX_NAME_BYTES].decode(errors="ignore").strip(". -") or "_"
    if safe == name and name == name.casefold() and not _DEVICE.match(name):
        return name
    return with_hash(safe, segment)


def front_matter(article: Article) -> dict[str, Any]:
    """Return the front matter: the keys of the vocabulary in its order, without absent ones, then `extra`."""
    return vocabulary(article) | article.extra


def vocabulary(article: Article) -> dict[str, Any]:
    """Return the values of the vocabulary's keys in its order, without absent ones."""
    values = {name: getattr(article, name) for name in VOCABULARY}
    for name in ("images", "also_read"):
        values[name] = [_present(item) for item in values[name]]
    return {key: value for key, value in values.items() if value not in (None, [])}


def _present(item: Image | Link) -> dict[str, str]:
    return {name: value for name, value in zip(item._fields, item, strict=True) if value is not None}


def render(article: Article) -> str:
    """Return the file's text, of which `frontmatter.loads` reads the same values."""
    return f"---\n{yaml_block(front_matter(article))}\n---\n\n{article.body}\n"


def write(root: Path, article: Article) -> Path:
    """Write the article's file, whole or not at all, unless it exists already. Raises OSError."""
    path = path_of(article.url)
    with files_written(root) as put:
        put(path, render(article).encode())
    return root / path
