"""The fault table: every row gets what it expects, and the archive is sound after each of the crawls."""

from __future__ import annotations

import os
import pickle
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from filelock import FileLock

from tests.faults.crawls import Visits, visit_twice
from tests.faults.judging import shortcomings
from tests.faults.table import FAMILIES, REST, ROWS, SAMPLE

_ROOT = Path(__file__).parents[2]


_LONG = {"sample": [], "rest": [pytest.mark.long]}
_PARTS = {"sample": SAMPLE, "rest": REST}


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Visits]:
    """Crawl a part of the rows, once for all of the test runner's processes: they share the folder above theirs."""
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None
    folder = shared / "faults" if shared else tmp_path_factory.mktemp("faults")

    @cache
    def visit(part: str) -> Visits:
        data, done = folder / part, folder / f"{part}.pickle"
        folder.mkdir(exist_ok=True)
        with FileLock(folder / f"{part}.lock"):
            if not done.exists():
                data.mkdir()
                done.write_bytes(pickle.dumps(visit_twice(data, _PARTS[part])))
        return cast(Visits, pickle.loads(done.read_bytes()))  # noqa: S301 - our own file

    return visit


def _marked(part: str, name: str) -> object:
    return pytest.param(part, name, id=name, marks=_LONG[part])


@pytest.mark.parametrize(
    ("part", "name"), [_marked(part, name) for part, names in _PARTS.items() for name in names]
)
def test_a_fault_costs_what_it_must_and_no_more(
    visits: Callable[[str], Visits], part: str, name: str
) -> None:
    assert list(shortcomings(ROWS[name], visits(part).results[name])) == []


@pytest.mark.parametrize("part", [pytest.param(part, marks=_LONG[part]) for part in _PARTS])
def test_every_page_is_accounted_for_and_nobody_sees_a_traceback(
    visits: Callable[[str], Visits], part: str
) -> None:
    assert visits(part).wrong == []


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
    assert [name for name in re.findall(r"`(tests/[\w/.]+)`", text) if not (_ROOT / name).exists()] == []
