"""Notifications of runs by mail, webhook or chat, to the addresses in an archive's settings.

`python -m crawler.reports.notify DATA TITLE` sends its standard input. It prints what could not be sent on standard
error, and exits with 1 then.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from crawler.config.file import read_config
from crawler.errors import AlsoreadError
from crawler.exit_codes import DISK, NOTHING_FETCHED, in_words
from crawler.text import counted, escape_controls
from pipelines.archive.catalog import COUNTS

if TYPE_CHECKING:
    from apprise import AppriseAsset

    from crawler.runs.crawl import Report

_TIMEOUT_SECONDS = 30.0
_MIN_SECRET_LENGTH = 4
"""Shorter parts of an address, such as a port, are not masked in messages."""
_ALWAYS_REPORTED = (NOTHING_FETCHED, DISK)
"""Exit codes of runs that are reported even without an alarm."""


def send_report(report: Report, config: Mapping[str, Any], data: Path) -> list[str]:
    """Send how a run ended, if the settings ask for it; return what could not be sent, in sentences."""
    wanted = config["notify.on"] == "always" or report.alarms or report.exit_code in _ALWAYS_REPORTED
    if not (wanted and config["notify.urls"]):
        return []
    return _send_apart(data, _title(report), _text(report, data))


def send_test(urls: Sequence[str], data: Path) -> Iterator[tuple[str, bool]]:
    """Send a test message; yield a sentence, without secrets, for each address, and whether it was reached."""
    text = f"This is a test: you will be notified of runs of {data.resolve()}."
    problems = _send_apart(data, "alsoread: a test", text)
    for number, url in enumerate(urls, 1):
        place = _place(number, url)
        problem = next((line for line in problems if line.startswith(place)), None)
        yield problem or f"{place} got the message.", problem is None


def _send_apart(data: Path, title: str, text: str) -> list[str]:
    """Send a text by a process of its own; return what could not be sent, in sentences.

    A service that never ends its answer could hold this one, and its log show addresses.
    """
    command = [sys.executable, "-P", "-m", "crawler.reports.notify", str(data), title]
    sender = subprocess.run(  # noqa: S603 - this program
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return sender.stderr.splitlines()


def send(urls: Sequence[str], title: str, body: str) -> list[str]:
    """Send a text to each address; return a sentence, without secrets, for each that could not be reached.

    Raises nothing, and prints nothing.
    """
    from apprise import AppriseAsset

    logger = logging.getLogger("apprise")  # its messages are returned
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    asset = AppriseAsset(app_id="alsoread", app_desc="alsoread", app_url="", service_timeout=_TIMEOUT_SECONDS)
    problems = []
    for number, url in enumerate(urls, 1):
        if reason := _send_one(asset, url, title, body):
            problems.append(f"{_place(number, url)} {reason}")
    return problems


def _send_one(asset: AppriseAsset, url: str, title: str, body: str) -> str | None:
    """Send a text to one address; return why that failed, as the rest of a sentence."""
    from apprise import Apprise, NotifyFormat

    service = Apprise(asset=asset)
    if not service.add(url):
        return "is not a valid address of apprise."
    with service.notify(body=body, title=title, body_format=NotifyFormat.TEXT) as result:
        if result:
            return None
        messages = [entry.message for entry in result.logs()]
    return f"was not reached: {_mask(url, messages[-1] if messages else 'no reason was given.')}"


def _place(number: int, url: str) -> str:
    return f"Address {number} of notify.urls ({_scheme(url)})"


def _scheme(url: str) -> str:
    """Return the scheme of an address, the only part that is never a secret.

    >>> _scheme("mailto://ann:password@example.org")
    'mailto://…'
    >>> _scheme("password")
    '…'
    """
    scheme, separator, _ = url.partition("://")
    return f"{scheme}://…" if separator else "…"


def _mask(url: str, text: str) -> str:
    """Mask the parts of an address in a text.

    >>> _mask("json://ann:pass%20word@example.org/hook", "No answer from example.org to 'pass word'.")
    "No answer from *** to '***'."
    """
    parts = re.split(r"[/:@?&=,;#]+", url.partition("://")[2])
    secrets = {part for part in [*parts, *map(unquote, parts)] if len(part) >= _MIN_SECRET_LENGTH}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return escape_controls(" ".join(text.split()))


def _title(report: Report) -> str:
    number, count = report.crawl["id"], len(report.alarms)
    if count:
        return f"alsoread: {counted(count, 'alarm')} in crawl {number}"
    ending = in_words(report.exit_code) if report.exit_code else "finished"
    return f"alsoread: crawl {number} {ending}"


def _text(report: Report, data: Path) -> str:
    row = report.crawl
    counts = [counted(row["pages"], "page")]
    counts += [f"{row[name]:,} {name.replace('_', ' ')}" for name in COUNTS[1:] if row[name]]
    lines = [
        *(f"{alarm}\n" for alarm in report.alarms),
        f"Crawl {row['id']} of {data.resolve()}: {', '.join(counts)}.",
        f"The archive holds {counted(report.articles, 'article')}; "
        f"{counted(report.due, 'page is', 'pages are')} due.",
        f"It {in_words(report.exit_code)}.",
        f"Log: {report.log.resolve()}",
    ]
    return escape_controls("\n".join(lines))


def main(data: str, title: str) -> int:
    """Send standard input to the addresses in the settings of the archive in `data`; return the exit code."""
    try:
        urls = read_config(Path(data))["notify.urls"]
    except AlsoreadError as error:
        print(escape_controls(f"alsoread: {error}"), file=sys.stderr)  # noqa: T201
        return error.exit_code
    problems = send(urls, title, sys.stdin.read())
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # a thread may wait for ever for the end of an answer
