"""Compute the path of an image's copy: `images/HOST/PATH`. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from crawler.media_types import EXTENSIONS
from crawler.urls import named_host
from pipelines.archive.article_file import MAX_PATH_BYTES, safe_name
from pipelines.archive.files import with_hash

FOLDER = "images"
"""Their folder, in the archive's."""

_MAX_URL_CHARACTERS = 500
"""Characters: of longer addresses the folders are left out, as of those whose path would be too long."""
_UNENCODED = "/!$&'()*+,;=:@"
"""Characters of a path that are not encoded, beside letters and digits (RFC 3986)."""
_ALL = frozenset(extension for extensions in EXTENSIONS.values() for extension in extensions)


def path_of(url: str, kind: str) -> PurePosixPath:
    """Return the path of an image's copy below `images/`: the same on every machine, and its alone.

    Where the path of its address is ambiguous (a query, another type, another spelling) or not valid as a file's, it
    gets eight digits of a hash. Every file has the extension of its type, and no folder has one.

    >>> str(path_of("https://pictures.example/2024/loaf.jpg", "image/jpeg"))
    'pictures.example/2024/loaf.jpg'
    >>> str(path_of("https://pictures.example/2024/loaf.jpg", "image/webp"))
    'pictures.example/2024/loaf.jpg~9055b57d.webp'
    >>> str(path_of("https://pictures.example/show.php?id=7", "image/png"))
    'pictures.example/show.php~a5585460.png'
    """
    parts = urlsplit(url)
    *folders, name = parts.path.removeprefix("/").split("/")
    stem, _, extension = name.rpartition(".")
    host = safe_name(parts.netloc)
    alone = f"{_marked(stem if extension in EXTENSIONS[kind] else name, url)}.{EXTENSIONS[kind][0]}"
    spelling = f"https://{parts.netloc}{quote(unquote(parts.path), safe=_UNENCODED)}"
    if len(url) >= _MAX_URL_CHARACTERS:
        return PurePosixPath(host, alone)
    in_full = stem and extension in EXTENSIONS[kind] and url == spelling
    path = PurePosixPath(host, *map(_folder, folders), f"{safe_name(stem)}.{extension}" if in_full else alone)
    return path if len(bytes(path)) <= MAX_PATH_BYTES else PurePosixPath(host, alone)


def _folder(segment: str) -> str:
    """Name a segment as a folder: it never ends as files do, however its address spells that."""
    name = safe_name(segment)
    return _marked(segment, segment) if name.rpartition(".")[2] in _ALL else name


def _marked(segment: str, what: str) -> str:
    return with_hash(safe_name(segment).partition("~")[0], what)


def is_place(path: str, url: str, kind: str) -> bool:
    """Return whether a path is that of an image's copy; the arguments may be any texts."""
    return kind in EXTENSIONS and named_host(url) != "" and path == str(path_of(url, kind))


def places(url: str) -> dict[str, PurePosixPath]:
    """Return the possible paths of an image's copy by media type; none if the address is not complete."""
    return {kind: path_of(url, kind) for kind in EXTENSIONS} if named_host(url) else {}
