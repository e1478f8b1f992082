"""docs/json.md: the keys of what commands print with --json, and the types of their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_DOCS = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
SECTIONS = {
    heading.strip("`"): dict(re.findall(r"^\| `(.+?)` \| (.+?) \|", text, re.MULTILINE))
    for heading, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", _DOCS, re.MULTILINE | re.DOTALL)
}
_TYPES = {str: "text", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}

_ELSEWHERE = {"alsoread status": ("last_crawl.", "alarms[]."), "alsoread cluster status": ("crawl.",)}
"""Keys that other sections describe."""


def _keys(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key below an object as the documentation writes it, with its value."""
    for key, inner in value.items():
        yield f"{prefix}{key}", inner
        if isinstance(inner, dict):
            yield from _keys(inner, f"{prefix}{key}.")
        elif isinstance(inner, list):
            for entry in inner:
                if isinstance(entry, dict):
                    yield from _keys(entry, f"{prefix}{key}[].")


def _described(section: str, key: str) -> str | None:
    """Return the documented key that stands for a key; a part in upper case stands for any."""
    patterns = {
        documented: re.sub(r"[A-Z]+", "[a-z_]+", re.escape(documented)) for documented in SECTIONS[section]
    }
    return next((documented for documented, pattern in patterns.items() if re.fullmatch(pattern, key)), None)


def documented_keys(section: str, values: dict[str, Any]) -> set[str]:
    """The documented keys that an object has, each with a value of the type that it should have."""
    seen = set()
    for key, value in _keys(values):
        if key.startswith(_ELSEWHERE.get(section, ())):
            continue
        documented = _described(section, key)
        assert documented, f"{key} is not described"
        types = SECTIONS[section][documented].split(" or ")
        assert ("null" if value is None else _TYPES[type(value)]) in types, key
        seen.add(documented)
    return seen
