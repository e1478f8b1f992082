"""Every fault of the table: what becomes of the page on a first visit, and of a good copy on a later one."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import lxml.html
import pytest
from markdown_it import MarkdownIt

from pipelines.catalog import read
from pipelines.verifying.verify import verify
from tests.faults.runs import FaultServer, Outcome, outcomes, visit
from tests.faults.table import FAULTS

_NUMBERS = range(len(FAULTS))
_SAME_PAGE = ("charset", "encoding")
"""Faults that show the same article where they show one at all."""
_LIVE = frozenset(
    ("script", "style", "iframe", "frame", "object", "embed", "form", "svg", "math", "base", "link", "meta")
)
_TARGET = re.compile(r"(?:https?:|mailto:|#|[^:]*$)", re.I)


class Visits(NamedTuple):
    """The table, crawled when nothing was archived, and when every page was."""

    new: list[Outcome]
    good: list[Outcome]
    again: list[Outcome]
    said: str
    archives: tuple[Path, Path]


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Visits:
    folder = tmp_path_factory.mktemp("faults")
    new, known = folder / "new", folder / "known"
    with FaultServer() as server:
        said = visit(server, new).stderr
        server.healthy = True
        said += visit(server, known).stderr
        good = outcomes(known)
        server.healthy = False
        said += visit(server, known, "--recrawl", "all").stderr
    return Visits(outcomes(new), good, outcomes(known), said, (new, known))


@pytest.mark.parametrize("number", _NUMBERS, ids=lambda number: f"{FAULTS[number].category}-{number}")
def test_a_page_that_was_not_archived(visits: Visits, number: int) -> None:
    fault, found = FAULTS[number], visits.new[number]
    assert (found.state, fault.reason in found.reason) == (fault.state, True), (fault.name, found)
    assert (found.body is not None) == (found.state == "stored")


@pytest.mark.parametrize("number", _NUMBERS, ids=lambda number: f"{FAULTS[number].category}-{number}")
def test_a_good_copy(visits: Visits, number: int) -> None:
    fault, before, after = FAULTS[number], visits.good[number], visits.again[number]
    assert before.state == "stored"
    if fault.category != "markup":  # an edit of the article, which is stored
        assert after.body == before.body, (fault.name, after)
        assert fault.category in _SAME_PAGE or after.state != "stored", fault.name
        assert after.state == "stored" or after.reason


@pytest.mark.parametrize(
    "number",
    [number for number in _NUMBERS if FAULTS[number].state == "stored"],
    ids=lambda number: f"{FAULTS[number].category}-{number}",
)
def test_what_is_stored_shows_nothing_live(visits: Visits, number: int) -> None:
    body = visits.new[number].body
    assert body
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    for node in lxml.html.fragment_fromstring(html, create_parent="div").iter():
        assert node.tag not in _LIVE, html
        for name, value in node.attrib.items():
            assert not name.startswith("on"), html
            assert name not in ("href", "src", "action", "data") or _TARGET.match(value), html


def test_both_archives_are_in_order(visits: Visits) -> None:
    assert "Traceback" not in visits.said
    for data in visits.archives:
        assert [finding.where for finding in verify(data) if not finding.where.startswith("look/")] == []
        with closing(read(data / "archive.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            sums = "pages - new - changed - unchanged - not_modified - not_article - gone - refused - failed"
            assert {row[0] for row in db.execute(f"SELECT {sums} FROM crawls")} == {0}  # noqa: S608
        for log in (data / "logs").iterdir():
            assert "Traceback" not in log.read_text(encoding="utf-8", errors="replace")


def test_the_documentation_counts_them() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (\w+) \| (\d+) \|$", text, re.MULTILINE))
    assert told == {name: str(count) for name, count in Counter(fault.category for fault in FAULTS).items()}
    for name in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (Path(__file__).parents[2] / name).exists(), name
