"""The fault table: every row gets what it expects, and the archive is sound after each of the crawls."""

from __future__ import annotations

import os
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from filelock import FileLock

from tests.faults.crawls import Visits, visit_twice
from tests.faults.judging import shortcomings
from tests.faults.table import FAMILIES, KNOWN_GAPS, ROWS

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Visits:
    """The crawls of all rows, once for all of the test runner's processes: they share the folder above theirs."""
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None
    folder = shared / "faults" if shared else tmp_path_factory.mktemp("faults")
    folder.mkdir(exist_ok=True)
    done = folder / "visits.pickle"
    with FileLock(folder / "lock"):
        if not done.exists():
            (folder / "data").mkdir()
            done.write_bytes(pickle.dumps(visit_twice(folder / "data")))
    return cast(Visits, pickle.loads(done.read_bytes()))  # noqa: S301 - our own file


def _marked(name: str) -> object:
    gap = KNOWN_GAPS.get(name)
    return pytest.param(name, marks=[pytest.mark.xfail(reason=gap, strict=True)] if gap else [])


@pytest.mark.parametrize("name", [_marked(name) for name in ROWS])
def test_a_fault_costs_what_it_must_and_no_more(visits: Visits, name: str) -> None:
    assert list(shortcomings(ROWS[name], visits.results[name])) == []


def test_every_page_is_accounted_for_and_nobody_sees_a_traceback(visits: Visits) -> None:
    assert visits.wrong == []


def test_every_row_has_a_name_of_its_own_that_is_a_host() -> None:
    names = Counter(row.id for family in FAMILIES for row in family())
    assert [name for name, times in names.items() if times > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]", name)] == []


def test_the_documentation_sums_the_table_up() -> None:
    families = [(list(family()), family.__doc__ or "") for family in FAMILIES]
    summary = [f"| {made[0].category} | {len(made)} | {' '.join(doc.split())} |" for made, doc in families]
    text = (_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = text.partition("## The table of faults")[2].partition("\n## ")[0]
    assert section.partition("| ---: | --- |\n")[2].partition("\n\n")[0].splitlines() == summary
    assert re.findall(r"^- (.*)$", section, re.MULTILINE) == list(dict.fromkeys(KNOWN_GAPS.values()))
    assert [name for name in re.findall(r"`(tests/[\w/.]+)`", text) if not (_ROOT / name).exists()] == []
