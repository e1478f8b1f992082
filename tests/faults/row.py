"""What a row of the fault table says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.faults.pages import NEWS, TEXT, page
from tests.support.hostile import Answer, reply, says

DOMAIN = "techidaily.com"
GOOD = says(reply(page().encode()))
CHANGED = says(reply(page(TEXT + NEWS).encode()))
NO_ROBOTS = says(reply(b"", "404 Not Found"))

Copy = Literal["none", "first", "second"]
"""What the archive holds at the end: nothing, the file of the first visit to the byte, or that of the second."""
UNKNOWN = "unknown"
"""Stands for a state: the address is no page of the archive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One page on a host of its own, how it is answered on two visits, and what must come of it."""

    id: str
    """Also the first label of the host."""
    category: str
    first: Answer
    second: Answer
    state: str
    reason: str | None = None
    """Part of the page's reason; None where it has none."""
    copy: Copy = "none"
    target: str | None = None
    """The address that is judged, where that is not the page itself."""
    robots: tuple[Answer, Answer] = (NO_ROBOTS, NO_ROBOTS)
    asks: int | None = None
    """How often the page is asked for on the first visit."""
    title: str | None = None
    """The title that is archived."""
    text: str = ""
    """Part of the body that is archived."""

    @property
    def host(self) -> str:
        return f"{self.id}.{DOMAIN}"

    @property
    def page(self) -> str:
        return f"https://{self.host}/post/"

    @property
    def judged(self) -> str:
        return self.target or self.page


def stored(
    name: str,
    category: str,
    answer: Answer,
    *,
    reason: str | None = None,
    target: str | None = None,
    title: str | None = None,
    text: str = "",
) -> Row:
    """Make the row of an answer whose article is archived on the first visit, and stays on the second."""
    return Row(
        id=name,
        category=category,
        first=answer,
        second=answer,
        state="stored",
        reason=reason,
        copy="first",
        target=target,
        title=title,
        text=text,
    )


def over_copy(name: str, category: str, answer: Answer, reason: str) -> Row:
    """Make the row of an answer that fails over a good copy, which stays."""
    return Row(
        id=name, category=category, first=GOOD, second=answer, state="failed", reason=reason, copy="first"
    )


def fault(
    name: str,
    category: str,
    answer: Answer | bytes,
    state: str,
    reason: str | None,
    *,
    over: tuple[str, str | None] | None = None,
    asks: int | None = None,
) -> Iterator[Row]:
    """Make two rows of a bad answer: on both visits, which archive nothing, and over a good copy, which stays.

    `over`: the state and the reason of the page with the copy, where they differ.
    """
    bad = says(answer) if isinstance(answer, bytes) else answer
    yield Row(
        id=name, category=category, first=bad, second=bad, state=state, reason=reason, copy="none", asks=asks
    )
    state, reason = over or (state, reason)
    yield Row(
        id=f"{name}-over-copy",
        category=category,
        first=GOOD,
        second=bad,
        state=state,
        reason=reason,
        copy="first",
        asks=1,
    )
