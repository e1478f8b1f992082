"""Make the heat map of articles by host and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from crawler.reports.page.charts import Grid, heat_bounds

LISTED_MONTHS = 60
_EARLY_SHARE = 0.01
"""Share of the articles that may be before the first month: single old ones would stretch the time over years."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Articles by host and month, and those whose date is outside."""

    grid: Grid
    by_month: list[tuple[str, int]]
    earlier: int
    later: int
    undated: int


def calendar(
    months: Sequence[tuple[str, str | None, int]],
    hosts: Sequence[str],
    last: str,
    name_of: Callable[[str], str],
) -> Calendar:
    """Return the months up to `last` that have articles, from the first with more than single ones before it."""
    by_month: Counter[str] = Counter()
    for _, month, articles in months:
        by_month[month or ""] += articles
    newest = max((month for month in by_month if "" < month <= last), default=last)
    columns = _months(_first(by_month, newest), newest)
    column_of = {month: column for column, month in enumerate(columns)}
    row_of = {host: row for row, host in enumerate(hosts)}
    cells = sorted(
        (column_of[month], row_of[host], articles) for host, month, articles in months if month in column_of
    )
    return Calendar(
        grid=Grid([*map(name_of, hosts)], columns, cells, heat_bounds([value for _, _, value in cells])),
        by_month=[(month, by_month[month]) for month in columns],
        earlier=sum(count for month, count in by_month.items() if "" < month < columns[0]),
        later=sum(count for month, count in by_month.items() if month > newest),
        undated=by_month[""],
    )


def _first(by_month: Mapping[str, int], last: str) -> str:
    known = sorted(month for month in by_month if "" < month <= last)
    before = accumulate((by_month[month] for month in known), initial=0)
    spared = _EARLY_SHARE * sum(by_month[month] for month in known)
    return max((month for month, count in zip(known, before, strict=False) if count <= spared), default=last)


def _months(first: str, last: str) -> list[str]:
    """Return the months from the first to the last, at most the last so many.

    >>> _months("2023-11", "2024-02")
    ['2023-11', '2023-12', '2024-01', '2024-02']
    >>> len(_months("0001-01", "2024-02"))
    60
    """
    start, end = (12 * int(month[:4]) + int(month[5:7]) - 1 for month in (first, last))
    numbers = range(max(start, end - LISTED_MONTHS + 1), end + 1)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in numbers]
