"""The settings file of an archive: what it sets, what goes over it, and what is said of a mistake."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings

from crawler.config.file import Config, ConfigError, check_addresses, read_config
from crawler.config.options import KEYS
from crawler.config.units import QuietHours, parse_duration, parse_size
from crawler.runs.crawl import settings_with
from tests.site import Site

DOCS = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")

WHOLE = """
seeds = ["one.techidaily.com", "seeds.txt"]
contact = "ann@example.org"
[crawl]
hosts = ["*-tips.techidaily.com"]
discover = "links"
max_depth = 0
delay = 0.5
rate = 8
concurrency = 2
[limits]
pages = 100
bytes = "2 GiB"
time = "90 min"
disk_free = "1.5 GB"
quiet_hours = ["22:00-06:30"]
unlisted_pages = 50
unlisted_depth = 7
new_hosts = 3
[schedule]
cron = "17 3 * * 1-5"
jitter = "10 min"
[notify]
urls = ["json://localhost/hook"]
on = "always"
[keep]
logs = "2 weeks"
[metrics]
file = "numbers/alsoread.prom"
"""


def config(data: Path, text: str) -> Config:
    (data / "alsoread.toml").write_text(text, encoding="utf-8")
    return read_config(data)


def test_without_a_file_the_defaults(tmp_path: Path) -> None:
    assert read_config(tmp_path) == read_config(tmp_path / "nowhere") == config(tmp_path, "") == Config()
    assert Config().keep.logs == timedelta(days=90)


def test_a_file_sets_every_key(tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").touch()
    whole = config(tmp_path, "\ufeff" + WHOLE)
    assert whole.seeds == ("one.techidaily.com", str(tmp_path / "seeds.txt")), "a file is one beside it"
    assert whole.contact == "ann@example.org"
    assert (whole.crawl.hosts, whole.crawl.discover) == (("*-tips.techidaily.com",), "links")
    assert (whole.crawl.max_depth, whole.crawl.delay, whole.crawl.rate) == (0, 0.5, 8)
    assert (whole.crawl.concurrency, whole.limits.pages) == (2, 100)
    assert (whole.limits.bytes, whole.limits.disk_free) == (2 * 2**30, 1_500_000_000)
    assert whole.limits.time == timedelta(minutes=90)
    assert whole.limits.quiet_hours == (QuietHours(time(22), time(6, 30)),)
    assert (whole.limits.unlisted_pages, whole.limits.unlisted_depth, whole.limits.new_hosts) == (50, 7, 3)
    assert (whole.schedule.cron, whole.schedule.every) == ("17 3 * * 1-5", None)
    assert whole.schedule.jitter == timedelta(minutes=10)
    assert (whole.notify.urls, whole.notify.on) == (("json://localhost/hook",), "always")
    assert whole.keep.logs == timedelta(weeks=2)
    assert whole.metrics.file == tmp_path / "numbers" / "alsoread.prom"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("seeds = [", None, "is no TOML: Invalid value (at end of document)."),
        ('contact = "a@b"\n\ncrawl = \n', None, "is no TOML: Invalid value (at line 3, column 9)."),
        ("[crawl]\n# slow\ndellay = 3\n", 3, "crawl.dellay is not known: perhaps crawl.delay is meant."),
        ("# slow\n\ndelay = 3", 3, "delay is not known: perhaps crawl.delay is meant."),
        ("\n[crawll]\ndelay = 3", 2, "crawll is not known: perhaps crawl is meant."),
        ("xyz = 3", 1, "xyz is not known; what may be set is seeds, contact, crawl.hosts, "),
        ("crawl = 3", 1, "crawl must be a table, [crawl]."),
        ("crawl = { rate = -1 }", 1, "crawl.rate must be a number, 0 or more, and not -1."),
        ("crawl.rate = nan", 1, "crawl.rate must be a number, 0 or more, and not NaN."),
        ("[crawl]\ndelay = true", 2, "crawl.delay must be a number, 0 or more, and not true."),
        ("[crawl]\nmax_depth = 1.5", 2, "crawl.max_depth must be a whole number, 0 or more, and not 1.5."),
        ("[crawl]\nconcurrency = 0", 2, "crawl.concurrency must be a whole number, 1 or more, and not 0."),
        (
            '[crawl]\nhosts = [\n  "a.b",\n  "https://a.b"\n]\n',
            2,
            "crawl.hosts must be a list of hosts or pa",
        ),
        ('[crawl]\nhosts = "a.b"', 2, "crawl.hosts must be a list of hosts or patterns"),
        ('[crawl]\ndiscover = "feeds"', 2, 'must be "links", "sitemaps" or "both", and not "feeds".'),
        ('contact = "me"', 1, 'contact must be a mail or web address, and not "me".'),
        ('contact = "a@b\\r\\nX: y"', 1, "contact must be a mail or web address, and not "),
        ("seeds = [1]", 1, "seeds must be a list of addresses, hosts and files, and not [1]."),
        ('[limits]\nbytes = "2 GX"', 2, 'limits.bytes must be a size such as "500 MB" or "2 GiB", and not "'),
        ("[limits]\ntime = 90", 2, 'such as "10 min" or "12h", and not 90.'),
        ('[limits]\nquiet_hours = ["6-7"]', 2, 'a list of hours such as "22:00-06:30", and not ["6-7"].'),
        ('[limits]\nquiet_hours = ["07:00-07:00"]', 2, "limits.quiet_hours must be a list of hours"),
        ('[schedule]\ncron = "61 * * * *"', 2, 'a crontab such as "17 3 * * *", and not "61 * * * *".'),
        ('[schedule]\nevery = "1s"', 2, 'schedule.every must be a time of at least "1 min", such as "12h"'),
        (
            '[schedule]\ncron = "1 * * * *"\nevery = "1h"',
            3,
            "schedule.cron and schedule.every don't go together.",
        ),
        ('[keep]\nlogs = "20 h"', 2, 'keep.logs must be a time of at least "1 day", such as "90 days", and'),
        ('[notify]\nurls = ["a:secret@b"]', 2, "notify.urls must be a list of addresses that app"),
    ],
)
def test_a_mistake_names_the_line_the_key_and_what_is_allowed(
    tmp_path: Path, text: str, line: int | None, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        config(tmp_path, text)
    where = f"{tmp_path}/alsoread.toml" + (f", line {line}: " if line else " ")
    assert str(raised.value).startswith(where)
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_an_address_that_apprise_does_not_know_is_told_without_its_secrets(tmp_path: Path) -> None:
    config(tmp_path, '[notify]\non = "always"\nurls = [\n"json://b", "jsonn://a:secret@b"]')
    with pytest.raises(ConfigError) as raised:
        check_addresses(tmp_path)
    where = f"{tmp_path}/alsoread.toml, line 3"
    assert str(raised.value) == f"{where}: address 2 of notify.urls is none that apprise knows."


def test_a_line_is_found_below_values_of_many_lines(tmp_path: Path) -> None:
    text = 'seeds = [\n  """\n[crawl]\ndelay = 3""",\n  # delay = 1\n\n]\n[crawl] # fast\n\ndelay = "a"\n'
    with pytest.raises(ConfigError, match=r"line 10: crawl\.delay"):
        config(tmp_path, text)


def applied(data: Path, **options: Any) -> Settings:
    """The settings of a crawl of this archive before its spider is made."""
    return AsyncCrawlerRunner(settings_with({"ALSOREAD_DATA": str(data), **options})).settings


def test_the_file_goes_over_the_settings_and_the_command_line_over_the_file(tmp_path: Path) -> None:
    config(tmp_path, WHOLE)
    settings = applied(tmp_path, DOWNLOAD_DELAY=3.0)
    assert settings.getfloat("DOWNLOAD_DELAY") == 3
    assert settings.getlist("ALSOREAD_SEEDS") == ["one.techidaily.com", "seeds.txt"]
    assert settings.getlist("ALSOREAD_HOSTS") == ["*-tips.techidaily.com"]
    assert settings["ALSOREAD_DISCOVER"] == "links"
    assert settings.getint("ALSOREAD_MAX_DEPTH", 9) == 0
    assert settings["ALSOREAD_RATE"] == 8
    assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 2
    assert settings.getfloat("AUTOTHROTTLE_TARGET_CONCURRENCY") == 2
    assert settings.getint("ALSOREAD_MAX_PAGES") == 100
    assert settings.getint("ALSOREAD_MAX_BYTES") == 2 * 2**30
    assert settings.getfloat("ALSOREAD_MAX_SECONDS") == 5400
    assert settings.getint("ALSOREAD_DISK_FREE") == 1_500_000_000
    assert settings.getlist("ALSOREAD_QUIET_HOURS") == ["22:00-06:30"]
    assert settings.getint("ALSOREAD_UNLISTED_PAGES") == 50
    assert settings.getint("ALSOREAD_UNLISTED_DEPTH") == 7
    assert settings.getint("ALSOREAD_NEW_HOSTS") == 3
    assert settings["USER_AGENT"].endswith("(archive crawler; contact: ann@example.org)")
    plain = applied(tmp_path / "other")
    assert (plain.getfloat("DOWNLOAD_DELAY"), plain["ALSOREAD_RATE"]) == (1, 4)
    assert plain.getint("ALSOREAD_DISK_FREE") == 500_000_000


def test_a_crawl_obeys_the_file(tmp_path: Path) -> None:
    """Its seeds, its contact and its limits reach the server, by `alsoread` as by `scrapy`; its delay does not."""
    for name in ("one", "two"):
        (tmp_path / "network" / f"{name}.techidaily.com").mkdir(parents=True)
    data = tmp_path / "data"
    data.mkdir()
    config(
        data,
        'seeds = ["one.techidaily.com", "two.techidaily.com"]\ncontact = "ann@example.org"\n'
        "[crawl]\ndelay = 100\n[limits]\npages = 1\n",
    )
    with Site(tmp_path / "network") as site:
        other = [f"ALSOREAD_DATA={data}", f"ALSOREAD_CONNECT_TO={site.url}", "LOG_ENABLED=0"]
        commands = [
            ["-m", "crawler", "crawl", "--data", str(data), "--connect-to", site.url],
            ["-m", "scrapy", "crawl", "also_read", *(part for setting in other for part in ("-s", setting))],
        ]
        for command, host in zip(commands, ("one", "two"), strict=True):
            del site.log[:]
            done = subprocess.run([sys.executable, *command], capture_output=True, timeout=60, check=False)
            asked = [sent.host for sent in site.log if sent.path == "/"]
            assert asked == [f"{host}.techidaily.com"], done.stderr
            assert {sent.headers["user-agent"].rpartition(" ")[2] for sent in site.log} == {
                "ann@example.org)"
            }


@pytest.mark.parametrize("command", [["status"], ["show", "a"], ["crawl"]])
def test_every_command_tells_of_a_mistake(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "alsoread.toml").write_text("[limits]\npagess = 3\n")
    done = subprocess.run(
        [sys.executable, "-m", "crawler", *command, "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"alsoread: {tmp_path}/alsoread.toml, line 2: limits.pagess is not known: perhaps limits.pages is meant.\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert [path.name for path in tmp_path.iterdir()] == ["alsoread.toml"]


def test_the_document_has_every_key() -> None:
    text = DOCS.partition("| key |")[2].partition("\n\n")[0]
    table = re.findall(r"^\| `([\w.]+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    assert table == [(name, key.allowed, key.meaning) for name, key in KEYS.items()]


def test_the_example_of_the_document_is_right(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example
    assert config(tmp_path, example[1]).limits.time == timedelta(hours=6)


@pytest.mark.parametrize("text", ["", "5", "-5 s", "5 lightyears", "1e9 s", "4000 days", "٣ h", "nan s"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="is no length of time such as 90s, 10 min, 12h or 90 days"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "-5 MB", "5 m", "5 MB/s"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size such as 500 MB or 2 GiB"):
        parse_size(text)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


@pytest.mark.parametrize(
    ("hours", "moment", "inside", "end"),
    [
        (QuietHours(time(22), time(6, 30)), "2026-11-23T21:59:59", False, "2026-11-24T06:30"),
        (QuietHours(time(22), time(6, 30)), "2026-11-23T22:00", True, "2026-11-24T06:30"),
        (QuietHours(time(22), time(6, 30)), "2026-11-24T06:29:59", True, "2026-11-24T06:30"),
        (QuietHours(time(22), time(6, 30)), "2026-11-24T06:30", False, "2026-11-25T06:30"),
        (QuietHours(time(8), time(17)), "2026-11-23T07:59", False, "2026-11-23T17:00"),
        (QuietHours(time(8), time(17)), "2026-11-23T12:00", True, "2026-11-23T17:00"),
        (QuietHours(time(8), time(17)), "2026-11-23T17:00", False, "2026-11-24T17:00"),
    ],
)
def test_quiet_hours(hours: QuietHours, moment: str, inside: bool, end: str) -> None:
    for now in (local(moment), local(moment).astimezone(UTC)):
        assert (now in hours) is inside
        assert hours.end_after(now) == local(end)
