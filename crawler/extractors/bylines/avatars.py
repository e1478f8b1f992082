"""Recognise pictures of authors, and read the names that they give."""

from __future__ import annotations

import re

from crawler.extractors.bylines.credits import is_name
from crawler.extractors.tree import Element

# <img alt="author avatar">, <img alt="Author: Carina">, <img alt="Written By">
AVATAR_ALT = re.compile(
    r"(?:author|writer)(?:[\s_-]*(?:avatar|picture|photo|image)| ?: ?(.{2,60}))|written by", re.I
)
# <img alt="Carina" src="https://example.org/images/author/carina.jpg">
AVATAR_SOURCE = re.compile(
    r"/authors?/|/avatars?/|gravatar\.com/avatar/|[-_/]author\.(?:jpe?g|png|webp)\b", re.I
)
# Blogs keep pictures of other people there, too
AVATAR_FOLDER = re.compile(r"/avatars?/", re.I)


def find_avatars(content: Element) -> set[Element]:
    """Return the pictures that may show an author, by their text or their folder."""
    return {img for img in content.iter("img") if _is_avatar(img)}


def _is_avatar(img: Element) -> bool:
    alt, source = img.get("alt", "").strip(), img.get("src", "")
    if alt[:3].lower() in ("aut", "wri") and AVATAR_ALT.fullmatch(alt):
        return True
    if not (("author" in source or "avatar" in source) and AVATAR_SOURCE.search(source)):
        return False
    return not alt or alt.casefold() == "author" or is_name(alt)


def shows_author(img: Element) -> bool:
    """Tell whether a picture shows an author wherever it stands: `/avatar/` has pictures of other things as well."""
    alt = img.get("alt", "").strip()
    return (
        AVATAR_ALT.fullmatch(alt) is not None
        or alt.casefold() == "author"
        or not AVATAR_FOLDER.search(img.get("src", ""))
    )


def avatar_name(avatar: Element) -> str | None:
    """Return the name that an author's picture gives, if it gives one."""
    alt = avatar.get("alt", "").strip()
    match = AVATAR_ALT.fullmatch(alt)
    name = (match[1] or "") if match else alt
    return name if is_name(name) else None
