"""A message to the people who are to be told: by mail, webhook or chat, to the addresses in an archive's settings.

`python -m crawler.reports.notify DATA TITLE` sends what it reads from standard input.
What could not be sent is told on standard error; the exit code is then 1.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from crawler.config.file import read_config
from crawler.errors import ArchiveError
from crawler.exit_codes import DISK, NOTHING_FETCHED, in_words
from crawler.text import escape_controls
from pipelines.archive.catalog import COUNTS

if TYPE_CHECKING:
    from apprise import AppriseAsset

    from crawler.runs.crawl import Report

_PATIENCE = 30.0
"""Seconds that one address may take."""
_NO_SECRET = 4
"""Parts of an address below this length, such as a port, are left in what is told of it."""
_BAD = (NOTHING_FETCHED, DISK)
"""Exit codes of runs that a person should look at, also without an alarm."""


def tell(report: Report, config: Mapping[str, Any], data: Path) -> list[str]:
    """Sends how a run ended, where the settings ask for it. Returns what could not be sent, in sentences."""
    wanted = config["notify.on"] == "always" or report.alarms or report.exit_code in _BAD
    if not (wanted and config["notify.urls"]):
        return []
    # A process of its own: a service that never ends its answer could hold this one, and its log show addresses.
    command = [sys.executable, "-P", "-m", "crawler.reports.notify", str(data), _title(report)]
    sent = subprocess.run(  # noqa: S603 - this program
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        input=_text(report, data),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return sent.stderr.splitlines()


def notify(urls: Sequence[str], title: str, body: str) -> list[str]:
    """Sends a text to each address. Returns a sentence, without any secret, for each that could not be reached.

    Raises nothing, and prints nothing.
    """
    from apprise import AppriseAsset

    logger = logging.getLogger("apprise")  # what it says comes back as sentences
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    asset = AppriseAsset(app_id="alsoread", app_desc="alsoread", app_url="", service_timeout=_PATIENCE)
    reasons = ((number, url, _send(asset, url, title, body)) for number, url in enumerate(urls, 1))
    return [
        f"Address {number} of notify.urls ({_kind(url)}) {reason}"
        for number, url, reason in reasons
        if reason
    ]


def _send(asset: AppriseAsset, url: str, title: str, body: str) -> str | None:
    """Why an address was not reached: the rest of a sentence; None where it was."""
    from apprise import Apprise, NotifyFormat

    service = Apprise(asset=asset)
    if not service.add(url):
        return "is none that can be notified."
    with service.notify(body=body, title=title, body_format=NotifyFormat.TEXT) as result:
        if result:
            return None
        said = [entry.message for entry in result.logs()]
    return f"was not reached: {_masked(url, said[-1] if said else 'no reason was given.')}"


def _kind(url: str) -> str:
    """What kind of address it is, which is all of it that is no secret.

    >>> _kind("mailto://ann:password@example.org")
    'mailto://…'
    >>> _kind("password")
    '…'
    """
    kind, separator, _ = url.partition("://")
    return f"{kind}://…" if separator else "…"


def _masked(url: str, text: str) -> str:
    """A text without the parts of an address.

    >>> _masked("json://ann:pass%20word@example.org/hook", "No answer from example.org to 'pass word'.")
    "No answer from *** to '***'."
    """
    parts = re.split(r"[/:@?&=,;#]+", url.partition("://")[2])
    secrets = {part for part in [*parts, *map(unquote, parts)] if len(part) >= _NO_SECRET}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return escape_controls(" ".join(text.split()))


def _title(report: Report) -> str:
    number = report.crawl["id"]
    if count := len(report.alarms):
        return f"alsoread: {count} alarm{'s' if count > 1 else ''} in crawl {number}"
    ending = in_words(report.exit_code) if report.exit_code else "finished"
    return f"alsoread: crawl {number} {ending}"


def _text(report: Report, data: Path) -> str:
    row = report.crawl
    counts = "".join(f", {row[name]:,} {name.replace('_', ' ')}" for name in COUNTS[1:] if row[name])
    lines = "\n".join(
        [
            *(f"{alarm}\n" for alarm in report.alarms),
            f"Crawl {row['id']} of {data.resolve()}: {row['pages']:,} pages{counts}.",
            f"The archive holds {report.articles:,} articles; {report.due:,} pages are due.",
            f"It {in_words(report.exit_code)}.",
            f"Log: {report.log}",
        ]
    )
    return escape_controls(lines)


def main(data: str, title: str) -> int:
    """Sends standard input to the addresses of the archive in `data`. Returns the exit code."""
    try:
        urls = read_config(Path(data))["notify.urls"]
    except ArchiveError as error:
        print(escape_controls(f"alsoread: {error}"), file=sys.stderr)  # noqa: T201
        return error.exit_code
    trouble = notify(urls, title, sys.stdin.read())
    print(*trouble, sep="\n", end="\n" if trouble else "", file=sys.stderr)  # noqa: T201
    return 1 if trouble else 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # a thread may wait for ever for the end of an answer
