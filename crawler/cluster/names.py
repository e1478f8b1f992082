"""Name the coordinators of a cluster by their archives and parts, so that others find them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from crawler.config.units import Part

_SEPARATOR = "."


def name_of(data: Path, part: Part | None, scope: Sequence[str]) -> str:
    """Return the name of an archive's coordinator. Those of as many parts of the same domains belong together."""
    archive = _name_of_archive(data)
    if part is None:
        return archive
    crawl = _digest(str(part.count), *sorted(scope))
    return _SEPARATOR.join((archive, crawl, str(part.number)))


def find_name(data: Path, names: Iterable[str]) -> str:
    """Return the name of an archive's coordinator as it is among `names`, whatever its part."""
    archive = _name_of_archive(data)
    return next((name for name in names if name.split(_SEPARATOR)[0] == archive), archive)


def other_parts(own: str, names: Iterable[str]) -> Mapping[int, str]:
    """Return the names of the other coordinators of a crawl in parts, by the numbers of their parts."""
    _, crawl, _ = own.split(_SEPARATOR)
    others = {}
    for name in names:
        _, *part = name.split(_SEPARATOR)
        if name != own and part and part[0] == crawl:
            others[int(part[1])] = name
    return others


def _name_of_archive(data: Path) -> str:
    return f"coordinator-{_digest(str(data.absolute()))}"


def _digest(*words: str) -> str:
    return sha256(" ".join(words).encode()).hexdigest()[:16]
