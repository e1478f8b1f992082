"""`alsoread schedule`: when crawls start, and its options and errors."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from crawler.config.units import QuietHours, parse_cron
from crawler.service.schedule import LastCrawl, Plan, last_crawl
from tests.support import commands
from tests.support.scheduling import archive_with_a_crawl, ended

DAY = timedelta(days=1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def crawl_12(started_at: datetime, outcome: str | None = "finished", pid: int = 1) -> LastCrawl:
    return LastCrawl(12, pid, started_at, outcome)


# When crawls start


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("17 3 * * 0", ["Sun 29", "Sun 06"]),
        ("17 3 * * 7", ["Sun 29", "Sun 06"]),
        ("17 3 * * 1-5", ["Tue 24", "Wed 25", "Thu 26", "Fri 27", "Mon 30"]),
        ("17 3 * * fri-sun", ["Fri 27", "Sat 28", "Sun 29", "Fri 04"]),
        ("17 3 * * */2", ["Tue 24", "Thu 26", "Sat 28", "Sun 29"]),
        ("17 3 1 * 1", ["Mon 30", "Tue 01", "Mon 07"]),
        ("17 3 1 * *", ["Tue 01", "Fri 01"]),
        ("17 3 29 2 *", ["Tue 29"]),
    ],
)
def test_a_cron_expression_matches_as_in_cron(line: str, days: list[str]) -> None:
    starts = Plan(parse_cron(line)).starts_after(NOON)
    assert [f"{start:%a %d}" for start in islice(starts, len(days))] == days


@pytest.mark.parametrize(
    ("day", "starts"),
    [
        (
            "2027-03-27",
            ["Sat 2027-03-27 02:30 CET", "Sun 2027-03-28 03:30 CEST", "Mon 2027-03-29 02:30 CEST"],
        ),
        (
            "2027-10-30",
            ["Sat 2027-10-30 02:30 CEST", "Sun 2027-10-31 02:30 CEST", "Mon 2027-11-01 02:30 CET"],
        ),
    ],
)
def test_clock_changes(tmp_path: Path, day: str, starts: list[str]) -> None:
    ahead = datetime.fromisoformat(day).replace(tzinfo=UTC) - datetime.now(UTC)
    archive_with_a_crawl(tmp_path, ahead)
    printed = ended(tmp_path, "--cron", "30 2 * * *", "--next", "3", ahead=ahead, zone="Europe/Berlin")
    assert printed == (0, "\n".join(starts) + "\n", "")


def test_jitter_delays_a_start_and_does_not_repeat_it() -> None:
    daily = Plan("17 3 * * *", jitter=timedelta(minutes=20))
    due = daily.due_after(NOON)
    starts = {daily.start_after(NOON) for _ in range(100)}
    assert len(starts) > 1
    assert all(due <= start < due + timedelta(minutes=20) for start in starts)
    assert {daily.due_after(start) for start in starts} == {due + DAY}


def test_a_start_in_quiet_hours_waits_for_their_end_and_is_not_repeated() -> None:
    local = NOON.astimezone()
    quiet = QuietHours((local + timedelta(hours=1)).time(), (local + timedelta(hours=5)).time())
    starts = Plan(timedelta(hours=2), quiet_hours=(quiet,)).starts_after(NOON)
    assert [(start - NOON) / timedelta(hours=1) for start in islice(starts, 3)] == [5, 7, 9]
    first, _ = Plan(DAY, quiet_hours=(quiet,)).first_start(None, NOON + timedelta(hours=2))
    assert first == NOON + timedelta(hours=5)


@pytest.mark.parametrize(
    ("last", "hours", "reason"),
    [
        (None, 0, "No crawl yet."),
        (crawl_12(NOON), 12, ""),
        (crawl_12(NOON - timedelta(hours=11)), 1, ""),
        (
            crawl_12(NOON - timedelta(hours=12)),
            0,
            "Missed 1 scheduled crawl since crawl 12; one makes up for all.",
        ),
        (
            crawl_12(NOON - timedelta(hours=40)),
            0,
            "Missed 3 scheduled crawls since crawl 12; one makes up for all.",
        ),
        (
            crawl_12(NOON - timedelta(hours=1), "shutdown"),
            0,
            "Crawl 12 was interrupted; the next one resumes it.",
        ),
        (
            crawl_12(NOON - timedelta(hours=1), None, 2**22),
            0,
            "Crawl 12 was interrupted; the next one resumes it.",
        ),
        (crawl_12(NOON - timedelta(hours=1), None, os.getpid()), 11, ""),
        (crawl_12(NOON - timedelta(hours=1), "time"), 11, ""),
        (crawl_12(NOON + 999 * DAY), 12, ""),
    ],
)
def test_the_first_start_of_a_service(last: LastCrawl | None, hours: int, reason: str) -> None:
    start, why = Plan(timedelta(hours=12)).first_start(last, NOON)
    assert ((start - NOON) / timedelta(hours=1), why) == (hours, reason)


def test_at_most_a_thousand_missed_starts_are_counted() -> None:
    assert Plan(timedelta(seconds=1)).count_missed(NOON, NOON + 999 * DAY) == 1000


def test_an_archive_without_tables_has_no_last_crawl(tmp_path: Path) -> None:
    assert last_crawl(tmp_path) is None
    (tmp_path / "archive.db").touch()
    assert last_crawl(tmp_path) is None


# The command


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], 'No schedule is set; try --cron "17 3 * * *" or --every 12h.'),
        (["--cron", "17 3 * *"], "'17 3 * *' is not a cron expression such as"),
        (["--every", "often"], "'often' is not a duration of at least"),
        (["--every", "0s"], "'0s' is not a duration of at least"),
        (["--every", "59s"], '\'59s\' is not a duration of at least "1 min", such as "12h".'),
        (["--cron", "@often"], "'@often' is not a cron expression such as"),
        (["--every", "1h", "--cron", "1 1 * * *"], "--cron and --every can't be used together."),
        (["--every", "1h", "--next", "1", "--once"], "--next and --once can't be used together."),
        (["--every", "1h", "--", "--hots", "x"], "No such option '--hots'"),
    ],
)
def test_a_usage_error_is_reported_before_anything_starts(
    tmp_path: Path, args: list[str], message: str
) -> None:
    done = commands.here("schedule", "--data", tmp_path, *args)
    assert done.exit_code == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_options_override_the_schedule_of_the_settings_file(tmp_path: Path) -> None:
    archive_with_a_crawl(tmp_path)
    settings = '[schedule]\nevery = "6h"\njitter = "10 min"\n[limits]\nquiet_hours = ["00:00-23:59"]\n'
    (tmp_path / "alsoread.toml").write_text(settings)
    code, out, _ = ended(tmp_path, "--next", "2")
    assert code == 0
    assert [line[-9:] for line in out.splitlines()[:2]] == ["23:59 UTC"] * 2, (
        "each waits for the end of the quiet hours"
    )
    assert out.endswith("Each start is delayed by up to 0:10:00.\n")
    code, out, _ = ended(tmp_path, "--next", "1", "--cron", "59 23 * * *", "--jitter", "0s")
    assert (code, out[-10:]) == (0, "23:59 UTC\n")


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("@weekly", ["Sun 29", "Sun 06"]),
        pytest.param("@daily", ["Tue 24", "Wed 25"], marks=pytest.mark.long),
        pytest.param("@monthly", ["Tue 01", "Fri 01"], marks=pytest.mark.long),
    ],
)
def test_a_name_stands_for_a_cron_expression_also_in_the_settings_file(
    tmp_path: Path, name: str, days: list[str]
) -> None:
    ahead = NOON - datetime.now(UTC)
    archive_with_a_crawl(tmp_path, ahead)
    code, out, err = ended(tmp_path, "--cron", name, "--next", "2", ahead=ahead)
    assert (code, err) == (0, "")
    starts = [datetime.strptime(line, "%a %Y-%m-%d %H:%M %Z") for line in out.splitlines()]
    assert [f"{start:%a %d %H:%M}" for start in starts] == [f"{day} 00:00" for day in days]
    (tmp_path / "alsoread.toml").write_text(f'schedule.cron = "{name}"\n', encoding="utf-8")
    assert ended(tmp_path, "--next", "2", ahead=ahead)[1] == out


def test_a_damaged_catalog_ends_the_service_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_text("not a database " * 100)
    code, out, err = ended(tmp_path, "--every", "1h")
    assert (code, out) == (7, "")
    assert "file is not a database" in err
