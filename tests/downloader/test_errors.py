"""Whatever a server sends, the catalog says of its page what happened, in words and with a status that is one."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.commands import alsoread, opened
from tests.support.hostile import PAGES, Hostile

_PYTHON = re.compile(
    r"\w(Error|Exception|Failure)\b|Traceback|invalid literal|[<\[]class |\bb['\"]|twisted|scrapy|Errno"
)
"""What only a program says."""
_QUICK = [path for path in PAGES if not re.search("slow|silent|bomb|endless|huge", path)]


def test_no_reason_speaks_of_the_program(tmp_path: Path) -> None:
    """Each page is on a host of its own: none is left alone for the failures of another."""
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("".join(f"https://h{n}.techidaily.com{path}\n" for n, path in enumerate(_QUICK)))
    with Hostile() as server:
        options = ("--connect-to", server.url, "--discover", "links", "--max-pages", str(len(_QUICK)))
        done = alsoread("crawl", seeds, "--data", tmp_path, *options)
    assert done.returncode in (0, 1), done.stderr
    pages = opened(tmp_path).execute("SELECT url, state, status, error FROM pages").fetchall()
    settled = {url: (state, status, error) for url, state, status, error in pages if state != "due"}
    assert len(settled) >= len(_QUICK)
    for url, (state, status, error) in settled.items():
        assert status is None or 100 <= status <= 599, url
        assert (state == "stored") or error, url
        assert not _PYTHON.search(error or ""), (url, error)
    odd = [status for url, (_, status, _) in settled.items() if "/status-" in url]
    assert odd
    assert set(odd) == {None}
