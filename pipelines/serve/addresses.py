"""Compute the addresses of our pages from those of articles, and back. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from crawler.urls import canonical_or_none

DATABASE = "archive"
"""Name of the catalog in Datasette, and first segment of its pages."""
_SCHEME = "https://"
_UNENCODED = "/!$&'()*+,;=:@"
"""Characters of a path that are not encoded, beside letters and digits (RFC 3986)."""


def page_of(url: str, kind: str = "article") -> str:
    """Return the path of our page about the article at a canonical address.

    >>> page_of("https://howto.techidaily.com/caf%C3%A9/")
    '/article/howto.techidaily.com/caf%C3%A9/'
    """
    return f"/{kind}/{url.removeprefix(_SCHEME)}"


def url_of(path: str) -> str | None:
    """Return the canonical address that follows in a path of ours; None where it is not valid.

    >>> url_of("howto.techidaily.com/caf%c3%a9"), url_of("")
    ('https://howto.techidaily.com/caf%C3%A9/', None)
    """
    return canonical_or_none(f"{_SCHEME}{path}")


def copy_of(path: str) -> str:
    """Return the path of our answer that has the copy of an image, by the path of its file below `images/`.

    >>> copy_of("pictures.example/a b~1?.png")
    '/images/pictures.example/a%20b~1%3F.png'
    """
    return f"/images/{quote(str(PurePosixPath(path)), safe=_UNENCODED)}"
