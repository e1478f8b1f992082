"""Tell names of files apart by a hash where what they stand for differs and the names would not."""

from __future__ import annotations

from pipelines.archive.files import hash_of


def with_hash(name: str, source: str) -> str:
    """The name with `~` and eight digits of the SHA-256 of what it stands for.

    >>> with_hash("Tea-Time", "Tea-Time")
    'Tea-Time~c89cfb18'
    """
    return f"{name}~{hash_of(source.encode())[:8]}"
