"""Rows of what servers ask of a crawler: Retry-After and robots.txt."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.row import CHANGED, GOOD, NO_ROBOTS, Row, fault
from tests.support.hostile import ROBOTS, Answer, reply

_TRIES = 3

_WAITS = {
    "seconds": ("2000", 1),
    "huge": ("1000000000", 1),
    "digits": ("9" * 400, 1),
    "date": ("Fri, 31 Dec 2999 23:59:59 GMT", 1),
    "past": ("Fri, 31 Dec 1999 23:59:59 GMT", _TRIES),
    "year-zero": ("Fri, 31 Dec 0000 23:59:59 GMT", _TRIES),
    "year-long": ("Fri, 31 Dec 99999 23:59:59 GMT", _TRIES),
    "negative": ("-5", _TRIES),
    "zero": ("0", _TRIES),
    "float": ("1e9", _TRIES),
    "infinite": ("inf", _TRIES),
    "nan": ("nan", _TRIES),
    "superscript": ("\u00b2", _TRIES),
    "garbage": ("soon", _TRIES),
    "empty": ("", _TRIES),
}


def waits() -> Iterator[Row]:
    """Retry-After in all forms: what says a time is obeyed, the rest is no reason to wait."""
    for name, (value, asks) in _WAITS.items():
        for status in (429, 503):
            answer = reply(b"", f"{status} Busy", retry_after=value)
            said = f"the server answers {status} "
            yield from fault(f"wait-{status}-{name}", "Retry-After", answer, "failed", said, asks=asks)


_ROBOTS: dict[str, tuple[str, str] | None] = {
    **dict.fromkeys(("star", "agent", "other", "empty", "bom", "utf16", "html", "garbage", "gzip")),
    **dict.fromkeys(("huge", "cut-rule", "gzip-if-asked", "403", "404", "410", "long-delay")),
    "slow": ("refused", "robots: robots.txt of "),
    "loop": ("failed", "it redirects more than 5 times"),
    "outside": ("failed", "it redirects to http://example.org/robots.txt"),
    "nowhere": ("failed", "could not be read (302)"),
    "reset": ("failed", "could not be read ("),
    "cut": ("failed", "the response ended early"),
    "429": ("failed", "could not be read (429)"),
    "500": ("failed", "could not be read (500)"),
    "503": ("failed", "could not be read (503)"),
}


def robots() -> Iterator[Row]:
    """Answers for robots.txt: where the rules are not known no page is fetched, and no copy is lost by it."""
    for name, closed in _ROBOTS.items():
        answer = ROBOTS[name]
        if closed is None:
            yield _asked(f"robots-{name}", (answer, answer), "stored", None, copy_of_second=True)
        else:
            yield Row(
                id=f"robots-{name}",
                category="robots.txt",
                first=GOOD,
                second=GOOD,
                robots=(answer, answer),
                state=closed[0],
                reason=closed[1],
                asks=0,
            )
            yield _asked(f"robots-{name}-over-copy", (NO_ROBOTS, answer), *closed)


def _asked(
    name: str, rules: tuple[Answer, Answer], state: str, reason: str | None, *, copy_of_second: bool = False
) -> Row:
    return Row(
        id=name,
        category="robots.txt",
        first=GOOD,
        second=CHANGED,
        robots=rules,
        state=state,
        reason=reason,
        copy="second" if copy_of_second else "first",
        asks=1,
    )
