"""The table: all rows, by the order of their families."""

from __future__ import annotations

from itertools import chain

from tests.faults import addresses, answers, contents, manners, texts

FAMILIES = (
    answers.statuses,
    answers.status_lines,
    answers.framing,
    answers.compression,
    answers.types,
    manners.waits,
    manners.robots,
    answers.recoveries,
    contents.cuts,
    texts.charsets,
    texts.titles,
    contents.markup,
    contents.first_copies,
    contents.replaced,
    contents.sizes,
    contents.claims,
    addresses.links,
    addresses.outside,
    addresses.redirects,
)
ROWS = {row.id: row for row in chain.from_iterable(family() for family in FAMILIES)}
"""Every row by its id."""

_UNKNOWN_LABEL = "a label of the WHATWG's list that Python does not know is read as UTF-8"
KNOWN_GAPS = {
    "html-cut-90": "a page that ends within its copyright box counts as whole, and its licence is lost",
    **{f"charset-{place}-x-mac-cyrillic": _UNKNOWN_LABEL for place in ("header", "meta")},
    "charset-meta-x-mac-cyrillic-header-wrong": _UNKNOWN_LABEL,
}
"""Rows that do not get what they expect yet, with the reason."""
