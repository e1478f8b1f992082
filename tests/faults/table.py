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
    texts.dates,
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

SAMPLE = tuple(ROWS)[::3]
"""Ids of a third of the rows, some of each family: `make test` visits these, `make test-long` the rest."""
REST = tuple(name for name in ROWS if name not in SAMPLE)
