"""Errors that several parts of the crawler share."""

from __future__ import annotations


class UnreadablePage(ValueError):
    """An article is on a page, and part of it would be lost: the reason, as a clause for people."""
