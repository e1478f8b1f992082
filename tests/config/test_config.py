"""The settings file of an archive: its values, what overrides them, and its error messages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings

from crawler.config.file import ConfigError, check_notify_urls, read_config
from crawler.config.options import OPTIONS, Option
from crawler.config.units import QuietHours, parse_cron, parse_duration, parse_quiet_hours, parse_size
from crawler.runs.crawl import settings_with
from tests.site import Site
from tests.support.commands import here

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
[cluster]
address = "192.168.1.10:6379"
workers = 8
part = "2/4"
[warc]
write = false
shared = true
[metrics]
file = "numbers/alsoread.prom"
"""


def config(data: Path, text: str) -> dict[str, Any]:
    (data / "alsoread.toml").write_text(text, encoding="utf-8")
    return read_config(data)


def test_without_a_file_every_option_has_its_default(tmp_path: Path) -> None:
    defaults = read_config(tmp_path)
    assert defaults == config(tmp_path, "")
    assert defaults.keys() == OPTIONS.keys()
    assert (defaults["keep.logs"], defaults["schedule.jitter"]) == (timedelta(days=90), timedelta())
    assert (defaults["notify.urls"], defaults["notify.on"]) == ([], "alarms")
    assert defaults["metrics.file"] == tmp_path / "metrics.prom"
    assert read_config(tmp_path / "nowhere")["crawl.delay"] == 1


