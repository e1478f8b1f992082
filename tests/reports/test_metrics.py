"""Metrics of a run, parsed as Prometheus parses them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlite_utils import Database

from crawler.items import Visit
from crawler.reports.metrics import ClusterMetrics, write_metrics
from crawler.runs.crawl import Report
from pipelines.archive.alarms import Alarm
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from tests.conftest import ARTICLE

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "monitoring.md"
RULES = ROOT / "deploy" / "alsoread.rules.yml"
BREAD = Visit(url=ARTICLE.url, state="stored", status=200, article=ARTICLE)
STATUS = {
    "workers": 3,
    "hosts": ["one.techidaily.com", "two.techidaily.com"],
    "pages_leased": 5,
    "oldest_lease_seconds": 1.5,
    "results_waiting": 4,
    "results_fenced": 1,
    "rate": 7.25,
}
"""What the coordinator of a crawl on a cluster says."""
ALARMS = [Alarm(kind="author", message="One."), Alarm(kind="author", message="Two.")]


def failed(host: str, number: int = 1) -> Visit:
    return Visit(url=f"https://{host}.techidaily.com/{number}/", state="failed", reason="no answer")


def crawl(data: Path, *visits: Visit) -> None:
    """A crawl with these visits and two alarms."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[600])
    catalog.begin_crawl()
    for visit in visits:
        catalog.add(visit)
    catalog.end_crawl(
        "finished", requests={"page": 3, "sitemap": 1, "robots": 1}, received=2048, raised=ALARMS
    )
    catalog.close()


