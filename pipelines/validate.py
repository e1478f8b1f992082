"""What may not pass in silence: an article without its text is none, and takes no good one's place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crawler.items import Visit

_SHORT = 40
"""Words of an archived article up to which it may become any shorter."""
_KEPT = 1 / 4
"""Of the words of a longer one at least."""


def validate(visit: Visit) -> Visit:
    """The visit, turned into a failure where it brings no text, or lost that of the archived article.

    A redirect is no loss: the article has moved.
    """
    reason = _fault(visit)
    return replace(visit, state="failed", reason=reason, article=None) if reason else visit


def _fault(visit: Visit) -> str | None:
    before = visit.archived_words
    if visit.article is None:
        lost = visit.state == "not_article" and not visit.moved_to and before is not None
        return "no longer reads as an article; the archived copy is kept" if lost else None
    words = len(visit.article.body.split())
    if not words:
        return "the article has no text"
    if before is not None and before >= _SHORT and words < before * _KEPT:
        return f"the text shrank from {before:,} words to {words:,}; the archived copy is kept"
    return None


class Validate:
    """Pipeline: turns the visits into failures that brought no text, or less than may be."""

    def process_item(self, item: Any) -> Any:
        """The item, judged where it is a visit."""
        return validate(item) if isinstance(item, Visit) else item