def test_a_file_sets_every_option(tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").touch()
    values = config(tmp_path, "\ufeff" + WHOLE)
    assert values == {
        "seeds": ["one.techidaily.com", str(tmp_path / "seeds.txt")],
        "contact": "ann@example.org",
        "crawl.hosts": ["*-tips.techidaily.com"],
        "crawl.discover": "links",
        "crawl.max_depth": 0,
        "crawl.delay": 0.5,
        "crawl.rate": 8,
        "crawl.concurrency": 2,
        "limits.pages": 100,
        "limits.bytes": 2 * 2**30,
        "limits.time": 5400,
        "limits.disk_free": 1_500_000_000,
        "limits.quiet_hours": ["22:00-06:30"],
        "limits.unlisted_pages": 50,
        "limits.unlisted_depth": 7,
        "limits.new_hosts": 3,
        "schedule.cron": "17 3 * * 1-5",
        "schedule.every": None,
        "schedule.jitter": timedelta(minutes=10),
        "notify.urls": ["json://localhost/hook"],
        "notify.on": "always",
        "keep.logs": timedelta(weeks=2),
        "cluster.address": "192.168.1.10:6379",
        "cluster.workers": 8,
        "cluster.part": "2/4",
        "warc.write": False,
        "warc.shared": True,
        "metrics.file": tmp_path / "numbers" / "alsoread.prom",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds = [", " is not valid TOML: Invalid value (at end of document)."),
        ('contact = "a@b"\n\ncrawl = \n', " is not valid TOML: Invalid value (at line 3, column 9)."),
        ("[crawl]\ndellay = 3\n", ": crawl.dellay is not a known option; did you mean crawl.delay?"),
        ("delay = 3", ": delay is not a known option; did you mean crawl.delay?"),
        ("[crawll]\ndelay = 3", ": crawll is not a known option; did you mean crawl?"),
        ("xyz = 3", ": xyz is not a known option; known are seeds, contact, crawl.hosts, "),
        ("crawl = 3", ": crawl must be a table, [crawl]."),
        ("crawl = { rate = -1 }", ": crawl.rate must be a number, 0 or more, not -1."),
        ("crawl.rate = nan", ": crawl.rate must be a number, 0 or more, not NaN."),
        ("crawl.rate = inf", ": crawl.rate must be a number, 0 or more, not Infinity."),
        ("[crawl]\ndelay = true", ": crawl.delay must be a number, 0 or more, not true."),
        ("[crawl]\nmax_depth = 1.5", ": crawl.max_depth must be a whole number, 0 or more, not 1.5."),
        ("[crawl]\nconcurrency = 0", ": crawl.concurrency must be a whole number, 1 or more, not 0."),
        (
            '[crawl]\nhosts = [\n  "a.b",\n  "https://a.b"\n]\n',
            ': crawl.hosts must be a list, each item a host or a pattern such as "*-tips.techidaily.com", not ["a.b',
        ),
        ('[crawl]\nhosts = "a.b"', ": crawl.hosts must be a list, each item a host or a pattern"),
        (
            '[crawl]\ndiscover = "feeds"',
            ': crawl.discover must be "links", "sitemaps" or "both", not "feeds".',
        ),
        ('contact = "me"', ': contact must be a mail or web address, not "me".'),
        ('contact = "a@b\\r\\nX: y"', ": contact must be a mail or web address, not "),
        ("seeds = [1]", ": seeds must be a list, each item a URL, a host or a file, not [1]."),
        ('seeds = [" "]', ': seeds must be a list, each item a URL, a host or a file, not [" "].'),
        (
            '[limits]\nbytes = "2 GX"',
            ': limits.bytes must be a size such as "500 MB" or "2 GiB", not "2 GX".',
        ),
        ("[limits]\ntime = 90", ': limits.time must be a duration such as "10 min" or "12h", not 90.'),
        (
            '[limits]\nquiet_hours = ["6-7"]',
            ': limits.quiet_hours must be a list, each item a range such as "22:00-06:30", not ["6-7"].',
        ),
        ('[limits]\nquiet_hours = ["07:00-07:00"]', ": limits.quiet_hours must be a list, each item a range"),
        (
            '[schedule]\ncron = "61 * * * *"',
            ': schedule.cron must be a cron expression such as "17 3 * * *" or "@daily", not "61 * * * *".',
        ),
        (
            '[schedule]\nevery = "5s"',
            ': schedule.every must be a duration of at least "1 min", such as "12h", not "5s".',
        ),
        (
            '[schedule]\ncron = "1 * * * *"\nevery = "1h"',
            ": schedule.cron and schedule.every can't be used together.",
        ),
        (
            '[cluster]\npart = "5/4"',
            ': cluster.part must be a part such as "2/4", the second of four, not "5/4".',
        ),
        (
            '[keep]\nlogs = "20 h"',
            ': keep.logs must be a duration of at least "1 day", such as "90 days", not "20 h".',
        ),
        (
            '[notify]\nurls = ["a:secret@b"]',
            ": notify.urls must be a list, each item a URL that apprise knows, "
            'such as "mailto://user:password@example.org".',
        ),
    ],
)
def test_an_error_names_the_file_the_key_the_value_and_what_is_valid(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        config(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path}/alsoread.toml{message}")
    assert "secret" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_url_that_apprise_does_not_know_is_reported_without_its_secrets(tmp_path: Path) -> None:
    config(tmp_path, '[notify]\non = "always"\nurls = [\n"json://b", "jsonn://a:secret@b"]')
    with pytest.raises(ConfigError) as raised:
        check_notify_urls(tmp_path)
    assert str(raised.value) == f"{tmp_path}/alsoread.toml: apprise does not know URL 2 of notify.urls."


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
    assert plain.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 1
    assert (plain["ALSOREAD_DISCOVER"], plain.getlist("ALSOREAD_HOSTS")) == ("both", [])


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
def test_every_command_reports_an_error(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "alsoread.toml").write_text("[limits]\npagess = 3\n")
    done = subprocess.run(
        [sys.executable, "-m", "crawler", *command, "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    error = f"alsoread: {tmp_path}/alsoread.toml: limits.pagess is not a known option; did you mean limits.pages?\n"
    assert (done.returncode, done.stderr) == (2, error)
    assert [path.name for path in tmp_path.iterdir()] == ["alsoread.toml"]


def test_the_documentation_has_the_table_of_options() -> None:
    def cells(option: Option) -> tuple[str, ...]:
        default = "" if option.default in (None, []) else f"`{json.dumps(option.default)}`"
        flag = f"`{option.flag}`" if option.flag else ""
        return (f"`{option.key}`", flag, option.valid, default, option.help)

    text = DOCS.partition("| --- |")[2].partition("\n\n")[0]
    rows = [" | ".join(cells(option)) for option in OPTIONS.values()]
    assert [line.strip("| ") for line in text.splitlines()[1:]] == rows


@pytest.mark.parametrize("command", ["crawl", "schedule"])
def test_the_help_of_an_option_is_one_line(command: str) -> None:
    lines = here(command, "--help").stdout.partition("Options:\n")[2].splitlines()
    assert [line for line in lines if not re.match(r"  (-\w, )?--\w", line)] == []


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example
    assert config(tmp_path, example[1])["limits.time"] == 6 * 3600


@pytest.mark.parametrize("text", ["", "5", "-5 s", "5 lightyears", "1e9 s", "4000 days", "٣ h", "nan s"])
def test_a_duration_that_is_not_valid(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid duration \(try 90s, 10 min, 12h or 90 days\)"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "-5 MB", "5 m", "5 MB/s"])
def test_a_size_that_is_not_valid(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid size \(try 500 MB or 2 GiB\)"):
        parse_size(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "* * * * 8",
        "* * * * 5-1",
        "* * * * mon;tue",
        "@often",
        "0 0 30 2 *",
    ],
)
def test_a_cron_expression_that_is_not_valid(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid cron expression \(try 17 3 \* \* \*\)"):
        parse_cron(text)


@pytest.mark.parametrize("text", ["", "6-7", "22:00", "22:00-24:01", "07:00-07:00"])
def test_hours_that_are_not_valid(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid range of hours \(try 22:00-06:30\)"):
        parse_quiet_hours(text)


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
