"""Keep what was fetched: exchanges in WARC files, as a run's settings say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from socket import gethostname
from typing import Any

from sqlite_utils import Database

from crawler.items import Exchange
from pipelines.archive import records
from pipelines.archive.warc import FOLDER, WarcWriter


@dataclass(frozen=True, slots=True)
class OriginalsPolicy:
    """Which exchanges a run keeps, and what its WARC files say of it."""

    all: bool = False
    """Otherwise only those of pages that are quarantined."""
    info: dict[str, str] = field(default_factory=dict)


NOTHING = OriginalsPolicy()
_TOLD_SETTINGS = (
    *("ALSOREAD_SCOPE", "ALSOREAD_SEEDS", "ALSOREAD_HOSTS", "ALSOREAD_DISCOVER", "ALSOREAD_MAX_DEPTH"),
    *("ALSOREAD_MAX_PAGES", "ALSOREAD_RECRAWL", "ALSOREAD_RATE", "DOWNLOAD_DELAY"),
)


def policy_of(settings: Mapping[str, Any], seeds: Sequence[str] = ()) -> OriginalsPolicy:
    """Return what Scrapy's settings of a run say of its originals; `seeds`: the pages that it begins with."""
    told = {name: settings.get(name) for name in _TOLD_SETTINGS}
    info = {
        "software": f"alsoread/{version('alsoread')}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "http-header-user-agent": str(settings["USER_AGENT"]),
        "robots": "obey" if settings["ROBOTSTXT_OBEY"] else "ignore",
        "hostname": gethostname(),
        "settings": json.dumps(told),
        "seeds": json.dumps(list(seeds)),
    }
    return OriginalsPolicy(all=bool(settings["ALSOREAD_WARC"]), info=info)


class Originals:
    """The exchanges of a run, in the archive."""

    def __init__(self, data: Path, crawl: int, policy: OriginalsPolicy) -> None:
        self._all = policy.all
        self._warc = WarcWriter(data / FOLDER, crawl, policy.info | {"crawl": str(crawl)})

    def keep(self, db: Database, exchanges: Sequence[Exchange], *, needed: bool = False) -> int | None:
        """Keep exchanges, also against the settings if `needed`; return the record that has the last one's payload.

        In the caller's transaction. Raises OSError.
        """
        if not (self._all or needed):
            return None
        record = None
        for exchange in exchanges:
            record = records.keep(db, self._warc, exchange)
        return record

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Take back what the block keeps, unless it ends well."""
        with self._warc.batch():
            yield

    def sync(self) -> None:
        """Return when all that was kept is on the disk. Raises OSError."""
        self._warc.sync()

    def close(self) -> None:
        """Close the file; `close_files` completes it."""
        self._warc.close()
