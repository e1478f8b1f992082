"""Metrics as text files for Prometheus' node_exporter: of the last run and its archive, and of a cluster at work."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, Self

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
from sqlite_utils import Database

from crawler.config.file import read_config
from crawler.config.options import scrapy_settings
from crawler.errors import AlsoreadError
from crawler.frontier.due import count_due
from crawler.reports.cluster import cluster_values
from crawler.runs.crawl import SUCCESSFUL, Report
from pipelines.archive.catalog import COUNTS
from pipelines.archive.connection import open_readonly

_MAX_HOSTS = 20
"""Hosts with a gauge of failed pages: each makes a time series of its own."""
_FAILED_BY_HOST = """
    SELECT host, pages FROM state_counts WHERE state = 'failed' ORDER BY pages DESC, host LIMIT ?"""
_LAST_SUCCESS = """
    SELECT max(ended_at) FROM crawls
    WHERE outcome IN (?, ?, ?, ?) AND (pages = 0 OR pages > failed + refused)"""

_CLUSTER_SECONDS = 5.0
"""Seconds between two times that the metrics of a cluster are written."""
_CLUSTER_GAUGES = {
    "workers": "Workers that take part.",
    "hosts_leased": "Hosts that a worker has.",
    "pages_leased": "Pages that workers fetch or read.",
    "oldest_lease_seconds": "How long the first of these pages has been out.",
    "results_waiting": "Results that are not stored yet.",
    "results_fenced": "Results that changed nothing, as another worker had brought the page.",
    "pages_per_second": "Pages that were stored a second, of late.",
}


def write_metrics(report: Report, data: Path, file: Path) -> list[str]:
    """Replace the file with the metrics of a run and its archive; return what went wrong, in sentences."""
    gauges = _Gauges(data)
    try:
        due = count_due(data, scrapy_settings(read_config(data)))  # without the options of this run
        with closing(open_readonly(data / "archive.db")) as db:
            _add_archive(gauges, db, report, due)
            _add_crawl(gauges, db, report)
        write_to_textfile(str(file), gauges.registry)
    except OSError as error:
        return [f"Could not write the metrics to {file}: {error.strerror}."]
    except AlsoreadError as error:
        return [f"Could not collect the metrics: {error}"]
    return []


class ClusterMetrics:
    """Metrics of a crawl on a cluster as long as it runs, in a file of their own beside that of the last run."""

    def __init__(self, data: Path, file: Path) -> None:
        """`file`: that of the last run."""
        self._data, self._file = data, file.with_stem(f"{file.stem}-cluster")
        self._written_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.unlink(missing_ok=True)  # also that of a crawl that was killed

    def write(self, status: Mapping[str, Any]) -> None:
        """Replace the file with what the coordinator says, every few seconds. Without room for it there is none."""
        if monotonic() - self._written_at < _CLUSTER_SECONDS:
            return
        self._written_at = monotonic()
        gauges = _Gauges(self._data)
        values = {**cluster_values(status), "pages_per_second": status["rate"]}
        for name, meaning in _CLUSTER_GAUGES.items():
            gauges.add(f"cluster_{name}", meaning, values[name])
        with suppress(OSError):
            write_to_textfile(str(self._file), gauges.registry)


class _Gauges:
    """Gauges that all have the archive's folder as a label."""

    def __init__(self, data: Path) -> None:
        self.registry = CollectorRegistry()
        self.data = data
        self._archive = str(data.resolve())

    def add(self, name: str, meaning: str, value: float | None) -> None:
        """Add a gauge; without a value where that is not known."""
        gauge = Gauge(f"alsoread_{name}", meaning, ["archive"], registry=self.registry)
        if value is not None:
            gauge.labels(self._archive).set(value)

    def add_by(self, label: str, name: str, meaning: str, values: Mapping[str, float]) -> None:
        """Add a gauge with a value for each value of a label."""
        gauge = Gauge(f"alsoread_{name}", meaning, ["archive", label], registry=self.registry)
        for key, value in values.items():
            gauge.labels(self._archive, key).set(value)


def _add_archive(gauges: _Gauges, db: Database, report: Report, due: int) -> None:
    hosts = db.execute("SELECT count(*) FROM articles_by_host").fetchone()[0]
    pages = db.execute("SELECT state, sum(pages) FROM state_counts GROUP BY state")
    failed = db.execute(_FAILED_BY_HOST, [_MAX_HOSTS])
    success = db.execute(_LAST_SUCCESS, SUCCESSFUL).fetchone()[0]
    gauges.add("articles", "Articles in the archive.", report.articles)
    gauges.add("hosts", "Hosts with articles in the archive.", hosts)
    gauges.add_by("state", "pages", "Known pages by state.", dict(pages.fetchall()))
    gauges.add("due_pages", "Pages that the next run would request.", due)
    gauges.add_by("host", "failed_pages", "Failed pages of the worst hosts.", dict(failed.fetchall()))
    gauges.add("disk_free_bytes", "Free space on the archive's disk.", shutil.disk_usage(gauges.data).free)
    gauges.add(
        "last_success_timestamp_seconds",
        "End of the last run that was not cut short and reached pages.",
        _timestamp(success),
    )


def _add_crawl(gauges: _Gauges, db: Database, report: Report) -> None:
    row = report.crawl
    requests = {kind: row[f"{kind}_requests"] for kind in ("page", "sitemap", "robots")}
    visits = {result: row[result] for result in COUNTS[1:]}
    alarms = db.execute("SELECT kind, count(*) FROM alarms WHERE crawl = ? GROUP BY kind", [row["id"]])
    started, ended = _timestamp(row["started_at"]), _timestamp(row["ended_at"])
    gauges.add("crawl_number", "Number of the last run.", row["id"])
    gauges.add_by("outcome", "crawl_info", "Outcome of the last run.", {row["outcome"]: 1})
    gauges.add("crawl_exit_code", "Exit code of the last run.", report.exit_code)
    gauges.add("crawl_start_timestamp_seconds", "Start of the last run.", started)
    gauges.add("crawl_end_timestamp_seconds", "End of the last run.", ended)
    gauges.add("crawl_duration_seconds", "Duration of the last run.", report.seconds)
    gauges.add("crawl_received_bytes", "Bytes received by the last run.", row["bytes"])
    gauges.add_by("kind", "crawl_requests", "Requests of the last run by kind.", requests)
    gauges.add_by("result", "crawl_visits", "Visits of the last run by result.", visits)
    if report.cluster:
        gauges.add_by("count", "crawl_cluster", "Counts of the last run, on a cluster.", report.cluster)
    gauges.add_by("kind", "crawl_alarms", "Alarms of the last run by kind.", dict(alarms.fetchall()))


def _timestamp(time: str | None) -> float | None:
    """Convert a time of the catalog to seconds since 1970."""
    return datetime.fromisoformat(time).timestamp() if time else None
