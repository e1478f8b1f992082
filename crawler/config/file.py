"""Read the settings file of an archive, DATA/alsoread.toml."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from crawler.config.options import DEFAULTS, OPTIONS
from crawler.errors import UsageError

FILE_NAME = "alsoread.toml"
"""Name of the settings file in an archive's folder."""
_TABLES = tuple(dict.fromkeys(key.partition(".")[0] for key in OPTIONS if "." in key))
_SHOWN_CHARACTERS = 80


class ConfigError(UsageError):
    """A settings file that can't be used: a sentence with the file, the key, the value and what is valid."""


def read_config(data: Path) -> dict[str, Any]:
    """Return the values of all options of the archive in `data`, by their keys. Raises ConfigError."""
    values = DEFAULTS | read_file(data)
    return values | {"metrics.file": data / values["metrics.file"]}


def read_file(data: Path) -> dict[str, Any]:
    """Return the values that the settings file in `data` sets, by their keys; none without a file.

    Raises ConfigError.
    """
    file = data / FILE_NAME
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} can't be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from None
    try:
        values = {key: _parse(key, value) for key, value in _flatten(document)}
        if {"schedule.cron", "schedule.every"} <= values.keys():
            raise ValueError("schedule.cron and schedule.every can't be used together.")
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    if seeds := values.get("seeds"):
        values["seeds"] = [str(data / seed) if (data / seed).exists() else seed for seed in seeds]
    return values


def check_notify_urls(data: Path) -> None:
    """Raise ConfigError if apprise does not know a URL of notify.urls.

    Apart from read_config, as it takes half a second and 30 MB, which not every command should.
    """
    urls = read_config(data)["notify.urls"]
    if not urls:
        return
    from apprise import Apprise

    for number, url in enumerate(urls, 1):
        if Apprise.instantiate(url) is None:
            raise ConfigError(f"{data / FILE_NAME}: apprise does not know URL {number} of notify.urls.")


def _flatten(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if name in _TABLES and isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, value


def _parse(key: str, value: Any) -> Any:
    """Return the program's value of a key. Raises ValueError with a sentence."""
    if key in _TABLES:
        raise ValueError(f"{key} must be a table, [{key}].")
    if (option := OPTIONS.get(key)) is None:
        raise ValueError(f"{key} is not a known option{_suggestion(key)}")
    try:
        return option.parse(value)
    except ValueError:
        shown = json.dumps(value, ensure_ascii=False, default=str)[:_SHOWN_CHARACTERS]
        actual = "" if option.is_secret else f", not {shown}"
        raise ValueError(f"{key} must be {option.valid}{actual}.") from None


def _suggestion(key: str) -> str:
    known = [*OPTIONS, *_TABLES]
    name = key.rpartition(".")[2]
    in_another_table = [other for other in known if other.rpartition(".")[2] == name]
    if similar := in_another_table or get_close_matches(key, known, n=1):
        return f"; did you mean {similar[0]}?"
    return f"; known are {', '.join(OPTIONS)}."
