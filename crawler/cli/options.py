"""Define what commands share: the archive's folder and options, and errors in words."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click

from crawler import shutdown
from crawler.config.file import read_config
from crawler.config.options import OPTIONS, Kind, Option
from crawler.errors import AlsoreadError, CatalogError, Interrupted, UsageError
from crawler.text import escape_controls
from pipelines.archive.connection import open_readonly, outdated_error
from pipelines.archive.storage_errors import explain

_SQLITE_HEADER = b"SQLite format 3\0"

data_folder = click.option(
    "--data", default="data", show_default=True, metavar="DIR", help="Folder of the archive."
)

host_filter = click.option("--host", "hosts", multiple=True, metavar="GLOB", help=OPTIONS["crawl.hosts"].help)
since_filter = click.option("--since", metavar="DATE", help="Only articles published on this day or later.")
where_filter = click.option(
    "--where", metavar="SQL", help="Only articles for which this is true; docs/catalog.md lists the columns."
)
quiet_flag = click.option("--quiet", is_flag=True, help="No progress and no summary.")
NOTHING_CHANGED = "Dry run: nothing was changed."
json_flag = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


no_warc_flag = click.option(
    "--no-warc", "ALSOREAD_WARC", flag_value=False, default=None, help="Keep no requests and responses."
)


def dry_run_flag(help_: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add a flag that only shows what the command would do, and changes nothing."""
    return click.option("--dry-run", is_flag=True, help=help_)


def _loopback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from scrapy.settings import BaseSettings

    from crawler.downloader import handler

    try:
        handler.connect_to(BaseSettings({"ALSOREAD_CONNECT_TO": value}))
    except ValueError:
        message = f"{value!r} is not a loopback address such as http://127.0.0.1:8080."
        raise click.BadParameter(message) from None
    return value


connect_to = click.option(
    "--connect-to",
    "ALSOREAD_CONNECT_TO",
    metavar="URL",
    callback=_loopback,
    help="Loopback server that stands in for every host.",
)


class _OptionValue(click.ParamType[Any]):
    """A value of an option of the table, which says what is valid if it is not."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.name = kind.metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the program's value; a usage error if it is not valid."""
        try:
            return self._kind.parse_word(value)
        except ValueError:
            self.fail(f"{value!r} is not {self._kind.valid}.", param, ctx)


def archive_options(*keys: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the flags of the options whose keys start so. Each is a parameter named after its Scrapy setting or key."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(OPTIONS.values()):
            if option.flag and option.key.startswith(keys):
                command = click.option(
                    *option.flag.split(", "),
                    option.setting or option.key.rpartition(".")[2],
                    type=_OptionValue(option.kind),
                    multiple=option.is_list,
                    callback=_none_if_empty if option.is_list else None,
                    help=_help(option),
                )(command)
        return command

    return decorate


def _help(option: Option) -> str:
    """Return an option's help with its default, which click can't show: an option not given is None."""
    return option.help if option.default in (None, []) else f"{option.help}  [default: {option.default}]"


def _none_if_empty(_: click.Context, __: click.Parameter, values: tuple[Any, ...]) -> list[Any] | None:
    return list(values) or None


def reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turns an expected error into one sentence and its exit code; a mistake in the archive's settings is one."""

    @wraps(command)
    def in_words(*args: Any, **kwargs: Any) -> None:
        try:
            if "data" in kwargs:
                _check_folder(Path(kwargs["data"]))
                read_config(Path(kwargs["data"]))
            command(*args, **kwargs)
        except AlsoreadError as error:
            _end(error, as_json=kwargs.get("as_json", False))
        except (OSError, sqlite3.Error) as error:
            explained = _explain(error, Path(kwargs.get("data", "The catalog")))
            _end(explained, as_json=kwargs.get("as_json", False))

    return in_words


@contextmanager
def unwinding() -> Iterator[None]:
    """Let a signal unwind the block, which removes what is half written."""
    try:
        with shutdown.steps(_interrupt):
            yield
    except (_Unwound, sqlite3.OperationalError):  # as a query ends that a signal interrupts
        if not shutdown.is_asked():
            raise
        raise Interrupted("Interrupted; run the same command to resume.") from None


class _Unwound(BaseException):
    """A signal. After a KeyboardInterrupt in a string that is evaluated, Python kills itself where it should exit."""


def _interrupt() -> None:
    raise _Unwound


def check_outside(target: Path, data: Path) -> None:
    """Raise UsageError if a target is inside the archive's folder."""
    if target.absolute().resolve().is_relative_to(data.absolute().resolve()):
        raise UsageError(f"{target} is inside the archive {data}: choose another folder.")


def _check_folder(data: Path) -> None:
    """Raise UsageError if the archive's folder is a file, as a catalog is."""
    if not data.is_file():
        return
    with data.open("rb") as file:
        if file.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
            raise UsageError(f"--data {data} is a file: name the folder of an archive.")
    if data.name == "archive.db":
        raise UsageError(
            f"--data {data} is a catalog, not the folder that it is in: use --data {data.parent}"
        )
    raise UsageError(
        f"--data {data} is a catalog, not the folder of an archive: copy it to DIR/archive.db, use --data DIR, "
        "and run `alsoread verify --repair`, which writes the articles' files."
    )


def print_error(error: AlsoreadError) -> None:
    """Print an error's sentence on standard error."""
    click.echo(escape_controls(f"alsoread: {error}"), err=True)


def print_result(counts: Mapping[str, Any], failures: Iterable[tuple[str, str]], exit_code: int) -> None:
    """Print what a command did as one JSON object. `failures`: what could not be done, each with its reason."""
    from crawler.reports.terminal import print_json

    named = [{"name": name, "reason": reason} for name, reason in failures]
    print_json({**counts, "failures": named, "exit_code": exit_code})


def _end(error: AlsoreadError, *, as_json: bool) -> NoReturn:
    """Print an error, for programs as JSON too, and end with its exit code."""
    from crawler.reports.terminal import print_json

    print_error(error)
    if as_json:
        print_json({"error": str(error), "exit_code": error.exit_code})
    sys.exit(error.exit_code)


def _explain(error: OSError | sqlite3.Error, data: Path) -> AlsoreadError:
    if isinstance(error, OSError):
        return explain(error, data)
    path = data / "archive.db"
    explained: AlsoreadError = explain(error, path)
    if isinstance(explained, CatalogError):
        with suppress(AlsoreadError, sqlite3.Error), closing(open_readonly(path)) as db:
            explained = outdated_error(db, path) or explained
    return explained
