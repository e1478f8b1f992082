"""What a row's result lacks of what it must be."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.crawls import Result
from tests.faults.row import Row
from tests.support.rendering import live_parts


def shortcomings(row: Row, result: Result) -> Iterator[str]:
    """What is not as the row says, a sentence each."""
    if result.state != row.state:
        yield f"state {result.state}, expected {row.state}"
    if row.reason is None and result.reason is not None:
        yield f"reason {result.reason!r}, expected none"
    if row.reason is not None and (not result.reason or row.reason not in result.reason):
        yield f"reason {result.reason!r}, expected {row.reason!r}"
    if result.copy != row.copy:
        yield f"copy {result.copy}, expected {row.copy}"
    if row.asks is not None and result.asks != row.asks:
        yield f"asked for {result.asks} times, expected {row.asks}"
    if row.title is not None and not result.title == row.title == result.metadata.get("title"):
        yield f"titles {result.title!r} and {result.metadata.get('title')!r}, expected {row.title!r}"
    if row.text not in result.body:
        yield f"text {result.body[:200]!r}, expected {row.text!r}"
    yield from live_parts(result.body)
