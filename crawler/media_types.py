"""What a picture is, by its first bytes: nothing is decoded, so no picture is a bomb. Pure."""

from __future__ import annotations

import re

EXTENSIONS = {
    # Pictures that browsers show and that can't hold a script; the first extension of each is the usual one.
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif",),
    "image/bmp": ("bmp",),
    "image/x-icon": ("ico",),
}
"""The extensions of each type of picture that is kept."""

_HEADS = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
    "image/avif": rb".{4}ftypavi[fs]",
    "image/bmp": rb"BM.{4}\x00{4}",
    "image/x-icon": rb"\x00\x00\x01\x00[^\x00]\x00",
}
_HEAD = {kind: re.compile(head, re.DOTALL) for kind, head in _HEADS.items()}


def picture_type(content: bytes) -> str | None:
    """The media type of a picture that may be kept; None where it is anything else.

    >>> [picture_type(b"GIF89a..."), picture_type(b"<svg></svg>"), picture_type(b"BMW is a car")]
    ['image/gif', None, None]
    """
    return next((kind for kind, head in _HEAD.items() if head.match(content)), None)
