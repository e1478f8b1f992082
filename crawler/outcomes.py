"""What a fetch that brought no article came to, in words that a person understands. Pure."""

from __future__ import annotations

from typing import Literal

from scrapy.exceptions import IgnoreRequest

Rule = Literal["robots", "scope", "address", "too-large", "wrong-type", "trap"]


class Refused(IgnoreRequest):
    """A page that must not be fetched or kept: the rule that says so, and what it met."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")


class Failed(Exception):
    """A fetch that went wrong and is worth another try later: what happened."""
