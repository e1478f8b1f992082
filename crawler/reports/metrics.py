"""What a run came to and how its archive stands, as a text file that Prometheus' node_exporter reads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from prometheus_client import write_to_textfile
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlite_utils import Database

from crawler.errors import ArchiveError
from crawler.runs.crawl import WELL, Report
from pipelines.archive.catalog import COUNTS, read

_MOST_HOSTS = 20
"""Hosts that are named with their failed pages: each makes a time series of its own."""
_FAILED = """
    SELECT host, count(*) FROM pages WHERE state = 'failed'
    GROUP BY host ORDER BY count(*) DESC, host LIMIT ?"""
_SUCCESS = """
    SELECT max(ended_at) FROM crawls
    WHERE outcome IN (?, ?, ?, ?) AND (pages = 0 OR pages > failed + refused)"""


def write_metrics(report: Report, data: Path, file: Path) -> list[str]:
    """Replaces the file by the metrics of a run and of its archive. Returns why it could not, in sentences."""
    try:
        with closing(read(data / "archive.db")) as db:
            write_to_textfile(str(file), _Metrics(report, data, db))
    except OSError as error:
        return [f"The metrics can't be written to {file}: {error.strerror}."]
    except ArchiveError as error:
        return [f"There are no new metrics: {error}"]
    return []


class _Metrics(Collector):
    def __init__(self, report: Report, data: Path, db: Database) -> None:
        self._report, self._data, self._db = report, data, db

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Those of the archive, then those of its last run."""
        yield from self._archive()
        yield from self._crawl()

    def _archive(self) -> Iterator[GaugeMetricFamily]:
        yield self._gauge("articles", "Articles in the archive.", self._report.articles)
        yield self._gauge(
            "hosts",
            "Hosts with articles in the archive.",
            self._db.execute("SELECT count(*) FROM articles_by_host").fetchone()[0],
        )
        states = "SELECT state, count(*) FROM pages GROUP BY state"
        yield self._gauge("pages", "Known pages by state.", self._counts(states), "state")
        yield self._gauge("due_pages", "Pages that the next run would ask for.", self._report.due)
        yield self._gauge(
            "failed_pages", "Failed pages of the worst hosts.", self._counts(_FAILED, _MOST_HOSTS), "host"
        )
        yield self._gauge(
            "disk_free_bytes", "Free space where the archive lies.", shutil.disk_usage(self._data).free
        )
        yield self._gauge(
            "last_success_timestamp_seconds",
            "When the last run ended that was not cut short and reached its pages.",
            _timestamp(self._db.execute(_SUCCESS, WELL).fetchone()[0]),
        )

    def _crawl(self) -> Iterator[GaugeMetricFamily]:
        row, report = self._report.crawl, self._report
        yield self._gauge("crawl_number", "Number of the last run.", row["id"])
        yield self._gauge("crawl_info", "How the last run ended.", {row["outcome"]: 1}, "outcome")
        yield self._gauge("crawl_exit_code", "Exit code of the last run.", report.exit_code)
        for moment in ("start", "end"):
            yield self._gauge(
                f"crawl_{moment}_timestamp_seconds",
                f"The last run's {moment}.",
                _timestamp(row[f"{moment}ed_at"]),
            )
        yield self._gauge("crawl_duration_seconds", "How long the last run took.", report.seconds)
        yield self._gauge("crawl_received_bytes", "What the last run received.", row["bytes"])
        requests = {kind: row[f"{kind}_requests"] for kind in ("page", "sitemap", "robots")}
        yield self._gauge("crawl_requests", "Requests of the last run by kind.", requests, "kind")
        visits = {name: row[name] for name in COUNTS[1:]}
        yield self._gauge("crawl_visits", "What the last run's visits came to.", visits, "result")
        alarms = "SELECT kind, count(*) FROM alarms WHERE crawl = ? GROUP BY kind"
        yield self._gauge(
            "crawl_alarms", "Alarms of the last run by kind.", self._counts(alarms, row["id"]), "kind"
        )

    def _gauge(
        self, name: str, meaning: str, values: float | Mapping[str, float] | None, label: str = ""
    ) -> GaugeMetricFamily:
        """A metric with the archive's folder, and where there are many values the `label`, to tell them apart."""
        labels = ["archive", label] if label else ["archive"]
        metric = GaugeMetricFamily(f"alsoread_{name}", meaning, labels=labels)
        archive = str(self._data.resolve())
        if isinstance(values, Mapping):
            for key, value in values.items():
                metric.add_metric([archive, key], value)
        elif values is not None:
            metric.add_metric([archive], values)
        return metric

    def _counts(self, query: str, *values: int) -> dict[str, int]:
        return dict(self._db.execute(query, values).fetchall())


def _timestamp(moment: str | None) -> float | None:
    """A time of the archive in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
