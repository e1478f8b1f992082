"""Recognise media types by a body's first bytes: nothing is decoded, so no image is a bomb. Pure."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

EXTENSIONS = {
    # Images that browsers show and that can't hold a script; the first extension of each is the usual one.
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif",),
    "image/bmp": ("bmp",),
    "image/x-icon": ("ico",),
}
"""The file name extensions of each media type of image that is stored."""

_IMAGES = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
    "image/avif": rb".{4}ftypavi[fs]",
    "image/bmp": rb"BM.{4}\x00{4}",
    "image/x-icon": rb"\x00\x00\x01\x00[^\x00]\x00",
}
_OTHERS = {
    # A page opens with one of these, perhaps behind comments or an XML declaration. Possessive: no way back, so no
    # row of comments takes long.
    "text/html": rb"(?i)(?:<!--(?>.*?-->)\s*+|<\?xml[^>]*+>\s*+)*+"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|article|h1|p)\b",
    "application/pdf": rb"%PDF-",
    "application/zip": rb"PK\x03\x04",
    "application/gzip": rb"\x1f\x8b",
    "application/xml": rb"<\?xml",
    "application/json": rb"\{\"|\[[\"{]",
}
_IMAGE_PATTERNS = {kind: re.compile(start, re.DOTALL) for kind, start in _IMAGES.items()}
_PATTERNS = {kind: re.compile(start, re.DOTALL) for kind, start in (_OTHERS | _IMAGES).items()}


def image_type(content: bytes) -> str | None:
    """Return the media type of an image that may be stored; None for anything else.

    >>> [image_type(b"GIF89a..."), image_type(b"<svg></svg>"), image_type(b"BMW is a car")]
    ['image/gif', None, None]
    """
    return _first_match(_IMAGE_PATTERNS, content)


def media_type(body: bytes) -> str | None:
    """Return the media type that a body's first bytes show; None for text of no known type.

    >>> [media_type(body) for body in (b"<!-- Hexo --><!DOCTYPE html>", b"%PDF-1.7", b"Hello")]
    ['text/html', 'application/pdf', None]
    """
    start = body[:1024].removeprefix(BOM_UTF8)
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        start = start[2:].replace(b"\0", b"")
    start = start.lstrip()
    return _first_match(_PATTERNS, start) or ("application/octet-stream" if b"\0" in start else None)


def _first_match(patterns: dict[str, re.Pattern[bytes]], content: bytes) -> str | None:
    return next((kind for kind, pattern in patterns.items() if pattern.match(content)), None)