def report(data: Path) -> Report:
    """Report of the last crawl."""
    with closing(open_readonly(data / "archive.db")) as db:
        row = next(db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
    return Report(
        crawl=row,
        seconds=61.5,
        articles=1,
        due=2,
        next_due=None,
        unreachable=[],
        alarms=ALARMS,
        log=data / "log",
        exit_code=1,
    )


def metrics(data: Path) -> dict[tuple[str, str], float]:
    """Values in the file, by name and value of the second label."""
    file = data / "metrics.prom"
    assert write_metrics(report(data), data, file) == []
    return parsed(file, data)


def parsed(file: Path, data: Path) -> dict[tuple[str, str], float]:
    values = {}
    for family in text_string_to_metric_families(file.read_text(encoding="utf-8")):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("archive") == str(data)
            assert len(labels) <= 1
            values[sample.name.removeprefix("alsoread_"), "".join(labels.values())] = sample.value
    return values


@contextmanager
def cluster_file(data: Path) -> Iterator[Path]:
    """The file of a crawl on a cluster, as long as it runs."""
    file = data / "metrics-cluster.prom"
    with ClusterMetrics(data, data / "metrics.prom") as running:
        running.write(STATUS)
        running.write(STATUS | {"workers": 1})  # too soon
        yield file
    assert not file.exists()


def cluster_metrics(data: Path) -> dict[str, float]:
    """Values in this file, by name."""
    with cluster_file(data) as file:
        return {name: value for (name, _), value in parsed(file, data).items()}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive after a crawl with an article, two failed pages and two alarms; read-only."""
    data = tmp_path_factory.mktemp("archive")
    crawl(data, BREAD, failed("two"), failed("two", 2))
    return data


def test_metrics_of_a_run_and_its_archive(archive: Path) -> None:
    values = metrics(archive)
    assert values.pop(("disk_free_bytes", "")) == pytest.approx(shutil.disk_usage(archive).free, rel=0.05)
    row = report(archive).crawl
    started, ended = (datetime.fromisoformat(row[name]).timestamp() for name in ("started_at", "ended_at"))
    zeros = [key for key, value in values.items() if key[0] == "crawl_visits" and not value]
    assert {key: value for key, value in values.items() if key not in zeros} == {
        ("articles", ""): 1,
        ("hosts", ""): 1,
        ("pages", "stored"): 1,
        ("pages", "due"): 2,
        ("pages", "failed"): 2,
        ("due_pages", ""): 2,
        ("failed_pages", "two.techidaily.com"): 2,
        ("last_success_timestamp_seconds", ""): ended,
        ("crawl_number", ""): 1,
        ("crawl_info", "finished"): 1,
        ("crawl_exit_code", ""): 1,
        ("crawl_start_timestamp_seconds", ""): started,
        ("crawl_end_timestamp_seconds", ""): ended,
        ("crawl_duration_seconds", ""): 61.5,
        ("crawl_received_bytes", ""): 2048,
        ("crawl_requests", "page"): 3,
        ("crawl_requests", "sitemap"): 1,
        ("crawl_requests", "robots"): 1,
        ("crawl_visits", "new"): 1,
        ("crawl_visits", "failed"): 2,
        ("crawl_alarms", "author"): 2,
    }


def test_metrics_of_a_crawl_on_a_cluster_while_it_runs(tmp_path: Path) -> None:
    assert cluster_metrics(tmp_path) == {
        "cluster_workers": 3,
        "cluster_hosts_leased": 2,
        "cluster_pages_leased": 5,
        "cluster_oldest_lease_seconds": 1.5,
        "cluster_results_waiting": 4,
        "cluster_results_fenced": 1,
        "cluster_pages_per_second": 7.25,
    }


@pytest.mark.parametrize(
    ("outcome", "pages", "lost", "success"),
    [
        ("finished", 3, 2, True),
        ("finished", 0, 0, True),
        ("finished", 3, 3, False),
        ("bytes", 3, 0, True),
        ("shutdown", 3, 0, False),
        ("killed", 3, 0, False),
        ("space", 3, 0, False),
    ],
)
def test_a_success_is_a_complete_run_that_reached_pages(
    archive: Path, tmp_path: Path, outcome: str, pages: int, lost: int, success: bool
) -> None:
    shutil.copy(archive / "archive.db", tmp_path)
    with closing(Database(tmp_path / "archive.db")) as db, db.atomic():
        db.execute("UPDATE crawls SET outcome = ?, pages = ?, failed = ?", [outcome, pages, lost])
    assert (("last_success_timestamp_seconds", "") in metrics(tmp_path)) == success


def test_the_twenty_worst_hosts_are_named(tmp_path: Path) -> None:
    crawl(tmp_path, *(failed(f"host-{host}", page) for host in range(22) for page in range(1 + (host > 1))))
    named = {host for name, host in metrics(tmp_path) if name == "failed_pages"}
    assert named == {f"host-{host}.techidaily.com" for host in range(2, 22)}


def test_a_run_whose_end_a_full_disk_did_not_record_has_no_end(archive: Path, tmp_path: Path) -> None:
    ended = report(archive)
    cut = replace(ended, crawl=ended.crawl | {"ended_at": None, "outcome": "disk"})
    assert write_metrics(cut, archive, tmp_path / "metrics.prom") == []
    text = (tmp_path / "metrics.prom").read_text()
    assert 'outcome="disk"} 1.0' in text
    assert "alsoread_crawl_end_timestamp_seconds{" not in text


def test_a_folder_of_any_name_is_a_label(archive: Path, tmp_path: Path) -> None:
    data = tmp_path / 'a "b" \\ \n ü'
    shutil.copytree(archive, data)
    assert metrics(data)["articles", ""] == 1


def test_an_error_is_reported_and_the_old_file_is_kept(archive: Path, tmp_path: Path) -> None:
    (line,) = write_metrics(report(archive), archive, tmp_path / "none" / "metrics.prom")
    assert f"{tmp_path}/none/metrics.prom: No such file or directory" in line
    (tmp_path / "metrics.prom").write_text("old")
    (line,) = write_metrics(report(archive), tmp_path / "elsewhere", tmp_path / "metrics.prom")
    assert f"{tmp_path}/elsewhere" in line
    assert (tmp_path / "metrics.prom").read_text() == "old"


def promtool(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing: Debian has it in the package prometheus")
    return subprocess.run(["promtool", *args], input=text, capture_output=True, text=True, check=False)


def test_promtool_accepts_the_metrics(archive: Path, tmp_path: Path) -> None:
    metrics(archive)
    with cluster_file(tmp_path) as running:
        for file in (archive / "metrics.prom", running):
            done = promtool("check", "metrics", text=file.read_text(encoding="utf-8"))
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_accepts_the_example_alerts() -> None:
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_alerts_use_existing_metrics(archive: Path) -> None:
    asked = set(re.findall(r"\balsoread_(\w+)", RULES.read_text(encoding="utf-8")))
    assert asked
    assert asked <= {name for name, _ in metrics(archive)}


def test_every_metric_is_documented(archive: Path, tmp_path: Path) -> None:
    described = re.findall(r"^\| alsoread_(\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert described == [*dict.fromkeys(name for name, _ in metrics(archive)), *cluster_metrics(tmp_path)]
