"""Make the figures of pages by state."""

from __future__ import annotations

from collections.abc import Mapping

from crawler.reports.page.charts import Bars
from crawler.reports.page.figures import Figure
from crawler.reports.status import STATES

_COLOURS = {"stored": "c3", "due": "c6", "not_article": "c1", "gone": "c2", "refused": "c5", "failed": "c4"}


def by_state(name: str, caption: str, pages: Mapping[str, int]) -> Figure:
    """Return a figure of pages by state, in the order of `alsoread status`."""
    states = [state for state in STATES if pages.get(state)]
    meanings, counts = [STATES[state] for state in states], [pages[state] for state in states]
    return Figure(
        name=name,
        caption=caption,
        chart=Bars(meanings, [_COLOURS[state] for state in states], counts),
        headings=("state", "pages"),
        rows=[*zip(meanings, counts, strict=True)],
    )
