"""The settings file of an archive, DATA/alsoread.toml, and what is said of a mistake in it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from crawler.config.options import KEYS
from crawler.config.units import QuietHours
from crawler.errors import ArchiveError

_FILE = "alsoread.toml"


class ConfigError(ArchiveError):
    """A settings file that can't be used: a sentence with the file, the line, the key and what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 2)


@dataclass(frozen=True, slots=True)
class Crawl:
    """What is crawled, and how fast. None, here and in Limits: as crawler/settings.py has it."""

    hosts: tuple[str, ...] = ()
    discover: str | None = None
    max_depth: int | None = None
    delay: float | None = None
    rate: float | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take; `bytes` and `disk_free` in bytes."""

    pages: int | None = None
    bytes: int | None = None
    time: timedelta | None = None
    disk_free: int | None = None
    quiet_hours: tuple[QuietHours, ...] = ()
    unlisted_pages: int | None = None
    unlisted_depth: int | None = None
    new_hosts: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When crawls start: `cron` or `every`, never both."""

    cron: str | None = None
    every: timedelta | None = None
    jitter: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told of a run: addresses as apprise has them, which may hold passwords."""

    urls: tuple[str, ...] = ()
    on: Literal["alarms", "always"] = "alarms"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept."""

    logs: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where the numbers of the last run are written; None: the usual place."""

    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one archive. What the file leaves out has its default."""

    seeds: tuple[str, ...] = ()
    contact: str | None = None
    crawl: Crawl = field(default_factory=Crawl)
    limits: Limits = field(default_factory=Limits)
    schedule: Schedule = field(default_factory=Schedule)
    notify: Notify = field(default_factory=Notify)
    keep: Keep = field(default_factory=Keep)
    metrics: Metrics = field(default_factory=Metrics)


_TABLES = {
    "crawl": Crawl,
    "limits": Limits,
    "schedule": Schedule,
    "notify": Notify,
    "keep": Keep,
    "metrics": Metrics,
}


def read_config(data: Path) -> Config:
    """The settings of the archive in `data`, which relative paths in the file begin at. Without a file the
    defaults. Raises ConfigError.
    """
    file = data / _FILE
    try:
        text = file.read_text(encoding="utf-8-sig")
        settings = dict(_named(tomllib.loads(text)))
    except (FileNotFoundError, NotADirectoryError):
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} can't be read as text: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is no TOML: {error}.") from None
    values = {}
    for name, value in settings.items():
        try:
            values[name] = _read(name, value)
        except ValueError as error:
            raise ConfigError(f"{file}, line {_line(text, name)}: {error}.") from None
    if {"schedule.cron", "schedule.every"} <= values.keys():
        line = max(_line(text, "schedule.cron"), _line(text, "schedule.every"))
        raise ConfigError(f"{file}, line {line}: schedule.cron and schedule.every don't go together.")
    return _config(data, values)


def check_addresses(data: Path) -> None:
    """Raises ConfigError where notify.urls has an address that apprise does not know.

    Apart from read_config, as it takes half a second and 30 MB, which not every command should.
    """
    urls = read_config(data).notify.urls
    if not urls:
        return
    from apprise import Apprise

    for number, url in enumerate(urls, 1):
        if Apprise.instantiate(url) is None:
            line = _line((data / _FILE).read_text(encoding="utf-8-sig"), "notify.urls")
            raise ConfigError(
                f"{data / _FILE}, line {line}: address {number} of notify.urls is none that apprise knows."
            )


def _named(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of a document by their names, such as `crawl.delay`."""
    for name, value in document.items():
        if name in _TABLES and isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, value


def _read(name: str, value: Any) -> Any:
    """The value of one key. Raises ValueError with what is wrong, in words."""
    if name in _TABLES:
        raise ValueError(f"{name} must be a table, [{name}]")
    if (key := KEYS.get(name)) is None:
        raise ValueError(_unknown(name))
    try:
        return key.read(value)
    except ValueError:
        written = "" if key.secret else f", and not {json.dumps(value, ensure_ascii=False, default=str)[:80]}"
        raise ValueError(f"{name} must be {key.allowed}{written}") from None


def _unknown(name: str) -> str:
    known = [*KEYS, *_TABLES]
    last = name.rpartition(".")[2]
    moved = [key for key in known if key.rpartition(".")[2] == last]
    if nearest := moved or get_close_matches(name, known, n=1):
        return f"{name} is not known: perhaps {nearest[0]} is meant"
    return f"{name} is not known; what may be set is {', '.join(KEYS)}"


def _line(text: str, name: str) -> int:
    """The number of the line where a name is set: the first lines without it are a document of their own."""
    lines = text.split("\n")
    without = 0
    for count in range(len(lines)):
        try:
            names = dict(_named(tomllib.loads("\n".join(lines[:count]))))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value
        if name in names:
            break
        without = count
    return without + 1


def _config(data: Path, values: Mapping[str, Any]) -> Config:
    tables: dict[str, dict[str, Any]] = {name: {} for name in ("", *_TABLES)}
    for name, value in values.items():
        table, _, key = name.rpartition(".")
        tables[table][key] = value
    top = tables.pop("")
    if seeds := top.get("seeds"):
        top["seeds"] = tuple(str(data / seed) if (data / seed).exists() else seed for seed in seeds)
    if file := tables["metrics"].get("file"):
        tables["metrics"]["file"] = data / file
    return Config(**top, **{name: kind(**tables[name]) for name, kind in _TABLES.items()})
