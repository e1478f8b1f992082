"""Describe what the last visit to an article's page found."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from crawler.clock import minute


def load(db: Database, page: int) -> dict[str, Any]:
    """Return the row of a page."""
    return next(db.query("SELECT * FROM pages WHERE id = ?", [page]))


def confirmed_at(page: dict[str, Any]) -> str | None:
    """Return when a visit last confirmed the current copy; None if the last visit did not."""
    return page["fetched_at"] if page["state"] == "stored" else None


def describe(page: dict[str, Any]) -> str:
    """Describe the last visit to the page of an archived article in a sentence."""
    state, reason = page["state"], page["error"]
    if confirmed := confirmed_at(page):
        return f"Last confirmed: {minute(confirmed)} UTC."
    # Catalogs of older versions have no `gone_at` until the page is visited again.
    gone = minute(page["gone_at"] or page["fetched_at"])
    if state == "gone":
        return f"The page has been gone since {gone} UTC: {reason}. The archived copy is kept."
    answered = f"{minute(page['fetched_at'])} UTC"
    if state == "failed":
        since = f", and had been gone since {gone} UTC" if page["gone_at"] else ""
        return f"The last visit failed: {reason}. The page last answered {answered}{since}."
    return f"The page is no longer an article: {reason} ({answered}). The archived copy is kept."
